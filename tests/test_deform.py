"""Warps: none leaves a digit as it is, a known one does what it says, random ones repeat."""

import numpy as np
import pytest

from mnist_study import data
from mnist_study.deform import CENTRED, SHARED, deform, warp


@pytest.fixture(scope="module")
def images(fallback):
    return data.prepare(fallback[0][0][:: 4_000 // (2 * SHARED)][: 2 * SHARED])


def test_warps_that_are_known(images):
    still = np.broadcast_to(CENTRED, (2, 784, 2)).astype(np.float32)
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
