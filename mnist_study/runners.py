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
from mnist_study.train import Trained, ensemble, train

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


def seeds_of(seed: int, nets: int) -> list[int]:
    """Return a seed for each net: the experiment's own for one, others for several."""
    return [seed] if nets == 1 else [100 * seed + net for net in range(nets)]


def trained_nets(experiment: "Experiment", training: Examples, validation: Any) -> Trained:
    """Return the experiment's trained model, or an ensemble, each net of its own seed.

    A teacher is trained first, on the same examples; its seconds count, too.
    """
    inputs, targets = training[0], data.one_hot(training[1])
    validation = validation and (validation[0], data.one_hot(validation[1]))
    teacher = None
    if experiment.teacher:
        seeds = seeds_of(experiment.seed, experiment.teachers)
        teacher = ensemble([train(experiment.teacher, inputs, targets, seed=s) for s in seeds])
    given = {"validation": validation, "teacher": teacher and teacher.model}
    seeds = seeds_of(experiment.seed, experiment.nets)
    configured = experiment.configuration, inputs, targets
    nets = ensemble([train(*configured, seed=s, **given) for s in seeds])
    if teacher is None:
        return nets
    seconds, processors = (sum(part) for part in zip(nets.spent, teacher.spent, strict=True))
    return dataclasses.replace(nets, fit_seconds=seconds, processor_seconds=processors)


def misclassifications(predicted: Probabilities, labels: Labels) -> Result:
    """Return which images are misclassified, and as which digits."""
    digits = predicted.argmax(1)
    wrong = np.flatnonzero(digits != labels)
    return {"misclassified": wrong.tolist(), "predicted": digits[wrong].tolist()}


def train_and_measure(experiment: "Experiment") -> Measured:
    """Train as the experiment says; return the trained model and what was measured of it."""
    parts = data.examples(experiment.split, experiment.seed)
    inputs, labels = parts["validation"]
    validation = parts["validation"] if experiment.watch else None
    trained = trained_nets(experiment, parts["train"], validation)
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
    nets: int = 1  # trained one after another, their probabilities averaged
    teacher: Configuration | None = None  # of the nets it is distilled from, if it is
    teachers: int = 1  # how many of them, their probabilities averaged
    runner: Callable[["Experiment"], tuple[Trained, Result]] = train_and_evaluate
