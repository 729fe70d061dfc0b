"""Libraries that write to the terminal by themselves, kept quiet."""

import contextlib
import os
import pathlib
import threading
from collections.abc import Iterator

one_at_a_time = threading.Lock()  # the terminal is the whole process's


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Let nothing that is written to standard error through to the terminal."""
    with (
        one_at_a_time,
        pathlib.Path(os.devnull).open("wb") as nowhere,
        os.fdopen(os.dup(2), "wb") as terminal,
    ):
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal.fileno(), 2)
