"""Warps: none leaves a digit as it is, a known one does what it says, random ones repeat."""

import math

import numpy as np
import pytest

from mnist_study.core import data
from mnist_study.core import deform as warps
from mnist_study.core.deform import GRID, SHARED, deform, warp


@pytest.fixture(scope="module")
def images(fallback):
    return data.normalise(fallback[0][0][:: 4_000 // (2 * SHARED)][: 2 * SHARED])


def test_warps_that_are_known(images):
    still = np.broadcast_to(GRID, (2, 784, 2)).astype(np.float32)
    assert np.abs(warp(images, still).numpy() - images).max() < 1e-6
    moved = warp(images, still + np.float32([0, 1])).numpy()  # each pixel from its right neighbour
    assert np.abs(moved[:, :, :-1] - images[:, :, 1:]).max() < 1e-5
    assert np.abs(moved[:, :, -1] - images[:, :, -1]).max() < 1e-5  # beyond the border: as on it
    halves = warp(images, still + np.float32([0.5, 0])).numpy()
    assert np.abs(halves[:, :-1] - (images[:, :-1] + images[:, 1:]) / 2).max() < 1e-5


def test_deformed_digits_keep_their_form_and_range(images):
    deformed = deform(images, np.array([1, 2])).numpy()
    assert deformed.shape == images.shape and deformed.dtype == np.float32
    assert deformed.min() >= 0 and deformed.max() <= 1 + 1e-6
    assert 0.01 < np.abs(deformed - images).mean() < np.abs(images[::-1] - images).mean()


def test_equal_seeds_deform_equally_and_others_do_not(images):
    seed = np.array([1, 2])
    first = deform(images, seed).numpy()
    assert (first == deform(images, seed).numpy()).all()
    assert np.abs(first - deform(images, seed + 2).numpy()).max() > 0.5


def test_strengths_scale_the_deformations(images):
    seed = np.array([1, 2])
    none = deform(images, seed, affine=0.0, elastic=0.0).numpy()
    assert np.abs(none - images).max() < 1e-5
    change = [np.abs(deform(images, seed, s, s).numpy() - images).mean() for s in (0.3, 0.6, 1.0)]
    assert change == sorted(change) and change[0] > 0.003


def test_neighbours_share_a_warp_and_others_do_not(images):
    alike = np.repeat(images[:1], 2 * SHARED, axis=0)
    deformed = deform(alike, np.array([1, 2])).numpy()
    assert (deformed[:SHARED] == deformed[0]).all()
    assert np.abs(deformed[SHARED] - deformed[0]).max() > 0.1


def test_random_maps_reach_for_their_bounds_and_stay_within():
    positions = warps.affine_positions(5_000, np.array([1, 2])).numpy()
    down, right = ((positions[:, place] - positions[:, 0]).T for place in (28, 1))
    turn = np.arctan2(-right[0], down[0])  # of what a pixel down, and right, moves
    tall, wide = np.hypot(down[0], right[0]), right[1] / np.cos(turn)
    found = {
        np.radians(8): turn,
        0.2: down[1] - wide * np.sin(turn),  # the shear
        0.15: np.stack([tall - 1, wide - 1]),
        1.2: positions[:, [0, 783]].mean(1),  # opposite corners: the shift is left
    }
    for most, drawn in found.items():
        assert 0.99 * most < np.abs(drawn).max() <= most + 1e-4
        assert drawn.std() == pytest.approx(most / 3**0.5, rel=0.05)  # uniform


def test_elastic_displacements_vary_by_a_pixel_and_are_smooth():
    found = warps.elastic_displacements(2_000, np.array([3, 4])).numpy()
    assert found.std() == pytest.approx(1, abs=0.02) and found.mean() == pytest.approx(0, abs=0.02)
    fields = found.reshape(-1, 28, 28, 2)
    neighbours = np.corrcoef(fields[:, 13, 13, 0], fields[:, 13, 14, 0])[0, 1]
    far = np.corrcoef(fields[:, 13, 4, 0], fields[:, 13, 24, 0])[0, 1]
    assert neighbours == pytest.approx(math.exp(-1 / (4 * 3.6**2)), abs=0.01) and abs(far) < 0.1
