"""Measures other digit recognisers beside this project's, on the same pictures.

    python3 -m venv recognisers
    recognisers/bin/pip install -r requirements.txt rapidocr-onnxruntime==1.4.4
    apt-get install tesseract-ocr
    recognisers/bin/python benchmarks/recognisers.py FOLDER

gives them simulated photographs, and the real pictures of mnist_study/recogniser/real.csv that are
in the folder (without one, none), one after another; writes what it measured to recognisers.csv,
and from that the part on recognisers of docs/BENCHMARKS.md. With --only it measures one. Those that
are not installed are skipped: what was measured of them before stays. Time is processor time, all
threads together, for one picture from its file to the answer, once the recogniser is loaded;
tesseract starts anew for each.
"""

import argparse
import csv
import importlib.metadata
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
import scipy.ndimage

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.peers import PAGE, RECOGNISERS_PART  # noqa: E402

MEASURED = HERE / "recognisers.csv"
EACH = 4  # simulated photographs of one digit of each kind and strength
EACH_NUMBER = 2  # and of a number, of each kind
SPECK = 0.2  # of the highest part: the tutorials' way ignores what is less high

Recognise = Callable[[pathlib.Path, str], str]  # a picture, and "digits" or "numbers": its digits
Shown = list[tuple[pathlib.Path, str]]  # pictures, and the digits that they show


class MissingRecogniserError(Exception):
    """A recogniser is not installed; says how to install it."""


def digit_reader() -> tuple[str, Recognise]:
    """this project's digit recogniser, without hints"""
    from digit_reader import Reader, read

    reader = Reader()

    def digits(picture: pathlib.Path, kind: str) -> str:
        return "".join(str(digit.digit) for digit in read(picture, reader)[0].digits)

    return "", digits


def rapidocr() -> tuple[str, Recognise]:
    """RapidOCR with its defaults; where it detects no text, its recognition of the whole picture"""
    try:
        import rapidocr_onnxruntime
    except ImportError:
        advice = "RapidOCR is not installed: pip install rapidocr-onnxruntime==1.4.4"
        raise MissingRecogniserError(advice) from None
    reader = rapidocr_onnxruntime.RapidOCR(intra_op_num_threads=1)  # more spend time waiting

    def digits(picture: pathlib.Path, kind: str) -> str:
        image = np.asarray(opened(picture).convert("RGB"))[..., ::-1].copy()  # as OpenCV has it
        lines = [text for _, text, _ in reader(image)[0] or []]
        lines = lines or [text for text, _ in reader(image, use_det=False, use_cls=False)[0] or []]
        return "".join(lines)

    return importlib.metadata.version("rapidocr-onnxruntime"), digits


def tesseract() -> tuple[str, Recognise]:
    """Tesseract, only digits allowed, `--psm 6`, which is better on these than 7, 8, 10 or 13"""
    if not shutil.which("tesseract"):
        raise MissingRecogniserError("tesseract is not installed: apt-get install tesseract-ocr")

    def run(*arguments: str) -> str:
        command = ["tesseract", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def digits(picture: pathlib.Path, kind: str) -> str:
        allowed = "tessedit_char_whitelist=0123456789"
        return run(str(picture), "stdout", "--psm", "6", "-c", allowed)

    return run("--version").split()[1], digits


def tutorials() -> tuple[str, Recognise]:
    """`mnist_model.h5` with what tutorials do: Otsu's threshold, the ink's box, 20 in 28 pixels;
    of numbers each connected part, from left to right"""
    import keras

    model: Any = keras.models.load_model(HERE.parent / "mnist_model.h5")

    def digits(picture: pathlib.Path, kind: str) -> str:
        ink = thresholded(np.asarray(opened(picture).convert("L")))
        images = [in_28(ink[box]) for box in ink_boxes(ink, kind)]
        shares = model.predict_on_batch(np.stack(images)[..., np.newaxis]) if images else []
        return "".join(str(int(np.argmax(share))) for share in shares)

    return "", digits


def opened(picture: pathlib.Path) -> PIL.Image.Image:
    """Return the picture, turned as its EXIF says."""
    return PIL.ImageOps.exif_transpose(PIL.Image.open(picture))


def thresholded(grey: np.ndarray) -> np.ndarray:
    """Return a picture's ink (h, w), bright on black, by Otsu's threshold of its grey values."""
    counts = np.bincount(grey.ravel(), minlength=256)
    below, sums = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    above = grey.size - below
    spread = (sums[-1] * below - grey.size * sums) ** 2.0 / np.maximum(below * above, 1.0)
    bright = grey > spread.argmax()
    border = np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]])
    return np.where(bright != (border.mean() > 0.5), 255, 0).astype(np.uint8)


