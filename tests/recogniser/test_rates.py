"""The recogniser's files and rates: a folded network predicts the same, and rates are counted."""

import base64
import html
import json
import zlib

import numpy as np
import pytest

from digit_reader import Certainty, Digit, Reader, Reading
from mnist_study.backend import keras
from mnist_study.data import normalise, one_hot
from mnist_study.evaluate import accuracy, calibration, uci
from mnist_study.models import registry
from mnist_study.recogniser import export, numerals, pens, pictures, rates, training
from mnist_study.recogniser.photographs import Kind
from mnist_study.recogniser.strokes import pen_digits
from mnist_study.runners import Experiment
from mnist_study.train import Trained


def small():
    """Return a small network with every kind of layer that the page knows, its weights random."""
    layer = keras.layers
    model = keras.Sequential([keras.Input((28, 28, 1))])
    model.add(layer.Conv2D(4, 4, 2, padding="same", activation="relu"))
    model.add(layer.Conv2D(6, 3, padding="same", use_bias=False))
    model.add(layer.BatchNormalization(scale=False))
    model.add(layer.ReLU())
    for added in (layer.MaxPooling2D(), layer.Flatten(), layer.Dense(8, use_bias=False)):
        model.add(added)
    for added in (layer.BatchNormalization(), layer.ReLU(), layer.Dense(10, activation="softmax")):
        model.add(added)
    generator = np.random.default_rng(1)
    model.set_weights([generator.uniform(0.02, 0.2, w.shape) for w in model.get_weights()])
    return model


def convolved(image, kernel, stride):
    """Return a convolution with zeros around, as Keras pads it: float (h, w, filters)."""
    side = -(-len(image) // stride)
    around = max((side - 1) * stride + len(kernel) - len(image), 0)
    before = around // 2
    image = np.pad(image, ((before, around - before),) * 2 + ((0, 0),))
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape[:2], (0, 1))
    return np.einsum("hwcij,ijcf->hwf", windows[::stride, ::stride], kernel)


def predicted(layers, image):
    """Return a folded network's probabilities for an image (28, 28), computed in NumPy."""
    values = image[..., np.newaxis]
    for place, layer in enumerate(layers):
        if layer.pool:
            side = len(values) // 2
            values = values[: 2 * side, : 2 * side].reshape(side, 2, side, 2, -1).max((1, 3))
        if layer.stride:
            values = convolved(values, layer.weights, layer.stride) + layer.bias
        else:
            values = values.ravel() @ layer.weights + layer.bias
        values = np.maximum(values, 0) if place < len(layers) - 1 else values
    return np.exp(values - values.max()) / np.exp(values - values.max()).sum()


def digits(count):
    """Return UCI's first digits as MNIST has them: uint8 (count, 28, 28), and their labels."""
    inputs, labels = uci.uci_digits(slice(count))
    return (255 * inputs[..., 0]).astype(np.uint8), labels


def test_a_folded_network_predicts_the_same_as_the_network():
    model, images = small(), np.random.default_rng(2).random((3, 28, 28), np.float32)
    layers = export.folded(model)
    shapes = [(layer.stride, layer.pool) for layer in layers]
    assert shapes == [(2, False), (1, False), (0, True), (0, False)]
    expected = np.asarray(model(images[..., np.newaxis], training=False))
    assert np.array([predicted(layers, image) for image in images]) == pytest.approx(
        expected, abs=1e-4
    )


def test_packed_weights_are_the_network_s_in_half_precision():
    layers = export.folded(small())
    packed = json.loads(json.dumps(export.packed(layers)))
    data = np.frombuffer(zlib.decompress(base64.b64decode(packed["weights"])), np.uint8)
    numbers = data.reshape(2, -1).T.copy().view("<f2").ravel()
    assert packed["layers"][0] == {"stride": 2, "pool": False, "weights": [4, 4, 1, 4]}
    expected = [part.ravel() for layer in layers for part in (layer.weights, layer.bias)]
    assert numbers == pytest.approx(np.concatenate(expected), rel=1e-3, abs=1e-6)


