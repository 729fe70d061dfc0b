"""The recogniser's files, thresholds, rates and training."""

import base64
import json
import zlib

import numpy as np
import pytest
from support.still import digits

from digit_reader import Certainty, Digit, Reader, Reading
from mnist_study.backend import keras
from mnist_study.data import normalise, one_hot
from mnist_study.evaluate import accuracy, calibration, uci
from mnist_study.models import registry
from mnist_study.recogniser import export, lines, numerals, pens, pictures, rates, training
from mnist_study.recogniser.hands import Sources
from mnist_study.recogniser.line_training import line_reader
from mnist_study.recogniser.photographs import Kind
from mnist_study.runners import Experiment
from mnist_study.train import Trained

layer = keras.layers


def network(*layers):
    """Return a network of these layers with random weights."""
    model = keras.Sequential(layers)
    generator = np.random.default_rng(1)
    model.set_weights([generator.uniform(0.02, 0.2, w.shape) for w in model.get_weights()])
    return model


def test_batch_normalisation_is_folded_into_the_layer_before():
    inputs = np.random.default_rng(2).random((5, 3, 3, 1), np.float32)
    convolved = layer.Conv2D(6, 3, use_bias=False), layer.BatchNormalization(scale=False)
    dense = layer.Dense(7), layer.BatchNormalization()
    for layers in ([*convolved, layer.Flatten()], [layer.Flatten(), *dense]):
        model = network(keras.Input((3, 3, 1)), *layers)
        [folded] = export.folded(model)
        outputs = inputs.reshape(5, 9) @ folded.weights.reshape(9, -1) + folded.bias
        assert outputs == pytest.approx(np.asarray(model(inputs, training=False)), rel=1e-4)


def test_a_written_network_predicts_the_same_and_its_thresholds_decide(tmp_path, monkeypatch):
    files = {name: tmp_path / name for name in ("NETWORK", "LINES", "SETTINGS", "PAGE")}
    for name, path in files.items():
        monkeypatch.setattr(export, name, path)
    layers = [layer.Conv2D(4, 4, 2, padding="same"), layer.MaxPooling2D(), layer.Flatten()]
    model = network(keras.Input((28, 28, 1)), *layers, layer.Dense(10, activation="softmax"))
    images = np.random.default_rng(2).random((3, 28, 28, 1), np.float32)
    export.write_networks(model, line_reader())
    paths = {name.lower(): files[name] for name in ("NETWORK", "LINES", "SETTINGS")}
    reader, expected = Reader(**paths), np.asarray(model(images), float)
    assert reader.probabilities(images[..., 0]) == pytest.approx(expected, abs=0.01)
    assert reader.certainty(0.01) is Certainty.SURE
    levels = {"temperature": 2.0, "sure": 0.9, "probable": 0.5, "line_sure": 0.4}
    export.write_levels(levels)
    reader = Reader(**paths)
    certainties = [reader.certainty(share) for share in (0.9, 0.89, 0.5, 0.49)]
    assert certainties == ["sure", "probable", "probable", "doubt"]
    softer = calibration.scaled(expected, 2.0)
    assert reader.probabilities(images[..., 0]) == pytest.approx(softer, abs=0.01)
    page = files["PAGE"].read_text().splitlines()[1:]
    written = [line.partition(" = ")[2].rstrip(";") for line in page]
    own, packed, of_lines = map(json.loads, written)
    assert own == levels and [p["pool"] for p in packed["layers"]] == [None, [2, 2]]
    kernels = [(p["pool"], p["valid"], p["weights"][:2]) for p in of_lines["layers"][2:6]]
    assert kernels[0] == ([2, 2], False, [3, 3]) and kernels[2:] == [
        ([2, 1], False, [3, 3]),
        (None, True, [4, 3]),
    ]
    data = np.frombuffer(zlib.decompress(base64.b64decode(packed["weights"])), np.uint8)
    weights = np.concatenate([part.ravel() for part in model.get_weights()])
    assert data.reshape(2, -1).T.copy().view("<f2").ravel() == pytest.approx(weights, rel=1e-3)


def reading(text, *certain, **more):
    """Return a reading of digits in lines, each digit with its certainty, grey by its number."""
    places = [(int(digit), n) for n, line in enumerate(text.split(), 1) for digit in line]
    found = []
    for (digit, line), certainty in zip(places, certain, strict=True):
        seen = [0.1] * 10, (0, 0, 1, 1), np.full((28, 28), digit / 10, np.float32)
        found.append(Digit(digit, 0.9, 0, Certainty(certainty), *seen, line=line))
    return Reading("a picture", found, **more)


def test_readings_are_counted_and_another_model_gets_the_same_digits():
    ones = [reading("3", "sure"), reading("4", "sure"), reading("5", "doubt")]
    ones += [reading("6", "probable"), reading("12", "sure", "sure"), Reading("blank", [])]
    model = keras.Sequential([keras.Input((28, 28, 1)), layer.Flatten(), layer.Dense(10)])
    kernel, bias = model.get_weights()
    model.set_weights([kernel * 0 + np.eye(10)[9] / 100, bias + 3.5 * np.eye(10)[3]])  # from 5: 9
    shares = rates.score_digits(ones, np.array([3, 9, 5, 9, 9, 9]), model)
    sixths = {name: round(6 * share) for name, share in shares.items() if name != "images"}
    counts = {"right": 2, "doubt": 1, "sure_and_wrong": 1, "refused": 1, "benchmark_right": 2}
    assert sixths == counts and shares["images"] == 6
    assert rates.score_others(ones[1:]) == {"images": 5, "one_digit": 0.6, "sure": 0.2}
    numbers = [reading("12", "sure", "sure"), reading("1 2", "sure", "sure")]
    numbers += [reading("12 34", "sure", "sure", "sure", "doubt"), Reading("none", [], "blank")]
    numbers += [reading("12", "sure", "sure", note="left out: a sign")]
    shares = rates.score_numbers(numbers, ["12", "12", "12\n34", "5", "13"])
    known = {"right": 0.4, "doubt": 0.2, "sure_and_wrong": 0.4, "refused": 0.2, "noted": 0.2}
    assert shares == {"images": 5} | known


