"""How well the digit reader reads each kind of picture, and the levels of doubt that follow."""

import hashlib
import json
import pathlib

import keras
import numpy as np
import PIL.Image

from digit_reader.files import write_text
from digit_reader.page.build import write_page
from digit_reader.reader import SETTINGS, Reader, read
from mnist_study import data, people, reader_files, results, statistics, training
from mnist_study.pens import pen_digits
from mnist_study.photos import KINDS, pasted, photograph

RECORD = results.FOLDER / "reader.json"
PAGE = results.PACKAGE.parent / "visualizations" / "draw_a_digit.html"
EACH = 100  # photographs of each kind and strength
CLEAN = 1_000  # clean pictures of each kind
PAPER = 235  # its brightness where a picture is not a photograph


def on_white(picture, side=200):
    """Return bright ink on black, uint8 (h, w), as dark ink on white paper: uint8 (2 side, ...)."""
    scale = side / max(picture.shape)
    size = [round(scale * length) for length in picture.shape[::-1]]
    large = PIL.Image.fromarray(picture).resize(size, PIL.Image.Resampling.BICUBIC)
    page = np.full((2 * side, 2 * side), float(PAPER))
    top, left = (2 * side - size[1]) // 2, (2 * side - size[0]) // 2
    page[top : top + size[1], left : left + size[0]] -= np.asarray(large) * (PAPER / 300)
    return page.astype(np.uint8)


def digits(images, labels, uci_rows, seed):
    """Yield kinds of pictures of one digit: name, a list of uint8 (h, w), their labels.

    images: of MNIST, uint8 (n, 28, 28); uci_rows: a slice of UCI's digits.
    """
    generator = np.random.default_rng(seed)

    def some(count):
        return generator.choice(len(images), min(count, len(images)), replace=False)

    uci, uci_labels = people.uci_pictures(uci_rows)
    yield "UCI, arrays", uci, uci_labels
    yield "UCI, pictures", [on_white(image) for image in uci], uci_labels
    pens, pen_labels = pen_digits(CLEAN, generator)
    yield "pen strokes", [on_white(picture) for picture in pens], pen_labels
    rows = some(CLEAN)
    yield "MNIST, pasted", [pasted(images[row], generator) for row in rows], labels[rows]
    for kind, strengths in KINDS.items():
        for strength in strengths:
            rows = some(EACH)
            pages = [photograph(images[row], kind, strength, generator) for row in rows]
            yield f"{kind}, {strength}", pages, labels[rows]


def no_digits(images, seed):
    """Yield kinds of pictures that show no single digit: name, a list of uint8 (h, w)."""
    generator = np.random.default_rng(seed)
    lights = [("soft light", share) for share in (0, 0.25, 0.4)] + [("rules", 180)]
    for kind, strength in lights:
        pages = [photograph(None, kind, strength, generator) for _ in range(30)]
        yield f"blank sheet, {kind} {strength}", pages
    for make in (people.letter, people.scribble, people.pair):
        yield f"{make.__name__}s", [on_white(make(images, generator)) for _ in range(2 * EACH)]


def judged(readings, labels):
    """Return the shares of readings that are right, in doubt, sure and wrong, and refused."""
    read_as = np.array([-1 if r["digit"] is None else r["digit"] for r in readings])
    certainty = np.array([str(r["certainty"]) for r in readings])
    found = {"right": read_as == labels, "doubt": certainty == "doubt"}
    found["sure_and_wrong"] = (certainty == "sure") & (read_as != labels)
    found["refused"] = [not r["digits"] for r in readings]
    return {"images": len(labels)} | {name: float(np.mean(of)) for name, of in found.items()}


def judged_as_none(readings):
    """Return the shares of readings, of what shows no single digit, that give one, and surely."""
    certainty = [r["certainty"] for r in readings]
    found = {"images": len(readings), "one_digit": [c is not None for c in certainty]}
    found["sure"] = [c == "sure" for c in certainty]
    return {name: float(np.mean(of)) if name != "images" else of for name, of in found.items()}


