"""Data augmentation by random corruptions of a batch: noise, blur, contrast, occlusion, outlines.

A batch comes in random order. So fixed places in it are a random draw: each kind of corruption
works on an eighth of a batch, and costs next to nothing for the rest.
"""

import dataclasses
import enum
from collections.abc import Callable, Collection

import numpy as np
from jaxtyping import Float32

from mnist_study.augment import PIXELS, SIDE, Batch, Seed, Tensor
from mnist_study.backend import tf

BATCH = 128  # a batch is a multiple of it
BLUR = 2.5  # pixels: the largest standard deviation
BACKGROUND = 0.6  # the largest grey value of paper
NOISE, PEPPER = 0.35, 0.25  # the largest standard deviation; the largest share of pixels
FAINTEST = 0.08  # the smallest contrast of ink on paper, as a share of what is possible
INVERTED = 1 / 3  # share of images that are inverted, of those whose contrast changes

Images = Float32[Tensor, "n 784"]
axis = np.arange(SIDE, dtype=np.float32)
SQUARED = (axis[:, np.newaxis] - axis) ** 2  # of the distance between two rows
ROWS, COLUMNS = np.divmod(np.arange(PIXELS, dtype=np.float32), SIDE)


class Family(enum.StrEnum):
    """The kinds of corruption that training can add, apart from geometry (augment.py)."""

    NOISE = "noise"
    BLUR = "blur"
    CONTRAST = "contrast"
    OCCLUSION = "occlusion"
    OUTLINES = "outlines"


@dataclasses.dataclass(frozen=True)
class Every:
    """Every eighth run of so many images of a batch, from a first one on."""

    run: int
    first: int

    def change(self, images: Images, change: Callable[[Images], Images]) -> Images:
        """Return the images with these changed."""
        parts = tf.reshape(images, (-1, 8, self.run, PIXELS))
        here = tf.reshape(parts[:, self.first], (-1, PIXELS))
        changed = tf.reshape(change(here), (-1, 1, self.run, PIXELS))
        parts = tf.concat([parts[:, : self.first], changed, parts[:, self.first + 1 :]], 1)
        return tf.reshape(parts, (-1, PIXELS))


