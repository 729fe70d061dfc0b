"""The study's experiments, one table: each one's configuration, seeds, split, title and runner."""

import dataclasses
import enum
import fnmatch
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mnist_study import models, peers
from mnist_study.corrupt import Family
from mnist_study.data import Split
from mnist_study.errors import TrainingError
from mnist_study.full_runner import train_and_corrupt, train_and_evaluate_fully
from mnist_study.models import Configuration, registry
from mnist_study.recogniser.line_training import train_line_reader
from mnist_study.recogniser.training import train_recogniser
from mnist_study.runners import Experiment, Part, train_and_evaluate

FIVE, THREE, TWO, ONE = (1, 2, 3, 4, 5), (1, 2, 3), (1, 2), (1,)  # seeds
RUNNERS = {
    runner.__name__: runner
    for runner in (
        train_and_evaluate,
        train_and_evaluate_fully,
        train_and_corrupt,
        train_recogniser,
        train_line_reader,
    )
}
# Each seed another split, so that no choice rests on one split of the writers.
SPLITS = {1: Split.STUDY, 2: Split.FROM_STUDENTS, 3: Split.FROM_CENSUS}


class Group(enum.StrEnum):
    """What an experiment is for."""

    MODEL = "model"  # what the notebook trains, too
    TIME = "time to accuracy"  # schedules fixed beforehand for a mark of test accuracy
    ABLATION = "ablation"  # one change after another, each step with those above it
    WITHOUT = "without"  # a configuration without what the text asks about
    FAMILIES = "families"  # trained without one family of corruptions each
    NORMALISATION = "normalisation"  # with and without batch normalisation, at two learning rates
    PEERS = "peers"  # networks of others
    SUBGROUPS = "subgroups"  # trained on one population's digits, or on equal shares
    CHOICE = "choice"  # compared on validation data alone
    RECOGNISER = "recogniser"


@dataclasses.dataclass(frozen=True)
class Entry:
    """A line of the table: an experiment with its title, its group and its seeds."""

    experiment: Experiment  # with seed 1
    title: str
    group: Group
    seeds: tuple[int, ...]
    splits: Mapping[int, Split] = dataclasses.field(default_factory=dict)  # by seed, if they differ

    def with_seed(self, seed: int) -> Experiment:
        """Return the experiment with a seed."""
        split = self.splits.get(seed, self.experiment.split)
        return replace(self.experiment, seed=seed, split=split)


def entry(
    name: str,
    configuration: Configuration,
    title: str,
    group: Group,
    seeds: tuple[int, ...] = THREE,
    splits: Mapping[int, Split] | None = None,
    **more: Any,
) -> Entry:
    """Return a line of the table; more: further fields of its Experiment."""
    return Entry(Experiment(name, configuration, 1, **more), title, group, seeds, splits or {})


BASELINE, DENSE, CNN = (registry[name] for name in ("baseline_mlp", "dense_dropout", "cnn"))
UNCORRUPTED: dict[str, Any] = {"shift": 0, "corruptions": ()}
CLEAN = replace(DENSE, **UNCORRUPTED)
SHORT = replace(CLEAN, epochs=7)
PLAIN: dict[str, Any] = {"affine": 0, "elastic": 0, "anneal": False}
PLAIN |= {"label_smoothing": 0, "importance_sampling": 0}
WIDE = replace(SHORT, **PLAIN, options={"local_init": False})
AFFINE, ELASTIC = replace(WIDE, affine=1), replace(WIDE, affine=1, elastic=1)
SMOOTH = replace(ELASTIC, anneal=True, label_smoothing=DENSE.label_smoothing)
ADAM = replace(WIDE, network=BASELINE.network, options={}, batch_size=256, learning_rate=0.002)
WEAK: dict[str, Any] = {"affine": 0.5, "elastic": 0.5}
WEAK |= {"label_smoothing": 0, "importance_sampling": 0}
NARROW: dict[str, Any] = {"options": {"widths": (256, 128), "dropout": 0}, "learning_rate": 0.02}
SPRINT = replace(CLEAN, **NARROW, epochs=5, samples_per_epoch=48_000, **WEAK)
MIDDLE = replace(CLEAN, options={"widths": (1024, 512)}, epochs=12, affine=0.8)
SMALL_CNN: dict[str, Any] = {"options": {"filters": (16, 32, 64), "units": 128}, **UNCORRUPTED}
SMALL_CNN |= {"samples_per_epoch": 84_000, "batch_size": 128}
NO_DROPOUT: dict[str, Any] = {"options": {"dropout": 0}}
NO_NORMALISATION: dict[str, Any] = {"batch_normalisation": False, "dropout": 0.2}
NO_NORMALISATION = {"options": NO_NORMALISATION, "learning_rate": 0.002}
WIDE_ALONE = {"options": {"local_init": False, "batch_normalisation": False}}
WIDE_ALONE |= {"learning_rate": 0.002}
BRIEF = replace(DENSE, epochs=12)  # to compare families of corruptions