def benchmark_right(model, readings, labels):
    """Return the share that a model made for MNIST reads right of the same prepared pictures."""
    single = np.array([r["prepared"] is not None for r in readings])
    prepared = np.stack([r["prepared"] for r in readings if r["prepared"] is not None])
    answers = training.probabilities(model, prepared[..., np.newaxis]).argmax(1)
    return float(np.sum(answers == labels[single]) / len(labels))


def fitted(answers, labels, others):
    """Return temperature and levels for the network's probabilities (n, 10) of digits (n,).

    others: such probabilities of each kind of picture that shows no single digit, a list. sure: the
    lowest probability from which on at most one answer in 500 is wrong and one in 25 of each
    kind of others passes; probable: the lowest from which on, below sure, one in ten is wrong.
    """
    temperature = statistics.fitted_temperature(answers, labels)
    shares = statistics.scaled(answers, temperature)
    passing = [np.quantile(statistics.scaled(kind, temperature).max(1), 0.96) for kind in others]
    sure = max(statistics.threshold_for(shares, labels, 0.002), *passing)
    below = shares.max(1) < sure
    probable = statistics.threshold_for(shares[below], labels[below], 0.1) if below.any() else sure
    return {"temperature": temperature, "sure": float(sure), "probable": float(min(sure, probable))}


def levels():
    """Return temperature and levels from pictures of held-out digits."""
    (images, labels), _ = keras.datasets.mnist.load_data()
    _, held = data.split(labels)
    reader, answers, truth = Reader(), [], []
    reader.settings |= {"temperature": 1}
    for _, pictures, known in digits(images[held], labels[held], people.UCI_CALIBRATES, seed=1):
        for reading, label in zip(read(pictures, reader), known, strict=True):
            if reading["probabilities"]:
                answers.append(reading["probabilities"])
                truth.append(label)
    others = []
    for _, pictures in list(no_digits(images[held], seed=1))[-3:]:
        found = [reading["probabilities"] for reading in read(pictures, reader)]
        others.append(np.array([shares or [0.1] * 10 for shares in found]))
    return fitted(np.array(answers), np.array(truth), others)


def measure(model):
    """Return the rates on pictures of test digits by kind, the reader's and a benchmark model's.

    Two dictionaries for JSON: of pictures of one digit, and of those that show none or several.
    """
    _, (images, labels) = keras.datasets.mnist.load_data()
    reader, one, none = Reader(), {}, {}
    for name, pictures, known in digits(images, labels, people.UCI_TESTS, seed=2):
        readings = read(pictures, reader)
        one[name] = judged(readings, known)
        one[name]["benchmark_right"] = benchmark_right(model, readings, known)
    for name, pictures in no_digits(images, seed=3):
        none[name] = judged_as_none(read(pictures, reader))
    return one, none


def digest():
    """Return the SHA-256 of the code and the network that the rates come from."""
    package = results.PACKAGE.parent / "digit_reader"
    paths = [package / f"{name}.py" for name in ("centre", "ink", "parts", "picture", "prepare")]
    paths += [package / "reader.py", results.PACKAGE / "photos.py", results.PACKAGE / "people.py"]
    parts = [*map(results.code_digest, [*paths, pathlib.Path(__file__)])]
    return hashlib.sha256("".join([*parts, SETTINGS.read_text()]).encode()).hexdigest()


def kept():
    """Return the rates in results/reader.json."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def in_a_sentence(rates):
    """Return what the page says of its rates."""
    one, none = rates["one_digit"], rates["none_or_several"]
    photographs = [rate for name, rate in one.items() if name.startswith(tuple(KINDS))]
    return (
        "Measured on digits that taught it nothing, it read "
        f"{one['MNIST, pasted']['right']:.1%} of MNIST's right, {one['UCI, pictures']['right']:.1%}"
        f" of UCI's, {min(p['right'] for p in photographs):.0%} or more of each kind of photograph;"
        f" of printed letters it took {none['letters']['sure']:.0%} for a digit and was sure of it."
    )


def write(model):
    """Set the levels of doubt, measure, keep results/reader.json and build the page.

    model: made for the benchmark, to compare with.
    """
    reader_files.write_levels(levels())
    one, none = measure(model)
    rates = {"digest": digest(), "one_digit": one, "none_or_several": none}
    text = results.as_text(rates)
    write_text(RECORD, text)
    write_page(PAGE, in_a_sentence(rates))
