"""The page to draw in, in a real browser: it reads drawings as digit_reader would read them."""

import base64
import io
import shutil

import numpy as np
import PIL.Image
import pytest
from support.browser import POINT, STROKES, VISUALIZATIONS, answer, browser, draw
from support.images import five_thousand
from support.project import ROOT, run

from digit_reader import Reader, read
from digit_reader.centre import centre_like_mnist
from digit_reader.lines import belongs, digits_in, gaps_in
from digit_reader.page import build
from digit_reader.parts import Part
from mnist_study.recogniser import numerals, rates
from mnist_study.recogniser.photographs import STRENGTHS, pasted, photograph

COMMITTED = VISUALIZATIONS / "draw_a_digit.html"
PHONE, TURNED = {"width": 390, "height": 844}, {"width": 844, "height": 390}


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture
def opened(chromium):
    """A function that opens the committed page; a request or complaint of it fails the test."""
    complaints, contexts = [], []

    def opened(**settings):
        contexts.append(chromium.new_context(**settings))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto(COMMITTED.as_uri())
        answer(page, "Draw a digit.")
        return page

    yield opened
    kept = [text for text in complaints if not text.startswith(("data:", "blob:"))]
    assert set(kept) == {COMMITTED.as_uri()}
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def modules(chromium, tmp_path_factory):
    """The page's own modules on an empty page; as real modules, from a server, they import."""
    folder = shutil.copytree(build.SOURCES, tmp_path_factory.mktemp("page") / "page")
    (folder / "empty.html").write_text("<!doctype html><title>Modules</title>")
    page = chromium.new_page()
    page.route("**/*", lambda route: route.fulfill(path=folder / route.request.url.split("/")[-1]))
    page.goto("http://page.test/empty.html")
    yield page
    page.close()


@pytest.mark.parametrize("digit", range(10))
def test_reads_what_is_drawn_however_large(opened, digit):
    page = opened()
    for size, corner in ((1, 0), (0.4, 30), (0.2, 200)):
        page.keyboard.press("Escape")
        strokes = [[(corner + size * x, corner + size * y) for x, y in s] for s in STROKES[digit]]
        draw(page, strokes)
        answer(page, str(digit))
    assert page.locator("tr.most th").inner_text() == str(digit)
    assert f"% a {digit}, next " in page.locator("#doubt").inner_text()


def test_agrees_with_python(modules):
    """1,000 drawings: the ink centred alike, and read alike within 0.1%."""
    images = five_thousand()[0][0][::4].astype(np.float32) / 255
    ink = [np.pad(image, ((3, 5), (9, 2))) for image in images]
    found = modules.evaluate(
        """async (inks) => {
            const { centred } = await import("/centre.js");
            const { probabilities, unpack } = await import("/network.js");
            const { LEVELS, NETWORK } = await import("/model.js");
            const layers = await unpack(NETWORK);
            return inks.map((ink) => {
                const image = centred({ values: Float32Array.from(ink), wide: 39 });
                return [Array.from(image), probabilities(layers, image, LEVELS.temperature)];
            });
        }""",
        [image.ravel().round(6).tolist() for image in ink],
    )
    prepared = np.stack([centre_like_mnist(image) for image in ink])
    seen = np.array([image for image, _ in found]).reshape(-1, 28, 28)
    assert len(seen) == 1_000 and np.abs(seen - prepared).max() < 0.01
    expected = Reader().probabilities(seen)
    assert np.abs(np.array([shares for _, shares in found]) - expected).max() < 1e-3


# Two boxes (left, top, right, bottom) on the canvas, and whether the page takes them for one digit.
BOXES = [
    (
        (0.4, 0.3, 0.5, 0.7),
        (0.547, 0.4, 0.6, 0.6),
        True,
    ),  # a stroke beside, 0.117 of the height off
    ((0.4, 0.3, 0.5, 0.7), (0.549, 0.4, 0.6, 0.6), False),  # 0.122
    ((0.4, 0.3, 0.5, 0.7), (0.52, 0.3, 0.62, 0.7), False),  # as high: two digits
    ((0.4, 0.3, 0.6, 0.7), (0.4, 0.16, 0.6, 0.2), True),  # a bar above, 0.19 of all off
    ((0.4, 0.3, 0.6, 0.7), (0.4, 0.1, 0.6, 0.14), False),  # 0.27
    ((0.4, 0.3, 0.6, 0.5), (0.4, 0.54, 0.6, 0.74), True),  # two halves, 0.09 of both off
    ((0.4, 0.3, 0.6, 0.5), (0.4, 0.57, 0.6, 0.77), False),  # 0.15
    ((0.4, 0.3, 0.6, 0.7), (0.5, 0.35, 0.7, 0.75), True),  # overlapping half across
    ((0.4, 0.3, 0.6, 0.7), (0.53, 0.35, 0.73, 0.75), False),  # a third
    ((0.4, 0.3, 0.55, 0.6), (0.6, 0.45, 0.65, 0.75), True),  # a 4's stem, half as low as its corner
    ((0.4, 0.3, 0.55, 0.6), (0.6, 0.36, 0.65, 0.66), False),  # two digits of a line that slopes
    ((0.4, 0.3, 0.55, 0.6), (0.6, 0.45, 0.8, 0.75), False),  # no stem: as wide as a digit
    ((0.4, 0.3, 0.55, 0.6), (0.64, 0.45, 0.69, 0.75), False),  # 0.3 of the height off
]


