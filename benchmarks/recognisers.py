"""Measures other digit recognisers beside this project's, on the same pictures.

    python3 -m venv recognisers
    recognisers/bin/pip install -r requirements.txt
    recognisers/bin/pip install rapidocr==3.10.0 onnxruntime
    apt-get install tesseract-ocr
    recognisers/bin/python benchmarks/recognisers.py FOLDER

gives them simulated photographs, and the real pictures that are in the folder, one after another:
those of mnist_study/recogniser/real.csv, and the fresh ones of fresh.csv beside this file. Both
say where to fetch them; in shows, a slash begins a line. It writes what it measured to
recognisers.csv, and from that the part on recognisers of docs/BENCHMARKS.md. With --only it
measures one. What was measured before of those that are not installed stays, and of pictures that
are not in the folder. Time is processor time, all threads together, for one picture from its file
to the answer, once the recogniser is loaded; tesseract starts anew for each.
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
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
import PIL.ImageOps
import scipy.ndimage

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.peers import PAGE, RECOGNISERS_PART  # noqa: E402

MEASURED = HERE / "recognisers.csv"
FRESH = HERE / "fresh.csv"  # real pictures, with sources
EACH = 4  # simulated photographs of one digit of each kind and strength
EACH_NUMBER = 2  # and of a number, of each kind
SPECK = 0.2  # of the highest part: the tutorials' way ignores what is less high
RAPID_SURE = 0.95  # minimum score of every line of an answer of RapidOCR's that is called sure


class Answer(NamedTuple):
    """What a recogniser says of a picture."""

    text: str
    sure: bool | None = None  # None if it does not say


Recognise = Callable[[pathlib.Path, str], Answer]  # a picture, and "digits", "numbers", "sums"…
Loaded = tuple[str, Recognise]  # with its version
Shown = list[tuple[pathlib.Path, str]]  # pictures, and the digits that they show


class MissingRecogniserError(Exception):
    """A recogniser is not installed; says how to install it."""


def digit_reader() -> Loaded:
    """this project's digit recogniser, without hints"""
    from digit_reader import Reader, read

    reader = Reader()

    def answer(picture: pathlib.Path, kind: str) -> Answer:
        reading = read(picture, reader)[0]
        return Answer("".join(str(digit.digit) for digit in reading.digits), reading.sure)

    return "", answer


def rapidocr_as_it_comes() -> Loaded:
    """RapidOCR with its defaults; where it detects no text, its recognition of the whole picture"""
    return rapid(use_cls=True, sort=False)


def rapidocr_at_its_best() -> Loaded:
    """the same without its classifier of turned text, its boxes sorted into lines"""
    return rapid(use_cls=False, sort=True)


def rapid(use_cls: bool, sort: bool) -> Loaded:
    """Return RapidOCR.

    use_cls: turn text that its classifier calls upside down. sort: its boxes into lines.
    """
    try:
        import rapidocr
    except ImportError:
        advice = "RapidOCR is not installed: pip install rapidocr==3.10.0 onnxruntime"
        raise MissingRecogniserError(advice) from None
    threads = {"EngineConfig.onnxruntime.intra_op_num_threads": 1}  # more spend time waiting
    reader = rapidocr.RapidOCR(params={"Global.log_level": "error"} | threads)

    def answer(picture: pathlib.Path, kind: str) -> Answer:
        found: Any = reader(str(picture), use_det=True, use_cls=use_cls)
        boxes, texts, scores = found.boxes, found.txts or (), found.scores or ()
        if not texts:  # each call says what to use, as RapidOCR keeps it for the next
            whole: Any = reader(str(picture), use_det=False, use_cls=False)
            boxes, texts, scores = None, whole.txts or (), whole.scores or ()
        order = range(len(texts)) if boxes is None or not sort else in_lines(boxes)
        sure = bool(texts) and min(scores) >= RAPID_SURE
        return Answer("".join(texts[n] for n in order), sure)

    return importlib.metadata.version("rapidocr"), answer


