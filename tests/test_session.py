"""Bad input gets a clear error before anything is trained; the study's own gets no notice."""

import os
import socket

import pytest
from conftest import run, source

from mnist_study import data, session

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
    ("learning_rate", -0.1, "give a number from"),
    ("learning_rate", float("nan"), "give a number from"),
    ("validation_size", 60_000, "give 100 to 30,000 images"),
    ("download_seconds", 0, "give 1 to 86,400 seconds"),
    ("output_folder", None, "give the path of a folder"),
]


@pytest.mark.parametrize(("name", "value", "advice"), WRONG)
def test_a_senseless_parameter_is_refused_with_advice(begin, name, value, advice):
    with pytest.raises(ValueError, match=advice) as error:
        begin(**{name: value})
    assert f"{name} is {value!r}" in str(error.value)


def test_the_parameters_as_they_stand_are_accepted_and_those_of_the_study(begin):
    parameters = begin().parameters
    assert {name: parameters[name] for name in session.STUDY} == session.STUDY
    assert set(parameters) == set(session.STUDY) | {"download_seconds", "output_folder"}
    assert socket.getdefaulttimeout() == parameters["download_seconds"]


def test_parameters_shape_the_recipes(begin):
    given = {"epochs": 40, "batch_size": 64, "layer_widths": [32, 16], "dropout": 0.3}
    recipe = begin(**given, label_smoothing=0.2, learning_rate=0.1).recipes()["dense_dropout"]
    assert (recipe.epochs, recipe.batch_size) == (40, 64)
    assert (recipe.smoothing, recipe.learning_rate) == (0.2, 0.1)
    layers = recipe.build().layers
    assert [layer.units for layer in layers if hasattr(layer, "units")] == [32, 16, 10]
    assert layers[-2].rate == 0.3


def test_quick_is_the_same_with_less(begin, fallback):
    full, quick = begin(), begin(profile="quick")
    for study, count in ((full, 3_500), (quick, 350)):
        study.identify(*fallback)
        assert [len(rows) for rows in study.split(fallback[0][1])] == [count, 500]
    recipes = zip(full.recipes().values(), quick.recipes().values(), strict=True)
    for thorough, hasty in recipes:
        assert hasty.epochs <= 1 + thorough.epochs / 16 and hasty.images == thorough.images // 10
        assert hasty.network is thorough.network and hasty.options == thorough.options


def test_other_images_and_parameters_are_given_notice_of(begin):
    study = begin(seed=2)
    train, test = study.fall_back(TimeoutError("timed out"))
    study.identify(train, test)
    assert study.dataset["name"] == "mnist-5k" and study.reason == "TimeoutError: timed out"
    assert "not the full MNIST" in study.notice


def test_an_unknown_model_is_refused_before_training(begin, fallback):
    known = (
        "choose from ['classic_mlp', 'cnn', 'dense_dropout', 'digit_reader', 'softmax_regression']"
    )
    with pytest.raises(ValueError) as error:
        begin(models=["dense_droput"]).identify(*fallback)
    assert str(error.value) == f"models names 'dense_droput': {known}"


@pytest.mark.fault("the folder is read-only", "stops before anything is trained")
def test_a_folder_that_cannot_be_written_to_is_refused(begin, tmp_path, record_property):
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):  # root may write anywhere but where the kernel refuses
        folder = "/proc/self"
    with pytest.raises(OSError, match="set output_folder to a folder of yours") as refused:
        begin(output_folder=str(folder))
    record_property("said", str(refused.value))


def test_a_notebook_opened_alone_says_how_to_get_the_package(tmp_path):
    alone = run("python", "-I", "-c", source("imports"), folder=tmp_path, check=False)
    last = alone.stderr.strip().splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: No module named 'mnist_study'")
    assert "clone or download the whole repository" in last


def test_the_shown_source_is_the_package_s_own(begin, monkeypatch):
    shown = []
    monkeypatch.setattr(session, "display", lambda markdown: shown.append(markdown.data))
    session.source(data.split)
    assert shown[0].startswith(
        "[`mnist_study/data.py`](mnist_study/data.py)\n\n```python\ndef split("
    )
