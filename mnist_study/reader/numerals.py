"""Simulated photographs of whole numbers to measure with: MNIST's digits, one pen, rough paper."""

import enum
import io
import math
import pathlib
from collections.abc import Collection

import matplotlib
import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import scipy.ndimage
from jaxtyping import Bool, Float, UInt8

from digit_reader.cut import cropped
from mnist_study.arrays import Labels, Pixels
from mnist_study.reader.photographs import HIGH, WHITE, WIDE, Generator, Kind, Page, light, ruled
from mnist_study.reader.pictures import thinned

INNER = 0.12  # of the photograph's sides: writing keeps so far from its border
COARSE = 10  # times smaller is what is smooth made, and then enlarged
LONGEST = 12  # digits in a line
OVERLAP = 0.35  # of a digit's width: how far it reaches under the one before, at most, to touch it
CREASES = 12  # of a wrinkled sheet
LOOPS = {0: 1, 6: 1, 8: 2, 9: 1}  # that such a digit has: in thick strokes some are filled
PRINT = pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSerif.ttf")
WORDS = "Please write clearly and do not fold this sheet before it is dry "

Ink = Float[np.ndarray, "h w"]  # from 0 to 1
Box = tuple[int, int, int, int]  # top, bottom, left, right


class Rough(enum.StrEnum):
    """What makes a photograph of a number hard, beside its slope, its pen and its camera."""

    NOTHING = "a line"
    LINES = "several lines"
    TOUCHING = "a touching pair"
    MARK = "a point or a minus"
    PENCIL = "pencil"
    UNEVEN = "an uneven pen"
    RULES = "ruled paper"
    SQUARES = "squared paper"
    PRINT = "printed paper"
    WRINKLES = "wrinkles"
    HARD = "a hard shadow"
    HAND = "shadow of a hand"
    PHONE = "shadow of a phone"
    EDGE = "paper's edge on a desk"
    ASLANT = "perspective"
    POOR = "a poor camera"


MIXES = (  # a very rough photograph has one of each
    (Rough.PENCIL, Rough.UNEVEN, Rough.LINES, Rough.TOUCHING),
    (Rough.RULES, Rough.SQUARES, Rough.PRINT, Rough.WRINKLES),
    (Rough.HARD, Rough.HAND, Rough.PHONE, Rough.EDGE, Rough.ASLANT, Rough.POOR),
)


