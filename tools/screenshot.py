"""Draw a digit in the page and keep the picture that the README shows."""

import pathlib

from browser import STROKES, browser, draw

VISUALIZATIONS = pathlib.Path(__file__).resolve().parent.parent / "visualizations"

with browser() as started:
    page = started.new_page(viewport={"width": 720, "height": 620})
    page.goto((VISUALIZATIONS / "draw_a_digit.html").as_uri())
    page.evaluate("ready")
    draw(page, STROKES[4])
    page.screenshot(path=VISUALIZATIONS / "draw_a_digit.png")