def ink_boxes(ink: np.ndarray, kind: str) -> list[tuple[slice, slice]]:
    """Return the box of all ink of a digit; of numbers that of each part, from left to right."""
    parts = scipy.ndimage.label(ink, np.ones((3, 3)))[0] if kind == "numbers" else ink // 255
    boxes = [box for box in scipy.ndimage.find_objects(parts) if box]
    height = max((rows.stop - rows.start for rows, _ in boxes), default=0)
    boxes = [(rows, columns) for rows, columns in boxes if rows.stop - rows.start > SPECK * height]
    return sorted(boxes, key=lambda box: box[1].start)


def in_28(ink: np.ndarray) -> np.ndarray:
    """Return cut-out ink (h, w) with its longer side 20 in the middle of 28×28, from 0 to 1."""
    width, height = (max(1, round(20 * side / max(ink.shape))) for side in ink.shape[::-1])
    small = PIL.Image.fromarray(ink).resize((width, height), PIL.Image.Resampling.BOX)
    page = np.zeros((28, 28), np.float32)
    top, left = (28 - height) // 2, (28 - width) // 2
    page[top : top + height, left : left + width] = np.asarray(small) / 255
    return page


RECOGNISERS = {
    "digit_reader": digit_reader,
    "RapidOCR": rapidocr,
    "tesseract": tesseract,
    "tutorials' way": tutorials,
}


def real(folder: pathlib.Path) -> Iterator[tuple[str, Shown]]:
    """Yield the kinds of real pictures, those that real.csv lists and that are in the folder."""
    from mnist_study.recogniser.rates import real_pictures

    for kind, paths, shows in real_pictures(folder):
        if paths:
            yield f"real {kind}", [*zip(paths, shows, strict=True)]


def simulated(folder: pathlib.Path) -> Iterator[tuple[str, Shown]]:
    """Yield simulated photographs of test digits and of numbers, written to the folder."""
    from mnist_study import data
    from mnist_study.recogniser import numerals
    from mnist_study.recogniser.photographs import STRENGTHS, photograph

    images, labels = data.load()[1]
    generator, digits, several = np.random.default_rng(4), [], []
    for kind, strength in [(k, s) for k, of_kind in STRENGTHS.items() for s in of_kind] * EACH:
        index = int(generator.integers(len(images)))
        picture = photograph(images[index], kind, strength, generator)
        digits.append((picture, str(labels[index])))
    for kind in [*numerals.Rough] * EACH_NUMBER:
        picture, lines = numerals.number(images, labels, {kind}, generator)
        several.append((picture, "".join(lines)))
    for kind, shown in (("digits", digits), ("numbers", several)):
        paths = [folder / f"{kind}{place}.png" for place in range(len(shown))]
        for path, (picture, _) in zip(paths, shown, strict=True):
            PIL.Image.fromarray(picture).save(path)
        known = [known for _, known in shown]
        yield f"simulated {kind}", [*zip(paths, known, strict=True)]


def measured(recognise: Recognise, kind: str, shown: Shown) -> dict[str, Any]:
    """Return how many pictures of a kind are recognised, and the processor seconds of one."""
    one_or_more = kind.split()[1]
    recognise(shown[0][0], one_or_more)  # what is loaded late is loaded now
    start = sum(os.times()[:4])  # of this process and of those that it started
    answers = [re.sub(r"\D", "", recognise(picture, one_or_more)) for picture, _ in shown]
    seconds = (sum(os.times()[:4]) - start) / len(shown)
    right = sum(digits == known for digits, (_, known) in zip(answers, shown, strict=True))
    return {"kind": kind, "pictures": len(shown), "right": right, "seconds": f"{seconds:.3f}"}