M, T, A, W, F, N, K, S, C = list(Group)[:9]
FULL: dict[str, Any] = {"runner": train_and_evaluate_fully}
WATCHED: dict[str, Any] = FULL | {"watch": True}
VALIDATED: dict[str, Any] = {"evaluated_on": Part.VALIDATION, "splits": SPLITS}
CORRUPTED: dict[str, Any] = {"evaluated_on": Part.VALIDATION, "runner": train_and_corrupt}


def without(family: Family) -> Entry:
    """Return the brief training without one family of corruptions."""
    left = replace(BRIEF, corruptions=tuple(other for other in Family if other != family))
    return entry(f"brief_without_{family}", left, f"without {family}", F, **CORRUPTED)


RECOGNISER = entry(
    "digit_reader",
    registry["digit_reader"],
    "the digit recogniser",
    Group.RECOGNISER,
    runner=train_recogniser,
)
LINE_READER = entry(
    "line_reader",
    registry["line_reader"],
    "the line network of the recogniser",
    Group.RECOGNISER,
    ONE,
    runner=train_line_reader,
)
# fmt: off
TABLE = (
    entry("baseline_mlp", BASELINE, "baseline (512-512, dropout, RMSprop)", M, FIVE, watch=True),
    entry("baseline_mlp_evaluated", BASELINE, "baseline, evaluated further", M, ONE, **FULL),
    entry("softmax_regression", registry["softmax_regression"], "softmax regression", M, THREE,
          **WATCHED),
    entry("dense_dropout", DENSE, "dense_dropout", M, FIVE, **WATCHED),
    entry("cnn", CNN, "cnn", M, ONE, **WATCHED),
    entry("sprint", SPRINT, "256-128, 5 short epochs", T, FIVE),
    entry("middle", MIDDLE, "1024-512, 12 epochs", T, FIVE),
    entry("cnn_sprint", replace(CNN, **SMALL_CNN, epochs=1, **WEAK), "small cnn", T, FIVE),
    entry("step_adam", ADAM, "Adam, 7 epochs", A),
    entry("step_wide", WIDE, "2048-256, batch normalisation", A),
    entry("step_affine", AFFINE, "+ affine augmentation", A),
    entry("step_elastic", ELASTIC, "+ elastic augmentation", A),
    entry("step_smooth", SMOOTH, "+ annealing, label smoothing", A),
    entry("step_local_init", replace(SMOOTH, options={}), "+ local initialisation", A),
    entry("step_importance_sampling", SHORT, "+ importance sampling", A),
    entry("dense_clean", CLEAN, "dense_dropout without corruptions", W, FIVE, watch=True),
    entry("dense_clean_evaluated", CLEAN, "the same, evaluated further", W, TWO, **FULL),
    entry("cnn_clean", replace(CNN, **UNCORRUPTED), "cnn without corruptions", W, FIVE, watch=True),
    entry("baseline_mlp_without_dropout", replace(BASELINE, **NO_DROPOUT),
          "baseline without dropout", W),
    entry("dense_clean_without_dropout", replace(CLEAN, **NO_DROPOUT),
          "dense_clean without dropout", W),
    entry("step_wide_without_normalisation", replace(WIDE, **WIDE_ALONE),
          "2048-256 without batch normalisation", W),
    entry("brief", BRIEF, "all corruptions", F, **CORRUPTED),
    *map(without, Family),
    entry("brief_without_geometry", replace(BRIEF, affine=0, elastic=0, shift=0),
          "without geometry", F, **CORRUPTED),
    entry("brief_clean", replace(BRIEF, **UNCORRUPTED), "without any", F, **CORRUPTED),
    entry("brief_without_normalisation", replace(BRIEF, **NO_NORMALISATION),
          "without batch normalisation", F, **CORRUPTED),
    entry("brief_clean_slow", replace(BRIEF, **UNCORRUPTED, learning_rate=0.002),
          "with it, at 0.002", N, ONE, **CORRUPTED),
    entry("brief_clean_without_normalisation", replace(BRIEF, **UNCORRUPTED, **NO_NORMALISATION),
          "without it, at 0.002", N, ONE, **CORRUPTED),
    entry("brief_clean_without_normalisation_fast",
          replace(BRIEF, **UNCORRUPTED, options=NO_NORMALISATION["options"]),
          "without it, at 0.012", N, ONE, **CORRUPTED),
    entry("keras_convnet", registry[peers.keras_convnet.__name__], "Keras's mnist_convnet", K,
          ONE, **FULL),
    entry("trained_on_students", CLEAN, "trained on students' digits", S, split=Split.STUDENTS),
    entry("trained_on_census", CLEAN, "trained on Census employees'", S, split=Split.CENSUS),
    entry("trained_on_both", CLEAN, "trained on half of each", S, split=Split.BOTH),
    entry("choice_reference", SHORT, "as it is", C, **VALIDATED),
    entry("choice_no_importance_sampling", replace(SHORT, importance_sampling=0),
          "no importance sampling", C, **VALIDATED),
    entry("choice_no_local_init", replace(SHORT, options={"local_init": False}),
          "no local init", C, **VALIDATED),
    RECOGNISER,
    LINE_READER,
)
# fmt: on
# Experiments that are recorded by their accuracy alone, and the same trainings evaluated further.
EVALUATED = {name: f"{name}_evaluated" for name in ("baseline_mlp", "dense_clean")}
TITLES = {line.experiment.name: line.title for line in TABLE}
# The ablation study from its first step to its last; each is compared with the one before.
ABLATION = ["softmax_regression", "baseline_mlp"]
ABLATION += [line.experiment.name for line in TABLE if line.group is Group.ABLATION]
ABLATION += ["dense_clean", "dense_dropout"]


