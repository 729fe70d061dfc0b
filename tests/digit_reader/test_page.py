"""The page to draw in, in a real browser: it reads drawings as digit_reader would read them."""

import base64
import dataclasses
import re
import shutil

import numpy as np
import PIL.Image
import pytest
from support.browser import PATIENCE, POINT, STROKES, VISUALIZATIONS, answer, browser, draw, placed
from support.images import five_thousand
from support.pictures import TOGETHER, encoded, part
from support.project import ROOT, run

from digit_reader import read, thresholds
from digit_reader.centre import centre_like_mnist
from digit_reader.lines import digits_in, gaps_in
from digit_reader.page import build
from mnist_study.recogniser import rates
from mnist_study.recogniser.numerals import Rough, mixed, number
from mnist_study.recogniser.photographs import STRENGTHS, pasted, photograph

COMMITTED = VISUALIZATIONS / "draw_a_digit.html"
PHONE, TURNED = {"width": 390, "height": 844}, {"width": 844, "height": 390}


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def open_page(chromium, tmp_path_factory):
    """A function that opens the page as built; a request or complaint of it fails the tests."""
    path, complaints = tmp_path_factory.mktemp("built") / "page.html", []
    build.write_page(path)

    def open_page(script="", **settings):
        page = chromium.new_context(**settings).new_page()
        page.set_default_timeout(PATIENCE)
        page.add_init_script(script)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    own = (path.as_uri(), "data:", "blob:")
    assert not [text for text in complaints if not text.startswith(own)]


@pytest.fixture
def page(open_page):
    """The page, ready to draw in."""
    page = open_page()
    answer(page, "Draw a digit.")
    return page


LOAD = """async () => {
    for (const name of ["centre", "network", "model", "parts", "image"])
        Object.assign(window, await import(`/${name}.js`));
    window.layers = await unpack(NETWORK);
}"""


@pytest.fixture(scope="module")
def modules(chromium, tmp_path_factory):
    """The page's own modules on an empty page; as real modules, from a server, they import."""
    folder = shutil.copytree(build.SOURCES, tmp_path_factory.mktemp("page") / "page")
    shutil.copy(thresholds.FILE, folder)
    (folder / "empty.html").write_text("<!doctype html><title>Modules</title>")
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    page.route("**/*", lambda route: route.fulfill(path=folder / route.request.url.split("/")[-1]))
    page.goto("http://page.test/empty.html")
    page.evaluate(LOAD)
    return page


def test_page_and_package_centre_and_classify_ink_alike(modules, reader):
    images = five_thousand()[0][0][::50].astype(np.float32) / 255
    inks = [np.pad(image, ((3, 5), (9, 2))) for image in images]
    results = modules.evaluate(
        """(inks) => inks.map((ink) => {
            const image = centred({ values: Float32Array.from(ink), wide: 39 });
            return [Array.from(image), probabilities(layers, image, LEVELS.temperature)];
        })""",
        [ink.ravel().round(6).tolist() for ink in inks],
    )
    images = np.array([image for image, _ in results]).reshape(80, 28, 28)
    assert np.abs(images - np.stack([centre_like_mnist(ink) for ink in inks])).max() < 0.01
    probabilities = np.array([ten for _, ten in results])
    assert np.abs(probabilities - reader.probabilities(images)).max() < 1e-3


def scattered(generator):
    """Return boxes of parts as on a page: two lines, some digits in pieces, and a bar."""
    digits = generator.integers(2, 16)
    lefts = generator.choice(900, digits, replace=False)
    tops = generator.integers(0, 60, digits) + 200 * generator.integers(0, 2, digits) + lefts // 20
    sizes = generator.integers((10, 30), (70, 100), (digits, 2))
    return [(0, 90, 400, 93), *np.c_[lefts, tops, lefts + sizes[:, 0], tops + sizes[:, 1]].tolist()]


def test_page_and_package_join_the_same_parts_in_the_same_order(modules):
    generator = np.random.default_rng(5)
    pages = [[part(*box) for box in scattered(generator)] for _ in range(80)]
    pages += [pair for *pair, _ in TOGETHER.values()]
    for parts in pages:
        parts = [dataclasses.replace(p, labels=(n,)) for n, p in enumerate(parts)]
        boxes = [vars(p) | {"members": [*p.labels], "linked": [*p.linked]} for p in parts]
        code = "(boxes) => digitsIn(boxes).map(({ line, members, gap }) => [line, members, gap])"
        digits = [(line, {*members}, gap) for line, members, gap in modules.evaluate(code, boxes)]
        assert digits == [
            (number, {*digit.labels}, gap)
            for number, line in enumerate(digits_in(parts))
            for digit, gap in zip(line, gaps_in(line), strict=True)
        ]


