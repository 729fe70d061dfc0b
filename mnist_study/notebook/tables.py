"""Records as tables to read: one row an entry, numbers rounded to what they are worth."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import sklearn.metrics

from mnist_study import results as recorded
from mnist_study.arrays import Labels
from mnist_study.notebook.parameters import Parameters
from mnist_study.notebook.session import Session
from mnist_study.runners import Result
from mnist_study.stats import wilson

PICTURES = {  # of the many kinds that results/reader.json has, those that the notebook shows
    "UCI's digits": "UCI, pictures",
    "pen strokes of fourteen people": "pen strokes of people",
    "MNIST's digits on a page": "MNIST, pasted",
    "simulated photographs, squared paper": "squared paper, 150",
    "simulated photographs, hard shadow": "hard shadow, 0.4",
}


def percent(share: float, digits: int = 2) -> str:
    """Return a share as percent; a negative zero loses its sign."""
    return f"{round(share, digits + 2) + 0.0:.{digits}%}"


def with_interval(share: float, count: int) -> str:
    """Return a share measured on count images, with Wilson's 95% interval, as text."""
    low, high = wilson(share, count)
    return f"{share:.2%} ({low:.2%} to {high:.2%})"


def results(metrics: Mapping[str, Result], study: Session) -> pd.DataFrame:
    """Return the table of a run's models: size, training, and accuracy on each part."""
    rows = {}
    for name, record in metrics.items():
        row = rows[name] = {"parameters": f"{record['parameters']:,}"}
        row["training"] = f"{record['epochs']} epochs, {record['fit_seconds']:.0f} s"
        for part in ("train", "validation"):
            row[part] = f"{record[f'{part}_accuracy']:.2%}"
        test = with_interval(record["test_accuracy"], study.dataset["test"])
        row["test (95% over images)"] = test
    return pd.DataFrame(rows).T


def per_class(labels: Labels, predicted: Labels) -> pd.DataFrame:
    """Return the table of precision, recall and F1 of each digit."""
    columns = sklearn.metrics.precision_recall_fscore_support(
        labels,
        predicted,
        labels=range(10),
        zero_division=0,  # pyright: ignore[reportArgumentType]
    )
    rows = dict(zip(("precision", "recall", "F1", "images"), columns, strict=True))
    table = pd.DataFrame(rows, index=pd.Index(range(10), name="digit"))
    return table.T.map(lambda value: f"{value:.3f}" if value <= 1 else f"{value:,.0f}")


def against_recorded(metrics: Mapping[str, Result], study: Session) -> pd.DataFrame:
    """Return how each of a run's trainings compares with the recorded one of its seed.

    A run with a notice trains something else than what is recorded: then the table is empty.
    """
    seed = study.parameters.seed
    compared = {n: recorded.against_recorded(n, seed, record) for n, record in metrics.items()}
    lines = {} if study.notice else compared
    return pd.Series(lines, name="recorded training", dtype=object).to_frame()


def over_seeds(names: Iterable[str]) -> pd.DataFrame:
    """Return the table of recorded experiments' test accuracies, over seeds and writers."""
    rows = {}
    for name in names:
        test = recorded.accuracy(name)
        row = rows[name] = {"seeds": test["n"]}
        spread = f" ± {test['sd']:.2%}" if test["sd"] is not None else ""
        row["test, mean ± sd over seeds"] = f"{test['mean']:.2%}{spread}"
        row["95% over seeds and writers"] = "{:.2%} to {:.2%}".format(*test["ci95"])
        validation = recorded.over_seeds(name, "validation_accuracy")
        row["validation"] = f"{validation['mean']:.2%}"
        times = recorded.relative_times(name, "processor_seconds")  # none: another processor
        row["processor time, baseline = 1"] = f"{sum(times) / len(times):.1f}" if times else "–"
    return pd.DataFrame(rows).T


def out_of_distribution(shares: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the table of images that are no digits, and how many are accepted as one."""
    rows = {
        kind: {"images": of["images"], "accepted as digits": round(of["images"] * of["accepted"])}
        for kind, of in shares.items()
    }
    return pd.DataFrame(rows).T


def recogniser() -> pd.DataFrame:
    """Return the recorded table of what dense_dropout and digit_reader classify correctly."""
    rates, rows = recorded.read_json("reader.json")["one_digit"], {}
    for name, kind in PICTURES.items():
        row = rows[name] = {"pictures": rates[kind]["images"]}
        row["dense_dropout"] = percent(rates[kind]["benchmark_right"], 1)
        row["digit_reader"] = with_interval(rates[kind]["right"], rates[kind]["images"])
        row["sure and wrong"] = percent(rates[kind]["sure_and_wrong"], 1)
    return pd.DataFrame(rows).T


def settings() -> pd.DataFrame:
    """Return the table of all parameters: the study's value of each, and what else may be given."""
    rows = {
        field.name: {"the study's": str(getattr(Parameters(), field.name))}
        | {"else": field.metadata["advice"]}
        for field in dataclasses.fields(Parameters)
    }
    return pd.DataFrame(rows).T
