"""The registry: each model's layers and settings, one of your own, builders that are refused."""

import dataclasses
import json
import re

import numpy as np
import pytest
from support.images import five_thousand
from support.notebook import source
from support.project import ROOT, run

from mnist_study import data, models, train
from mnist_study.backend import keras

LAYERS = {  # of each model: how many weights, by hand
    "softmax_regression": 784 * 10 + 10,
    "baseline_mlp": 784 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10,
    "dense_dropout": 576 * 2048 + 3 * 2048 + 2048 * 256 + 3 * 256 + 256 * 10 + 10,
    "cnn": (16 + 1) * 24 + (9 * 24 + 3) * 64 + (9 * 64 + 3) * 96 + (9 * 96 + 3) * 192 + 193 * 10,
    "digit_reader": 293_586,
}
SETTINGS = {  # epochs, batch size, optimiser, peak of the learning rate
    "softmax_regression": (10, 128, "adam", 0.012),
    "baseline_mlp": (20, 128, "rmsprop", 0.012),
    "dense_dropout": (50, 512, None, 0.012),
    "cnn": (14, 256, None, 0.01),
    "digit_reader": (12, 256, None, 0.01),
}


@pytest.mark.parametrize("name", LAYERS)
def test_networks_have_the_weights_of_their_layers(name):
    configuration = models.registry[name]
    assert configuration.build().count_params() == LAYERS[name]
    fields = ("epochs", "batch_size", "optimizer", "learning_rate")
    assert tuple(getattr(configuration, field) for field in fields) == SETTINGS[name]


def test_options_reach_the_layers():
    keras.utils.set_random_seed(1)
    nets = [models.dense_dropout((32, 16), local_init=local) for local in (True, False)]
    small = [np.mean(np.abs(net.layers[2].kernel.numpy()) < 1e-3) for net in nets]
    assert small[0] > 0.3 > 0.05 > small[1]
    assert nets[0].layers[-2].rate == 0.1
    kinds = [type(layer).__name__ for layer in models.dense_dropout((8,), 0, False, False).layers]
    assert kinds == ["Cropping2D", "Flatten", "Dense", "Dropout", "Dense"]


def test_either_strength_augments_and_quick_trains_less():
    half = models.Configuration(models.cnn, affine=0.0, elastic=0.5, epochs=33)
    assert half.augments and not dataclasses.replace(half, elastic=0.0).augments
    assert (half.quick().epochs, half.quick().samples_per_epoch) == (3, 5_400)


def test_a_model_of_your_own_takes_six_lines(monkeypatch):
    lines = re.search(r"@register\(.*?return [^\n]*", source("own-model"), re.DOTALL)[0]
    assert len(lines.splitlines()) <= 6
    assert lines in (ROOT / "docs" / "USING.md").read_text(encoding="utf-8")
    monkeypatch.setattr(models, "registry", {})
    exec(source("own-model"), {"keras": keras, "register": models.register})
    models.check_model("my_model")
    own = models.registry["my_model"]
    assert (own.epochs, own.learning_rate, own.batch_size) == (2, 0.01, 512) and own.augments


BUILDERS = {  # the last layer, the shape of the input, and what is said
    "ten_units_missing": ((9, "softmax"), (28, 28, 1), "end with ten units"),
    "no_softmax": ((10,), (28, 28, 1), "gives no probabilities: end with a softmax"),
    "flat_input": ((10, "softmax"), (784,), "start with keras.Input"),
    "returns_nothing": (None, None, "returns no Keras model"),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_a_builder_of_another_network_is_refused(monkeypatch, name):
    last, shape, message = BUILDERS[name]

    def build():
        if last:
            layers = [keras.Input(shape), keras.layers.Flatten()]
            return keras.Sequential([*layers, keras.layers.Dense(*last)])

    build.__name__ = name
    monkeypatch.setattr(models, "registry", {})
    models.register(epochs=1)(build)
    with pytest.raises(ValueError, match=f"{name}.*{message}"):
        models.check_model(name)


def short_training():
    """Return the number of devices trained on, and the validation accuracy after a few steps."""
    (images, labels), test = five_thousand()
    small = {"epochs": 2, "samples_per_epoch": 5_120, "batch_size": 128, "learning_rate": 0.02}
    small |= {"options": {"widths": (64, 32)}, "affine": 0.2, "elastic": 0.2}
    configuration = dataclasses.replace(models.registry["dense_dropout"], **small)
    validation = data.normalise(test[0]), data.one_hot(test[1])
    trained = train.train(configuration, data.normalise(images), data.one_hot(labels), validation)
    return train.device_strategy().num_replicas_in_sync, trained.history["val_accuracy"][-1]


ON_TWO = """
import json
import tensorflow as tf

cpu, half = tf.config.list_physical_devices("CPU")[0], tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
from test_models import short_training
print("gave", json.dumps(short_training()))
"""


def test_two_devices_train_as_well_as_one():
    path = f"{ROOT}:{ROOT}/tests"
    said = run("python", "-c", ON_TWO, folder=ROOT, PYTHONPATH=path).stdout
    two, accuracy = json.loads(re.search(r"(?m)^gave (.*)$", said)[1])
    one, expected = short_training()
    assert (one, two) == (1, 2) and expected > 0.85
    assert accuracy == pytest.approx(expected, abs=0.04)
