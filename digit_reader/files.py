"""Files are written whole or not at all."""

import contextlib
import errno
import os
import pathlib
import secrets
import shutil
import tempfile
from collections.abc import Callable


def write_atomically(path: str | pathlib.Path, write: Callable[[pathlib.Path], object]) -> None:
    """Call write(temporary_path), then rename to path; what stood there survives any failure.

    A link at path stays one: the file that it leads to is written. Mode, owner, group and further
    names (hard links) of that file stay, too.
    Raises OSError that says so, and what to do, when the disk is full, say.
    """
    path = pathlib.Path(os.path.realpath(path))
    temporary = path.with_name(f".partial-{secrets.token_hex(4)}{path.suffix[-9:]}")
    try:
        write(temporary)
        put_in_place(temporary, path)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error  # HDF5's own text runs over pages
        mounted = error.errno in (errno.EBUSY, errno.EXDEV)  # by itself, say into a container
        advice = "mount its folder instead" if mounted else "make room"
        advice += " or choose another folder; what stood there is as it was"
        raise OSError(error.errno, f"cannot write {path} ({why}): {advice}") from error
    finally:
        temporary.unlink(missing_ok=True)


def put_in_place(new: pathlib.Path, path: pathlib.Path) -> None:
    """Rename a new file to path, unless the file there has other names, which would keep the old.

    Then that file is overwritten; a kill while it is leaves the new one beside it, whole.
    """
    names = path.stat().st_nlink if path.exists() else 0
    if names > 1:
        overwrite_or_restore(path, new.read_bytes())
        return
    if names:
        take_over(path, new)
    os.replace(new, path)


def overwrite_or_restore(path: pathlib.Path, content: bytes) -> None:
    """Overwrite a file; its own content comes back where that fails."""
    before = path.read_bytes()
    try:
        overwrite(path, content)
    except BaseException:
        overwrite(path, before)
        raise


def overwrite(path: pathlib.Path, content: bytes) -> None:
    """Overwrite a file in place; until all is written it keeps the room on disk that it has."""
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()


def take_over(old: pathlib.Path, new: pathlib.Path) -> None:
    """Give a new file the owner, the group and the mode of an old one, as far as is allowed."""
    before = old.stat()
    for owner in (-1, before.st_uid):  # whoever is in the group may set that alone
        with contextlib.suppress(OSError, AttributeError):  # Windows has no chown
            os.chown(new, owner, before.st_gid)
    with contextlib.suppress(OSError):
        shutil.copymode(old, new)


def rewrite(path: pathlib.Path) -> None:
    """Write a file anew as it is: raises OSError where write_atomically would."""
    write_atomically(path, lambda temporary: shutil.copy2(path, temporary))


def try_folder(folder: pathlib.Path) -> None:
    """Raise OSError where no file can be written into a folder."""
    tempfile.TemporaryFile(dir=folder).close()


def write_text(path: str | pathlib.Path, text: str) -> None:
    """Write a text file whole or not at all; see write_atomically."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
