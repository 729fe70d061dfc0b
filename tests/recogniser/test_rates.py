"""The reader's files and rates: what is folded reads alike, what is counted is what was read."""

import base64
import dataclasses
import json
import zlib

import numpy as np
import pytest

from digit_reader import Certainty, Digit, Reading
from mnist_study.backend import keras
from mnist_study.runners import Experiment
from mnist_study.models import registry
from mnist_study.recogniser import export, pictures, rates, training
from mnist_study.evaluate import calibration


def small():
    """Return a small network with every kind of layer that the page knows, its weights stirred."""
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


def answered(layers, image):
    """Return a folded network's answer to an image (28, 28), worked out in NumPy."""
    found = image[..., np.newaxis]
    for place, layer in enumerate(layers):
        if layer.pool:
            side = len(found) // 2
            found = found[: 2 * side, : 2 * side].reshape(side, 2, side, 2, -1).max((1, 3))
        if layer.stride:
            found = convolved(found, layer.weights, layer.stride) + layer.bias
        else:
            found = found.ravel() @ layer.weights + layer.bias
        found = np.maximum(found, 0) if place < len(layers) - 1 else found
    return np.exp(found - found.max()) / np.exp(found - found.max()).sum()


def test_a_folded_network_answers_as_the_network():
    model, images = small(), np.random.default_rng(2).random((3, 28, 28), np.float32)
    layers = export.folded(model)
    assert [(layer.stride, layer.pool) for layer in layers] == [
        (2, False),
        (1, False),
        (0, True),
        (0, False),
    ]
    expected = np.asarray(model(images[..., np.newaxis], training=False))
    found = np.array([answered(layers, image) for image in images])
    assert found == pytest.approx(expected, abs=1e-4)


