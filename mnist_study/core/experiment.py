"""One training to keep, and what becomes of it: from an Experiment to its result."""

import dataclasses
import enum
from typing import Any

import numpy as np

from mnist_study.arrays import Answers, Examples, Labels
from mnist_study.core import data, evaluate
from mnist_study.core.backend import keras
from mnist_study.core.models import Recipe
from mnist_study.core.training import Trained, average, train
from mnist_study.errors import ImagesError

NOISE = 0.15  # standard deviation of the noise on validation digits
Result = dict[str, Any]  # fit for JSON


class Part(enum.StrEnum):
    """What an experiment is judged on."""

    TEST = "test"
    VALIDATION = "validation"  # for what is still to be chosen: the test set stays shut


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A training to keep: what it is called, how it goes, and what it is judged on."""

    name: str
    recipe: Recipe
    seed: int
    split: data.Split = data.Split.STUDY
    watch: bool = False  # whether to validate after each epoch
    judged_on: Part = Part.TEST
    nets: int = 1  # trained one after another, their probabilities averaged
    teacher: Recipe | None = None  # of the nets whose answers teach, in place of the labels
    teachers: int = 1  # how many of them, their probabilities averaged
    trained_by: str = __name__  # the module whose train_and_judge(experiment) does it


@dataclasses.dataclass(frozen=True)
class Measured:
    """What an experiment gave: its model, its result, and what it answered to what."""

    trained: Trained
    result: Result
    parts: dict[str, Examples]  # by name: train, validation, noisy, test
    answers: dict[str, Answers]  # to each of them


def load_mnist() -> tuple[data.Pair, data.Pair]:
    """Return MNIST's training and test pairs; raise ImagesError when Keras has other images."""
    train_pair, test_pair = keras.datasets.mnist.load_data()
    if data.identify(train_pair, test_pair)["name"] != "mnist":
        raise ImagesError("Keras's MNIST holds other images than this experiment is about")
    return train_pair, test_pair


def seeds_of(seed: int, nets: int) -> list[int]:
    """Return a seed for each net: the experiment's own for one, others for several."""
    return [seed] if nets == 1 else [100 * seed + net for net in range(nets)]


def trained_nets(
    experiment: Experiment,
    taught: Examples,
    validation: Examples | None,
) -> Trained:
    """Return the experiment's trained model, or the average of several, each of its own seeds.

    A teacher is trained first, on the same examples; its seconds count, too.
    """
    inputs, targets = taught[0], data.one_hot(taught[1])
    judged = validation and (validation[0], data.one_hot(validation[1]))
    teacher = None
    if experiment.teacher:
        seeds = seeds_of(experiment.seed, experiment.teachers)
        teacher = average([train(experiment.teacher, inputs, targets, seed=s) for s in seeds])
    answers = teacher and teacher.model
    seeds = seeds_of(experiment.seed, experiment.nets)
    nets = average(
        [train(experiment.recipe, inputs, targets, judged, s, teacher=answers) for s in seeds]
    )
    if teacher is None:
        return nets
    seconds, of_processors = (sum(part) for part in zip(nets.spent, teacher.spent, strict=True))
    return dataclasses.replace(nets, fit_seconds=seconds, processor_seconds=of_processors)


def misreadings(answers: Answers, labels: Labels) -> Result:
    """Return which rows the answers misread, and as which digits."""
    readings = answers.argmax(1)
    misread = np.flatnonzero(readings != labels)
    return {"misread": misread.tolist(), "read_as": readings[misread].tolist()}


def train_and_measure(experiment: Experiment) -> Measured:
    """Train as the experiment says; return the trained model and what was measured of it."""
    (images, labels), (test_images, test_labels) = load_mnist()
    inputs = data.normalise(images)
    rows, held = data.split(data.training_writers(), experiment.split, seed=experiment.seed)
    parts = {"train": (inputs[rows], labels[rows]), "validation": (inputs[held], labels[held])}
    watched = parts["validation"] if experiment.watch else None
    trained = trained_nets(experiment, parts["train"], watched)
    parts["noisy"] = (evaluate.noisy(inputs[held], NOISE, experiment.seed), labels[held])
    if experiment.judged_on is Part.TEST:
        parts["test"] = (data.normalise(test_images), test_labels)
    record, answers = evaluate.measure(trained, **parts)
    if "test" in parts:
        record |= misreadings(answers["test"], test_labels)
    return Measured(trained, record | {"history": trained.history}, parts, answers)


def train_and_judge(experiment: Experiment) -> tuple[Trained, Result]:
    """Train as the experiment says; return the trained model and the result."""
    measured = train_and_measure(experiment)
    return measured.trained, measured.result
