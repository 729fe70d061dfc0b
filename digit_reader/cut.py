"""Digits that touch: where a part of ink may be cut into two, each in MNIST's form."""

import dataclasses

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from digit_reader.centre import centre_like_mnist
from digit_reader.thresholds import THRESHOLDS


@dataclasses.dataclass(frozen=True)
class Cut:
    """A part's two halves, left and right, and at what share of its width it is cut."""

    place: float
    halves: tuple[NDArray[np.float32], NDArray[np.float32]]  # each (28, 28)


def is_wide(ink: NDArray[np.float32]) -> bool:
    """Return whether a part's ink (h, w) is so wide that it may be two digits."""
    width, height = np.count_nonzero(ink.any(0)), np.count_nonzero(ink.any(1))
    return bool(width >= THRESHOLDS.cut.min_aspect * height)


def cropped(ink: NDArray, least: float = 0) -> NDArray:
    """Return ink (h, w) cut to where it is more than least."""
    rows, columns = (np.flatnonzero((ink > least).any(axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def reduced(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a part's ink (h, w), cropped, with few pixels a side."""
    ink = cropped(ink)
    scale = min(1, THRESHOLDS.cut.side / max(ink.shape))
    height, width = (max(1, round(scale * side)) for side in ink.shape)
    small = PIL.Image.fromarray(ink).resize((width, height), PIL.Image.Resampling.BOX)
    return np.asarray(small)


def cuts_of(ink: NDArray[np.float32]) -> list[Cut]:
    """Return the cuts worth trying of a part's ink (h, w), as reduced gives it."""
    return [cut for slope in THRESHOLDS.cut.slopes for cut in cuts_along(ink, slope)]


def cuts_along(ink: NDArray[np.float32], slope: float) -> list[Cut]:
    """Return the cuts of that slope that go through the least ink."""
    height, width = ink.shape
    rows, columns = np.mgrid[:height, :width]
    across = np.rint(columns + slope * (rows - height / 2)).astype(int).clip(0, width - 1)
    crossed = np.bincount(across.ravel(), ink.ravel(), width)
    low, high = (round(share * width) for share in THRESHOLDS.cut.inner)
    distance = THRESHOLDS.cut.min_distance * width
    places: list[int] = []
    for place in low + np.argsort(crossed[low:high], kind="stable"):
        if all(abs(place - other) > distance for other in places):
            places.append(int(place))
    places = places[: THRESHOLDS.cut.per_slope]
    cuts = [(place / width, across < place) for place in places]
    return [
        Cut(share, (centre_like_mnist(one), centre_like_mnist(other)))
        for share, left in cuts
        if is_high(one := np.where(left, ink, 0)) and is_high(other := np.where(left, 0, ink))
    ]


def is_high(half: NDArray[np.float32]) -> bool:
    """Return whether the ink of a half, in the place of its part (h, w), is as high as a digit."""
    rows = np.flatnonzero((half > THRESHOLDS.parts.link).any(1))
    return bool(len(rows) and np.ptp(rows) + 1 >= THRESHOLDS.cut.min_height * len(half))
