"""Recognise handwritten digits in pictures: digit_reader photo.jpg scans/ "page *.png" -"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import pathlib
import sys
import time
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from digit_reader import streams
from digit_reader.errors import HintError
from digit_reader.files import try_folder
from digit_reader.hints import TEN, Hints

if TYPE_CHECKING:
    from digit_reader.reading import Reading

INTERRUPTED = 130  # the status of a program that Ctrl-C ends
SHOWN = ("digit", "probability", "runner_up", "certainty")


def arguments() -> argparse.Namespace:
    """Return the checked arguments of the command line; ends the program when they are wrong."""
    parser = argparse.ArgumentParser("digit_reader", description=__doc__)
    accepted = "pictures, folders, patterns such as 'scans/*.png', or - for standard input"
    parser.add_argument("pictures", nargs="*", help=accepted)
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")
    parser.add_argument("--probabilities", action="store_true", help="show those of all ten digits")
    parser.add_argument(
        "--only", default=TEN, metavar="DIGITS", help="the only digits that may occur"
    )
    parser.add_argument("--count", type=int, metavar="N", help="number of digits in a picture")
    parser.add_argument("--one-line", action="store_true", help="the digits stand in one line")
    parser.add_argument("--annotate", metavar="FOLDER", help="save pictures with boxes there")
    words = sys.argv[1:]  # after --, a word that begins with a dash is a picture, too
    end = words.index("--") if "--" in words else len(words)
    options = parser.parse_intermixed_args(words[:end])
    options.pictures += words[end + 1 :]
    if not options.pictures:
        parser.error("say which pictures to read")
    if options.annotate:
        options.annotate = os.path.expanduser(options.annotate)  # noqa: PTH111  (it never raises)
        if wrong := unfit(pathlib.Path(options.annotate)):
            parser.error(f"--annotate: {wrong}")
    try:
        options.hints = Hints(options.only, options.count, options.one_line)
    except HintError as error:
        parser.error(str(error))
    return options


def unfit(folder: pathlib.Path) -> str:
    """Return why no file can be written into a folder, and what to do; "" if one can."""
    try:
        if not folder.is_dir():
            return f"there is no folder '{folder}': make it first"
        try_folder(folder)
        return ""
    except OSError as error:
        return f"nothing can be written into '{folder}' ({error.strerror}): choose another folder"


def plain(reading: Reading, probabilities: bool) -> dict[str, Any]:
    """Return a reading as plain values, fit for JSON."""
    shown = [*SHOWN, "probabilities"] if probabilities else [*SHOWN]
    names = (*shown, "box", "line", "place")
    digits = [{name: getattr(digit, name) for name in names} for digit in reading.digits]
    values: dict[str, Any] = {"image": reading.image, "answer": reading.answer}
    values |= {"sure": reading.sure, "digits": digits, "problem": reading.problem}
    return values | {name: reading.single(name) for name in shown} | {"note": reading.note}


def as_json(readings: Iterator[Reading], width: int, probabilities: bool) -> Iterator[str]:
    """Yield readings as JSON, a list of objects."""
    before = "["
    for reading in readings:
        yield before + json.dumps(plain(reading, probabilities), indent=2)
        before = ","
    yield "]" if before == "," else "[]"


def harmless(cell: Any) -> Any:
    """Return a cell of a CSV file so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@")) else cell


def as_csv(readings: Iterator[Reading], width: int, probabilities: bool) -> Iterator[str]:
    """Yield readings as CSV with a header: a line for each digit, or for each problem."""
    columns = ["image", "digit", "probability", "certainty", "runner_up", "problem"]
    columns += ["line", "place", "note"]
    columns += [f"p{digit}" for digit in range(10)] if probabilities else []
    yield ",".join(columns)
    for reading in readings:
        for digit in reading.digits or [None]:
            row = {name: getattr(reading, name) for name in ("image", "problem", "note")}
            if digit:
                row |= {name: getattr(digit, name) for name in (*SHOWN, "line", "place")}
                row |= {f"p{n}": p for n, p in enumerate(digit.probabilities)}
            file = io.StringIO()
            writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="")
            writer.writerow({name: harmless(cell) for name, cell in row.items()})
            yield file.getvalue()


def as_table(readings: Iterator[Reading], width: int, probabilities: bool) -> Iterator[str]:
    """Yield readings as lines of text: image, answer, and how probable each unsure digit is."""
    for reading in readings:
        answer = reading.problem or " / ".join(f"{reading.answer:12}".split("\n"))
        alone = len(reading.digits) == 1
        unsure = [digit for digit in reading.digits if alone or not digit.sure]
        remarks = [f"{digit.probability:.1%}, else {digit.runner_up}" for digit in unsure]
        remarks += [reading.note] if reading.note else []
        yield f"{reading.image:{width}}  {answer}  {'; '.join(remarks)}".rstrip()
        for digit in reading.digits if probabilities else ():
            ten = [f"{n}: {p:.1%}" for n, p in enumerate(digit.probabilities)]
            yield f"{'':{width}}  {'  '.join(ten)}"


class Progress:
    """Says on standard error how many pictures are done, every two seconds."""

    def __init__(self) -> None:
        self.start = self.reported = time.monotonic()

    def __call__(self, done: int, count: int) -> None:
        now = time.monotonic()
        if now > self.reported + 2:
            self.reported, left = now, (now - self.start) / done * (count - done)
            print(f"{done} of {count} pictures, {left:.0f} s left", file=sys.stderr, flush=True)


def show(options: argparse.Namespace) -> bool:
    """Print the reading of each picture as it comes; return whether one of them has a problem."""
    from digit_reader.annotate import save_annotated  # late: wrong arguments end it at once
    from digit_reader.inputs import named_pictures
    from digit_reader.reader import each_reading

    pictures, problems = named_pictures(options.pictures), []

    def readings() -> Iterator[Reading]:
        for picture, reading in each_reading(pictures, progress=Progress(), hints=options.hints):
            problems.append(bool(reading.problem))
            try:
                if options.annotate and reading.digits:
                    save_annotated(picture, reading, options.annotate)
            except OSError as error:  # the disk is full: the readings are worth the most
                problems.append(True)
                print(error, file=sys.stderr)
            yield reading

    width = max(len(name) for name, _ in pictures)
    form = {"table": as_table, "json": as_json, "csv": as_csv}[options.format]
    for line in form(readings(), width, options.probabilities):
        print(line, flush=True)
    return any(problems)


def main() -> None:
    """Print the readings of pictures; exit with status 1 when one of them has a problem."""
    streams.make_fit()
    options = arguments()
    warnings.simplefilter("ignore")  # what decoders think of a file is said in our own words
    try:
        sys.exit(show(options))
    except BrokenPipeError:  # head has seen enough
        streams.discard_output()
    except OSError as error:  # standard output is a file on a full disk
        streams.discard_output()
        sys.exit(f"digit_reader cannot go on ({error})")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
