"""Named numbers: what text, tables and figures quote of the results recorded in results/."""

import functools
import itertools
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Integer

from mnist_study import data, experiments, machine, paths, stats
from mnist_study.arrays import Indices, Labels
from mnist_study.corrupt import Family
from mnist_study.errors import RecordError
from mnist_study.evaluate.evaluation import unpacked
from mnist_study.evaluate.mnist_c import FAMILIES
from mnist_study.evaluate.robustness import CORRUPTIONS
from mnist_study.experiments import ABLATION
from mnist_study.runners import Result
from mnist_study.stats import Spread, spread
from mnist_study.store import Store

Summary = dict[str, Any]  # fit for JSON

OURS = "dense_dropout"
MODELS = ("softmax_regression", "baseline_mlp", "dense_dropout", "cnn")
EVALUATED = ("baseline_mlp", "dense_clean", "dense_dropout", "cnn")  # compared beyond accuracy
ERRORS, CONTESTED, UNCERTAIN = 7, 4, 5  # hard digits of each sort


@functools.cache
def recorded(name: str) -> dict[int, Result]:
    """Return the results of an experiment by seed; raise RecordError where there are none."""
    results = Store().results(name)
    if not results:
        raise RecordError(f"results/ has no record of {name}: make experiments")
    return results


def each(name: str) -> list[Result]:
    """Return the recorded results of an experiment, one a seed."""
    return [*recorded(name).values()]


def evaluated(name: str) -> str:
    """Return the experiment that tells more of this one than its accuracy: itself or another."""
    return experiments.EVALUATED.get(name, name)


def values(name: str, *path: str) -> list[Any]:
    """Return the number at that path of each recorded result."""
    return [functools.reduce(lambda part, key: part[key], path, r) for r in each(name)]


def over_seeds(name: str, *path: str) -> Spread:
    """Return the spread over seeds of the number at that path of each result."""
    return spread(values(name, *path))


def misclassified(name: str) -> Bool[np.ndarray, "seeds 10000"]:
    """Return which test images an experiment's models misclassify."""
    wrong = np.zeros((len(each(name)), len(data.test_writers())), bool)
    for of_seed, images in zip(wrong, values(name, "misclassified"), strict=True):
        of_seed[images] = True
    return wrong


@functools.cache
def accuracy(name: str) -> Summary:
    """Return n, mean, sd, min, max and ci95 of the test accuracy, over seeds and writers."""
    return stats.mean_accuracy(misclassified(name), data.test_writers())


@functools.cache
def subgroups(name: str) -> Summary:
    """Return errors by population and the ratio of their rates, over seeds and writers."""
    return stats.subgroup_record(misclassified(name), data.test_writers())


def relative_times(name: str, clock: str = "fit_seconds") -> list[float]:
    """Return training times relative to the baseline's of the same seed and processor.

    clock: "fit_seconds", or "processor_seconds" of all threads.
    """
    baseline = recorded(evaluated("baseline_mlp"))
    return [
        result[clock] / baseline[seed][clock]
        for seed, result in recorded(evaluated(name)).items()
        if seed in baseline
        and result["machine"]["processor"] == baseline[seed]["machine"]["processor"]
    ]


@functools.cache
def change(before: str, after: str, population: data.Population | None = None) -> SimpleNamespace:
    """Return how test errors change from one experiment to another: value, low, high, certain.

    certain: whether the 95% confidence interval excludes that nothing changed. population: whose
    digits are counted, all by default.
    """
    writers = data.test_writers()
    rows = writers == population if population else np.ones(len(writers), bool)
    wrong = misclassified(before)[:, rows], misclassified(after)[:, rows]
    measured = stats.error_change(*wrong, writers[rows])
    low, high = measured["ci95"]
    certain = low > 0 or high < 0
    found = {"value": measured["change"], "low": low, "high": high, "p": measured["p"]}
    return SimpleNamespace(**found, certain=certain)


def ablation_changes() -> dict[str, SimpleNamespace]:
    """Return how each step of the ablation study changes the errors; see change.

    certain: whether that holds after Holm's adjustment for the number of steps.
    """
    changes = {after: change(before, after) for before, after in itertools.pairwise(ABLATION)}
    adjusted = stats.holm([of.p for of in changes.values()])
    return {
        name: SimpleNamespace(**vars(of) | {"certain": p < 0.05})
        for (name, of), p in zip(changes.items(), adjusted, strict=True)
    }


def against_recorded(name: str, seed: int, record: Result) -> str:
    """Say how a run's training (its record) compares with the recorded one of that seed."""
    other = Store().results(name).get(seed)
    if other is None:
        return "none recorded"
    if other["weights_sha256"] == record["weights_sha256"]:
        return "the same weights"
    difference = 100 * (record["test_accuracy"] - other["test_accuracy"])
    same = other["machine"]["processor"] == machine.processor()
    kind = "OTHER WEIGHTS ON THE SAME PROCESSOR" if same else "another processor"
    return f"{kind}: {difference:+.2f} points"


