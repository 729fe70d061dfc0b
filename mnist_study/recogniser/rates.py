"""The digit recogniser's accuracy on each kind of picture, and its confidence thresholds."""

import csv
import dataclasses
import functools
import hashlib
import itertools
import json
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy.random import Generator

from digit_reader.characters import CHARACTERS, decoded, softmax
from digit_reader.files import write_text
from digit_reader.page.build import write_page
from digit_reader.reader import SETTINGS, Reader, read
from digit_reader.reading import Certainty, Reading
from mnist_study import data, digests, paths, store
from mnist_study.arrays import Labels, Pixels, Probabilities
from mnist_study.backend import keras
from mnist_study.evaluate import accuracy, calibration
from mnist_study.evaluate.uci import CALIBRATION, TEST, uci_pictures
from mnist_study.lock import check_outputs
from mnist_study.recogniser import export, numerals, pens, pictures
from mnist_study.recogniser.line_training import validation_lines
from mnist_study.recogniser.photographs import STRENGTHS, Kind, pasted, photograph
from mnist_study.recogniser.strokes import pen_digits, resize

RECORD = paths.RESULTS / "reader.json"
REAL = pathlib.Path(__file__).with_name("real.csv")  # real pictures, with sources
PAGE = paths.VISUALIZATIONS / "draw_a_digit.html"
EACH = 40  # photographs of each kind and strength
CLEAN = 500  # clean pictures of each kind
BLANK = 30  # blank sheets in each light
BLANK_SHEETS = ((Kind.SOFT, 0), (Kind.SOFT, 0.25), (Kind.SOFT, 0.4), (Kind.RULES, 180))
NUMBERS = 4  # photographs of numbers of each kind, and twice as many very rough ones
SIDE, PAPER = 200, 235  # of a digit on white paper: its pixels, and the paper's brightness
# Maximum error rate of what is called sure, maximum share of each kind of picture without a digit
# that is called sure, and maximum error rate of what is called probable.
SURE_WRONG, OTHERS_SURE, PROBABLE_WRONG = 0.002, 0.04, 0.1
LINE_UNSURE = 0.02  # share of the digits in lines read right that are below the line's threshold
FIRST_SURE = 0.95  # the threshold for a second look before there is one
PROBABLE = 0.7  # minimum probability of what is called probable, however few of them are wrong

Pictures = tuple[str, Sequence[np.ndarray], Any]  # a kind's name, pictures, and what they show
Rates = dict[str, Any]  # fit for JSON
Levels = dict[str, float]  # temperature, sure, probable and line_sure


def on_white(picture: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "400 400"]:
    """Return bright ink on black as dark ink in the middle of a page of white paper."""
    height, width = (round(SIDE / max(picture.shape) * length) for length in picture.shape)
    page = np.full((2 * SIDE, 2 * SIDE), float(PAPER))
    top, left = (2 * SIDE - height) // 2, (2 * SIDE - width) // 2
    page[top : top + height, left : left + width] -= resize(picture, height, width) * (PAPER / 300)
    return page.astype(np.uint8)


def digits(images: Pixels, labels: Labels, uci_rows: slice, seed: int) -> Iterator[Pictures]:
    """Yield kinds of pictures of one digit; images: of MNIST, uci_rows: of UCI's."""
    generator = np.random.default_rng(seed)
    uci, uci_labels = uci_pictures(uci_rows)
    yield "UCI, arrays", uci, uci_labels
    yield "UCI, pictures", [on_white(image) for image in uci], uci_labels
    drawn, drawn_labels = pen_digits(CLEAN, generator)
    yield "pen strokes", [on_white(picture) for picture in drawn], drawn_labels
    kinds: list[tuple[str, int, Callable[..., np.ndarray]]] = [("MNIST, pasted", CLEAN, pasted)]
    for kind, strengths in STRENGTHS.items():
        for strength in strengths:
            make = functools.partial(photograph, kind=kind, strength=strength)
            kinds.append((f"{kind}, {strength}", EACH, make))
    for name, count, make in kinds:
        indices = generator.choice(len(images), min(count, len(images)), replace=False)
        yield name, [make(images[index], generator=generator) for index in indices], labels[indices]


def no_digits(images: Pixels, generator: Generator) -> Iterator[Pictures]:
    """Yield kinds of pictures that show no single digit: blank sheets, then others with ink."""
    for kind, strength in BLANK_SHEETS:
        pages = [photograph(None, kind, strength, generator) for _ in range(BLANK)]
        yield f"blank sheet, {kind} {strength}", pages, None
    for make in (pictures.letter, pictures.scribble, pictures.pair):
        pages = [on_white(make([*images], generator)) for _ in range(2 * EACH)]
        yield f"{make.__name__}s", pages, None


