"""Which ink belongs together: from a page's ink to its parts, and what is there beside digits."""

import dataclasses
import functools

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from digit_reader.errors import require
from digit_reader.rules import of

FAINT, INK = of["faint"], of["ink"]  # from which ink on parts may be linked, and are parts
WEAK = of["weak"]  # the mean ink of a part that is no mere residue of rules or light
SPECK, SHORT = of["speck"], of["short"]  # of the largest part's ink, and of the longest: a speck
MANY = of["many"]  # pieces of ink in a picture: with more it shows no writing
# Weak parts beside strong ones are a pale pen: so weak at most, and about as long as those.
PALE, ALIKE = of["pale"], of["alike"]
COMPANY = of["company"]  # strong ones that it is like, at least
LEAST = of["least"]  # ink that is no part, but may be a digit of a pen that ran dry
UPRIGHT, FILLS = of["upright"], of["fills"]  # its width of its height, its area of the square
# A pencil's grains: of their faint stroke so much is ink, and none is more than so much of it.
GRAINS, GRAIN = of["grains"], of["grain_most"]
BESIDE = of["beside"]  # of the smaller: two that overlap less stand beside each other
POINT = (0.05, 0.3)  # a point's length as a share of a digit's height
THICK = 0.03  # of a digit's height: what is thinner is no point and no sign
AS_HIGH = 0.5  # of a digit's height: what is higher and no digit is told
AS_HIGH_AS_DIGIT = "ink as high as a digit"
NEXT_TO = 1.2  # how far from a digit a point or a sign is at most, in digits' heights
TOLD_APART = 3_000  # the largest of them that are looked at
# What reaches in from the border and is so many times longer than all that does not is no digit.
LONGER, INNER, STRIP = of["longer"], of["inner"], of["strip"]
NEAR_BORDER = of["near_border"]  # of the shorter side: so near is at the border


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

    @property
    def length(self) -> int:
        return max(self.height, self.width)

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


@dataclasses.dataclass(frozen=True)
class Ink:
    """The ink of a picture by its parts."""

    strong: list[Part]  # which are digits, or parts of them
    weak: list[Part]  # residue of rules and light, or a pale pen
    specks: list[Part]
    labels: NDArray  # (h, w), the number of the part that a pixel belongs to