def simulated(generator):
    """Yield small pictures of digits and numbers of every kind, uint8 (h, w)."""
    digits, labels = five_thousand()[0]
    some = iter(digits[generator.permutation(len(digits))])
    for kind, strengths in STRENGTHS.items():
        yield photograph(next(some), kind, strengths[-1], generator)[::2, ::2]
        yield (255 * pasted(next(some), generator)).astype(np.uint8)
    for kinds in (*([kind] for kind in [*Rough][4:]), mixed(generator)):
        yield number(digits, labels, kinds, generator)[0][::3, ::3]
    for _ in range(5):  # most of them touch
        pair = np.pad(next(some), ((0, 0), (0, 18)))
        pair[:, 18:] = np.maximum(pair[:, 18:], next(some))
        yield rates.on_white(pair)


def test_page_and_package_read_the_same_in_pictures(modules, reader):
    """The same digits, boxes within 2%, probabilities within 5%: weights have half precision."""
    pictures = [encoded(PIL.Image.fromarray(p)) for p in simulated(np.random.default_rng(28))]
    code = """async (base64) => {
        const file = await (await fetch("data:image/png;base64," + base64)).blob();
        const { bright } = brightness(pixelsOf(await createImageBitmap(file)));
        const digits = pictureRead(layers, bright);
        return digits.problem ? [] : digits.map(({ box, probabilities }) =>
            [[box.left, box.top, box.right, box.bottom], probabilities]);
    }"""
    for place, (picture, reading) in enumerate(zip(pictures, read(pictures, reader), strict=True)):
        digits = modules.evaluate(code, base64.b64encode(picture).decode())
        assert [np.argmax(ten) for _, ten in digits] == [d.digit for d in reading.digits], place
        for (box, ten), digit in zip(digits, reading.digits, strict=True):
            assert np.abs(np.subtract(box, digit.box)).max() < 0.02, place
            assert abs(max(ten) - digit.probability) < 0.05, place


def test_digits_are_recognised_however_large_and_lines_gaps_and_uncertainty_shown(page):
    for digit, strokes in STROKES.items():
        page.keyboard.press("Escape")
        scale, corner = ((1, 0), (0.4, 30), (0.2, 200))[digit % 3]
        draw(page, placed(strokes, corner, corner, scale))
        answer(page, str(digit))
    assert page.locator("tr.most th").inner_text() == "9"
    assert "% a 9, next " in page.locator("#certainty").inner_text()
    page.keyboard.press("Escape")
    for digit, x, y in ((4, 0, 0), (2, 45, 0), (1, 170, 0), (7, 210, 0), (8, 60, 150)):
        draw(page, placed(STROKES[digit], x, y, 1 / 5, 1 / 3))
    answer(page, "42 17\n8")
    page.keyboard.press("Escape")
    draw(page, [[(60, 60), (220, 220)], [(220, 60), (60, 220)], [(140, 40), (140, 240)]])
    answer(page, re.compile(r".*\?"))


DROP = """(bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], "5.png", { type: "image/png" }));
    document.dispatchEvent(new DragEvent("drop", { dataTransfer: data }));
}"""


def test_pictures_are_chosen_dropped_or_refused(page):
    dots = np.zeros((400, 400), np.uint8)
    dots[::8, ::8] = dots[1::8, ::8] = dots[::8, 1::8] = dots[1::8, 1::8] = 255
    white = PIL.Image.new("LA", (200, 200), (255, 0))
    white.paste((255, 255), (90, 40, 110, 160))
    for content, said in (
        (encoded(PIL.Image.fromarray(dots)), re.compile("2500 pieces of ink are no number: .*")),
        (encoded(white), "1"),
        (b"no picture", "This picture cannot be opened. Give PNG or JPEG."),
    ):
        file = {"name": "picture.png", "mimeType": "image/png", "buffer": content}
        page.locator("#choose").set_input_files(file)
        answer(page, said)
    assert page.locator("#certainty").inner_text() == "" and page.locator("tr.most").count() == 0
    five = PIL.Image.fromarray(np.pad(five_thousand()[0][0][2_060], 14)).resize((400, 400))
    shaded = (220 - np.asarray(five) * 0.7) * np.linspace(0.7, 1, 400)
    page.evaluate(DROP, [*encoded(PIL.Image.fromarray(shaded.astype(np.uint8)))])
    answer(page, "5")
    draw(page, STROKES[4])
    answer(page, "4")


