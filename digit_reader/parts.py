"""Which ink belongs together: from a page's ink to its digits, in the order of reading."""

import dataclasses
import itertools
from collections.abc import Iterable

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from digit_reader.errors import require
from digit_reader.rules import of

SMALL = of["small"]  # of the longest digit's length: less high is a speck
FLAT = of["flat"]  # times as wide as high, and it is a line or a sign, not a digit
FAINT, INK = of["faint"], of["ink"]  # from which ink on parts may be linked, and are parts
WEAK = of["weak"]  # the mean ink of a part that is no mere residue of rules or light
SPECK, SHORT = of["speck"], of["short"]  # of the largest part's ink, and of the longest: a speck
# How far parts of one digit are apart at most, as shares of the taller one; a stroke is a part less
# than so high beside it.
LINK_GAP, NEAR_GAP = of["link_gap"], of["near_gap"]
STROKE_BESIDE, STROKE_ABOVE = of["stroke_beside"], of["stroke_above"]
# Parts that stand above each other overlap across by so much of the narrower one, and are apart by
# so much of both and the gap together: a 5 and its bar, or two halves.
STACKED_ACROSS, STROKE_ACROSS, SIDE_ACROSS = (
    of[name] for name in ("stacked_across", "stroke_across", "side_across")
)
STACKED_GAP, STROKE_GAP = of["stacked_gap"], of["stroke_gap"]
# A gap in a line: in heights, in usual distances, and of two digits in heights.
GAP, GAP_TIMES, GAP_OF_TWO = of["gap"], of["gap_times"], of["gap_of_two"]
MANY = of["many"]  # pieces of ink in a picture: with more it shows no writing
# Weak parts beside strong ones are a pale pen: so weak at most, and about as long as those.
PALE, ALIKE = of["pale"], of["alike"]
LEAST = of["least"]  # ink that is no part, but may be a digit of a pen that ran dry
UPRIGHT, FILLS = of["upright"], of["fills"]  # its width of its height, its area of the square
BESIDE = of["beside"]  # of the smaller: two that overlap less stand beside each other
POINT = (0.05, 0.3)  # a point's length as a share of a digit's height
THICK = 0.03  # of a digit's height: what is thinner is no point and no sign
AS_HIGH = 0.5  # of a digit's height: what is higher and no digit is told
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
        if min(part.height - part.width, other.height - other.width) > 0:
            return False  # two tall ones are two digits
        is_stroke = short < STROKE_ABOVE * tall and across > STROKE_ACROSS
        return gap < (STROKE_GAP if is_stroke else STACKED_GAP) * (tall + short + gap)
    if gap >= NEAR_GAP * tall:
        return False
    return across > SIDE_ACROSS or (short < STROKE_BESIDE * tall and down > 0)


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
    return found, sizes[largest], means[largest], labels


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
    taken = np.isin(labels, [number for part in strong for number in part.labels])
    faint, _ = scipy.ndimage.label(ink > LEAST, np.ones((3, 3)))
    known, found = {*np.unique(faint[taken]).tolist()}, {}
    for number, (rows, columns) in enumerate(scipy.ndimage.find_objects(faint), 1):
        own = faint[rows, columns] == number
        high, wide = own.shape
        if number in known or wide > high * UPRIGHT or np.sum(own) < FILLS * high**2:
            continue  # a rule's rest is thin
        held = np.unique(labels[rows, columns][own])
        numbers = faint.size + number, *held[held > 0].tolist()
        part = Part(rows.start, rows.stop, columns.start, columns.stop, numbers, frozenset())
        if all(apart(part, other) for other in strong):
            found[number] = part
    kept = pale_digits([*found.values()], strong)
    for number, part in found.items():
        if part in kept:
            labels[(faint == number) & (labels == 0)] = part.labels[0]
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
        >= 2
    ]


def digits_in(parts: Iterable[Part]) -> list[list[Part]]:
    """Return parts joined where they belong to one digit, as lines from above, left to right."""
    found: list[Part] = []
    for part in sorted(parts, key=lambda part: -part.height):
        near = next((other for other in found if belongs(part, other)), None)
        if near:
            found.remove(near)
            part = near.joined(part)
        found.append(part)
    longest = max((part.length for part in found), default=0)
    digits = [p for p in found if p.width < FLAT * p.height and p.height > SMALL * longest]
    return lines_of(digits)


def lines_of(parts: Iterable[Part]) -> list[list[Part]]:
    """Return parts by lines from above, each line from left to right.

    Each part goes on with the line of which one of the last two parts stands beside it: lines may
    slope.
    """
    lines: list[list[Part]] = []
    for part in sorted(parts, key=lambda part: part.left):
        middle = (part.top + part.bottom) / 2
        beside = [
            line
            for line in lines
            if min(p.top for p in line[-2:]) <= middle <= max(p.bottom for p in line[-2:])
        ]
        if beside:
            max(beside, key=lambda line: line[-1].left).append(part)
        else:
            lines.append([part])
    return sorted(lines, key=lambda line: np.mean([part.top + part.bottom for part in line]))


def gaps_in(line: list[Part]) -> list[bool]:
    """Return for each part of a line whether there is a gap before it, as between two numbers."""
    height = np.median([part.height for part in line])
    apart = np.array([b.left - a.right for a, b in itertools.pairwise(line)])
    if not len(apart):
        return [False]
    usual = max(np.quantile(apart, 0.25), 0)
    least = max(GAP * height, GAP_TIMES * usual) if len(apart) > 1 else GAP_OF_TWO * height
    return [False, *(apart > least).tolist()]


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
            found.append("ink as high as a digit")
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