def names(group: Group) -> list[str]:
    """Return the names of a group's experiments in the order of the table."""
    return [line.experiment.name for line in TABLE if line.group is group]


def configuration(name: str) -> Configuration:
    """Return the configuration of the experiment of that name."""
    [line] = [line for line in TABLE if line.experiment.name == name]
    return line.experiment.configuration


def study() -> list[Experiment]:
    """Return all experiments of the study, those of one seed together: their seconds compare."""
    return [line.with_seed(seed) for seed in FIVE for line in TABLE if seed in line.seeds]


def matching(pattern: str | None) -> list[Experiment]:
    """Return the experiments whose names match a pattern, such as cnn*; all without one.

    Raises TrainingError when none matches.
    """
    matched = [e for e in study() if fnmatch.fnmatch(e.name, pattern or "*")]
    if not matched:
        raise TrainingError(f"no experiment is called {pattern}: make trainings lists them")
    return matched


def configuration_of(description: dict[str, Any]) -> Configuration:
    """Return the configuration that is described."""
    network = models.registry[description["network"]].network
    return Configuration(**description | {"network": network})  # pyright: ignore[reportArgumentType]


# How to read an experiment's fields that JSON does not have.
READ = {"configuration": configuration_of, "split": Split}
READ |= {"evaluated_on": Part, "runner": RUNNERS.__getitem__}


def experiment_of(description: dict[str, Any]) -> Experiment:
    """Return the experiment that is described; see store.describe."""
    fields = {field.name: description[field.name] for field in dataclasses.fields(Experiment)}
    for name, read in READ.items():
        fields[name] = fields[name] and read(fields[name])
    return Experiment(**fields)
