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

MODELS = {  # weights by hand, epochs, batch size, optimiser, learning rate
    "softmax_regression": (785 * 10, 10, 128, "adam", 0.012),
    "baseline_mlp": (785 * 512 + 513 * 512 + 513 * 10, 20, 128, "rmsprop", 0.012),
    "dense_dropout": (579 * 2048 + 2051 * 256 + 257 * 10, 50, 512, None, 0.012),
    "cnn": (17 * 24 + 219 * 64 + 579 * 96 + 867 * 192 + 193 * 10, 14, 256, None, 0.01),
    "digit_reader": (293_586, 12, 256, None, 0.01),
}


def test_networks_have_their_layers_and_settings():
    for name, (weights, *settings) in MODELS.items():
        model = models.registry[name]
        assert model.build().count_params() == weights, name
        assert [model.epochs, model.batch_size, model.optimizer, model.learning_rate] == settings


def test_options_reach_the_layers():
    keras.utils.set_random_seed(1)
    nets = [models.dense_dropout((32, 16), local_init=local) for local in (True, False)]
    small = [np.mean(np.abs(net.layers[2].kernel.numpy()) < 1e-3) for net in nets]
    assert small[0] > 0.3 > 0.05 > small[1] and nets[0].layers[-2].rate == 0.1
    kinds = [type(layer).__name__ for layer in models.dense_dropout((8,), 0, False, False).layers]
    assert kinds == ["Cropping2D", "Flatten", "Dense", "Dropout", "Dense"]
    half = models.Configuration(models.cnn, affine=0.0, elastic=0.5, epochs=33)
    none = {"elastic": 0.0, "shift": 0.0, "corruptions": ()}
    assert half.augments and not dataclasses.replace(half, **none).augments
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


@pytest.mark.parametrize(
    ("shape", "last", "message"),
    [
        ((28, 28, 1), (9, "softmax"), "end with ten units"),
        ((28, 28, 1), (10,), "gives no probabilities: end with a softmax"),
        ((784,), (10, "softmax"), "start with keras.Input"),
        (None, None, "returns no Keras model"),
    ],
)
def test_a_builder_of_another_network_is_refused(monkeypatch, shape, last, message):
    def own():
        if last:
            layers = [keras.Input(shape), keras.layers.Flatten()]
            return keras.Sequential([*layers, keras.layers.Dense(*last)])

    monkeypatch.setattr(models, "registry", {})
    models.register(epochs=1)(own)
    with pytest.raises(ValueError, match=f"own.*{message}"):
        models.check_model("own")


def short_training():
    """Return the number of devices trained on, and the validation accuracy after a few steps."""
    (images, labels), test = five_thousand()
    small = {"epochs": 2, "samples_per_epoch": 10_000, "batch_size": 256}
    small |= {"options": {"widths": (256, 256)}}
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


@pytest.mark.proof
def test_two_devices_train_as_well_as_one():
    said = run("python", "-c", ON_TWO, folder=ROOT, PYTHONPATH=f"{ROOT}:{ROOT}/tests").stdout
    two, accuracy = json.loads(re.search(r"(?m)^gave (.*)$", said)[1])
    one, expected = short_training()
    assert (one, two) == (1, 2) and expected > 0.9
    assert accuracy == pytest.approx(expected, abs=0.02)
