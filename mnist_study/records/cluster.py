"""Trainings given to a Dask cluster: which worker did each, or could not, and who does it then."""

import dataclasses
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from mnist_study.errors import TrainingError
from mnist_study.records import digests, worker
from mnist_study.records.worker import Description, Result, Trained

LOOK = 30  # seconds between two looks at the workers that are there
POLL = 0.2  # seconds between two looks for what has come


@dataclasses.dataclass(frozen=True)
class Attempt:
    """A training given to a cluster; workers are known by their addresses."""

    description: Description
    unable: frozenset[str] = frozenset()  # those that could not do it
    able: frozenset[str] = frozenset()  # those that may do it; empty: all may
    number: int = 0  # of attempts before this one

    @property
    def key(self) -> str:
        """The task's key, of its content: a scheduler must not answer with what other code gave."""
        key = f"{self.description['name']}-{digests.of_description(self.description)}"
        return f"{key}-{self.number}" if self.number else key

    def again(self, unable: set[str], there: set[str]) -> "Attempt | None":
        """Return the next attempt, by workers there that are not known as unable, if any are."""
        unable = unable | self.unable
        able = there - unable
        anew = Attempt(self.description, frozenset(unable), frozenset(able), self.number + 1)
        return anew if able else None


def proven(description: Description, result: Result | str) -> Result | str:
    """Return a result whose worker has proved that it did what is described, or why it has not.

    A worker whose clone is from before such proofs may have any code.
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
        self.given: dict[Any, Attempt] = {}  # by future
        self.stranded: set[Any] = set()  # futures whose workers are gone
        self.coming = as_completed(with_results=True, raise_errors=False)

    def give(self, attempt: Attempt) -> None:
        """Let a worker make an attempt."""
        where = {"workers": [*attempt.able]} if attempt.able else {}
        task = worker.attempt, attempt.description
        future = self.client.submit(*task, key=attempt.key, **where)
        self.given[future] = attempt
        self.coming.add(future)

    def workers(self) -> set[str]:
        """Return the addresses of the workers that are there."""
        return {*self.client.scheduler_info()["workers"]}

    def look(self) -> None:
        """Say when nobody is there to train, and free what waits for workers that are gone."""
        there = self.workers()
        if not there:
            tell(f"{self.address} has no workers: start one in a clone: docs/USING.md says how")
        for future, attempt in self.given.items():
            if there and attempt.able and not attempt.able & there:
                self.stranded.add(future)
                future.cancel()

    def made(self, future: Any, attempt: Attempt, outcome: Any) -> tuple[set[str], Result | str]:
        """Return the workers that made an attempt, and its result or why there is none.

        No workers: no other is to try it.
        """
        name = attempt.description["name"]
        if future in self.stranded:
            return {*attempt.able}, f"{name}: the workers that could train it are gone"
        if future.status == "error":  # Dask gave it up: workers died of it one after another
            return set(), f"{name} failed: {outcome[1]!r}"
        address, result = outcome
        return {address}, proven(attempt.description, result)

    def outcomes(self) -> Iterator[Trained]:
        """Yield each description with its result, or its error; nothing of what is lost."""
        due = 0.0
        while self.given:
            if time.monotonic() >= due:
                self.look()
                due = time.monotonic() + LOOK
            if not self.coming.has_ready():
                time.sleep(POLL)
                continue
            future, outcome = next(self.coming)
            attempt = self.given.pop(future)
            if future.cancelled() and future not in self.stranded:  # lost with the scheduler
                continue
            addresses, result = self.made(future, attempt, outcome)
            if isinstance(result, dict):
                yield attempt.description, result
                continue
            tell(result)
            anew = attempt.again(addresses, self.workers()) if addresses else None
            if anew:
                self.give(anew)
            else:
                yield attempt.description, TrainingError(result)


def tell(text: str) -> None:
    """Print a text on standard error."""
    print(text, file=sys.stderr, flush=True)


def train(descriptions: Iterable[Description], scheduler: str) -> Iterator[Trained]:
    """Yield each description with its result, or its error, trained by a Dask scheduler's workers.

    The workers start in clones of this project. One that dies, refuses or fails has its training
    done by another, until all have tried. Raises TrainingError without Dask or its scheduler.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as missing:
        raise TrainingError("a cluster needs Dask: make install-dev brings it") from missing
    try:
        client = Client(scheduler)
    except (OSError, ValueError, TypeError) as error:  # the last of TLS without certificates
        raise TrainingError(f"no scheduler answers at {scheduler}: {error}") from error
    with client:
        cluster = Cluster(client, scheduler)
        for description in descriptions:
            cluster.give(Attempt(description))
        yield from cluster.outcomes()
