"""Numbers written with a pen, and what else is on the paper: pictures of kinds people take."""

import numpy as np
import PIL.Image
import PIL.ImageDraw
from support.browser import STROKES

INK, PAPER, GREY = (40, 40, 60), (235, 235, 230), (60, 60, 60)
SIZE, STEP, EDGE = 80, 84, 60  # pixels: a digit's height, from one to the next, around them
SEGMENTS = {"a": (20, 5, 80, 5), "b": (85, 10, 85, 45), "c": (85, 55, 85, 90)}
SEGMENTS |= {"d": (20, 95, 80, 95), "e": (15, 55, 15, 90), "f": (15, 10, 15, 45)}
SEGMENTS |= {"g": (20, 50, 80, 50)}
DISPLAYED = {"0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc", "5": "afgcd"}


def page(text, paper=PAPER):
    """Return a sheet for a text, and what draws on it."""
    image = PIL.Image.new("RGB", (2 * EDGE + STEP * len(text), 2 * EDGE + SIZE), paper)
    return image, PIL.ImageDraw.Draw(image)


def write(draw, text, ink=INK, size=SIZE, pen=6):
    """Write digits and slashes in a row."""
    for place, character in enumerate(text):
        left = EDGE + STEP * place
        if character == "/":
            draw.line((left + 50, EDGE - 4, left + 10, EDGE + size + 4), ink, pen)
            continue
        strokes = [np.array(stroke, float) for stroke in STROKES[int(character)]]
        corner = np.concatenate(strokes).min(0)
        for stroke in strokes:
            places = (stroke - corner) * size / 190 + (left, EDGE)
            draw.line([*map(tuple, places)], ink, pen, "curve")


def number(text, ink=INK, paper=PAPER, beside=None):
    """Return a number; beside: draws what else there is, given the sheet's width and height."""
    image, draw = page(text, paper)
    if beside:
        beside(draw, *image.size)
    write(draw, text, ink)
    return image


def boxes(text, grey=GREY, top=45):
    """Return a number in a form's boxes, or in a comb where top is low."""

    def beside(draw, width, height):
        bottom = height - 45
        for row in (bottom, top) if top < EDGE else (bottom,):
            draw.line((EDGE - 16, row, EDGE - 16 + STEP * len(text), row), grey, 3)
        for place in range(len(text) + 1):
            column = EDGE - 16 + STEP * place
            draw.line((column, top, column, bottom), grey, 3)

    return number(text, beside=beside)


def framed(text):
    """Return a number in a box."""
    return number(text, beside=lambda d, w, h: d.rectangle((30, 30, w - 30, h - 30), None, GREY, 4))


def underlined(text):
    """Return a number with a line under it."""
    return number(text, beside=lambda d, w, h: d.line((40, h - 48, w - 40, h - 46), GREY, 4))


def cornered(text):
    """Return a number beside the corner of a box."""
    lines = [(20, 150, 20, 20), (20, 20, 220, 20)]
    return number(text, beside=lambda d, w, h: [d.line(line, GREY, 4) for line in lines])


def circled(text):
    """Return a digit in a circle."""
    return number(text, beside=lambda d, w, h: d.ellipse((25, 25, w - 55, h - 25), None, INK, 5))


def punched(text):
    """Return a number on a punched sheet."""
    rows = (20, 80, 140)
    holes = [(6, row, 34, row + 28) for row in rows]
    return number(text, beside=lambda d, w, h: [d.ellipse(hole, (90, 80, 70)) for hole in holes])


def on_a_dark_desk(text):
    """Return a number on a sheet that fills an eighth of the picture."""
    desk, sheet = PIL.Image.new("RGB", (1_600, 1_200), (35, 30, 28)), number(text)
    desk.paste(sheet.resize((720, 330)), (480, 450))
    return desk


def pale_below(text, pale):
    """Return a number, and below it another one in pale pencil."""
    dark, light = number(text), number(pale, ink=(165, 165, 165))
    both = PIL.Image.new("RGB", (max(dark.width, light.width), 2 * dark.height), PAPER)
    both.paste(dark, (0, 0))
    both.paste(light, (0, dark.height))
    return both


def inverted_in_a_frame(text):
    """Return a number in white on black, with a thin white frame around it."""
    inner = PIL.Image.fromarray(255 - np.asarray(number(text)))
    frame = PIL.Image.new("RGB", (inner.width + 12, inner.height + 12), "white")
    frame.paste(inner, (6, 6))
    return frame


def with_a_small_zero(text):
    """Return a number that ends in a zero half as high."""
    image, draw = page(text + "0")
    write(draw, text)
    left = EDGE + STEP * len(text)
    draw.ellipse((left, EDGE + 40, left + 32, EDGE + SIZE), None, INK, 6)
    return image


def rows(text, count):
    """Return a page with the same number in many rows."""
    one = number(text).resize((600, 130))
    whole = PIL.Image.new("RGB", (one.width, one.height * count), PAPER)
    for row in range(count):
        whole.paste(one, (0, row * one.height))
    return whole


def displayed(text):
    """Return a number as a display of seven segments shows it."""
    image, draw = page(text)
    for place, digit in enumerate(text):
        left = EDGE + STEP * place
        for part in DISPLAYED[digit]:
            x1, y1, x2, y2 = SEGMENTS[part]
            draw.line((left + 0.6 * x1, EDGE + y1, left + 0.6 * x2, EDGE + y2), INK, 9)
    return image