def uniform(seed: Seed, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Return uniform draws of that shape."""
    return tf.random.stateless_uniform(shape, seed, low, high)  # pyright: ignore[reportArgumentType]


def blurred(images: Images, seed: Seed) -> Images:
    """Return the images, 16 in a row blurred by one Gaussian: matrices from left and right."""
    groups = images.shape[0] // 16
    deviation = uniform(seed, groups, 1, 1, low=0.3, high=BLUR)
    kernel = tf.exp(-0.5 * SQUARED / deviation**2)
    kernel /= tf.reduce_sum(kernel, -1, keepdims=True)  # so that blank paper keeps its grey value
    pictures = tf.reshape(images, (groups, 16, SIDE, SIDE))
    return tf.reshape(tf.einsum("gik,gnkl,gjl->gnij", kernel, pictures, kernel), (-1, PIXELS))


def contrast_changed(images: Images, seed: Seed) -> Images:
    """Return the images with less contrast on paper of another grey, a share of them inverted."""
    n = images.shape[0]
    paper, ink, turned = tf.unstack(uniform(seed, 3, n, 1))
    paper = BACKGROUND * paper
    ink = paper + (1 - paper) * (FAINTEST + (1 - FAINTEST) * ink)
    changed = paper + (ink - paper) * images
    return tf.where(turned < INVERTED, 1 - changed, changed)


def noisy(images: Images, seed: Seed) -> Images:
    """Return the images with Gaussian noise of random strength."""
    deviation = uniform(seed, images.shape[0], 1, high=NOISE)
    noise = tf.random.stateless_normal(images.shape, seed + 1)
    return tf.clip_by_value(images + deviation * noise, 0, 1)


def peppered(images: Images, seed: Seed) -> Images:
    """Return the images with a random share of their pixels black or white."""
    share = uniform(seed, images.shape[0], 1, high=PEPPER) / 2
    draw = uniform(seed + 1, *images.shape)
    return tf.where(draw < share, 0.0, tf.where(draw > 1 - share, 1.0, images))


def occluded(images: Images, seed: Seed) -> Images:
    """Return the images with a random rectangle or band, inverted or filled with a grey value.

    In a quarter of the images all but a larger rectangle or band is.
    """
    draws = uniform(seed, 8, images.shape[0], 1)
    top, left, tall, wide, band, grey, inverted, around = tf.unstack(draws)
    around = around < 0.25
    tall, wide = (3 + 11 * side + tf.where(around, 8.0, 0.0) for side in (tall, wide))
    top, left = (SIDE - tall) * top, (SIDE - wide) * left
    here = (left <= COLUMNS) & (left + wide > COLUMNS)
    here &= (band < 0.5) | ((top <= ROWS) & (top + tall > ROWS))
    return tf.where(here ^ around, tf.where(inverted < 0.5, 1 - images, grey), images)


def crossed(images: Images, seed: Seed) -> Images:
    """Return the images with a stroke across: straight, in zigzag or dotted."""
    n = images.shape[0]
    row, column, turn, width, swing, period, dotted, zigzag, grey = tf.unstack(uniform(seed, 9, n, 1))
    row, column, turn = 6 + 15 * row, 6 + 15 * column, np.pi * turn
    along = (COLUMNS - column) * tf.cos(turn) + (ROWS - row) * tf.sin(turn)
    across = (ROWS - row) * tf.cos(turn) - (COLUMNS - column) * tf.sin(turn)
    phase = along / (4 + 8 * period)
    triangle = 4 * tf.abs(phase - tf.floor(phase) - 0.5) - 1
    across -= tf.where(zigzag < 0.5, 1 + 4 * swing, 0.0) * triangle
    ink = tf.clip_by_value(0.8 + width - tf.abs(across), 0, 1)
    gaps = (dotted < 0.4) & (phase * 2 - tf.floor(phase * 2) < 0.5)
    return tf.maximum(images, tf.where(gaps, 0.0, ink * (0.5 + 0.5 * grey)))


def outlined(images: Images, seed: Seed) -> Images:
    """Return the outlines of the strokes: what a dilation by one pixel adds to them."""
    pictures = tf.reshape(images, (-1, SIDE, SIDE))
    padded = tf.pad(pictures, [[0, 0], [1, 1], [1, 1]])
    tall = tf.maximum(tf.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    grown = tf.maximum(tf.maximum(tall[..., :-2], tall[..., 1:-1]), tall[..., 2:])
    return tf.reshape(tf.clip_by_value(2 * (grown - pictures), 0, 1), (-1, PIXELS))


# Two layers of corruptions that take their eighths of a batch independently of each other: what
# changes the strokes, and what changes the light. So some three in eight images stay as they are.
LAYERS: dict[Family, list[tuple[Every, Callable[[Images, Seed], Images]]]] = {
    Family.OUTLINES: [(Every(16, 0), outlined)],
    Family.OCCLUSION: [(Every(16, 1), occluded), (Every(16, 2), crossed)],
    Family.BLUR: [(Every(2, 0), blurred)],
    Family.CONTRAST: [(Every(2, 1), contrast_changed)],
    Family.NOISE: [(Every(2, 2), noisy), (Every(2, 3), peppered)],
}


@tf.function(autograph=False)
def corrupt(images: Batch, seed: Seed, families: Collection[str]) -> Batch:
    """Return the images, some of them corrupted by the families. n: a multiple of BATCH.

    Each kind of corruption comes to an eighth of the images. Equal seeds give equal results.
    """
    flat = tf.reshape(images, (-1, PIXELS))
    for family, kinds in LAYERS.items():
        for every, change in kinds if family in families else []:
            seed += 3  # each kind takes up to three
            flat = every.change(flat, lambda x, seed=seed, change=change: change(x, seed))
    return tf.reshape(flat, (-1, SIDE, SIDE, 1))
