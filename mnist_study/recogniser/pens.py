"""Pen strokes by real people: UCI's digits of 44 writers on a tablet, each as eight points.

Source: Alimoglu and Alpaydin 1998, UCI Machine Learning Repository, doi 10.24432/C5MG6K, licence
CC BY 4.0; pens.npz holds the points (x, y) from the upper left, 0 to 100. They are evenly spaced
along the pen's way, each digit is stretched to a square, and where the pen was lifted is unknown:
in a 4, 5 or 7 that rises to begin another stroke, the way there is left out again.
"""

import pathlib

import numpy as np
from jaxtyping import Float, UInt8

from mnist_study.arrays import Labels
from mnist_study.recogniser.strokes import Large, Line, curve, paint

TRAINING, TEST = "taught", "tests"  # the parts of pens.npz: by 30 writers, and by the 14 others
RISE = 15  # minimum by which a pen goes up to begin another stroke
TOP, BELLY = 30, 65  # a 5's bar is above the first, its belly's end below the second
BAR = 18  # maximum by which a 7's bar rises or falls
CLOSED = 20  # maximum distance from a 9's beginning to where its loop closes
WIDTH, RADIUS = 0.65, 8  # of a digit drawn for the test: its width of its height, and the pen

Points = Float[np.ndarray, "_ 2"]


def strokes_of_four(points: Points) -> list[Points]:
    """Return a 4 as its corner and its stem, if the pen rises between them."""
    y = points[:, 1]
    top = 2 + int(y[2:-1].argmin())
    corner = int(y[:top].argmax())
    end = top - 1
    while end > corner and y[end] < y[corner] - RISE:
        end -= 1  # on its way up
    return [points[: end + 1], points[top:]] if y[corner] - y[top] > RISE and end else [points]


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
    if not len(after) or points[-1, 1] > 100 - RISE:
        return [points]
    bar = after[np.abs(after[:, 1] - points[-1, 1]) < BAR]
    if len(bar) == 1:  # begun as far to the left of the stem as it ends to the right
        right, row = bar[0]
        stem = np.interp(row, *points[bottom - 2 : bottom + 1, ::-1].T)
        bar = np.array([(max(0, 2 * stem - right), row), (right, row)])
    return [points[: bottom + 1], bar]


STROKES_OF = {4: strokes_of_four, 5: strokes_of_five, 7: strokes_of_seven}


def lines_of(points: UInt8[np.ndarray, "8 2"], label: int) -> list[Line]:
    """Return a digit's strokes as smooth lines."""
    strokes = STROKES_OF.get(label, lambda whole: [whole])(points.astype(float))
    # A spline needs points that differ from the one before.
    return [curve(stroke[np.diff(stroke, axis=0, prepend=-1).any(1)]) for stroke in strokes]


def strokes_by(part: str) -> tuple[list[list[Line]], Labels]:
    """Return the strokes of the digits of a part, TRAINING or TEST, and their labels."""
    with np.load(pathlib.Path(__file__).with_suffix(".npz")) as arrays:
        points, labels = arrays[f"{part}_points"], arrays[f"{part}_labels"].astype(np.int64)
    return [lines_of(*digit) for digit in zip(points, labels.tolist(), strict=True)], labels


def training_strokes() -> tuple[list[list[Line]], Labels]:
    """Return the strokes to train on: without 9s whose loop eight points leave open, as in a 5."""
    strokes, labels = strokes_by(TRAINING)
    gaps = np.array([np.hypot(*(line[20:] - line[0]).T).min() for line, *_ in strokes])
    closed = np.flatnonzero((labels != 9) | (gaps < CLOSED))
    return [strokes[index] for index in closed], labels[closed]


def pictures_by(part: str) -> tuple[list[Large], Labels]:
    """Return the same as pictures in one pen, and the labels."""
    strokes, labels = strokes_by(part)
    return [paint(lines, WIDTH, 0, RADIUS) for lines in strokes], labels
