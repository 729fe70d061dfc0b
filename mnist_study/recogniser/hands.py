"""How a line is written: its characters in one hand, from MNIST's digits or from pen strokes."""

import dataclasses
import functools
import math
import pathlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from digit_reader.characters import OTHER
from mnist_study.arrays import Labels, Pixels
from mnist_study.recogniser import pens, strokes
from mnist_study.recogniser.pictures import FONT_FOLDER, FONTS, LETTERS
from mnist_study.recogniser.strokes import Line

DRAWN = 12_000  # digits in styles of many schools that lines are written with
# Signs as strokes: points (x, y) from the upper left, 0 to 100 as a digit's.
SIGNS = {
    "+": [[(15, 55), (85, 55)], [(50, 20), (50, 90)]],
    "-": [[(15, 55), (85, 55)]],
    "×": [[(20, 28), (80, 88)], [(80, 28), (20, 88)]],
    "÷": [[(10, 55), (90, 55)], [(50, 26), (50, 28)], [(50, 84), (50, 86)]],
    "/": [[(80, -5), (20, 105)]],
    "(": [[(65, -8), (45, 20), (38, 50), (45, 80), (65, 108)]],
    ")": [[(35, -8), (55, 20), (62, 50), (55, 80), (35, 108)]],
    "[": [[(65, -5), (42, -5), (42, 105), (65, 105)]],
    "]": [[(35, -5), (58, -5), (58, 105), (35, 105)]],
    "=": [[(15, 42), (85, 42)], [(15, 66), (85, 66)]],
    ".": [[(50, 96), (51, 97)]],
    ",": [[(52, 94), (46, 112)]],
    ":": [[(50, 38), (51, 39)], [(50, 88), (51, 89)]],
}
SQUARE = {"(": "[", ")": "]"}  # a square bracket counts as a round one
OPERATORS = "+-×÷="
# The seven segments of a display, and which of them digits have: 1 and 7 look as if written.
SEGMENTS = {
    "a": [(20, 5), (80, 5)],
    "b": [(85, 10), (85, 45)],
    "c": [(85, 55), (85, 90)],
    "d": [(20, 95), (80, 95)],
    "e": [(15, 55), (15, 90)],
    "f": [(15, 10), (15, 45)],
    "g": [(20, 50), (80, 50)],
}
DISPLAYED = ("abcdef", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abcdefg", "abcdfg")


@dataclasses.dataclass(frozen=True)
class Hand:
    """One person's hand and pen."""

    source: int  # of the Sources' kinds of digits; 0: MNIST's
    height: float  # of digits, in pixels
    width: float  # of a drawn digit, as share of its height
    slant: float
    radius: float  # of the pen, in pixels
    gap: float  # between characters, in heights; below 0 they overlap


@dataclasses.dataclass(frozen=True)
class Piece:
    """A character to put on a line: strokes around (0, 0), or a picture; from left to right."""

    strokes: list[Line]
    picture: Float32[np.ndarray, "h w"] | None
    left: float
    right: float


class Sources:
    """The digits that lines are written with, by label: MNIST's, drawn in styles, and people's."""

    def __init__(self, images: Pixels, labels: Labels, seed: int, drawn: int = DRAWN):
        generator = np.random.default_rng(seed)
        names, styles = strokes.pen_styles(drawn)
        own = [strokes.by_hand(strokes.jittered_strokes(n, generator), generator) for n in names]
        kinds = ([*images], labels), (own, styles), pens.training_strokes()
        self.kinds = [by_label(digits, known) for digits, known in kinds]

    def some(self, hand: Hand, digit: int, generator: Generator) -> np.ndarray | list[Line]:
        """Return a random digit of the hand's kind: an image of MNIST, or strokes."""
        digits = self.kinds[hand.source][digit]
        return digits[generator.integers(len(digits))]


def cropped(picture: np.ndarray, least: float = 0) -> np.ndarray:
    """Return a picture (h, w) cut to where it is more than least."""
    rows, columns = (np.flatnonzero((picture > least).any(axis)) for axis in (1, 0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def by_label(digits: Sequence, labels: Labels) -> list[list]:
    """Return digits by their label, a list for each of the ten."""
    return [[digits[n] for n in np.flatnonzero(labels == label)] for label in range(10)]  # pyright: ignore[reportCallIssue, reportArgumentType]


def some_hand(generator: Generator) -> Hand:
    """Return a random hand: large or small, close or wide, fine or broad."""
    is_small = generator.random() < 0.12
    height = generator.uniform(10, 14) if is_small else generator.uniform(14, 26)
    radius = height * math.exp(generator.uniform(math.log(0.022), math.log(0.075)))
    gaps = ((-0.14, 0.02), (0, 0.15), (0.12, 0.55), (0.5, 1.6))
    gap = generator.uniform(*gaps[generator.choice(4, p=[0.22, 0.3, 0.38, 0.1])])
    return Hand(
        source=int(generator.choice(3, p=[0.45, 0.35, 0.2])),
        height=height,
        width=generator.uniform(0.5, 0.95),
        slant=generator.uniform(-0.25, 0.3),
        radius=max(0.45, radius),
        gap=gap,
    )


def written(
    lines: Sequence[Line], hand: Hand, height: float, width: float, generator: Generator
) -> Piece:
    """Return strokes, in hundredths, as a hand writes them; width: as share of the height."""
    turn, placed = generator.normal(0, 0.04), []
    for line in lines:
        x, y = (np.asarray(line, float) - 50).T * height / 100
        x = width * x - hand.slant * y
        placed.append(np.stack([x - turn * y, y + turn * x], 1))
    columns = np.concatenate(placed)[:, 0]
    return Piece(placed, None, float(columns.min()), float(columns.max()))


def pictured(picture: np.ndarray, width: int, height: int) -> Piece:
    """Return a picture, bright ink on black, 0 to 255, as a character of that size."""
    method = Image.Resampling.BICUBIC if height > len(picture) else Image.Resampling.BOX
    small = Image.fromarray(picture).resize((width, height), method)
    return Piece([], np.asarray(small, np.float32) / 255, 0, width)


def digit(label: int, sources: Sources, hand: Hand, generator: Generator) -> Piece:
    """Return a digit in a hand; now and then much smaller than the others, as zeros are."""
    height = hand.height * math.exp(generator.normal(0, 0.07))
    height *= generator.uniform(0.55, 0.85) if generator.random() < 0.05 else 1
    source, stretch = sources.some(hand, label, generator), generator.uniform(0.85, 1.17)
    if isinstance(source, list):
        return written(source, hand, height, hand.width * stretch, generator)
    source, high = cropped(source, 60), max(4, round(height))
    return pictured(source, max(2, round(stretch * high * source.shape[1] / len(source))), high)


def sign(text: str, hand: Hand, generator: Generator) -> Piece:
    """Return a sign in a hand; some brackets are square."""
    name = SQUARE.get(text, text) if generator.random() < 0.2 else text
    lines = [np.add(line, generator.normal(0, 3.5, (len(line), 2))) for line in SIGNS[name]]
    lines = [strokes.curve(line) if text in "()" and name == text else line for line in lines]
    width = generator.uniform(0.5, 0.9)
    if text not in OPERATORS:
        return written(lines, hand, hand.height * generator.uniform(0.9, 1.1), width, generator)
    size, drop = generator.uniform(0.5, 1), generator.normal(5, 5)
    lines = [np.stack([line[:, 0], 50 + size * (line[:, 1] - 55) + drop], 1) for line in lines]
    return written(lines, hand, hand.height, width * size, generator)


@functools.cache
def fonts() -> list[pathlib.Path]:
    """Return the fonts of printed letters."""
    return [font for pattern in FONTS for font in sorted(FONT_FOLDER.glob(pattern + ".ttf"))]


def letter(hand: Hand, generator: Generator) -> Piece:
    """Return a printed letter."""
    path = fonts()[generator.integers(len(fonts()))]
    font = ImageFont.truetype(path, max(8, round(1.35 * hand.height)))
    text = str(generator.choice(LETTERS))
    left, top, right, bottom = font.getbbox(text)
    size = max(2, round(right - left)), max(2, round(bottom - top))
    page = Image.new("L", size)
    ImageDraw.Draw(page).text((-left, -top), text, 255, font)
    return pictured(np.asarray(page), *size)


def other(hand: Hand, generator: Generator) -> Piece:
    """Return ink that is neither digit nor sign: of a display, printed, or a scribble."""
    kind = generator.random()
    if kind < 0.4:
        shown = DISPLAYED[generator.integers(len(DISPLAYED))]
        lines = [SEGMENTS[part] + generator.normal(0, 1.5, (1, 2)) for part in shown]
        return written(lines, hand, hand.height, generator.uniform(0.5, 0.75), generator)
    if kind < 0.75:
        return letter(hand, generator)
    sizes = generator.integers(3, 8, generator.integers(1, 3))
    lines = [strokes.curve(generator.uniform(5, 95, (size, 2))) for size in sizes]
    return written(lines, hand, hand.height, hand.width, generator)


def character(text: str, sources: Sources, hand: Hand, generator: Generator) -> Piece:
    """Return a character of digit_reader's CHARACTERS, no gap, in a hand."""
    if text.isdigit():
        return digit(int(text), sources, hand, generator)
    return other(hand, generator) if text == OTHER else sign(text, hand, generator)
