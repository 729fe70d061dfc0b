"""UCI's digits: 8 by 8 pixels, by 13 other writers; and pictures in MNIST's form."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sklearn.datasets
from jaxtyping import UInt8

from digit_reader.centre import centre_like_mnist
from mnist_study.arrays import Examples, Images, Labels

# Some train the digit recogniser, some calibrate it, and the rest are for tests.
TRAINING, CALIBRATION, TEST = slice(700), slice(700, 1_000), slice(1_000, None)


def in_mnist_form(pictures: Sequence[np.ndarray]) -> Images:
    """Return pictures of bright ink on black, each cropped and centred as MNIST's are."""
    return np.stack([centre_like_mnist(picture) for picture in pictures])[..., np.newaxis]


def uci_pictures(part: slice) -> tuple[list[UInt8[np.ndarray, "8 8"]], Labels]:
    """Return a part of scikit-learn's copy of UCI's digits, and their labels."""
    uci: Any = sklearn.datasets.load_digits()
    return [(15 * image).astype(np.uint8) for image in uci.images[part]], uci.target[part]


def uci_digits(part: slice = slice(None)) -> Examples:
    """Return a part of UCI's digits in MNIST's form, with labels; all of them by default."""
    pictures, labels = uci_pictures(part)
    return in_mnist_form(pictures), labels