def test_packed_weights_are_the_network_s_in_half_precision():
    layers = export.folded(small())
    packed = json.loads(json.dumps(export.packed(layers)))
    data = np.frombuffer(zlib.decompress(base64.b64decode(packed["weights"])), np.uint8)
    numbers = data.reshape(2, -1).T.copy().view("<f2").ravel()
    first = layers[0]
    assert packed["layers"][0] == {"stride": 2, "pool": False, "weights": [4, 4, 1, 4]}
    assert numbers[: first.weights.size] == pytest.approx(first.weights.ravel(), rel=1e-3)
    assert len(numbers) == sum(layer.weights.size + len(layer.bias) for layer in layers)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Files of a reader elsewhere."""
    found = {name: tmp_path / name for name in ("NETWORK", "PAGE", "SETTINGS")}
    for name, path in found.items():
        monkeypatch.setattr(export, name, path)
    return found


def test_a_written_network_is_read_and_believes_everything_until_its_levels_are_set(files):
    from digit_reader import Reader

    model, images = small(), np.random.default_rng(2).random((3, 28, 28), np.float32)
    export.write_network(model)
    reader = Reader(files["NETWORK"], files["SETTINGS"])
    expected = np.asarray(model(images[..., np.newaxis], training=False))
    assert reader.probabilities(images) == pytest.approx(expected, abs=0.01)
    assert reader.certainty(0.01) is Certainty.SURE
    export.write_levels({"temperature": 2.0, "sure": 0.9, "probable": 0.5})
    reader = Reader(files["NETWORK"], files["SETTINGS"])
    levels = [reader.certainty(share) for share in (0.9, 0.89, 0.5, 0.49)]
    assert levels == ["sure", "probable", "probable", "uncertainty"]
    softer = calibration.scaled(expected.astype(float), 2.0)
    assert reader.probabilities(images) == pytest.approx(softer, abs=0.01)
    assert '"probable": 0.5}' in files["PAGE"].read_text()


def reading(digit, certainty, prepared=None):
    """Return a reading of one digit."""
    prepared = np.zeros((28, 28), np.float32) if prepared is None else prepared
    found = Digit(digit, 0.9, 0, Certainty(certainty), [0.1] * 10, (0, 0, 1, 1), prepared)
    return Reading("a picture", [found])


def test_readings_are_counted():
    found = [reading(3, "sure"), reading(4, "sure"), reading(5, "uncertainty"), reading(6, "probable")]
    found += [Reading("a blank", [], "the page is blank")]
    judged = rates.judged(found, np.array([3, 9, 5, 0, 1]))
    assert judged == {
        "images": 5,
        "right": 0.4,
        "uncertainty": 0.2,
        "sure_and_wrong": 0.2,
        "refused": 0.2,
    }
    none = rates.score_no_digit(found)
    assert none == {"images": 5, "one_digit": 0.8, "sure": 0.4}


def test_readings_of_numbers_count_if_every_digit_and_line_is_right():
    def number(text, *certain, note=""):
        digits = [
            dataclasses.replace(reading(int(digit), certainty).digits[0], line=line)
            for line, digits in enumerate(text.split(), 1)
            for digit, certainty in zip(digits, certain, strict=True)
        ]
        return Reading("a picture", digits, note=note)

    found = [number("12", "sure", "sure"), number("1 2", "sure"), number("12 34", "sure", "uncertainty")]
    found += [number("12", "sure", "sure", note="left out: a sign"), Reading("none", [], "blank")]
    assert rates.score_numbers(found, ["12", "12", "12\n34", "13", "5"]) == {
        "images": 5,
        "right": 0.4,
        "uncertainty": 0.2,
        "sure_and_wrong": 0.4,
        "refused": 0.2,
        "noted": 0.2,
    }


def test_another_model_reads_the_same_prepared_pictures():
    bright, dark = np.ones((28, 28), np.float32), np.zeros((28, 28), np.float32)
    found = [reading(5, "sure", bright), reading(5, "sure", dark), Reading("a blank", [], "blank")]
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(10, activation="softmax"))
    kernel, bias = model.get_weights()
    model.set_weights([kernel * 0 + np.eye(10)[1] / 100, bias + np.eye(10)[0]])  # bright: 1
    assert rates.benchmark_right(model, found, np.array([1, 1, 1])) == pytest.approx(1 / 3)


def test_levels_are_the_lowest_at_which_their_bounds_hold():
    generator = np.random.default_rng(1)
    confidence = generator.uniform(0.5, 1, 20_000)
    answers = np.full((20_000, 10), 0.0)
    answers[:, 0], answers[:, 1] = confidence, 1 - confidence
    labels = np.where(generator.random(20_000) < confidence, 0, 1)  # calibrated: a temperature of 1
    others = np.zeros((100, 10))
    others[:, 0] = np.linspace(0.51, 0.6, 100)
    others[:, 1] = 1 - others[:, 0]
    found = rates.fitted(answers, labels, [others])
    assert found["temperature"] == pytest.approx(1, abs=0.05)
    shares = calibration.scaled(answers, found["temperature"]).max(1)
    sure = shares >= found["sure"]
    assert np.mean(labels[sure] != 0) <= 0.002
    between = (shares >= found["probable"]) & ~sure
    assert 0.09 < np.mean(labels[between] != 0) <= 0.1
    others[:50, 0], others[:50, 1] = 0.9999, 0.0001  # half of the others look sure
    stricter = rates.fitted(answers, labels, [others])
    assert stricter["sure"] > 0.999


def test_pictures_of_each_kind_show_their_digits(fallback, monkeypatch):
    monkeypatch.setattr(rates, "EACH", 1)
    monkeypatch.setattr(rates, "CLEAN", 2)
    monkeypatch.setattr(rates, "BLANK", 1)
    (images, labels), _ = fallback
    kinds = {
        name: (shown, known) for name, shown, known in rates.digits(images, labels, slice(2), 1)
    }
    assert len(kinds) == 4 + 11
    assert {len(shown) for shown, _ in kinds.values()} == {1, 2}
    assert all(len(shown) == len(known) for shown, known in kinds.values())
    assert kinds["UCI, pictures"][0][0].shape == (400, 400)
    generator = np.random.default_rng(1)
    assert len([*rates.blank_sheets(generator)]) == 4
    named = dict(rates.no_digits(images, generator))
    assert set(named) == {"letters", "scribbles", "pairs"}
    assert {len(shown) for shown in named.values()} == {2}


def test_ink_is_dark_on_white_and_in_the_middle():
    page = rates.on_white(np.full((10, 20), 255, np.uint8))
    assert page[0, 0] == 235 and page[200, 200] == pytest.approx(235 - 255 * 235 / 300, abs=1)
    rows, columns = np.nonzero(page < 100)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (150, 249, 100, 299)


def test_rates_are_measured_and_levels_set_on_few_pictures(fallback, monkeypatch, tmp_path):
    monkeypatch.setattr(rates, "EACH", 1)
    monkeypatch.setattr(rates, "CLEAN", 4)
    monkeypatch.setattr(rates, "BLANK", 1)
    monkeypatch.setattr(rates, "NUMBERS", 1)
    (images, labels), test = fallback
    monkeypatch.setattr(rates, "load_mnist", lambda: ((images, labels), test))
    monkeypatch.setattr(rates.data, "split", lambda writers: (np.arange(100), np.arange(100, 200)))
    monkeypatch.setattr(rates, "CALIBRATION", slice(700, 710))
    monkeypatch.setattr(rates, "TEST", slice(1_000, 1_010))
    levels = []
    monkeypatch.setattr(export, "write_levels", levels.append)
    monkeypatch.setattr(rates, "RECORD", tmp_path / "reader.json")
    monkeypatch.setattr(rates, "PAGE", tmp_path / "page.html")
    rates.write(registry["softmax_regression"].build())
    assert levels[0]["temperature"] > 0 and levels[0]["probable"] <= levels[0]["sure"]
    kept = rates.kept()
    assert kept["one_digit"]["UCI, arrays"]["right"] >= 0.8
    assert kept["none_or_several"]["letters"]["images"] == 2
    assert kept["numbers"]["squared paper"]["images"] == 1 and len(kept["numbers"]) == 17
    assert rates.in_a_sentence(kept).replace("%", "&#37;")[:30] in (
        tmp_path / "page.html"
    ).read_text().replace("%", "&#37;")


RATES = {
    "one_digit": {
        "MNIST, pasted": {"right": 0.998},
        "UCI, pictures": {"right": 0.9887},
        "soft light, 0.25": {"right": 1.0, "images": 60},
        "rules, 150": {"right": 0.97},
    },
    "none_or_several": {"letters": {"sure": 0.01}},
}


def test_a_sentence_says_the_least_of_all_photographs():
    said = rates.in_a_sentence(RATES)
    assert "99.8% of MNIST's right, 98.9% of UCI's, 97% or more" in said
    assert "simulated photograph (60 of each)" in said and "took 1% for" in said


def test_the_reader_s_training_is_judged_on_others_digits(fallback, monkeypatch):
    (images, labels), test = fallback
    monkeypatch.setattr(training, "load_mnist", lambda: ((images, labels), test))
    split = (np.arange(0, 4_000, 2), np.arange(1, 4_000, 20))
    monkeypatch.setattr(train.data, "split", lambda writers: split)
    monkeypatch.setattr(training, "STROKES", 24)

    def few(images, labels, seed):
        return train.data.normalise(images), train.data.one_hot(labels)

    monkeypatch.setattr(pictures, "training_set", few)
    small = {"epochs": 1, "images": 2_048, "batch_size": 64}
    configuration = dataclasses.replace(registry["digit_reader"], **small)
    trained, result = train.train_and_evaluate(Experiment("digit_reader", configuration, 1))
    assert result["training_pictures"] == 2_000 and trained.model.count_params() == 293_586
    parts = ("validation", "uci_validation", "pens", "people", "uci_test", "test")
    assert all(0 <= result[f"{part}_accuracy"] <= 1 for part in parts)
    assert result["test_accuracy"] > 0.3
