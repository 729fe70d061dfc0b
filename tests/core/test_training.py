"""Where training spends its steps, and where first weights look."""

import dataclasses

import numpy as np
import pytest

from mnist_study.core import data, models, sampling, training
from mnist_study.core.backend import keras, tf
from mnist_study.core.initializers import local_patches
from mnist_study.core.optimizers import OnePassAdam


def losses_after(*epochs):
    """Return RowLosses that hold those losses after each epoch."""
    found = sampling.RowLosses(len(epochs[0]), 0.0)
    found.by_epoch = [np.float32(losses) for losses in epochs]
    return found


def test_first_all_rows_come_in_turn_later_by_the_power_of_their_loss():
    losses = losses_after([0.01, 0.04, 0.16, 0.64])
    for epoch, power in ((0, 0.5), (1, 0.5), (2, 0)):
        rows = sampling.draw(losses, epoch, 4, 1, power)
        assert sorted(rows) == [0, 1, 2, 3]
    rows = sampling.draw(losses, 2, 100_000, 1, 0.5)
    assert np.bincount(rows) / 100_000 == pytest.approx([0.07, 0.14, 0.26, 0.53], abs=0.02)
    assert (rows == sampling.draw(losses, 2, 100_000, 1, 0.5)).all()


def test_losses_are_kept_by_row_and_only_in_training():
    losses = sampling.RowLosses(3, smoothing=0.1)
    targets, answers = data.one_hot(np.array([0, 1])), np.full((2, 10), 0.1, np.float32)
    plain = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)(targets, answers)
    assert float(losses(targets, answers)) == pytest.approx(float(plain))
    assert (losses.running.numpy() == 1).all()
    losses(targets, answers, np.float32([2, 0]))
    assert losses.running.numpy() == pytest.approx(
        [(1 + np.log(10)) / 2, 1, (1 + np.log(10)) / 2], rel=1e-5
    )


def test_wrong_labels_are_what_training_looks_at_most(fallback):
    images, labels = fallback[0]
    wrong = np.arange(0, len(labels), 100)
    targets = data.one_hot(labels)
    targets[wrong] = data.one_hot((labels[wrong] + 1) % 10)
    small = {"epochs": 4, "images": 8_000, "batch_size": 256, "options": {"widths": (256, 128)}}
    recipe = dataclasses.replace(models.registry["dense_dropout"], **small)
    found = training.train(recipe, data.normalise(images), targets).row_losses
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


def test_the_rate_rises_for_a_tenth_and_falls_to_nothing():
    rate = training.rate_schedule(0.5, 100)
    values = [float(rate(step)) for step in (0, 5, 10, 55, 100)]
    assert values == pytest.approx([0, 0.25, 0.5, 0.25, 0], abs=1e-6)


def test_an_epoch_holds_all_plain_images_once_and_so_many_deformed_ones():
    recipe = models.registry["classic_mlp"]
    assert training.steps_per_epoch(recipe, 1_000) == 8  # of 128
    assert training.steps_per_epoch(models.registry["dense_dropout"], 1_000) == 54_000 // 512


def batches(recipe, losses, count=64, steps=2):
    """Return the batches of all epochs over count images whose row is written in their pixels."""
    inputs = np.ones((count, 28, 28, 1), np.float32) * np.arange(count)[:, None, None, None] / count
    inputs = inputs.astype(np.float32)
    targets = data.one_hot(np.arange(count) % 10)
    found = training.deformed_batches(recipe, inputs, targets, losses, steps, 1)
    return [tuple(np.asarray(part) for part in batch) for batch in found]


def test_batches_carry_each_image_with_its_target_and_row():
    recipe = dataclasses.replace(models.registry["dense_dropout"], epochs=2, batch_size=32)
    found = batches(recipe, sampling.RowLosses(64, 0.0))
    assert len(found) == 4
    for images, targets, rows in found:
        assert images[:, 14, 14, 0] == pytest.approx(rows / 64, abs=1e-5)
        assert (targets.argmax(1) == rows % 10).all()
    first = np.concatenate([rows for *_, rows in found[:2]])
    assert sorted(first) == [*range(64)]
    in_turn = dataclasses.replace(recipe, focus=0.0)
    assert all(len(batch) == 2 for batch in batches(in_turn, sampling.RowLosses(64, 0.0)))


