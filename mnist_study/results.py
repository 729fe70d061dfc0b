"""Named numbers: what text, tables and figures quote of the results recorded in results/."""

import functools
import itertools
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Integer

from mnist_study import data, experiments, machine, paths, stats
from mnist_study.arrays import Indices, Labels
from mnist_study.corrupt import Family
from mnist_study.errors import RecordError
from mnist_study.evaluate.evaluation import unpacked
from mnist_study.evaluate.mnist_c import FAMILIES
from mnist_study.evaluate.robustness import CORRUPTIONS
from mnist_study.evaluate.uci import TEST, uci_pictures
from mnist_study.experiments import ABLATION
from mnist_study.runners import Result
from mnist_study.stats import Spread, spread
from mnist_study.store import Store

Summary = dict[str, Any]  # fit for JSON

OURS = "dense_dropout"
MODELS = ("softmax_regression", "baseline_mlp", "dense_dropout", "cnn")
EVALUATED = ("baseline_mlp", "dense_clean", "dense_dropout", "cnn")  # compared beyond accuracy
ENOUGH = 0.95  # accuracy; a corruption that leaves less is too strong
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


def first_failing(name: str) -> dict[str, float | None]:
    """Return for each corruption the first strength that leaves too little; None: none does."""
    strengths: dict[str, float | None] = {}
    accuracies = corrupted_accuracy(name)
    for corruption in CORRUPTIONS:
        too_strong = np.flatnonzero(accuracies[corruption.name] < ENOUGH)
        first = corruption.strengths[too_strong[0]] if len(too_strong) else None
        strengths[corruption.name] = first
    return strengths


def tolerance(name: str) -> dict[str, float]:
    """Return for each corruption the strength that leaves just ENOUGH, by interpolation.

    Where even the strongest tested leaves enough, that one.
    """
    tolerated, accuracies = {}, corrupted_accuracy(name)
    for corruption in CORRUPTIONS:
        of, strengths = accuracies[corruption.name], corruption.strengths
        place = int(np.argmax(of < ENOUGH)) if (of < ENOUGH).any() else len(of) - 1
        ends, marks = of[place - 1 : place + 1][::-1], strengths[place - 1 : place + 1][::-1]
        tolerated[corruption.name] = float(np.interp(ENOUGH, ends, marks))
    return tolerated


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
    """Return for each family of corruptions the mean error rates on it, by what was trained on.

    all: on every family; others: on all but this one; none: on no corruption, which does not tell
    for geometry, since affine and elastic augmentation stay: None.
    """
    on_all, on_none = family_errors("brief"), family_errors("brief_clean")
    return {
        family: SimpleNamespace(
            all=float(np.mean(on_all[family])),
            others=float(np.mean(family_errors(f"brief_without_{family}")[family])),
            none=float(np.mean(on_none[family])) if family in set(Family) else None,
        )
        for family in FAMILIES
    }


def error_ratio(name: str, part: str) -> Spread:
    """Return a part's error rate relative to the test digits', over seeds.

    part: "uci", UCI's digits, or "small", MNIST's downsampled to their size.
    """
    return spread(
        [(1 - r[f"{part}_accuracy"]) / (1 - r["test_accuracy"]) for r in each(evaluated(name))]
    )


class Recorded:
    """The recorded trainings of an experiment, with what the text quotes of them.

    A spread has mean, sd, min and max over seeds.
    """

    def __init__(self, name: str):
        self.name = name

    def spread(self, *path: str) -> SimpleNamespace:
        """Return the spread of the number at that path of each result."""
        return SimpleNamespace(**over_seeds(self.name, *path))

    @property
    def accuracy(self) -> SimpleNamespace:
        """The test accuracy: a spread, and the interval (low, high) over seeds and writers."""
        low, high = accuracy(self.name)["ci95"]
        return SimpleNamespace(**accuracy(self.name), low=low, high=high)

    @property
    def seeds(self) -> int:
        """How many trainings are recorded."""
        return len(each(self.name))

    @property
    def errors(self) -> list[int]:
        """The misclassified test digits of each seed."""
        return misclassified(self.name).sum(1).tolist()

    @property
    def noise_error(self) -> SimpleNamespace:
        """The spread of the error rate on noisy validation digits."""
        return SimpleNamespace(**spread([1 - v for v in values(self.name, "noisy_accuracy")]))

    @property
    def time(self) -> SimpleNamespace:
        """The spread of the time of training, relative to the baseline's."""
        return SimpleNamespace(**spread(relative_times(self.name)))

    @property
    def processor_time(self) -> SimpleNamespace:
        """The spread of the processor time of training, relative to the baseline's."""
        return SimpleNamespace(**spread(relative_times(self.name, "processor_seconds")))

    @property
    def subgroups(self) -> SimpleNamespace:
        """Students' error rate relative to Census employees': ratio, low, high."""
        low, high = subgroups(self.name)["ratio_ci95"]
        return SimpleNamespace(ratio=subgroups(self.name)["ratio"], low=low, high=high)

    @property
    def parameters(self) -> int:
        return each(self.name)[0]["parameters"]

    def ratio(self, part: str) -> SimpleNamespace:
        """The spread of a part's error rate relative to the test digits'; see error_ratio."""
        return SimpleNamespace(**error_ratio(self.name, part))

    def under(self, corruption: str, strength: float) -> float:
        """Return the mean accuracy under a strength of the corruption whose name begins so."""
        [of] = [c for c in CORRUPTIONS if c.name.startswith(corruption)]
        return float(corrupted_accuracy(self.name)[of.name][of.strengths.index(strength)])

    def tolerates(self, corruption: str) -> float:
        """Return the strength of a corruption that leaves just ENOUGH."""
        [found] = [v for k, v in tolerance(self.name).items() if k.startswith(corruption)]
        return found

    def mnist_c(self, corruption: str = "all", key: str = "mnist_c") -> SimpleNamespace:
        """Return the spread of the error rate under a corruption of MNIST-C; see mnist_c."""
        return SimpleNamespace(**spread(mnist_c(self.name, key)[corruption]))

    @property
    def reestimated(self) -> SimpleNamespace:
        """The spread of MNIST-C's mean error, statistics estimated anew on the corrupted images."""
        return self.mnist_c(key="mnist_c_reestimated")

    @property
    def best_epochs(self) -> list[int]:
        """The epoch of the smallest validation loss of each seed, from 1."""
        return [int(np.argmin(v)) + 1 for v in values(self.name, "history", "val_loss")]

    def stopped(self, patience: int = 3) -> SimpleNamespace:
        """Return what early stopping would have given: accuracy, and change of the loss.

        Both on validation images, means over seeds; the change is relative to the last epoch's.
        """
        accuracies, changes = [], []
        for history in values(self.name, "history"):
            losses, best = history["val_loss"], 0
            for epoch, loss in enumerate(losses):
                if epoch - best > patience:
                    break
                best = epoch if loss < losses[best] else best
            accuracies.append(history["val_accuracy"][best])
            changes.append(losses[best] / losses[-1] - 1)
        return SimpleNamespace(accuracy=float(np.mean(accuracies)), loss=float(np.mean(changes)))

    @property
    def loss_rises(self) -> list[float]:
        """By which share each seed's validation loss ends above its smallest."""
        return [v[-1] / min(v) - 1 for v in values(self.name, "history", "val_loss")]


