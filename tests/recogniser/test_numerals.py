"""Simulated photographs of numbers: they show the digits that they say, in one pen."""

import numpy as np
import pytest
import scipy.ndimage

from mnist_study.recogniser import numerals, photographs
from mnist_study.recogniser.numerals import Rough
from mnist_study.recogniser.photographs import HEIGHT, WIDTH

EXPOSED = np.full((HEIGHT, WIDTH), 7, np.uint8)


def ring_and_bar():
    """Return two images in MNIST's form, a ring, which is a 0, and a bar, which is a 1."""
    row, column = np.mgrid[:28, :28] - 13.5
    ring = abs(np.hypot(row / 10, column / 8) - 0.75) < 0.2
    bar = (abs(column) < 2) & (abs(row) < 10)
    return np.array([ring, bar], np.uint8) * 255, np.array([0, 1])


def parts(ink):
    """Return the parts of ink: how many, their boxes, and how many holes each has."""
    labels, count = scipy.ndimage.label(ink, np.ones((3, 3)))
    boxes = scipy.ndimage.find_objects(labels)
    holes = [
        scipy.ndimage.label(np.pad(labels[box] != number, 1, constant_values=True))[1] - 1
        for number, box in enumerate(boxes, 1)
    ]
    return count, boxes, holes


@pytest.mark.parametrize("seed", [1, 9])  # the last has three lines of large digits
def test_a_page_has_the_digits_that_it_says_in_their_order_off_the_border(seed):
    ink, shows = numerals.write(*ring_and_bar(), [Rough.LINES], np.random.default_rng(seed))
    count, boxes, holes = parts(ink > 0.2)
    assert count == len("".join(shows)) and 2 <= len(shows) <= 3
    middles = [[(side.start + side.stop) / 2 for side in box] for box in boxes]
    lines = np.array_split(np.argsort([row for row, _ in middles]), len(shows))
    for line, known in zip(lines, shows, strict=True):
        ordered = sorted(line, key=lambda part: middles[part][1])
        assert "".join("01"[1 - holes[part]] for part in ordered) == known
    for places, side in zip(np.nonzero(ink > 0.2), (HEIGHT, WIDTH), strict=True):
        assert places.min() > 0.1 * side and places.max() < 0.9 * side  # perspective takes a tenth


def test_one_pair_touches_and_a_mark_is_no_digit():
    for kind, more in ((Rough.TOUCHING, -1), (Rough.MARK, 1)):
        ink, (shown,) = numerals.write(*ring_and_bar(), [kind], np.random.default_rng(2))
        assert parts(ink > 0.2)[0] == len(shown) + more


def test_a_pen_has_its_width_and_a_pencil_and_an_uneven_pen_leave_gaps():
    line = np.zeros((HEIGHT, WIDTH), bool)
    line[100:-100, 600] = True
    plain, uneven, pencil = (
        numerals.with_pen(line, 100, kinds, np.random.default_rng(2))[150:-150]
        for kinds in ([], [Rough.UNEVEN], [Rough.PENCIL])
    )
    radius = 100 * np.random.default_rng(2).uniform(0.02, 0.045)
    assert (plain > 0.3).sum(1).mean() == pytest.approx(2 * radius + 0.3, abs=0.3)
    middles = [ink[:, 600] for ink in (plain, uneven, pencil)]
    assert middles[0].std() < 1e-9 and middles[1].std() > 0.05 < middles[2].std()
    steps = [np.abs(np.diff(ink)).mean() for ink in middles]
    assert steps[1] < 0.01 and 0.05 < steps[2] < 0.3  # ink runs out slowly, paper has a grain


def test_paper_light_and_camera_show_what_makes_them_hard():
    ink = np.zeros((HEIGHT, WIDTH))
    ink[400:500, 300:900] = 1

    def drawn(make, *kinds):
        return make(ink, kinds, np.random.default_rng(5))

    assert drawn(numerals.paper).std() == 0
    ruled, squared = drawn(numerals.paper, Rough.RULES), drawn(numerals.paper, Rough.SQUARES)
    assert np.ptp(ruled.mean(1)) > 15 > np.ptp(ruled.mean(0)) and np.ptp(squared.mean(0)) > 15
    printed = drawn(numerals.paper, Rough.PRINT).min(1)
    assert printed[400:500].min() == 235 > 200 > max(printed[:400].min(), printed[500:].min())
    assert 0.015 < drawn(numerals.paper, Rough.WRINKLES).std() / 235 < 0.07
    soft, hard, hand, phone = (
        drawn(numerals.shadows, *kinds) for kinds in ([], [Rough.HARD], [Rough.HAND], [Rough.PHONE])
    )
    assert np.abs(np.diff(soft)).max() < 0.001 and np.abs(np.diff(hard)).max() > 0.01
    for shade, depth in ((hand, 0.25), (phone, 0.5)):
        assert shade[-1].min() < (1 - depth) * soft[-1].max() and shade[:100].min() > 0.5
    assert (phone[:500] > 0.9 * soft[:500]).all()  # the phone is below the number
    desk = numerals.desk_beyond_edge(np.full((HEIGHT, WIDTH), 235.0), np.random.default_rng(5))
    assert 0.02 < np.mean(desk < 200) < 0.2


class Middle(np.random.Generator):
    """A generator of random numbers whose uniform ones are the middle of their range."""

    def uniform(self, low=0.0, high=1.0, size=None):
        return (low + high) / 2 + np.zeros(size or ())


def test_a_camera_moves_the_corners_and_adds_blur_and_noise_and_a_poor_one_more(monkeypatch):
    exposed = []
    monkeypatch.setattr(photographs, "expose", lambda *given: exposed.append(given) or EXPOSED)
    page = np.full((HEIGHT, WIDTH), 200.0)
    for kinds in ([], [Rough.POOR], [Rough.ASLANT]):
        taken = numerals.camera(page, kinds, Middle(np.random.PCG64(1)))
    assert [given[1:3] for given in exposed] == [(1, 3.4), (2.5, 8.5), (1, 3.4)]
    assert taken.shape == (HEIGHT, WIDTH) and taken.mean() == pytest.approx(7, abs=0.5)
    page[:, :36] = 0  # is off the picture where the camera is aslant, which takes a twentieth
    numerals.camera(page, [], Middle(np.random.PCG64(1)))
    numerals.camera(page, [Rough.ASLANT], Middle(np.random.PCG64(1)))
    assert exposed[-2][0].min() < 100 < exposed[-1][0].min()


def test_a_photograph_is_the_same_for_a_seed_and_a_rough_one_mixes_pen_paper_and_light():
    again = [numerals.number(*ring_and_bar(), [Rough.EDGE], np.random.default_rng(3)) for _ in "12"]
    assert (again[0][0] == again[1][0]).all() and again[0][1] == again[1][1]
    assert again[0][0].shape == (HEIGHT, WIDTH) and 0 < np.mean(again[0][0] < 100) < 0.3
    mixes = {tuple(numerals.mixed(np.random.default_rng(seed))) for seed in range(20)}
    assert len(mixes) > 10
    assert all(k in kinds for mix in mixes for k, kinds in zip(mix, numerals.MIXES, strict=True))
