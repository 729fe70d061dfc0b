"""Digits that touch: where a part of ink may be cut into two, each in MNIST's form."""

import dataclasses

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from digit_reader.centre import centre_like_mnist
from digit_reader.rules import of

SIDE = of["cut_side"]  # pixels of a part's longer side at which cuts are looked for
NARROW = of["cut_wide"]  # of its height: a part that is less wide is one digit
HIGH = of["cut_high"]  # of the part's height: two digits that touch are about equally high
FAINT = of["faint"]  # from which ink on a half's height counts
SLOPES = of["cut_slopes"]  # of a cut: columns that it goes over a row
INNER = of["cut_inner"]  # of the width: where a cut may go
EACH = of["cut_each"]  # cuts that are tried of each slope, those through the least ink
APART = of["cut_apart"]  # of the width: how far two of them are apart


@dataclasses.dataclass(frozen=True)
class Cut:
    """A part's two halves, left and right, and at what share of its width it is cut."""

    place: float
    halves: tuple[NDArray[np.float32], NDArray[np.float32]]  # each (28, 28)


def is_wide(ink: NDArray[np.float32]) -> bool:
    """Return whether a part's ink (h, w) is so wide that it may be two digits."""
    return bool(np.count_nonzero(ink.any(0)) >= NARROW * np.count_nonzero(ink.any(1)))


def cropped(ink: NDArray, least: float = 0) -> NDArray:
    """Return ink (h, w) cut to where it is more than least."""
    rows, columns = (np.flatnonzero((ink > least).any(axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def reduced(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a part's ink (h, w), cropped, with at most SIDE pixels a side."""
    ink = cropped(ink)
    scale = min(1, SIDE / max(ink.shape))
    height, width = (max(1, round(scale * side)) for side in ink.shape)
    small = PIL.Image.fromarray(ink).resize((width, height), PIL.Image.Resampling.BOX)
    return np.asarray(small)


def cuts_of(ink: NDArray[np.float32]) -> list[Cut]:
    """Return the cuts worth trying of a part's ink (h, w), as reduced gives it."""
    return [cut for slope in SLOPES for cut in cuts_along(ink, slope)]


def cuts_along(ink: NDArray[np.float32], slope: float) -> list[Cut]:
    """Return the cuts of that slope that go through the least ink."""
    height, width = ink.shape
    rows, columns = np.mgrid[:height, :width]
    across = np.rint(columns + slope * (rows - height / 2)).astype(int).clip(0, width - 1)
    crossed = np.bincount(across.ravel(), ink.ravel(), width)
    low, high = (round(share * width) for share in INNER)
    found: list[int] = []
    for place in low + np.argsort(crossed[low:high], kind="stable"):
        if all(abs(place - other) > APART * width for other in found):
            found.append(int(place))
    cuts = [(place / width, across < place) for place in found[:EACH]]
    return [
        Cut(share, (centre_like_mnist(one), centre_like_mnist(other)))
        for share, left in cuts
        if is_high(one := np.where(left, ink, 0)) and is_high(other := np.where(left, 0, ink))
    ]


def is_high(half: NDArray[np.float32]) -> bool:
    """Return whether the ink of a half, in the place of its part (h, w), is as high as a digit."""
    rows = np.flatnonzero((half > FAINT).any(1))
    return bool(len(rows) and np.ptp(rows) + 1 >= HIGH * len(half))
