"""What is kept of a model beyond its test accuracy says what it is meant to."""

import base64

import numpy as np
import pytest

from mnist_study import data
from mnist_study.backend import keras
from mnist_study.runners import Measured
from mnist_study.train import Trained
from mnist_study.evaluate import evaluation, robustness

NONE = np.zeros((0, 28, 28, 1), np.float32)  # where images do not matter


def test_shares_come_back_from_the_record_to_three_places():
    shares = np.array([0.0, 0.0001234, 0.0333, 0.5, 1.0])
    text = evaluation.packed(shares)
    assert len(base64.b64decode(text)) == 2 * len(shares)
    assert evaluation.unpacked(text) == pytest.approx(shares, rel=1e-3)


def test_a_digit_is_shrunk_to_counts_of_its_ink():
    image = np.zeros((28, 28), np.uint8)
    image[4:20, 10:18] = 200  # twice as tall as wide
    [small] = evaluation.downsampled(image[np.newaxis])
    assert small.shape == (8, 8)
    assert (small[:, 2:6] == 15 * 16).all() and small[:, [0, 1, 6, 7]].max() == 0


def answers(*confident):
    """Return answers of that confidence in 3, the rest shared."""
    found = np.repeat((1 - np.float32(confident)[:, np.newaxis]) / 9, 10, axis=1)
    found[:, 3] = confident
    return found


def test_doubts_are_what_is_left_of_the_confidence_after_scaling():
    labels = np.array([3] * 9 + [4])
    given = answers(*[0.9] * 10)
    parts = {"validation": (NONE, labels), "test": (NONE, labels)}
    found = evaluation.reliability({"validation": given, "test": given}, parts)
    assert found["temperature"] == pytest.approx(1, abs=0.01)  # 90% sure, 90% right
    assert evaluation.unpacked(found["uncertainty"]["test"]) == pytest.approx(0.1, abs=0.002)
    assert found["ece_before"] == pytest.approx(0, abs=0.001)
    assert (found["threshold"], found["coverage"], found["error"]) == (1, 0, 0)


def test_membership_is_the_chance_to_rank_a_training_digit_first():
    parts = dict.fromkeys(("train", "validation"), (NONE, np.array([3, 3])))
    seen, unseen = answers(0.9, 0.7), answers(0.8, 0.6)
    assert evaluation.membership({"train": seen, "validation": unseen}, parts) == 0.75


def test_the_trials_of_a_model_are_kept_by_name(mnist_file):
    """A model that always says 3."""
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(10, activation="softmax"))
    kernel, bias = model.get_weights()
    model.set_weights([kernel * 0, bias + 3 * np.eye(10)[3]])
    _, (images, labels) = keras.datasets.mnist.load_data()
    parts = dict.fromkeys(("train", "validation", "test"), (data.normalise(images), labels))
    given = dict.fromkeys(parts, np.repeat(model(np.zeros((1, 28, 28, 1))), len(labels), axis=0))
    found = evaluation.trials(Measured(Trained(model, {}, 1.0), {}, parts, given))
    threes = np.mean(labels == 3)
    assert found["small_accuracy"] == pytest.approx(threes, abs=0.02)
    assert {*found["uci_predicted"]} == {3} and found["uci_accuracy"] == pytest.approx(0.1, abs=0.02)
    assert [*found["corruptions"]] == [corruption.name for corruption in robustness.CORRUPTIONS]
    assert found["corruptions"]["blur, pixels"] == pytest.approx([threes] * 6, abs=0.02)
    assert found["membership"] == pytest.approx(0.5, abs=0.02)
