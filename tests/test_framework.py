"""The framework: a model of one's own, builders that make no sense, several devices."""

import json
import re
import sys

import nbformat
import pytest
from conftest import (
    ROOT,
    clean_copy,
    edit_notebook,
    execute_until,
    outputs_text,
    read_notebook,
    run,
)


def own_model(text):
    """Return the six lines that the text shows for a model of one's own."""
    lines = re.search(r"```python\n(@register.*?)```", text, re.DOTALL)[1]
    assert len(lines.strip().splitlines()) <= 6
    return lines


def test_readme_and_notebook_show_the_same_six_lines():
    cell = next(cell for cell in read_notebook().cells if cell.id == "registry-text")
    assert own_model(cell.source) == own_model((ROOT / "README.md").read_text(encoding="utf-8"))


def test_a_model_of_ones_own_needs_six_lines_and_appears_everywhere(tmp_path):
    folder = clean_copy(tmp_path / "copy")
    path = folder / "mnist_model.ipynb"
    edit_notebook(path, profile="quick", models=["softmax_regression", "my_model"])
    notebook = read_notebook(path)
    ids = [cell.id for cell in notebook.cells]
    source = own_model(notebook.cells[ids.index("registry-text")].source)
    notebook.cells.insert(ids.index("cnn") + 1, nbformat.v4.new_code_cell(source))
    nbformat.write(notebook, path)
    run("papermill", path.name, "out.ipynb", folder=folder)

    metrics = json.loads((folder / "metrics.json").read_text())
    assert list(metrics["models"]) == ["softmax_regression", "my_model"]
    assert metrics["models"]["my_model"]["test_accuracy"] > 0.5
    assert metrics["saved_model"] == "my_model"
    executed = read_notebook(folder / "out.ipynb")
    assert "my_model" in outputs_text(executed)
    table = next(cell for cell in executed.cells if cell.id == "results-table")
    assert "my_model" in table.outputs[0]["data"]["text/html"]


BUILDERS = {
    "ten_units_missing": ((9, "softmax"), "end with ten units"),
    "no_softmax": ((10,), "gives no probabilities: end with a softmax"),
    "flat_input": ((10, "softmax"), "start with keras.Input"),
    "returns_nothing": (None, "returns no Keras model"),
}


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """Return the notebook's names as they stand before any training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("names"))
        yield execute_until("check-models", profile="quick")


@pytest.mark.parametrize("name", BUILDERS)
def test_a_builder_that_makes_no_sense_is_refused(names, name):
    last, message = BUILDERS[name]
    shape = (784,) if name == "flat_input" else (28, 28, 1)
    keras = names["keras"]

    def build():
        if last:
            layers = [keras.Input(shape), keras.layers.Flatten()]
            return keras.Sequential([*layers, keras.layers.Dense(*last)])

    build.__name__ = name
    names["register"](epochs=1)(build)
    with pytest.raises(ValueError, match=f"{name}.*{message}"):
        names["check_model"](name)


# Trains one epoch of dense_dropout on so many logical CPU devices; prints devices and accuracy.
ON_DEVICES = """
import json, sys
import tensorflow as tf
from conftest import execute_until
from IPython.core.interactiveshell import InteractiveShell

InteractiveShell.instance()  # the live line and chart need it
cpu = tf.config.list_physical_devices("CPU")[0]
devices = [tf.config.LogicalDeviceConfiguration()] * int(sys.argv[1])
tf.config.set_logical_device_configuration(cpu, devices)
names = execute_until("train", epochs=1)
result = names["train"]("dense_dropout", names["registry"]["dense_dropout"])
found = [names["strategy"].num_replicas_in_sync, result.history["val_accuracy"][-1]]
print("found", json.dumps(found))
"""


def test_two_devices_train_as_well_as_one(tmp_path):
    accuracies = {}
    for count in (1, 2):
        command = (sys.executable, "-c", ON_DEVICES, str(count))
        done = run(*command, folder=tmp_path, PYTHONPATH=ROOT / "tests")
        devices, accuracy = json.loads(re.search(r"(?m)^found (.*)$", done.stdout)[1])
        assert devices == count
        accuracies[count] = accuracy
    assert accuracies[1] > 0.9
    assert accuracies[2] == pytest.approx(accuracies[1], abs=0.02)