def test_strokes_are_undone_redone_cleared_and_stored(page):
    canvas, press = page.locator("#page"), page.keyboard.press
    canvas.click(button="right")  # draws nothing
    draw(page, placed(STROKES[1], 10, 70, 0.5))
    draw(page, placed(STROKES[7], 130, 70, 0.5))
    answer(page, "17")
    steps = {"Control+z": "1", "Control+y": "17", "Escape": "Draw a digit."}
    for key, left in steps.items():
        press(key)
        answer(page, left)
    for left in ("17", "1"):
        page.get_by_role("button", name="Undo").click()
        answer(page, left)
    page.reload()
    answer(page, "1")
    for key, left in (("Control+z", "1"), ("Escape", "Draw a digit.")):  # end the stroke in hand
        canvas.hover(position={"x": 60, "y": 60})
        page.mouse.down()
        canvas.hover(position={"x": 220, "y": 220})
        press(key)
        canvas.hover(position={"x": 60, "y": 220})  # the pen is down, but draws no more
        page.mouse.up()
        answer(page, left)
    canvas.click()
    answer(page, re.compile(".*[0-9].*"))  # a dot shows


TOUCH = """(events) => {
    const canvas = document.getElementById("page"), box = canvas.getBoundingClientRect();
    for (const [pointerType, type, x, y] of events) canvas.dispatchEvent(new PointerEvent(type, {
        pointerType, pointerId: pointerType.length, bubbles: true,
        clientX: box.left + x * box.width / 280, clientY: box.top + y * box.width / 280 }));
}"""


def touches(kind, points, end="pointerup"):
    """Return the events of a stroke."""
    steps = ["pointerdown"] + ["pointermove"] * (len(points) - 1)
    steps = [(kind, step, *point) for step, point in zip(steps, points, strict=True)]
    return [*steps, (kind, end, *points[-1])]


@pytest.mark.setting("a palm touches the page before the pen", "the pen draws")
def test_a_pen_takes_over_from_a_palm_and_a_second_finger_draws_nothing(page):
    corner, stem = (touches("pen", stroke) for stroke in STROKES[4])
    begin, *rest = touches("touch", STROKES[7][0])
    palm, cancelled = (
        touches("touch", [(250, 260), (200, 250)], end) for end in ("pointermove", "pointercancel")
    )
    other = [("", *event) for _, *event in palm]
    for events, said in (
        ([*palm, *corner[:3], palm[1], *corner[3:], *cancelled, *palm, *stem, *palm[1:]], "4"),
        ([begin, *other, *rest, *cancelled], "7"),
    ):
        page.evaluate(TOUCH, events)
        answer(page, said)
        for _ in STROKES[int(said)]:  # there are no others to undo
            page.get_by_role("button", name="Undo").click()
        answer(page, "Draw a digit.")


# Of a key: what it writes, where QWERTY has it, and whether it undoes.
KEYS = "я KeyZ 1, Я KeyZ 1, ζ KeyZ 1, ז KeyZ 1, Process KeyZ 1, z KeyY 1, z Slash 1"
KEYS += ", w KeyZ 0, ; KeyZ 0, à KeyZ 0, и KeyB 0"
PRESS = """(keys) => document.dispatchEvent(
    new KeyboardEvent("keydown", { cancelable: true, ctrlKey: !keys.metaKey, ...keys }))"""


@pytest.mark.setting("Ctrl+Z on Cyrillic, Greek, Hebrew and other layouts", "undoes")
def test_undo_is_where_the_layout_has_z_or_qwerty_in_other_scripts(page):
    page.evaluate(TOUCH, touches("mouse", STROKES[7][0]))
    for key, code, undoes in map(str.split, KEYS.split(", ")):
        keys = {"key": key, "code": code, "metaKey": code == "KeyY"}
        page.evaluate(PRESS, keys)
        answer(page, "Draw a digit." if undoes == "1" else "7")
        page.evaluate(PRESS, keys | {"shiftKey": True})
        answer(page, "7")


