"""The trainings as a table: which are kept, missing or stale and why; and two records compared."""

import math
from typing import Any

import pandas as pd

from mnist_study.core.experiment import Experiment
from mnist_study.errors import RecordError
from mnist_study.records.store import Store, describe, differences, read_record


def state(experiment: Experiment, store: Store) -> dict[str, Any]:
    """Return an experiment's name and seed, whether it is kept, and if so what it gave.

    A record of other content is stale; why says what has changed since.
    """
    description = describe(experiment)
    row: dict[str, Any] = {"name": experiment.name, "seed": experiment.seed, "state": "missing"}
    row |= {"accuracy": math.nan, "seconds": math.nan, "why": ""}
    for path in store.folder.glob(f"{experiment.name}-seed{experiment.seed}-*.json"):
        try:
            record = read_record(path)
        except RecordError as error:
            return row | {"state": "unfit", "why": str(error)}
        why = differences(record["inputs"], description)
        result = record["result"]
        row["accuracy"] = result.get("test_accuracy", result["validation_accuracy"])
        row |= {"seconds": result["fit_seconds"], "why": ", ".join(why)}
        row["state"] = "stale" if why else "kept"
    return row


def listed(experiments: list[Experiment], form: str = "table", store: Store | None = None) -> str:
    """Return the states of experiments as text: a table, JSON or CSV."""
    store = store or Store()
    table = pd.DataFrame([state(experiment, store) for experiment in experiments])
    if form == "json":
        return table.to_json(orient="records", indent=1) or ""
    if form == "csv":
        return table.to_csv(index=False).rstrip("\n")
    table["accuracy"] = [f"{share:.2%}" if share > 0 else "" for share in table["accuracy"]]
    table["seconds"] = [f"{seconds:.0f}" if seconds > 0 else "" for seconds in table["seconds"]]
    return table.to_string(index=False)


def compared(one: str, other: str, store: Store | None = None) -> str:
    """Return in words how two kept trainings differ, named as cnn-seed4: inputs, result, digits.

    Raises RecordError when one is not there.
    """
    store = store or Store()
    records = [found(store, name) for name in (one, other)]
    (before, after), results = [r["inputs"] for r in records], [r["result"] for r in records]
    lines = [f"inputs that differ: {', '.join(differences(before, after)) or 'none'}"]
    for key in ("test_accuracy", "validation_accuracy", "fit_seconds"):
        values = [result[key] for result in results if key in result]
        lines += [f"{key}: {values[0]:.4f} and {values[1]:.4f}"] if len(values) == 2 else []
    wrong = [set(result.get("misread", [])) for result in results]
    lines.append(f"test digits misread by the first only: {sorted(wrong[0] - wrong[1])}")
    lines.append(
        f"by the second only: {sorted(wrong[1] - wrong[0])}; by both: {len(wrong[0] & wrong[1])}"
    )
    return "\n".join(lines)


def found(store: Store, name: str) -> dict[str, Any]:
    """Return the record of a training named as cnn-seed4; raise RecordError if there is none."""
    paths = [*store.folder.glob(f"{name}-*.json")] if "-seed" in name else []
    if not paths:
        raise RecordError(f"results/ has no record of {name}: name it as cnn-seed4")
    return read_record(paths[0])
