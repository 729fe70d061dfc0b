"""Which ink belongs together: from a page's ink to its digits, in the order of reading."""

import dataclasses
from collections.abc import Iterable

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

SMALL = 0.25  # of the longest digit's length: less high is a speck
FLAT = 6  # times as wide as high, and it is a line or a sign, not a digit
FAINT, INK = 0.15, 0.5  # ink from which on parts may be linked, and from which on it is a part
WEAK = 0.7  # the mean ink of a part that is no mere residue of rules or light
SPECK, SHORT = 1 / 20, 1 / 8  # of the largest part's ink and of the longest part: less is a speck
# How far parts of one digit are apart at most, as shares of the taller one; a stroke is a part less
# than so high beside it.
LINK_GAP, NEAR_GAP = 0.3, 0.12
STROKE_BESIDE, STROKE_ABOVE = 0.65, 0.6
# Parts that stand above each other overlap across by so much of the narrower one, and are apart by
# so much of both and the gap together: a 5 and its bar, or two halves.
STACKED_ACROSS, STROKE_ACROSS, SIDE_ACROSS = 0.25, 0.5, 0.4
STACKED_GAP, STROKE_GAP = 0.12, 0.22


@dataclasses.dataclass(frozen=True)
class Part:
    """Ink that belongs together: where it is, as slices of rows and columns, and its labels."""

    top: int
    bottom: int
    left: int
    right: int
    labels: tuple[int, ...]
    linked: frozenset[int]  # the numbers of the ink, faint links included, that it is part of

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    def joined(self, other: "Part") -> "Part":
        """Return this part and another one as one."""
        return Part(
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
            self.labels + other.labels,
            self.linked | other.linked,
        )


def overlap(low: int, high: int, other_low: int, other_high: int) -> float:
    """Return how far two ranges overlap, as a share of the shorter one; below 0: their gap."""
    shorter = max(1, min(high - low, other_high - other_low))
    return (min(high, other_high) - max(low, other_low)) / shorter


def belongs(part: Part, other: Part) -> bool:
    """Say whether two parts are of one digit: linked, overlapping, stacked, or one a stroke."""
    across = overlap(part.left, part.right, other.left, other.right)
    down = overlap(part.top, part.bottom, other.top, other.bottom)
    tall, short = max(part.height, other.height), min(part.height, other.height)
    gap = max(
        max(part.left, other.left) - min(part.right, other.right),
        max(part.top, other.top) - min(part.bottom, other.bottom),
    )
    if part.linked & other.linked and gap < LINK_GAP * tall:
        return True
    if down <= 0 and across > STACKED_ACROSS:
        is_stroke = short < STROKE_ABOVE * tall and across > STROKE_ACROSS
        return gap < (STROKE_GAP if is_stroke else STACKED_GAP) * (tall + short + gap)
    if gap >= NEAR_GAP * tall:
        return False
    return across > SIDE_ACROSS or (short < STROKE_BESIDE * tall and down > 0)


def parts_of(ink: NDArray[np.float32]) -> tuple[list[Part], NDArray]:
    """Return the connected parts of ink, without specks and weak residue; and labels (h, w)."""
    labels, count = scipy.ndimage.label(ink > INK, np.ones((3, 3)))
    links, _ = scipy.ndimage.label(ink > FAINT, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    weak = np.bincount(labels.ravel(), ink.ravel(), count + 1)[1:] < WEAK * sizes
    sizes = np.where(weak, 0, sizes)
    found = []
    for number, (rows, columns) in enumerate(scipy.ndimage.find_objects(labels), 1):
        linked = frozenset(links[rows, columns][labels[rows, columns] == number][:1].tolist())
        found.append(Part(rows.start, rows.stop, columns.start, columns.stop, (number,), linked))
    longest = max(
        max(part.height, part.width) for part, size in zip(found, sizes, strict=True) if size
    )
    kept = [
        part
        for part, size in zip(found, sizes, strict=True)
        if size >= max(1, SPECK * sizes.max()) and max(part.height, part.width) >= SHORT * longest
    ]
    return kept, labels


def digits_in(parts: Iterable[Part]) -> list[Part]:
    """Return parts joined where they belong to one digit, by lines and from left to right."""
    found: list[Part] = []
    for part in sorted(parts, key=lambda part: -part.height):
        near = next((other for other in found if belongs(part, other)), None)
        if near:
            found.remove(near)
            part = near.joined(part)
        found.append(part)
    longest = max((max(part.height, part.width) for part in found), default=0)
    digits = [p for p in found if p.width < FLAT * p.height and p.height > SMALL * longest]
    return in_order(digits)


def in_order(parts: Iterable[Part]) -> list[Part]:
    """Return parts by lines from above, each line from left to right."""
    lines: list[list[Part]] = []
    for part in sorted(parts, key=lambda part: part.top):
        middle = (part.top + part.bottom) / 2
        line = next((line for line in lines if line[0].top <= middle <= line[0].bottom), None)
        if line:
            line.append(part)
        else:
            lines.append([part])
    return [part for line in lines for part in sorted(line, key=lambda part: part.left)]
