"""Records of trainings by content: one file each, named for all that its result depends on."""

import dataclasses
import inspect
import json
import pathlib
import re
import sys
from collections.abc import Iterable
from typing import Any

from digit_reader.files import write_text
from mnist_study import data, digests, machine, paths
from mnist_study.errors import RecordError
from mnist_study.models import Configuration
from mnist_study.runners import Experiment, Result

THREADS = 2  # that an experiment's matrix products are split over: another number, other bits
DATA = data.SHA256["mnist"]
Description = dict[str, Any]  # fit for JSON


def accuracy_of(result: Result) -> float:
    """Return what a training is judged by: its accuracy, or its share of lines read right."""
    measures = ("test_accuracy", "validation_accuracy", "validation_right")
    return next(result[measure] for measure in measures if measure in result)


def fields_of(described: Any) -> dict[str, Any]:
    """Return the fields of a dataclass by name."""
    names = (field.name for field in dataclasses.fields(described))
    return {name: getattr(described, name) for name in names}


def describe_configuration(configuration: Configuration) -> dict[str, Any]:
    """Return a configuration fit for JSON: its network by name, with all of its arguments."""
    network = configuration.network
    arguments = inspect.signature(network).bind(**configuration.options)
    arguments.apply_defaults()
    options = {"network": network.__name__, "options": arguments.arguments}
    return fields_of(configuration) | options


def describe(experiment: Experiment, root: pathlib.Path = paths.ROOT) -> Description:
    """Return all that an experiment's result depends on."""
    runner = experiment.runner
    description = fields_of(experiment) | {
        "configuration": describe_configuration(experiment.configuration),
        "runner": runner.__name__,
        "code": digests.of_code(runner.__module__, root),
        "data": DATA,
        "versions": machine.versions(*digests.libraries(runner.__module__, root)),
        "threads": THREADS,
    }
    return json.loads(json.dumps(description))  # tuples become lists, as in the file


def differences(one: Description, other: Description) -> list[str]:
    """Return the names of what differs between two descriptions, such as code: FILE, or seed."""
    names = []
    for key in sorted(one.keys() | other.keys()):
        before, after = one.get(key), other.get(key)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            inner = sorted(before.keys() | after.keys())
            names += [f"{key}: {n}" for n in inner if before.get(n) != after.get(n)]
        else:
            names.append(key)
    return names


def as_text(record: Any) -> str:
    """Return a record as sorted, indented JSON, lists of plain values on one line each."""
    text = json.dumps(record, indent=1, sort_keys=True)
    flat = re.sub(r"\[\s+[^][{}]*?\s+\]", lambda match: re.sub(r"\s+", " ", match[0]), text)
    return flat + "\n"


def read_record(path: pathlib.Path) -> dict[str, Any]:
    """Return the record in a file; raise RecordError, with its name, when it holds none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["inputs"]["name"] and record["result"]:
            return record
        raise ValueError("nothing in it")
    except (OSError, ValueError, LookupError, TypeError) as error:
        advice = "make experiments trains it again"
        raise RecordError(f"{path} holds no record of a training: {advice}") from error


class Store:
    """A folder of records."""

    def __init__(self, folder: pathlib.Path = paths.RESULTS):
        self.folder = folder

    def path(self, description: Description) -> pathlib.Path:
        """Return where the experiment so described is kept; its name ends in its content's key."""
        key = digests.of_description(description)
        return self.folder / f"{description['name']}-seed{description['seed']}-{key}.json"

    def keep(self, description: Description, result: Result) -> None:
        """Write the record of a finished experiment in the place of one of its name and seed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(description)
        write_text(path, as_text({"inputs": description, "result": result}))
        named = f"{description['name']}-seed{description['seed']}-*.json"
        for other in digests.files(self.folder, named):
            if other != path:
                other.unlink()

    def results(self, name: str) -> dict[int, Result]:
        """Return the results of the experiment of that name, by seed."""
        records = [read_record(path) for path in digests.files(self.folder, f"{name}-seed*.json")]
        by_seed = sorted(records, key=lambda record: record["inputs"]["seed"])
        return {record["inputs"]["seed"]: record["result"] for record in by_seed}

    def missing(self, experiments: Iterable[Experiment]) -> list[Description]:
        """Return the descriptions of those experiments that have no record of just that content."""
        return [d for d in map(describe, experiments) if not self.has(d)]

    def has(self, description: Description) -> bool:
        """Return whether a record of that content is here; say so when there is one but unfit."""
        path = self.path(description)
        if not path.exists():
            return False
        try:
            return read_record(path)["inputs"] == description
        except RecordError as error:
            print(error, file=sys.stderr)
            return False