KINDS = ("real digits", "real numbers", "simulated digits", "simulated numbers")
HEAD = """{part}
Each was given the same pictures, one after another, by
[`benchmarks/recognisers.py`](../benchmarks/recognisers.py), which says how to get them, on
{processor}. The real ones are those
that [`real.csv`](../mnist_study/recogniser/real.csv) lists with their sources; our recogniser's
rules were chosen on them, the others' were not. The simulated ones are made from MNIST's test
digits, one difficulty in each; our recogniser and `mnist_model.h5` were trained on its training
digits. A number is correct if every digit of it is; what an answer holds beside digits is not
counted. Time is in processor seconds for one real picture of a number.

| recogniser | what it is | {kinds} | time |
|---|---|{bars}--:|
"""
ROW = "| {name} | {what} | {right} | {seconds} |"


def table_row(name: str, rows: list[dict[str, Any]]) -> str:
    """Return a recogniser's line of the table."""
    of_kind = {row["kind"]: row for row in rows if row["recogniser"] == name}
    right = []
    for kind in KINDS:
        row = of_kind.get(kind)
        right.append(f"{row['right']} of {row['pictures']}" if row else "–")
    version = next(iter(of_kind.values()))["version"]
    what = " ".join((RECOGNISERS[name].__doc__ or "").split())
    seconds = of_kind.get("real numbers", {"seconds": "–"})["seconds"]
    named = f"{name} {version}".strip()
    return ROW.format(name=named, what=what, right=" | ".join(right), seconds=seconds)


def write_part(rows: list[dict[str, Any]]) -> None:
    """Write the part on recognisers of docs/BENCHMARKS.md; what is above it stays."""
    from digit_reader.files import write_text
    from mnist_study import machine

    heads, bars = " | ".join(KINDS), "--:|" * len(KINDS)
    head = HEAD.format(part=RECOGNISERS_PART, processor=machine.processor(), kinds=heads, bars=bars)
    measured_ones = {row["recogniser"] for row in rows}
    table = [table_row(name, rows) for name in RECOGNISERS if name in measured_ones]
    above = PAGE.read_text(encoding="utf-8").partition(RECOGNISERS_PART)[0]
    write_text(PAGE, above + head + "\n".join(table) + "\n")


def write(rows: list[dict[str, Any]]) -> None:
    """Write recognisers.csv, and from it the page."""
    with MEASURED.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    write_part(rows)


def loaded(names: Iterable[str]) -> dict[str, tuple[str, Recognise]]:
    """Return each installed recogniser of these names, with its version; say which are missing."""
    installed = {}
    for name in names:
        try:
            installed[name] = RECOGNISERS[name]()
        except MissingRecogniserError as missing:
            print(f"{missing}; skipped", flush=True)
    return installed


def main() -> None:
    """Measure the recognisers that are installed; write recognisers.csv and the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, help="real pictures")
    parser.add_argument("--only", choices=[*RECOGNISERS], help="measure this recogniser alone")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    if MEASURED.exists():
        rows = list(csv.DictReader(MEASURED.open(encoding="utf-8", newline="")))
    recognisers = loaded([given.only] if given.only else RECOGNISERS)
    with tempfile.TemporaryDirectory() as made:
        of_real = real(given.folder) if given.folder else ()
        for kind, shown in itertools.chain(of_real, simulated(pathlib.Path(made))):
            for name, (version, recognise) in recognisers.items():
                result = {"recogniser": name, "version": version} | measured(recognise, kind, shown)
                others = [r for r in rows if (r["recogniser"], r["kind"]) != (name, kind)]
                rows = [*others, result]
                print(result, flush=True)
                write(rows)


if __name__ == "__main__":
    main()
