"""How well the digit reader reads each kind of picture, and the levels of doubt that follow."""

import csv
import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import PIL.Image
from jaxtyping import UInt8

from digit_reader.files import write_text
from digit_reader.page.build import write_page
from digit_reader.reader import SETTINGS, Reader, read
from digit_reader.reading import Certainty, Reading
from mnist_study import paths
from mnist_study.arrays import Answers, Labels, Pixels
from mnist_study.core import data, evaluate
from mnist_study.core.backend import keras
from mnist_study.core.experiment import load_mnist
from mnist_study.reader import export, numerals, pens, pictures
from mnist_study.reader.photographs import STRENGTHS, Kind, pasted, photograph
from mnist_study.reader.strokes import pen_digits
from mnist_study.reader.uci import CALIBRATES, TESTS, uci_pictures
from mnist_study.records import calibration, digests, store

RECORD = paths.RESULTS / "reader.json"
REAL = pathlib.Path(__file__).with_name("real.csv")  # real pictures, with sources
PAGE = paths.VISUALIZATIONS / "draw_a_digit.html"
EACH = 100  # photographs of each kind and strength
CLEAN = 1_000  # clean pictures of each kind
BLANK = 30  # blank sheets in each light
NUMBERS = 8  # photographs of numbers of each kind, and twice as many very rough ones
PAPER = 235  # its brightness where a picture is not a photograph
# Of answers called sure at most so many are wrong, and so many of each kind of picture without a
# digit pass for one; of those called probable at most so many are wrong.
SURE_WRONG, NONE_PASSES, PROBABLE_WRONG = 0.002, 0.04, 0.1
FIRST_SURE = 0.95  # the level that decides on a second look before there is one
PROBABLE = 0.7  # the least probability of what is called probable, however few of them are wrong

Shown = tuple[str, Sequence[np.ndarray], np.ndarray]  # a kind's name, pictures, and their labels
Rates = dict[str, Any]  # fit for JSON


def on_white(picture: UInt8[np.ndarray, "h w"], side: int = 200) -> UInt8[np.ndarray, "s s"]:
    """Return bright ink on black as dark ink on white paper, on a page of twice side a side."""
    scale = side / max(picture.shape)
    width, height = (round(scale * length) for length in picture.shape[::-1])
    large = PIL.Image.fromarray(picture).resize((width, height), PIL.Image.Resampling.BICUBIC)
    page = np.full((2 * side, 2 * side), float(PAPER))
    top, left = (2 * side - height) // 2, (2 * side - width) // 2
    page[top : top + height, left : left + width] -= np.asarray(large) * (PAPER / 300)
    return page.astype(np.uint8)


def digits(images: Pixels, labels: Labels, uci_rows: slice, seed: int) -> Iterator[Shown]:
    """Yield kinds of pictures of one digit; images: of MNIST, uci_rows: of UCI's."""
    generator = np.random.default_rng(seed)

    def some(count: int) -> np.ndarray:
        return generator.choice(len(images), min(count, len(images)), replace=False)

    uci, uci_labels = uci_pictures(uci_rows)
    yield "UCI, arrays", uci, uci_labels
    yield "UCI, pictures", [on_white(image) for image in uci], uci_labels
    pens, pen_labels = pen_digits(CLEAN, generator)
    yield "pen strokes", [on_white(picture) for picture in pens], pen_labels
    rows = some(CLEAN)
    yield "MNIST, pasted", [pasted(images[row], generator) for row in rows], labels[rows]
    for kind, strengths in STRENGTHS.items():
        for strength in strengths:
            rows = some(EACH)
            pages = [photograph(images[row], kind, strength, generator) for row in rows]
            yield f"{kind}, {strength}", pages, labels[rows]


def pens_of_people() -> Shown:
    """Return what people drew on a tablet who taught the reader nothing, as dark ink on paper."""
    drawn, labels = pens.pictures_by(pens.TESTS)
    return "pen strokes of people", [on_white(picture) for picture in drawn], labels


def blank_sheets(generator: np.random.Generator) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield blank sheets in several lights: each kind's name and pictures."""
    lights = [(Kind.SOFT, 0), (Kind.SOFT, 0.25), (Kind.SOFT, 0.4), (Kind.RULES, 180)]
    for kind, strength in lights:
        pages = [photograph(None, kind, strength, generator) for _ in range(BLANK)]
        yield f"blank sheet, {kind} {strength}", pages