def numbers(images: Pixels, labels: Labels, generator: Generator) -> Iterator[Pictures]:
    """Yield kinds of simulated photographs of numbers."""
    alone = [(kind.value, [[kind]] * NUMBERS) for kind in numerals.Rough]
    mixed = [numerals.mixed(generator) for _ in range(2 * NUMBERS)]
    for name, many in [*alone, ("pen, paper and light", mixed)]:
        made = [numerals.number(images, labels, kinds, generator) for kinds in many]
        yield name, [page for page, _ in made], ["\n".join(lines) for _, lines in made]


def shares(**outcomes: Sequence[bool] | np.ndarray) -> Rates:
    """Return how many pictures there are, and the share of them with each outcome."""
    (images,) = {len(outcome) for outcome in outcomes.values()}
    means = {name: float(np.mean(outcome)) for name, outcome in outcomes.items()}
    return {"images": images} | means


def score_digits(readings: Sequence[Reading], labels: Labels, model: keras.Model) -> Rates:
    """Return the shares right, uncertain, sure and wrong, refused, and right by another model."""
    right = np.array([r.digit == label for r, label in zip(readings, labels, strict=True)])
    return shares(
        right=right,
        doubt=[r.certainty is Certainty.DOUBT for r in readings],
        sure_and_wrong=np.array([r.certainty is Certainty.SURE for r in readings]) & ~right,
        refused=[not r.digits for r in readings],
        benchmark_right=benchmark_right(readings, labels, model),
    )


def benchmark_right(readings: Sequence[Reading], labels: Labels, model: keras.Model) -> np.ndarray:
    """Return whether each reading is of one digit and the model gets that right, as bool (n,)."""
    prepared = {index: r.prepared for index, r in enumerate(readings) if r.prepared is not None}
    single, inputs = [*prepared], np.stack([*prepared.values()])[..., np.newaxis]
    right = np.zeros(len(labels), bool)
    right[single] = accuracy.predict(model, inputs).argmax(1) == labels[single]
    return right


def digits_of(reading: Reading) -> str:
    """Return the predicted digits, a line for each line."""
    return "\n".join("".join(str(d.digit) for d in line) for line in reading.lines)


def score_numbers(readings: Sequence[Reading], shows: Sequence[str]) -> Rates:
    """Return the same of numbers, right in every digit and line, and the share with a note."""
    right = np.array([digits_of(r) == known for r, known in zip(readings, shows, strict=True)])
    return shares(
        right=right,
        doubt=[any(d.certainty is Certainty.DOUBT for d in r.digits) for r in readings],
        sure_and_wrong=np.array([r.sure for r in readings]) & ~right,
        refused=[not r.digits for r in readings],
        noted=[bool(r.note) for r in readings],
    )


def score_others(readings: Sequence[Reading], shows: None = None) -> Rates:
    """Return the shares of readings, of what shows no single digit, that give one, and surely."""
    one = [r.certainty is not None for r in readings]
    return shares(one_digit=one, sure=[r.certainty is Certainty.SURE for r in readings])


def fit_thresholds(predicted: Probabilities, labels: Labels, others: list[np.ndarray]) -> Levels:
    """Return temperature and confidence thresholds for the network's probabilities of digits.

    others: its probabilities (n, 10) of each kind of picture that shows no single digit. sure is
    the lowest probability at which both bounds of it hold, probable the lowest below, or PROBABLE.
    """
    temperature = calibration.fitted_temperature(predicted, labels)
    scaled = calibration.scaled(predicted, temperature)
    highest = [calibration.scaled(kind, temperature).max(1) for kind in others]
    passing = [np.quantile(confidence, 1 - OTHERS_SURE) for confidence in highest]
    sure = float(max(calibration.threshold_for(scaled, labels, SURE_WRONG), *passing))
    below, probable = scaled.max(1) < sure, sure
    if below.any():
        probable = calibration.threshold_for(scaled[below], labels[below], PROBABLE_WRONG)
    probable = min(sure, max(PROBABLE, probable))
    return {"temperature": temperature, "sure": sure, "probable": probable}


def thresholds() -> Levels:
    """Return temperature and thresholds from pictures of validation digits."""
    (images, labels), _ = data.load()
    _, validation = data.split(data.training_writers())
    reader, predicted, known = Reader(temperature=1.0), [], []
    reader.settings = dataclasses.replace(reader.settings, sure=FIRST_SURE)
    for _, pages, truth in digits(images[validation], labels[validation], CALIBRATION, seed=1):
        for reading, label in zip(read(pages, reader), truth, strict=True):
            if reading.probabilities:
                predicted.append(reading.probabilities)
                known.append(label)
    without = no_digits(images[validation], np.random.default_rng(1))
    others = [
        np.array([reading.probabilities or [0.1] * 10 for reading in read(pages, reader)])
        for _, pages, _ in itertools.islice(without, len(BLANK_SHEETS), None)
    ]
    return fit_thresholds(np.array(predicted), np.array(known), others) | line_threshold(reader)


