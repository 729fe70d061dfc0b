"""What people's own pictures look like: digits of many pens and styles, as they get prepared."""

import concurrent.futures
import math
import multiprocessing
import pathlib
import string

import matplotlib
import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import scipy.ndimage
import sklearn.datasets

from digit_reader.centre import centre_like_mnist
from mnist_study.data import one_hot, prepare
from mnist_study.pens import SIDE, curve, drawn, pen_digits

AXIS = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
GRID = np.stack(np.meshgrid(AXIS, AXIS, indexing="ij"))
FONTS = ("DejaVu*[!y]", "STIXGeneral*")  # of Matplotlib; DejaVu's Display fonts lack letters
# Letters and signs that are no digits; O, I, l, S and Z could be.
LETTERS = sorted({*string.ascii_letters, *"+=?&#@%$<>*"} - set("OoIlSsZz"))
# UCI's digits: some are taught, some set the levels of doubt, and the rest is the test.
UCI_TAUGHT, UCI_CALIBRATES, UCI_TESTS = slice(700), slice(700, 1_000), slice(1_000, None)
SPAWN = multiprocessing.get_context("spawn")  # a fork of TensorFlow's threads may hang
SMOOTH, BLOCKS = PIL.Image.Resampling.BICUBIC, PIL.Image.Resampling.NEAREST
CHUNK = 500  # pictures that one process makes at a time


def bent(picture, generator):
    """Return a picture, float32 (112, 112), sheared, stretched, turned and smoothly bent."""
    turn, shear = generator.uniform(-0.17, 0.17), generator.uniform(-0.3, 0.3)
    tall, wide = 1 + generator.uniform(-0.3, 0.3, 2)
    sine, cosine = math.sin(turn), math.cos(turn)
    matrix = np.float32([[cosine * tall, sine * wide + shear], [-sine * tall, cosine * wide]])
    places = np.tensordot(matrix.T, GRID, 1)
    coarse = generator.normal(0, generator.uniform(0, 5), (2, 5, 5)).astype(np.float32)
    places += np.stack([scipy.ndimage.zoom(field, SIDE / 5, order=2) for field in coarse])
    return scipy.ndimage.map_coordinates(picture, places + (SIDE - 1) / 2, order=1)


def another_pen(picture, generator):
    """Return the picture drawn with a wider or a finer pen, of 2 to 6 pixels more or less."""
    pixels = int(generator.integers(-6, 7))
    if pixels >= 2:
        return scipy.ndimage.maximum_filter(picture, pixels + 1)
    finer = scipy.ndimage.minimum_filter(picture, max(1, 1 - pixels))
    return finer if finer.sum() > 0.4 * picture.sum() else picture


def photographed(picture, generator):
    """Return the picture blurred, taken at another resolution, with another contrast."""
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


def as_photographed(picture, generator):
    """Return a picture, uint8 (h, w), bright ink on black, as somebody else's would be prepared.

    Returns float32 (28, 28).
    """
    way = SMOOTH if generator.random() < 0.8 else BLOCKS
    large = PIL.Image.fromarray(picture).resize((SIDE - 28,) * 2, way)
    picture = np.pad(np.asarray(large, np.float32) / 255, 14)
    picture = photographed(another_pen(bent(picture, generator), generator), generator)
    return centre_like_mnist(np.where(picture > 0.1 * picture.max(), picture, 0))


def scribble(digits, generator):
    """Return a picture of a pen's random strokes: uint8 (112, 112)."""
    sizes = generator.integers(3, 9, generator.integers(1, 5))
    strokes = [curve(generator.uniform(5, 95, (size, 2))) for size in sizes]
    return drawn(strokes, generator)


def letter(digits, generator):
    """Return a picture of a random letter or sign in a random font: uint8 (112, 112)."""
    folder = pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf")
    fonts = sorted(folder.glob(str(generator.choice(FONTS)) + ".ttf"))
    font = PIL.ImageFont.truetype(fonts[generator.integers(len(fonts))], 84)
    page = PIL.Image.new("L", (SIDE, SIDE))
    PIL.ImageDraw.Draw(page).text((56, 56), str(generator.choice(LETTERS)), 255, font, "mm")
    return np.asarray(page)


