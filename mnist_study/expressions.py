"""What the expressions in texts may name: the recorded experiments, and what is said of them."""

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from mnist_study import data, experiments, paths, results
from mnist_study.evaluate.uci import TEST, uci_pictures
from mnist_study.stats import Spread, spread


class Recorded:
    """The recorded trainings of an experiment, with what the text quotes of them.

    A spread has mean, sd, min and max over seeds.
    """

    def __init__(self, name: str):
        self.name = name

    def spread(self, *path: str) -> SimpleNamespace:
        """Return the spread of the number at that path of each result."""
        return SimpleNamespace(**results.over_seeds(self.name, *path))

    @property
    def accuracy(self) -> SimpleNamespace:
        """The test accuracy: a spread, and the interval (low, high) over seeds and writers."""
        low, high = results.accuracy(self.name)["ci95"]
        return SimpleNamespace(**results.accuracy(self.name), low=low, high=high)

    @property
    def seeds(self) -> int:
        """How many trainings are recorded."""
        return len(results.each(self.name))

    @property
    def errors(self) -> list[int]:
        """The misclassified test digits of each seed."""
        return results.misclassified(self.name).sum(1).tolist()

    @property
    def processor_time(self) -> SimpleNamespace:
        """The spread of the processor time of training, relative to the baseline's."""
        return SimpleNamespace(**spread(results.relative_times(self.name, "processor_seconds")))

    @property
    def subgroups(self) -> SimpleNamespace:
        """Students' error rate relative to Census employees': ratio, low, high."""
        low, high = results.subgroups(self.name)["ratio_ci95"]
        return SimpleNamespace(ratio=results.subgroups(self.name)["ratio"], low=low, high=high)

    @property
    def parameters(self) -> int:
        return results.each(self.name)[0]["parameters"]

    def ratio(self, part: str) -> SimpleNamespace:
        """The spread of a part's error rate relative to the test digits'; see error_ratio."""
        return SimpleNamespace(**results.error_ratio(self.name, part))

    def mnist_c(self, corruption: str = "all", key: str = "mnist_c") -> SimpleNamespace:
        """Return the spread of the error rate under a corruption of MNIST-C; see mnist_c."""
        return SimpleNamespace(**spread(results.mnist_c(self.name, key)[corruption]))

    @property
    def reestimated(self) -> SimpleNamespace:
        """The spread of MNIST-C's mean error, statistics estimated anew on the corrupted images."""
        return self.mnist_c(key="mnist_c_reestimated")

    @property
    def best_epochs(self) -> list[int]:
        """The epoch of the smallest validation loss of each seed, from 1."""
        return [int(np.argmin(v)) + 1 for v in results.values(self.name, "history", "val_loss")]

    def stopped(self, patience: int = 3) -> SimpleNamespace:
        """Return what early stopping would have given: accuracy, and change of the loss.

        Both on validation images, means over seeds; the change is relative to the last epoch's.
        """
        accuracies, changes = [], []
        for history in results.values(self.name, "history"):
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
        return [v[-1] / min(v) - 1 for v in results.values(self.name, "history", "val_loss")]


def plainly(changed: SimpleNamespace) -> str:
    """Say in words how test errors change; see results.change."""
    if not changed.certain:
        return "change nothing that we could measure"
    return f"{'reduce' if changed.high < 0 else 'raise'} the errors by {abs(changed.value):.0%}"


def left_out() -> dict[str, SimpleNamespace]:
    """Return for each family of corruptions the spread of the error rates on it.

    all, others, none: by what was trained on; see results.left_out.
    """
    ways = ("all", "others", "none")
    return {
        family: SimpleNamespace(
            **{way: SimpleNamespace(**spread(getattr(of, way))) for way in ways if getattr(of, way)}
        )
        for family, of in results.left_out().items()
    }


def families_in_words() -> str:
    """Say for which families the others' augmentation helps, and for which it does not."""
    told = {family: of for family, of in results.left_out().items() if of.none is not None}
    helped = [family for family, of in told.items() if of.helps]
    others = [family for family in told if family not in helped]
    text = f"It does so for {', '.join(helped)}"
    return f"{text}, and not for {', '.join(others)}." if others else f"{text}."


def fours(name: str = results.OURS) -> float:
    """Return which share of a model's errors on UCI's digits are at 4s, over seeds."""
    labels = uci_pictures(TEST)[1]
    wrong = np.array(results.values(name, "uci_predicted")) != labels
    return float(wrong[:, labels == 4].sum() / wrong.sum())


def abstentions() -> dict[str, Spread]:
    """Return the spread of the shares below the threshold, by population, and of their ratio."""
    shares = results.abstentions()
    students, census = (
        shares[group] for group in (data.Population.STUDENTS, data.Population.CENSUS)
    )
    ratios = [one / other for one, other in zip(students, census, strict=True)]
    return {name: spread(of) for name, of in (shares | {"ratio": ratios}).items()}


def repository() -> str:
    """Return the repository's public address, which CITATION.cff alone states."""
    citation = (paths.ROOT / "CITATION.cff").read_text(encoding="utf-8")
    [address] = re.findall(r"(?m)^repository-code: (https://\S+)$", citation)
    return address


def colab() -> str:
    """Return the notebook's address on Colab."""
    path = repository().removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{path}/blob/main/mnist_model.ipynb"


def binder() -> str:
    """Return the notebook's address on Binder."""
    path = repository().removeprefix("https://github.com/")
    return f"https://mybinder.org/v2/gh/{path}/HEAD?labpath=mnist_model.ipynb"


def durations() -> dict[str, SimpleNamespace]:
    """Return the shortest and longest recorded minutes of each command, from durations.csv."""
    minutes: dict[str, list[float]] = {}
    for row in pd.read_csv(paths.RESULTS / "durations.csv").to_dict("records"):
        minutes.setdefault(row["command"], []).append(row["seconds"] / 60)
    return {name: SimpleNamespace(min=min(m), max=max(m)) for name, m in minutes.items()}


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
        "change": lambda before, after, *group: results.change(before.name, after.name, *group),
        "contested": results.contested_errors(),
        "abstentions": abstentions(),
        "exercises": results.read_json("exercises.json"),
        "recogniser": results.read_json("reader.json"),
        "repository": repository(),
        "colab": colab(),
        "binder": binder(),
        "durations": durations(),
        "left_out": left_out(),
        "families_in_words": families_in_words,
        "fours": fours,
        "plainly": plainly,
        "largest_move": results.largest_move(),
        "variants_tried": variants_tried(),
    }
