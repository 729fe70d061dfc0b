"""Draw a number in the committed page and save the animation that README shows: make animation."""

import argparse
import io
import itertools
from collections.abc import Iterator

import PIL.Image
from playwright.sync_api import ViewportSize
from support.browser import STROKES, answer, browser, draw

from mnist_study.paths import VISUALIZATIONS

WINDOW: ViewportSize = {"width": 900, "height": 592}  # of the browser, in pixels
SIZE = (675, 444)  # of the animation, in pixels
COLOURS = 48
STEP, LAST = 250, 2_000  # for how long a frame stands, in milliseconds
DIGITS = {4: -75, 2: 75}  # what is drawn, and how far to the right of the middle


def lines() -> Iterator[list[tuple[int, int]]]:
    """Yield the two ends of each line of the drawing, in units of the page's 280x280."""
    for digit, across in DIGITS.items():
        for stroke in STROKES[digit]:
            points = [(140 + across + (x - 140) // 2, 70 + y // 2) for x, y in stroke]
            yield from map(list, itertools.pairwise(points))


def frames() -> list[PIL.Image.Image]:
    """Return a screenshot of the committed page after each line."""
    pictures = []
    with browser() as started:
        page = started.new_page(viewport=WINDOW)
        page.goto((VISUALIZATIONS / "draw_a_digit.html").as_uri())
        answer(page, "Draw a digit.")
        for line in lines():
            draw(page, [line])
            pictures.append(PIL.Image.open(io.BytesIO(page.screenshot())))
        answer(page, "".join(map(str, DIGITS)))
    return pictures


def write() -> None:
    """Write visualizations/draw_a_digit.gif."""
    pictures = [picture.convert("RGB").resize(SIZE) for picture in frames()]
    palette = pictures[-1].quantize(COLOURS)  # one for all, or the background would flicker
    dither = PIL.Image.Dither.NONE
    first, *others = [picture.quantize(palette=palette, dither=dither) for picture in pictures]
    durations = [STEP] * len(others) + [LAST]
    settings = {"save_all": True, "append_images": others, "duration": durations, "loop": 0}
    first.save(VISUALIZATIONS / "draw_a_digit.gif", optimize=True, **settings)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    write()
