"""Read handwritten digits in pictures: python -m digit_reader photo.jpg scans/ "page *.png" -"""

import argparse
import csv
import io
import json
import pathlib
import sys
import time


def arguments():
    """Return the checked arguments of the command line; ends the program when they are wrong."""
    parser = argparse.ArgumentParser("python -m digit_reader", description=__doc__)
    what = "pictures, folders, patterns such as 'scans/*.png', or - for standard input"
    parser.add_argument("pictures", nargs="+", help=what)
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")
    parser.add_argument("--probabilities", action="store_true", help="give those of all ten digits")
    parser.add_argument("--annotate", metavar="FOLDER", help="save pictures with answers there")
    given = parser.parse_intermixed_args()
    if given.annotate and not pathlib.Path(given.annotate).is_dir():
        parser.error(f"--annotate: there is no folder {given.annotate!r}: make it first")
    return given


def plain(reading, probabilities):
    """Return a reading as plain values, fit for JSON."""
    hidden = {"prepared"} if probabilities else {"prepared", "probabilities"}
    digits = [{k: v for k, v in digit.items() if k not in hidden} for digit in reading["digits"]]
    return {k: v for k, v in reading.items() if k not in hidden} | {"digits": digits}


def as_json(readings, probabilities):
    """Return readings as JSON, a list of objects."""
    return json.dumps([plain(reading, probabilities) for reading in readings], indent=2)


def as_csv(readings, probabilities):
    """Return readings as CSV with a header: a line for each digit, or for each problem."""
    columns = ["image", "digit", "probability", "certainty", "runner_up", "problem"]
    columns += [f"p{digit}" for digit in range(10)] if probabilities else []
    rows = []
    for reading in readings:
        for digit in reading["digits"] or [{}]:
            shares = enumerate(digit.get("probabilities", ()))
            rows.append({**digit, "image": reading["image"], "problem": reading["problem"]})
            rows[-1] |= {f"p{number}": share for number, share in shares}
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().rstrip("\n")


def as_table(readings, probabilities):
    """Return readings as lines of text: image, answer, and each digit's probability."""
    width, lines = max(len(reading["image"]) for reading in readings), []
    for reading in readings:
        said = reading["problem"] or f"{reading['answer']:12}"
        shares = [f"{d['probability']:.1%}, else {d['runner_up']}" for d in reading["digits"]]
        lines.append(f"{reading['image']:{width}}  {said}  {'; '.join(shares)}".rstrip())
        for digit in reading["digits"] if probabilities else ():
            ten = [f"{number}: {share:.1%}" for number, share in enumerate(digit["probabilities"])]
            lines.append(f"{'':{width}}  {'  '.join(ten)}")
    return "\n".join(lines)


class Progress:
    """Says on standard error how far a reading is that takes more than two seconds."""

    def __init__(self):
        self.next = time.monotonic() + 2

    def __call__(self, done, count):
        if time.monotonic() > self.next:
            self.next = time.monotonic() + 2
            print(f"{done} of {count} pictures", file=sys.stderr, flush=True)


def main():
    """Print what is read in pictures; exit with status 1 when one of them could not be read."""
    given = arguments()
    from digit_reader.annotate import save_annotated  # late: a wrong argument is told at once
    from digit_reader.reader import pictures_of, read_pictures

    pictures = pictures_of(given.pictures)
    readings = read_pictures(pictures, progress=Progress())
    formats = {"table": as_table, "json": as_json, "csv": as_csv}
    print(formats[given.format](readings, given.probabilities))
    for (_, picture), reading in zip(pictures, readings, strict=True):
        if given.annotate and reading["digits"]:
            save_annotated(picture, reading, given.annotate)
    sys.exit(any(reading["problem"] for reading in readings))


if __name__ == "__main__":
    main()
