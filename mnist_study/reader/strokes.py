"""Pen strokes of digits in styles that MNIST's American writers hardly used, drawn at random.

The styles stand in strokes.json: who writes so, and each stroke as smooth lines between sharp
turns, lines as points (x, y) from the upper left, 0 to 100.
"""

import functools
import json
import math
import pathlib
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageDraw
import scipy.interpolate
from jaxtyping import Float, Integer, UInt8

SIDE = 112  # pixels of a drawn picture
JITTER = 3.5  # standard deviation by which each point moves
THIN, THICK = 3, 12  # the pen's radius, in pixels of a page twice as large: log-uniform between
SCALE = 0.0082  # of a page's side for each of the hundred

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
    moved: dict[tuple, np.ndarray] = {}  # a turn belongs to both of its lines, and moves once

    def place(point: tuple) -> np.ndarray:
        if point not in moved:
            moved[point] = np.add(point, generator.normal(0, JITTER, 2))
        return moved[point]

    return [
        np.concatenate([curve([place(tuple(point)) for point in line]) for line in stroke])
        for stroke in styles()[style]["strokes"]
    ]


def drawn(strokes: list[Line], generator: np.random.Generator) -> UInt8[np.ndarray, "112 112"]:
    """Return strokes as a picture, stretched and slanted: bright ink on black.

    The pen's width varies from a thirtieth to a seventh of the height.
    """
    wide, slant = generator.uniform(0.55, 1.1), generator.uniform(-0.25, 0.25)
    radius = math.exp(generator.uniform(math.log(THIN), math.log(THICK)))
    page = PIL.Image.new("L", (2 * SIDE, 2 * SIDE))
    pen = PIL.ImageDraw.Draw(page)
    for stroke in strokes:
        x, y = np.transpose(stroke) - 50
        places = np.stack([wide * x - slant * y, y], 1) * SCALE * 2 * SIDE + SIDE
        pen.line([tuple(place) for place in places], 255, round(2 * radius), "curve")
        for end in (places[0], places[-1]):
            pen.ellipse([*(end - radius), *(end + radius)], 255)
    return np.asarray(page.resize((SIDE, SIDE), PIL.Image.Resampling.BOX))


def pen_digits(
    count: int, generator: np.random.Generator
) -> tuple[UInt8[np.ndarray, "n 112 112"], Integer[np.ndarray, "n"]]:
    """Return drawn digits of all styles in turn, and their labels."""
    names = [list(styles())[number % len(styles())] for number in range(count)]
    pictures = [drawn(strokes_of(name, generator), generator) for name in names]
    return np.stack(pictures), np.array([styles()[name]["digit"] for name in names])
