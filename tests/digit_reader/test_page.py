"""The page to draw in, in a real browser: it reads drawings as digit_reader would read them."""

import dataclasses
import re
import shutil

import numpy as np
import PIL.Image
import pytest
from support.browser import PATIENCE, POINT, STROKES, VISUALIZATIONS, answer, browser, draw, placed
from support.images import five_thousand
from support.pictures import TOGETHER, part
from support.project import ROOT, run

from digit_reader import thresholds
from digit_reader.centre import centre_like_mnist
from digit_reader.lines import digits_in, gaps_in
from digit_reader.page import build
from mnist_study.backend import keras
from mnist_study.recogniser import export, rates

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
    for (const name of ["centre", "characters", "lines", "model", "network", "strokes"])
        Object.assign(window, await import(`/${name}.js`));
    window.layers = await unpack(NETWORK);
}"""


@pytest.fixture(scope="module")
def modules(chromium, tmp_path_factory):
    """The page's own modules on an empty page; as real modules, from a server, they import."""
    sources = shutil.copytree(build.SOURCES, tmp_path_factory.mktemp("page") / "page")
    shutil.copy(thresholds.FILE, sources)
    (sources / "empty.html").write_text("<!doctype html><title>Modules</title>")
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    page.route("**/*", lambda route: route.fulfill(path=sources / route.request.url.split("/")[-1]))
    page.goto("http://page.test/empty.html")
    page.evaluate(LOAD)
    return page


