"""An experiment, from its settings to its result: predictions, noise, nets and seeds."""

import dataclasses

import numpy as np
import pytest

from mnist_study import data, runners, train
from mnist_study.backend import keras
from mnist_study.evaluate import accuracy
from mnist_study.models import registry
from mnist_study.runners import Experiment, Part

SMALL = {"options": {"widths": (64, 32)}, "epochs": 2, "samples_per_epoch": 2_048}
SMALL = dataclasses.replace(registry["dense_dropout"], **SMALL, batch_size=64, learning_rate=0.02)


def seven(share=0.9):
    """Return a model that predicts 7 with that probability for any image, the rest equally."""
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
    kernel, _ = model.get_weights()
    shares = np.full(10, (1 - share) / 9)
    shares[7] = share
    model.set_weights([kernel * 0, np.log(shares)])
    return model


def test_accuracy_and_cross_entropy():
    images, labels = np.zeros((5, 28, 28, 1), np.float32), np.array([7, 7, 7, 1, 2])
    predicted, scores = accuracy.predict_and_score(seven(), images, labels)
    assert predicted[0] == pytest.approx([0.1 / 9] * 7 + [0.9] + [0.1 / 9] * 2, rel=1e-4)
    assert scores["accuracy"] == 0.6 == accuracy.accuracy(seven(), images, labels)
    loss = (3 * -np.log(0.9) + 2 * -np.log(0.1 / 9)) / 5
    assert scores["loss"] == pytest.approx(loss, rel=1e-4)


def test_many_images_are_predicted_in_order(monkeypatch):
    monkeypatch.setattr(accuracy, "BATCH", 2)
    images = np.zeros((5, 28, 28, 1), np.float32)
    images[-1] = 1
    model = seven()
    kernel, bias = model.get_weights()
    model.set_weights([kernel + np.eye(10)[3] / 100, bias])  # bright images are 3
    assert accuracy.predict(model, images).argmax(1).tolist() == [7, 7, 7, 7, 3]


def test_misclassified_images_and_their_predictions():
    wrong = runners.misclassifications(np.eye(10)[[3, 5, 5]], np.array([3, 4, 5]))
    assert wrong == {"misclassified": [1], "predicted": [5]}


def parts(grey=0.5):
    """Return images of one grey and labels, half of them 7, to train, to validate and to test."""
    images = np.full((50, 28, 28, 1), grey, np.float32)
    return dict.fromkeys(("train", "validation", "test"), (images, np.repeat([7, 1], 25)))


@pytest.fixture
def untrained(monkeypatch):
    """Let any experiment give the model seven, and see parts for MNIST."""
    trained = train.Trained(seven(), {"loss": [1.0]}, 1.5, 2.5)
    monkeypatch.setattr(runners, "trained_nets", lambda *_: trained)
    monkeypatch.setattr(data, "examples", lambda split, seed: parts())


def test_a_result_says_what_was_measured_of_each_part(untrained):
    measured = runners.train_and_measure(Experiment("any", SMALL, 4))
    result = measured.result
    assert [result[f"{p}_accuracy"] for p in ("train", "validation", "noisy", "test")] == [0.5] * 4
    assert result["misclassified"] == [*range(25, 50)] and result["predicted"] == [7] * 25
    assert result["parameters"] == 7_850 and result["history"] == {"loss": [1.0]}
    assert (result["fit_seconds"], result["processor_seconds"]) == (1.5, 2.5)
    assert result["weights_sha256"] == data.digest(measured.trained.model.get_weights())
    noise = measured.parts["noisy"][0] - parts()["validation"][0]
    assert noise.std() == pytest.approx(0.15, rel=0.02) and noise.mean() == pytest.approx(
        0, abs=0.01
    )
    assert (accuracy.noisy(parts()["test"][0], 0.15, seed=4) - 0.5 == noise).all()
    assert accuracy.noisy(parts(0.9)["test"][0], 2.0, seed=1).max() == 1


def test_a_choice_on_validation_data_does_not_see_the_test_set(untrained):
    choice = Experiment("choice", SMALL, 1, evaluated_on=Part.VALIDATION)
    _, result = runners.train_and_evaluate(choice)
    assert not [key for key in result if key.startswith(("test", "misclassified", "predicted"))]
    assert result["validation_accuracy"] == 0.5


def test_an_experiment_is_trained_on_its_split_and_measured(fallback, monkeypatch):
    writers = np.where(np.arange(4_000) % 3, "students", "Census")
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


def test_nets_of_one_experiment_have_seeds_of_their_own(monkeypatch):
    trained = []

    def noted(configuration, inputs, targets, validation=None, seed=1, teacher=None):
        trained.append((seed, configuration.epochs, teacher is not None))
        return train.Trained(seven(), {}, 1.0, 2.0)

    monkeypatch.setattr(runners, "train", noted)
    examples = parts()["train"]
    three = Experiment("three", SMALL, 4, nets=3)
    assert runners.trained_nets(three, examples, None).spent == (3, 6)
    runners.trained_nets(dataclasses.replace(three, nets=1), examples, None)
    assert trained == [(400, 2, False), (401, 2, False), (402, 2, False), (4, 2, False)]
    trained.clear()
    teacher = dataclasses.replace(SMALL, epochs=5)
    student = dataclasses.replace(three, nets=1, teacher=teacher, teachers=2)
    assert runners.trained_nets(student, examples, None).spent == (3, 6)  # its teachers' too
    assert trained == [(400, 5, False), (401, 5, False), (4, 2, True)]
