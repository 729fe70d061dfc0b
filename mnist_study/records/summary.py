"""The kept experiments in numbers: accuracies over seeds, the ladder, times, who is misread."""

import functools
from typing import Any

import numpy as np
from jaxtyping import Bool

from mnist_study.core import data
from mnist_study.core.experiment import Result
from mnist_study.errors import RecordError
from mnist_study.records import machine
from mnist_study.records.intervals import (
    Spread,
    error_change,
    mean_accuracy,
    population_record,
    spread,
)
from mnist_study.records.store import Store

Summary = dict[str, Any]  # fit for JSON

MODELS = ("softmax_regression", "classic_mlp", "dense_dropout", "cnn")
TAUGHT = ("taught_by_students", "taught_by_census", "taught_by_both")
# The ladder from bottom to top: each rung's experiment, and what it adds to the one before.
LADDER = {
    "softmax_regression": "softmax regression",
    "classic_mlp": "the plain recipe",
    "step_adam": "Adam, 7 epochs",
    "step_wide": "2048-256, batch normalisation",
    "step_affine": "+ affine deformation",
    "step_elastic": "+ elastic deformation",
    "step_smooth": "+ fading, label smoothing",
    "step_patches": "+ first weights in patches",
    "step_focus": "+ hard images drawn more often",
    "dense_dropout": "50 epochs instead of 7",
    "dense_taught": "+ taught by cnn",
}
# What to call the kept experiments of the curve of accuracy against time that are no models.
TITLES = {"sprint": "256-128, 5 short epochs", "step_focus": "2048-256, 7 epochs"}
TITLES |= {"middle": "1024-512, 12 epochs", "cnn_sprint": "small cnn"}
TITLES |= {"dense_taught": "taught by cnn", "dense_taught_twice": "two taught by two, averaged"}
# The well-known marks of test accuracy, and the schedule fixed beforehand for each.
MARKS = {0.9774: "sprint", 0.984: "sprint", 0.99: "cnn_sprint", 0.9904: "cnn_sprint"}
MARKS |= {0.9922: "middle", 0.993: "middle", 0.995: "dense_dropout", 0.996: "cnn"}


@functools.cache
def kept(name: str) -> dict[int, Result]:
    """Return the results of an experiment by seed; raise RecordError where there are none."""
    found = Store().results(name)
    if not found:
        raise RecordError(f"results/ has no record of {name}: make experiments")
    return found


def wrong(name: str) -> Bool[np.ndarray, "seeds 10000"]:
    """Return which test images an experiment's models misread."""
    rows = [result["misread"] for result in kept(name).values()]
    found = np.zeros((len(rows), len(data.test_writers())), bool)
    for of_seed, misread in zip(found, rows, strict=True):
        of_seed[misread] = True
    return found


def test_accuracy(name: str) -> Summary:
    """Return mean, sd and interval of the test accuracy, over seeds and writers."""
    return mean_accuracy(wrong(name), data.test_writers())


def populations(name: str) -> Summary:
    """Return errors by population and their ratio, over seeds and writers."""
    return population_record(wrong(name), data.test_writers())


def classic_times(name: str, clock: str = "fit_seconds") -> list[float]:
    """Return training times in units of classic_mlp's, of each seed trained beside it.

    clock: "fit_seconds", or "processor_seconds" of all threads.
    """
    classic = kept("classic_mlp")
    return [
        result[clock] / classic[seed][clock]
        for seed, result in kept(name).items()
        if seed in classic
        and result["machine"]["processor"] == classic[seed]["machine"]["processor"]
    ]


def over_seeds(name: str) -> dict[str, Spread]:
    """Return the spread over seeds of an experiment's accuracies and times."""
    runs = list(kept(name).values())
    keys = [key for key in runs[0] if key.endswith("_accuracy") or key == "fit_seconds"]
    found = {key: spread([run[key] for run in runs]) for key in keys}
    found["classic_times"] = spread(classic_times(name))
    found["processor_times"] = spread(classic_times(name, "processor_seconds"))
    return found


def change(before: str, after: str) -> Summary:
    """Return how the test errors change from one experiment to another, with its interval."""
    return error_change(wrong(before), wrong(after), data.test_writers())


def ladder() -> list[Summary]:
    """Return the ladder's rungs from bottom to top: name, title, errors and time over seeds.

    change: of the errors against those of the rung before, with its interval.
    """
    rungs = []
    for before, (name, title) in zip([None, *LADDER], LADDER.items(), strict=False):
        entry: Summary = {"experiment": name, "name": title} | over_seeds(name)
        entry["test_errors"] = [1 - r["test_accuracy"] for r in kept(name).values()]
        rungs.append(entry | (change(before, name) if before else {}))
    return rungs


def marks() -> list[Summary]:
    """Return for each mark its schedule, its accuracy and time over seeds, whether reached."""
    found = []
    for threshold, name in MARKS.items():
        entry = {"threshold": threshold, "model": name} | over_seeds(name)
        reached = entry["test_accuracy"]["mean"] >= threshold
        found.append(entry | {"reached": bool(reached)})
    return found


def times() -> list[tuple[str, str, float, float]]:
    """Return the points of accuracy against time: (name, title, mean accuracy, mean seconds)."""
    found = {name: over_seeds(name) for name in [*MODELS, *TITLES]}
    means = [(f["test_accuracy"]["mean"], f["fit_seconds"]["mean"]) for f in found.values()]
    return [(name, TITLES.get(name, name), *mean) for name, mean in zip(found, means, strict=True)]


def wrong_share(result: Result) -> float:
    """Return the share of validation images that a result's model misread."""
    return 1 - result["validation_accuracy"]


def choices() -> dict[str, dict[str, Spread]]:
    """Return what doing without an ingredient costs, in pairs of a seed and its validation rows.

    {variant: {"errors", "loss"}}: spreads of the relative increase of errors and cross-entropy.
    """
    own, found = kept("choice_as_it_is"), {}
    for name in ("rows_in_turn", "no_patches"):
        pairs = [(result, own[seed]) for seed, result in kept(f"choice_{name}").items()]
        errors = [wrong_share(result) / wrong_share(of_own) - 1 for result, of_own in pairs]
        losses = [r["validation_loss"] / o["validation_loss"] - 1 for r, o in pairs]
        found[name.replace("_", " ")] = {"errors": spread(errors), "loss": spread(losses)}
    return found


def against_kept(name: str, seed: int, record: Result) -> str:
    """Say how this run's training (its record) compares with the kept one of that name and seed."""
    other = Store().results(name).get(seed)
    if other is None:
        return "none kept"
    if other["weights_sha256"] == record["weights_sha256"]:
        return "the same weights"
    difference = 100 * (record["test_accuracy"] - other["test_accuracy"])
    same = other["machine"]["processor"] == machine.processor()
    said = "OTHER WEIGHTS ON THE SAME PROCESSOR" if same else "another processor"
    return f"{said}: {difference:+.2f} points"


def seeds() -> Summary:
    """Return what the experiments give over seeds, for results/metrics.json."""
    return {
        "runs": len(kept("dense_dropout")),
        "weights_sha256": {
            name: {f"seed {seed}": r["weights_sha256"] for seed, r in kept(name).items()}
            for name in MODELS
        },
        "models": {
            name: over_seeds(name) | {"test_accuracy_over_writers": test_accuracy(name)}
            for name in MODELS
        },
        "ablation": ladder(),
        "time_to_accuracy": marks(),
        "populations": {name: populations(name) for name in MODELS + TAUGHT},
        "choices": choices(),
    }
