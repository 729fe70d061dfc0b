"""Pen strokes of digits in the styles that people learn, drawn at random as hands draw.

The styles are in strokes.json: who writes so, and each stroke as smooth lines between sharp
turns, lines as points (x, y) from the upper left, 0 to 100.
"""

import functools
import itertools
import json
import math
import pathlib
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from numpy.random import Generator
from PIL import Image, ImageDraw
from scipy import interpolate, ndimage

from mnist_study.arrays import Labels

SIDE = 112  # pixels of a drawn picture
JITTER = (2.5, 7.0)  # standard deviation of each point's shift, from a steady hand to a hasty one
THIN, THICK = 3, 12  # the pen's radius in half pixels, log-uniform: 1/30 to 1/7 of a digit wide
SCALE = 0.0082  # of a page's side for each hundredth
# How a hand varies, in hundredths of the height.
JOIN_DISTANCE, JOIN = 60, 0.12  # maximum way without lifting the pen, and its probability
STRAY = 2.5  # standard deviation of a stroke's shift
ROUND, SHORT, LONG = 5.0, 4.0, 9.0  # maximum rounding of corners, loss and growth of an end
HOOK_LENGTH, HOOK = 9.0, 0.15  # maximum length of a hook at an end, and its probability
SWAY, TREMOR = (3.0, 12), (1.2, 1.5)  # of slow and of fast noise: maximum deviation, smoothing

Line = Float[np.ndarray, "_ 2"]  # points x, y
Picture = UInt8[np.ndarray, "h w"]  # bright ink on black
Large = UInt8[np.ndarray, "112 112"]  # the same of SIDE pixels
BICUBIC = Image.Resampling.BICUBIC


def resize(picture: np.ndarray, height: int, width: int, method: int = BICUBIC) -> np.ndarray:
    """Return a picture (h, w) at another size, by a resampling method of Pillow's."""
    return np.asarray(Image.fromarray(picture).resize((width, height), method))


