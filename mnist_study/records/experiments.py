"""The study's lists of trainings, and how the missing ones come to be."""

import fnmatch
import itertools
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tqdm import tqdm

from mnist_study.core.data import Split
from mnist_study.core.experiment import Experiment, Part
from mnist_study.core.models import registry
from mnist_study.errors import TrainingError
from mnist_study.records import cluster, worker
from mnist_study.records.lock import hold
from mnist_study.records.store import Description, Store, describe

SEEDS, FEW_SEEDS = (1, 2, 3, 4, 5), (1, 2, 3)
DENSE, CNN = registry["dense_dropout"], registry["cnn"]
BRIEF = replace(DENSE, epochs=7)
TAUGHT_DENSE = replace(DENSE, smoothing=0)
WEAK: dict[str, Any] = {"affine": 0.5, "elastic": 0.5, "smoothing": 0, "focus": 0}
NARROW: dict[str, Any] = {"options": {"widths": (256, 128), "dropout": 0}, "learning_rate": 0.02}
SMALL_CNN: dict[str, Any] = {"options": {"filters": (16, 32, 64), "units": 128}}
SMALL_CNN |= {"images": 84_000, "batch_size": 128}
JUDGED_FULLY = "mnist_study.trials.judging"  # damage, small pictures, strangers, doubt

# The models as the notebook trains them.
MODELS = {name: registry[name] for name in ("classic_mlp", "softmax_regression")}
MODELS |= {"dense_dropout": DENSE, "cnn": CNN}
# Schedules made for the marks of time to accuracy that nothing else is made for.
MARKS = {
    "sprint": replace(DENSE, **NARROW, epochs=5, images=48_000, **WEAK),
    "middle": replace(DENSE, options={"widths": (1024, 512)}, epochs=12, affine=0.8),
    "cnn_sprint": replace(CNN, **SMALL_CNN, epochs=1, **WEAK),
}
# One ingredient after another, each rung with those above it.
WIDE = replace(BRIEF, affine=0, elastic=0, fade=False, smoothing=0, focus=0)
WIDE = replace(WIDE, options={"patches": False})
AFFINE, ELASTIC = replace(WIDE, affine=1), replace(WIDE, affine=1, elastic=1)
SMOOTH = replace(ELASTIC, fade=True, smoothing=DENSE.smoothing)
CLASSIC = replace(WIDE, network=registry["classic_mlp"].network, options={}, batch_size=256)
LADDER = {
    "step_adam": replace(CLASSIC, learning_rate=0.002),
    "step_wide": WIDE,
    "step_affine": AFFINE,
    "step_elastic": ELASTIC,
    "step_smooth": SMOOTH,
    "step_patches": replace(SMOOTH, options={}),
    "step_focus": BRIEF,
}
# The same recipes without what the story asks after.
NO_DROPOUT: dict[str, Any] = {"options": {"dropout": 0}}
NO_NORMALISATION: dict[str, Any] = {"options": {"patches": False, "normalise": False}}
WITHOUT = {
    "classic_mlp_without_dropout": replace(registry["classic_mlp"], **NO_DROPOUT),
    "dense_dropout_without_dropout": replace(DENSE, **NO_DROPOUT),
    "step_wide_without_normalisation": replace(WIDE, **NO_NORMALISATION, learning_rate=0.002),
}
# Dense nets that learn the answers of convolutional ones in place of the labels: one of one, and
# two of two, averaged, with as many epochs as fit into a quarter of an hour.
DISTILLED = {
    "dense_taught": Experiment(
        "dense_taught", TAUGHT_DENSE, 1, teacher=CNN, trained_by=JUDGED_FULLY
    ),
    "dense_taught_twice": Experiment(
        "dense_taught_twice", replace(TAUGHT_DENSE, epochs=44), 1, nets=2, teacher=CNN, teachers=2
    ),
}
# Who teaches.
TAUGHT = {"taught_by_students": Split.STUDENTS, "taught_by_census": Split.CENSUS}
TAUGHT |= {"taught_by_both": Split.BOTH}
# The reader of people's own digits, taught by pictures as they take them.
READER = Experiment(
    "digit_reader", registry["digit_reader"], 1, trained_by="mnist_study.reader.training"
)
# Changes to the recipe in brief, compared on validation data alone, each seed on another split.
SPLITS = {1: Split.STUDY, 2: Split.FROM_STUDENTS, 3: Split.FROM_CENSUS}
CHOICES: dict[str, dict[str, Any]] = {
    "as_it_is": {},
    "rows_in_turn": {"focus": 0},
    "no_patches": {"options": {"patches": False}},
}


def of_seed(seed: int) -> list[Experiment]:
    """Return the experiments of one seed, whose seconds compare."""
    found = [
        Experiment(name, recipe, seed, watch=True, trained_by=JUDGED_FULLY)
        for name, recipe in MODELS.items()
    ]
    found += [Experiment(name, recipe, seed) for name, recipe in MARKS.items()]
    if seed in FEW_SEEDS:
        found += [
            Experiment(name, recipe, seed, trained_by=JUDGED_FULLY)
            for name, recipe in (LADDER | WITHOUT).items()
        ]
        found += [replace(experiment, seed=seed) for experiment in DISTILLED.values()]
        found += [Experiment(name, DENSE, seed, split) for name, split in TAUGHT.items()]
    return found


