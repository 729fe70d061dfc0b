"""Pen strokes of digits in the styles that people learn, drawn at random as hands draw.

The styles stand in strokes.json: who writes so, and each stroke as smooth lines between sharp
turns, lines as points (x, y) from the upper left, 0 to 100.
"""

import functools
import itertools
import json
import math
import pathlib
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageDraw
import scipy.interpolate
import scipy.ndimage
from jaxtyping import Float, Integer, UInt8

SIDE = 112  # pixels of a drawn picture
JITTER = (2.5, 7.0)  # standard deviation by which each point moves, from a steady hand to a hasty
THIN, THICK = 3, 12  # the pen's radius, in pixels of a page twice as large: log-uniform between
SCALE = 0.0082  # of a page's side for each of the hundred
# What a hand does, in hundredths of the height: how far it joins strokes instead of lifting the
# pen, and how often; how far strokes stray from each other; the most that corners are rounded, that
# ends fall short or go on; how long hooks are, and how many ends hook; how far it sways, and how
# far it trembles.
JOINS, JOINED = 60, 0.12
STRAYS, ROUND, SHORT, LONG = 2.5, 5.0, 4.0, 9.0
HOOK, HOOKED = 9.0, 0.15
SWAYS, TREMBLES = 3.0, 1.2

Line = Float[np.ndarray, "_ 2"]  # points x, y
Picture = UInt8[np.ndarray, "h w"]