def test_a_written_network_is_sure_of_everything_until_its_thresholds_are_set(
    tmp_path, monkeypatch
):
    files = {name: tmp_path / name for name in ("NETWORK", "PAGE", "SETTINGS")}
    for name, path in files.items():
        monkeypatch.setattr(export, name, path)
    model, images = small(), np.random.default_rng(2).random((3, 28, 28), np.float32)
    export.write_network(model)
    reader = Reader(files["NETWORK"], files["SETTINGS"])
    expected = np.asarray(model(images[..., np.newaxis], training=False))
    assert reader.probabilities(images) == pytest.approx(expected, abs=0.01)
    assert reader.certainty(0.01) is Certainty.SURE
    export.write_levels({"temperature": 2.0, "sure": 0.9, "probable": 0.5})
    reader = Reader(files["NETWORK"], files["SETTINGS"])
    certainties = [reader.certainty(share) for share in (0.9, 0.89, 0.5, 0.49)]
    assert certainties == ["sure", "probable", "probable", "doubt"]
    softer = calibration.scaled(expected.astype(float), 2.0)
    assert reader.probabilities(images) == pytest.approx(softer, abs=0.01)
    assert '"probable": 0.5};\nexport const NETWORK = {"layers": ' in files["PAGE"].read_text()


def reading(text, *certain, note="", prepared=0.0):
    """Return a reading of digits in lines, each digit with its certainty."""
    values = [0.1] * 10, (0, 0, 1, 1), np.full((28, 28), prepared, np.float32)
    places = [(int(digit), n) for n, line in enumerate(text.split(), 1) for digit in line]
    found = [
        Digit(digit, 0.9, 0, Certainty(certainty), *values, line=line)
        for (digit, line), certainty in zip(places, certain, strict=True)
    ]
    return Reading("a picture", found, note=note)


def test_readings_of_digits_are_counted_and_another_model_gets_the_same_digits():
    readings = [reading("3", "sure", prepared=1), reading("4", "sure"), reading("5", "doubt")]
    readings += [reading("6", "probable"), reading("12", "sure", "sure"), Reading("blank", [])]
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(10, activation="softmax"))
    kernel, bias = model.get_weights()
    model.set_weights([kernel * 0 + np.eye(10)[3] / 100, bias + np.eye(10)[9]])  # bright: 3, else 9
    assert rates.score_digits(readings, np.array([3, 9, 5, 0, 9, 9]), model) == {
        "images": 6,
        "right": pytest.approx(2 / 6),
        "doubt": pytest.approx(1 / 6),
        "sure_and_wrong": pytest.approx(1 / 6),
        "refused": pytest.approx(1 / 6),
        "benchmark_right": pytest.approx(2 / 6),
    }
    assert rates.score_others(readings[1:]) == {"images": 5, "one_digit": 0.6, "sure": 0.2}


def test_readings_of_numbers_count_if_every_digit_and_line_is_right():
    readings = [reading("12", "sure", "sure"), reading("1 2", "sure", "sure")]
    readings += [reading("12 34", "sure", "sure", "sure", "doubt"), Reading("none", [], "blank")]
    readings += [reading("12", "sure", "sure", note="left out: a sign")]
    assert rates.score_numbers(readings, ["12", "12", "12\n34", "5", "13"]) == {
        "images": 5,
        "right": 0.4,
        "doubt": 0.2,
        "sure_and_wrong": 0.4,
        "refused": 0.2,
        "noted": 0.2,
    }


