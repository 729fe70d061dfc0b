"""One run at a time in a folder: two would mix their files."""

import contextlib
import pathlib
from collections.abc import Iterator

import filelock

from mnist_study.errors import FolderInUseError

NAME = ".lock"


@contextlib.contextmanager
def hold(folder: pathlib.Path) -> Iterator[None]:
    """Keep others out of the folder; holding it twice in a process is no harm.

    Raises FolderInUseError, saying what to do, when another process has it. A killed one has
    nothing.
    """
    lock = filelock.FileLock(folder / NAME, is_singleton=True)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        advice = "wait for its end, shut its kernel down, or choose another folder"
        raise FolderInUseError(f"another run is at work in {folder.absolute()}: {advice}") from None
    try:
        yield
    finally:
        lock.release()
