"""What the recogniser is trained on: digits of many pens and styles, as in people's pictures."""

import concurrent.futures
import math
import multiprocessing
import pathlib
import string
from collections.abc import Sequence

import matplotlib
import numpy as np
from jaxtyping import Bool, Float32
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from digit_reader.centre import centre_like_mnist
from mnist_study.arrays import Examples, Labels, Pixels
from mnist_study.data import normalise, one_hot
from mnist_study.evaluate.uci import TRAINING, in_mnist_form, uci_pictures
from mnist_study.recogniser import pens, strokes
from mnist_study.recogniser.strokes import BICUBIC, SIDE, Large, Line, Picture, resize

MARGIN = 14  # pixels around a digit, so that it may be warped without leaving the picture
FONT_FOLDER = pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf")
FONTS = ("DejaVu*[!y]", "STIXGeneral*")  # of Matplotlib; DejaVu's Display fonts lack letters
# Letters and signs that are no digits; O, I, l, S and Z could be.
LETTERS = sorted({*string.ascii_letters, *"+=?&#@%$<>*"} - set("OoIlSsZz"))
UCI_COPIES = 50  # of each to train on: they are few
PEN_COPIES = 4  # of each pen stroke of people
CHUNK = 500  # pictures that one process makes at a time
DIGITS_TO_OTHERS = 8  # pictures of digits for each that shows none
REDRAW = 0.25  # probability that a digit of MNIST's is redrawn in a pen of one width
PEN = (1.5, 6)  # its radius in pixels of a picture: log-uniform between

# Interpolates five numbers to a smooth line of SIDE; the products of two do so with a field.
SPLINE = ndimage.zoom(np.eye(5, dtype=np.float32), (SIDE / 5, 1), order=2)

# A picture, bright ink on black, or what to draw: a style, or somebody's strokes.
Source = np.ndarray | str | list[Line]
MNIST = (28, 28)  # the shape of its digits, and of no others here
Drawing = Float32[np.ndarray, "112 112"]  # bright ink on black, from 0 to 1
TrainingSet = tuple[Float32[np.ndarray, "m 28 28 1"], Float32[np.ndarray, "m 10"]]


def warp(picture: Drawing, generator: Generator) -> Drawing:
    """Return a picture sheared, scaled, rotated and elastically deformed at random."""
    axis = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"))
    turn, shear = generator.uniform(-0.17, 0.17), generator.uniform(-0.3, 0.3)
    tall, wide = 1 + generator.uniform(-0.3, 0.3, 2)
    sine, cosine = math.sin(turn), math.cos(turn)
    matrix = np.array([[cosine * tall, sine * wide + shear], [-sine * tall, cosine * wide]])
    positions = np.tensordot(matrix.astype(np.float32).T, grid, 1)
    coarse = generator.normal(0, generator.uniform(0, 5), (2, 5, 5)).astype(np.float32)
    positions += SPLINE @ coarse @ SPLINE.T
    return ndimage.map_coordinates(picture, positions + (SIDE - 1) / 2, order=1)


def change_pen(picture: Drawing, generator: Generator) -> Drawing:
    """Return the picture in a pen that is wider or finer by up to 6 pixels."""
    pixels = int(generator.integers(-6, 7))
    if pixels >= 2:
        return ndimage.maximum_filter(picture, pixels + 1)
    finer = ndimage.minimum_filter(picture, max(1, 1 - pixels))
    return finer if finer.sum() > 0.4 * picture.sum() else picture


def take(picture: Drawing, generator: Generator) -> Drawing:
    """Return the picture as cameras take it: blurred, of another resolution, another contrast."""
    if generator.random() < 0.5:
        picture = ndimage.gaussian_filter(picture, generator.uniform(0.5, 3))
    picture = picture / max(picture.max(), 1e-3)
    if generator.random() < 0.3:
        picture = (picture > generator.uniform(0.3, 0.6)).astype(np.float32)
    if generator.random() < 0.5:
        side = int(generator.integers(10, 41))
        small = resize(picture, side, side, Image.Resampling.BOX)
        picture = resize(small, SIDE, SIDE)
    return np.clip(picture, 0, 1) ** math.exp(generator.uniform(-0.5, 0.5))


def enlarge(picture: Picture, method: int = BICUBIC) -> Large:
    """Return a picture enlarged, with a margin."""
    side = SIDE - 2 * MARGIN
    return np.pad(resize(picture, side, side, method), MARGIN)


def variation(picture: Picture, generator: Generator) -> Float32[np.ndarray, "28 28"]:
    """Return a picture, bright ink on black, as somebody else's would be, in MNIST's form."""
    method = BICUBIC if generator.random() < 0.8 else Image.Resampling.NEAREST
    large = enlarge(picture, method).astype(np.float32) / 255
    drawing = take(change_pen(warp(large, generator), generator), generator)
    return centre_like_mnist(np.where(drawing > 0.1 * drawing.max(), drawing, 0))


def removed_by_thinning() -> Bool[np.ndarray, "2 256"]:
    """Return which neighbourhoods lose their middle in each half of a step of thinning.

    A neighbourhood's number has a bit for each pixel around, clockwise from the one above.
    """
    near = (np.arange(256)[:, np.newaxis] >> np.arange(8) & 1).astype(bool)
    count, turns = near.sum(1), (~near & np.roll(near, -1, 1)).sum(1)  # turns: lines that meet
    may = (count >= 2) & (count <= 6) & (turns == 1)
    above, right, below, left = near[:, ::2].T
    first = (above & right & below) | (right & below & left)
    second = (above & right & left) | (above & below & left)
    return np.stack([may & ~first, may & ~second])


REMOVED = removed_by_thinning()
NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]])


