"""Tiny trainings, what is recorded of them, and a Dask cluster on this machine."""

import contextlib
import dataclasses
import json
import socket

import numpy as np
import psutil
from support.project import ROOT, ended, kill, start, wait_until

from mnist_study import digests, store
from mnist_study.backend import keras
from mnist_study.models import registry
from mnist_study.runners import Experiment

TINY = {"options": {"widths": (16, 16)}, "epochs": 1, "samples_per_epoch": 1_024, "batch_size": 128}
TINY = dataclasses.replace(registry["dense_dropout"], **TINY)
TINY = [Experiment("tiny", TINY, seed, watch=seed == 2) for seed in (1, 2)]
RESULT = {"validation_accuracy": 0.9, "fit_seconds": 1.0, "total_seconds": 2.0}
RESULT |= {"test_accuracy": 0.9998, "misclassified": [1, 6_000], "predicted": [3, 7]}
SCHEDULER = "python -m dask scheduler --host ADDRESS"  # as docs/USING.md starts them
WORKER = "python -m dask worker tcp://ADDRESS:8786 --nworkers 1 --nthreads 1 --memory-limit 0"
WORKER += " --death-timeout 60"
HERE = ("--host", "127.0.0.1", "--no-dashboard")


def model_of(digit, share=0.9, kernel=0.0):
    """Return a model that predicts a digit with that probability for black images."""
    shares = np.where(np.arange(10) == digit, share, (1 - share) / 9)
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
    model.set_weights([np.zeros((784, 10)) + kernel, np.log(shares)])
    return model


def fake_training(description, *model_path):
    """Return a result as a worker does, without training."""
    return RESULT | {"machine": {"key": digests.of_description(description)}}


def recorded(folder, experiments=TINY):
    """Return a store in the folder with fake records of the experiments."""
    records = store.Store(folder)
    for description in map(store.describe, experiments):
        records.keep(description, fake_training(description))
    return records


def training(process):
    """Return the processes below one that train."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "mnist_study.worker" in child.cmdline()]


def over(process):
    """Return whether a process has ended, even if nobody has waited for it yet."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def timeless(folder):
    """Return a folder's records by file name, without the seconds: what a repeat must give."""
    records = {path.name: json.loads(path.read_bytes()) for path in folder.glob("*.json")}
    return {
        name: (r["inputs"], {k: v for k, v in r["result"].items() if not k.endswith("_seconds")})
        for name, r in records.items()
    }


class Cluster:
    """A scheduler and the workers that add() starts; all end with the context."""

    def __init__(self, folder, *options, kind="tcp"):
        self.options, self.processes, self.log = options, [], folder / "dask.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"{kind}://127.0.0.1:{port}"
        command = (*SCHEDULER.partition(" --host")[0].split(), *HERE, "--port", str(port), *options)
        self.scheduler = start(*command, folder=ROOT, log=self.log)
        self.processes.append(self.scheduler)

    def add(self, clone=ROOT, **environment):
        """Start a worker in a clone and return it when it is registered."""
        log = self.log.with_name(f"worker{len(self.processes)}.log")
        command = WORKER.replace("tcp://ADDRESS:8786", self.address).split()
        worker = start(*command, *HERE, *self.options, folder=clone, log=log, **environment)
        self.processes.append(worker)
        wait_until(lambda: "Registered to" in log.read_text(), ended(worker), log)
        return worker

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                kill(process)
