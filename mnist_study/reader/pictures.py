"""What the reader learns from: digits of many pens and styles, as people's pictures show them."""

import concurrent.futures
import itertools
import math
import multiprocessing
import pathlib
import string
from collections.abc import Sequence

import matplotlib
import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import scipy.ndimage
from jaxtyping import Bool, Float32, Integer, UInt8

from digit_reader.centre import centre_like_mnist
from mnist_study.arrays import Examples, Images, Labels, Pixels, Targets
from mnist_study.core.data import normalise, one_hot
from mnist_study.reader import pens
from mnist_study.reader.strokes import (
    SIDE,
    Line,
    Picture,
    by_hand,
    curve,
    drawn,
    pen_digit,
    pen_digits,
    pen_styles,
)
from mnist_study.reader.uci import TAUGHT, in_mnist_form, uci_pictures

MARGIN = 14  # pixels around a digit, so that it may be bent without leaving the picture
FONTS = ("DejaVu*[!y]", "STIXGeneral*")  # of Matplotlib; DejaVu's Display fonts lack letters
# Letters and signs that are no digits; O, I, l, S and Z could be.
LETTERS = sorted({*string.ascii_letters, *"+=?&#@%$<>*"} - set("OoIlSsZz"))
UCI_COPIES = 50  # of each that is taught: they are few
PEN_COPIES = 4  # of each pen stroke of people
SMOOTH, BLOCKS = PIL.Image.Resampling.BICUBIC, PIL.Image.Resampling.NEAREST
CHUNK = 500  # pictures that one process makes at a time
DIGITS_TO_OTHERS = 8  # pictures of digits for each that shows none
PENNED = 0.25  # of MNIST's digits are drawn anew, with a pen of one width
PEN = (1.5, 6)  # its radius in pixels of a picture: log-uniform between

# Brings five numbers to a smooth line of SIDE; the products of two do so with a field.
BEND = scipy.ndimage.zoom(np.eye(5, dtype=np.float32), (SIDE / 5, 1), order=2)

# A picture, bright ink on black, or what to draw: a style, or somebody's strokes.
Shown = np.ndarray | str | list[Line]

Drawing = Float32[np.ndarray, "112 112"]  # bright ink on black, from 0 to 1
Prepared = Float32[np.ndarray, "28 28"]  # in MNIST's form
Generator = np.random.Generator


def bent(picture: Drawing, generator: Generator) -> Drawing:
    """Return a picture sheared, stretched, turned and smoothly bent."""
    axis = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"))
    turn, shear = generator.uniform(-0.17, 0.17), generator.uniform(-0.3, 0.3)
    tall, wide = 1 + generator.uniform(-0.3, 0.3, 2)
    sine, cosine = math.sin(turn), math.cos(turn)
    matrix = np.array(
        [[cosine * tall, sine * wide + shear], [-sine * tall, cosine * wide]], np.float32
    )
    places = np.tensordot(matrix.T, grid, 1)
    coarse = generator.normal(0, generator.uniform(0, 5), (2, 5, 5)).astype(np.float32)
    places += BEND @ coarse @ BEND.T
    return scipy.ndimage.map_coordinates(picture, places + (SIDE - 1) / 2, order=1)


def another_pen(picture: Drawing, generator: Generator) -> Drawing:
    """Return the picture drawn with a wider or a finer pen, of 2 to 6 pixels more or less."""
    pixels = int(generator.integers(-6, 7))
    if pixels >= 2:
        return scipy.ndimage.maximum_filter(picture, pixels + 1)
    finer = scipy.ndimage.minimum_filter(picture, max(1, 1 - pixels))
    return finer if finer.sum() > 0.4 * picture.sum() else picture


def taken(picture: Drawing, generator: Generator) -> Drawing:
    """Return the picture as cameras take it: blurred, of another resolution, another contrast."""
    if generator.random() < 0.5:
        picture = scipy.ndimage.gaussian_filter(picture, generator.uniform(0.5, 3))
    picture = picture / max(picture.max(), 1e-3)
    if generator.random() < 0.3:
        picture = (picture > generator.uniform(0.3, 0.6)).astype(np.float32)
    if generator.random() < 0.5:
        side = int(generator.integers(10, 41))
        small = PIL.Image.fromarray(picture).resize((side, side), PIL.Image.Resampling.BOX)
        picture = np.asarray(small.resize((SIDE, SIDE), SMOOTH))
    return np.clip(picture, 0, 1) ** math.exp(generator.uniform(-0.5, 0.5))


