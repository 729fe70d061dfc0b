"""Train the experiments that results/ lacks, here or on a cluster, and keep each as it comes."""

import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from tqdm import tqdm

from mnist_study import cluster, worker
from mnist_study.errors import TrainingError
from mnist_study.lock import hold
from mnist_study.runners import Experiment
from mnist_study.store import Description, Store, accuracy_of


def known_seconds(store: Store, names: Iterable[str]) -> dict[str, float]:
    """Return the mean seconds of the recorded trainings of these names, where there are some."""
    seconds = {n: [r["total_seconds"] for r in store.results(n).values()] for n in {*names}}
    return {name: statistics.mean(of_name) for name, of_name in seconds.items() if of_name}


def seconds_left(descriptions: Iterable[Description], took: Mapping[str, float]) -> float:
    """Return the seconds that the descriptions will take; took: of some trainings, by name."""
    mean = statistics.mean(took.values())
    return sum(took.get(description["name"], mean) for description in descriptions)


def expected_time(name: str, took: Mapping[str, float]) -> str:
    """Return how long a training will take, as far as that is known."""
    return f"about {took[name]:.0f} s" if name in took else "no such training is recorded"


def expected_time_of(experiment: Experiment) -> str:
    """Return how long an experiment will take, by the recorded trainings of its name."""
    return expected_time(experiment.name, known_seconds(Store(), [experiment.name]))


def run(
    experiments: list[Experiment],
    scheduler: str | None = None,
    store: Store | None = None,
    dry: bool = False,
) -> None:
    """Train what is missing, keep each result as it comes, and say how much is left.

    dry: only say what is missing. Raises FolderError when another process trains into the folder,
    and TrainingError, in the end, when trainings failed or a scheduler was lost.
    """
    store = store or Store()
    store.folder.mkdir(parents=True, exist_ok=True)
    with hold(store.folder):
        missing = store.missing(experiments)
        took = known_seconds(store, [description["name"] for description in missing])
        recorded = len(experiments) - len(missing)
        print(f"{recorded} of {len(experiments)} trainings are recorded.", flush=True)
        if dry:
            return print_plan(missing, took)
        failed = train_all(missing, scheduler, store, took)
    if failed:
        last = f"{len(failed)} trainings failed; the others are recorded"
        raise TrainingError("\n".join([*failed, last]))
    if missing:  # Dask cancels what it has lost, and says so in its log only
        again = "start it again, then this; finished trainings are recorded"
        raise TrainingError(f"the scheduler is gone, {len(missing)} trainings are left: {again}")


def train_all(
    missing: list[Description], scheduler: str | None, store: Store, took: dict[str, float]
) -> list[str]:
    """Train, keep each result as it comes, and return what failed; missing keeps what is lost.

    On a screen a bar counts the trainings; elsewhere there are lines alone.
    """
    failed = []
    with tqdm(total=len(missing), unit="training", disable=None, leave=False) as bar:
        for description, result in trained([*missing], scheduler):
            missing.remove(description)
            if isinstance(result, TrainingError):
                failed.append(str(result))
            else:
                store.keep(description, result)
                took[description["name"]] = result["total_seconds"]
                with bar.external_write_mode():
                    print_result(description, result, len(missing), seconds_left(missing, took))
            bar.update()
    return failed


def trained(descriptions: list[Description], scheduler: str | None) -> Iterable[worker.Trained]:
    """Return each description with its result or its error, as they come."""
    if not descriptions:
        return []
    return cluster.train(descriptions, scheduler) if scheduler else worker.here(descriptions)


def print_plan(missing: list[Description], took: Mapping[str, float]) -> None:
    """Print what is to be trained, and for how long, here one after another."""
    for d in missing:
        print(f"{d['name']}, seed {d['seed']}: {expected_time(d['name'], took)}")
    if missing and took:
        print(f"in all about {seconds_left(missing, took) / 60:.0f} minutes")


def print_result(d: Description, result: dict[str, Any], left: int, seconds: float) -> None:
    """Print what a training gave, and what is left."""
    what = (
        f"{d['name']}, seed {d['seed']}: {accuracy_of(result):.2%} in {result['fit_seconds']:.0f} s"
    )
    print(f"{what}; {left} left, about {seconds / 60:.0f} minutes", flush=True)
