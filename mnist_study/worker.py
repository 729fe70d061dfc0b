"""A training in a process of its own, here or on a cluster's machine.

    python -m mnist_study.worker [model.keras] < description.json > result.json

With a path it also saves the trained model there. Each training has its own process, so seeds are
exact, memory is freed and the code is imported afresh. A cluster's worker unpickles attempt, so
this module imports nothing large before it trains.
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

from mnist_study import digests, machine, paths
from mnist_study.errors import TrainingError

SHOWN = 2_000  # of what a failed training wrote, the last characters that are shown
PINNED = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS")  # variables that set its threads
PARENT = "MNIST_STUDY_PARENT"  # variable that names the process that waits for a training
REFUSED, ABANDONED = 3, 4  # exit status with other code, and when nobody waits for the result

Description = dict[str, Any]
Result = dict[str, Any]
Trained = tuple[Description, Result | TrainingError]


def train_in_child(description: Description, *model_path: str) -> Result:
    """Run an experiment in a process of its own with its threads pinned; return its result.

    model_path: where to save the trained model, if anywhere. Raises TrainingError when the process
    fails, with the last lines that it wrote, and when it refuses, with the reason.
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
        errors="backslashreplace",
    )
    if done.returncode == REFUSED:
        raise TrainingError(f"{description['name']} was refused: {done.stderr.splitlines()[-1]}")
    if done.returncode:
        why = "\n".join(filter(None, [machine.why_ended(done.returncode), done.stderr[-SHOWN:]]))
        raise TrainingError(f"{description['name']} failed with status {done.returncode}: {why}")
    return json.loads(done.stdout) | {"total_seconds": time.perf_counter() - start}


def here(descriptions: Iterable[Description]) -> Iterator[Trained]:
    """Yield each description with its result or error, trained one after another."""
    for description in descriptions:
        try:
            yield description, train_in_child(description)
        except TrainingError as error:
            yield description, error


def attempt(description: Description) -> tuple[str, Result | str]:
    """Return this cluster worker's address, and the result of a training or why there is none."""
    from distributed import get_worker

    try:
        return get_worker().address, train_in_child(description)
    except TrainingError as error:
        return get_worker().address, f"{error} (on {socket.gethostname()}, {paths.ROOT})"


def end_with_parent() -> None:
    """End this process when the one that started it is gone: then nobody waits for the result."""
    parent = os.getppid()
    if os.name == "posix":  # elsewhere a launcher may stand between the two
        parent = int(os.environ.get(PARENT, parent))

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(ABANDONED)

    threading.Thread(target=watch, daemon=True).start()


def as_run_here(description: Description) -> Description:
    """Return a description as this process would run it: its code, libraries, data and threads.

    Empty when this clone does not know such an experiment.
    """
    from mnist_study import experiments, store

    try:
        here = store.describe(experiments.experiment_of(description))
    except (LookupError, TypeError, ValueError):
        return {}
    threads = int(os.environ.get(PINNED[0], 0))  # 0: as many as there are cores
    return here | {"threads": threads}


def main(*model_path: str) -> dict[str, Any]:
    """Train the experiment described on standard input; return its result, with the machine.

    Refuses what this process would describe in another way, down to the digests of its code. The
    key of its own description goes into the result, as the proof.
    """
    end_with_parent()  # first: what follows imports TensorFlow, which takes seconds
    from mnist_study import experiments, store

    description = json.load(sys.stdin)
    as_run = as_run_here(description)
    differing = store.differences(description, as_run)
    if differing:
        advice = "bring the clone that is behind up to date, then make install-dev"
        print(f"other {', other '.join(differing)}: {advice}", file=sys.stderr)
        sys.exit(REFUSED)
    machine.set_keras()
    experiment = experiments.experiment_of(description)
    trained, result = experiment.runner(experiment)
    for path in model_path:
        trained.model.save(path)
    proof = {"key": digests.of_description(as_run)}
    return result | {"machine": machine.environment() | proof}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # standard output carries the result alone
        result = main(*sys.argv[1:])
    json.dump(result, sys.stdout)
