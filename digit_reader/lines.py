"""Which parts of ink make a digit, and the lines in which digits are read."""

import itertools
from collections.abc import Iterable

import numpy as np

from digit_reader.parts import Part, overlap
from digit_reader.rules import of

SMALL = of["small"]  # of the longest digit's length: less high is a speck
FLAT = of["flat"]  # times as wide as high, and it is a line or a sign, not a digit
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
# A 4's stem beside its corner: how far off, of the taller one's height; how wide, of its own; how
# much lower, at least and its top at most, and how high, of the corner's.
STEM_GAP, STEM_WIDE, STEM_LOWER = of["stem_gap"], of["stem_wide"], of["stem_lower"]
STEM_HIGH = of["stem_high"]
# A gap in a line: in heights, in usual distances, and of two digits in heights.
GAP, GAP_TIMES, GAP_OF_TWO = of["gap"], of["gap_times"], of["gap_of_two"]


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
    if down > 0 and gap < STEM_GAP * tall and is_stem_of_four(part, other):
        return True
    if gap >= NEAR_GAP * tall:
        return False
    return across > SIDE_ACROSS or (short < STROKE_BESIDE * tall and down > 0)


def is_stem_of_four(part: Part, other: Part) -> bool:
    """Say whether the right one of two parts stands as a 4's stem does, lower than its corner.

    Two digits of a line stand about equally high.
    """
    corner, stem = sorted((part, other), key=lambda part: (part.left, part.top))
    top, bottom = stem.top - corner.top, stem.bottom - corner.bottom
    least, most = (share * corner.height for share in STEM_LOWER)
    is_stem = stem.width < STEM_WIDE * stem.height and stem.height > STEM_HIGH * corner.height
    return is_stem and min(top, bottom) > least and top < most


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