@functools.cache
def styles() -> dict[str, dict[str, Any]]:
    """Return all styles by name, each with its digit, who writes so, and its strokes."""
    return json.loads(pathlib.Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


def curve(points: Any) -> Float[np.ndarray, "50 2"]:
    """Return a smooth line through points (n, 2)."""
    spline: Any = interpolate.splprep(np.transpose(points), s=0, k=min(2, len(points) - 1))[0]
    return np.transpose(interpolate.splev(np.linspace(0, 1, 50), spline))


def jittered_strokes(style: str, generator: Generator) -> list[Line]:
    """Return the strokes of a style with each point shifted at random."""
    jitter = generator.uniform(*JITTER)

    @functools.cache  # a turn belongs to both of its lines, and is shifted once
    def shifted(*point: float) -> np.ndarray:
        return np.add(point, generator.normal(0, jitter, 2))

    return [
        np.concatenate([curve([shifted(*point) for point in line]) for line in stroke])
        for stroke in styles()[style]["strokes"]
    ]


def resample(stroke: Line, spacing: float = 1.0) -> Line:
    """Return a stroke by points that are evenly spaced along it."""
    lengths = np.hypot(*np.diff(stroke, axis=0).T)
    along = np.concatenate([[0], np.cumsum(lengths)])
    places = np.linspace(0, along[-1], max(3, 1 + round(along[-1] / spacing)))
    return np.stack([np.interp(places, along, values) for values in stroke.T], 1)


def join(strokes: list[Line], generator: Generator) -> list[Line]:
    """Return strokes, some of them joined to the one before if that ends near their beginning."""
    result = strokes[:1]
    for stroke in strokes[1:]:
        near = np.hypot(*(stroke[0] - result[-1][-1])) < JOIN_DISTANCE
        if near and generator.random() < JOIN:
            result[-1] = np.concatenate([result[-1], stroke])
        else:
            result.append(stroke)
    return result


def vary_end(stroke: Line, generator: Generator) -> Line:
    """Return a stroke whose last end falls short, goes on, or hooks."""
    length, turn = round(generator.uniform(-SHORT, LONG)), 0.0
    if length < 0:
        return stroke[: max(3, len(stroke) + length)]
    onward = stroke[-1] - stroke[max(0, len(stroke) - 6)]
    if generator.random() < HOOK:
        turn = generator.uniform(0.5, 1) * math.pi * generator.choice([-1, 1])
        length = round(generator.uniform(0.4, 1) * HOOK_LENGTH)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    step = rotation @ onward / max(float(np.hypot(*onward)), 1e-6)
    return np.concatenate([stroke, stroke[-1] + np.arange(1, length + 1)[:, np.newaxis] * step])


def shake(stroke: Line, generator: Generator) -> Line:
    """Return a stroke with rounded corners, drawn by a hand that sways and trembles."""
    smooth = functools.partial(ndimage.gaussian_filter1d, axis=0, mode="nearest")
    rounding = generator.uniform(0, ROUND) * (generator.random() < 0.6)
    stroke = smooth(stroke, rounding) if rounding else stroke
    for maximum, width in (SWAY, TREMOR):
        noise = smooth(generator.normal(0, 1, stroke.shape), width)
        # Smoothing divides the noise's deviation by this number.
        factor = math.sqrt(2 * math.sqrt(math.pi) * width)
        stroke = stroke + generator.uniform(0, maximum) * factor * noise
    return stroke


def by_hand(strokes: list[Line], generator: Generator) -> list[Line]:
    """Return strokes as a hand draws them: joined, shifted, short or long, rounded, shaken."""
    result, coarse = [], generator.random() < 0.3  # coarse: of few points, as a mouse gives them
    for stroke in join(strokes, generator):
        stroke = vary_end(vary_end(resample(stroke), generator)[::-1], generator)[::-1]
        stroke = shake(stroke, generator) + generator.normal(0, STRAY, 2)
        result.append(resample(stroke, generator.uniform(4, 10) if coarse else 2.5))
    return result


def draw(strokes: list[Line], generator: Generator) -> Large:
    """Return strokes as a picture, stretched and slanted at random, in a pen of random width."""
    width, slant = generator.uniform(0.55, 1.1), generator.uniform(-0.25, 0.25)
    radius = math.exp(generator.uniform(math.log(THIN), math.log(THICK)))
    return paint(strokes, width, slant, radius)


def paint(strokes: list[Line], width: float, slant: float, radius: float) -> Large:
    """Return strokes as a picture: by how much x is scaled and slants with y, the pen's radius."""
    page = Image.new("L", (2 * SIDE, 2 * SIDE))
    pen = ImageDraw.Draw(page)
    for stroke in strokes:
        x, y = np.transpose(stroke) - 50
        places = np.stack([width * x - slant * y, y], 1) * SCALE * 2 * SIDE + SIDE
        pen.line([tuple(place) for place in places], 255, round(2 * radius), "curve")
        for end in (places[0], places[-1]):
            pen.ellipse([*(end - radius), *(end + radius)], 255)
    return np.asarray(page.resize((SIDE, SIDE), Image.Resampling.BOX))


def pen_digit(style: str, generator: Generator) -> Large:
    """Return a digit of that style as a hand draws it."""
    return draw(by_hand(jittered_strokes(style, generator), generator), generator)


def pen_styles(count: int) -> tuple[list[str], Labels]:
    """Return the names of count styles, all in turn, and their digits."""
    names = [*itertools.islice(itertools.cycle(styles()), count)]
    return names, np.array([styles()[name]["digit"] for name in names])


def pen_digits(count: int, generator: Generator) -> tuple[list[Large], Labels]:
    """Return count drawn digits of all styles in turn, and their labels."""
    names, labels = pen_styles(count)
    return [pen_digit(name, generator) for name in names], labels
