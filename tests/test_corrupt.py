"""Random corruptions of a batch: each kind does what it says to an eighth of it, and repeats."""

import numpy as np
import pytest

from mnist_study import corrupt as module
from mnist_study import data
from mnist_study.corrupt import Family, corrupt

SEED = np.array([1, 2])
SQUARE = np.zeros((256, 28, 28, 1), np.float32)
SQUARE[:, 8:20, 8:20] = 1
FLAT = SQUARE.reshape(-1, 784)


def changed(batch, *families):
    """Return the batch corrupted by the families, and which of its images changed."""
    after = np.asarray(corrupt(batch, SEED, families))
    return after, np.abs(after - batch).max((1, 2, 3)) > 1e-3


def test_each_kind_comes_to_an_eighth_of_the_images_and_layers_are_independent():
    kinds = {family: len(of) for family, of in module.LAYERS.items()}
    assert {*kinds} == {*Family} and sum(kinds.values()) == 7
    masks = {family: changed(SQUARE, family)[1] for family in Family}
    assert all(32 * n - 3 <= masks[f].sum() <= 32 * n for f, n in kinds.items())  # weak noise, too
    assert (masks[Family.CONTRAST] & masks[Family.OUTLINES]).sum() == 4  # an eighth of an eighth
    every, some = changed(SQUARE, *Family)
    assert 256 - some.sum() == pytest.approx(
        256 * 5 / 16, abs=4
    )  # 5/8 of one layer, 4/8 of the other
    assert (every == np.asarray(corrupt(SQUARE, SEED, tuple(Family)))).all()
    assert (every != np.asarray(corrupt(SQUARE, SEED + 9, tuple(Family)))).any()
    assert every.min() >= 0 and every.max() <= 1 + 1e-5
    for size in (32, 64, 96):
        assert changed(SQUARE[:size], Family.BLUR)[1].sum() == size // 8


def test_blur_keeps_the_ink_and_blank_paper():
    blurred = np.asarray(module.blurred(FLAT, SEED))
    assert blurred.sum(1) == pytest.approx(144, rel=0.02) and blurred.max() <= 1 + 1e-5
    assert blurred[:16] == pytest.approx(np.repeat(blurred[:1], 16, 0), abs=1e-6)
    assert len(np.unique(blurred[::16, 300].round(4))) > 8  # other groups, other strengths
    assert np.asarray(module.blurred(np.ones_like(FLAT), SEED)) == pytest.approx(1, abs=1e-5)


def test_contrast_has_two_greys_and_turns_a_third_of_the_images():
    after = np.asarray(module.contrast_changed(FLAT, SEED))
    paper, ink = after[:, 0], after[:, 28 * 14 + 14]
    assert all(len(np.unique(image)) == 2 for image in after)
    assert np.mean(ink < paper) == pytest.approx(1 / 3, abs=0.08)
    assert np.abs(ink - paper).min() > 0.4 * module.FAINTEST


def test_noise_pepper_and_outlines():
    grey = np.full_like(FLAT, 0.5)
    spread = np.asarray(module.noisy(grey, SEED)).std(1)
    assert spread.min() < 0.03 and 0.25 < spread.max() < module.NOISE
    hit = (np.asarray(module.peppered(grey, SEED)) != 0.5).mean(1)
    assert (
        hit.min() < 0.03
        and 0.2 < hit.max() < 0.3
        and {*np.unique(module.peppered(grey, SEED))} == {0, 0.5, 1}
    )
    [outline] = np.asarray(module.outlined(FLAT[:1], SEED)).reshape(1, 28, 28)
    assert outline.sum() == 14**2 - 12**2 and outline[7, 10] == 1 and outline[14, 14] == 0


def test_a_part_is_covered_and_a_stroke_adds_ink():
    covered = np.asarray(module.occluded(FLAT, SEED)).reshape(SQUARE.shape)
    share = (covered != SQUARE).mean((1, 2, 3))
    assert share.min() > 0 and 0.1 < share.mean() < 0.6
    crossed = np.asarray(module.crossed(FLAT, SEED))
    assert (crossed >= FLAT).all() and (crossed > FLAT).any(1).mean() > 0.95
    assert 5 < (crossed - FLAT).sum(1).mean() < 60
    assert data.normalise(np.zeros((1, 28, 28), np.uint8)).max() == 0
