"""Simulated photographs of whole numbers to measure with: MNIST's digits, one pen, rough paper."""

import enum
import io
import math
from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from mnist_study.arrays import Labels, Pixels
from mnist_study.recogniser import photographs
from mnist_study.recogniser.hands import cropped
from mnist_study.recogniser.photographs import HEIGHT, WIDTH, Kind, Page, Photograph, light, ramp
from mnist_study.recogniser.pictures import FONT_FOLDER, thin
from mnist_study.recogniser.strokes import resize

MARGIN = 0.12  # of the photograph's sides: how far writing keeps from its border
COARSE = 10  # smooth noise is made so many times smaller, and then enlarged
LONGEST = 12  # digits in a line
OVERLAP = 0.35  # maximum by which a digit reaches under the one before to touch it, of its width
CREASES = 12  # of a wrinkled sheet
LOOPS = {0: 1, 6: 1, 8: 2, 9: 1}  # of such a digit: in thick strokes some are filled
PRINT = FONT_FOLDER / "DejaVuSerif.ttf"
WORDS = "Please write clearly and do not fold this sheet before it is dry "


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
Kinds = Collection[Rough]
Lines = Bool[np.ndarray, "_ _"]  # a digit or a page in lines one pixel thick
Digit = tuple[Lines, str]  # and which it is
Ink = Float[np.ndarray, "900 1200"]  # from 0 to 1
Written = tuple[Ink, list[str]]  # a page's ink, and what its lines show
Box = tuple[int, int, int, int]  # top, bottom, left, right