def test_page_and_package_centre_and_classify_ink_alike(modules, reader):
    images = five_thousand()[0][0][::50].astype(np.float32) / 255
    inks = [np.pad(image, ((3, 5), (9, 2))) for image in images]
    results = modules.evaluate(
        """(inks) => inks.map((ink) => {
            const image = centred({ values: Float32Array.from(ink), wide: 39, high: 36 });
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
    pages += [pair for *pair, _ in TOGETHER.values() if not pair[0].linked]  # by faint ink
    for parts in pages:
        parts = [dataclasses.replace(p, labels=(n,)) for n, p in enumerate(parts)]
        sides = ("left", "right", "top", "bottom")
        boxes = [{s: getattr(p, s) for s in sides} | {"members": [*p.labels]} for p in parts]
        code = "(boxes) => digitsIn(boxes).map(({ line, members, gap }) => [line, members, gap])"
        digits = [(line, {*members}, gap) for line, members, gap in modules.evaluate(code, boxes)]
        assert digits == [
            (number, {*digit.labels}, gap)
            for number, line in enumerate(digits_in(parts))
            for digit, gap in zip(line, gaps_in(line), strict=True)
        ]


ARCHITECTURE = (  # of the line network: stride, pool before it, kernel, units
    (2, None, (3, 3), 16),
    (1, None, (3, 3), 32),
    (1, [2, 2], (3, 3), 48),
    (1, None, (3, 3), 64),
    (1, [2, 1], (3, 3), 96),
    (1, None, (4, 3), 128),
    (1, None, (1, 5), 96),
    (1, None, (1, 1), 24),
)


def line_network():
    """Return a line network with random weights, and the same as model.js has networks."""
    keras.utils.set_random_seed(41)
    layers = [keras.Input((32, None, 1))]
    for stride, pool, kernel, units in ARCHITECTURE:
        layers += [keras.layers.MaxPooling2D(pool)] if pool else []
        layers += [keras.layers.ZeroPadding2D((0, 1))] if kernel == (4, 3) else []
        layers += [
            keras.layers.Conv2D(
                units,
                kernel,
                stride,
                padding="valid" if kernel == (4, 3) else "same",
                activation="relu" if units != 24 else None,
                kernel_initializer="he_normal",
                bias_initializer=keras.initializers.RandomNormal(stddev=0.1),
            )
        ]
    network = keras.Sequential(layers)
    form = export.packed(export.folded(network))
    for entry, (_, pool, kernel, _) in zip(form["layers"], ARCHITECTURE, strict=True):
        entry |= {"pool": pool, "valid": kernel == (4, 3)}
    return network, form


def test_page_and_keras_give_a_line_the_same_characters(modules):
    network, form = line_network()
    code = """async ([model, values, wide]) => {
        const line = { values: Float32Array.from(values), wide, high: 32 };
        const seen = logits(await unpack(model), line);
        return [Array.from(seen.values), seen.wide, seen.high, seen.channels];
    }"""
    generator = np.random.default_rng(7)
    for wide in (16, 33, 62, 131):
        line = generator.random((32, wide), np.float32) * (generator.random((32, wide)) < 0.3)
        values, *shape = modules.evaluate(code, [form, line.ravel().tolist(), wide])
        expected = network(line[None, ..., None]).numpy()[0]
        assert shape == [expected.shape[1], 1, 24]
        assert np.abs(np.reshape(values, expected.shape[1:]) - expected[0]).max() < 0.01


def test_a_line_is_cropped_level_with_its_digits_20_pixels_high(modules):
    code = """([strokes, boxes]) => {
        const { wide, at } = cropOf(boxes);
        return [wide, Array.from(new Ink(wide, 32).of(strokes, "", 2, at).values)];
    }"""
    for slope, low in ((0.2, 0), (0, 0), (-0.2, 0), (0.2, 0.07)):  # one of them may be a dash
        lefts = [0.1, 0.3, 0.5, 0.7]
        tops = [0.4 + slope * left for left in lefts]
        ends = [(low if n == 1 else 0, 0.18 - (low if n == 1 else 0)) for n in range(4)]
        strokes = [
            [[x, top + a], [x, top + b]] for x, top, (a, b) in zip(lefts, tops, ends, strict=True)
        ]
        boxes = [{"left": x, "right": x, "top": a, "bottom": b} for (x, a), (_, b) in strokes]
        wide, values = modules.evaluate(code, [strokes, boxes])
        crop = np.reshape(values, (32, wide))
        rows, columns = np.flatnonzero(crop.max(1) > 0.5), np.flatnonzero(crop.max(0) > 0.5)
        assert (rows[0], rows[-1]) == (6, 25) and wide == 82
        assert (columns[0], columns[-1]) == (10, wide - 11)


def seen(text, probability=0.99):
    """Return characters as the page decodes them."""
    ten = np.full((len(text), 10), 0.001)
    for place, character in enumerate(text):
        if character.isdigit():
            ten[place, int(character)] = probability
    return [
        {"character": character, "probability": probability, "probabilities": row.tolist()}
        for character, row in zip(text, ten, strict=True)
    ]


# Digits read one by one and how likely they are, the line's characters, and what is said: digits,
# those that cannot be sure with "?", gaps as "|", and "~" where the two do not agree.
TOGETHER_SAID = (
    ("9", 0.99, "9", "9"),
    ("9", 0.99, "", "9? ~"),
    ("9", 0.99, "4", "9? ~"),
    ("9", 0.99, "?", "9? ~"),
    ("9", 0.99, "41", "9? ~"),
    ("9", 0.1, "41", "4? 1? ~"),
    ("1234", 0.99, "12×34", "1 2 | 3 4"),
    ("1234", 0.99, "12 34", "1 2 | 3 4"),
    ("1234", 0.99, "12?34", "1 2 3 4"),
    ("112", 0.99, "1/2", "1 | 2 ~"),
    ("12", 0.99, "162", "1 6? 2 ~"),
    ("172", 0.99, "112", "1 1? 2 ~"),
    ("12", 0.99, "+", "1? 2? ~"),
)


def test_digits_read_one_by_one_and_in_the_line_decide_together(modules):
    code = """([digits, characters]) => {
        const all = decided(digits, characters);
        return all.map(({ probabilities, gap, mayBeSure }) => (gap ? "| " : "")
            + probabilities.indexOf(Math.max(...probabilities)) + (mayBeSure ? "" : "?")
        ).join(" ") + (all.every(({ agreed }) => agreed) ? "" : " ~");
    }"""
    for digits, likely, line, said in TOGETHER_SAID:
        assert modules.evaluate(code, [seen(digits, likely), seen(line)]) == said, (digits, line)


def test_the_best_path_becomes_characters(modules):
    path = [22, 1, 1, 23, 1, 10, 12, 23]
    steps = np.zeros((len(path), 24))
    steps[np.arange(len(path)), path] = np.arange(len(path)) + 3
    code = """(values) => decoded({ values: Float32Array.from(values), wide: 8, channels: 24 })
        .map(({ character, place, probability }) => [character, place, probability])"""
    characters = modules.evaluate(code, steps.ravel().tolist())
    assert [character for character, *_ in characters] == [*"?11 -"]
    assert [place for _, place, _ in characters] == [1 / 16, 1 / 4, 9 / 16, 11 / 16, 13 / 16]
    assert characters[1][2] == pytest.approx(1 / (1 + 23 * np.exp(-5)))  # the higher of its two


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


DROP = """(name) => {
    const data = new DataTransfer();
    data.items.add(new File(["no picture"], name, { type: "image/png" }));
    document.dispatchEvent(new DragEvent("drop", { dataTransfer: data }));
}"""


def test_a_dropped_picture_is_left_to_the_package_and_the_drawing_stays(page):
    draw(page, STROKES[7])
    answer(page, "7")
    page.evaluate(DROP, "5.png")
    answer(page, re.compile(r"Pictures are read by the package: python -m digit_reader .*"))
    page.get_by_role("button", name="Undo").click()
    answer(page, "Draw a digit.")


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


@pytest.mark.parametrize("lie", ["256 * Math.random()", "255"])
@pytest.mark.setting("canvases that give false pixels", "strokes are read")
def test_where_canvases_give_false_pixels_strokes_are_read_and_saving_is_refused(open_page, lie):
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
    page.get_by_role("button", name="Save").click()
    assert "take a screenshot." in page.locator("#certainty").inner_text()


def test_committed_page_is_built_from_the_sources_and_small():
    built = build.page_text(rates.in_a_sentence(rates.recorded()))
    assert COMMITTED.read_text(encoding="utf-8") == built, "make rates, and commit the page"
    assert COMMITTED.stat().st_size < 1_500_000


def test_sources_are_clean():
    run("oxlint", "--deny-warnings", str(build.SOURCES), folder=ROOT)