def test_thresholds_are_the_lowest_at_which_their_bounds_hold():
    generator = np.random.default_rng(1)
    confidence = generator.uniform(0.5, 1, 20_000)
    sharp = [  # two digits of these probabilities, made overconfident by a temperature of 2
        calibration.scaled(np.stack([p, 1 - p, *[0 * p] * 8], 1), 0.5)
        for p in (confidence, np.linspace(0.51, 0.6, 100), np.linspace(0.99, 0.9999, 100))
    ]
    labels = np.where(generator.random(20_000) < confidence, 0, 1)
    fitted = rates.fit_thresholds(sharp[0], labels, sharp[1:2])
    assert fitted["temperature"] == pytest.approx(2, abs=0.1)
    shares = calibration.scaled(sharp[0], fitted["temperature"]).max(1)
    sure = shares >= fitted["sure"]
    assert np.mean(labels[sure] != 0) <= 0.002 and fitted["sure"] < 0.9995
    assert 0.09 < np.mean(labels[(shares >= fitted["probable"]) & ~sure] != 0) <= 0.1
    stricter = rates.fit_thresholds(sharp[0], labels, sharp[1:])["sure"]
    highest = calibration.scaled(sharp[2], fitted["temperature"]).max(1)
    assert np.mean(highest > stricter) == pytest.approx(0.04)
    assert rates.fit_thresholds(sharp[0], 0 * labels, sharp[1:])["probable"] == 0.7


@pytest.fixture
def few(monkeypatch):
    """UCI's digits in place of MNIST's: the pairs (images, labels), of 200 and 100."""
    images, labels = digits(300)
    pairs = (images[:200], labels[:200]), (images[200:], labels[200:])
    monkeypatch.setattr(rates.data, "load", lambda: pairs)
    monkeypatch.setattr(rates.data, "split", lambda writers: (np.arange(100), np.arange(100, 200)))
    monkeypatch.setattr(pens, "pictures_by", lambda part: ([*images[:3]], labels[:3]))
    return pairs


def test_thresholds_are_set_and_rates_measured_on_pictures_of_each_kind(few, monkeypatch, tmp_path):
    def noted(images, labels, part, seed):
        asked.append((images.sum(), part.start))
        return single(images, labels, slice(part.start, part.start + 5), seed)

    asked, written, single = [], [], rates.digits
    settings = {"EACH": 1, "CLEAN": 4, "BLANK": 1, "NUMBERS": 1, "STRENGTHS": {Kind.RULES: (210,)}}
    settings |= {"BLANK_SHEETS": ((Kind.SOFT, 0),), "RECORD": tmp_path / "reader.json"}
    for name, value in (settings | {"PAGE": tmp_path / "page.html", "digits": noted}).items():
        monkeypatch.setattr(rates, name, value)
    blank = np.full((90, 120), 235, np.uint8), ["12"]
    monkeypatch.setattr(numerals, "number", lambda *given: blank)
    monkeypatch.setattr(export, "write_levels", written.append)
    sources, generator = Sources(*few[0], seed=1, drawn=60), np.random.default_rng(1)
    simulated = [lines.simulated(sources, generator) for _ in range(20)]
    monkeypatch.setattr(rates, "validation_lines", lambda: simulated)
    rates.write(registry["softmax_regression"].build())
    assert asked == [(few[0][0][100:].sum(), 700), (few[1][0].sum(), 1_000)]
    assert written[0]["temperature"] > 0.1 and written[0]["probable"] <= written[0]["sure"]
    assert 0.2 < written[0]["line_sure"] < 1
    recorded = rates.recorded()
    counts = [len(recorded[name]) for name in ("one_digit", "none_or_several", "numbers")]
    assert counts == [6, 4, 17] and recorded["one_digit"]["UCI, pictures"]["right"] >= 0.8
    assert rates.in_a_sentence(recorded).rpartition("'")[2] in (tmp_path / "page.html").read_text()


def test_the_recogniser_is_trained_on_some_digits_and_evaluated_on_others(few, monkeypatch):
    (images, labels), (test_images, test_labels) = few
    configuration, trained_on = registry["softmax_regression"], []
    trained = Trained(configuration.build(), {}, 1.0)
    inputs = normalise(images[:100]), one_hot(labels[:100])
    monkeypatch.setattr(pictures, "training_set", lambda *given: trained_on.extend(given) or inputs)
    monkeypatch.setattr(training, "train", lambda *given, seed: trained)
    monkeypatch.setattr(training, "STROKES", 24)
    _, result = training.train_recogniser(Experiment("recogniser", configuration, 3))
    assert (trained_on[0] == images[:100]).all() and (trained_on[1] == labels[:100]).all()
    parts = {
        "validation": (normalise(images[100:]), labels[100:]),
        "test": (normalise(test_images), test_labels),
        "uci_validation": uci.uci_digits(uci.CALIBRATION),
        "uci_test": uci.uci_digits(uci.TEST),
        "pens": pictures.drawn_digits(24, [3, 12]),
    }
    for name, part in parts.items():
        assert result[f"{name}_accuracy"] == accuracy.accuracy(trained.model, *part), name
