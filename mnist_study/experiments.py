"""The study's lists of trainings, and how the missing ones come to be: here or on a cluster."""

import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace

from mnist_study import alone, results
from mnist_study.models import registry
from mnist_study.results import Experiment

SEEDS, FEW_SEEDS = (1, 2, 3, 4, 5), (1, 2, 3)
dense, cnn = registry["dense_dropout"], registry["cnn"]
brief, short = replace(dense, epochs=7), replace(dense, epochs=5)
plain = {"affine": 0, "elastic": 0, "fade": False, "smoothing": 0, "focus": 0}
plain = replace(brief, **plain, options={"patches": False})
affine, elastic = replace(plain, affine=1), replace(plain, affine=1, elastic=1)
smooth = replace(elastic, fade=True, smoothing=dense.smoothing)
weak = {"affine": 0.5, "elastic": 0.5, "smoothing": 0, "focus": 0}
narrow = {"options": {"widths": (384, 256), "dropout": 0}, "learning_rate": 0.02}
small_cnn = {"network": cnn.network, "options": {"filters": (16, 48, 64), "units": 128}}

# The models as the notebook trains them.
MODELS = {name: registry[name] for name in ("classic_mlp", "softmax_regression")}
MODELS |= {"dense_dropout": dense, "cnn": cnn}
# Schedules made for the marks of time to accuracy that nothing else is made for.
MARKS = {
    "sprint": replace(dense, **narrow, epochs=3, **weak),
    "middle": replace(dense, options={"widths": (1024, 512)}, epochs=12, affine=0.8),
    "cnn_sprint": replace(cnn, **small_cnn, epochs=3, **weak),
}
# One ingredient after another, each rung with those above it.
classic = {"network": registry["classic_mlp"].network, "batch_size": 256, "options": {}}
LADDER = {
    "step_adam": replace(plain, **classic, learning_rate=0.002),
    "step_wide": plain,
    "step_affine": affine,
    "step_elastic": elastic,
    "step_smooth": smooth,
    "step_patches": replace(smooth, options={}),
    "step_focus": brief,
}
# Who teaches: kinds of data.split.
ROWS = {"taught_by_students": "students", "taught_by_census": "Census", "taught_by_both": "both"}
# How far a dense net gets in fifteen minutes: three nets, each trained twice as long.
MOONSHOT = replace(dense, epochs=80, nets=3)
# The reader of people's own digits, taught by pictures as they take them.
READER = Experiment("digit_reader", registry["digit_reader"], 1, "people")
# Changes to the recipe, compared on validation data alone, each seed on another split.
SPLITS = {1: "study", 2: "from students", 3: "from Census"}
CHOICES = {
    "as_it_is": {},
    "rows_in_turn": {"focus": 0},
    "no_patches": {"options": {"patches": False}},
}


def study():
    """Return all experiments of the study, those of one seed together: seconds compare there."""
    found = []
    for seed in SEEDS:
        found += [Experiment(name, r, seed, watch=True) for name, r in MODELS.items()]
        found += [Experiment(name, recipe, seed) for name, recipe in MARKS.items()]
        rungs, rows = (LADDER, ROWS) if seed in FEW_SEEDS else ({}, {})
        found += [Experiment(name, recipe, seed) for name, recipe in rungs.items()]
        found += [Experiment(name, short, seed, kind) for name, kind in rows.items()]
    for (seed, rows), (name, changes) in itertools.product(SPLITS.items(), CHOICES.items()):
        recipe = replace(dense, **changes)
        found.append(Experiment(f"choice_{name}", recipe, seed, rows, judged_on="validation"))
    found += [replace(READER, seed=seed) for seed in FEW_SEEDS]
    return found + [Experiment("moonshot", MOONSHOT, seed) for seed in SEEDS]


def missing(experiments, folder=results.FOLDER):
    """Return the descriptions of those experiments that have no record of just that content."""
    described = map(results.describe, experiments)
    return [found for found in described if not results.path_of(found, folder).exists()]


def train_in_child(description, *arguments):
    """Run an experiment in a process of its own with its threads pinned; return its result.

    arguments: more for that process; reader_trial says which it takes. Raises RuntimeError with the
    end of what the process said when it fails.
    """
    threads = str(description["threads"])
    pinned = {"TF_NUM_INTRAOP_THREADS": threads, "OMP_NUM_THREADS": threads}
    program = "reader_trial" if description["rows"] == "people" else "trial"
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", f"mnist_study.{program}", *arguments],
        input=json.dumps(description),
        cwd=results.PACKAGE.parent,
        env=os.environ | pinned | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = f"status {done.returncode}: {done.stderr[-2_000:]}"
        raise RuntimeError(f"{description['name']} failed with {said}")
    return json.loads(done.stdout) | {"total_seconds": time.perf_counter() - start}


def here(descriptions):
    """Yield each description with its result, trained one after another on this machine."""
    for description in descriptions:
        yield description, train_in_child(description)


def on_cluster(descriptions, scheduler):
    """Yield each description with its result, trained by the workers of a Dask scheduler.

    The workers start in this project's folder; one that dies has its training done by another.
    """
    from distributed import Client, as_completed

    with Client(scheduler) as client:
        futures = {
            client.submit(train_in_child, d, key=results.path_of(d).stem): d for d in descriptions
        }
        for future, result in as_completed(futures, with_results=True):
            if not isinstance(result, BaseException):  # as those of a lost scheduler are
                yield futures[future], result


def seconds_left(descriptions, took):
    """Return the seconds that the descriptions will take; took: {name: seconds} of some done."""
    mean = statistics.mean(took.values())
    return sum(took.get(description["name"], mean) for description in descriptions)


def run(experiments, scheduler=None, folder=results.FOLDER):
    """Train what is missing, keep each result as it comes, and say how much is left.

    Raises RuntimeError when another process trains into the folder, or a scheduler is lost.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = alone.enter(folder)
    todo, took = missing(experiments, folder), {}
    for name in {description["name"] for description in todo}:
        seconds = [result["total_seconds"] for result in results.kept(name, folder).values()]
        took |= {name: statistics.mean(seconds)} if seconds else {}
    print(f"{len(experiments) - len(todo)} of {len(experiments)} trainings are kept.", flush=True)
    for done, result in on_cluster(todo, scheduler) if scheduler else here(list(todo)):
        results.keep(done, result, folder)
        todo.remove(done)
        took[done["name"]] = result["total_seconds"]
        accuracy = result.get("test_accuracy", result["validation_accuracy"])
        print(
            f"{done['name']}, seed {done['seed']}: {accuracy:.2%} in {result['fit_seconds']:.0f} s;"
            f" {len(todo)} left, about {seconds_left(todo, took) / 60:.0f} minutes",
            flush=True,
        )
    alone.leave(lock)
    if todo:  # Dask cancels what it has lost, and says so in its log only
        again = "start it again, then this; what is done is kept"
        raise RuntimeError(f"the scheduler is gone, {len(todo)} trainings are left: {again}")