def test_the_page_joins_strokes_by_the_rules_of_parts_py(modules):
    sides = ("left", "top", "right", "bottom")
    pairs = [[dict(zip(sides, box, strict=True)) for box in boxes[:2]] for boxes in BOXES]
    found = modules.evaluate(
        """async (pairs) => {
            const { digitsIn } = await import("/parts.js");
            const known = (boxes) => boxes.map((box, i) => ({ ...box, members: [i] }));
            const whole = (box) => box.members.length === 2;
            return pairs.map((boxes) => digitsIn(known(boxes)).some(whole));
        }""",
        pairs,
    )
    assert found == [joined for *_, joined in BOXES]
    scaled = [
        [
            Part(
                *(round(1000 * b[s]) for s in ("top", "bottom", "left", "right")), (1,), frozenset()
            )
            for b in boxes
        ]
        for boxes in pairs
    ]
    assert [belongs(*parts) for parts in scaled] == [joined for *_, joined in BOXES]


def test_the_page_reads_lines_from_above_and_each_from_the_left(modules):
    places = [(0.7, 0.1), (0.1, 0.15), (0.5, 0.6), (0.2, 0.55)]
    boxes = [
        {"left": x, "right": x + 0.1, "top": y, "bottom": y + 0.2, "members": [n]}
        for n, (x, y) in enumerate(places)
    ]
    code = (
        """async (boxes) => (await import("/parts.js")).digitsIn(boxes).map((b) => b.members[0])"""
    )
    assert modules.evaluate(code, boxes) == [1, 0, 3, 2]


def scattered(generator):
    """Return parts as on a page: two lines of digits, some in pieces, and a bar."""
    found = []
    for line, count in enumerate(generator.integers(1, 8, 2)):
        left = 0
        for _ in range(count):
            left += int(generator.integers(5, 120))
            high, wide = generator.integers(40, 100), generator.integers(10, 70)
            top = 200 * line + int(generator.integers(0, 60)) + left // 20
            found.append((top, top + high, left, left + wide))
            if generator.random() < 0.3:  # a piece of it beside or above
                move = generator.integers(-30, 30, 2)
                found.append((top + move[0] - 20, top + move[0], left + move[1], left + wide))
            left += wide
    bar = int(generator.integers(0, 300))
    found = [*found, (bar, bar + 3, 0, 400)]
    return [Part(*map(int, box), (n,), frozenset()) for n, box in enumerate(found)]


def test_page_and_package_find_the_same_digits_in_the_same_order(modules):
    generator = np.random.default_rng(5)
    pages = [[p for p in scattered(generator) if p.width > 0] for _ in range(500)]
    sides = ("left", "top", "right", "bottom")
    found = modules.evaluate(
        """async (pages) => {
            const { digitsIn } = await import("/parts.js");
            const told = (box) => [box.members, box.gap];
            return pages.map((boxes) => Object.values(
                Object.groupBy(digitsIn(boxes), (box) => box.line)).map((line) => line.map(told)));
        }""",
        [
            [{s: getattr(p, s) for s in sides} | {"members": [*p.labels]} for p in parts]
            for parts in pages
        ],
    )
    for parts, lines in zip(pages, found, strict=True):
        expected = digits_in(parts)
        told = [[[sorted(members), gap] for members, gap in line] for line in lines]
        assert told == [
            [[sorted(p.labels), gap] for p, gap in zip(line, gaps_in(line), strict=True)]
            for line in expected
        ]


def simulated(generator):
    """Yield pictures of digits and numbers of every kind as PNG bytes."""
    digits = five_thousand()[0][0]
    for kind, strengths in STRENGTHS.items():
        for strength in strengths:
            for digit in digits[generator.choice(len(digits), 2)]:
                yield as_png(photograph(digit, kind, strength, generator))
    for digit in digits[generator.choice(len(digits), 12)]:
        yield as_png((255 * pasted(digit, generator)).astype(np.uint8))
        yield as_png(rates.on_white(digit))
    for kinds in (*([kind] for kind in numerals.Rough), *map(numerals.mixed, 8 * [generator])):
        yield as_png(numerals.number(*five_thousand()[0], kinds, generator)[0])
    for one, other in digits[generator.choice(len(digits), (10, 2))]:  # most of them touch
        page = np.zeros((28, 46), np.uint8)
        page[:, :28] = one
        page[:, 18:] = np.maximum(page[:, 18:], other)
        yield as_png(rates.on_white(page))


