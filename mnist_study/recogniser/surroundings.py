"""What is seen beside a line's characters: rules, boxes, circles, other lines, and the camera."""

import io
import itertools
import math

import numpy as np
from jaxtyping import Float, UInt8
from numpy.random import Generator
from PIL import Image
from scipy import ndimage

from digit_reader.characters import HEIGHT
from mnist_study.recogniser import hands
from mnist_study.recogniser.hands import Hand, Sources
from mnist_study.recogniser.written_lines import Ink, Placed, Written, drawn, sheet, small, stroke

Seen = Float[np.ndarray, "32 w"]  # ink from 0 to 1, as far as noise lets it


class Ruler:
    """Draws straight lines on a line's picture, in one pen."""

    def __init__(self, line: Written, generator: Generator, palest: float = 0.3):
        self.page, self.draw = sheet(line.width)
        self.line, self.generator = line, generator
        self.level = round(255 * generator.uniform(palest, 1))
        self.width = generator.uniform(0.5, 2)

    def across(self, height: float, start: float = -5, end: float = 1e4) -> None:
        """Draw a line nearly along the writing, so many digits' heights below its middle."""
        end = min(end, self.line.width + 5)
        fall = self.line.slope * self.generator.uniform(0.3, 1.5) + self.generator.normal(0, 0.004)
        row = self.line.middle + height * self.line.hand.height
        places = [(column, row + fall * (column - 80)) for column in (start, end)]
        stroke(self.draw, np.array(places), self.width, self.level)

    def down(self, column: float, top: float = -1, bottom: float = HEIGHT + 1) -> None:
        """Draw a line nearly upright, from one row to another."""
        tilt = self.generator.normal(0, 0.5)
        places = [(column + tilt, top), (column - tilt, bottom)]
        stroke(self.draw, np.array(places), self.width, self.level)


def rules(line: Written, generator: Generator) -> Ink:
    """Return one to three rules of paper, through the writing, below and above it."""
    ruler = Ruler(line, generator)
    ruler.across(generator.uniform(-0.75, 0.75))
    for probability, low, high in ((0.5, 0.5, 0.9), (0.2, -0.9, -0.5)):
        if generator.random() < probability:
            ruler.across(generator.uniform(low, high))
    return small(ruler.page)


def squares(line: Written, generator: Generator) -> Ink:
    """Return squared paper."""
    ruler = Ruler(line, generator, palest=0.1)
    ruler.level //= 2
    step, start = generator.uniform(0.3, 1.2), generator.uniform(-1, 0)
    for height in np.arange(start, 1.2, step):
        ruler.across(height)
    for column in np.arange(generator.uniform(0, 12), line.width, step * line.hand.height):
        ruler.down(column)
    return small(ruler.page)


def sides(line: Written, start: float, end: float, generator: Generator) -> list[float]:
    """Return the columns of the sides of a box from start to end, or of a form's boxes."""
    columns = [start, end] if generator.random() < 0.8 else []
    if generator.random() < 0.6:
        pairs = itertools.pairwise(line.characters)
        columns += [(a.right + b.left) / 2 + generator.normal(0, 1) for a, b in pairs]
    elif generator.random() < 0.4:
        columns += [*np.arange(start, end, generator.uniform(0.6, 1.3) * line.hand.height)]
    if generator.random() < 0.2:
        columns += [end + n * 0.9 * line.hand.height for n in range(1, 4)]
    return columns


def boxes(line: Written, generator: Generator) -> Ink:
    """Return a box around the writing, or a form's boxes or comb."""
    ruler, height = Ruler(line, generator), line.hand.height
    before, after = generator.uniform(0.05, 0.6, 2) * height
    start, end = line.characters[0].left - before, line.characters[-1].right + after
    top, bottom = -generator.uniform(0.55, 0.95), generator.uniform(0.5, 0.95)
    for edge, probability in ((top, 0.8), (bottom, 0.9)):
        if generator.random() < probability:
            ruler.across(edge, start, end)
    high = top if generator.random() < 0.7 else generator.uniform(0, 0.2)
    rows = [line.middle + share * height for share in (high, bottom)]
    for column in sides(line, start, end, generator):
        ruler.down(column, *rows)
    return small(ruler.page)


def underline(line: Written, generator: Generator) -> Ink:
    """Return a line under the writing, perhaps two."""
    ruler, below = Ruler(line, generator), generator.uniform(0.5, 0.8)
    before, after = generator.uniform(-0.3, 0.5, 2) * line.hand.height
    start, end = line.characters[0].left - before, line.characters[-1].right + after
    for row in [below, below + 0.12][: 1 + (generator.random() < 0.3)]:
        ruler.across(row, start, end)
    return small(ruler.page)


def circle(line: Written, generator: Generator) -> Ink:
    """Return a circle drawn around one character, or around all of them."""
    one = line.characters[generator.integers(len(line.characters))]
    first, last = (one, one)
    if generator.random() < 0.4:
        first, last = line.characters[0], line.characters[-1]
    height, middle = line.hand.height, (first.left + last.right) / 2
    wide = (last.right - first.left) / 2 + height * generator.uniform(0.15, 0.5)
    high = height * generator.uniform(0.6, 0.9)
    angles = np.linspace(0, 2 * math.pi * generator.uniform(0.93, 1.05), 40)
    angles += generator.uniform(0, 2 * math.pi)
    places = middle + wide * np.cos(angles), line.row(middle) + high * np.sin(angles)
    page, draw = sheet(line.width)
    stroke(draw, np.stack(places, 1), 2 * line.hand.radius)
    return small(page)


