"""A lock on a folder, so that two runs at a time do not mix their files there."""

import contextlib
import pathlib
from collections.abc import Iterator

import filelock

from mnist_study.errors import FolderError

NAME = ".lock"


@contextlib.contextmanager
def hold(folder: pathlib.Path) -> Iterator[None]:
    """Lock the folder for this process, which may do so more than once.

    Raises FolderError, with advice, when another process has locked it. The lock of a killed
    process is free.
    """
    lock = filelock.FileLock(folder / NAME, is_singleton=True)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        advice = "wait for its end, shut its kernel down, or choose another folder"
        raise FolderError(f"another run is at work in {folder.absolute()}: {advice}") from None
    try:
        yield
    finally:
        lock.release()
