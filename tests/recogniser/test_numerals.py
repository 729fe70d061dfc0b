"""Simulated photographs of numbers: they show the digits that they say, in one pen."""

import numpy as np
import pytest
import scipy.ndimage
from support.still import Still

from mnist_study.recogniser import numerals, photographs
from mnist_study.recogniser.numerals import Rough

row, column = np.mgrid[:28, :28] - 13.5
RING = abs(np.hypot(row / 10, column / 8) - 0.75) < 0.2
BAR = (abs(column) < 2) & (abs(row) < 10)
DIGITS = np.array([RING, BAR], np.uint8) * 255, np.array([0, 1])  # in MNIST's form: a 0 and a 1


def parts(ink):
    """Return each part of the ink: its upper row, its left column, and how many holes it has."""
    labels, _ = scipy.ndimage.label(ink > 0.2, np.ones((3, 3)))
    result = []
    for part, (rows, columns) in enumerate(scipy.ndimage.find_objects(labels), 1):
        ground = np.pad(labels[rows, columns] != part, 1, constant_values=True)
        result.append((rows.start, columns.start, scipy.ndimage.label(ground)[1] - 1))
    return sorted(result)


def test_a_page_has_the_digits_that_it_says_in_their_order_off_the_border():
    ink, shows = numerals.write(*DIGITS, [Rough.LINES], np.random.default_rng(9))
    digits = parts(ink)
    assert len(digits) == len("".join(shows)) and len(shows) == 3
    for known in shows:
        line, digits = digits[: len(known)], digits[len(known) :]
        assert "".join("10"[part[2]] for part in sorted(line, key=lambda part: part[1])) == known
    for places, side in zip(np.nonzero(ink > 0.2), ink.shape, strict=True):
        assert places.min() > 0.1 * side and places.max() < 0.9 * side  # perspective takes a tenth
    for kind, more in ((Rough.TOUCHING, -1), (Rough.MARK, 1)):
        ink, (shown,) = numerals.write(*DIGITS, [kind], np.random.default_rng(2))
        assert len(parts(ink)) == len(shown) + more


def test_a_pen_has_its_width_an_uneven_one_fades_and_a_pencil_leaves_the_paper_s_grain():
    line = np.zeros((900, 1200), bool)
    line[100:-100, 600] = True
    plain, uneven, pencil = (
        numerals.with_pen(line, 100, [kind], np.random.default_rng(2))[150:-150]
        for kind in (Rough.NOTHING, Rough.UNEVEN, Rough.PENCIL)
    )
    radius = 100 * np.random.default_rng(2).uniform(0.02, 0.045)
    assert (plain > 0.3).sum(1).mean() == pytest.approx(2 * radius + 0.3, abs=0.3)
    assert plain[:, 600].std() < 1e-9 and uneven[:, 600].std() > 0.05
    steps = [np.abs(np.diff(ink[:, 600])).mean() for ink in (uneven, pencil)]
    assert steps[0] < 0.01 and 0.05 < steps[1] < 0.3


def test_paper_and_light_show_what_makes_them_hard():
    def made(make, *kinds):
        return [make(ink, [kind], np.random.default_rng(5)) for kind in kinds]

    ink = np.pad(np.ones((100, 600)), ((400, 400), (300, 300)))
    ruled, squared = made(numerals.paper, Rough.RULES, Rough.SQUARES)
    assert np.ptp(ruled.mean(1)) > 15 > np.ptp(ruled.mean(0)) and np.ptp(squared.mean(0)) > 15
    printed, wrinkled = made(numerals.paper, Rough.PRINT, Rough.WRINKLES)
    assert printed[400:500].min() == 235 and max(printed[:400].min(), printed[500:].min()) < 200
    assert 0.015 < wrinkled.std() / 235 < 0.07
    soft, hard, hand = made(numerals.shadows, Rough.NOTHING, Rough.HARD, Rough.HAND)
    assert np.abs(np.diff(soft)).max() < 0.001 and np.abs(np.diff(hard)).max() > 0.01
    [phone] = made(numerals.shadows, Rough.PHONE)
    assert (hand[-1] / soft[-1]).min() < 0.75 and (phone[-1] / soft[-1]).min() < 0.5
    assert (phone[:500] > 0.9 * soft[:500]).all()  # the phone is below the number


def test_a_camera_moves_the_corners_and_adds_blur_and_noise_and_a_poor_one_more(monkeypatch):
    exposed, image = [], np.full((900, 1200), 8, np.uint8)
    monkeypatch.setattr(photographs, "expose", lambda *given: exposed.append(given) or image)
    page = np.pad(np.full((900, 1164), 200.0), ((0, 0), (36, 0)))  # a twentieth is left out aslant
    kinds = Rough.NOTHING, Rough.POOR, Rough.ASLANT
    assert all((numerals.camera(page, [kind], Still()) == 8).all() for kind in kinds)
    assert [given[1:3] for given in exposed] == [(1, 3.4), (2.5, 8.5), (1, 3.4)]
    assert exposed[0][0].min() < 100 < exposed[2][0].min()
    mixed = numerals.mixed(np.random.default_rng(1))
    assert all(kind in mix for kind, mix in zip(mixed, numerals.MIXES, strict=True))