def no_digits(
    images: Pixels, generator: np.random.Generator
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield what shows ink, but no single digit: each kind's name and pictures."""
    for make in (pictures.letter, pictures.scribble, pictures.pair):
        shown = [on_white(make([*images], generator)) for _ in range(2 * EACH)]
        yield f"{make.__name__}s", shown


def several_digits(
    images: Pixels, labels: Labels, generator: np.random.Generator
) -> Iterator[tuple[str, list[np.ndarray], list[str]]]:
    """Yield simulated photographs of numbers: each kind's name, pictures, and what they show."""
    alone = [(kind.value, [[kind]] * NUMBERS) for kind in numerals.Rough]
    mixed = [numerals.mixed(generator) for _ in range(2 * NUMBERS)]
    for name, many in [*alone, ("pen, paper and light", mixed)]:
        shown = [numerals.number(images, labels, kinds, generator) for kinds in many]
        yield name, [picture for picture, _ in shown], ["\n".join(lines) for _, lines in shown]


def judged(readings: Sequence[Reading], labels: Labels) -> Rates:
    """Return the shares of readings that are right, in doubt, sure and wrong, and refused."""
    read_as = np.array([-1 if r.digit is None else r.digit for r in readings])
    sure = np.array([r.certainty is Certainty.SURE for r in readings])
    found = {
        "right": read_as == labels,
        "doubt": [r.certainty is Certainty.DOUBT for r in readings],
        "sure_and_wrong": sure & (read_as != labels),
        "refused": [not r.digits for r in readings],
    }
    return {"images": len(labels)} | {name: float(np.mean(of)) for name, of in found.items()}


def digits_of(reading: Reading) -> str:
    """Return the digits that were read, a line for each line."""
    return "\n".join("".join(str(d.digit) for d in line) for line in reading.lines)


def judged_numbers(readings: Sequence[Reading], shows: Sequence[str]) -> Rates:
    """Return the shares of readings of numbers that are right, with every digit and line.

    And of those with a digit in doubt, sure and wrong, refused, and with a note of something else.
    """
    right = np.array([digits_of(r) == known for r, known in zip(readings, shows, strict=True)])
    found = {
        "right": right,
        "doubt": [any(d.certainty is Certainty.DOUBT for d in r.digits) for r in readings],
        "sure_and_wrong": np.array([r.sure for r in readings]) & ~right,
        "refused": [not r.digits for r in readings],
        "noted": [bool(r.note) for r in readings],
    }
    return {"images": len(shows)} | {name: float(np.mean(of)) for name, of in found.items()}


def judged_as_none(readings: Sequence[Reading]) -> Rates:
    """Return the shares of readings, of what shows no single digit, that give one, and surely."""
    one = [r.certainty is not None for r in readings]
    sure = [r.certainty is Certainty.SURE for r in readings]
    shares = {"one_digit": float(np.mean(one)), "sure": float(np.mean(sure))}
    return {"images": len(readings)} | shares


def benchmark_right(model: keras.Model, readings: Sequence[Reading], labels: Labels) -> float:
    """Return the share that a model made for MNIST reads right of the same prepared pictures."""
    known = [(r.prepared, label) for r, label in zip(readings, labels, strict=True) if r.digits]
    known = [(image, label) for image, label in known if image is not None]
    prepared = np.stack([image for image, _ in known])[..., np.newaxis]
    answers = evaluate.probabilities(model, prepared).argmax(1)
    return float(np.sum(answers == [label for _, label in known]) / len(labels))


def fitted(answers: Answers, labels: Labels, others: Sequence[np.ndarray]) -> dict[str, float]:
    """Return temperature and levels for the network's probabilities of digits.

    others: its probabilities (n, 10) of each kind of picture that shows no single digit. sure is
    the lowest probability at which both bounds of it hold, probable the lowest below, or PROBABLE.
    """
    temperature = calibration.fitted_temperature(answers, labels)
    shares = calibration.scaled(answers, temperature)
    scaled = [calibration.scaled(kind, temperature).max(1) for kind in others]
    passing = [np.quantile(highest, 1 - NONE_PASSES) for highest in scaled]
    sure = float(max(calibration.threshold_for(shares, labels, SURE_WRONG), *passing))
    below, probable = shares.max(1) < sure, sure
    if below.any():
        probable = calibration.threshold_for(shares[below], labels[below], PROBABLE_WRONG)
    probable = min(sure, max(PROBABLE, probable))
    return {"temperature": temperature, "sure": sure, "probable": probable}


def levels() -> dict[str, float]:
    """Return temperature and levels from pictures of held-out digits."""
    (images, labels), _ = load_mnist()
    _, held = data.split(data.training_writers())
    reader, answers, truth = Reader(temperature=1.0), [], []
    reader.settings = dataclasses.replace(reader.settings, sure=FIRST_SURE)
    for _, shown, known in digits(images[held], labels[held], CALIBRATES, seed=1):
        for reading, label in zip(read(shown, reader), known, strict=True):
            if reading.probabilities:
                answers.append(reading.probabilities)
                truth.append(label)
    generator, others = np.random.default_rng(1), []
    list(blank_sheets(generator))  # for their random numbers: the kept levels come after them
    for _, shown in no_digits(images[held], generator):
        found = [reading.probabilities for reading in read(shown, reader)]
        others.append(np.array([shares or [0.1] * 10 for shares in found]))
    return fitted(np.array(answers), np.array(truth), others)


def measure(model: keras.Model) -> dict[str, Rates]:
    """Return the rates on pictures of test digits by kind, the reader's and a benchmark model's.

    Of pictures of one digit, of numbers, and of those that show no number.
    """
    _, (images, labels) = load_mnist()
    reader, one, several, none = Reader(), {}, {}, {}
    for name, shown, known in (*digits(images, labels, TESTS, seed=2), pens_of_people()):
        readings = read(shown, reader)
        one[name] = judged(readings, known)
        one[name]["benchmark_right"] = benchmark_right(model, readings, known)
    generator = np.random.default_rng(3)
    for name, shown in (*blank_sheets(generator), *no_digits(images, generator)):
        none[name] = judged_as_none(read(shown, reader))
    for name, shown, known in several_digits(images, labels, np.random.default_rng(4)):
        several[name] = judged_numbers(read(shown, reader), known)
    return {"one_digit": one, "numbers": several, "none_or_several": none}


def real_pictures(folder: pathlib.Path) -> Iterator[tuple[str, list[pathlib.Path], list[str]]]:
    """Yield digits and numbers, the pictures that REAL lists and that are in a folder.

    Each with its kind's name, paths, and what the pictures show.
    """
    with REAL.open(encoding="utf-8", newline="") as file:
        listed = [(folder / row["picture"], row["shows"]) for row in csv.DictReader(file)]
    for kind in ("digits", "numbers"):
        there = [one for one in listed if one[0].parent.name == kind and one[0].exists()]
        yield kind, [path for path, _ in there], [shows for _, shows in there]


def real_rates(folder: pathlib.Path) -> Rates:
    """Return of real digits and numbers how many there are, are right, and are sure and wrong."""
    found = {}
    for kind, files, shows in real_pictures(folder):
        readings = read(files)
        said = [digits_of(reading).replace("\n", "") for reading in readings]
        right = np.array(said) == np.array(shows)
        wrong = np.array([r.sure for r in readings]) & ~right
        counts = {"right": right.sum(), "sure_and_wrong": wrong.sum()}
        found[kind] = {"pictures": len(files)} | {k: int(n) for k, n in counts.items()}
    return found


def digest() -> str:
    """Return the SHA-256 of the code and the network that the rates come from."""
    parts = [digests.of_file(path) for path in sorted(digests.reached(__name__))]
    return hashlib.sha256("".join([*parts, SETTINGS.read_text()]).encode()).hexdigest()


def kept() -> Rates:
    """Return the rates in results/reader.json."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def in_a_sentence(rates: Rates) -> str:
    """Return what the page says of its rates."""
    one, none = rates["one_digit"], rates["none_or_several"]
    photographs = [rate for name, rate in one.items() if name.startswith(tuple(STRENGTHS))]
    return (
        "Measured on digits that did not teach it, it read "
        f"{one['MNIST, pasted']['right']:.1%} of MNIST's right, {one['UCI, pictures']['right']:.1%}"
        f" of UCI's, {min(p['right'] for p in photographs):.0%} or more of each kind of simulated "
        f"photograph ({photographs[0]['images']} of each); of printed letters it took "
        f"{none['letters']['sure']:.0%} for a digit and was sure of it."
    )


def write(model: keras.Model, real: pathlib.Path | None = None) -> None:
    """Set the levels of doubt, measure, keep results/reader.json and build the page.

    model: made for the benchmark, to compare with. real: a folder of the pictures that REAL lists.
    """
    export.write_levels(levels())
    rates = {"digest": digest()} | measure(model)
    rates |= {"real": real_rates(real)} if real else {}
    write_text(RECORD, store.as_text(rates))
    write_page(PAGE, in_a_sentence(rates))
