"""Standard streams that cannot show every character, or are closed: a run goes on all the same."""

import io
import os
import pathlib
import sys

STREAMS = 3  # standard input, output and error are the files of the numbers below


def make_fit() -> None:
    """Escape what the terminal's encoding lacks; let closed streams lead nowhere.

    The next file that is opened gets a closed stream's number, and whatever is printed.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) < STREAMS:
        os.set_inheritable(number, True)
    os.close(number)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, pathlib.Path(os.devnull).open("w"))  # noqa: SIM115
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def discard_output() -> None:
    """Let what is still to be printed lead nowhere, as when its reader is gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
