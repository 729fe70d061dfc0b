"""Files are written whole or not at all."""

import os
import pathlib


def write_atomically(path, write):
    """Call write(temporary_path), then rename to path; what stood there survives any failure."""
    path = pathlib.Path(path)
    temporary = path.with_name(f".partial-{path.name}")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
