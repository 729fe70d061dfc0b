"""Records as tables to read, of text: one row an entry, figures rounded to what they are worth."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from mnist_study.core.experiment import Result
from mnist_study.reader import rates
from mnist_study.records import summary
from mnist_study.records.intervals import wilson
from mnist_study.story.parameters import Parameters
from mnist_study.story.session import Session

PICTURES = {  # of the reader's many kinds those that the story tells of
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
    """Return the table of this run's models: size, training, and accuracy on each part.

    study: the run.
    """
    rows = {}
    for name, record in metrics.items():
        row = rows[name] = {"parameters": f"{record['parameters']:,}"}
        row["training"] = f"{record['epochs']} epochs, {record['fit_seconds']:.0f} s"
        for part in ("train", "validation"):
            row[part] = f"{record[f'{part}_accuracy']:.2%}"
        row["test (95% over images)"] = with_interval(
            record["test_accuracy"], study.dataset["test"]
        )
    return pd.DataFrame(rows).T


def against_kept(metrics: Mapping[str, Result], study: Session) -> pd.DataFrame:
    """Return how each of this run's trainings compares with the kept one of its seed.

    A run with a notice trains something else than what is kept: then the table is empty.
    """
    seed = study.parameters.seed
    found = {name: summary.against_kept(name, seed, record) for name, record in metrics.items()}
    return pd.Series({} if study.notice else found, name="kept record", dtype=object).to_frame()


def over_seeds(names: Iterable[str]) -> pd.DataFrame:
    """Return the table of the kept experiments' test accuracies, over seeds and writers."""
    rows = {}
    for name in names:
        found, models = summary.test_accuracy(name), summary.over_seeds(name)
        row = rows[name] = {"seeds": found["n"]}
        row["test, mean ± sd over seeds"] = f"{found['mean']:.2%} ± {found['sd']:.2%}"
        row["95% over seeds and writers"] = "{:.2%} to {:.2%}".format(*found["ci95"])
        row["validation"] = f"{models['validation_accuracy']['mean']:.2%}"
        row["training time, plain recipe = 1"] = f"{models['classic_times']['mean']:.1f}"
    return pd.DataFrame(rows).T


def nonsense(found: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the table of pictures that are no digits, and how many pass for one."""
    rows = {
        kind: {"pictures": of["images"], "passed as digits": round(of["images"] * of["sure"])}
        for kind, of in found.items()
    }
    return pd.DataFrame(rows).T


def reader() -> pd.DataFrame:
    """Return the table of what the benchmark's net and the reader read of the same pictures."""
    kept, rows = rates.kept()["one_digit"], {}
    for name, kind in PICTURES.items():
        row = rows[name] = {"pictures": kept[kind]["images"]}
        row["dense_dropout"] = percent(kept[kind]["benchmark_right"], 1)
        row["digit_reader"] = with_interval(kept[kind]["right"], kept[kind]["images"])
        row["sure and wrong"] = percent(kept[kind]["sure_and_wrong"], 1)
    return pd.DataFrame(rows).T


def settings() -> pd.DataFrame:
    """Return the table of all parameters: the study's value of each, and what else may be given."""
    rows = {
        field.name: {"the study's": str(getattr(Parameters(), field.name))}
        | {"else": field.metadata["advice"]}
        for field in dataclasses.fields(Parameters)
    }
    return pd.DataFrame(rows).T
