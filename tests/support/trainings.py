"""Small trainings, what is kept of them, and a Dask cluster on this machine that makes them."""

import contextlib
import dataclasses
import json
import socket

import psutil
from support.project import ROOT, ended, kill, start, wait_until

from mnist_study.core.experiment import Experiment
from mnist_study.records import experiments

[SPRINT] = [e.recipe for e in experiments.of_seed(1) if e.name == "sprint"]
TINY = dataclasses.replace(SPRINT, epochs=1, images=5_400)
TINY = [Experiment("tiny", TINY, seed, watch=seed == 2) for seed in (1, 2)]

SCHEDULER = "python -m dask scheduler --host ADDRESS"
WORKER = "python -m dask worker tcp://ADDRESS:8786 --nworkers 1 --nthreads 1 --memory-limit 0"
WORKER += " --death-timeout 60"
HERE = ("--host", "127.0.0.1", "--no-dashboard")


def below(process):
    """Return the processes that one started, and those that train among them."""
    found = psutil.Process(process.pid).children(recursive=True)
    return found, [p for p in found if "mnist_study.records.worker" in p.cmdline()]


def training(process):
    """Return the processes below one that train."""
    return below(process)[1]


def over(process):
    """Return whether a process has ended, also one that nobody has asked after yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def records(folder):
    """Return the content of a folder's records by their names."""
    return {path.name: path.read_bytes() for path in folder.glob("*.json")}


def lasting(folder):
    """Return what a training made again must give, of each of a folder's records by name."""
    found = {}
    for name, text in records(folder).items():
        record = json.loads(text)
        timeless = {k: v for k, v in record["result"].items() if not k.endswith("_seconds")}
        found[name] = record["inputs"], timeless
    return found


class Cluster:
    """A scheduler, started as USING.md says, but here; add() starts its workers.

    given: options of both. All ends with the context.
    """

    def __init__(self, folder, *given, kind="tcp"):
        self.given, self.workers = given, []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address, self.log = f"{kind}://127.0.0.1:{port}", folder / "scheduler.log"
        command = (*SCHEDULER.partition(" --host")[0].split(), *HERE, "--port", str(port), *given)
        self.scheduler = start(*command, folder=ROOT, log=self.log)

    def add(self, clone=ROOT, **environment):
        """Start a worker in a clone and return it, as soon as it is registered."""
        log = self.log.with_name(f"worker{len(self.workers)}.log")
        command = WORKER.replace("tcp://ADDRESS:8786", self.address).split()
        worker = start(*command, *HERE, *self.given, folder=clone, log=log, **environment)
        self.workers.append(worker)
        wait_until(lambda: "Registered to" in log.read_text(), ended(worker), log)
        return worker

    def log_of(self, worker):
        """Return what a worker said."""
        return self.log.with_name(f"worker{self.workers.index(worker)}.log").read_text()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.scheduler, *self.workers):
            with contextlib.suppress(psutil.NoSuchProcess):
                kill(process)
