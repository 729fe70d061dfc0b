"""A training in a process of its own, here or on a cluster's machine.

    python -m mnist_study.records.worker [model.keras] < description.json > result.json

With a path it also keeps the trained model there. A process for each training keeps seeds exact,
memory small and imports fresh. What a cluster's worker unpickles is attempt: this module
imports nothing heavy before it trains.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from mnist_study import paths
from mnist_study.errors import TrainingError
from mnist_study.records import digests

SAID = 2_000  # characters of what a failed training said that are told
PINNED = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS")  # variables that set a training's threads
PARENT = "MNIST_STUDY_PARENT"  # variable that names the process that waits for a training
REFUSED, ABANDONED = 3, 4  # status of a process that has other code, or that nobody waits for

Description = dict[str, Any]
Result = dict[str, Any]
Trained = tuple[Description, Result | TrainingError]


def train_in_child(description: Description, *model_path: str) -> Result:
    """Run an experiment in a process of its own with its threads pinned; return its result.

    model_path: where to keep the trained model, if anywhere. Raises TrainingError with the end of
    what the process said when it fails, or why it refused.
    """
    settings = dict.fromkeys(PINNED, str(description["threads"])) | {PARENT: str(os.getpid())}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", __name__, *model_path],
        input=json.dumps(description),
        cwd=paths.ROOT,
        env=os.environ | settings | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    if done.returncode == REFUSED:
        raise TrainingError(f"{description['name']} was refused: {done.stderr.splitlines()[-1]}")
    if done.returncode:
        said = f"status {done.returncode}: {done.stderr[-SAID:]}"
        raise TrainingError(f"{description['name']} failed with {said}")
    return json.loads(done.stdout) | {"total_seconds": time.perf_counter() - start}


def here(descriptions: Iterable[Description]) -> Iterator[Trained]:
    """Yield each description with its result, or its error, trained one after another."""
    for description in descriptions:
        try:
            yield description, train_in_child(description)
        except TrainingError as error:
            yield description, error


def attempt(description: Description) -> tuple[str, Result | str]:
    """Return a cluster worker's address, and the result of a training or why there is none."""
    from distributed import get_worker

    try:
        return get_worker().address, train_in_child(description)
    except TrainingError as error:
        return get_worker().address, f"{error} (on {socket.gethostname()}, {paths.ROOT})"


def end_with_parent() -> None:
    """End this process as soon as the one that started it is gone: nobody waits for the result."""
    parent = os.getppid()
    if os.name == "posix":  # elsewhere a launcher may stand between the two
        parent = int(os.environ.get(PARENT, parent))

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(ABANDONED)

    threading.Thread(target=watch, daemon=True).start()


def own(description: Description) -> Description:
    """Return a description as this process would fulfil it: its code, libraries, data, threads."""
    from mnist_study.records import store

    trained_by = description["trained_by"]
    return description | {
        "code": digests.of_training(trained_by),
        "versions": store.versions_of(trained_by),
        "data": store.DATA,
        "threads": int(os.environ.get(PINNED[0], 0)),  # 0: as many as there are cores
    }


def main(*model_path: str) -> dict[str, Any]:
    """Train the experiment described on standard input; return its result, and what made it.

    Trains only what this process describes in the same way, down to the digests of its code; the
    record then names the machine, and the key of that description as the worker's own proof.
    """
    end_with_parent()  # first: what follows imports TensorFlow, which takes seconds
    import importlib

    from mnist_study.records import machine, store

    description = json.load(sys.stdin)
    fulfilled = own(description)
    differing = store.differences(description, fulfilled)
    if differing:
        advice = "bring the clone that is behind up to date, then make install-dev"
        print(f"other {', other '.join(differing)}: {advice}", file=sys.stderr)
        sys.exit(REFUSED)
    machine.set_keras()
    experiment = store.experiment_of(description)
    trained, result = importlib.import_module(experiment.trained_by).train_and_judge(experiment)
    for path in model_path:
        trained.model.save(path)
    proof = {"key": digests.of_description(fulfilled)}
    return result | {"machine": machine.environment() | proof}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # standard output carries the result alone
        result = main(*sys.argv[1:])
    json.dump(result, sys.stdout)
