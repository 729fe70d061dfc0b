"""Pen strokes by real people: UCI's digits of 44 writers on a tablet, each as eight points.

Source: Alimoglu and Alpaydin 1998, UCI Machine Learning Repository, doi 10.24432/C5MG6K, licence
CC BY 4.0; pens.npz holds the points (x, y) from the upper left, 0 to 100. They are evenly spaced
along the pen's way, each digit is stretched to a square, and where the pen was lifted is not said:
in a 4, 5 or 7 that rises to begin another stroke, the way there is left out again.
"""

import pathlib

import numpy as np
from jaxtyping import Float, Integer, UInt8

from mnist_study.reader.strokes import Line, curve, painted

TAUGHT, TESTS = "taught", "tests"  # by 30 writers, and by the 14 others
RISES = 15  # that a pen goes up to begin another stroke, at least
TOP, BELLY = 30, 65  # a 5's bar is above the first, its belly's end below the second
BAR = 18  # by which a 7's bar rises or falls, at most
CLOSED = 20  # from a 9's beginning to where its loop closes, at most
WIDE, RADIUS = 0.65, 8  # of a digit drawn for the test: its width of its height, and the pen

Points = Float[np.ndarray, "_ 2"]


def points_of(part: str) -> tuple[UInt8[np.ndarray, "n 8 2"], Integer[np.ndarray, "n"]]:
    """Return the points of what those people drew, TAUGHT or TESTS, and the labels."""
    with np.load(pathlib.Path(__file__).with_suffix(".npz")) as kept:
        return kept[f"{part}_points"], kept[f"{part}_labels"].astype(np.int64)


def strokes_of_four(points: Points) -> list[Points]:
    """Return a 4 as its corner and its stem, if the pen rises between them."""
    down = points[:, 1]
    top = 2 + int(down[2:-1].argmin())
    corner = int(down[:top].argmax())
    rises = down[corner] - down[top]
    before = top - 1
    while before > corner and down[before] < down[corner] - RISES:
        before -= 1  # on its way up
    return [points[: before + 1], points[top:]] if rises > RISES and before else [points]


def strokes_of_five(points: Points) -> list[Points]:
    """Return a 5 as its belly and its bar, if it ends above."""
    bottom = int(points[:, 1].argmax())
    after = points[bottom + 1 :]
    bar = after[after[:, 1] < TOP]
    if not len(bar) or points[-1, 1] > TOP:
        return [points]
    belly = [*points[: bottom + 1], *after[after[:, 1] > BELLY]]
    return [np.array(belly), np.array([points[0], *bar])]


def strokes_of_seven(points: Points) -> list[Points]:
    """Return a 7 as its stem and its bar, if it ends above its lowest point."""
    bottom = int(points[:, 1].argmax())
    after = points[bottom + 1 :]
    if not len(after) or points[-1, 1] > 100 - RISES:
        return [points]
    bar = after[np.abs(after[:, 1] - points[-1, 1]) < BAR]
    if len(bar) == 1:  # begun as far to the left of the stem as it ends to the right
        right, row = bar[0]
        stem = np.interp(row, *points[bottom - 2 : bottom + 1, ::-1].T)
        bar = np.array([(max(0, 2 * stem - right), row), (right, row)])
    return [points[: bottom + 1], bar]


OF_SEVERAL = {4: strokes_of_four, 5: strokes_of_five, 7: strokes_of_seven}


def lines_of(points: UInt8[np.ndarray, "8 2"], label: int) -> list[Line]:
    """Return a digit's strokes as smooth lines."""
    strokes = OF_SEVERAL.get(label, lambda whole: [whole])(points.astype(float))
    moves = [np.any(np.diff(stroke, axis=0, prepend=-1), axis=1) for stroke in strokes]
    return [curve(stroke[moved]) for stroke, moved in zip(strokes, moves, strict=True)]


def strokes_by(part: str) -> tuple[list[list[Line]], Integer[np.ndarray, "n"]]:
    """Return the strokes of what those people drew, TAUGHT or TESTS, and the labels."""
    points, labels = points_of(part)
    return [lines_of(*drawn) for drawn in zip(points, labels.tolist(), strict=True)], labels


def strokes_taught() -> tuple[list[list[Line]], Integer[np.ndarray, "n"]]:
    """Return the strokes that teach: without 9s whose loop eight points leave open, as in a 5."""
    strokes, labels = strokes_by(TAUGHT)
    apart = np.array([np.hypot(*(line[20:] - line[0]).T).min() for line, *_ in strokes])
    kept = np.flatnonzero((labels != 9) | (apart < CLOSED))
    return [strokes[place] for place in kept], labels[kept]


def pictures_by(part: str) -> tuple[list[np.ndarray], Integer[np.ndarray, "n"]]:
    """Return the same as pictures in one pen, bright ink on black, each uint8 (112, 112)."""
    strokes, labels = strokes_by(part)
    return [painted(lines, WIDE, 0, RADIUS) for lines in strokes], labels
