"""Read pictures of handwritten digits: python -m digit_reader a.png folder/"""

import argparse
import json
import pathlib
import sys

from digit_reader.reader import answer, load_reader, read

BESIDE = pathlib.Path(__file__).parents[1] / "mnist_model.h5"  # the study's own, in a clone of it


def table(readings):
    """Return readings as lines of text: image, probability, answer."""
    width = max(len(reading["image"]) for reading in readings)
    shares = ["" if r["problem"] else f"{r['probability']:.2%}" for r in readings]
    rows = zip(readings, shares, strict=True)
    return "\n".join(f"{r['image']:{width}}  {share:>7}  {answer(r)}" for r, share in rows)


def main():
    """Print what a model reads in pictures; exit with status 1 when it could read none of them."""
    parser = argparse.ArgumentParser("python -m digit_reader", description=__doc__)
    parser.add_argument("pictures", nargs="+", metavar="PICTURES", help="pictures, or folders")
    parser.add_argument("--model", default=BESIDE if BESIDE.exists() else BESIDE.name)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    given = parser.parse_args()
    try:
        readings = read(given.pictures, load_reader(given.model))
    except ValueError as error:
        sys.exit(str(error))
    kept = [{key: reading[key] for key in reading if key != "prepared"} for reading in readings]
    print(table(readings) if given.format == "table" else json.dumps(kept, indent=2))
    sys.exit(all(reading["problem"] for reading in readings))


main()
