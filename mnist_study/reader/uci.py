"""UCI's digits: 8 by 8 pixels, by 13 other writers, and pictures in MNIST's form."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sklearn.datasets
from jaxtyping import UInt8

from digit_reader.centre import centre_like_mnist
from mnist_study.arrays import Examples, Images, Labels

# Some are taught, some set the levels of doubt, and the rest is the test.
TAUGHT, CALIBRATES, TESTS = slice(700), slice(700, 1_000), slice(1_000, None)


def in_mnist_form(pictures: Sequence[np.ndarray]) -> Images:
    """Return pictures of bright ink on black, each cropped and centred as MNIST's are."""
    return np.stack([centre_like_mnist(picture) for picture in pictures])[..., np.newaxis]


def uci_pictures(rows: slice) -> tuple[list[UInt8[np.ndarray, "8 8"]], Labels]:
    """Return UCI's digits in those rows of scikit-learn's, and their labels."""
    uci: Any = sklearn.datasets.load_digits()
    return [(15 * image).astype(np.uint8) for image in uci.images[rows]], uci.target[rows]


def uci_digits(rows: slice = slice(None)) -> Examples:
    """Return UCI's digits, of 13 other writers, in those rows and in MNIST's form, with labels."""
    pictures, labels = uci_pictures(rows)
    return in_mnist_form(pictures), labels
