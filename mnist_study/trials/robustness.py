"""Damage on purpose: ten ways to spoil a digit, each from not at all to badly."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.ndimage
from numpy.typing import ArrayLike

from mnist_study.arrays import Images, Labels
from mnist_study.core.backend import keras
from mnist_study.core.deform import GRID, PIXELS, SHARED, warp
from mnist_study.core.evaluate import accuracy, noisy


def mapped(images: Images, matrix: ArrayLike, shift: tuple[float, float] = (0, 0)) -> Images:
    """Return images whose pixels come from the matrix times their place, plus the shift.

    Places are rows and columns, in pixels from the centre.
    """
    positions = GRID @ np.array(matrix, np.float32) + np.array(shift, np.float32)
    shared = np.broadcast_to(positions, (len(images) // SHARED, PIXELS, 2))
    return np.asarray(warp(images, shared))


def rotated(images: Images, degrees: float) -> Images:
    """Return the images turned by so many degrees."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return mapped(images, [[cosine, sine], [-sine, cosine]])


def occluded(images: Images, side: int) -> Images:
    """Return the images with a black square of so many pixels at a random place over the digit."""
    generator, images = np.random.default_rng(1), images.copy()
    corners = generator.integers(4, 25 - side, (len(images), 2))
    for image, (row, column) in zip(images, corners, strict=True):
        image[row : row + side, column : column + side] = 0
    return images


def blurred(images: Images, deviation: float) -> Images:
    """Return the images blurred by a Gaussian of that standard deviation, in pixels."""
    return scipy.ndimage.gaussian_filter(images, (0, deviation, deviation, 0))


def thicker(images: Images, pixels: int) -> Images:
    """Return the images with each pixel the brightest in a window 1 and so many pixels wide."""
    return scipy.ndimage.maximum_filter(images, (1, 1 + pixels, 1 + pixels, 1))


def thinner(images: Images, pixels: int) -> Images:
    """Return the images with each pixel the darkest in a window 1 and so many pixels wide."""
    return scipy.ndimage.minimum_filter(images, (1, 1 + pixels, 1 + pixels, 1))


@dataclasses.dataclass(frozen=True)
class Damage:
    """What is done to images, and how strongly: from not at all to badly."""

    name: str
    spoil: Callable[[Images, Any], np.ndarray]
    strengths: tuple[float, ...]


DAMAGES = (
    Damage("rotation, degrees", rotated, (0, 10, 20, 25, 30, 45, 60)),
    Damage("shift, pixels", lambda x, by: mapped(x, np.eye(2), (0, by)), (0, 1, 2, 3, 4, 6)),
    Damage(
        "shrinking, share of size",
        lambda x, by: mapped(x, np.eye(2) / (1 - by)),
        (0, 0.1, 0.2, 0.3, 0.4, 0.5),
    ),
    Damage("shear", lambda x, by: mapped(x, [[1, by], [0, 1]]), (0, 0.2, 0.4, 0.6, 0.8)),
    Damage(
        "noise, standard deviation",
        lambda x, by: noisy(x, by, seed=1),
        (0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5),
    ),
    Damage("blur, pixels", blurred, (0, 0.5, 1, 1.5, 2, 3)),
    Damage("thicker strokes, pixels", thicker, (0, 1, 2, 3, 4)),
    Damage("thinner strokes, pixels", thinner, (0, 1, 2)),
    Damage("occlusion, pixels", occluded, (0, 4, 6, 8, 10, 12)),
    Damage("inverted contrast", lambda x, by: np.abs(by - x), (0, 0.05, 0.1, 0.15, 0.2, 0.5, 1)),
)


def robustness(
    models: Mapping[str, keras.Model], inputs: Images, labels: Labels
) -> list[dict[str, Any]]:
    """Return the accuracy of each model (by name) under each damage, a list of records.

    inputs: n a multiple of 32.
    """
    found, whole = [], {name: accuracy(model, inputs, labels) for name, model in models.items()}
    for damage in DAMAGES:
        for strength in damage.strengths:
            spoilt = np.asarray(damage.spoil(inputs, strength), np.float32) if strength else inputs
            entry = {"corruption": damage.name, "severity": strength}
            for name, model in models.items():
                right = accuracy(model, spoilt, labels) if strength else whole[name]
                found.append(entry | {"model": name, "accuracy": right})
    return found
