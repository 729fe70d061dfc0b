"""Read handwritten digits in pictures: digit_reader photo.jpg scans/ "page *.png" -"""

from __future__ import annotations

import argparse
import csv
import io
import json
import pathlib
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digit_reader.reading import Reading


def arguments() -> argparse.Namespace:
    """Return the checked arguments of the command line; ends the program when they are wrong."""
    parser = argparse.ArgumentParser("digit_reader", description=__doc__)
    what = "pictures, folders, patterns such as 'scans/*.png', or - for standard input"
    parser.add_argument("pictures", nargs="+", help=what)
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")
    parser.add_argument("--probabilities", action="store_true", help="give those of all ten digits")
    parser.add_argument("--annotate", metavar="FOLDER", help="save pictures with answers there")
    given = parser.parse_intermixed_args()
    if given.annotate and not pathlib.Path(given.annotate).is_dir():
        parser.error(f"--annotate: there is no folder {given.annotate!r}: make it first")
    return given


def plain(reading: Reading, probabilities: bool) -> dict[str, Any]:
    """Return a reading as plain values, fit for JSON."""
    shown = ["digit", "probability", "runner_up", "certainty"]
    shown += ["probabilities"] if probabilities else []
    digits = [{name: getattr(digit, name) for name in (*shown, "box")} for digit in reading.digits]
    found: dict[str, Any] = {"image": reading.image, "answer": reading.answer}
    found |= {"sure": reading.sure, "digits": digits, "problem": reading.problem}
    return found | {name: reading.single(name) for name in shown}


def as_json(readings: list[Reading], probabilities: bool) -> str:
    """Return readings as JSON, a list of objects."""
    return json.dumps([plain(reading, probabilities) for reading in readings], indent=2)


def as_csv(readings: list[Reading], probabilities: bool) -> str:
    """Return readings as CSV with a header: a line for each digit, or for each problem."""
    columns = ["image", "digit", "probability", "certainty", "runner_up", "problem"]
    columns += [f"p{digit}" for digit in range(10)] if probabilities else []
    rows: list[dict[str, Any]] = []
    for reading in readings:
        for digit in reading.digits or [None]:
            rows.append({"image": reading.image, "problem": reading.problem})
            if digit:
                rows[-1] |= {name: getattr(digit, name) for name in columns[1:5]}
                rows[-1] |= {f"p{n}": share for n, share in enumerate(digit.probabilities)}
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().rstrip("\n")


def as_table(readings: list[Reading], probabilities: bool) -> str:
    """Return readings as lines of text: image, answer, and each digit's probability."""
    width, lines = max(len(reading.image) for reading in readings), []
    for reading in readings:
        said = reading.problem or f"{reading.answer:12}"
        shares = [f"{digit.probability:.1%}, else {digit.runner_up}" for digit in reading.digits]
        lines.append(f"{reading.image:{width}}  {said}  {'; '.join(shares)}".rstrip())
        for digit in reading.digits if probabilities else ():
            ten = [f"{number}: {share:.1%}" for number, share in enumerate(digit.probabilities)]
            lines.append(f"{'':{width}}  {'  '.join(ten)}")
    return "\n".join(lines)


class Progress:
    """Says on standard error how far a reading is that takes more than two seconds."""

    def __init__(self) -> None:
        self.next = time.monotonic() + 2

    def __call__(self, done: int, count: int) -> None:
        if time.monotonic() > self.next:
            self.next = time.monotonic() + 2
            print(f"{done} of {count} pictures", file=sys.stderr, flush=True)


def main() -> None:
    """Print what is read in pictures; exit with status 1 when one of them could not be read."""
    given = arguments()
    from digit_reader.annotate import save_annotated  # late: a wrong argument is told at once
    from digit_reader.reader import named_pictures, read_pictures

    pictures = named_pictures(given.pictures)
    readings = read_pictures(pictures, progress=Progress())
    formats = {"table": as_table, "json": as_json, "csv": as_csv}
    print(formats[given.format](readings, given.probabilities))
    for (_, picture), reading in zip(pictures, readings, strict=True):
        if given.annotate and reading.digits:
            save_annotated(picture, reading, given.annotate)
    sys.exit(any(reading.problem for reading in readings))


if __name__ == "__main__":
    main()