def line_threshold(reader: Reader) -> Levels:
    """Return the threshold of a digit in its line, from lines simulated of validation digits.

    A digit is only sure if both networks say so: nearly all digits of lines that are read right
    are above the threshold.
    """
    probabilities = []
    for image, numbers in validation_lines():
        seen = decoded(softmax(reader.lines.logits(image.astype(np.float32) / 255)))  # pyright: ignore[reportArgumentType]
        shown = "".join(CHARACTERS[number] for number in numbers)
        if "".join(character.text for character in seen) == shown:
            probabilities += [c.probability for c in seen if c.text.isdigit()]
    return {"line_sure": float(np.quantile(probabilities, LINE_UNSURE))}


def measure(model: keras.Model) -> dict[str, Rates]:
    """Return the rates by kind on pictures of one test digit, of numbers, and of neither."""
    _, (images, labels) = data.load()
    reader = Reader()

    def scored(kinds: Iterable[Pictures], score: Callable[..., Rates]) -> Rates:
        return {name: score(read(pages, reader), shows) for name, pages, shows in kinds}

    drawn, drawn_labels = pens.pictures_by(pens.TEST)
    people = "pen strokes of people", [on_white(picture) for picture in drawn], drawn_labels
    one = itertools.chain(digits(images, labels, TEST, seed=2), [people])
    several = numbers(images, labels, np.random.default_rng(4))
    none = no_digits(images, np.random.default_rng(3))
    return {
        "one_digit": scored(one, functools.partial(score_digits, model=model)),
        "numbers": scored(several, score_numbers),
        "none_or_several": scored(none, score_others),
    }


def real_pictures(folder: pathlib.Path) -> Iterator[tuple[str, list[pathlib.Path], list[str]]]:
    """Yield the pictures of REAL in a folder, digits and numbers: kind, paths, what they show."""
    with REAL.open(encoding="utf-8", newline="") as file:
        listed = [(folder / row["picture"], row["shows"]) for row in csv.DictReader(file)]
    for kind in ("digits", "numbers"):
        there = [pair for pair in listed if pair[0].parent.name == kind and pair[0].exists()]
        yield kind, [path for path, _ in there], [shows for _, shows in there]


def real_rates(folder: pathlib.Path) -> Rates:
    """Return of real digits and numbers how many there are, are right, and are sure and wrong."""
    rates = {}
    for kind, files, shows in real_pictures(folder):
        readings = read(files)
        predicted = [digits_of(reading).replace("\n", "") for reading in readings]
        right = [text == known for text, known in zip(predicted, shows, strict=True)]
        wrong = [r.sure and not ok for r, ok in zip(readings, right, strict=True)]
        rates[kind] = {"pictures": len(files), "right": sum(right), "sure_and_wrong": sum(wrong)}
    return rates


def digest() -> str:
    """Return the SHA-256 of the code and the network that the rates come from."""
    parts = [digests.of_file(path) for path in sorted(digests.reached([__name__]))]
    return hashlib.sha256("".join([*parts, SETTINGS.read_text()]).encode()).hexdigest()


def recorded() -> Rates:
    """Return the rates in results/reader.json."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def in_a_sentence(rates: Rates) -> str:
    """Return what the page says of its rates."""
    one, none = rates["one_digit"], rates["none_or_several"]
    photographs = [rate for name, rate in one.items() if name.startswith(tuple(STRENGTHS))]
    return (
        f"Test accuracy, on digits that it was not trained on: {one['MNIST, pasted']['right']:.1%} "
        f"on MNIST's, {one['UCI, pictures']['right']:.1%} on UCI's, and at least "
        f"{min(p['right'] for p in photographs):.0%} on each kind of simulated photograph "
        f"({photographs[0]['images']} of each). Of printed letters it was sure of a digit in "
        f"{none['letters']['sure']:.1%}."
    )


def check() -> None:
    """Raise FolderError, with advice, when a file of the recogniser's cannot be written anew."""
    outputs = RECORD, PAGE, export.NETWORK, export.LINES, export.SETTINGS, export.PAGE
    check_outputs(*outputs)


def write(model: keras.Model, real: pathlib.Path | None = None) -> None:
    """Set the thresholds, measure, write results/reader.json and build the page.

    model: made for the benchmark, to compare with. real: a folder of the pictures that REAL lists.
    """
    export.write_levels(thresholds())
    rates = {"digest": digest()} | measure(model)
    rates |= {"real": real_rates(real)} if real else {}
    write_text(RECORD, store.as_text(rates))
    write_page(PAGE, in_a_sentence(rates))
