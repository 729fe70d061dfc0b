"""Files are written whole or not at all."""

import os
import pathlib
import secrets
from collections.abc import Callable


def write_atomically(path: str | pathlib.Path, write: Callable[[pathlib.Path], object]) -> None:
    """Call write(temporary_path), then rename to path; what stood there survives any failure.

    Raises OSError that says so, and what to do, when the disk is full, say.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".partial-{secrets.token_hex(4)}-{path.name}")
    try:
        write(temporary)
        os.replace(temporary, path)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error  # HDF5's own text runs over pages
        advice = "make room or choose another folder; what stood there is as it was"
        raise OSError(error.errno, f"cannot write {path} ({why}): {advice}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | pathlib.Path, text: str) -> None:
    """Write a text file whole or not at all; see write_atomically."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
