"""Models: one of one's own in six lines, builders that make no sense, several devices."""

import dataclasses
import json
import re

import keras
import pytest
from conftest import ROOT, run, source

from mnist_study import data, models, training


def own_model(text):
    """Return the lines that the text shows for a model of one's own."""
    lines = re.search(r"@register\(.*?return [^\n]*", text, re.DOTALL)[0]
    assert len(lines.splitlines()) <= 6
    return lines


def test_readme_and_notebook_show_the_same_six_lines():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert own_model(source("own-model")) == own_model(readme)


def test_a_model_of_ones_own_takes_the_study_s_recipe(monkeypatch):
    monkeypatch.setattr(models, "registry", {})
    exec(source("own-model"), {"keras": keras})
    recipe = models.registry["my_model"]
    models.check_model("my_model")
    assert (recipe.epochs, recipe.learning_rate) == (2, 0.01)
    assert recipe.deforms and recipe.batch_size == models.Recipe(None).batch_size


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
    (images, labels), test = data.fallback()
    recipe = models.registry["dense_dropout"]
    small = {"epochs": 2, "images": 10_000, "batch_size": 256, "options": {"widths": (256, 256)}}
    recipe = dataclasses.replace(recipe, **small)
    validation = data.prepare(test[0]), data.one_hot(test[1])
    trained = training.train(recipe, data.prepare(images), data.one_hot(labels), validation)
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
    said = run("python", "-c", ON_TWO, folder=ROOT, PYTHONPATH=f"{ROOT}:{ROOT / 'tests'}").stdout
    two, accuracy = json.loads(re.search(r"(?m)^found (.*)$", said)[1])
    one, expected = short_training()
    assert (one, two) == (1, 2) and expected > 0.9
    assert accuracy == pytest.approx(expected, abs=0.02)
