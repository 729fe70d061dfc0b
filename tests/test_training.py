"""Where training spends its steps, and where first weights look."""

import dataclasses

import keras
import numpy as np
import pytest

from mnist_study import data, focus, models, training
from mnist_study.patches import local_patches


def losses_after(*epochs):
    """Return RowLosses that hold those losses after each epoch."""
    found = focus.RowLosses(len(epochs[0]), 0)
    found.by_epoch = [np.float32(losses) for losses in epochs]
    return found


def test_first_all_rows_come_in_turn_later_by_the_power_of_their_loss():
    losses = losses_after([0.01, 0.04, 0.16, 0.64])
    for epoch, power in ((0, 0.5), (1, 0.5), (2, 0)):
        rows = focus.draw(losses, epoch, 4, 1, power)
        assert sorted(rows) == [0, 1, 2, 3]
    rows = focus.draw(losses, 2, 100_000, 1, 0.5)
    assert np.bincount(rows) / 100_000 == pytest.approx([0.07, 0.14, 0.26, 0.53], abs=0.02)
    assert (rows == focus.draw(losses, 2, 100_000, 1, 0.5)).all()


def test_losses_are_kept_by_row_and_only_in_training():
    losses = focus.RowLosses(3, smoothing=0.1)
    targets, answers = data.one_hot(np.array([0, 1])), np.full((2, 10), 0.1, np.float32)
    plain = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)(targets, answers)
    assert float(losses(targets, answers)) == pytest.approx(float(plain))
    assert (losses.running.numpy() == 1).all()
    losses(targets, answers, np.float32([2, 0]))
    assert losses.running.numpy() == pytest.approx([(1 + np.log(10)) / 2, 1, (1 + np.log(10)) / 2])


def test_wrong_labels_are_what_training_looks_at_most(fallback):
    images, labels = fallback[0]
    wrong = np.arange(0, len(labels), 100)
    targets = data.one_hot(labels)
    targets[wrong] = data.one_hot((labels[wrong] + 1) % 10)
    small = {"epochs": 4, "images": 8_000, "batch_size": 256, "options": {"widths": (256, 128)}}
    recipe = dataclasses.replace(models.registry["dense_dropout"], **small)
    found = training.train(recipe, data.prepare(images), targets).row_losses
    assert np.median(found[wrong]) > np.quantile(found, 0.97)


def test_first_weights_lie_in_patches():
    keras.utils.set_random_seed(1)
    weights = local_patches(24, 50)
    assert weights.shape == (576, 50) and weights.dtype == np.float32
    assert (weights**2).sum(0) == pytest.approx(2, rel=1e-4)
    assert np.abs(weights.sum(0)).max() < 1e-4
    pixels = np.indices((24, 24)).reshape(2, 576, 1)
    share = weights**2 / 2
    centre = (share * pixels).sum(1)
    assert centre.min() > 2 and centre.max() < 21 and centre.std() > 3
    spread = np.sqrt((share * ((pixels - centre[:, np.newaxis]) ** 2).sum(0)).sum(0))
    assert spread.max() < 6  # of weights anywhere: about 10
