"""Trainings on a Dask cluster: submitted, checked, and given to another worker where one fails."""

import dataclasses
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from mnist_study import digests, worker
from mnist_study.errors import TrainingError
from mnist_study.worker import Description, Result, Trained

CHECK_EVERY = 30  # seconds between two checks of which workers are connected
POLL_EVERY = 0.2  # seconds between two checks for finished trainings


@dataclasses.dataclass(frozen=True)
class Attempt:
    """An attempt to train on a cluster; workers are known by their addresses."""

    description: Description
    unable: frozenset[str] = frozenset()  # workers that refused it or failed
    able: frozenset[str] = frozenset()  # workers that may do it; empty: all may
    number: int = 0  # of attempts before this one

    @property
    def key(self) -> str:
        """The task's key, made of its content: a scheduler answers a key that it knows."""
        key = f"{self.description['name']}-{digests.of_description(self.description)}"
        return f"{key}-{self.number}" if self.number else key

    def again(self, unable: set[str], connected: set[str]) -> "Attempt | None":
        """Return the next attempt, by connected workers not known as unable; None without any."""
        unable = unable | self.unable
        able = connected - unable
        next_one = Attempt(self.description, frozenset(unable), frozenset(able), self.number + 1)
        return next_one if able else None


def proven(description: Description, result: Result | str) -> Result | str:
    """Return the result if its worker has proved that it trained what is described, or why not.

    The proof is the description's key. A worker whose clone is too old to send one may have any
    code.
    """
    key = digests.of_description(description)
    if isinstance(result, str) or result.get("machine", {}).get("key") == key:
        return result
    return f"{description['name']} came without proof of its code: bring the workers up to date"


class Cluster:
    """Trainings at work on a Dask cluster."""

    def __init__(self, client: Any, address: str):
        from distributed import as_completed

        self.client, self.address = client, address
        self.attempts: dict[Any, Attempt] = {}  # by future
        self.stranded: set[Any] = set()  # futures whose workers are gone
        self.completed = as_completed(with_results=True, raise_errors=False)

    def submit(self, attempt: Attempt) -> None:
        """Let a worker make an attempt."""
        where = {"workers": [*attempt.able]} if attempt.able else {}
        task = worker.attempt, attempt.description
        future = self.client.submit(*task, key=attempt.key, **where)
        self.attempts[future] = attempt
        self.completed.add(future)

    def workers(self) -> set[str]:
        """Return the addresses of the connected workers."""
        return {*self.client.scheduler_info()["workers"]}

    def check_workers(self) -> None:
        """Warn when no worker is connected; cancel attempts that wait for workers that are gone."""
        connected = self.workers()
        if not connected:
            warn(f"{self.address} has no workers: start one in a clone: docs/USING.md says how")
        for future, attempt in self.attempts.items():
            if connected and attempt.able and not attempt.able & connected:
                self.stranded.add(future)
                future.cancel()

    def outcome(self, future: Any, attempt: Attempt, value: Any) -> tuple[set[str], Result | str]:
        """Return the workers that made an attempt, and its result or why there is none.

        value: what Dask returned. Without workers no other one is to try it.
        """
        name = attempt.description["name"]
        if future in self.stranded:
            return {*attempt.able}, f"{name}: the workers that could train it are gone"
        if future.status == "error":  # Dask gave up: several workers died of it
            return set(), f"{name} failed: {value[1]!r}"
        address, result = value
        return {address}, proven(attempt.description, result)

    def outcomes(self) -> Iterator[Trained]:
        """Yield each description with its result or error; nothing for those that are lost."""
        next_check = 0.0
        while self.attempts:
            if time.monotonic() >= next_check:
                self.check_workers()
                next_check = time.monotonic() + CHECK_EVERY
            if not self.completed.has_ready():
                time.sleep(POLL_EVERY)
                continue
            future, value = next(self.completed)
            attempt = self.attempts.pop(future)
            if future.cancelled() and future not in self.stranded:  # lost with the scheduler
                continue
            addresses, result = self.outcome(future, attempt, value)
            if isinstance(result, dict):
                yield attempt.description, result
                continue
            warn(result)
            next_one = attempt.again(addresses, self.workers()) if addresses else None
            if next_one:
                self.submit(next_one)
            else:
                yield attempt.description, TrainingError(result)


def warn(text: str) -> None:
    """Print a text on standard error."""
    print(text, file=sys.stderr, flush=True)


def train(descriptions: Iterable[Description], scheduler: str) -> Iterator[Trained]:
    """Yield each description with its result or error, trained by a Dask scheduler's workers.

    The workers start in clones of this project. If one dies, refuses or fails, another does its
    training, until all have tried. Raises TrainingError without Dask or its scheduler.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as missing:
        raise TrainingError("a cluster needs Dask: make install-dev brings it") from missing
    try:
        client = Client(scheduler)
    except (OSError, ValueError, TypeError) as error:  # TypeError: TLS without certificates
        raise TrainingError(f"no scheduler answers at {scheduler}: {error}") from error
    with client:
        cluster = Cluster(client, scheduler)
        for description in descriptions:
            cluster.submit(Attempt(description))
        yield from cluster.outcomes()
