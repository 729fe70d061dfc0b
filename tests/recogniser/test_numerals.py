"""Simulated photographs of numbers: they show the digits that they say, in one pen."""

import numpy as np
import pytest
import scipy.ndimage

from mnist_study.recogniser import numerals
from mnist_study.recogniser.numerals import Rough
from mnist_study.recogniser.photographs import HEIGHT, WIDTH


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
        [numerals.with_pen(line, 100, kinds, np.random.default_rng(seed)) for seed in range(6)]
        for kinds in ([], [Rough.UNEVEN], [Rough.PENCIL])
    )
    widths = [(ink > 0.3)[150:-150].sum(1).mean() for ink in plain]
    assert np.mean(widths) == pytest.approx(6.5, abs=1)  # a fiftieth to a twenty-second each side
    middles = [[ink[150:-150, 600] for ink in inks] for inks in (plain, uneven, pencil)]
    assert max(ink.std() for ink in middles[0]) < 1e-9
    assert min(ink.std() for ink in middles[1]) > 0.05 < min(ink.std() for ink in middles[2])
    steps = [np.abs(np.diff(inks)).mean() for inks in middles]
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
        drawn(numerals.shadows, *kinds)
        for kinds in ([], [Rough.HARD], [Rough.HAND], [Rough.PHONE])
    )
    assert np.abs(np.diff(soft)).max() < 0.001 and 0.02 < np.abs(np.diff(hard)).max()
    for shade, depth in ((hand, 0.25), (phone, 0.5)):
        assert shade[-1].min() < (1 - depth) * soft[-1].max() and shade[:100].min() > 0.5
    assert phone[:500].min() > 0.6  # the phone is below the number
    desk = numerals.desk_beyond_edge(np.full((HEIGHT, WIDTH), 235.0), np.random.default_rng(5))
    assert 0.02 < np.mean(desk < 200) < 0.2


def test_a_camera_adds_noise_and_blur_and_a_poor_one_more():
    page = np.full((HEIGHT, WIDTH), 200.0)
    page[:, 600:] = 100

    def taken(*kinds):
        pictures = [numerals.camera(page, kinds, np.random.default_rng(s)) for s in range(3)]
        noise = np.mean([picture[400:500, 300:500].std() for picture in pictures])
        edges = [picture[400:500].mean(0)[520:680] for picture in pictures]
        return noise, np.mean([np.count_nonzero((e > 110) & (e < 190)) for e in edges])

    (noise, blur), (poor_noise, poor_blur) = taken(), taken(Rough.POOR)
    assert noise == pytest.approx(2.9, abs=0.5) and poor_noise > 1.5 * noise
    assert poor_blur > blur + 1


def test_a_photograph_is_the_same_for_a_seed_and_a_rough_one_mixes_pen_paper_and_light():
    again = [numerals.number(*ring_and_bar(), [Rough.EDGE], np.random.default_rng(3)) for _ in "12"]
    assert (again[0][0] == again[1][0]).all() and again[0][1] == again[1][1]
    assert again[0][0].shape == (HEIGHT, WIDTH) and 0 < np.mean(again[0][0] < 100) < 0.3
    mixes = {tuple(numerals.mixed(np.random.default_rng(seed))) for seed in range(20)}
    assert len(mixes) > 10
    assert all(k in kinds for mix in mixes for k, kinds in zip(mix, numerals.MIXES, strict=True))
