"""From any picture to its digits in MNIST's form: each one's ink, cropped, scaled and centred."""

import dataclasses

import numpy as np
import scipy.ndimage

from digit_reader.centre import centre_like_mnist
from digit_reader.ink import ink_of
from digit_reader.parts import digits_in, parts_of
from digit_reader.picture import brightness, require, upright


@dataclasses.dataclass(frozen=True)
class Digit:
    """One digit of a picture.

    box: left, top, right and bottom, as shares of the picture's width and height.
    prepared: float32 (28, 28) in [0, 1], as MNIST's digits are.
    """

    box: tuple
    prepared: np.ndarray


def ink_near(ink, labels, part):
    """Return the ink of a part with its soft edges: float32 (h, w), cut to the part."""
    edge = max(2, round(0.12 * max(part.height, part.width)))
    rows = slice(max(0, part.top - edge), part.bottom + edge)
    columns = slice(max(0, part.left - edge), part.right + edge)
    ink, own = ink[rows, columns], np.isin(labels[rows, columns], part.labels)
    near = scipy.ndimage.maximum_filter(own, 2 * edge + 1)
    return np.where(near & (ink > 0.1), ink, 0)


def digits_of(image):
    """Return the digits in a picture (path, bytes, image, array) in reading order, as Digits.

    Raises ValueError, which says what is wrong, where there are none.
    """
    ink = ink_of(brightness(upright(image)))
    parts, labels = parts_of(ink)
    parts, (height, width) = digits_in(parts), ink.shape
    require(parts, "there are only lines in the picture: crop it to a digit")
    return [
        Digit(
            (part.left / width, part.top / height, part.right / width, part.bottom / height),
            centre_like_mnist(ink_near(ink, labels, part)),
        )
        for part in parts
    ]


def prepare_digit(image):
    """Return a picture of one digit as float32 (28, 28) in [0, 1]; or ValueError."""
    found = digits_of(image)
    require(len(found) == 1, f"there are {len(found)} digits in the picture: crop it to one")
    return found[0].prepared
