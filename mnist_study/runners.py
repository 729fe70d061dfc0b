"""What runs an experiment: from its description, an Experiment, to its result."""

import dataclasses
import enum
from collections.abc import Callable
from typing import Any

import numpy as np

from mnist_study import data
from mnist_study.arrays import Examples, Labels, Probabilities
from mnist_study.evaluate import accuracy
from mnist_study.models import Configuration
from mnist_study.train import Trained, train

NOISE = 0.15  # standard deviation of the noise on validation digits
Result = dict[str, Any]  # fit for JSON


class Part(enum.StrEnum):
    """What an experiment is evaluated on."""

    TEST = "test"
    VALIDATION = "validation"  # for what is still to be chosen: the test set stays closed


@dataclasses.dataclass(frozen=True)
class Measured:
    """What an experiment gave: its model, its result, and what was predicted for what."""

    trained: Trained
    result: Result
    parts: dict[str, Examples]  # by name: train, validation, noisy, test
    predicted: dict[str, Probabilities]  # for each of them


def misclassifications(predicted: Probabilities, labels: Labels) -> Result:
    """Return which images are misclassified, and as which digits."""
    digits = predicted.argmax(1)
    wrong = np.flatnonzero(digits != labels)
    return {"misclassified": wrong.tolist(), "predicted": digits[wrong].tolist()}


def train_and_measure(experiment: "Experiment") -> Measured:
    """Train as the experiment says; return the trained model and what was measured of it."""
    parts = data.examples(experiment.split, experiment.seed)
    inputs, labels = parts["validation"]
    validation = (inputs, data.one_hot(labels)) if experiment.watch else None
    images, digits = parts["train"]
    targets, seed = data.one_hot(digits), experiment.seed
    trained = train(experiment.configuration, images, targets, validation, seed)
    parts["noisy"] = accuracy.noisy(inputs, NOISE, experiment.seed), labels
    if experiment.evaluated_on is Part.VALIDATION:
        del parts["test"]
    record, predicted = accuracy.measure(trained, **parts)
    if "test" in parts:
        record |= misclassifications(predicted["test"], parts["test"][1])
    return Measured(trained, record | {"history": trained.history}, parts, predicted)


def train_and_evaluate(experiment: "Experiment") -> tuple[Trained, Result]:
    """Train as the experiment says; return the trained model and the result."""
    measured = train_and_measure(experiment)
    return measured.trained, measured.result


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A training to record: its name, its configuration, and what it is evaluated on."""

    name: str
    configuration: Configuration
    seed: int
    split: data.Split = data.Split.STUDY
    watch: bool = False  # whether to evaluate validation images during training
    evaluated_on: Part = Part.TEST
    runner: Callable[["Experiment"], tuple[Trained, Result]] = train_and_evaluate