def thin(ink: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Return lines one pixel wide where ink was; source: Zhang and Suen 1984, CACM 27(3)."""
    before = -1
    while before != np.count_nonzero(ink):
        before = np.count_nonzero(ink)
        for removed in REMOVED:
            near = ndimage.correlate(ink.astype(np.int32), NEIGHBOURS, mode="constant")
            ink = ink & ~removed[near]
    return ink


def redraw(picture: Picture, generator: Generator) -> Large:
    """Return a digit, bright ink on black, redrawn in a pen of one width."""
    lines = thin(enlarge(picture) > 100)
    radius = math.exp(generator.uniform(*np.log(PEN)))
    distance = ndimage.distance_transform_edt(~lines)
    return (255 * np.clip(radius + 0.5 - distance, 0, 1)).astype(np.uint8)


def scribble(digits: Sequence[np.ndarray], generator: Generator) -> Picture:
    """Return a picture of a pen's random strokes."""
    sizes = generator.integers(3, 9, generator.integers(1, 5))
    lines = [strokes.curve(generator.uniform(5, 95, (size, 2))) for size in sizes]
    return strokes.draw(lines, generator)


def letter_page(
    letter: str, font: str | pathlib.Path, size: int, side: int, place: float, anchor: str
) -> Picture:
    """Return a letter, bright on black, with its anchor (as Pillow names it) at place, place."""
    page = Image.new("L", (side, side))
    letters = ImageFont.truetype(font, size)
    ImageDraw.Draw(page).text((place, place), letter, 255, letters, anchor)
    return np.asarray(page)


def letter(digits: Sequence[np.ndarray], generator: Generator) -> Picture:
    """Return a picture of a random letter or sign in a random font."""
    fonts = sorted(FONT_FOLDER.glob(str(generator.choice(FONTS)) + ".ttf"))
    font = fonts[generator.integers(len(fonts))]
    return letter_page(str(generator.choice(LETTERS)), font, 84, SIDE, SIDE / 2, "mm")


def pair(digits: Sequence[np.ndarray], generator: Generator) -> Picture:
    """Return a picture of two of the digits, of MNIST's size, that touch."""
    first, second = (digits[index] for index in generator.integers(len(digits), size=2))
    shift = int(generator.integers(12, 21))
    page = np.zeros((28 + shift,) * 2, np.uint8)
    rows = page[shift // 2 : shift // 2 + 28]
    rows[:, :28] = first
    rows[:, shift:] = np.maximum(rows[:, shift:], second)
    return page


OTHERS = (scribble, letter, scribble, letter, pair)  # pictures without a digit, in turn


def picture_of(source: Source, generator: Generator) -> Picture:
    """Return a source as a picture: strokes are drawn, and some of MNIST's digits redrawn."""
    if isinstance(source, str):
        return strokes.pen_digit(source, generator)
    if isinstance(source, list):
        return strokes.draw(strokes.by_hand(source, generator), generator)
    redrawn = source.shape == MNIST and generator.random() < REDRAW
    return redraw(source, generator) if redrawn else source


def chunk(sources: Sequence[Source], labels: Labels, seed: Sequence[int]) -> TrainingSet:
    """Return a variation of each source and its target, and of some pictures without a digit."""
    generator = np.random.default_rng(seed)
    digits = [s for s in sources if isinstance(s, np.ndarray) and s.shape == MNIST]  # for pairs
    varied = [variation(picture_of(source, generator), generator) for source in sources]
    others = len(sources) // DIGITS_TO_OTHERS
    for number in range(others):
        picture = OTHERS[number % len(OTHERS)](digits, generator)
        varied.append(variation(picture, generator))
    uniform = np.full((others, 10), 0.1, np.float32)
    return np.stack(varied)[..., np.newaxis], np.concatenate([one_hot(labels), uniform])


def variations(sources: Sequence[Source], labels: Labels, seed: int) -> TrainingSet:
    """Return what chunk returns of all sources, in random order, made on all processors."""
    order = np.random.default_rng(seed).permutation(len(sources))
    parts = np.split(order, range(CHUNK, len(order), CHUNK))
    spawn = multiprocessing.get_context("spawn")  # a fork of TensorFlow's threads may hang
    with concurrent.futures.ProcessPoolExecutor(mp_context=spawn) as pool:
        tasks = [
            pool.submit(chunk, [sources[index] for index in part], labels[part], [seed, number])
            for number, part in enumerate(parts)
        ]
        inputs, targets = zip(*(task.result() for task in tasks), strict=True)
    return np.concatenate(inputs), np.concatenate(targets)


def drawn_digits(count: int, seed: int | Sequence[int]) -> Examples:
    """Return pen strokes of count digits in MNIST's form, with labels."""
    pictures, labels = strokes.pen_digits(count, np.random.default_rng(seed))
    return in_mnist_form(pictures), labels


def training_set(images: Pixels, labels: Labels, seed: int) -> TrainingSet:
    """Return the inputs and targets that the recogniser is trained on.

    images: of MNIST, each taken three times as it is, and twice as people would; to them come
    UCI's first digits, many times, and about as many pen strokes as images: half in styles of many
    schools, and those of thirty people four times.
    """
    uci, uci_labels = uci_pictures(TRAINING)
    styles, style_labels = strokes.pen_styles(len(images) // 2)
    people, people_labels = pens.training_strokes()
    sources = [*images] * 2 + uci * UCI_COPIES + styles + people * PEN_COPIES
    known = [labels] * 2 + [uci_labels] * UCI_COPIES + [style_labels] + [people_labels] * PEN_COPIES
    inputs, targets = variations(sources, np.concatenate(known), seed)
    plain, plain_targets = [normalise(images)] * 3, [one_hot(labels)] * 3
    return np.concatenate([*plain, inputs]), np.concatenate([*plain_targets, targets])
