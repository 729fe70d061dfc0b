"""A headless Chromium for the tests and the animation, the machine's own if it has one."""

import contextlib
import pathlib

from playwright.sync_api import TimeoutError, sync_playwright

from mnist_study.publish import browser_here

VISUALIZATIONS = pathlib.Path(__file__).resolve().parent.parent.parent / "visualizations"
PATIENCE = 120_000  # milliseconds: a loaded machine is slow
# One way to write each digit, as points x,y of its strokes on a page of 280×280.
WRITTEN = {
    0: "140,50 95,75 80,140 95,205 140,230 185,205 200,140 185,75 140,50",
    1: "150,45 146,110 142,170 138,235",
    2: "85,90 105,58 145,48 182,65 188,105 160,150 120,190 85,228 140,222 205,228",
    3: "90,65 135,48 180,68 178,110 135,132 185,155 192,200 150,232 95,220",
    4: "110,50 95,100 82,148 140,146 205,142; 180,50 174,130 168,235",
    5: "190,52 110,55 102,120 150,115 190,145 190,195 150,230 92,222",
    6: "170,48 125,90 95,150 95,205 135,232 180,212 180,168 140,152 102,175",
    7: "80,60 140,58 200,55 170,120 145,180 130,238",
    8: "180,75 140,48 100,75 115,115 165,155 185,200 140,232 95,205 115,155 165,115 182,75",
    9: "180,90 145,55 100,75 100,120 140,138 178,110 182,80 176,150 166,235",
}
STROKES = {
    digit: [[tuple(map(int, point.split(","))) for point in stroke.split()] for stroke in strokes]
    for digit, strokes in ((digit, text.split(";")) for digit, text in WRITTEN.items())
}


# Draws strokes with a kind of pointer, and lets the page read after each: evaluated in the page.
POINT = """async ([strokes, pointerType]) => {
    const canvas = document.getElementById("page"), box = canvas.getBoundingClientRect();
    const send = (type, [x, y]) => canvas.dispatchEvent(new PointerEvent(type, {
        pointerType, pointerId: 7, button: 0, bubbles: true, isPrimary: true,
        clientX: box.left + x * box.width / 280, clientY: box.top + y * box.width / 280 }));
    canvas.setPointerCapture = () => {};
    for (const [first, ...rest] of strokes) {
        send("pointerdown", first);
        for (const point of rest) send("pointermove", point);
        send("pointerup", rest.at(-1));
        await new Promise(requestAnimationFrame);  // in which the page reads
    }
}"""


@contextlib.contextmanager
def browser():
    """Yield a browser; Playwright's own when the machine has none."""
    with sync_playwright() as playwright:
        launch = playwright.chromium.launch
        started = launch(executable_path=browser_here(), args=["--no-sandbox"], timeout=PATIENCE)
        yield started
        started.close()


def draw(page, strokes, drawing=None):
    """Draw the strokes in the page with the mouse, in steps as a hand would.

    drawing: where in the page, a locator; by default the page is the one to draw in.
    """
    box = (drawing or page.locator("#page")).bounding_box()
    scale = box["width"] / 280
    for points in strokes:
        places = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in points]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=2)
        page.mouse.up()


def placed(strokes, left, top, scale=1.0, height=None):
    """Return strokes scaled, in height by another factor if given, and moved by so many points."""
    height = height or scale
    return [[(left + scale * x, top + height * y) for x, y in stroke] for stroke in strokes]


def answer(page, expected):
    """Wait until the page's answer is the one expected; fail if it never is.

    expected: the text, or a pattern of all of it. The page answers in the frame after a stroke.
    """
    pattern = getattr(expected, "pattern", None)
    is_expected = """([text, pattern]) => {
        const shown = document.querySelector("output").innerText;
        return pattern ? new RegExp(`^${pattern}$`).test(shown) : shown === text;
    }"""
    try:
        given = [None if pattern else expected, pattern]
        page.wait_for_function(is_expected, arg=given, timeout=PATIENCE)
    except TimeoutError:
        raise AssertionError(page.locator("output").first.inner_text()) from None
