"""A training in a process of its own, here or on a cluster's machine.

    python -m mnist_study.records.worker [model.keras] < description.json > result.json

With a path it also keeps the trained model there. A process for each training keeps seeds exact,
memory small and imports fresh. What a cluster's scheduler unpickles is train_in_child: this module
imports nothing heavy before it trains.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from mnist_study import paths
from mnist_study.errors import TrainingError
from mnist_study.records import digests

SAID = 2_000  # characters of what a failed training said that are told


def train_in_child(description: dict[str, Any], *model_path: str) -> dict[str, Any]:
    """Run an experiment in a process of its own with its threads pinned; return its result.

    model_path: where to keep the trained model, if anywhere. Raises TrainingError with the end of
    what the process said when it fails.
    """
    threads = str(description["threads"])
    pinned = {"TF_NUM_INTRAOP_THREADS": threads, "OMP_NUM_THREADS": threads}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", __name__, *model_path],
        input=json.dumps(description),
        cwd=paths.ROOT,
        env=os.environ | pinned | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = f"status {done.returncode}: {done.stderr[-SAID:]}"
        raise TrainingError(f"{description['name']} failed with {said}")
    return json.loads(done.stdout) | {"total_seconds": time.perf_counter() - start}


def here(descriptions: Iterable[dict]) -> Iterator[tuple[dict, dict]]:
    """Yield each description with its result, trained one after another on this machine."""
    for description in descriptions:
        yield description, train_in_child(description)


def on_cluster(descriptions: Iterable[dict], scheduler: str) -> Iterator[tuple[dict, dict]]:
    """Yield each description with its result, trained by the workers of a Dask scheduler.

    The workers start in this project's folder; one that dies has its training done by another.
    """
    from distributed import Client, as_completed

    with Client(scheduler) as client:
        futures = {
            client.submit(train_in_child, d, key=f"{d['name']}-{digests.of_description(d)}"): d
            for d in descriptions
        }
        for future, result in as_completed(futures, with_results=True):
            if not isinstance(result, BaseException):  # as those of a lost scheduler are
                yield futures[future], result


def main(*model_path: str) -> dict[str, Any]:
    """Train the experiment described on standard input; return its result."""
    import importlib

    from mnist_study.records import machine, store

    experiment = store.experiment_of(json.load(sys.stdin))
    trained, result = importlib.import_module(experiment.trained_by).train_and_judge(experiment)
    for path in model_path:
        trained.model.save(path)
    return result | {"machine": machine.environment()}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # standard output carries the result alone
        result = main(*sys.argv[1:])
    json.dump(result, sys.stdout)