def smooth(shape: tuple[int, int], size: float, generator: Generator) -> Ink:
    """Return random values that vary over so many pixels, with a standard deviation of 1."""
    few = [side // COARSE + 2 for side in shape]
    values = scipy.ndimage.gaussian_filter(generator.normal(size=few), size / COARSE)
    values = (values - values.mean()) / values.std()
    return scipy.ndimage.zoom(values, COARSE, order=1)[: shape[0], : shape[1]]


def lines_of_digit(image: UInt8[np.ndarray, "28 28"], high: int) -> Bool[np.ndarray, "h w"]:
    """Return an MNIST digit's lines, one pixel thick, so many pixels high, cut to them."""
    image = cropped(image, 100)
    size = max(3, round(high * image.shape[1] / image.shape[0])), high
    large = PIL.Image.fromarray(np.pad(image, 1)).resize(size, PIL.Image.Resampling.BICUBIC)
    smooth = scipy.ndimage.gaussian_filter(np.asarray(large, float), high / 50)
    return cropped(thinned(smooth > 140))


def some_digit(
    images: Pixels, labels: Labels, high: int, generator: Generator
) -> tuple[Bool[np.ndarray, "h w"], str]:
    """Return a random digit's lines, in one piece with its loops, and which it is."""
    while True:
        row = generator.integers(len(images))
        lines, label = lines_of_digit(images[row], high), int(labels[row])
        pieces = scipy.ndimage.label(lines, np.ones((3, 3)))[1]
        grounds = scipy.ndimage.label(np.pad(~lines, 1, constant_values=True))[1]
        if pieces == 1 and grounds > LOOPS.get(label, 0):
            return lines, str(label)


def write_line(
    page: Bool[np.ndarray, "900 1200"],
    digits: list[np.ndarray],
    place: tuple[float, float],
    apart: float,
    touching: int | None,
    generator: Generator,
) -> list[Box]:
    """Draw digits as a sloping line; return the box of each.

    digits: bool (h, w), lines of one pixel. place: the row of its middle and the column where it
    begins. apart: pixels between two digits. touching: the number of a digit that touches the one
    before, if any.
    """
    middle, left = place
    slope = math.tan(math.radians(generator.uniform(-4, 4)))
    boxes: list[Box] = []
    for number, digit in enumerate(digits):
        high, wide = digit.shape
        row = middle + slope * (left - WIDE / 2) + generator.normal(0, 0.04 * high)
        top, start = round(row - high / 2), round(left)
        near = page[top : top + high]
        if number == touching:
            least = boxes[-1][3] - OVERLAP * wide
            while not (near[:, start : start + wide] & digit).any() and start > least:
                start -= 1
        near[:, start : start + wide] |= digit
        boxes.append((top, top + high, start, start + wide))
        left = start + wide + apart * generator.uniform(0.7, 1.3)
    return boxes


def write_mark(page: Bool[np.ndarray, "900 1200"], boxes: list[Box], generator: Generator) -> None:
    """Draw a point between two digits of a line, or a minus before it."""
    top, bottom, left, right = boxes[0]
    if len(boxes) > 1 and generator.random() < 0.5:
        column = (right + boxes[1][2]) // 2
        page[bottom - 6 : bottom, column - 2 : column + 3] = True
    else:
        middle, long = (top + bottom) // 2, (bottom - top) // 3
        page[middle, left - 2 * long : left - long] = True


def written(
    images: Pixels, labels: Labels, kinds: Collection[Rough], generator: Generator
) -> tuple[Ink, list[str]]:
    """Return a page of lines of digits in one pen as ink (900, 1200), and what the lines show."""
    page, inner = np.zeros((HIGH, WIDE), bool), (1 - 2 * INNER) * WIDE
    count, lines = int(generator.integers(2, LONGEST + 1)), 1
    if Rough.LINES in kinds:
        lines = int(generator.integers(2, 4))
    fits = (1 - 2 * INNER) * HIGH / (2 * lines + 0.1)  # lines are twice as far apart, at most
    high = min(inner / count / generator.uniform(1.05, 1.5), generator.uniform(90, 170), fits)
    step, apart = high * generator.uniform(1.6, 2), high * generator.uniform(0.2, 0.6)
    first = generator.uniform(INNER * HIGH + high, (1 - INNER) * HIGH - high - (lines - 1) * step)
    shows = []
    for line in range(lines):
        heights = (high * generator.uniform(0.88, 1.12, count)).round().astype(int).tolist()
        found = [some_digit(images, labels, height, generator) for height in heights]
        digits = [digit for digit, _ in found]
        room = inner - sum(digit.shape[1] for digit in digits)
        gap = max(0, min(apart, room / (1.3 * count)))
        begin = INNER * WIDE + generator.uniform(0, max(0, room - 1.3 * gap * (count - 1)))
        touching = int(generator.integers(1, count)) if Rough.TOUCHING in kinds else None
        place = first + line * step, begin
        boxes = write_line(page, digits, place, gap, touching, generator)
        if Rough.MARK in kinds:
            write_mark(page, boxes, generator)
        shows.append("".join(shown for _, shown in found))
    return with_pen(page, high, kinds, generator), shows


def with_pen(
    page: Bool[np.ndarray, "900 1200"], high: float, kinds: Collection[Rough], generator: Generator
) -> Ink:
    """Return lines of one pixel as a pen draws them whose digits are so many pixels high."""
    far = scipy.ndimage.distance_transform_edt(~page)
    radius = max(1.2, high * generator.uniform(0.02, 0.045))
    radius = radius * (1 + 0.12 * smooth(page.shape, 20, generator))
    ink = np.clip(radius - far + 0.5, 0, 1) * generator.uniform(0.65, 0.9)
    if Rough.UNEVEN in kinds:  # ink runs out within a stroke
        ink *= np.clip(0.8 + 0.3 * smooth(page.shape, 25, generator), 0.35, 1)
    if Rough.PENCIL in kinds:  # graphite stays on the paper's grain alone
        grain = scipy.ndimage.gaussian_filter(generator.normal(size=page.shape), 1)
        ink *= generator.uniform(0.4, 0.65) * np.clip(0.8 + 2 * grain, 0.1, 1)
    return ink


def paper(ink: Ink, kinds: Collection[Rough], generator: Generator) -> Page:
    """Return the paper's brightness, without the ink that will be written on it."""
    page = np.full((HIGH, WIDE), float(WHITE))
    if Rough.RULES in kinds or Rough.SQUARES in kinds:
        page = ruled(generator.uniform(120, 210), Rough.SQUARES in kinds, generator)
    if Rough.PRINT in kinds:
        print_around(page, np.flatnonzero(ink.any(1)), generator)
    if Rough.WRINKLES in kinds:
        page *= creased(generator)
    return page


def creased(generator: Generator) -> Page:
    """Return how bright a wrinkled sheet is: creases across it, each side of one lit otherwise."""
    row, column = np.ogrid[-0.5:0.5:900j, -0.5:0.5:1200j]
    shade = 0.5 * smooth((HIGH, WIDE), 100, generator)
    for angle in generator.uniform(0, 2 * math.pi, CREASES):
        far = math.cos(angle) * column + math.sin(angle) * row - generator.uniform(-0.4, 0.4)
        shade += generator.normal() * np.clip(far / 0.01, -1, 1)
    return 1 + generator.uniform(0.02, 0.06) * shade / shade.std()


def print_around(page: Page, rows: np.ndarray, generator: Generator) -> None:
    """Print lines of small words on the page, above and below the rows with ink."""
    size = int(generator.integers(18, 30))
    sheet = PIL.Image.new("L", (WIDE, HIGH))
    draw, font = PIL.ImageDraw.Draw(sheet), PIL.ImageFont.truetype(PRINT, size)
    for row in range(size, HIGH - 2 * size, round(1.8 * size)):
        if row + 2 * size < rows[0] or row > rows[-1] + size:
            draw.text((INNER * WIDE, row), (2 * WORDS)[: round(1.4 * WIDE / size)], 255, font)
    page += np.asarray(sheet) / 255 * (generator.uniform(60, 150) - page)


def shadows(ink: Ink, kinds: Collection[Rough], generator: Generator) -> Page:
    """Return the share of light at each place of a page with that ink."""
    shares = light(Kind.SOFT, generator.uniform(0.05, 0.35), generator)
    row, column = np.ogrid[-1:1:900j, -1:1:1200j]
    shares *= 1 - generator.uniform(0, 0.3) * (row**2 + column**2) / 2  # a lens is darker outside
    if Rough.HARD in kinds:
        shares *= light(Kind.HARD, generator.uniform(0.2, 0.45), generator)
    if Rough.HAND in kinds:
        shares *= 1 - generator.uniform(0.25, 0.5) * blurred(hand(generator), 15, 50, generator)
    if Rough.PHONE in kinds:
        shares *= 1 - generator.uniform(0.6, 0.85) * blurred(phone(ink, generator), 2, 5, generator)
    return shares


def blurred(page: Page, low: float, high: float, generator: Generator) -> Page:
    """Return a page blurred by a random number of pixels between the two."""
    return scipy.ndimage.gaussian_filter(page, generator.uniform(low, high), truncate=3)


def hand(generator: Generator) -> Page:
    """Return where a hand keeps the light away: a palm from below, and fingers, as 0 and 1."""
    sheet = PIL.Image.new("L", (WIDE, HIGH))
    draw, palm = PIL.ImageDraw.Draw(sheet), generator.uniform(0.3, 0.8) * WIDE
    draw.ellipse((palm - 260, HIGH - 320, palm + 260, HIGH + 400), 1)
    for finger in range(4):
        begin = palm - 180 + 120 * finger
        end = begin + generator.uniform(-80, 80), HIGH - generator.uniform(350, 650)
        draw.line((begin, HIGH - 100, *end), 1, 90)
    return np.asarray(sheet, float)


def phone(ink: Ink, generator: Generator) -> Page:
    """Return where a phone at the lower border, below the ink, keeps the light away: 0 and 1."""
    sheet = PIL.Image.new("L", (WIDE, HIGH))
    left, top = generator.uniform(-0.2, 0.6) * WIDE, generator.uniform(0.7, 0.85) * HIGH
    top = max(top, np.flatnonzero(ink.any(1))[-1] + 70)
    right = left + generator.uniform(0.5, 1) * WIDE
    PIL.ImageDraw.Draw(sheet).rounded_rectangle((left, top, right, HIGH + 200), 90, 1)
    turned = sheet.rotate(generator.uniform(-6, 6), center=(WIDE / 2, HIGH))
    return np.asarray(turned, float)


def on_desk(page: Page, generator: Generator) -> Page:
    """Return the page with its edge on one side and a desk with its grain beyond."""
    angle = math.pi / 2 * generator.integers(4) + generator.uniform(-0.08, 0.08)
    row, column = np.ogrid[-0.5:0.5:900j, -0.5:0.5:1200j]
    beyond = math.cos(angle) * column + math.sin(angle) * row - generator.uniform(0.4, 0.46)
    wood = generator.uniform(30, 130) * (1 + 0.1 * smooth(page.shape, 12, generator))
    edge = 1 - 0.4 * np.exp(-np.abs(beyond) / 0.004)  # the sheet's own shadow
    return np.where(beyond > 0, wood, page) * edge


def camera(page: Page, kinds: Collection[Rough], generator: Generator) -> UInt8[np.ndarray, "h w"]:
    """Return the page as a camera takes it: from aslant, blurred, with noise, as JPEG."""
    far = 0.05 if Rough.ASLANT in kinds else 0.02
    corners = np.array([(0, 0), (0, 1), (1, 1), (1, 0)]) * (1 - 2 * far)
    corners = (corners + generator.uniform(0, 2 * far, (4, 2))) * (WIDE, HIGH)
    way = PIL.Image.Transform.QUAD, corners.ravel().tolist(), PIL.Image.Resampling.BICUBIC
    page = np.asarray(PIL.Image.fromarray(page.astype(np.float32)).transform((WIDE, HIGH), *way))
    blur, noise, quality = (2.5, 10, 25) if Rough.POOR in kinds else (1, 4, 75)
    page = scipy.ndimage.gaussian_filter(page, blur * generator.uniform(0.7, 1.3))
    page = page + generator.normal(0, noise * generator.uniform(0.5, 1.2), page.shape)
    taken = io.BytesIO()
    image = PIL.Image.fromarray(np.clip(page, 0, 255).astype(np.uint8))
    image.save(taken, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(taken))


def number(
    images: Pixels, labels: Labels, kinds: Collection[Rough], generator: Generator
) -> tuple[UInt8[np.ndarray, "900 1200"], list[str]]:
    """Return a simulated photograph of a number, and the digits of each of its lines.

    images, labels: of MNIST's digits, which it is written in. kinds: what makes it hard.
    """
    ink, shows = written(images, labels, kinds, generator)
    page = paper(ink, kinds, generator) * (1 - ink) * shadows(ink, kinds, generator)
    if Rough.EDGE in kinds:
        page = on_desk(page, generator)
    return camera(page, kinds, generator), shows


def mixed(generator: Generator) -> list[Rough]:
    """Return what makes a very rough photograph hard: one of pen, of paper and of light each."""
    return [Rough(generator.choice(kinds)) for kinds in MIXES]
