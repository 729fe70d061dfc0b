"""Damage on purpose: ten ways to spoil a digit, each from not at all to badly."""

import math
import string

import matplotlib.font_manager
import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import scipy.ndimage

from digit_reader.centre import centre_like_mnist
from mnist_study.deform import CENTRED, SHARED, warp
from mnist_study.training import probabilities
from mnist_study.trial import noisy


def mapped(images, matrix, shift=(0, 0)):
    """Return float32 images (n, 28, 28, 1) whose pixels come from the matrix times their place."""
    positions = CENTRED @ np.array(matrix, np.float32) + np.array(shift, np.float32)
    return warp(images, np.broadcast_to(positions, (len(images) // SHARED, 784, 2))).numpy()


def rotated(images, degrees):
    """Return the images turned by so many degrees."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return mapped(images, [[cosine, sine], [-sine, cosine]])


def occluded(images, side):
    """Return the images with a black square of so many pixels at a random place over the digit."""
    generator, images = np.random.default_rng(1), images.copy()
    corners = generator.integers(4, 25 - side, (len(images), 2))
    for image, (row, column) in zip(images, corners, strict=True):
        image[row : row + side, column : column + side] = 0
    return images


def windowed(filtered, images, pixels):
    """Return the images filtered with a window of 1 plus so many pixels a side."""
    return filtered(images, size=(1, 1 + pixels, 1 + pixels, 1))


HOW = {  # what is done to images x, so strongly
    "rotation, degrees": rotated,
    "shift, pixels": lambda x, by: mapped(x, np.eye(2), (0, by)),
    "shrinking, share of size": lambda x, by: mapped(x, np.eye(2) / (1 - by)),
    "shear": lambda x, by: mapped(x, [[1, by], [0, 1]]),
    "noise, standard deviation": lambda x, by: noisy(x, by, seed=1),
    "blur, pixels": lambda x, by: scipy.ndimage.gaussian_filter(x, (0, by, by, 0)),
    "thicker strokes, pixels": lambda x, by: windowed(scipy.ndimage.maximum_filter, x, by),
    "thinner strokes, pixels": lambda x, by: windowed(scipy.ndimage.minimum_filter, x, by),
    "occlusion, pixels": occluded,
    "inverted contrast": lambda x, by: np.abs(by - x),
}
STRENGTHS = [  # of each, in that order, from none on
    (0, 10, 20, 25, 30, 45, 60),
    (0, 1, 2, 3, 4, 6),
    (0, 0.1, 0.2, 0.3, 0.4, 0.5),
    (0, 0.2, 0.4, 0.6, 0.8),
    (0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5),
    (0, 0.5, 1, 1.5, 2, 3),
    (0, 1, 2, 3, 4),
    (0, 1, 2),
    (0, 4, 6, 8, 10, 12),
    (0, 0.05, 0.1, 0.15, 0.2, 0.5, 1),
]


def robustness(models, inputs, labels):
    """Return the accuracy of each model (by name) under each damage, a list of records.

    inputs: float32 (n, 28, 28, 1), n a multiple of 32; labels: (n,).
    """
    found = []
    for (kind, spoil), strengths in zip(HOW.items(), STRENGTHS, strict=True):
        for strength in strengths:
            spoilt = np.asarray(spoil(inputs, strength), np.float32)
            for name, model in models.items():
                right = probabilities(model, spoilt).argmax(1) == labels
                entry = {"corruption": kind, "severity": strength, "model": name}
                found.append(entry | {"accuracy": float(np.mean(right))})
    return found


def letter_image(letter):
    """Return a letter in the font DejaVu Sans, prepared as MNIST's digits: float32 (28, 28)."""
    font = PIL.ImageFont.truetype(matplotlib.font_manager.findfont("DejaVu Sans"), 64)
    page = PIL.Image.new("L", (128, 128))
    PIL.ImageDraw.Draw(page).text((32, 16), letter, 255, font)
    return centre_like_mnist(np.asarray(page))


def no_digits():
    """Return pictures that are no digits, by kind: float32 (n, 28, 28, 1) each."""
    letters = [letter for letter in string.ascii_letters if letter not in "OoIlSsZz"]  # 0 1 5 2
    found = {"letters": np.stack([letter_image(letter) for letter in letters])}
    found["noise"] = np.random.default_rng(1).random((500, 28, 28), np.float32)
    found["blank page"] = np.zeros((1, 28, 28), np.float32)
    return {kind: images[..., np.newaxis] for kind, images in found.items()}
