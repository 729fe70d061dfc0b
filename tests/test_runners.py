"""An experiment, from its settings to its result: predictions, noise, splits."""

import dataclasses

import numpy as np
import pytest
from support.trainings import model_of

from mnist_study import data, runners, train
from mnist_study.evaluate import accuracy
from mnist_study.models import registry
from mnist_study.runners import Experiment, Part

SMALL = {"epochs": 2, "samples_per_epoch": 2_048, "batch_size": 64, "learning_rate": 0.02}
SMALL |= {"corruptions": (), "shift": 0}
SMALL = dataclasses.replace(registry["dense_dropout"], **SMALL, options={"widths": (64, 32)})
GREY = np.full((50, 28, 28, 1), 0.5, np.float32), np.repeat([7, 1], 25)


def test_predictions_their_accuracy_and_cross_entropy(monkeypatch):
    monkeypatch.setattr(accuracy, "BATCH", 2)  # images come in order all the same
    images, labels = np.zeros((5, 28, 28, 1), np.float32), np.array([7, 7, 7, 1, 2])
    predicted, scores = accuracy.predict_and_score(model_of(7), images, labels)
    assert predicted[0] == pytest.approx([0.1 / 9] * 7 + [0.9] + [0.1 / 9] * 2, rel=1e-4)
    assert scores["accuracy"] == 0.6 == accuracy.accuracy(model_of(7), images, labels)
    loss = (3 * -np.log(0.9) + 2 * -np.log(0.1 / 9)) / 5
    assert scores["loss"] == pytest.approx(loss, rel=1e-4)
    images[-1] = 1
    brighter_is_3 = model_of(7, kernel=0.01 * np.eye(10)[3])
    assert accuracy.predict(brighter_is_3, images).argmax(1).tolist() == [7, 7, 7, 7, 3]


def test_a_result_says_what_was_measured_and_a_choice_nothing_of_the_test_set(monkeypatch):
    trained = train.Trained(model_of(7), {"loss": [1.0]}, 1.5, 2.5)
    monkeypatch.setattr(runners, "train", lambda *_: trained)
    parts = dict.fromkeys(("train", "validation", "test"), GREY)
    monkeypatch.setattr(data, "examples", lambda split, seed: {**parts})
    measured = runners.train_and_measure(Experiment("any", SMALL, 4))
    result = measured.result
    assert [result[f"{p}_accuracy"] for p in ("train", "validation", "noisy", "test")] == [0.5] * 4
    assert result["misclassified"] == [*range(25, 50)] and result["predicted"] == [7] * 25
    assert result["parameters"] == 7_850 and result["history"] == {"loss": [1.0]}
    assert (result["fit_seconds"], result["processor_seconds"]) == (1.5, 2.5)
    assert result["weights_sha256"] == data.digest(measured.trained.model.get_weights())
    noise = measured.parts["noisy"][0] - 0.5
    assert (noise.mean(), noise.std()) == pytest.approx((0, 0.15), abs=0.003)
    assert (accuracy.noisy(GREY[0], 0.15, seed=4) - 0.5 == noise).all()
    assert accuracy.noisy(GREY[0], 2.0, seed=1).max() == 1
    choice = Experiment("choice", SMALL, 1, evaluated_on=Part.VALIDATION)
    _, result = runners.train_and_evaluate(choice)
    assert not [key for key in result if key.startswith(("test", "misclassified", "predicted"))]
    assert result["validation_accuracy"] == 0.5


def test_an_experiment_is_trained_on_its_split_and_measured(fallback, monkeypatch):
    writers = np.where(np.arange(4_000) % 3, data.Population.STUDENTS, data.Population.CENSUS)
    monkeypatch.setattr(data, "load", lambda: fallback)
    monkeypatch.setattr(data, "training_writers", lambda: writers)
    split = data.Split.FROM_STUDENTS
    measured = runners.train_and_measure(Experiment("small", SMALL, 1, split=split, watch=True))
    counts = {part: len(labels) for part, (_, labels) in measured.parts.items()}
    assert counts == {"train": 2_666, "validation": 1_334, "noisy": 1_334, "test": 1_000}
    result = measured.result
    assert result["test_accuracy"] == pytest.approx(1 - len(result["misclassified"]) / 1_000)
    assert result["test_accuracy"] > 0.7 and len(measured.trained.sample_losses) == 2_666
    assert result["history"]["val_accuracy"][-1] == pytest.approx(result["validation_accuracy"])
