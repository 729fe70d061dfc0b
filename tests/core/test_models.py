"""Models: one of one's own in six lines, builders that make no sense, several devices."""

import dataclasses
import json
import re

import numpy as np
import pytest
from support.notebook import source
from support.project import ROOT, run

from mnist_study.core import data, models, training
from mnist_study.core.backend import keras
from mnist_study.story.images import five_thousand


def own_model(text):
    """Return the lines that the text shows for a model of one's own."""
    lines = re.search(r"@register\(.*?return [^\n]*", text, re.DOTALL)[0]
    assert len(lines.splitlines()) <= 6
    return lines


def test_readme_and_notebook_show_the_same_six_lines():
    readme = (ROOT / "docs" / "USING.md").read_text(encoding="utf-8")
    assert own_model(source("own-model")) == own_model(readme)


def test_a_model_of_ones_own_takes_the_study_s_recipe(monkeypatch):
    monkeypatch.setattr(models, "registry", {})
    exec(source("own-model"), {"keras": keras, "register": models.register})
    recipe = models.registry["my_model"]
    models.check_model("my_model")
    assert (recipe.epochs, recipe.learning_rate) == (2, 0.01)
    assert recipe.deforms and recipe.batch_size == models.Recipe(models.cnn).batch_size


BUILDERS = {
    "ten_units_missing": ((9, "softmax"), "end with ten units"),
    "no_softmax": ((10,), "gives no probabilities: end with a softmax"),
    "flat_input": ((10, "softmax"), "start with keras.Input"),
    "returns_nothing": (None, "returns no Keras model"),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_a_builder_that_makes_no_sense_is_refused(monkeypatch, name):
    last, message = BUILDERS[name]

    def build():
        if last:
            shape = (784,) if name == "flat_input" else (28, 28, 1)
            layers = [keras.Input(shape), keras.layers.Flatten()]
            return keras.Sequential([*layers, keras.layers.Dense(*last)])

    build.__name__ = name
    monkeypatch.setattr(models, "registry", {})
    models.register(epochs=1)(build)
    with pytest.raises(ValueError, match=f"{name}.*{message}"):
        models.check_model(name)


def short_training():
    """Return the devices trained on, and the validation accuracy after a few steps."""
    (images, labels), test = five_thousand()
    recipe = models.registry["dense_dropout"]
    small = {"epochs": 2, "images": 10_000, "batch_size": 256, "options": {"widths": (256, 256)}}
    recipe = dataclasses.replace(recipe, **small)
    validation = data.normalise(test[0]), data.one_hot(test[1])
    trained = training.train(recipe, data.normalise(images), data.one_hot(labels), validation)
    devices = training.device_strategy().num_replicas_in_sync
    return devices, trained.history["val_accuracy"][-1]


ON_TWO = """
import json
import tensorflow as tf

cpu, half = tf.config.list_physical_devices("CPU")[0], tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
from test_models import short_training
print("found", json.dumps(short_training()))
"""


def test_two_devices_train_as_well_as_one():
    said = run(
        "python", "-c", ON_TWO, folder=ROOT, PYTHONPATH=f"{ROOT}:{ROOT}/tests:{ROOT}/tests/core"
    ).stdout
    two, accuracy = json.loads(re.search(r"(?m)^found (.*)$", said)[1])
    one, expected = short_training()
    assert (one, two) == (1, 2) and expected > 0.9
    assert accuracy == pytest.approx(expected, abs=0.02)


LAYERS = {  # of each model: how many weights, worked out by hand
    "softmax_regression": 784 * 10 + 10,
    "classic_mlp": 784 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10,
    "dense_dropout": 576 * 2048 + 3 * 2048 + 2048 * 256 + 3 * 256 + 256 * 10 + 10,
    "cnn": (16 + 1) * 24 + (9 * 24 + 3) * 64 + (9 * 64 + 3) * 96 + (9 * 96 + 3) * 192 + 193 * 10,
}


@pytest.mark.parametrize("name", LAYERS)
def test_networks_have_the_weights_that_their_layers_add_up_to(name):
    assert models.registry[name].build().count_params() == LAYERS[name]


def test_recipes_deform_by_either_strength_and_quick_does_with_less():
    recipe = models.Recipe(models.cnn, affine=0.0, elastic=0.5, epochs=33, images=1_000)
    assert recipe.deforms and not dataclasses.replace(recipe, elastic=0.0).deforms
    assert (recipe.quick().epochs, recipe.quick().images) == (3, 100)


def test_dense_weights_begin_in_patches_only_where_asked():
    keras.utils.set_random_seed(1)
    nets = [models.dense_dropout(widths=(32, 16), patches=patches) for patches in (True, False)]
    small = [np.mean(np.abs(net.layers[2].kernel.numpy()) < 1e-3) for net in nets]
    assert small[0] > 0.3 > 0.05 > small[1]
    assert nets[0].layers[-2].rate == 0.1