def pair(digits, generator):
    """Return a picture of two of the digits, uint8 (n, 28, 28), that touch: uint8 (h, h)."""
    one, other = (digits[number] for number in generator.integers(len(digits), size=2))
    shift = int(generator.integers(12, 21))
    page = np.zeros((28 + shift,) * 2, np.uint8)
    page[shift // 2 : shift // 2 + 28, :28] = one
    part = page[shift // 2 : shift // 2 + 28, shift:]
    np.maximum(part, other, out=part)
    return page


def chunk(images, labels, seed):
    """Return pictures of one chunk, prepared, and what they show: float32 (n, 28, 28), (n, 10).

    images: a list of uint8 (h, w); to every eight of them comes one picture that shows no digit.
    """
    generator = np.random.default_rng(seed)
    digits = [image for image in images if len(image) == 28]
    found = [as_photographed(image, generator) for image in images]
    others = (scribble, letter, scribble, letter, pair)
    for number in range(len(images) // 8):
        found.append(as_photographed(others[number % 5](digits, generator), generator))
    none = np.full((len(found) - len(images), 10), 0.1)
    return np.stack(found), np.concatenate([np.eye(10)[labels], none])


def prepared_pictures(pictures, labels, seed):
    """Return pictures as people would take them, prepared, made on all processors; see chunk.

    pictures: a list of uint8 (h, w); labels: (n,). Returns float32 (m, 28, 28, 1), (m, 10).
    """
    rows = np.random.default_rng(seed).permutation(len(pictures))
    parts = np.split(rows, range(CHUNK, len(rows), CHUNK))
    with concurrent.futures.ProcessPoolExecutor(mp_context=SPAWN) as pool:
        tasks = [
            pool.submit(chunk, [pictures[row] for row in part], labels[part], [seed, number])
            for number, part in enumerate(parts)
        ]
        done = [task.result() for task in tasks]
    inputs, shares = (np.concatenate(part).astype(np.float32) for part in zip(*done, strict=True))
    return inputs[..., np.newaxis], shares


def uci_pictures(rows):
    """Return UCI's digits in those rows of scikit-learn's: a list of uint8 (8, 8), labels (n,)."""
    uci = sklearn.datasets.load_digits()
    return [(15 * image).astype(np.uint8) for image in uci.images[rows]], uci.target[rows]


def uci_prepared(rows):
    """Return UCI's digits in those rows, prepared: float32 (n, 28, 28, 1), labels (n,)."""
    images, labels = uci_pictures(rows)
    return np.stack([centre_like_mnist(image) for image in images])[..., np.newaxis], labels


def pens_prepared(count, seed):
    """Return pen strokes of digits, prepared: float32 (n, 28, 28, 1), labels (n,)."""
    pictures, labels = pen_digits(count, np.random.default_rng(seed))
    return np.stack([centre_like_mnist(picture) for picture in pictures])[..., np.newaxis], labels


def training_set(images, labels, seed):
    """Return what the reader of people's digits learns from: float32 (m, 28, 28, 1), (m, 10).

    images: of MNIST, uint8 (n, 28, 28), each taken three times as it is and twice as people would;
    to them come UCI's first digits, fifty times, and half as many strokes as images, in new styles.
    """
    uci, uci_labels = uci_pictures(UCI_TAUGHT)
    pens, pen_labels = pen_digits(len(images) // 2, np.random.default_rng([seed, 9]))
    pictures = [*images] * 2 + uci * 50 + [*pens]
    all_labels = np.concatenate([*[labels] * 2, *[uci_labels] * 50, pen_labels])
    inputs, shares = prepared_pictures(pictures, all_labels, seed)
    plain, targets = [prepare(images)] * 3, [one_hot(labels)] * 3
    return np.concatenate([*plain, inputs]), np.concatenate([*targets, shares])
