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
HINT = of["rule_hint"]  # how dark it is at least in the first, coarse look
OVER_RULE = of["over_rule"]  # times, and more than, as dark as a rule: ink that crosses it
# As shares of the page's width: how far rules fall at most where the looking begins, by how much
# more above than below; the first steps, and the last.
FALLS, APART, FIRST, LAST = of["rule_falls"]
WIDER = of["rule_wider"]  # of the width: so far to both sides a rule may leave its course
# Rules are paler than the writing, by this share of the darkest ink, or reach the page's border.
PALER, BORDER = of["rule_paler"], of["rule_border"]


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


def parts_of_fall(
    courses: NDArray[np.float64], width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, by column, how far lines fall a quarter from above, and how much more from below.

    Each (n, w). What lies between and beyond goes on evenly, as straightened has it.
    """
    across = np.linspace(0, 1, width)
    hang = 4 * across * (1 - across)
    upper, lower, upper_hangs, lower_hangs = courses.T[:, :, np.newaxis]
    return (
        upper * across + upper_hangs * hang,
        (lower - upper) * across + (lower_hangs - upper_hangs) * hang,
    )


def straightened(ink: Ink, courses: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return ink with each course's lines as rows, (n, h, w); what leaves comes in again."""
    height, width = ink.shape
    upper, more = parts_of_fall(courses, width)
    down = (2 * (np.arange(height) + 0.5) / height - 0.5)[:, np.newaxis]
    falls = np.rint(upper[:, np.newaxis] + more[:, np.newaxis] * down).astype(int)
    return ink[(np.arange(height)[:, np.newaxis] + falls) % height, np.arange(width)]


def straight_rows(shape: tuple[int, int], course: Course) -> NDArray[np.int64]:
    """Return the row to which straightened takes each place of a page: (h, w)."""
    height, width = shape
    (upper,), (more,) = parts_of_fall(np.array([course]), width)
    rows = np.arange(height)[:, np.newaxis] - upper - more * (1 / height - 0.5)
    return np.rint(rows / np.maximum(1 + 2 * more / height, 0.1)).astype(int) % height


def thin(rows: NDArray[np.floating], thickest: int) -> NDArray[np.floating]:
    """Return how far rows (n, h) are darker than around, over no more than so many.

    Lines of more are a digit's own strokes in a picture cropped to it.
    """
    return rows - scipy.ndimage.grey_opening(rows, (1, thickest + 1))


def dark_lines(straight: Ink, thickest: int) -> Ink:
    """Return how dark the lines are that run right across, by row (h,), as straightened has it."""
    return thin(np.quantile(straight, QUANTILE, axis=1)[np.newaxis], thickest)[0]


def is_of_paper(lines: Ink, straight: Ink, darkest: float) -> bool:
    """Return whether lines are of the paper: paler than its darkest ink, or up to its border.

    A digit's strokes may run as straight across a picture that is cropped to it.
    """
    if lines.max() < PALER * darkest:
        return True
    rows, edge = lines > RULE, max(1, round(BORDER * straight.shape[1]))
    ends = straight[rows][:, :edge].mean(), straight[rows][:, -edge:].mean()
    return bool(max(ends) > lines[rows].mean() / 2)


def likeliest(few: Ink, courses: list[Course], step: int, thickest: int) -> tuple[float, Course]:
    """Return how much is seen of the lines of the course on which most is, and that course.

    few: every step-th pixel of the ink.
    """
    rows = straightened(few, np.array(courses) / step).mean(2, dtype=float)
    seen = np.sum(thin(rows.astype(np.float32), thickest) ** 2, 1, dtype=float)
    best = int(seen.argmax())
    return float(seen[best]), courses[best]


def course_in(ink: Ink, step: int) -> Course | None:
    """Return which way rules across ink run; None where there are none.

    step: to look for it at each step-th row only, and in as few columns, or fewer.
    """
    few = ink[::step, :: max(step, ink.shape[1] // COLUMNS)]
    if np.mean(few.max(0) > SEEN) < 1 - QUANTILE:  # many columns hold no ink at all
        return None
    farthest, apart = (round(share * ink.shape[1]) for share in (FALLS, APART))
    first, last = (max(1, round(share * ink.shape[1])) for share in (FIRST, LAST))
    thickest, some = max(1, round(THICK * len(ink) / step)), range(-farthest, farthest + 1, first)
    pairs = itertools.product(some, some)
    courses = [Course(*pair) for pair in pairs if abs(pair[0] - pair[1]) <= apart]
    seen, course = likeliest(few, courses, step, thickest)
    (straight,) = straightened(few, np.array([course]) / step)
    if dark_lines(straight, thickest).max() < HINT:
        return None
    by = max(last, first // 2)
    while by >= last:
        near = [Course(*(a + by * b for a, b in zip(course, c, strict=True))) for c in CHANGES]
        more, better = likeliest(few, near, step, thickest)
        if more > seen:
            seen, course = more, better
        else:
            by //= 2
    return course


def on_rules(ink: Ink, step: int, least: int) -> NDArray[np.bool_]:
    """Return where there are rules across ink, and nothing clearly darker: bool (h, w).

    step: see course_in. least: as many rules there must be.
    """
    nowhere, course = np.zeros(ink.shape, bool), course_in(ink, step)
    if course is None:
        return nowhere
    (straight,) = straightened(ink, np.array([course]))
    lines = dark_lines(straight, step * max(1, round(THICK * len(ink) / step)) + 2)
    if lines.max() < SEEN or not is_of_paper(lines, straight, float(ink.max())):
        return nowhere
    lines = scipy.ndimage.maximum_filter1d(lines, max(5, 2 * round(WIDER * ink.shape[1]) + 1))
    if scipy.ndimage.label(lines > RULE)[1] < least:
        return nowhere
    line, (times, more) = lines[straight_rows(ink.shape, course)], OVER_RULE
    return (line > RULE) & (ink < times * line + more)


def without_rules(ink: Ink, step: int) -> Ink:
    """Return ink without rules and squares; what is clearly darker is ink and stays."""
    columns = on_rules(ink.T, step, 2).T  # a single one is a 1
    return np.where(on_rules(ink, step, 1) | columns, 0, ink)