def test_thresholds_are_the_lowest_at_which_their_bounds_hold():
    generator = np.random.default_rng(1)
    confidence = generator.uniform(0.5, 1, 20_000)
    others = np.linspace(0.51, 0.6, 100), np.linspace(0.99, 0.9999, 100)
    sharp = [  # two digits of these probabilities, made overconfident by a temperature of 2
        calibration.scaled(np.stack([p, 1 - p, *[0 * p] * 8], 1), 0.5)
        for p in (confidence, *others)
    ]
    labels = np.where(generator.random(20_000) < confidence, 0, 1)
    fitted = rates.fit_thresholds(sharp[0], labels, sharp[1:2])
    assert fitted["temperature"] == pytest.approx(2, abs=0.1)
    shares = calibration.scaled(sharp[0], fitted["temperature"]).max(1)
    sure = shares >= fitted["sure"]
    assert np.mean(labels[sure] != 0) <= 0.002 and fitted["sure"] < 0.9995
    between = (shares >= fitted["probable"]) & ~sure
    assert 0.09 < np.mean(labels[between] != 0) <= 0.1
    stricter = rates.fit_thresholds(sharp[0], labels, sharp[1:])["sure"]
    highest = calibration.scaled(sharp[2], fitted["temperature"]).max(1)
    assert np.mean(highest > stricter) == pytest.approx(0.04)
    assert rates.fit_thresholds(sharp[0], 0 * labels, sharp[1:])["probable"] == 0.7


def test_ink_is_dark_on_white_and_in_the_middle():
    page = rates.on_white(np.full((10, 20), 255, np.uint8))
    assert page[0, 0] == 235 and page[200, 200] == pytest.approx(235 - 255 * 235 / 300, abs=1)
    rows, columns = np.nonzero(page < 100)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (150, 249, 100, 299)


@pytest.fixture
def few(monkeypatch):
    """Few pictures of few kinds, of UCI's digits in place of MNIST's; what is asked of them."""
    for name, count in (("EACH", 1), ("CLEAN", 4), ("BLANK", 1), ("NUMBERS", 2)):
        monkeypatch.setattr(rates, name, count)
    monkeypatch.setattr(rates, "STRENGTHS", {Kind.SOFT: (0.25,), Kind.RULES: (210,)})
    monkeypatch.setattr(rates, "BLANK_SHEETS", ((Kind.SOFT, 0),))
    monkeypatch.setattr(rates, "CALIBRATION", slice(700, 705))
    monkeypatch.setattr(rates, "TEST", slice(1_000, 1_010))
    people = pen_digits(3, np.random.default_rng(1))
    monkeypatch.setattr(pens, "pictures_by", lambda part: people)
    images, labels = digits(300)
    pairs = (images[:200], labels[:200]), (images[200:], labels[200:])
    monkeypatch.setattr(rates.data, "load", lambda: pairs)
    parts = np.arange(100), np.arange(100, 200)
    monkeypatch.setattr(rates.data, "split", lambda writers: parts)
    return pairs, parts


def test_thresholds_are_set_and_rates_measured_on_pictures_of_each_kind(few, monkeypatch, tmp_path):
    ((images, _), (test_images, _)), (_, validation) = few
    asked, written, made, single = [], [], [], rates.digits

    def noted(images, labels, part, seed):
        asked.append((images.sum(), part.start))
        return single(images, labels, part, seed)

    def number(images, labels, kinds, generator):
        made.append(tuple(kinds))
        return rates.on_white(images[0]), ["12"]

    monkeypatch.setattr(rates, "digits", noted)
    monkeypatch.setattr(numerals, "number", number)
    monkeypatch.setattr(export, "write_levels", written.append)
    monkeypatch.setattr(rates, "RECORD", tmp_path / "reader.json")
    monkeypatch.setattr(rates, "PAGE", tmp_path / "page.html")
    rates.write(registry["softmax_regression"].build())
    assert asked == [(images[validation].sum(), 700), (test_images.sum(), 1_000)]
    assert written[0]["temperature"] > 0.1 and written[0]["probable"] <= written[0]["sure"]
    recorded = rates.recorded()
    one, none = recorded["one_digit"], recorded["none_or_several"]
    assert {name: rate["images"] for name, rate in one.items()} == {
        **{"UCI, arrays": 10, "UCI, pictures": 10, "pen strokes": 4, "MNIST, pasted": 4},
        **{"soft light, 0.25": 1, "rules, 210": 1, "pen strokes of people": 3},
    }
    assert one["UCI, arrays"]["right"] >= 0.8 <= one["UCI, pictures"]["right"]
    sizes = {"blank sheet, soft light 0": 1, "letters": 2, "scribbles": 2, "pairs": 2}
    assert {name: rate["images"] for name, rate in none.items()} == sizes
    assert len(recorded["numbers"]) == 17 and made[:32:2] == [(kind,) for kind in numerals.Rough]
    assert len(made) == 36 and {len(kinds) for kinds in made[32:]} == {3}
    assert recorded["numbers"]["squared paper"]["right"] == 0 and recorded["digest"]
    assert html.escape(rates.in_a_sentence(recorded)) in (tmp_path / "page.html").read_text()


