"""Records as tables to read, of text: one row an entry, figures rounded to what they are worth."""

from collections.abc import Iterable, Mapping

import pandas as pd

from mnist_study.core.experiment import Result
from mnist_study.records import summary
from mnist_study.records.intervals import wilson
from mnist_study.story.session import Session


def percent(share: float, digits: int = 2) -> str:
    """Return a share as percent; a negative zero loses its sign."""
    return f"{round(share, digits + 2) + 0.0:.{digits}%}"


def with_interval(share: float, count: int) -> str:
    """Return a share measured on count images, with Wilson's 95% interval, as text."""
    low, high = wilson(share, count)
    return f"{share:.2%} ({low:.2%} to {high:.2%})"


def results(metrics: Mapping[str, Result], study: Session) -> pd.DataFrame:
    """Return the table of this run's models, each compared with the kept training of its seed.

    study: a run with a notice trains something else than what is kept.
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
        if not study.notice:
            seed = study.parameters.seed
            row["against the kept record"] = summary.against_kept(name, seed, record)
    return pd.DataFrame(rows).T


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
        row["processor time"] = f"{models['processor_times']['mean']:.1f}"
    return pd.DataFrame(rows).T


def marks() -> pd.DataFrame:
    """Return the table of time to accuracy."""
    rows = {}
    for mark in summary.marks():
        name = mark["model"]
        row = rows[f"{mark['threshold']:.2%}"] = {"schedule": summary.TITLES.get(name, name)}
        test, classic = mark["test_accuracy"], mark["classic_times"]
        row["test, mean ± sd"] = f"{test['mean']:.2%} ± {test['sd']:.2%}"
        row["reached"] = "yes" if mark["reached"] else "no"
        row["seconds"] = f"{mark['fit_seconds']['mean']:.1f}"
        row["plain recipe = 1"] = f"{classic['mean']:.2f} ± {classic['sd']:.2f}"
    return pd.DataFrame(rows).T.rename_axis("mark")


def choices() -> pd.DataFrame:
    """Return the table of what doing without an ingredient costs on validation data."""
    rows = {}
    for name, found in summary.choices().items():
        row = rows[name] = {"more errors": "{mean:+.0%} ± {sd:.0%}".format(**found["errors"])}
        row["more cross-entropy"] = "{mean:+.0%} ± {sd:.0%}".format(**found["loss"])
    return pd.DataFrame(rows).T


def populations(names: Iterable[str]) -> pd.DataFrame:
    """Return the table of kept experiments' error rates by population, over seeds and writers."""
    rows = {}
    for name in names:
        record = summary.populations(name)
        low, high = record["ratio_ci95"]
        parts = {group: record[group] for group in ("students", "census")}
        rates = {group: part["errors"] / part["n"] for group, part in parts.items()}
        rows[name] = {f"error rate, {group}": f"{rate:.2%}" for group, rate in rates.items()}
        rows[name]["ratio, 95% interval"] = f"{record['ratio']:.1f} ({low:.1f} to {high:.1f})"
    return pd.DataFrame(rows).T