def as_png(picture):
    """Return an array (h, w) of bytes as a PNG file's bytes."""
    file = io.BytesIO()
    PIL.Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()


def test_page_and_package_read_the_same_in_pictures(modules):
    """The same digits, boxes within 2%, probabilities within 5%: weights have half precision."""
    pictures = [*simulated(np.random.default_rng(28))]
    code = """async (base64) => {
        const { brightness, pictureRead, pixelsOf } = await import("/image.js");
        const { unpack } = await import("/network.js");
        const { NETWORK } = await import("/model.js");
        window.layers ??= await unpack(NETWORK);
        const file = await (await fetch("data:image/png;base64," + base64)).blob();
        const pixels = pixelsOf(await createImageBitmap(file));
        const found = pictureRead(window.layers, brightness(pixels).bright);
        return found.problem ? [] : found.map(({ box, shares }) =>
            [[box.left, box.top, box.right, box.bottom], shares]);
    }"""
    for number, (picture, reading) in enumerate(zip(pictures, read(pictures), strict=True)):
        found = modules.evaluate(code, base64.b64encode(picture).decode())
        assert [np.argmax(shares) for _, shares in found] == [d.digit for d in reading.digits], (
            number
        )
        for (box, shares), digit in zip(found, reading.digits, strict=True):
            assert np.abs(np.subtract(box, digit.box)).max() < 0.02, number
            assert abs(max(shares) - digit.probability) < 0.05, number


def test_lines_gaps_and_unsure_digits_are_told(opened):
    page = opened()
    for digit, x, y in ((4, 0, 0), (2, 45, 0), (1, 170, 0), (7, 210, 0), (8, 60, 150)):
        draw(page, [[(x + px / 5, y + py / 3) for px, py in s] for s in STROKES[digit]])
    answer(page, "42 17\n8")


def test_what_is_no_writing_is_refused_at_once(opened, tmp_path):
    dots = np.full((400, 400), 255, np.uint8)
    dots[::8, ::8] = dots[1::8, ::8] = dots[::8, 1::8] = dots[1::8, 1::8] = 0
    clear = PIL.Image.new("LA", (200, 200), (255, 0))
    clear.paste((255, 255), (90, 40, 110, 160))
    black = PIL.Image.new("L", (200, 200))
    pictures = {
        "dots": (PIL.Image.fromarray(dots), "2500 pieces of ink are no number: crop the picture."),
        "white on nothing": (clear, "1"),
        "black": (black, "The page is blank."),
    }
    page = opened()
    for name, (picture, said) in pictures.items():
        picture.save(tmp_path / f"{name}.png")
        page.locator("#choose").set_input_files(tmp_path / f"{name}.png")
        answer(page, said)
    draw(page, STROKES[4])
    answer(page, "4")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    page.locator("#choose").set_input_files(tmp_path / "bad.png")
    answer(page, "This picture cannot be opened. Give PNG or JPEG.")
    assert page.locator("#doubt").inner_text() == "" and page.locator("tr.most").count() == 0


def test_several_digits_are_read_in_order(opened):
    page = opened()
    for place, digit in enumerate((4, 2, 7)):
        draw(page, [[(90 * place + x / 3, 90 + y / 3) for x, y in s] for s in STROKES[digit]])
    answer(page, "427")


def test_scribbles_are_doubted(opened):
    page = opened()
    draw(page, [[(60, 60), (220, 220)], [(220, 60), (60, 220)], [(140, 40), (140, 240)]])
    assert answer(page)[-1] == "?"


def test_undo_redo_and_clear(opened):
    page = opened()
    draw(page, STROKES[1])
    draw(page, STROKES[7])
    both = answer(page)
    page.keyboard.press("Control+z")
    answer(page, "1")
    page.keyboard.press("Control+y")
    answer(page, both)
    page.get_by_role("button", name="Undo").click()
    answer(page, "1")
    page.keyboard.press("Escape")
    answer(page, "Draw a digit.")
    page.get_by_role("button", name="Undo").click()
    answer(page, "1")


@pytest.mark.parametrize(("key", "left"), [("Control+z", "1"), ("Escape", "Draw a digit.")])
def test_undo_and_clear_end_the_stroke_in_hand(opened, key, left):
    page = opened()
    draw(page, STROKES[1])
    drawing = page.locator("#page")
    drawing.hover(position={"x": 60, "y": 60})
    page.mouse.down()
    drawing.hover(position={"x": 220, "y": 220})
    page.keyboard.press(key)
    drawing.hover(position={"x": 60, "y": 220})  # the pen is down, but draws no more
    page.mouse.up()
    answer(page, left)


