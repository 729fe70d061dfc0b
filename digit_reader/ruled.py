"""Ruled and squared paper: which way its lines run, where they are, and the ink without them."""

import itertools
from typing import NamedTuple

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from digit_reader.rules import of

Ink = NDArray[np.float32]  # (h, w), from 0 to 1

QUANTILE = of["rule_quantile"]  # three quarters of a row must be that dark to be a rule
THICK = of["rule_thick"]  # of the picture's height at most
COLUMNS = of["columns"]  # in which it is looked for which way rules run
SEEN, RULE = of["rule_seen"], of["rule"]  # how dark the darkest rule of a page is, and any
HINT = of["rule_hint"]  # and at least where it is first looked which way they run
OVER_RULE = of["over_rule"]  # times, and more than, as dark as a rule: ink that crosses it
# Pixels that rules may fall across a page; by so many the looking goes on, and ends.
FALLS, FIRST, LAST = of["rule_falls"]
APART = of["rule_apart"]  # by which those above and below may differ where the looking begins
WIDER = of["rule_wider"]  # of the page's width: so far to both sides a rule may leave its course


class Course(NamedTuple):
    """Which way rules run: of a camera from aslant, and of a sheet that is not flat.

    Pixels by which they fall from left to right a quarter of the page from above, and from below;
    and by which their middle hangs there. Between and beyond goes on evenly.
    """

    upper: float
    lower: float
    upper_hangs: float = 0
    lower_hangs: float = 0


CHANGES = (*itertools.product((-1, 0, 1), (-1, 0, 1), (0,), (0,)),)
CHANGES += (*itertools.product((0,), (0,), (-1, 0, 1), (-1, 0, 1)),)


def falls(courses: NDArray[np.float64], height: int, width: int) -> NDArray[np.int64]:
    """Return how far the lines of each course (n, 4) have fallen at each place: (n, h, w)."""
    upper, lower, upper_hangs, lower_hangs = courses.T[:, :, np.newaxis]
    down, across = 2 * (np.arange(height) + 0.5) / height - 0.5, np.linspace(0, 1, width)
    fall = upper + (lower - upper) * down
    hangs = upper_hangs + (lower_hangs - upper_hangs) * down
    found = fall[:, :, np.newaxis] * across
    found += hangs[:, :, np.newaxis] * (4 * across * (1 - across))
    return np.rint(found).astype(int)


def straightened(ink: Ink, courses: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return ink with each course's lines as rows, (n, h, w); what leaves comes in again."""
    height, width = ink.shape
    rows = np.arange(height)[:, np.newaxis] + falls(courses, height, width)
    return ink[rows % height, np.arange(width)]


def thin(rows: NDArray[np.floating], thickest: int) -> NDArray[np.floating]:
    """Return how far rows (n, h) are darker than around, over no more than so many.

    Lines of more are a digit's own strokes in a picture cropped to it.
    """
    return rows - scipy.ndimage.grey_opening(rows, (1, thickest + 1))


def dark_lines(ink: Ink, course: NDArray[np.float64], thickest: int) -> Ink:
    """Return how dark the lines of a course (1, 4) that run right across ink are, by row: (h,)."""
    return thin(np.quantile(straightened(ink, course), QUANTILE, axis=2), thickest)[0]


def likeliest(few: Ink, courses: list[Course], step: int, thickest: int) -> tuple[float, Course]:
    """Return how much is seen of the lines of the course on which most is, and that course.

    few: every step-th pixel of the ink.
    """
    rows = straightened(few, np.array(courses) / step).mean(2, dtype=float)
    seen = np.sum(thin(rows, thickest) ** 2, 1)
    best = int(seen.argmax())
    return float(seen[best]), courses[best]


def rules_in(ink: Ink, step: int) -> tuple[Ink, Course] | None:
    """Return how dark the rules across ink are, by row (h,), and their course; None without.

    step: to look for the course at each step-th pixel only.
    """
    few = ink[::step, :: max(step, ink.shape[1] // COLUMNS)]  # a rule is seen in a few, too
    if np.mean(few.max(0) > SEEN) < 1 - QUANTILE:  # many columns hold no ink at all
        return None
    thickest, some = max(1, round(THICK * len(ink) / step)), range(-FALLS, FALLS + 1, FIRST)
    pairs = itertools.product(some, some)
    first = [Course(*pair) for pair in pairs if abs(pair[0] - pair[1]) <= APART]
    seen, course = likeliest(few, first, step, thickest)
    if dark_lines(few, np.array([course]) / step, thickest).max() < HINT:
        return None
    by = FIRST // 2
    while by >= LAST:
        near = [Course(*(a + by * b for a, b in zip(course, c, strict=True))) for c in CHANGES]
        more, better = likeliest(few, near, step, thickest)
        if more > seen:
            seen, course = more, better
        else:
            by //= 2
    lines = dark_lines(ink, np.array([course]), step * thickest + 2)
    wide = max(5, 2 * round(WIDER * ink.shape[1]) + 1)
    return (scipy.ndimage.maximum_filter1d(lines, wide), course) if lines.max() >= SEEN else None


def on_rules(ink: Ink, step: int, least: int) -> NDArray[np.bool_]:
    """Return where there are rules across ink, and nothing clearly darker: bool (h, w).

    least: as many rules there must be.
    """
    found = rules_in(ink, step)
    if found is None or scipy.ndimage.label(found[0] > RULE)[1] < least:
        return np.zeros(ink.shape, bool)
    lines, course = found
    rows = np.arange(len(ink))[:, np.newaxis] - falls(np.array([course]), *ink.shape)[0]
    line = lines[rows % len(ink)]
    times, more = OVER_RULE
    return (line > RULE) & (ink < times * line + more)


def without_rules(ink: Ink, step: int) -> Ink:
    """Return ink without rules and squares; what is clearly darker is ink and stays."""
    columns = on_rules(ink.T, step, 2).T  # a single one is a 1
    return np.where(on_rules(ink, step, 1) | columns, 0, ink)
