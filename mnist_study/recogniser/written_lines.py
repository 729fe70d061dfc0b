"""Lines as people write them: random digits and signs, in one hand, as ink."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from numpy.random import Generator
from PIL import Image, ImageDraw

from digit_reader.characters import GAP, HEIGHT, OTHER
from mnist_study.recogniser import hands
from mnist_study.recogniser.hands import Hand, Piece, Sources
from mnist_study.recogniser.strokes import Line

FINE = 3  # strokes are drawn so many times larger
LONGEST, WIDEST = 12, 420  # digits and pixels of a line
OVERLAP = 0.3  # of its width, that a character reaches under the next at most
# Pixels beside a line: cropped closely, as usual, or with much paper; and how often.
MARGINS, MARGIN_SHARES = ((1, 6), (3, 14), (8, 55)), (0.35, 0.5, 0.15)
SIGNS = "+-×÷/()=.,:"
# Kinds of lines, and how often: digits, numbers with gaps, sums and dates, with other ink.
PLAIN, GAPS, SUMS = 0.6, 0.72, 0.95

Ink = Float32[np.ndarray, "32 w"]  # from 0 to 1


@dataclasses.dataclass(frozen=True)
class Placed:
    """A character of a line, and where it is: column and row of its middle, in pixels."""

    piece: Piece
    column: float
    row: float

    @property
    def left(self) -> float:
        return self.column + self.piece.left

    @property
    def right(self) -> float:
        return self.column + self.piece.right


@dataclasses.dataclass(frozen=True)
class Written:
    """A line: its characters from left to right, its hand, its middle row and its slope."""

    characters: list[Placed]
    hand: Hand
    width: int
    middle: float
    slope: float

    def row(self, column: float) -> float:
        """Return the line's middle row at a column."""
        return self.middle + self.slope * (column - 80)


def some_digits(generator: Generator) -> list[str]:
    """Return the digits of a line, some lines of one digit and some of it again and again."""
    count = int(min(LONGEST, 1 + generator.geometric(0.22)))
    count = 1 if generator.random() < 0.1 else count
    digits = [str(digit) for digit in generator.integers(0, 10, count)]
    return digits[:1] * count if generator.random() < 0.12 else digits


def sum_of(digits: Sequence[str], generator: Generator) -> list[str]:
    """Return digits with signs between them, before and after, as in sums, dates and amounts."""
    often, text = generator.uniform(0.15, 0.6), list[str]()
    if generator.random() < 0.15:
        text.append(str(generator.choice([*"-(+"])))
    for number, digit in enumerate(digits):
        if number and generator.random() < often:
            is_closed = generator.random() < 0.15
            text += [")"] if is_closed else []
            text.append(str(generator.choice([*"+-×/"] if is_closed else [*SIGNS])))
            text += ["("] if text[-1] in "+-×/" and generator.random() < 0.2 else []
        text.append(digit)
    return text + ([str(generator.choice([*"-)=.,"]))] if generator.random() < 0.2 else [])


def some_text(generator: Generator) -> list[str]:
    """Return the characters of a line."""
    digits, kind = some_digits(generator), generator.random()
    if kind < PLAIN:
        return digits
    if kind < GAPS:
        gaps = [n > 0 and generator.random() < 0.25 for n in range(len(digits))]
        return [c for d, gap in zip(digits, gaps, strict=True) for c in ((GAP, d) if gap else (d,))]
    if kind < SUMS:
        return sum_of(digits, generator)
    return [digit if generator.random() < 0.4 else OTHER for digit in digits]


def margin(generator: Generator) -> float:
    """Return pixels of paper beside a line."""
    return generator.uniform(*MARGINS[generator.choice(3, p=MARGIN_SHARES)])


def gap_after(text: Sequence[str], number: int, piece: Piece, hand: Hand, g: Generator) -> float:
    """Return the pixels between a character of a line and the next; below 0 they overlap."""
    gap = hand.gap * hand.height * g.uniform(0.6, 1.4) + g.normal(0, 0.03 * hand.height)
    if not all(c.isdigit() for c in text[number : number + 2]):  # signs stand apart
        gap = max(gap, g.uniform(0.06, 0.5) * hand.height)
    return max(gap, -OVERLAP * (piece.right - piece.left))


def write(text: Sequence[str], sources: Sources, generator: Generator) -> Written:
    """Return a text as a random hand writes it."""
    hand, end = hands.some_hand(generator), margin(generator)
    line = Written([], hand, 0, HEIGHT / 2 + generator.normal(0, 1.3), generator.normal(0, 0.012))
    for number, character in enumerate(text):
        if character == GAP:
            usual = 2.5 * max(0, hand.gap) + 0.5
            end += hand.height * max(generator.uniform(0.9, 2.2), usual)
            continue
        piece = hands.character(character, sources, hand, generator)
        stray = 0.13 if generator.random() < 0.03 else 0.045
        row = line.row(end) + generator.normal(0, stray * hand.height)
        placed = Placed(piece, end - piece.left, row)
        line.characters.append(placed)
        end = placed.right + gap_after(text, number, piece, hand, generator)
    width = math.ceil(line.characters[-1].right + margin(generator))
    return dataclasses.replace(line, width=int(np.clip(width, HEIGHT // 2, WIDEST)))


def sheet(width: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return a large black page, as wide as a line of that width, and what draws on it."""
    page = Image.new("L", (width * FINE, HEIGHT * FINE))
    return page, ImageDraw.Draw(page)


def small(page: Image.Image) -> Ink:
    """Return a large page as ink."""
    size = page.width // FINE, HEIGHT
    return np.asarray(page.resize(size, Image.Resampling.BOX), np.float32) / 255


def stroke(
    draw: ImageDraw.ImageDraw, line: Line, width: float, level: int = 255, ends: bool = False
) -> None:
    """Draw a line through points, in pixels of the small page; ends: round as a pen's."""
    places, radius = FINE * np.asarray(line, float), FINE * width / 2
    draw.line([*map(tuple, places)], level, max(1, round(2 * radius)), "curve")
    for x, y in (places[0], places[-1]) if ends else ():
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], level)


def paste(ink: Ink, picture: np.ndarray, left: int, top: int) -> None:
    """Add a picture (h, w) to ink, as far as it lies on it."""
    rows = slice(max(0, top), max(0, top + len(picture)))
    columns = slice(max(0, left), max(0, left + picture.shape[1]))
    part = ink[rows, columns]
    above, before = rows.start - top, columns.start - left
    inner = picture[above : above + part.shape[0], before : before + part.shape[1]]
    np.maximum(part, inner, out=part)


def drawn(characters: Sequence[Placed], hand: Hand, width: int) -> Ink:
    """Return characters as ink."""
    page, draw = sheet(width)
    for placed in characters:
        for line in placed.piece.strokes:
            there = np.add(line, (placed.column, placed.row))
            stroke(draw, there, 2 * hand.radius, ends=True)
    ink = small(page).copy()
    for placed in characters:
        if placed.piece.picture is not None:
            picture = placed.piece.picture
            paste(ink, picture, round(placed.column), round(placed.row - len(picture) / 2))
    return ink
