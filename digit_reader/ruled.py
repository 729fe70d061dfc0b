"""Ruled and squared paper: which way its rules run, where they are, and the ink without them."""

import itertools
from typing import NamedTuple

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from digit_reader.thresholds import THRESHOLDS

Ink = NDArray[np.float32]  # (h, w), from 0 to 1


class Course(NamedTuple):
    """Which way rules run, seen by a tilted camera, on a sheet that is not flat.

    Pixels by which they fall from left to right, a quarter of the page from above and from below;
    and pixels by which their middle sags there. Between and beyond, both change linearly.
    """

    upper: float
    lower: float
    upper_sag: float = 0
    lower_sag: float = 0


CHANGES = (*itertools.product((-1, 0, 1), (-1, 0, 1), (0,), (0,)),)
CHANGES += (*itertools.product((0,), (0,), (-1, 0, 1), (-1, 0, 1)),)


def fall_by_column(
    courses: NDArray[np.float64], width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, by column, how far rules fall a quarter from above, and how much more from below.

    courses: (n, 4). Each (n, width), in pixels.
    """
    across = np.linspace(0, 1, width)
    sag = 4 * across * (1 - across)
    upper, lower, upper_sag, lower_sag = courses.T[:, :, np.newaxis]
    return (
        upper * across + upper_sag * sag,
        (lower - upper) * across + (lower_sag - upper_sag) * sag,
    )


def straightened(ink: Ink, courses: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return ink with each course's rules as rows, (n, h, w); what leaves comes in again."""
    height, width = ink.shape
    upper, more = fall_by_column(courses, width)
    down = (2 * (np.arange(height) + 0.5) / height - 0.5)[:, np.newaxis]
    rows = np.rint(upper[:, np.newaxis] + more[:, np.newaxis] * down).astype(np.int32)
    rows += np.arange(height, dtype=np.int32)[:, np.newaxis]
    rows %= height
    return ink.ravel().take(rows * width + np.arange(width, dtype=np.int32))


def straight_rows(shape: tuple[int, int], course: Course) -> NDArray[np.int64]:
    """Return the row to which straightened takes each place of a page: (h, w)."""
    height, width = shape
    (upper,), (more,) = fall_by_column(np.array([course]), width)
    rows = np.arange(height)[:, np.newaxis] - upper - more * (1 / height - 0.5)
    return np.rint(rows / np.maximum(1 + 2 * more / height, 0.1)).astype(int) % height


def thin(rows: NDArray[np.floating], thickest: int) -> NDArray[np.floating]:
    """Return how far rows (n, h) are darker than around, where at most so many are dark together.

    Thicker lines are a digit's own strokes in a picture cropped to it.
    """
    return rows - scipy.ndimage.grey_opening(rows, (1, thickest + 1))


def dark_lines(straight: Ink, thickest: int) -> Ink:
    """Return how dark the lines are that run right across, by row (h,); straight: straightened."""
    rows = np.quantile(straight, THRESHOLDS.ruled.quantile, axis=1)
    return thin(rows[np.newaxis], thickest)[0]


def is_of_paper(lines: Ink, straight: Ink, darkest: float) -> bool:
    """Return whether lines are of the paper: paler than its darkest ink, or up to its border.

    A digit's strokes may run as straight across a picture that is cropped to it.
    """
    if lines.max() < THRESHOLDS.ruled.paler * darkest:
        return True
    rows = lines > THRESHOLDS.ruled.min_ink
    edge = max(1, round(THRESHOLDS.ruled.border * straight.shape[1]))
    ends = straight[rows][:, :edge].mean(), straight[rows][:, -edge:].mean()
    return bool(max(ends) > lines[rows].mean() / 2)


def likeliest(few: Ink, courses: list[Course], step: int, thickest: int) -> tuple[float, Course]:
    """Return the energy of the course along which most is seen of the rules, and that course.

    few: every step-th pixel of the ink.
    """
    rows = straightened(few, np.array(courses) / step).mean(2, dtype=float)
    energy = np.sum(thin(rows.astype(np.float32), thickest) ** 2, 1, dtype=float)
    best = int(energy.argmax())
    return float(energy[best]), courses[best]


def max_thickness(height: int, step: int) -> int:
    """Return how many rows a rule is thick at most, where only every step-th row is looked at."""
    return max(1, round(THRESHOLDS.ruled.thickness * height / step))


def coarse_course(few: Ink, step: int, width: int, thickest: int) -> tuple[float, Course]:
    """Return what likeliest does of straight courses in wide steps, for a page of that width."""
    limits = THRESHOLDS.ruled
    farthest, apart = (round(share * width) for share in (limits.max_fall, limits.max_difference))
    falls = range(-farthest, farthest + 1, max(1, round(limits.first_step * width)))
    pairs = itertools.product(falls, falls)
    courses = [Course(*pair) for pair in pairs if abs(pair[0] - pair[1]) <= apart]
    return likeliest(few, courses, step, thickest)


def course_in(ink: Ink, step: int) -> Course | None:
    """Return which way rules across ink run; None where there are none.

    step: to look at each step-th row only, and at as few columns, or fewer.
    """
    limits, (height, width) = THRESHOLDS.ruled, ink.shape
    few = ink[::step, :: max(step, width // limits.columns)]
    if np.mean(few.max(0) > limits.min_darkest) < 1 - limits.quantile:  # many columns are empty
        return None
    thickest = max_thickness(height, step)
    energy, course = coarse_course(few, step, width, thickest)
    (straight,) = straightened(few, np.array([course]) / step)
    if dark_lines(straight, thickest).max() < limits.min_coarse:
        return None
    first, last = (max(1, round(share * width)) for share in (limits.first_step, limits.last_step))
    by = max(last, first // 2)
    while by >= last:  # from coarse to fine
        near = [Course(*(a + by * b for a, b in zip(course, c, strict=True))) for c in CHANGES]
        better_energy, better = likeliest(few, near, step, thickest)
        if better_energy > energy:
            energy, course = better_energy, better
        else:
            by //= 2
    return course


def on_rules(ink: Ink, step: int, min_count: int) -> NDArray[np.bool_]:
    """Return where there are rules across ink, and nothing clearly darker: bool (h, w).

    step: see course_in. min_count: with fewer rules there are none.
    """
    limits = THRESHOLDS.ruled
    nowhere, course = np.zeros(ink.shape, bool), course_in(ink, step)
    if course is None:
        return nowhere
    (straight,) = straightened(ink, np.array([course]))
    lines = dark_lines(straight, step * max_thickness(len(ink), step) + 2)
    if lines.max() < limits.min_darkest or not is_of_paper(lines, straight, float(ink.max())):
        return nowhere
    window = max(5, 2 * round(limits.deviation * ink.shape[1]) + 1)
    lines = scipy.ndimage.maximum_filter1d(lines, window)
    if scipy.ndimage.label(lines > limits.min_ink)[1] < min_count:
        return nowhere
    line = lines[straight_rows(ink.shape, course)]
    is_pale = ink < limits.crossing_factor * line + limits.crossing_offset
    return (line > limits.min_ink) & is_pale


def without_rules(ink: Ink, step: int) -> Ink:
    """Return ink without rules and squares; what is clearly darker is ink and stays."""
    columns = on_rules(ink.T, step, 2).T  # a single one is a 1
    return np.where(on_rules(ink, step, 1) | columns, 0, ink)
