"""The folders that a run writes to: writable from the beginning, and locked for this run alone."""

import contextlib
import pathlib
import tempfile
import warnings
from collections.abc import Iterator

import filelock

from digit_reader.files import rewrite
from mnist_study.errors import FolderError

NAME = ".lock"


@contextlib.contextmanager
def hold(folder: pathlib.Path) -> Iterator[None]:
    """Lock the folder for this process, which may do so more than once.

    Raises FolderError, with advice, when another process has locked it, or when the lock's file
    cannot be opened, another user's, say. The lock of a killed process is free. On a file system
    that refuses locks the run goes on without, and says so.
    """
    lock = filelock.FileLock(folder / NAME, is_singleton=True)
    try:
        with warnings.catch_warnings():  # of a soft lock, which a killed process would leave
            warnings.filterwarnings("error", "flock not supported")
            lock.acquire(blocking=False)
    except filelock.Timeout:
        advice = "wait for its end, shut its kernel down, or choose another folder"
        raise FolderError(f"another run is at work in {folder.absolute()}: {advice}") from None
    except (OSError, NotImplementedError, UserWarning) as error:
        why = getattr(error, "strerror", None) or "its file system has no locks"
        if getattr(error, "filename", None) or isinstance(error, PermissionError):
            advice = "another user's run may have left it: remove it, or choose another folder"
            raise FolderError(
                f"cannot open {folder.absolute() / NAME} ({why}): {advice}"
            ) from error
        print(f"{folder.absolute()} is not locked ({why}): start no other run there meanwhile")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.release()


def writable_folder(path: pathlib.Path) -> pathlib.Path:
    """Return the folder, made if need be; raise FolderError, with advice, if it is read-only."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        advice = "set output_folder to a folder of yours"
        refused = FolderError(f"cannot write to {path.absolute()} ({error.strerror}): {advice}")
        refused.errno = error.errno
        raise refused from error
    return path


def check_outputs(*files: pathlib.Path) -> None:
    """Raise FolderError, with advice, when a file that a run is to write anew cannot be.

    Such are a file mounted by itself and another user's in a folder like /tmp.
    """
    for file in files:
        try:
            rewrite(file)
        except OSError as error:
            raise FolderError(error.strerror) from error
