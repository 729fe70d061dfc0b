"""Files and folders that are to be written: tried before the work, and locked for a run alone."""

import contextlib
import pathlib
import warnings
from collections.abc import Iterator

import filelock

from digit_reader.files import rewrite, try_folder
from mnist_study.errors import FolderError

NAME = ".lock"
OF_ONES_OWN = "set output_folder to a folder of yours"
WITHIN = "let it be written to, or work in a copy of the whole project"


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


def writable_folder(path: pathlib.Path, advice: str = OF_ONES_OWN) -> pathlib.Path:
    """Return the folder, made if need be; raise FolderError, with advice, if it is read-only."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        try_folder(path)
    except OSError as error:
        refused = FolderError(f"cannot write to {path.absolute()} ({error.strerror}): {advice}")
        refused.errno = error.errno
        raise refused from error
    return path


def check_outputs(*files: pathlib.Path) -> None:
    """Raise FolderError, with advice, when a file that is to be written, or anew, cannot be.

    Such are one in a read-only folder, one mounted by itself, another user's in one like /tmp.
    """
    for file in files:
        if not file.is_file():
            writable_folder(file.parent, WITHIN)
            continue
        try:
            rewrite(file)
        except OSError as error:
            raise FolderError(error.strerror) from error
