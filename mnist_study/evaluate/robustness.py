"""Ten corruptions of digits in increasing strength, and the accuracy under each."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.ndimage
from numpy.typing import ArrayLike

from mnist_study.arrays import Images, Labels
from mnist_study.augment import GRID, PIXELS, SHARED, warp
from mnist_study.backend import keras
from mnist_study.evaluate.accuracy import accuracy, noisy


def mapped(images: Images, matrix: ArrayLike, shift: tuple[float, float] = (0, 0)) -> Images:
    """Return images whose pixels come from the matrix times their position, plus the shift.

    Positions are rows and columns, in pixels from the centre. n: a multiple of SHARED.
    """
    positions = GRID @ np.array(matrix, np.float32) + np.array(shift, np.float32)
    shared = np.broadcast_to(positions, (len(images) // SHARED, PIXELS, 2))
    return np.asarray(warp(images, shared))


def rotated(images: Images, degrees: float) -> Images:
    """Return the images rotated by that angle."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return mapped(images, [[cosine, sine], [-sine, cosine]])


def occluded(images: Images, side: int) -> Images:
    """Return the images with a black square of that side, in pixels, at a random position."""
    generator, images = np.random.default_rng(1), images.copy()
    corners = generator.integers(4, 25 - side, (len(images), 2))
    for image, (row, column) in zip(images, corners, strict=True):
        image[row : row + side, column : column + side] = 0
    return images


def blurred(images: Images, deviation: float) -> Images:
    """Return the images blurred by a Gaussian of that standard deviation, in pixels."""
    return scipy.ndimage.gaussian_filter(images, (0, deviation, deviation, 0))


def thicker(images: Images, pixels: int) -> Images:
    """Return the images with each pixel the brightest in a window of 1 + pixels on each side."""
    return scipy.ndimage.maximum_filter(images, (1, 1 + pixels, 1 + pixels, 1))


def thinner(images: Images, pixels: int) -> Images:
    """Return the images with each pixel the darkest in a window of 1 + pixels on each side."""
    return scipy.ndimage.minimum_filter(images, (1, 1 + pixels, 1 + pixels, 1))


@dataclasses.dataclass(frozen=True)
class Corruption:
    """A way to corrupt images; its strengths begin with none."""

    name: str
    apply: Callable[[Images, Any], np.ndarray]
    strengths: tuple[float, ...]


CORRUPTIONS = (
    Corruption("rotation, degrees", rotated, (0, 10, 20, 25, 30, 45, 60)),
    Corruption("shift, pixels", lambda x, by: mapped(x, np.eye(2), (0, by)), (0, 1, 2, 3, 4, 6)),
    Corruption(
        "shrinking, share of size",
        lambda x, by: mapped(x, np.eye(2) / (1 - by)),
        (0, 0.1, 0.2, 0.3, 0.4, 0.5),
    ),
    Corruption("shear", lambda x, by: mapped(x, [[1, by], [0, 1]]), (0, 0.2, 0.4, 0.6, 0.8)),
    Corruption(
        "noise, standard deviation",
        lambda x, by: noisy(x, by, seed=1),
        (0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5),
    ),
    Corruption("blur, pixels", blurred, (0, 0.5, 1, 1.5, 2, 3)),
    Corruption("thicker strokes, pixels", thicker, (0, 1, 2, 3, 4)),
    Corruption("thinner strokes, pixels", thinner, (0, 1, 2)),
    Corruption("occlusion, pixels", occluded, (0, 4, 6, 8, 10, 12)),
    Corruption("contrast shift", lambda x, by: np.abs(by - x), (0, 0.05, 0.1, 0.15, 0.2, 0.5, 1)),
)


def corrupted_accuracies(
    model: keras.Model, inputs: Images, labels: Labels
) -> dict[str, list[float]]:
    """Return the model's accuracy under each corruption, by its name: one for each strength.

    inputs: n a multiple of SHARED.
    """
    clean = accuracy(model, inputs, labels)
    return {
        corruption.name: [
            accuracy(model, np.asarray(corruption.apply(inputs, strength), np.float32), labels)
            if strength
            else clean
            for strength in corruption.strengths
        ]
        for corruption in CORRUPTIONS
    }
