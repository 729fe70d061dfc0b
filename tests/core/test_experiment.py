"""An experiment, from its settings to its result."""

import dataclasses
import types

import numpy as np
import pytest

from mnist_study.core import data, evaluate, experiment, training
from mnist_study.core.backend import keras
from mnist_study.core.experiment import Experiment, Part
from mnist_study.core.models import registry
from mnist_study.errors import ImagesError

SPRINT = dataclasses.replace(
    registry["dense_dropout"], options={"widths": (64, 32)}, epochs=2, images=4_096, batch_size=128
)


def seven(share=0.9):
    """Return a model that answers 7 with that probability to anything, the rest shared equally."""
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(10, activation="softmax"))
    kernel, _ = model.get_weights()
    shares = np.full(10, (1 - share) / 9)
    shares[7] = share
    model.set_weights([kernel * 0, np.log(shares)])
    return model


def test_answers_are_judged_by_accuracy_and_cross_entropy():
    images, labels = np.zeros((5, 28, 28, 1), np.float32), np.array([7, 7, 7, 1, 2])
    answers, judged = evaluate.judge(seven(), images, labels)
    assert answers[0] == pytest.approx([0.1 / 9] * 7 + [0.9] + [0.1 / 9] * 2, rel=1e-4)
    assert judged["accuracy"] == 0.6 == evaluate.accuracy(seven(), images, labels)
    loss = (3 * -np.log(0.9) + 2 * -np.log(0.1 / 9)) / 5
    assert judged["loss"] == pytest.approx(loss, rel=1e-4)


def test_many_images_are_answered_in_order():
    images = np.zeros((evaluate.BATCH + 1, 28, 28, 1), np.float32)
    images[-1] = 1
    model = seven()
    kernel, bias = model.get_weights()
    model.set_weights([kernel + np.eye(10)[3] / 100, bias])  # bright images are 3
    read = evaluate.probabilities(model, images).argmax(1)
    assert (read[:-1] == 7).all() and read[-1] == 3


def test_a_record_names_what_was_measured_of_each_part():
    trained = training.Trained(seven(), {}, 1.5)
    images = np.zeros((2, 28, 28, 1), np.float32)
    record, answers = evaluate.measure(
        trained, validation=(images, np.array([7, 7])), test=(images, np.array([7, 1]))
    )
    assert (record["validation_accuracy"], record["test_accuracy"]) == (1, 0.5)
    assert record["parameters"] == 7_850 and record["fit_seconds"] == 1.5
    assert record["weights_sha256"] == data.digest(trained.model.get_weights())
    assert {name: len(shares) for name, shares in answers.items()} == {"validation": 2, "test": 2}


def test_noise_has_its_deviation_and_stays_in_range():
    grey = np.full((50, 28, 28, 1), 0.5, np.float32)
    spoilt = evaluate.noisy(grey, 0.1, seed=1)
    assert spoilt.std() == pytest.approx(0.1, rel=0.02) and spoilt.mean() == pytest.approx(
        0.5, abs=0.01
    )
    strong = evaluate.noisy(grey, 2.0, seed=1)
    assert strong.min() == 0 and strong.max() == 1
    assert (evaluate.noisy(grey, 0.1, seed=1) == spoilt).all()


def test_misreadings_are_rows_and_what_they_were_read_as():
    answers = np.eye(10)[[3, 5, 5]]
    found = experiment.misreadings(answers, np.array([3, 4, 5]))
    assert found == {"misread": [1], "read_as": [5]}


@pytest.fixture
def small_mnist(monkeypatch, mnist_file):
    """MNIST of which a tenth of the training rows teach and validate."""
    split = data.split

    def fewer(*arguments, **settings):
        return tuple(rows[::10] for rows in split(*arguments, **settings))

    monkeypatch.setattr(experiment.data, "split", fewer)


def test_an_experiment_is_trained_and_judged(small_mnist):
    trained, result = experiment.train_and_judge(Experiment("small", SPRINT, 1, watch=True))
    assert result["test_accuracy"] == pytest.approx(1 - len(result["misread"]) / 10_000)
    assert result["test_accuracy"] > 0.8 and result["noisy_accuracy"] > 0.5
    assert len(result["history"]["val_accuracy"]) == 2
    assert result["weights_sha256"] == data.digest(trained.model.get_weights())
    assert trained.row_losses is not None and len(trained.row_losses) == 5_400


def test_what_is_still_to_be_chosen_does_not_see_the_test_set(small_mnist):
    choice = Experiment("choice", SPRINT, 1, judged_on=Part.VALIDATION, nets=2)
    _, result = experiment.train_and_judge(choice)
    assert not [key for key in result if key.startswith(("test", "misread", "read_as"))]
    assert "val_loss" not in result["history"] and result["validation_accuracy"] > 0.8


def test_nets_of_one_experiment_have_seeds_of_their_own(monkeypatch):
    seeds = []

    def noted(recipe, inputs, targets, validation=None, seed=1, teacher=None):
        seeds.append((seed, recipe.epochs, teacher is not None))
        return training.Trained(seven(), {}, 1.0)

    monkeypatch.setattr(experiment, "train", noted)
    taught = np.zeros((2, 28, 28, 1), np.float32), np.array([1, 2])
    three = Experiment("three", SPRINT, 4, nets=3)
    assert experiment.trained_nets(three, taught, None).fit_seconds == 3
    experiment.trained_nets(dataclasses.replace(three, nets=1), taught, None)
    assert seeds == [(400, 2, False), (401, 2, False), (402, 2, False), (4, 2, False)]
    seeds.clear()
    teacher = dataclasses.replace(SPRINT, epochs=5)
    student = dataclasses.replace(three, nets=1, teacher=teacher, teachers=2)
    assert experiment.trained_nets(student, taught, None).fit_seconds == 3
    assert seeds == [(400, 5, False), (401, 5, False), (4, 2, True)]


def test_other_images_than_mnist_s_are_refused(fallback, monkeypatch):
    datasets = types.SimpleNamespace(mnist=types.SimpleNamespace(load_data=lambda: fallback))
    monkeypatch.setattr(experiment.keras, "datasets", datasets)
    with pytest.raises(ImagesError, match="other images than this experiment is about"):
        experiment.load_mnist()