def choices() -> list[Experiment]:
    """Return the experiments that compare recipes on validation data."""
    return [
        Experiment(
            f"choice_{name}", replace(BRIEF, **changes), seed, split, judged_on=Part.VALIDATION
        )
        for (seed, split), (name, changes) in itertools.product(SPLITS.items(), CHOICES.items())
    ]


def study() -> list[Experiment]:
    """Return all experiments of the study, those of one seed together."""
    found = [experiment for seed in SEEDS for experiment in of_seed(seed)] + choices()
    return found + [replace(READER, seed=seed) for seed in FEW_SEEDS]


def known_seconds(store: Store, descriptions: Iterable[Description]) -> dict[str, float]:
    """Return how long the kept trainings took on average, by name, where there are some."""
    found = {}
    for name in {description["name"] for description in descriptions}:
        seconds = [result["total_seconds"] for result in store.results(name).values()]
        found |= {name: statistics.mean(seconds)} if seconds else {}
    return found


def seconds_left(descriptions: Iterable[Description], took: Mapping[str, float]) -> float:
    """Return the seconds that the descriptions will take; took: of some trainings, by name."""
    mean = statistics.mean(took.values())
    return sum(took.get(description["name"], mean) for description in descriptions)


def named(experiments: Iterable[Experiment], pattern: str | None) -> list[Experiment]:
    """Return the experiments whose names fit a pattern, such as cnn*; all without one.

    Raises TrainingError when none fits.
    """
    found = [e for e in experiments if fnmatch.fnmatch(e.name, pattern or "*")]
    if not found:
        raise TrainingError(f"no experiment is called {pattern}: make trainings lists them")
    return found


def run(
    experiments: list[Experiment],
    scheduler: str | None = None,
    store: Store | None = None,
    dry: bool = False,
) -> None:
    """Train what is missing, keep each result as it comes, and say how much is left.

    dry: only say what is missing. Raises FolderInUseError when another process trains into the
    folder, and TrainingError, in the end, when trainings failed or a scheduler was lost.
    """
    store = store or Store()
    store.folder.mkdir(parents=True, exist_ok=True)
    with hold(store.folder):
        todo = store.missing(experiments)
        took = known_seconds(store, todo)
        kept = len(experiments) - len(todo)
        print(f"{kept} of {len(experiments)} trainings are kept.", flush=True)
        if dry:
            return foretell(todo, took)
        failed = keep_all(todo, scheduler, store, took)
    if failed:
        raise TrainingError(
            "\n".join([*failed, f"{len(failed)} trainings failed; the rest is kept"])
        )
    if todo:  # Dask cancels what it has lost, and says so in its log only
        again = "start it again, then this; what is done is kept"
        raise TrainingError(f"the scheduler is gone, {len(todo)} trainings are left: {again}")


def keep_all(
    todo: list[Description], scheduler: str | None, store: Store, took: dict[str, float]
) -> list[str]:
    """Train, keep each result as it comes, and return what failed; todo keeps what is lost.

    On a screen a bar counts the trainings; elsewhere there are lines alone.
    """
    failed = []
    with tqdm(total=len(todo), unit="training", disable=None, leave=False) as bar:
        for done, result in trained([*todo], scheduler):
            todo.remove(done)
            if isinstance(result, TrainingError):
                failed.append(str(result))
            else:
                store.keep(done, result)
                took[done["name"]] = result["total_seconds"]
                with bar.external_write_mode():
                    say(done, result, len(todo), seconds_left(todo, took))
            bar.update()
    return failed


def trained(descriptions: list[Description], scheduler: str | None) -> Iterable[worker.Trained]:
    """Return each description with its result or its error, as they come."""
    if not descriptions:
        return []
    return cluster.train(descriptions, scheduler) if scheduler else worker.here(descriptions)


def told(description: Description, took: Mapping[str, float]) -> str:
    """Return how long a training will take, as far as that is known."""
    seconds = took.get(description["name"])
    return f"about {seconds:.0f} s" if seconds else "no such training is kept"


def told_of(experiment: Experiment) -> str:
    """Return how long an experiment will take, by the kept trainings of its name."""
    description = describe(experiment)
    return told(description, known_seconds(Store(), [description]))


def foretell(todo: list[Description], took: Mapping[str, float]) -> None:
    """Print what is to be trained, and for how long, here one after another."""
    for description in todo:
        print(f"{description['name']}, seed {description['seed']}: {told(description, took)}")
    if todo and took:
        print(f"in all about {seconds_left(todo, took) / 60:.0f} minutes")


def say(done: Description, result: dict[str, Any], left: int, seconds: float) -> None:
    """Print what a training gave, and what is left."""
    accuracy = result.get("test_accuracy", result["validation_accuracy"])
    what = f"{done['name']}, seed {done['seed']}: {accuracy:.2%} in {result['fit_seconds']:.0f} s"
    print(f"{what}; {left} left, about {seconds / 60:.0f} minutes", flush=True)