def edge(line: Written, generator: Generator) -> Ink:
    """Return a margin's line, or what else is upright at the border of a crop."""
    ruler = Ruler(line, generator)
    near = generator.uniform(-1, 4)
    ruler.down(near if generator.random() < 0.5 else line.width - near)
    return small(ruler.page)


def other_lines(line: Written, sources: Sources, generator: Generator) -> Ink:
    """Return what reaches in from the lines above and below."""
    characters = []
    for _ in range(int(generator.integers(1, 4))):
        piece = hands.digit(int(generator.integers(10)), sources, line.hand, generator)
        away = generator.choice([-1, 1]) * generator.uniform(1.15, 1.5) * line.hand.height
        column = generator.uniform(0, line.width)
        characters.append(Placed(piece, column, line.row(column) + away))
    return drawn(characters, line.hand, line.width)


def specks(line: Written, generator: Generator) -> Ink:
    """Return some specks of one to four pixels."""
    ink = np.zeros((HEIGHT, line.width), np.float32)
    for _ in range(int(generator.integers(1, 6))):
        row, column = generator.integers(HEIGHT), generator.integers(line.width)
        high, wide = generator.integers(1, 3, 2)
        ink[row : row + high, column : column + wide] = generator.uniform(0.3, 1)
    return ink


# What is beside a line, and how often; nothing is beside the others.
KINDS = {rules: 0.12, squares: 0.07, boxes: 0.14, underline: 0.05, circle: 0.05, edge: 0.04}
OTHER_LINES, SPECKS = 0.12, 0.1


def beside(line: Written, sources: Sources, generator: Generator) -> Ink:
    """Return what a finder of lines leaves in beside a line's characters."""
    ink, chance = np.zeros((HEIGHT, line.width), np.float32), generator.random()
    for kind, share in KINDS.items():
        if 0 <= chance < share:
            ink = kind(line, generator)
        chance -= share
    if generator.random() < OTHER_LINES:
        ink = np.maximum(ink, other_lines(line, sources, generator))
    return np.maximum(ink, specks(line, generator)) if generator.random() < SPECKS else ink


def with_pen(ink: Seen, hand: Hand, generator: Generator) -> Seen:
    """Return a line of MNIST's digits in a broader or finer pen, or darker; others as they are."""
    if hand.source:
        return ink
    chance = generator.random()
    if chance < 0.2:
        return ndimage.grey_dilation(ink, (2, 2))
    if chance < 0.35 and hand.height > 19:
        shape = (2, 1) if generator.random() < 0.5 else (1, 2)
        finer = ndimage.grey_erosion(ink, shape)
        return finer / max(0.4, float(finer.max()))
    return np.clip(ink * generator.uniform(1, 1.8), 0, 1)


def grained(ink: Seen, generator: Generator) -> Seen:
    """Return ink with a pencil's grain, or of a pen that runs out."""
    grain = ndimage.gaussian_filter(generator.normal(size=ink.shape), generator.uniform(0.3, 1.5))
    grain *= generator.uniform(0.1, 0.35) / grain.std()
    return ink * np.clip(0.85 + grain, 0.1, 1.2)


def coarse(ink: Seen, generator: Generator) -> Seen:
    """Return ink as a camera of less resolution sees it."""
    size = [max(4, round(side * generator.uniform(0.4, 0.9))) for side in ink.shape[::-1]]
    image = Image.fromarray(ink.astype(np.float32))
    fewer = image.resize((size[0], size[1]), Image.Resampling.BOX)
    return np.asarray(fewer.resize(image.size, Image.Resampling.BICUBIC))


def unevenly_lit(ink: Seen, generator: Generator) -> Seen:
    """Return ink on paper that is darker to one side."""
    along, down = (np.linspace(*generator.uniform(0, 0.25, 2), side) for side in ink.shape[::-1])  # pyright: ignore[reportCallIssue]
    return ink + (1 - ink) * np.maximum(along, down[:, np.newaxis])


def as_jpeg(picture: UInt8[np.ndarray, "32 w"], generator: Generator) -> UInt8[np.ndarray, "32 w"]:
    """Return a picture as JPEG leaves it."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=int(generator.integers(20, 80)))
    return np.asarray(Image.open(file))


def taken(ink: Seen, generator: Generator) -> UInt8[np.ndarray, "32 w"]:
    """Return a line's ink as a camera takes it and the finder of lines prepares it."""
    ink = grained(ink, generator) if generator.random() < 0.15 else ink
    if generator.random() < 0.55:
        ink = ndimage.gaussian_filter(ink, generator.uniform(0.2, 1.1))
    ink = ink * generator.uniform(0.6, 1.2) / max(0.25, float(np.quantile(ink, 0.995)))
    ink = np.clip(ink, 0, 1)
    ink = coarse(ink, generator) if generator.random() < 0.3 else ink
    ink = unevenly_lit(ink, generator) if generator.random() < 0.3 else ink
    if generator.random() < 0.5:
        ink = ink + generator.normal(0, generator.uniform(0.01, 0.09), ink.shape)
    if generator.random() < 0.12:
        ink = ink > generator.uniform(0.3, 0.6)
    picture = (255 * np.clip(ink, 0, 1)).astype(np.uint8)
    return as_jpeg(picture, generator) if generator.random() < 0.2 else picture