@functools.cache
def styles() -> dict[str, dict[str, Any]]:
    """Return all styles by name, each with its digit, who writes so, and its strokes."""
    return json.loads(pathlib.Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


def curve(points: Any) -> Float[np.ndarray, "50 2"]:
    """Return a smooth line through points (n, 2)."""
    line: Any = scipy.interpolate.splprep(np.transpose(points), s=0, k=min(2, len(points) - 1))[0]
    return np.transpose(scipy.interpolate.splev(np.linspace(0, 1, 50), line))


def strokes_of(style: str, generator: np.random.Generator) -> list[Line]:
    """Return a digit's strokes with each point moved at random."""
    jitter = generator.uniform(*JITTER)
    moved: dict[tuple, np.ndarray] = {}  # a turn belongs to both of its lines, and moves once

    def place(point: tuple) -> np.ndarray:
        if point not in moved:
            moved[point] = np.add(point, generator.normal(0, jitter, 2))
        return moved[point]

    return [
        np.concatenate([curve([place(tuple(point)) for point in line]) for line in stroke])
        for stroke in styles()[style]["strokes"]
    ]


def even(stroke: Line, apart: float = 1.0) -> Line:
    """Return a stroke by points that are so far apart along it."""
    steps = np.hypot(*np.diff(stroke, axis=0).T)
    along = np.concatenate([[0], np.cumsum(steps)])
    places = np.linspace(0, along[-1], max(3, 1 + round(along[-1] / apart)))
    return np.stack([np.interp(places, along, values) for values in stroke.T], 1)


def without_lifting(strokes: list[Line], generator: np.random.Generator) -> list[Line]:
    """Return strokes, now and then joined where the next begins near the last one's end."""
    found = strokes[:1]
    for before, stroke in itertools.pairwise(strokes):
        near = np.hypot(*(stroke[0] - before[-1])) < JOINS
        if near and generator.random() < JOINED:
            found[-1] = np.concatenate([found[-1], stroke])
        else:
            found.append(stroke)
    return found


def ended(stroke: Line, generator: np.random.Generator) -> Line:
    """Return a stroke whose last end falls short, goes on, or hooks."""
    by = round(generator.uniform(-SHORT, LONG))
    if by < 0:
        return stroke[: max(3, len(stroke) + by)]
    onward, turn, length = stroke[-1] - stroke[max(0, len(stroke) - 6)], 0.0, by
    if generator.random() < HOOKED:
        turn = generator.uniform(0.5, 1) * math.pi * generator.choice([-1, 1])
        length = round(generator.uniform(0.4, 1) * HOOK)
    turned = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    step = turned @ onward / max(float(np.hypot(*onward)), 1e-6)
    return np.concatenate([stroke, stroke[-1] + np.arange(1, length + 1)[:, np.newaxis] * step])


def shaken(stroke: Line, generator: np.random.Generator) -> Line:
    """Return a stroke as a hand that sways and trembles draws it, its corners rounded."""
    smooth = functools.partial(scipy.ndimage.gaussian_filter1d, axis=0, mode="nearest")
    rounding = generator.uniform(0, ROUND) * (generator.random() < 0.6)
    stroke = smooth(stroke, rounding) if rounding else stroke
    for most, width in ((SWAYS, 12), (TREMBLES, 1.5)):
        noise = smooth(generator.normal(0, 1, stroke.shape), width)
        # So much smoothing leaves noise of that deviation: undone.
        deviation = math.sqrt(2 * math.sqrt(math.pi) * width)
        stroke = stroke + generator.uniform(0, most) * deviation * noise
    return stroke


def by_hand(strokes: list[Line], generator: np.random.Generator) -> list[Line]:
    """Return strokes as a hand draws them: joined, astray, short or long, rounded, shaken.

    One in three is kept by few points, as a mouse gives them.
    """
    found, coarse = [], generator.random() < 0.3
    for stroke in without_lifting(strokes, generator):
        stroke = ended(ended(even(stroke), generator)[::-1], generator)[::-1]
        stroke = shaken(stroke, generator) + generator.normal(0, STRAYS, 2)
        found.append(even(stroke, generator.uniform(4, 10) if coarse else 2.5))
    return found


def drawn(strokes: list[Line], generator: np.random.Generator) -> UInt8[np.ndarray, "112 112"]:
    """Return strokes as a picture, stretched and slanted at random: bright ink on black.

    The pen's width varies from a thirtieth to a seventh of the height.
    """
    wide, slant = generator.uniform(0.55, 1.1), generator.uniform(-0.25, 0.25)
    radius = math.exp(generator.uniform(math.log(THIN), math.log(THICK)))
    return painted(strokes, wide, slant, radius)


def painted(
    strokes: list[Line], wide: float, slant: float, radius: float
) -> UInt8[np.ndarray, "112 112"]:
    """Return strokes as a picture, so wide and so slanted, by a pen of that radius."""
    page = PIL.Image.new("L", (2 * SIDE, 2 * SIDE))
    pen = PIL.ImageDraw.Draw(page)
    for stroke in strokes:
        x, y = np.transpose(stroke) - 50
        places = np.stack([wide * x - slant * y, y], 1) * SCALE * 2 * SIDE + SIDE
        pen.line([tuple(place) for place in places], 255, round(2 * radius), "curve")
        for end in (places[0], places[-1]):
            pen.ellipse([*(end - radius), *(end + radius)], 255)
    return np.asarray(page.resize((SIDE, SIDE), PIL.Image.Resampling.BOX))


def pen_digit(style: str, generator: np.random.Generator) -> UInt8[np.ndarray, "112 112"]:
    """Return a digit of that style as a hand draws it."""
    return drawn(by_hand(strokes_of(style, generator), generator), generator)


def pen_styles(count: int) -> tuple[list[str], Integer[np.ndarray, "n"]]:
    """Return the names of so many styles, all in turn, and their digits."""
    names = [list(styles())[number % len(styles())] for number in range(count)]
    return names, np.array([styles()[name]["digit"] for name in names])


def pen_digits(
    count: int, generator: np.random.Generator
) -> tuple[UInt8[np.ndarray, "n 112 112"], Integer[np.ndarray, "n"]]:
    """Return drawn digits of all styles in turn, and their labels."""
    names, labels = pen_styles(count)
    return np.stack([pen_digit(name, generator) for name in names]), labels