def test_real_pictures_are_counted_as_the_list_says(monkeypatch, tmp_path):
    listed = rates.REAL.read_text(encoding="utf-8").splitlines()[1:]
    shown = [(tmp_path / line.split(",")[0], line.split(",")[-1]) for line in listed]
    there = [(path, shows) for path, shows in shown if path.parent.name == "digits"][:3]
    for path, _ in there:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    answers = [reading(there[0][1], "sure"), Reading("", []), reading("77", "sure", "sure")]
    monkeypatch.setattr(rates, "read", lambda files: answers[: len(files)])
    counts = rates.real_rates(tmp_path)
    assert counts["digits"] == {"pictures": 3, "right": 1, "sure_and_wrong": 1}
    assert counts["numbers"] == {"pictures": 0, "right": 0, "sure_and_wrong": 0}


def test_the_page_says_the_lowest_rate_of_all_photographs():
    names = {
        "MNIST, pasted": 0.998,
        "UCI, pictures": 0.9887,
        "soft light, 0.25": 1,
        "rules, 150": 0.97,
    }
    one = {name: {"right": right, "images": 60} for name, right in names.items()}
    said = rates.in_a_sentence({"one_digit": one, "none_or_several": {"letters": {"sure": 0.01}}})
    assert all(number in said for number in ("99.8%", "98.9%", "97%", "60", "1%"))


def test_the_recogniser_is_trained_on_some_digits_and_evaluated_on_others(few, monkeypatch):
    (train, test), (indices, validation) = few
    model, given = registry["softmax_regression"].build(), {}

    def training_set(images, labels, seed):
        given["trained on"] = images
        return normalise(images), one_hot(labels)

    def trained(configuration, inputs, targets, seed):
        given.update(inputs=inputs, targets=targets, seed=seed)
        return Trained(model, {}, 1.0)

    monkeypatch.setattr(pictures, "training_set", training_set)
    monkeypatch.setattr(training, "train", trained)
    monkeypatch.setattr(training, "STROKES", 24)
    experiment = Experiment("recogniser", registry["softmax_regression"], 3)
    _, result = training.train_recogniser(experiment)
    assert (given["trained on"] == train[0][indices]).all() and given["seed"] == 3
    assert result["training_pictures"] == len(given["inputs"]) == len(given["targets"]) == 100
    drawn, labels = pens.pictures_by(pens.TEST)
    parts = {
        "validation": (normalise(train[0][validation]), train[1][validation]),
        "test": (normalise(test[0]), test[1]),
        "uci_validation": uci.uci_digits(uci.CALIBRATION),
        "uci_test": uci.uci_digits(uci.TEST),
        "people": (uci.in_mnist_form(drawn), labels),
        "pens": pictures.drawn_digits(24, [3, 12]),
    }
    for name, part in parts.items():
        assert result[f"{name}_accuracy"] == accuracy.accuracy(model, *part), name
