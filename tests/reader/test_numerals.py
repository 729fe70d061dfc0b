"""Simulated photographs of numbers: they show the digits that they say, in one pen."""

import numpy as np
import pytest
import scipy.ndimage

from mnist_study.reader import numerals
from mnist_study.reader.numerals import Rough
from mnist_study.reader.photographs import HIGH, WIDE

ALL = np.ones((3, 3))  # pixels that touch at a corner are of one part


def ring_and_bar():
    """Return two images in MNIST's form, a ring, which is a 0, and a bar, which is a 1."""
    row, column = np.mgrid[:28, :28] - 13.5
    ring = abs(np.hypot(row / 10, column / 8) - 0.75) < 0.2
    bar = (abs(column) < 2) & (abs(row) < 10)
    return np.array([ring, bar], np.uint8) * 255, np.array([0, 1])


def parts(ink):
    """Return the parts of ink from above, then from the left: their boxes, and their holes."""
    labels, count = scipy.ndimage.label(ink, ALL)
    boxes = scipy.ndimage.find_objects(labels)
    holes = [
        scipy.ndimage.label(np.pad(labels[box] != number, 1, constant_values=True))[1] - 1
        for number, box in enumerate(boxes, 1)
    ]
    return count, boxes, holes


@pytest.mark.parametrize("seed", [*range(6), 9])  # the last has three lines of large digits
def test_as_many_digits_are_written_as_it_says_in_their_order_and_off_the_border(seed):
    generator = np.random.default_rng(seed)
    ink, shows = numerals.written(*ring_and_bar(), [Rough.LINES], generator)
    count, boxes, holes = parts(ink > 0.2)
    assert count == len("".join(shows)) and 2 <= len(shows) <= 3
    middles = [[(side.start + side.stop) / 2 for side in box] for box in boxes]
    rows = np.array_split(np.argsort([row for row, _ in middles]), len(shows))
    for line, known in zip(rows, shows, strict=True):
        ordered = sorted(line, key=lambda part: middles[part][1])
        assert "".join("01"[1 - holes[part]] for part in ordered) == known
    rows, columns = np.nonzero(ink > 0.2)
    for places, side in ((rows, HIGH), (columns, WIDE)):  # perspective takes a tenth at most
        assert places.min() > 0.1 * side and places.max() < 0.9 * side


def test_one_pair_touches_and_a_mark_is_no_digit():
    for kind, more in ((Rough.TOUCHING, -1), (Rough.MARK, 1)):
        ink, (shown,) = numerals.written(*ring_and_bar(), [kind], np.random.default_rng(2))
        assert parts(ink > 0.2)[0] == len(shown) + more


def test_whatever_makes_a_photograph_hard_shows_in_it_and_a_seed_gives_it_again():
    plain, shows = numerals.number(*ring_and_bar(), [], np.random.default_rng(3))
    assert plain.shape == (HIGH, WIDE) and plain.dtype == np.uint8
    again, same = numerals.number(*ring_and_bar(), [], np.random.default_rng(3))
    assert (again == plain).all() and same == shows
    rough, _ = numerals.number(*ring_and_bar(), [*Rough], np.random.default_rng(3))
    dark = [np.mean(picture < 100) for picture in (plain, rough)]
    assert dark[0] < 0.05 and dark[1] > 3 * dark[0]


def test_a_very_rough_photograph_has_a_pen_a_paper_and_a_light():
    found = {tuple(numerals.mixed(np.random.default_rng(seed))) for seed in range(20)}
    assert len(found) > 10
    assert all(k in kinds for mix in found for k, kinds in zip(mix, numerals.MIXES, strict=True))