def read_json(name: str) -> Any:
    """Return a JSON file of results/."""
    return json.loads((paths.RESULTS / name).read_text(encoding="utf-8"))


def largest_move() -> float:
    """Return by how much accuracy moved at most with other processors, threads and libraries."""
    variants = filter(None, read_json("portability.json")["variants"].values())
    return max(abs(m["more_errors"]) / 10_000 for v in variants for m in v["models"].values())


def peers() -> dict[str, float]:
    """Return the mean accuracy of each configuration that benchmarks/peers.py measured."""
    table: Any = pd.read_csv(paths.ROOT / "benchmarks" / "peers.csv")
    return table.groupby("name")["accuracy"].mean().to_dict()


def variants_tried() -> int:
    """Return how many variants of the configuration were compared on validation data."""
    table = pd.read_csv(paths.RESULTS / "tried.csv")
    return len(table.drop_duplicates(["variant", "epochs"]))


def namespace() -> dict[str, Any]:
    """Return what the expressions in texts may name: each experiment, and the functions here."""
    return {
        **{line.experiment.name: Recorded(line.experiment.name) for line in experiments.TABLE},
        "students": data.Population.STUDENTS,
        "census": data.Population.CENSUS,
        "change": lambda before, after, *group: change(before.name, after.name, *group),
        "contested": contested_errors(),
        "abstentions": {group: spread(shares) for group, shares in abstentions().items()},
        "ahead": lambda one, other: ahead(one.name, other.name),
        "exercises": read_json("exercises.json"),
        "recogniser": read_json("reader.json"),
        "durations": durations(),
        "left_out": left_out(),
        "families_in_words": families_in_words,
        "fours": fours,
        "plainly": plainly,
        "largest_move": largest_move(),
        "peers": peers(),
        "variants_tried": variants_tried(),
    }


def plainly(changed: SimpleNamespace) -> str:
    """Say in words how test errors change; see change."""
    if not changed.certain:
        return "change nothing that we could measure"
    return f"{'reduce' if changed.high < 0 else 'raise'} the errors by {abs(changed.value):.0%}"


def families_in_words() -> str:
    """Say for which families the others' augmentation helps, and for which it does not."""
    told = {family: of for family, of in left_out().items() if of.none is not None}
    helped = [family for family, of in told.items() if of.others < of.none]
    others = [family for family in told if family not in helped]
    text = f"It does so for {', '.join(helped)}"
    return f"{text}, and not for {', '.join(others)}." if others else f"{text}."


def fours(name: str = OURS) -> float:
    """Return which share of a model's errors on UCI's digits are at 4s, over seeds."""
    labels = uci_pictures(TEST)[1]
    wrong = np.array(values(name, "uci_predicted")) != labels
    return float(wrong[:, labels == 4].sum() / wrong.sum())


def durations() -> dict[str, SimpleNamespace]:
    """Return the shortest and longest recorded minutes of each command, from durations.csv."""
    minutes: dict[str, list[float]] = {}
    for row in pd.read_csv(paths.RESULTS / "durations.csv").to_dict("records"):
        minutes.setdefault(row["command"], []).append(row["seconds"] / 60)
    return {name: SimpleNamespace(min=min(m), max=max(m)) for name, m in minutes.items()}


def ahead(one: str, other: str) -> Sequence[int]:
    """Return by how many test digits one experiment beats another, seed by seed."""
    pairs = zip(values(one, "misclassified"), values(other, "misclassified"), strict=True)
    return [len(theirs) - len(ours) for ours, theirs in pairs]
