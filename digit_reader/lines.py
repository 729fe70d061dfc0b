"""Which parts of ink make a digit, and the lines in which digits are read."""

import itertools
from collections.abc import Iterable

import numpy as np

from digit_reader.parts import Part, overlap
from digit_reader.thresholds import THRESHOLDS


def belongs(part: Part, other: Part) -> bool:
    """Return whether two parts are of one digit: linked, overlapping, stacked, or one a stroke."""
    limits = THRESHOLDS.lines
    across = overlap(part.left, part.right, other.left, other.right)
    down = overlap(part.top, part.bottom, other.top, other.bottom)
    tall, short = max(part.height, other.height), min(part.height, other.height)
    gap = max(
        max(part.left, other.left) - min(part.right, other.right),
        max(part.top, other.top) - min(part.bottom, other.bottom),
    )
    if part.linked & other.linked and gap < limits.link_gap * tall:
        return True
    if down <= 0 and across > limits.stacked_overlap:
        return are_stacked(part, other, across, gap)
    if down > 0 and gap < limits.stem_gap * tall and is_stem_of_four(part, other):
        return True
    is_stroke = short < limits.beside_height * tall and down > 0
    return gap < limits.beside_gap * tall and (across > limits.beside_overlap or is_stroke)


def are_stacked(part: Part, other: Part, across: float, gap: int) -> bool:
    """Return whether two parts above each other are of one digit: a 5 and its bar, or two halves.

    across: how far they overlap in width. gap: pixels between them.
    """
    limits, (short, tall) = THRESHOLDS.lines, sorted((part.height, other.height))
    if min(part.height - part.width, other.height - other.width) > 0:
        return False  # two tall ones are two digits
    is_bar = short < limits.bar_height * tall and across > limits.bar_overlap
    return gap < (limits.bar_gap if is_bar else limits.stacked_gap) * (tall + short + gap)


def is_stem_of_four(part: Part, other: Part) -> bool:
    """Return whether the right one of two parts stands as a 4's stem does, lower than its corner.

    Two digits of a line stand about equally high.
    """
    limits = THRESHOLDS.lines
    corner, stem = sorted((part, other), key=lambda part: (part.left, part.top))
    top, bottom = stem.top - corner.top, stem.bottom - corner.bottom
    lowest, highest = (share * corner.height for share in limits.stem_drop)
    is_narrow = stem.width < limits.stem_aspect * stem.height
    is_stem = is_narrow and stem.height > limits.stem_height * corner.height
    return is_stem and min(top, bottom) > lowest and top < highest


def without_frames(parts: list[Part]) -> list[Part]:
    """Return parts without those around another one, boxes and circles, and without underlines.

    An underline is wider than any digit is high, as no bar of a 5 is.
    """
    aspect = THRESHOLDS.lines.max_aspect
    inner = [part for part in parts if not any(surrounds(part, other) for other in parts)]
    highest = max((part.height for part in inner), default=0)
    return [p for p in inner if p.width <= max(highest, aspect * p.height)]


def surrounds(part: Part, other: Part) -> bool:
    """Return whether a part reaches beyond another one, which is no speck, on all sides."""
    edge = THRESHOLDS.lines.frame_edge * other.height
    beyond = other.left - part.left, other.top - part.top
    beyond += part.right - other.right, part.bottom - other.bottom
    return min(beyond) > edge and other.height > THRESHOLDS.lines.framed_height * part.height


def digits_in(parts: Iterable[Part]) -> list[list[Part]]:
    """Return parts joined where they belong to one digit, as lines from above, left to right.

    What is much smaller than the longest part is no digit; two digits that were joined by mistake
    do not count as one.
    """
    parts = sorted(parts, key=lambda part: -part.height)
    max_aspect, joined = THRESHOLDS.lines.max_aspect, list[Part]()
    for part in parts:
        near = next((other for other in joined if belongs(part, other)), None)
        if near:
            joined.remove(near)
            part = near.joined(part)
        joined.append(part)
    longest = max((p.length for p in parts if p.width < max_aspect * p.height), default=0)
    narrow = [part for part in joined if part.width < max_aspect * part.height]
    return lines_of(p for p in narrow if p.height > THRESHOLDS.lines.min_height * longest)


def lines_of(parts: Iterable[Part]) -> list[list[Part]]:
    """Return parts by lines from above, each line from left to right.

    Each part continues the line of which one of the last two parts stands beside it: lines may
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
    limits, height = THRESHOLDS.lines, np.median([part.height for part in line])
    gaps = np.array([b.left - a.right for a, b in itertools.pairwise(line)])
    if not len(gaps):
        return [False]
    usual = max(np.quantile(gaps, 0.25), 0)
    widest_within = max(limits.number_gap * height, limits.number_gap_usual * usual)
    if len(gaps) == 1:
        widest_within = limits.number_gap_of_two * height
    return [False, *(gaps > widest_within).tolist()]
