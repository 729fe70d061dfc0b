"""What the kept trainings of a model say together, seed by seed: readings, doubt, damage."""

import functools
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from mnist_study.arrays import Labels, Rows
from mnist_study.core.data import CONTESTED, Population, test_writers
from mnist_study.core.experiment import Result
from mnist_study.records import summary
from mnist_study.records.intervals import Spread, spread
from mnist_study.trials.judging import unpacked
from mnist_study.trials.robustness import DAMAGES

OURS = "dense_dropout"
JUDGED = ("classic_mlp", "dense_dropout", "cnn")  # whose records hold what needs several seeds
ENOUGH = 0.95  # accuracy; damage that leaves less is too much
MISREAD, DISPUTED, DOUBTED = 7, 4, 5  # hard digits of each sort


def results(name: str) -> list[Result]:
    """Return the kept results of an experiment, one a seed."""
    return [*summary.kept(name).values()]


def over_seeds(name: str, *path: str) -> Spread:
    """Return the spread over seeds of the number at that path of each result."""
    records: list[Any] = results(name)
    return spread([functools.reduce(lambda part, key: part[key], path, r) for r in records])


def readings(name: str, labels: Labels) -> Integer[np.ndarray, "seeds 10000"]:
    """Return what each seed's net reads of each test digit."""
    found = np.tile(labels, (len(results(name)), 1))
    for of_seed, result in zip(found, results(name), strict=True):
        of_seed[result["misread"]] = result["read_as"]
    return found


def doubt(name: str) -> Float[np.ndarray, "seeds 10000"]:
    """Return each seed's doubt of each test digit: 1 less the confidence, after scaling."""
    return np.array([unpacked(result["doubts"]["doubt"]["test"]) for result in results(name)])


def hard_rows() -> Rows:
    """Return sixteen hard test rows: misread by most seeds, disputed by people, or doubted."""
    wrong, settled = summary.wrong(OURS).mean(0), np.setdiff1d(np.arange(10_000), CONTESTED)
    misread = settled[np.argsort(-wrong[settled], kind="stable")[:MISREAD]]
    right = settled[wrong[settled] == 0]
    doubted = right[np.argsort(-doubt(OURS).mean(0)[right], kind="stable")[:DOUBTED]]
    disputed = CONTESTED[:: len(CONTESTED) // DISPUTED][:DISPUTED]
    return np.sort(np.concatenate([misread, doubted, disputed]))


def contested_misread(name: str = OURS) -> list[int]:
    """Return how many contested test digits each seed's net misreads."""
    return summary.wrong(name)[:, CONTESTED].sum(1).tolist()


def handed_over(name: str = OURS) -> dict[str, list[float]]:
    """Return for each population the share of its digits under the threshold, seed by seed."""
    thresholds = np.array([result["doubts"]["threshold"] for result in results(name)])
    under = doubt(name) > 1 - thresholds[:, np.newaxis]
    groups = (Population.STUDENTS, Population.CENSUS)
    return {str(group): under[:, test_writers() == group].mean(1).tolist() for group in groups}


def under_damage(name: str) -> dict[str, Float[np.ndarray, "strengths"]]:
    """Return the mean accuracy over seeds under each damage, in the order of its strengths."""
    damages = [result["damage"] for result in results(name)]
    return {damage.name: np.mean([d[damage.name] for d in damages], 0) for damage in DAMAGES}


def breaking(name: str) -> dict[str, float | None]:
    """Return for each damage the first strength tried that leaves too little; None: none does."""
    found: dict[str, float | None] = {}
    accuracies = under_damage(name)
    for damage in DAMAGES:
        too_much = np.flatnonzero(accuracies[damage.name] < ENOUGH)
        found[damage.name] = damage.strengths[too_much[0]] if len(too_much) else None
    return found


def borne(name: str) -> dict[str, float]:
    """Return for each damage the strength that leaves just ENOUGH, between those tried.

    Where even the strongest tried leaves enough, that one.
    """
    found, accuracies = {}, under_damage(name)
    for damage in DAMAGES:
        right, strengths = accuracies[damage.name], damage.strengths
        place = int(np.argmax(right < ENOUGH)) if (right < ENOUGH).any() else len(right) - 1
        ends, marks = right[place - 1 : place + 1][::-1], strengths[place - 1 : place + 1][::-1]
        found[damage.name] = float(np.interp(ENOUGH, ends, marks))
    return found


def errors_times(name: str, part: str) -> Spread:
    """Return how many times the test digits' error rate a part's is, over seeds.

    part: "uci", UCI's digits, or "small", MNIST's shrunk to their size.
    """
    ratios = [(1 - r[f"{part}_accuracy"]) / (1 - r["test_accuracy"]) for r in results(name)]
    return spread(ratios)


def summed_up() -> dict[str, dict[str, object]]:
    """Return what the kept trainings say together, by model, for results/metrics.json."""
    numbers = {
        "temperature": ("doubts", "temperature"),
        "ece_before": ("doubts", "ece_before"),
        "ece_after": ("doubts", "ece_after"),
        "coverage": ("doubts", "coverage"),
        "error": ("doubts", "error"),
        "membership": ("membership",),
        "uci_accuracy": ("uci_accuracy",),
        "small_accuracy": ("small_accuracy",),
    }
    return {
        name: {
            **{key: over_seeds(name, *path) for key, path in numbers.items()},
            "contested_misread": contested_misread(name),
            "handed_over": {group: spread(v) for group, v in handed_over(name).items()},
            "borne": borne(name),
        }
        for name in JUDGED
    }
