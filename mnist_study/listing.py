"""A table of the trainings: recorded, missing or stale, and why; and a comparison of two."""

import json
import math
import pathlib
from typing import Any

import pandas as pd

from mnist_study import digests, paths, results
from mnist_study.errors import RecordError
from mnist_study.runners import Experiment, Result
from mnist_study.store import Store, accuracy_of, describe, differences, read_record


def state(experiment: Experiment, store: Store) -> dict[str, Any]:
    """Return an experiment's name, seed and state, and if it is recorded its accuracy and seconds.

    A record of other content is stale; why says what has changed since.
    """
    description = describe(experiment)
    row: dict[str, Any] = {"name": experiment.name, "seed": experiment.seed, "state": "missing"}
    row |= {"accuracy": math.nan, "seconds": math.nan, "why": ""}
    named = f"{experiment.name}-seed{experiment.seed}-*.json"
    for path in digests.files(store.folder, named):
        try:
            record = read_record(path)
        except RecordError as error:
            return row | {"state": "unfit", "why": str(error)}
        why = differences(record["inputs"], description)
        result = record["result"]
        row["accuracy"] = accuracy_of(result)
        row |= {"seconds": result["fit_seconds"], "why": ", ".join(why)}
        row["state"] = "stale" if why else "recorded"
    return row


def of_run(folder: pathlib.Path) -> list[dict[str, Any]]:
    """Return a row, as state does, for each model of the run of the notebook in a folder.

    why says how it compares with the recorded training. Raises RecordError without such a run.
    """
    path = folder / "results" / paths.METRICS.name
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        seed, models = run["parameters"]["seed"], run["models"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RecordError(f"{path} holds no run of the notebook: name its output_folder") from error
    return [
        {"name": name, "seed": seed, "state": run["profile"], "accuracy": model["test_accuracy"]}
        | {"seconds": model["fit_seconds"], "why": results.against_recorded(name, seed, model)}
        for name, model in models.items()
    ]


def listed(
    experiments: list[Experiment],
    form: str = "table",
    store: Store | None = None,
    run: pathlib.Path | None = None,
) -> str:
    """Return the states of experiments as text: a table, JSON or CSV.

    run: the output folder of a run of the notebook, whose models stand below them.
    """
    store = store or Store()
    rows = [state(experiment, store) for experiment in experiments]
    table = pd.DataFrame(rows + (of_run(run) if run else []))
    if form == "json":
        return table.to_json(orient="records", indent=1) or ""
    if form == "csv":
        return table.to_csv(index=False).rstrip("\n")
    table["accuracy"] = [f"{share:.2%}" if share > 0 else "" for share in table["accuracy"]]
    table["seconds"] = [f"{seconds:.0f}" if seconds > 0 else "" for seconds in table["seconds"]]
    return table.to_string(index=False)


def compared(one: str, other: str, store: Store | None = None) -> str:
    """Return in words how two recorded trainings differ, named as cnn-seed4.

    Raises RecordError when one is not there.
    """
    store = store or Store()
    records = [record_of(store, name) for name in (one, other)]
    (before, after), both = [r["inputs"] for r in records], [r["result"] for r in records]
    lines = [f"inputs that differ: {', '.join(differences(before, after)) or 'none'}"]
    for key in ("test_accuracy", "validation_accuracy", "fit_seconds"):
        values = [result[key] for result in both if key in result]
        lines += [f"{key}: {values[0]:.4f} and {values[1]:.4f}"] if len(values) == 2 else []
    if all("misclassified" in result for result in both):
        lines.append(f"test images predicted otherwise: {other_predictions(*both) or 'none'}")
    return "\n".join(lines)


def other_predictions(one: Result, other: Result) -> str:
    """Return for which test images two results differ, and how: 582: 3 and correct, …"""
    wrong = [dict(zip(r["misclassified"], r["predicted"], strict=True)) for r in (one, other)]
    images = sorted(wrong[0].keys() | wrong[1].keys())
    pairs = [(image, *(of.get(image, "correct") for of in wrong)) for image in images]
    return ", ".join(f"{image}: {was} and {now}" for image, was, now in pairs if was != now)


def record_of(store: Store, name: str) -> dict[str, Any]:
    """Return the record of a training named as cnn-seed4; raise RecordError if there is none."""
    files = digests.files(store.folder, f"{name}-*.json") if "-seed" in name else []
    if not files:
        raise RecordError(f"results/ has no record of {name}: name it as cnn-seed4")
    return read_record(files[0])