def variation(picture: Picture, generator: Generator) -> Prepared:
    """Return a picture, bright ink on black, as somebody else's would be, in MNIST's form."""
    way = SMOOTH if generator.random() < 0.8 else BLOCKS
    side = SIDE - 2 * MARGIN
    large = PIL.Image.fromarray(picture).resize((side, side), way)
    drawing = np.pad(np.asarray(large, np.float32) / 255, MARGIN)
    drawing = taken(another_pen(bent(drawing, generator), generator), generator)
    return centre_like_mnist(np.where(drawing > 0.1 * drawing.max(), drawing, 0))


def peeled() -> Bool[np.ndarray, "2 256"]:
    """Return which neighbourhoods lose their middle in each half of a step of thinning.

    A neighbourhood's number has a bit for each pixel around, clockwise from the one above.
    """
    near = (np.arange(256)[:, np.newaxis] >> np.arange(8) & 1).astype(bool)
    count, turns = near.sum(1), (~near & np.roll(near, -1, 1)).sum(1)  # turns: lines that meet
    may = (count >= 2) & (count <= 6) & (turns == 1)
    above, right, below, left = near[:, ::2].T
    ends = above & right & below, right & below & left, above & right & left, above & below & left
    return np.stack([may & ~(ends[0] | ends[1]), may & ~(ends[2] | ends[3])])


PEELED = peeled()
AROUND = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]])