def predictions(name: str, labels: Labels) -> Integer[np.ndarray, "seeds 10000"]:
    """Return what each seed's net predicts for each test digit."""
    predicted = np.tile(labels, (len(each(name)), 1))
    for of_seed, result in zip(predicted, each(name), strict=True):
        of_seed[result["misclassified"]] = result["predicted"]
    return predicted


@functools.cache
def uncertainty(name: str) -> Float[np.ndarray, "seeds 10000"]:
    """Return each seed's uncertainty about each test digit: 1 less the confidence, calibrated."""
    return np.array(
        [unpacked(text) for text in values(evaluated(name), "reliability", "uncertainty", "test")]
    )


def hard_digits() -> Indices:
    """Return sixteen hard test digits: misclassified by most seeds, contested, or uncertain."""
    wrong = misclassified(OURS).mean(0)
    settled = np.setdiff1d(np.arange(10_000), data.CONTESTED)
    errors = settled[np.argsort(-wrong[settled], kind="stable")[:ERRORS]]
    errors = errors[wrong[errors] > 0]
    correct = settled[wrong[settled] == 0]
    order = np.argsort(-uncertainty(OURS).mean(0)[correct], kind="stable")
    contested = data.CONTESTED[:: len(data.CONTESTED) // CONTESTED][:CONTESTED]
    uncertain = correct[order[: ERRORS + UNCERTAIN - len(errors)]]
    return np.sort(np.concatenate([errors, uncertain, contested]))


def contested_errors(name: str = OURS) -> list[int]:
    """Return how many contested test digits each seed's net misclassifies."""
    return misclassified(name)[:, data.CONTESTED].sum(1).tolist()


def abstentions(name: str = OURS) -> dict[str, list[float]]:
    """Return for each population the share of its digits below the threshold, seed by seed."""
    thresholds = np.array(values(name, "reliability", "threshold"))
    below = uncertainty(name) > 1 - thresholds[:, np.newaxis]
    groups = (data.Population.STUDENTS, data.Population.CENSUS)
    return {str(group): below[:, data.test_writers() == group].mean(1).tolist() for group in groups}


def corrupted_accuracy(name: str) -> dict[str, Float[np.ndarray, "strengths"]]:
    """Return the mean accuracy over seeds under each corruption, in the order of its strengths."""
    return {c.name: np.mean(values(evaluated(name), "corruptions", c.name), 0) for c in CORRUPTIONS}


@functools.cache
def mnist_c(name: str, key: str = "mnist_c") -> dict[str, list[float]]:
    """Return each seed's error rate under each of MNIST-C's corruptions, and their mean as "all".

    key: "mnist_c_reestimated" for batch normalisation whose statistics are estimated anew.
    """
    rates = values(evaluated(name), key)
    by_corruption = {corruption: [of[corruption] for of in rates] for corruption in rates[0]}
    return by_corruption | {"all": [float(np.mean([*of.values()])) for of in rates]}


def family_errors(name: str) -> dict[str, list[float]]:
    """Return each seed's mean error rate over the corruptions of each family of MNIST-C."""
    rates = mnist_c(name)
    return {
        family: np.mean([rates[corruption] for corruption in members], 0).tolist()
        for family, members in FAMILIES.items()
    }


def left_out() -> dict[str, SimpleNamespace]:
    """Return for each family of corruptions each seed's mean error rate on it, by its training.

    all: trained on every family; others: on all but this one; none: on no corruption, which does
    not tell for geometry, since affine and elastic augmentation stay: None. helps: whether the
    other families' augmentation lowered the error rate of every seed below that of every training
    on none.
    """
    on_all, on_none = family_errors("brief"), family_errors("brief_clean")
    found = {}
    for family in FAMILIES:
        others = family_errors(f"brief_without_{family}")[family]
        none = on_none[family] if family in set(Family) else None
        helps = none is not None and max(others) < min(none)
        found[family] = SimpleNamespace(all=on_all[family], others=others, none=none, helps=helps)
    return found


def error_ratio(name: str, part: str) -> Spread:
    """Return a part's error rate relative to the test digits', over seeds.

    part: "uci", UCI's digits, or "small", MNIST's downsampled to their size.
    """
    return spread(
        [(1 - r[f"{part}_accuracy"]) / (1 - r["test_accuracy"]) for r in each(evaluated(name))]
    )


def read_json(name: str) -> Any:
    """Return a JSON file of results/."""
    return json.loads((paths.RESULTS / name).read_text(encoding="utf-8"))


def largest_move() -> float:
    """Return by how much accuracy moved at most with other processors, threads and libraries."""
    variants = filter(None, read_json("portability.json")["variants"].values())
    return max(abs(m["more_errors"]) / 10_000 for v in variants for m in v["models"].values())