def ink_on(page):
    """Return how many pixels of the canvas are dark."""
    return page.evaluate(
        """() => { const c = document.getElementById("page");
        return c.getContext("2d").getImageData(0, 0, c.width, c.height).data
            .filter((value, i) => i % 4 === 0 && value < 128).length; }"""
    )


def test_a_dot_shows_and_other_buttons_draw_nothing(opened):
    page = opened()
    page.locator("#page").click(button="right")
    assert ink_on(page) == 0
    page.locator("#page").click()
    assert ink_on(page) > 500


def test_a_drawing_survives_reload(opened):
    page = opened()
    draw(page, STROKES[3])
    answer(page, "3")
    page.reload()
    answer(page, "3")


@pytest.mark.parametrize("kind", ["touch", "pen"])
def test_draws_with_finger_and_pen(opened, kind):
    page = opened(viewport=PHONE, has_touch=True, is_mobile=True)
    page.evaluate(POINT, [STROKES[5], kind])
    answer(page, "5")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, TURNED], ids=["upright", "turned"])
def test_fits_a_phone(opened, size, scheme):
    page = opened(viewport=size, has_touch=True, is_mobile=True, color_scheme=scheme)
    draw(page, STROKES[7])
    answer(page, "7")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    for shown in ("#page", "#answer", "#table tr:last-child"):
        box = page.locator(shown).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= size["height"], shown
    assert page.locator("#page").bounding_box()["width"] > 0.65 * min(size.values())
    assert not page.locator(".keys").is_visible()
    style = (
        "(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))"
    )
    text, paper = (np.mean([int(v) for v in c[4:-1].split(",")]) for c in page.evaluate(style))
    assert (text > paper) == (scheme == "dark") and abs(text - paper) > 180


def photographed():
    """Return a photographed 5 as PNG bytes."""
    digit = PIL.Image.fromarray(five_thousand()[0][0][2_060]).resize((200, 200))
    page = np.full((400, 600), 220.0)
    page[100:300, 250:450] -= np.asarray(digit) * 0.7
    return as_png((page * np.linspace(0.7, 1, 600)).astype(np.uint8))


def test_reads_a_picture_that_is_chosen_or_dropped(opened):
    page = opened()
    page.locator("#choose").set_input_files(
        {"name": "five.png", "mimeType": "image/png", "buffer": photographed()}
    )
    answer(page, "5")
    page.keyboard.press("Escape")
    answer(page, "Draw a digit.")
    page.evaluate(
        """(bytes) => { const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "five.png", { type: "image/png" }));
            document.dispatchEvent(new DragEvent("drop", { dataTransfer: data })); }""",
        [*photographed()],
    )
    answer(page, "5")
    page.locator("#choose").set_input_files(
        {"name": "letter.png", "mimeType": "image/png", "buffer": b"Dear reader"}
    )
    answer(page, "This picture cannot be opened. Give PNG or JPEG.")


def test_examples_and_saving_by_keyboard(opened):
    page = opened()
    example = page.get_by_role("button", name="Example 7")
    example.focus()
    page.keyboard.press("Enter")
    answer(page, "42")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save").click()
    picture = PIL.Image.open(saving.value.path())
    assert picture.size == (860, 560) and np.asarray(picture.convert("L"))[:, 570:].max() > 200


def test_speaks_to_those_who_do_not_see(opened):
    page = opened(forced_colors="active")
    draw(page, STROKES[6])
    answer(page, "6")
    page.wait_for_timeout(500)  # it speaks once the pen is up
    assert page.locator("#spoken").inner_text() == "6"
    assert page.locator("#spoken").get_attribute("aria-live") == "polite"
    assert page.get_by_role("columnheader", name="probability").count() == 1
    meter = page.locator("tr.most meter")
    assert meter.evaluate("(found) => getComputedStyle(found).forcedColorAdjust") == "none"


def test_says_what_an_old_browser_lacks(chromium):
    page = chromium.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(COMMITTED.as_uri())
    assert "needs DecompressionStream" in page.locator("output").first.inner_text()
    page.close()


def test_committed_page_is_built_from_the_sources_and_small():
    built = build.page_text(rates.in_a_sentence(rates.kept()))
    assert COMMITTED.read_text(encoding="utf-8") == built, "make rates, and commit the page"
    assert COMMITTED.stat().st_size < 1_000_000


def test_sources_are_clean():
    run("oxlint", "--deny-warnings", str(build.SOURCES), folder=ROOT)
