"""One run at a time in a folder: two would mix their files."""

import filelock

NAME = ".lock"


def enter(folder):
    """Take the folder for this process until it ends, or until leave; a second time is no harm.

    Raises RuntimeError, saying what to do, when another process has it. A killed one has nothing.
    """
    lock = filelock.FileLock(folder / NAME, is_singleton=True)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        advice = "wait for its end, shut its kernel down, or choose another folder"
        raise RuntimeError(f"another run is at work in {folder.absolute()}: {advice}") from None
    return lock


def leave(lock):
    """Let others have the folder."""
    lock.release(force=True)