def smooth_noise(size: float, generator: Generator) -> Page:
    """Return random values that vary over size pixels, with a standard deviation of 1."""
    shape = [side // COARSE + 2 for side in (HEIGHT, WIDTH)]
    values = ndimage.gaussian_filter(generator.normal(size=shape), size / COARSE)
    values = (values - values.mean()) / values.std()
    return ndimage.zoom(values, COARSE, order=1)[:HEIGHT, :WIDTH]


def lines_of_digit(image: UInt8[np.ndarray, "28 28"], height: int) -> Lines:
    """Return an MNIST digit's lines, cropped and height pixels high."""
    image = cropped(image, 100)
    width = max(3, round(height * image.shape[1] / image.shape[0]))
    large = resize(np.pad(image, 1), height, width).astype(float)
    return cropped(thin(ndimage.gaussian_filter(large, height / 50) > 140))


def some_digit(images: Pixels, labels: Labels, height: int, generator: Generator) -> Digit:
    """Return a random digit in one piece with its loops."""
    while True:
        index = generator.integers(len(images))
        lines, label = lines_of_digit(images[index], height), int(labels[index])
        pieces = ndimage.label(lines, np.ones((3, 3)))[1]
        grounds = ndimage.label(np.pad(~lines, 1, constant_values=True))[1]
        if pieces == 1 and grounds > LOOPS.get(label, 0):
            return lines, str(label)


def write_digit(page: Lines, digit: Lines, row: float, left: float, touched: Box | None) -> Box:
    """Draw a digit around a row, from a column or from where it touches a box; return its box."""
    height, width = digit.shape
    top, start = round(row - height / 2), round(left)
    rows = page[top : top + height]
    if touched:
        minimum = touched[-1] - OVERLAP * width
        while not (rows[:, start : start + width] & digit).any() and start > minimum:
            start -= 1
    rows[:, start : start + width] |= digit
    return top, top + height, start, start + width


def write_mark(page: Lines, boxes: list[Box], generator: Generator) -> None:
    """Draw a point between the first two digits of a line, or a minus before it."""
    top, bottom, left, right = boxes[0]
    if len(boxes) > 1 and generator.random() < 0.5:
        column = (right + boxes[1][2]) // 2
        page[bottom - 6 : bottom, column - 2 : column + 3] = True
    else:
        middle, length = (top + bottom) // 2, (bottom - top) // 3
        page[middle, left - 2 * length : left - length] = True


def write_line(
    page: Lines, digits: Sequence[Lines], row: float, gap: float, kinds: Kinds, generator: Generator
) -> None:
    """Draw digits as a sloping line around a row, with about that gap between them if it fits."""
    count = len(digits)
    room = (1 - 2 * MARGIN) * WIDTH - sum(digit.shape[1] for digit in digits)
    gap = max(0, min(gap, room / (1.3 * count)))
    left = MARGIN * WIDTH + generator.uniform(0, max(0, room - 1.3 * gap * (count - 1)))
    touching = int(generator.integers(1, count)) if Rough.TOUCHING in kinds else None
    slope = math.tan(math.radians(generator.uniform(-4, 4)))
    boxes: list[Box] = []
    for number, digit in enumerate(digits):
        middle = row + slope * (left - WIDTH / 2) + generator.normal(0, 0.04 * len(digit))
        touched = boxes[-1] if number == touching else None
        boxes.append(write_digit(page, digit, middle, left, touched))
        left = boxes[-1][-1] + gap * generator.uniform(0.7, 1.3)
    if Rough.MARK in kinds:
        write_mark(page, boxes, generator)


def write(images: Pixels, labels: Labels, kinds: Kinds, generator: Generator) -> Written:
    """Return a page of lines of digits in one pen."""
    page = np.zeros((HEIGHT, WIDTH), bool)
    count = int(generator.integers(2, LONGEST + 1))
    lines = int(generator.integers(2, 4)) if Rough.LINES in kinds else 1
    fits = (1 - 2 * MARGIN) * HEIGHT / (2 * lines + 0.1)  # lines are at most twice as far apart
    wide = (1 - 2 * MARGIN) * WIDTH / count / generator.uniform(1.05, 1.5)
    size = min(wide, generator.uniform(90, 170), fits)
    step, gap = size * generator.uniform(1.6, 2), size * generator.uniform(0.2, 0.6)
    last = (1 - MARGIN) * HEIGHT - size - (lines - 1) * step
    first, shows = generator.uniform(MARGIN * HEIGHT + size, last), []
    for line in range(lines):
        heights = (size * generator.uniform(0.88, 1.12, count)).round().astype(int).tolist()
        digits = [some_digit(images, labels, height, generator) for height in heights]
        drawn, texts = zip(*digits, strict=True)
        write_line(page, drawn, first + line * step, gap, kinds, generator)
        shows.append("".join(texts))
    return with_pen(page, size, kinds, generator), shows


def with_pen(page: Lines, size: float, kinds: Kinds, generator: Generator) -> Ink:
    """Return lines of one pixel as a pen draws them; size: the digits' height in pixels."""
    distance = ndimage.distance_transform_edt(~page)
    radius = max(1.2, size * generator.uniform(0.02, 0.045))
    radius = radius * (1 + 0.12 * smooth_noise(20, generator))
    ink = np.clip(radius - distance + 0.5, 0, 1) * generator.uniform(0.65, 0.9)
    if Rough.UNEVEN in kinds:  # ink runs out within a stroke
        ink *= np.clip(0.8 + 0.3 * smooth_noise(25, generator), 0.35, 1)
    if Rough.PENCIL in kinds:  # graphite stays on the paper's grain alone
        grain = ndimage.gaussian_filter(generator.normal(size=page.shape), 1)
        ink *= generator.uniform(0.4, 0.65) * np.clip(0.8 + 2 * grain, 0.1, 1)
    return ink


def paper(ink: Ink, kinds: Kinds, generator: Generator) -> Page:
    """Return the paper's brightness, without the ink that will be written on it."""
    page = np.full((HEIGHT, WIDTH), float(photographs.WHITE))
    if Rough.RULES in kinds or Rough.SQUARES in kinds:
        page = photographs.ruled(generator.uniform(120, 210), Rough.SQUARES in kinds, generator)
    if Rough.PRINT in kinds:
        print_around(page, np.flatnonzero(ink.any(1)), generator)
    if Rough.WRINKLES in kinds:
        page *= creases(generator)
    return page


def creases(generator: Generator) -> Page:
    """Return how bright a wrinkled sheet is: each crease has two sides in different light."""
    shade = 0.5 * smooth_noise(100, generator)
    for angle in generator.uniform(0, 2 * math.pi, CREASES):
        distance = ramp(angle) - generator.uniform(-0.4, 0.4)
        shade += generator.normal() * np.clip(distance / 0.01, -1, 1)
    return 1 + generator.uniform(0.02, 0.06) * shade / shade.std()


def print_around(page: Page, rows: np.ndarray, generator: Generator) -> None:
    """Print lines of small words on the page, above and below the rows with ink."""
    size = int(generator.integers(18, 30))
    sheet = Image.new("L", (WIDTH, HEIGHT))
    draw, font = ImageDraw.Draw(sheet), ImageFont.truetype(PRINT, size)
    text = (2 * WORDS)[: round(1.4 * WIDTH / size)]
    for row in range(size, HEIGHT - 2 * size, round(1.8 * size)):
        if row + 2 * size < rows[0] or row > rows[-1] + size:
            draw.text((MARGIN * WIDTH, row), text, 255, font)
    page += np.asarray(sheet) / 255 * (generator.uniform(60, 150) - page)


def shadows(ink: Ink, kinds: Kinds, generator: Generator) -> Page:
    """Return the share of light at each place of a page with that ink."""
    shares = light(Kind.SOFT, generator.uniform(0.05, 0.35), generator)
    row, column = np.ogrid[-1:1:900j, -1:1:1200j]
    shares *= 1 - generator.uniform(0, 0.3) * (row**2 + column**2) / 2  # a lens is darker outside
    if Rough.HARD in kinds:
        shares *= light(Kind.HARD, generator.uniform(0.2, 0.45), generator)
    if Rough.HAND in kinds:
        shares *= 1 - generator.uniform(0.25, 0.5) * hand(generator)
    if Rough.PHONE in kinds:
        shares *= 1 - generator.uniform(0.6, 0.85) * phone(ink, generator)
    return shares


def hand(generator: Generator) -> Page:
    """Return how far a hand keeps the light away, from 0 to 1: a palm from below, and fingers."""
    sheet = Image.new("L", (WIDTH, HEIGHT))
    draw, palm = ImageDraw.Draw(sheet), generator.uniform(0.3, 0.8) * WIDTH
    draw.ellipse((palm - 260, HEIGHT - 320, palm + 260, HEIGHT + 400), 1)
    for finger in range(4):
        begin = palm - 180 + 120 * finger
        end = begin + generator.uniform(-80, 80), HEIGHT - generator.uniform(350, 650)
        draw.line((begin, HEIGHT - 100, *end), 1, 90)
    return ndimage.gaussian_filter(np.asarray(sheet, float), generator.uniform(15, 50), truncate=3)


def phone(ink: Ink, generator: Generator) -> Page:
    """Return how far a phone at the lower border, below the ink, keeps the light away: 0 to 1."""
    sheet = Image.new("L", (WIDTH, HEIGHT))
    left, top = generator.uniform(-0.2, 0.6) * WIDTH, generator.uniform(0.7, 0.85) * HEIGHT
    top = max(top, np.flatnonzero(ink.any(1))[-1] + 70)
    right = left + generator.uniform(0.5, 1) * WIDTH
    ImageDraw.Draw(sheet).rounded_rectangle((left, top, right, HEIGHT + 200), 90, 1)
    turned = sheet.rotate(generator.uniform(-6, 6), center=(WIDTH / 2, HEIGHT))
    return ndimage.gaussian_filter(np.asarray(turned, float), generator.uniform(2, 5), truncate=3)


def desk_beyond_edge(page: Page, generator: Generator) -> Page:
    """Return the page with its edge on one side and a desk with its grain beyond."""
    angle = math.pi / 2 * generator.integers(4) + generator.uniform(-0.08, 0.08)
    beyond = ramp(angle) - generator.uniform(0.4, 0.46)
    wood = generator.uniform(30, 130) * (1 + 0.1 * smooth_noise(12, generator))
    shade = 1 - 0.4 * np.exp(-np.abs(beyond) / 0.004)  # the sheet's own shadow
    return np.where(beyond > 0, wood, page) * shade


def camera(page: Page, kinds: Kinds, generator: Generator) -> Photograph:
    """Return the page as a camera takes it: in perspective, blurred, with noise, as JPEG."""
    shift = 0.05 if Rough.ASLANT in kinds else 0.02
    corners = np.array([(0, 0), (0, 1), (1, 1), (1, 0)]) * (1 - 2 * shift)
    corners = (corners + generator.uniform(0, 2 * shift, (4, 2))) * (WIDTH, HEIGHT)
    quad = Image.Transform.QUAD, corners.ravel().tolist(), Image.Resampling.BICUBIC
    image = Image.fromarray(page.astype(np.float32)).transform((WIDTH, HEIGHT), *quad)
    blur, noise, quality = (2.5, 10, 25) if Rough.POOR in kinds else (1, 4, 75)
    blur, noise = blur * generator.uniform(0.7, 1.3), noise * generator.uniform(0.5, 1.2)
    file = io.BytesIO()
    exposed = photographs.expose(np.asarray(image), blur, noise, generator)
    Image.fromarray(exposed).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def number(
    images: Pixels, labels: Labels, kinds: Kinds, generator: Generator
) -> tuple[Photograph, list[str]]:
    """Return a simulated photograph of a number, and the digits of each of its lines.

    images, labels: of MNIST's digits, which it is written in. kinds: what makes it hard.
    """
    ink, shows = write(images, labels, kinds, generator)
    page = paper(ink, kinds, generator) * (1 - ink) * shadows(ink, kinds, generator)
    if Rough.EDGE in kinds:
        page = desk_beyond_edge(page, generator)
    return camera(page, kinds, generator), shows


def mixed(generator: Generator) -> list[Rough]:
    """Return what makes a very rough photograph hard: one of pen, of paper and of light each."""
    return [Rough(generator.choice(kinds)) for kinds in MIXES]