@pytest.mark.parametrize(
    ("size", "scheme", "pointer"), [(PHONE, "light", "touch"), (TURNED, "dark", "pen")]
)
def test_fits_a_phone_and_takes_finger_and_pen(open_page, size, scheme, pointer):
    page = open_page(viewport=size, has_touch=True, is_mobile=True, color_scheme=scheme)
    answer(page, "Draw a digit.")
    page.evaluate(POINT, [STROKES[7], pointer])
    answer(page, "7")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    for shown in ("#page", "#answer", "#table tr:last-child"):
        box = page.locator(shown).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= size["height"], shown
    assert page.locator("#page").bounding_box()["width"] > 0.65 * min(size.values())
    assert not page.locator(".keys").is_visible()
    style = "getComputedStyle(document.body)"
    colours = page.evaluate(f"[{style}.color, {style}.backgroundColor]")
    text, paper = (np.mean([int(v) for v in colour[4:-1].split(",")]) for colour in colours)
    assert (text > paper) == (scheme == "dark") and abs(text - paper) > 180


def test_works_by_keyboard_and_speaks_to_those_who_do_not_see(page):
    page.get_by_role("button", name="Example 7").focus()
    page.keyboard.press("Enter")
    answer(page, "42")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save").click()
    picture = PIL.Image.open(saving.value.path())
    assert picture.size == (860, 560) and np.asarray(picture.convert("L"))[:, 570:].max() > 200
    page.wait_for_function("document.getElementById('spoken').innerText === '42'")
    assert page.locator("#spoken").get_attribute("aria-live") == "polite"
    assert page.get_by_role("columnheader", name="probability").count() == 1
    meter = page.locator("tr.most meter")
    assert meter.evaluate("(shown) => getComputedStyle(shown).forcedColorAdjust") == "none"


LACKING = {
    "modules": "HTMLScriptElement.prototype.noModule",
    "Array.at": "Array.prototype.at",
    "PointerEvent": "window.PointerEvent",
    "DecompressionStream": "window.DecompressionStream",
}
BROKEN = {  # a script that is not parsed, that fails at once, that fails later, that is not run
    "Unexpected": ("const PEN =", "const PEN = ="),
    "broken now": ("const PEN =", "throw Error('broken now'); const PEN ="),
    "broken later": ("const stream =", "throw Error('broken later'); const stream ="),
    "": (' type="module"', ' type="text/unknown"'),
}


@pytest.mark.setting("a browser that is too old for the page", "the page says what it lacks")
def test_says_what_an_old_browser_lacks_or_why_the_page_cannot_start(chromium, tmp_path):
    text, path = build.page_text(), tmp_path / "page.html"

    def says(pattern, page_text=text, script=""):
        path.write_text(page_text, encoding="utf-8")
        page = chromium.new_page()
        page.add_init_script(script)
        page.goto(path.as_uri())
        answer(page, re.compile(pattern))

    for feature, name in LACKING.items():
        says(f".* needs {feature} .* Update it, or .*", script=f"delete {name}")
    for error, change in BROKEN.items():
        says(f"The page could not start.*{error}.*: update this .*", text.replace(*change, 1))
    first = re.findall("(?s)<script>(.*?)</script>", text)[0]
    assert not re.search(r"=>|`|\b(let|const|class|async)\b|\?[.?]", first), "not for old browsers"


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ("256 * Math.random()", "This browser .*"),
        ("255", "This browser .*"),
        ("v + i % 9 - 4", "5"),
    ],
)
@pytest.mark.setting("canvases that give false pixels", "strokes are read, pictures refused")
def test_where_canvases_give_false_pixels_strokes_are_read_and_pictures_refused(
    open_page, lie, said
):
    page = open_page(f"""const {{ prototype }} = CanvasRenderingContext2D;
        const read = prototype.getImageData;
        prototype.getImageData = function (...place) {{
            const pixels = read.apply(this, place);
            pixels.data.set(pixels.data.map((v, i) => {lie}));
            return pixels;
        }};""")
    answer(page, "Draw a digit.")
    draw(page, STROKES[4])
    answer(page, "4")
    five = PIL.Image.fromarray(255 - np.pad(five_thousand()[0][0][2_060], 14)).resize((400, 400))
    page.evaluate(DROP, [*encoded(five)])
    answer(page, re.compile(said))
    if said != "5":
        page.get_by_role("button", name="Save").click()
        assert "take a screenshot." in page.locator("#certainty").inner_text()


def test_committed_page_is_built_from_the_sources_and_small():
    built = build.page_text(rates.in_a_sentence(rates.recorded()))
    assert COMMITTED.read_text(encoding="utf-8") == built, "make rates, and commit the page"
    assert COMMITTED.stat().st_size < 1_000_000


def test_sources_are_clean():
    run("oxlint", "--deny-warnings", str(build.SOURCES), folder=ROOT)
