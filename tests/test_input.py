"""Bad input gets a clear error, and nothing on disk is lost."""

import os

import pytest
from conftest import clean_copy, edit_notebook, execute_until, run

WRONG = [
    ("profile", "fast", "give 'full' or 'quick'"),
    ("models", [], "give a list of names"),
    ("seed", -1, "give a whole number from 0"),
    ("seed", 1.5, "give a whole number from 0"),
    ("epochs", 0, "give a whole number from 1"),
    ("epochs", True, "give a whole number from 1"),
    ("batch_size", 100, "give a multiple of 32"),
    ("layer_widths", [1024, 0], "give a list of whole numbers"),
    ("layer_widths", 1024, "give a list of whole numbers"),
    ("dropout", 1, "give a share from 0 to below 1"),
    ("label_smoothing", 1, "give a share from 0 to below 1"),
    ("explore", "yes", "give True or False"),
    ("learning_rate", -0.1, "give a number from"),
    ("learning_rate", float("nan"), "give a number from"),
    ("validation_size", 60_000, "give 100 to 30,000 images"),
    ("download_seconds", 0, "give 1 to 86,400 seconds"),
]


def test_the_parameters_as_they_stand_are_accepted():
    execute_until("check-values")


@pytest.mark.parametrize(("name", "value", "advice"), WRONG)
def test_a_senseless_parameter_is_refused_with_advice(name, value, advice):
    with pytest.raises(ValueError, match=advice) as error:
        execute_until("check-values", **{name: value})
    assert f"{name} is {value!r}" in str(error.value)


def test_an_unknown_model_is_refused_before_training(tmp_path):
    notebook = clean_copy(tmp_path) / "mnist_model.ipynb"
    edit_notebook(notebook, until="check-models", models=["dense_droput"])
    failed = run("papermill", notebook.name, "out.ipynb", folder=tmp_path, check=False)
    assert failed.returncode != 0
    assert "models names 'dense_droput'" in failed.stderr
    assert (
        "choose from ['classic_mlp', 'cnn', 'dense_dropout', 'softmax_regression']" in failed.stderr
    )


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path):
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):  # root may write anywhere but where the kernel refuses
        folder = "/proc/self"
    with pytest.raises(OSError, match="set output_folder to a folder of yours"):
        execute_until("output", output_folder=str(folder))