def in_lines(boxes: np.ndarray) -> list[int]:
    """Return the order of boxes' corners (n, 4, 2): lines from above, each from the left.

    A box is in a line if its middle is between top and bottom of another box in it.
    """
    tops, bottoms = boxes[..., 1].min(1), boxes[..., 1].max(1)
    middles, lines = (tops + bottoms) / 2, list[list[int]]()
    for n in (int(box) for box in np.argsort(middles)):
        if lines and any(tops[other] <= middles[n] <= bottoms[other] for other in lines[-1]):
            lines[-1].append(n)
        else:
            lines.append([n])
    left = boxes[..., 0].min(1)
    return [n for line in lines for n in sorted(line, key=lambda box: left[box])]


def tesseract() -> Loaded:
    """Tesseract, only digits allowed, `--psm 6`, which is better on these than 7, 8, 10 or 13"""
    if not shutil.which("tesseract"):
        raise MissingRecogniserError("tesseract is not installed: apt-get install tesseract-ocr")

    def run(*arguments: str) -> str:
        command = ["tesseract", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def answer(picture: pathlib.Path, kind: str) -> Answer:
        allowed = "tessedit_char_whitelist=0123456789"
        return Answer(run(str(picture), "stdout", "--psm", "6", "-c", allowed))

    return run("--version").split()[1], answer


def tutorials() -> Loaded:
    """`mnist_model.h5` with what tutorials do: Otsu's threshold, the ink's box, 20 in 28 pixels;
    of numbers each connected part, from left to right"""
    import keras

    model: Any = keras.models.load_model(HERE.parent / "mnist_model.h5")

    def answer(picture: pathlib.Path, kind: str) -> Answer:
        ink = thresholded(np.asarray(opened(picture).convert("L")))
        images = [in_28(ink[box]) for box in ink_boxes(ink, kind)]
        shares = model.predict_on_batch(np.stack(images)[..., np.newaxis]) if images else []
        return Answer("".join(str(int(np.argmax(share))) for share in shares))

    return "", answer


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
    """Return the box of all ink of a digit; of others that of each part, from left to right."""
    parts = scipy.ndimage.label(ink, np.ones((3, 3)))[0] if kind != "digits" else ink // 255
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


OURS, RAPID = "digit_reader", "RapidOCR"
RECOGNISERS = {
    OURS: digit_reader,
    RAPID: rapidocr_as_it_comes,
    f"{RAPID} at its best": rapidocr_at_its_best,
    "tesseract": tesseract,
    "tutorials' way": tutorials,
}
TUNED = {
    OURS: "trained on MNIST's training digits, on pen strokes of thirty people and on simulated "
    "lines; its rules were chosen on the real pictures, and the fresh ones were looked at while "
    "its line network and its last rules were written: neither is a clean test of it",
    RAPID: "its networks and its defaults on none of these pictures, as far as is known",
    f"{RAPID} at its best": "the same networks; this setting was chosen among others because it "
    "reads most numbers of strangers, the fresh ones among them",
    "tesseract": "its network on none of these; `--psm` on the real pictures",
    "tutorials' way": "its network on MNIST's training digits, the rest on nothing",
}


def real(folder: pathlib.Path) -> Iterator[tuple[str, Shown]]:
    """Yield the kinds of real pictures, those that real.csv lists and that are in the folder."""
    from mnist_study.recogniser.rates import real_pictures

    for kind, paths, shows in real_pictures(folder):
        if paths:
            yield f"real {kind}", [*zip(paths, shows, strict=True)]


def fresh(folder: pathlib.Path) -> Iterator[tuple[str, Shown]]:
    """Yield the kinds of fresh pictures, those that fresh.csv lists and that are in the folder."""
    with FRESH.open(encoding="utf-8", newline="") as file:
        listed = [row for row in csv.DictReader(file) if (folder / row["picture"]).exists()]
    for kind in dict.fromkeys(row["kind"] for row in listed):
        of_kind = [row for row in listed if row["kind"] == kind]
        yield f"fresh {kind}s", [(folder / row["picture"], row["shows"]) for row in of_kind]


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


def digits_in(text: str) -> str:
    """Return a text's digits alone."""
    return re.sub("[^0-9]", "", text)


def distance(first: str, second: str) -> int:
    """Return how many characters to insert, drop or replace to get from one text to the other."""
    row = [*range(len(second) + 1)]
    for n, character in enumerate(first, 1):
        above, row = row, [n]
        for m, other in enumerate(second, 1):
            row.append(min(above[m] + 1, row[-1] + 1, above[m - 1] + (character != other)))
    return row[-1]


def measured(recognise: Recognise, kind: str, shown: Shown) -> dict[str, Any]:
    """Return what is right of pictures of a kind, and the processor seconds of one."""
    what = kind.split()[1]
    recognise(shown[0][0], what)  # what is loaded late is loaded now
    start = sum(os.times()[:4])  # of this process and of those that it started
    answers = [recognise(picture, what) for picture, _ in shown]
    seconds = (sum(os.times()[:4]) - start) / len(shown)
    return {"kind": kind} | score(answers, [text for _, text in shown], seconds)


def score(answers: list[Answer], shows: list[str], seconds: float) -> dict[str, Any]:
    """Return counts of pictures: all, exactly right, sure and wrong; of digits: all, right."""
    known = [digits_in(text) for text in shows]
    said = [digits_in(answer.text) for answer in answers]
    pairs = [*zip(said, known, strict=True)]
    wrong = [a.sure for a, (digits, truth) in zip(answers, pairs, strict=True) if digits != truth]
    says = all(answer.sure is not None for answer in answers)
    return {
        "pictures": len(pairs),
        "right": len(pairs) - len(wrong),
        "digits": sum(map(len, known)),
        "digits_right": sum(max(0, len(pair[1]) - distance(*pair)) for pair in pairs),
        "sure_and_wrong": sum(map(bool, wrong)) if says else "",
        "seconds": f"{seconds:.3f}",
    }


class Measure(NamedTuple):
    """A column of the table: a count or a share of what was measured on pictures of a kind."""

    head: str
    kind: str
    part: str = "right"
    whole: str = "pictures"
    fewer: bool = False  # whether less of it is better

    def value(self, of_kind: dict[str, dict[str, Any]]) -> float | None:
        """Return the share, or the number if it is of nothing; None if it was not measured."""
        row = of_kind.get(self.kind, {})
        if row.get(self.part) in ("", None):
            return None
        return float(row[self.part]) / (float(row[self.whole]) if self.whole else 1)

    def text(self, of_kind: dict[str, dict[str, Any]]) -> str:
        """Return it as the table shows it."""
        value, row = self.value(of_kind), of_kind.get(self.kind, {})
        if value is None:
            return "–"
        if self.whole == "digits":
            return f"{value:.0%}"
        return f"{row[self.part]} of {row[self.whole]}" if self.whole else row[self.part]


MEASURES = (
    Measure("real digits", "real digits"),
    Measure("real numbers", "real numbers"),
    Measure("fresh numbers", "fresh numbers"),
    Measure("their digits", "fresh numbers", "digits_right", "digits"),
    Measure("sure and wrong", "fresh numbers", "sure_and_wrong", fewer=True),
    Measure("fresh sums", "fresh sums"),
    Measure("digits of a fresh page", "fresh pages", "digits_right", "digits"),
    Measure("simulated digits", "simulated digits"),
    Measure("simulated numbers", "simulated numbers"),
    Measure("time", "real numbers", "seconds", "", fewer=True),
)
HEAD = """{part}
Each was given the same pictures, one after another, by
[`benchmarks/recognisers.py`](../benchmarks/recognisers.py), which says how to get them, on
{processor}. The real ones are those that
[`real.csv`](../mnist_study/recogniser/real.csv) lists with their sources, the fresh ones those of
[`fresh.csv`](../benchmarks/fresh.csv), made at most 2,000 pixels long. The simulated ones are made
from MNIST's test digits, one difficulty in each. A number, or a sum, is correct if every digit of
it is; what an answer holds beside digits is not counted, neither a sum's signs. The share of digits
is 1 − edit distance / length, at least 0. Of the fresh numbers, sure and wrong are those of ours
that are called sure, of RapidOCR's those with a score of at least {sure} in every line; the others
do not say. – was not measured. Time is in processor seconds for one real picture of a number.

| recogniser | what it is | {heads} |
|---|---|{bars}
{table}

{ahead}

What each was tuned on:

{tuned}
"""


def of_kinds(name: str, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return a recogniser's rows by kind of picture."""
    return {row["kind"]: row for row in rows if row["recogniser"] == name}


def table_row(name: str, rows: list[dict[str, Any]]) -> str:
    """Return a recogniser's line of the table."""
    of_kind = of_kinds(name, rows)
    version = next(iter(of_kind.values()))["version"]
    named = f"{name} {version}".strip()
    what = " ".join((RECOGNISERS[name].__doc__ or "").split())
    return " | ".join([f"| {named}", what, *(measure.text(of_kind) for measure in MEASURES)]) + " |"


def ahead(rows: list[dict[str, Any]]) -> str:
    """Return the sentence that says where RapidOCR, in its better setting, is ahead of ours."""
    ours, places = of_kinds(OURS, rows), []
    rivals = [of_kinds(name, rows) for name in RECOGNISERS if name.startswith(RAPID)]
    missing = [m.head for m in MEASURES if None in [m.value(one) for one in (ours, *rivals)]]
    for measure in (m for m in MEASURES if m.head not in missing):
        sign = -1 if measure.fewer else 1
        best = max(rivals, key=lambda rival: sign * (measure.value(rival) or 0))
        if sign * (measure.value(best) or 0) > sign * (measure.value(ours) or 0):
            places.append(f"{measure.head} ({measure.text(best)}, ours {measure.text(ours)})")
    where = "; ".join(places) or "none of these measures"
    unknown = f" Not compared, as one was not measured: {', '.join(missing)}." if missing else ""
    return f"**RapidOCR is ahead of {OURS}**, in the better of its settings, on: {where}.{unknown}"


def write_part(rows: list[dict[str, Any]]) -> None:
    """Write the part on recognisers of docs/BENCHMARKS.md; what is above it stays."""
    from digit_reader.files import write_text
    from mnist_study import machine

    names = [name for name in RECOGNISERS if of_kinds(name, rows)]
    part = HEAD.format(
        part=RECOGNISERS_PART,
        processor=machine.processor(),
        sure=RAPID_SURE,
        heads=" | ".join(measure.head for measure in MEASURES),
        bars="--:|" * len(MEASURES),
        table="\n".join(table_row(name, rows) for name in names),
        ahead=ahead(rows),
        tuned="\n".join(f"- {name}: {TUNED[name]}" for name in names),
    )
    above = PAGE.read_text(encoding="utf-8").partition(RECOGNISERS_PART)[0]
    write_text(PAGE, above + part)


def write(rows: list[dict[str, Any]]) -> None:
    """Write recognisers.csv, and from it the page."""
    with MEASURED.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[-1]], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    write_part(rows)


def loaded(names: Iterable[str]) -> dict[str, Loaded]:
    """Return each installed recogniser of these names, with its version; say which are missing."""
    installed = {}
    for name in names:
        try:
            installed[name] = RECOGNISERS[name]()
        except MissingRecogniserError as missing:
            print(f"{missing}; skipped", flush=True)
    return installed


def stays(row: dict[str, Any], result: dict[str, Any]) -> bool:
    """Return whether a row still says something beside a new result: not of an older version."""
    if row["recogniser"] != result["recogniser"]:
        return True
    return row["version"] == result["version"] and row["kind"] != result["kind"]


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
        of_folder = (real(given.folder), fresh(given.folder)) if given.folder else ()
        for kind, shown in itertools.chain(*of_folder, simulated(pathlib.Path(made))):
            for name, (version, recognise) in recognisers.items():
                result = {"recogniser": name, "version": version} | measured(recognise, kind, shown)
                rows = [*(row for row in rows if stays(row, result)), result]
                print(result, flush=True)
                write(rows)


if __name__ == "__main__":
    main()
