"""Draw a number in the committed page and save the animation that README shows: make animation."""

import argparse
import io

import PIL.Image
from playwright.sync_api import Page, ViewportSize
from support.browser import STROKES, answer, browser, draw, placed

from mnist_study.paths import VISUALIZATIONS

WINDOW: ViewportSize = {"width": 900, "height": 592}  # of the browser, in pixels
SIZE = (675, 444)  # of the animation, in pixels
COLOURS = 48
STEP, LAST = 700, 2_000  # for how long a frame stands, in milliseconds
NUMBER, WIDTH = "2706", 62  # what is drawn, and each digit's part of the page's 280x280
HEIGHT = 100  # of a digit, in the same unit


def strokes(place: int) -> list[list[tuple[float, float]]]:
    """Return the strokes of the digit at that place of NUMBER, in units of the page's 280x280."""
    left, scale = 16 + WIDTH * place, WIDTH / 200  # a digit of STROKES is up to 160 wide, from 45
    return placed(STROKES[int(NUMBER[place])], left - 45 * scale, 65, scale, HEIGHT / 200)


def shown(page: Page) -> PIL.Image.Image:
    """Return what the page looks like now."""
    return PIL.Image.open(io.BytesIO(page.screenshot()))


def frames() -> list[PIL.Image.Image]:
    """Return screenshots of the committed page, first empty, then with each whole digit."""
    with browser() as started:
        page = started.new_page(viewport=WINDOW)
        page.goto((VISUALIZATIONS / "draw_a_digit.html").as_uri())
        answer(page, "Draw a digit.")
        pictures = [shown(page)]
        for place in range(len(NUMBER)):
            draw(page, strokes(place))
            answer(page, NUMBER[: place + 1])
            pictures.append(shown(page))
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
