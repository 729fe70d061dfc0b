"""A training in a process of its own, here or on a cluster's machine.

    python -m mnist_study.records.worker [model.keras] < description.json > result.json

With a path it also keeps the trained model there. A process for each training keeps seeds exact,
memory small and imports fresh. What a cluster's scheduler unpickles is train_in_child: this module
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
IDLE = 30  # seconds after which it is said again that there are no workers
REFUSED, ABANDONED = 3, 4  # status of a process that has other code, or that nobody waits for

Description = dict[str, Any]
Result = dict[str, Any]
Trained = tuple[Description, Result | TrainingError]


def train_in_child(description: Description, *model_path: str) -> Result:
    """Run an experiment in a process of its own with its threads pinned; return its result.

    model_path: where to keep the trained model, if anywhere. Raises TrainingError with the end of
    what the process said when it fails, or why it refused.
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


def on_cluster(descriptions: Iterable[Description], scheduler: str) -> Iterator[Trained]:
    """Yield each description with its result, or its error, trained by a Dask scheduler's workers.

    The workers start in this project's folder. One that dies, refuses or fails has its training
    done by another, until all have tried. Raises TrainingError without Dask.
    """
    try:
        from distributed import Client, as_completed
    except ModuleNotFoundError as missing:
        raise TrainingError("a cluster needs Dask: make install-dev brings it") from missing

    with Client(scheduler) as client, told_while_idle(client, scheduler):
        given, failed_on = {}, {}  # by future; by key: the workers that could not
        for description in descriptions:
            given[submitted(client, description)] = description
        coming = as_completed(given, with_results=True, raise_errors=False)
        for future, outcome in coming:
            description = given[future]
            if not isinstance(outcome, tuple):  # lost with its scheduler, or never understood
                if isinstance(outcome, Exception) and future.status == "error":
                    yield description, TrainingError(f"{description['name']}: {outcome!r}")
                continue
            address, result = outcome
            if isinstance(result, dict):
                yield description, result
                continue
            print(result, file=sys.stderr, flush=True)
            failed = failed_on.pop(future.key, set()) | {address}
            others = [*({*client.scheduler_info()["workers"]} - failed)]
            if others:
                anew = submitted(client, description, again=len(failed), workers=others)
                given[anew], failed_on[anew.key] = description, failed
                coming.add(anew)
            else:
                yield description, TrainingError(result)


def submitted(client: Any, description: Description, again: int = 0, **where: Any) -> Any:
    """Return the future of a training given to a cluster, under a key of its content."""
    key = f"{description['name']}-{digests.of_description(description)}"
    return client.submit(attempt, description, key=f"{key}-{again}" if again else key, **where)


@contextlib.contextmanager
def told_while_idle(client: Any, scheduler: str) -> Iterator[None]:
    """Say at once, and every half minute, that a scheduler has no workers, while it has none."""
    over = threading.Event()

    def tell() -> None:
        while True:
            if not client.scheduler_info()["workers"]:
                advice = "start one in a clone: docs/USING.md says how"
                print(f"{scheduler} has no workers: {advice}", file=sys.stderr, flush=True)
            if over.wait(IDLE):
                return

    threading.Thread(target=tell, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def end_with_parent() -> None:
    """End this process as soon as the one that started it is gone: nobody waits for the result."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(ABANDONED)

    threading.Thread(target=watch, daemon=True).start()


def differences(description: Description) -> list[str]:
    """Return in words how this clone and its libraries differ from what a description asks for."""
    from mnist_study.records import store

    trained_by = description["trained_by"]
    own = {
        "code": digests.of_training(trained_by),
        "versions": store.versions_of(trained_by),
        "data": store.DATA,
    }
    found = []
    for part in ("code", "versions"):
        asked = description[part]
        names = sorted(asked.keys() | own[part].keys())
        found += [f"other {name}" for name in names if asked.get(name) != own[part].get(name)]
    return found + (["other data"] if own["data"] != description["data"] else [])


def main(*model_path: str) -> dict[str, Any]:
    """Train the experiment described on standard input; return its result."""
    import importlib

    from mnist_study.records import machine, store

    end_with_parent()
    description = json.load(sys.stdin)
    differing = differences(description)
    if differing:
        print(f"{', '.join(differing)}: bring this clone up to date", file=sys.stderr)
        sys.exit(REFUSED)
    machine.set_keras()
    experiment = store.experiment_of(description)
    trained, result = importlib.import_module(experiment.trained_by).train_and_judge(experiment)
    for path in model_path:
        trained.model.save(path)
    return result | {"machine": machine.environment()}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # standard output carries the result alone
        result = main(*sys.argv[1:])
    json.dump(result, sys.stdout)
