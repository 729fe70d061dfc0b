"""Records as tables to read: one row an entry, numbers rounded to what they are worth."""

from collections.abc import Mapping

import pandas as pd
import sklearn.metrics

from mnist_study import results as recorded
from mnist_study.arrays import Labels
from mnist_study.notebook.session import Session
from mnist_study.runners import Result
from mnist_study.stats import wilson
from mnist_study.store import Store


def with_interval(share: float, count: int) -> str:
    """Return a share measured on count images, with Wilson's 95% interval, as text."""
    low, high = wilson(share, count)
    return f"{share:.2%} ({low:.2%} to {high:.2%})"


def results(metrics: Mapping[str, Result], study: Session) -> pd.DataFrame:
    """Return the table of a run's models: size, training, and accuracy on each part.

    Beside them what is recorded of each: the test accuracy over seeds and writers, and the time.
    """
    rows = {}
    for name, record in metrics.items():
        row = rows[name] = {"parameters": f"{record['parameters']:,}"}
        row["training"] = f"{record['epochs']} epochs, {record['fit_seconds']:.0f} s"
        for part in ("train", "validation"):
            row[part] = f"{record[f'{part}_accuracy']:.2%}"
        test = with_interval(record["test_accuracy"], study.dataset["test"])
        row["test accuracy (95% CI over images)"] = test
        rows[name] = row | over_seeds(name)
    return pd.DataFrame(rows).T


def over_seeds(name: str) -> dict[str, str]:
    """Return what is recorded of a model, by the heading that it has in the table of results."""
    texts = ["–"] * 3  # of a model of one's own
    if Store().results(name):
        test, times = recorded.accuracy(name), recorded.relative_times(name, "processor_seconds")
        spread = f" ± {test['sd']:.2%}" if test["sd"] is not None else ""
        texts[0] = f"{test['mean']:.2%}{spread} ({test['n']})"
        texts[1] = "{:.2%} to {:.2%}".format(*test["ci95"])
        texts[2] = f"{sum(times) / len(times):.1f}" if times else "–"  # none: another processor
    headings = ("recorded: mean ± sd (seeds)", "95% CI over seeds and writers")
    return dict(zip((*headings, "time, baseline = 1"), texts, strict=True))


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


def against_recorded(metrics: Mapping[str, Result], study: Session) -> dict[str, str]:
    """Return how each of a run's trainings compares with the recorded one of its seed.

    A run with a notice trains something else than what is recorded: then there is none.
    """
    seed = study.parameters.seed
    compared = {n: recorded.against_recorded(n, seed, record) for n, record in metrics.items()}
    return {} if study.notice else compared