def thinned(ink: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Return lines one pixel wide where ink was; source: Zhang and Suen 1984, CACM 27(3)."""
    before = -1
    while before != np.count_nonzero(ink):
        before = np.count_nonzero(ink)
        for lost in PEELED:
            near = scipy.ndimage.correlate(ink.astype(np.int32), AROUND, mode="constant")
            ink = ink & ~lost[near]
    return ink


def penned(picture: Picture, generator: Generator) -> UInt8[np.ndarray, "112 112"]:
    """Return a digit, bright ink on black, drawn anew with a pen of one width: (112, 112)."""
    inner = SIDE - 2 * MARGIN
    large = PIL.Image.fromarray(picture).resize((inner, inner), SMOOTH)
    lines = thinned(np.pad(np.asarray(large) > 100, MARGIN))
    radius = math.exp(generator.uniform(*np.log(PEN)))
    away = scipy.ndimage.distance_transform_edt(~lines)
    return (255 * np.clip(radius + 0.5 - away, 0, 1)).astype(np.uint8)


def scribble(digits: Sequence[np.ndarray], generator: Generator) -> Picture:
    """Return a picture of a pen's random strokes."""
    sizes = generator.integers(3, 9, generator.integers(1, 5))
    strokes = [curve(generator.uniform(5, 95, (size, 2))) for size in sizes]
    return drawn(strokes, generator)


def letter_page(
    letter: str, font: str | pathlib.Path, size: int, side: int, place: float, anchor: str
) -> Picture:
    """Return a letter, bright on black, with its anchor (as Pillow names it) at place, place."""
    page = PIL.Image.new("L", (side, side))
    letters = PIL.ImageFont.truetype(font, size)
    PIL.ImageDraw.Draw(page).text((place, place), letter, 255, letters, anchor)
    return np.asarray(page)


def letter(digits: Sequence[np.ndarray], generator: Generator) -> Picture:
    """Return a picture of a random letter or sign in a random font."""
    folder = pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf")
    fonts = sorted(folder.glob(str(generator.choice(FONTS)) + ".ttf"))
    font = fonts[generator.integers(len(fonts))]
    return letter_page(str(generator.choice(LETTERS)), font, 84, SIDE, SIDE / 2, "mm")


def pair(digits: Sequence[np.ndarray], generator: Generator) -> Picture:
    """Return a picture of two of the digits, of MNIST's size, that touch."""
    one, other = (digits[number] for number in generator.integers(len(digits), size=2))
    shift = int(generator.integers(12, 21))
    page = np.zeros((28 + shift,) * 2, np.uint8)
    page[shift // 2 : shift // 2 + 28, :28] = one
    part = page[shift // 2 : shift // 2 + 28, shift:]
    np.maximum(part, other, out=part)
    return page


def picture_of(shown: Shown, of_mnist: bool | np.bool, generator: Generator) -> np.ndarray:
    """Return what is shown as a picture: strokes are drawn, MNIST's digits are now and then."""
    if isinstance(shown, str):
        return pen_digit(shown, generator)
    if isinstance(shown, list):
        return drawn(by_hand(shown, generator), generator)
    return penned(shown, generator) if of_mnist and generator.random() < PENNED else shown


def chunk(
    pictures: Sequence[Shown],
    labels: Integer[np.ndarray, "_"],
    of_mnist: Bool[np.ndarray, "_"],
    seed: Sequence[int],
) -> tuple[Float32[np.ndarray, "n 28 28"], Float32[np.ndarray, "n 10"]]:
    """Return a variation of each picture, and what it shows, and of some that show no digit.

    of_mnist: which pictures are MNIST's, the digits that pairs are made of.
    """
    generator = np.random.default_rng(seed)
    digits = [np.asarray(shown) for shown, known in zip(pictures, of_mnist, strict=True) if known]
    found = [
        variation(picture_of(picture, known, generator), generator)
        for picture, known in zip(pictures, of_mnist, strict=True)
    ]
    others = (scribble, letter, scribble, letter, pair)
    for number in range(len(pictures) // DIGITS_TO_OTHERS):
        found.append(variation(others[number % 5](digits, generator), generator))
    none = np.full((len(found) - len(pictures), 10), 0.1, np.float32)
    return np.stack(found), np.concatenate([one_hot(labels), none])


def variations(
    pictures: Sequence[Shown],
    labels: Integer[np.ndarray, "_"],
    of_mnist: Bool[np.ndarray, "_"],
    seed: int,
) -> tuple[Images, Targets]:
    """Return what chunk does of all pictures, in random order, made on all processors."""
    rows = np.random.default_rng(seed).permutation(len(pictures))
    parts = np.split(rows, range(CHUNK, len(rows), CHUNK))
    spawn = multiprocessing.get_context("spawn")  # a fork of TensorFlow's threads may hang
    with concurrent.futures.ProcessPoolExecutor(mp_context=spawn) as pool:
        tasks = [
            pool.submit(chunk, [pictures[r] for r in part], labels[part], of_mnist[part], [seed, n])
            for n, part in enumerate(parts)
        ]
        done = [task.result() for task in tasks]
    inputs, targets = (np.concatenate(part) for part in zip(*done, strict=True))
    return inputs[..., np.newaxis], targets


def drawn_digits(count: int, seed: int | Sequence[int]) -> Examples:
    """Return pen strokes of digits in MNIST's form, with labels."""
    pictures, labels = pen_digits(count, np.random.default_rng(seed))
    return in_mnist_form([*pictures]), labels


def training_set(
    images: Pixels, labels: Labels, seed: int
) -> tuple[Float32[np.ndarray, "m 28 28 1"], Float32[np.ndarray, "m 10"]]:
    """Return what the reader of people's digits learns from.

    images: of MNIST, each taken three times as it is, and twice as people would; to them come
    UCI's first digits, many times, and about as many pen strokes as images: half in styles of many
    schools, and those of thirty people four times.
    """
    uci, uci_labels = uci_pictures(TAUGHT)
    styles, style_labels = pen_styles(len(images) // 2)
    people, people_labels = pens.strokes_taught()
    pictures = [*images] * 2 + uci * UCI_COPIES + styles + people * PEN_COPIES
    copies = [labels] * 2, [uci_labels] * UCI_COPIES, [style_labels], [people_labels] * PEN_COPIES
    all_labels = np.concatenate(list(itertools.chain(*copies)))
    of_mnist = np.arange(len(pictures)) < 2 * len(images)
    inputs, targets = variations(pictures, all_labels, of_mnist, seed)
    plain = [normalise(images)] * 3
    return np.concatenate([*plain, inputs]), np.concatenate([*[one_hot(labels)] * 3, targets])