def test_deformations_fade_to_half_their_strength_in_the_last_three_tenths(monkeypatch):
    strengths = []

    def noted(images, seeds, affine, elastic):
        strengths.append(affine)
        return images * 0 + affine

    monkeypatch.setattr(training, "deform", noted)
    recipe = dataclasses.replace(
        models.registry["dense_dropout"], epochs=10, batch_size=32, affine=0.8, focus=0.0
    )
    found = [images.max() for images, _ in batches(recipe, sampling.RowLosses(64, 0.0), steps=1)]
    assert found == pytest.approx([0.8] * 8 + [0.8 * (0.5 + 1 / 3), 0.8 * (0.5 + 1 / 6)], abs=1e-5)
    assert len(strengths) == 1  # traced once


def test_a_teacher_s_answers_to_the_bent_digits_are_the_targets():
    recipe = dataclasses.replace(models.registry["dense_dropout"], epochs=1, batch_size=32)
    teacher = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    teacher.add(keras.layers.Dense(10, activation="softmax"))
    inputs, targets = np.ones((64, 28, 28, 1), np.float32), data.one_hot(np.arange(64) % 10)
    losses = sampling.RowLosses(64, 0.0)
    found = training.deformed_batches(recipe, inputs, targets, losses, 1, 1, teacher)
    [(images, answers, _)] = found
    assert np.asarray(answers) == pytest.approx(np.asarray(teacher(images)), abs=1e-6)


def test_one_pass_of_adam_does_what_its_formula_says():
    weights, gradients = (
        np.float32([1.0, -2.0, 3.0]),
        np.float32([[0.5, -0.1, 0.0], [0.2, 3.0, 1.0]]),
    )
    variable, adam = keras.Variable(weights), OnePassAdam(0.1)
    first, second, expected = np.zeros(3), np.zeros(3), weights.astype(float)
    for step, gradient in enumerate(gradients, 1):
        adam.apply([tf.constant(gradient)], [variable])
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        unbiased = first / (1 - 0.9**step), second / (1 - 0.999**step)
        expected -= 0.1 * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-7)
        assert variable.numpy() == pytest.approx(expected, rel=1e-4)


def test_validation_is_read_after_twenty_epochs_at_most_and_the_last():
    assert training.judged_epochs(3) == [1, 2, 3]
    assert training.judged_epochs(20) == [*range(1, 21)]
    assert training.judged_epochs(40) == [*range(2, 41, 2)]
    assert len(training.judged_epochs(50)) == 20 and training.judged_epochs(50)[-1] == 50


def test_the_average_of_nets_averages_their_answers():
    nets = []
    for digit in (3, 8):
        model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
        model.add(keras.layers.Dense(10, activation="softmax"))
        kernel, bias = model.get_weights()
        model.set_weights([kernel * 0, bias + 9 * np.eye(10)[digit]])
        nets.append(training.Trained(model, {"loss": [digit]}, 2.0))
    joined = training.average(nets)
    answer = joined.model(np.zeros((1, 28, 28, 1), np.float32)).numpy()[0]
    assert answer[[3, 8]] == pytest.approx([0.5, 0.5], abs=0.01)
    assert joined.fit_seconds == 4 and joined.history == {"loss": [3]}


def test_the_clock_stands_still_while_validating(monkeypatch):
    times = iter([(5.0, 2.0), (15.0, 6.0), (20.0, 9.0), (21.0, 10.5)])
    monkeypatch.setattr(training, "now", lambda: np.array(next(times)))
    clock = training.Clock()
    clock.on_epoch_begin(0)
    clock.on_test_begin()  # after 10 seconds
    clock.on_epoch_end(0)
    clock.on_epoch_begin(1)  # at 20
    clock.on_epoch_end(1)
    assert (clock.seconds, clock.processor_seconds) == (11, 5.5)
