"""Warps: a known one does what it should, random ones have their distributions and repeat."""

import math

import numpy as np
import pytest

from mnist_study import augment as module
from mnist_study import data
from mnist_study.augment import GRID, SHARED, augment, warp
from mnist_study.backend import tf

SEED = np.array([1, 2])


@pytest.fixture(scope="module")
def images(fallback):
    return data.normalise(fallback[0][0][:: 4_000 // (2 * SHARED)][: 2 * SHARED])


def test_known_warps(images):
    unmoved = np.broadcast_to(GRID, (2, 784, 2)).astype(np.float32)
    assert warp(images, unmoved).numpy() == pytest.approx(images, abs=1e-6)
    left = warp(images, unmoved + np.float32([0, 1])).numpy()  # each pixel from its right neighbour
    beyond = images[:, :, [*range(1, 28), 27]]  # beyond the border: as on it
    assert left == pytest.approx(beyond, abs=1e-5)
    mixed = warp(images, unmoved + np.float32([0.25, 0.5])).numpy()[:, :-1, :-1]
    pairs = (images[:, :, :-1] + images[:, :, 1:]) / 2
    assert mixed == pytest.approx(0.75 * pairs[:, :-1] + 0.25 * pairs[:, 1:], abs=1e-5)


def test_strengths_scale_the_augmentation(images):
    none, weak, full = (tf.constant(strength) for strength in (0.0, 0.4, 1.0))
    pairs = ((none, none), (weak, weak), (full, none), (none, full), (full, full))
    augmented = [augment(images, SEED, *pair).numpy() for pair in pairs]
    change = [np.abs(after - images).mean() for after in augmented]
    assert change[0] < 1e-6 < 0.003 < change[1] < min(change[2:])
    assert change[4] < np.abs(images[::-1] - images).mean()  # than to another digit
    assert augmented[4].min() >= 0 and augmented[4].max() <= 1 + 1e-6


def test_equal_seeds_give_equal_warps_and_others_do_not(images):
    alike = np.repeat(images[:1], 2 * SHARED, axis=0)
    augmented = augment(alike, SEED).numpy()
    assert (augmented == augment(alike, SEED).numpy()).all()
    assert np.abs(augmented - augment(alike, SEED + 2).numpy()).max() > 0.1
    assert (augmented[:SHARED] == augmented[0]).all()  # neighbours share a warp
    assert np.abs(augmented[SHARED] - augmented[0]).max() > 0.1


def test_random_affine_maps_are_uniform_up_to_their_maxima():
    positions = module.affine_positions(5_000, SEED).numpy()
    down, right = ((positions[:, place] - positions[:, 0]).T for place in (28, 1))
    turn = np.arctan2(-right[0], down[0])  # from where a pixel down, and right, comes
    tall, wide = np.hypot(down[0], right[0]), right[1] / np.cos(turn)
    shear, shift = down[1] - wide * np.sin(turn), positions[:, [0, 783]].mean(1)
    scale = np.stack([tall - 1, wide - 1])
    for most, values in ((np.radians(8), turn), (0.2, shear), (0.15, scale), (1.2, shift)):
        assert 0.99 * most < np.abs(values).max() <= most + 1e-4
        assert values.std() == pytest.approx(most / 3**0.5, rel=0.05)
        assert np.mean(values) == pytest.approx(0, abs=0.05 * most)


def test_elastic_displacements_vary_by_a_pixel_and_are_smooth():
    fields = module.elastic_displacements(2_000, np.array([3, 4])).numpy().reshape(-1, 28, 28, 2)
    assert (fields.mean(), fields.std()) == pytest.approx((0, 1), abs=0.02)
    near, far = (
        np.corrcoef(fields[:, 13, 13 - by, 0], fields[:, 13, 14 + by, 0])[0, 1] for by in (0, 9)
    )
    assert near == pytest.approx(math.exp(-1 / (4 * 3.6**2)), abs=0.01) and abs(far) < 0.1