def found_in(ink: NDArray[np.float32]) -> tuple[list[Part], NDArray, NDArray, NDArray]:
    """Return all connected parts of ink, their sizes, whether they are weak, and labels (h, w)."""
    labels, count = scipy.ndimage.label(ink > INK, np.ones((3, 3)))
    links, _ = scipy.ndimage.label(ink > FAINT, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    means = np.bincount(labels.ravel(), ink.ravel(), count + 1)[1:] / np.maximum(sizes, 1)
    found = []
    places = scipy.ndimage.find_objects(labels)
    largest = np.sort(np.argsort(-sizes, kind="stable")[:TOLD_APART])
    for number in (largest + 1).tolist():
        rows, columns = places[number - 1]
        linked = frozenset(links[rows, columns][labels[rows, columns] == number][:1].tolist())
        found.append(Part(rows.start, rows.stop, columns.start, columns.stop, (number,), linked))
    return *whole_strokes(found, sizes[largest], means[largest], links), labels


def whole_strokes(
    found: list[Part], sizes: NDArray, means: NDArray, links: NDArray
) -> tuple[list[Part], NDArray, NDArray]:
    """Return parts, their sizes and means, with the grains of a pencil's digit made one part."""
    faint, together = np.bincount(links.ravel()), {}
    for n, part in enumerate(found):
        together.setdefault(part.linked, []).append(n)
    inks, kept = sizes * means, []
    for linked, members in together.items():
        whole = functools.reduce(Part.joined, [found[n] for n in members])
        size, dark = sizes[members].sum(), inks[members].sum()
        grains = size > GRAINS * faint[[*linked]].sum() and sizes[members].max() < GRAIN * size
        is_one = grains and dark >= WEAK * size and whole.width <= UPRIGHT * whole.height
        kept += [(whole, members)] if is_one else [(found[n], [n]) for n in members]
    kept.sort(key=lambda one: one[1][0])
    total = np.array([sizes[members].sum() for _, members in kept])
    ink = np.array([inks[members].sum() for _, members in kept])
    return [part for part, _ in kept], total, ink / np.maximum(total, 1)


def parts_of(ink: NDArray[np.float32]) -> Ink:
    """Return the connected parts of ink: what may be digits, weak ones, and specks."""
    found, sizes, means, labels = found_in(ink)
    usual = [n for n in range(len(found)) if means[n] >= WEAK]
    outer = {*usual} - {*without_surroundings(found, usual, sizes, ink.shape)}
    inner = [n for n in usual if n not in outer]
    largest = max((sizes[n] for n in inner), default=0)
    longest = max((found[n].length for n in inner), default=0)
    strong, specks = [], []
    for n in inner:
        is_large = sizes[n] >= max(1, SPECK * largest) and found[n].length >= SHORT * longest
        (strong if is_large else specks).append(found[n])
    require(len(strong) <= MANY, f"{len(strong)} pieces of ink are no number: crop the picture")
    weak = [found[n] for n in range(len(found)) if PALE <= means[n] < WEAK]
    strong += pale_digits(weak, strong)
    strong += faint_digits(ink, labels, strong)
    return Ink(strong, [p for p in weak if p not in strong], specks, labels)


def faint_digits(ink: NDArray[np.float32], labels: NDArray, strong: list[Part]) -> list[Part]:
    """Return parts of fainter ink, where the pen ran dry, that are like the digits beside them.

    They are labelled (h, w), too, but for what is labelled in them.
    """
    if len(strong) < COMPANY:
        return []
    taken = np.isin(labels, [number for part in strong for number in part.labels])
    faint, count = scipy.ndimage.label(ink > LEAST, np.ones((3, 3)))
    sizes = np.bincount(faint.ravel(), minlength=count + 1)
    sizes[np.unique(faint[taken])] = 0
    found = []
    for number, (rows, columns) in enumerate(scipy.ndimage.find_objects(faint), 1):
        high, wide = rows.stop - rows.start, columns.stop - columns.start
        if wide > UPRIGHT * high or sizes[number] < FILLS * high**2:
            continue  # a rule's rest is thin
        held = np.unique(labels[rows, columns][faint[rows, columns] == number])
        numbers = faint.size + number, *held[held > 0].tolist()
        part = Part(rows.start, rows.stop, columns.start, columns.stop, numbers, frozenset())
        if all(apart(part, other) for other in strong):
            found.append(part)
    kept = pale_digits(found, strong)
    for part in kept:
        own = part.labels[0]
        labels[(faint == own - faint.size) & (labels == 0)] = own
    return kept


def apart(part: Part, other: Part) -> bool:
    """Return whether a part stands beside another one, or in another line."""
    beside = overlap(part.left, part.right, other.left, other.right) < BESIDE
    return beside or overlap(part.top, part.bottom, other.top, other.bottom) < BESIDE


def without_surroundings(
    parts: list[Part], usual: list[int], sizes: NDArray, shape: tuple[int, ...]
) -> list[int]:
    """Return the numbers of parts without what reaches in from the border, a thumb or the desk.

    It is longer than all that does not, and says nothing of how large the digits are.
    """
    inner = [n for n in usual if not at_border(parts[n], shape)]
    longest = max((parts[n].length for n in inner), default=0)
    alike = [n for n in inner if parts[n].length > INNER * longest]
    if len(alike) < 2:  # one digit that fills the picture has small parts, too
        return usual
    return [n for n in usual if not surrounds(parts[n], shape, LONGER * longest)]


def surrounds(part: Part, shape: tuple[int, ...], longest: float) -> bool:
    """Return whether a part is a strip along the border, or touches it and is longer than that."""
    along, deep = part.width, part.height
    if at_side(part, shape):
        along, deep = deep, along
    return at_border(part, shape) and (part.length > longest or deep < STRIP * along)


def at_side(part: Part, shape: tuple[int, ...]) -> bool:
    """Return whether a part touches the left or right border of such a picture, or nearly."""
    near = round(NEAR_BORDER * min(shape))
    return part.left <= near or part.right >= shape[1] - near


def at_border(part: Part, shape: tuple[int, ...]) -> bool:
    """Return whether a part touches the border of a picture of that shape, or nearly."""
    near = round(NEAR_BORDER * min(shape))
    return at_side(part, shape) or part.top <= near or part.bottom >= shape[0] - near


def pale_digits(weak: list[Part], strong: list[Part]) -> list[Part]:
    """Return those of the weak parts that stand beside strong ones and are about as long."""
    low, high = ALIKE
    return [
        part
        for part in weak
        if sum(
            low * other.length <= part.length <= high * other.length
            and overlap(part.top, part.bottom, other.top, other.bottom) > 0.5
            for other in strong
        )
        >= COMPANY
    ]


def left_out(ink: Ink, lines: list[list[Part]]) -> list[str]:
    """Return in words what is there beside the digits: points, signs, ink as high as a digit."""
    digits = [part for line in lines for part in line]
    taken = {label for part in digits for label in part.labels}
    height = float(np.median([part.height for part in digits]))
    found = []
    for part in [*ink.strong, *ink.specks, *ink.weak]:
        inside = not at_border(part, ink.labels.shape)
        if not taken.isdisjoint(part.labels):
            continue
        if part.height > AS_HIGH * height:
            found.append(AS_HIGH_AS_DIGIT)
        elif inside and part not in ink.weak:  # a weak one is residue of light or of a rule
            found.append(named(part, digits, height, part in ink.specks))
    return sorted({*found} - {""})


def named(part: Part, digits: list[Part], height: float, speck: bool) -> str:
    """Return what a small part is that is no digit: a point, a sign, or "", nothing much."""
    beside = [d for d in digits if max(d.left - part.right, part.left - d.right) < NEXT_TO * height]
    beside = [d for d in beside if d.top < (part.top + part.bottom) / 2 < d.bottom + 0.3 * height]
    if not beside or min(part.height, part.width) < THICK * height:
        return ""
    low, high = POINT
    digit = min(beside, key=lambda d: abs(d.left + d.right - part.left - part.right))
    is_low = (part.top + part.bottom) / 2 > digit.top + 0.75 * digit.height
    if low * height < part.length < high * height and is_low:
        return "a point or comma"
    return "a sign" if not speck and part.width > 1.5 * part.height else ""
