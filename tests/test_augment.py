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
    assert np.abs(warp(images, unmoved).numpy() - images).max() < 1e-6
    left = warp(images, unmoved + np.float32([0, 1])).numpy()  # each pixel from its right neighbour
    assert np.abs(left[:, :, :-1] - images[:, :, 1:]).max() < 1e-5
    assert np.abs(left[:, :, -1] - images[:, :, -1]).max() < 1e-5  # beyond the border: as on it
    quarters = warp(images, unmoved + np.float32([0.25, 0.5])).numpy()[:, :-1, :-1]
    right = (images[:, :, :-1] + images[:, :, 1:]) / 2
    assert np.abs(quarters - (0.75 * right[:, :-1] + 0.25 * right[:, 1:])).max() < 1e-5


def test_strengths_scale_the_augmentation(images):
    strengths = [tf.constant(strength) for strength in (0.0, 0.3, 0.6, 1.0)]
    augmented = [augment(images, SEED, s, s).numpy() for s in strengths]
    change = [np.abs(images_after - images).mean() for images_after in augmented]
    assert change == sorted(change) and change[0] < 1e-6 and change[1] > 0.003
    assert change[3] < np.abs(images[::-1] - images).mean()  # than to another digit
    assert augmented[3].min() >= 0 and augmented[3].max() <= 1 + 1e-6
    alone = [augment(images, SEED, *pair).numpy() for pair in (strengths[::3], strengths[::-3])]
    assert all(np.abs(one - augmented[3]).max() > 0.1 for one in alone)  # both kinds count


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
    drawn = {
        np.radians(8): turn,
        0.2: down[1] - wide * np.sin(turn),  # the shear
        0.15: np.stack([tall - 1, wide - 1]),
        1.2: positions[:, [0, 783]].mean(1),  # the shift: what is left between opposite corners
    }
    for most, values in drawn.items():
        assert 0.99 * most < np.abs(values).max() <= most + 1e-4
        assert values.std() == pytest.approx(most / 3**0.5, rel=0.05)
        assert np.mean(values) == pytest.approx(0, abs=0.05 * most)


def test_elastic_displacements_vary_by_a_pixel_and_are_smooth():
    fields = module.elastic_displacements(2_000, np.array([3, 4])).numpy()
    assert fields.std() == pytest.approx(1, abs=0.02)
    assert fields.mean() == pytest.approx(0, abs=0.02)
    fields = fields.reshape(-1, 28, 28, 2)
    near = np.corrcoef(fields[:, 13, 13, 0], fields[:, 13, 14, 0])[0, 1]
    far = np.corrcoef(fields[:, 13, 4, 0], fields[:, 13, 24, 0])[0, 1]
    assert near == pytest.approx(math.exp(-1 / (4 * 3.6**2)), abs=0.01) and abs(far) < 0.1
