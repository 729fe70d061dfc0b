"""From any picture to its digits in MNIST's form: each one's ink, cropped, scaled and centred."""

import dataclasses

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from digit_reader.centre import centre_like_mnist
from digit_reader.errors import require
from digit_reader.ink import ink_of
from digit_reader.parts import Part, digits_in, parts_of
from digit_reader.picture import Picture, brightness, upright
from digit_reader.reading import Box

SOFT = 0.12  # of a digit's longer side: how far its soft edges reach beyond it
TRACE = 0.1  # less ink is paper


@dataclasses.dataclass(frozen=True)
class Cutout:
    """One digit of a picture, before it is read: where it is, and in MNIST's form (28, 28)."""

    box: Box
    prepared: NDArray[np.float32]


def ink_near(ink: NDArray, labels: NDArray, part: Part) -> NDArray[np.float32]:
    """Return the ink of a part with its soft edges, cut to the part: (h, w)."""
    edge = max(2, round(SOFT * max(part.height, part.width)))
    rows = slice(max(0, part.top - edge), part.bottom + edge)
    columns = slice(max(0, part.left - edge), part.right + edge)
    ink, own = ink[rows, columns], np.isin(labels[rows, columns], part.labels)
    near = scipy.ndimage.maximum_filter(own, 2 * edge + 1)
    return np.where(near & (ink > TRACE), ink, 0)


def digits_of(image: Picture) -> list[Cutout]:
    """Return the digits in a picture in reading order.

    Raises PictureError, which says what is wrong, where there are none.
    """
    ink = ink_of(brightness(upright(image)))
    parts, labels = parts_of(ink)
    parts, (height, width) = digits_in(parts), ink.shape
    require(parts, "there are only lines in the picture: crop it to a digit")
    return [
        Cutout(
            (part.left / width, part.top / height, part.right / width, part.bottom / height),
            centre_like_mnist(ink_near(ink, labels, part)),
        )
        for part in parts
    ]


def prepare_digit(image: Picture) -> NDArray[np.float32]:
    """Return a picture of one digit in MNIST's form, (28, 28), 0 to 1; or raise PictureError."""
    found = digits_of(image)
    require(len(found) == 1, f"there are {len(found)} digits in the picture: crop it to one")
    return found[0].prepared
