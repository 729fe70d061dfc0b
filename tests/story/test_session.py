"""Bad input gets a clear error before anything is trained; the study's own gets no notice."""

import dataclasses
import errno
import json
import os
import socket

import filelock
import matplotlib.pyplot as plt
import numpy as np
import pytest
from support.notebook import source
from support.project import run

from mnist_study.core import data, models
from mnist_study.core.backend import keras
from mnist_study.errors import FolderError, ModelError, ParameterError
from mnist_study.records import experiments, lock, store
from mnist_study.story import session
from mnist_study.story.figures.style import Shown
from mnist_study.story.parameters import STUDY, Parameters

WRONG = [
    ("profile", "fast", "give 'full' or 'quick'"),
    ("models", [], "give a list of names"),
    ("models", "cnn", "give a list of names"),
    ("seed", -1, "give a whole number from 0"),
    ("seed", 1.5, "give a whole number from 0"),
    ("epochs", 0, "give a whole number from 1"),
    ("epochs", True, "give a whole number from 1"),
    ("batch_size", 100, "give a multiple of 32"),
    ("batch_size", 48, "give a multiple of 32"),
    ("batch_size", 8_224, "give a multiple of 32"),
    ("layer_widths", [1024, 0], "give a list of whole numbers"),
    ("layer_widths", 1024, "give a list of whole numbers"),
    ("dropout", 1, "give a share from 0 to below 1"),
    ("label_smoothing", 1, "give a share from 0 to below 1"),
    ("learning_rate", -0.1, "give a number from"),
    ("learning_rate", float("nan"), "give a number from"),
    ("learning_rate", 10, "give a number from"),
    ("validation_size", 99, "give 100 to 30,000 images"),
    ("validation_size", 60_000, "give 100 to 30,000 images"),
    ("download_seconds", 0, "give 1 to 86,400 seconds"),
    ("output_folder", None, "give the path of a folder"),
]


@pytest.fixture
def shown(monkeypatch):
    """What the session displays."""
    found = []
    monkeypatch.setattr(session, "display", found.append)
    return found


def is_free(folder):
    """Return whether another run could begin in the folder."""
    try:
        filelock.FileLock(folder / lock.NAME).acquire(blocking=False).lock.release()
    except filelock.Timeout:
        return False
    return True


@pytest.mark.parametrize(("name", "value", "advice"), WRONG)
def test_a_senseless_parameter_is_refused_with_advice(begin, name, value, advice):
    with pytest.raises(ParameterError, match=advice) as error:
        begin(**{name: value})
    assert str(error.value).startswith(f"{name} is {value!r}: ")


def test_the_least_and_the_most_are_accepted():
    least = {"seed": 0, "epochs": 1, "batch_size": 32, "layer_widths": [1], "dropout": 0}
    Parameters.checked(**least, label_smoothing=0, learning_rate=1e-7, validation_size=100)
    Parameters.checked(
        batch_size=8_192, layer_widths=[20_000], validation_size=30_000, dropout=0.99
    )


def test_the_parameters_as_they_stand_are_accepted_and_those_of_the_study(begin):
    parameters = begin().parameters
    given = dataclasses.asdict(parameters)
    assert given == dataclasses.asdict(Parameters()) | {"output_folder": given["output_folder"]}
    assert set(given) == {*STUDY, "download_seconds", "output_folder"}
    assert parameters.changed() == {} and parameters.dense_dropout.build().count_params() > 0
    assert socket.getdefaulttimeout() == parameters.download_seconds


def test_parameters_shape_the_recipes(begin):
    given = {"epochs": 40, "batch_size": 64, "layer_widths": [32, 16], "dropout": 0.3}
    recipe = begin(**given, label_smoothing=0.2, learning_rate=0.1).recipes()["dense_dropout"]
    assert (recipe.epochs, recipe.batch_size) == (40, 64)
    assert (recipe.smoothing, recipe.learning_rate) == (0.2, 0.1)
    layers = recipe.build().layers
    assert [layer.units for layer in layers if hasattr(layer, "units")] == [32, 16, 10]
    assert layers[-2].rate == 0.3


def test_a_run_s_parameters_leave_the_study_s_experiments_alone(begin):
    known = dict(models.registry)
    described = [store.describe(experiment) for experiment in experiments.study()]
    study = begin(epochs=3, layer_widths=[64])
    assert study.recipes()["dense_dropout"].epochs == 3
    assert models.registry == known
    assert [store.describe(experiment) for experiment in experiments.study()] == described


def test_quick_is_the_same_with_less(begin, fallback):
    full, quick = begin(), begin(profile="quick")
    for study, count in ((full, 3_500), (quick, 350)):
        study.identify(*fallback)
        assert [len(rows) for rows in study.split(fallback[0][1])] == [count, 500]
        assert (study.dataset["train_used"], study.dataset["validation"]) == (count, 500)
    recipes = zip(full.recipes().values(), quick.recipes().values(), strict=True)
    for thorough, hasty in recipes:
        assert hasty.epochs <= 1 + thorough.epochs / 16 and hasty.images == thorough.images // 10
        assert hasty.network is thorough.network and hasty.options == thorough.options


def test_rows_are_held_out_by_population_or_where_it_is_unknown_by_digit(begin, fallback):
    study, labels = begin(validation_size=1_000), fallback[0][1]
    study.identify(*fallback)
    rows, held = study.split(labels)
    assert (np.bincount(labels[held]) == 50).all() and not set(rows) & set(held)
    assert (study.writers == data.Population.UNKNOWN).all() and len(study.writers) == 4_000
    study.dataset = {"name": "mnist", "train": 60_000}
    rows, held = study.split(np.zeros(60_000, int))
    of_study = data.split(data.training_writers(), size=1_000)
    assert (rows == of_study[0]).all() and (held == of_study[1]).all() and len(held) == 1_000
    assert (study.writers == data.training_writers()).all()


def test_other_images_and_parameters_are_given_notice_of(begin, shown, capsys):
    study = begin(seed=2)
    train, test = study.fall_back(TimeoutError("timed out"))
    study.identify(train, test)
    assert study.dataset["name"] == "mnist-5k" and study.reason == "TimeoutError: timed out"
    assert "not the full MNIST" in study.notice
    assert "deliver it (`TimeoutError: timed out`)" in shown[0].data
    assert "**This run has parameters of its own:** seed = 2." in shown[0].data
    assert capsys.readouterr().out == "mnist-5k: 4,000 training and 1,000 test images\n"


def test_an_unknown_model_is_refused_before_training(begin, fallback):
    known = sorted(models.registry)
    with pytest.raises(ModelError) as error:
        begin(models=["dense_droput"]).identify(*fallback)
    assert str(error.value) == f"models names 'dense_droput': choose from {known}"


@pytest.mark.fault("the folder is read-only", "stops before anything is trained")
def test_a_folder_that_cannot_be_written_to_is_refused(begin, tmp_path, record_property):
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):  # root may write anywhere but where the kernel refuses
        folder = "/proc/self"
    with pytest.raises(FolderError, match="set output_folder to a folder of yours") as refused:
        begin(output_folder=str(folder))
    assert refused.value.errno in (errno.EACCES, errno.EPERM, errno.ENOENT)
    record_property("said", str(refused.value))


def test_a_session_holds_its_folder_until_it_closes(begin, tmp_path):
    study = begin()
    assert not is_free(tmp_path)
    study = begin()  # the cell once more: the session before is gone with its name
    assert not is_free(tmp_path)
    study.close()
    assert is_free(tmp_path)
    study.close()


def test_a_session_that_cannot_begin_leaves_its_folder_free(begin, tmp_path):
    (tmp_path / "visualizations").write_text("a file in the way")
    with pytest.raises(FolderError, match="cannot write to"):
        begin()
    assert is_free(tmp_path)


def test_the_record_says_what_was_done_and_frees_the_folder(begin, tmp_path, monkeypatch, fallback):
    monkeypatch.setattr(session.summary, "seeds", dict)
    monkeypatch.setattr(session.judged, "summed_up", dict)
    study = begin(profile="quick", seed=7)
    study.identify(*study.fall_back(OSError("no network")))
    record = study.record(models={"cnn": {"test_accuracy": 0.9}})
    assert json.loads((tmp_path / "results" / "metrics.json").read_text()) == record
    assert record["parameters"]["seed"] == 7 and record["profile"] == "quick"
    assert record["dataset"]["reason"] == "OSError: no network" and record["total_seconds"] > 0
    assert record["models"] == {"cnn": {"test_accuracy": 0.9}} and len(record["code_sha256"]) == 64
    assert is_free(tmp_path)


def test_figures_are_kept_and_shown_with_title_notice_and_text(begin, shown, tmp_path):
    study, path = begin(), tmp_path / "visualizations" / "blank.png"

    def blank(kept):
        figure = plt.figure(figsize=(4, 2))
        return Shown(figure, "Found", "A blank figure.", "blank.png", kept)

    for kept, notice in (
        (False, " (not the full study)"),
        (True, " (kept results of the full study; this run is not the full study)"),
    ):
        study.notice, drawn = "not the full study", blank(kept)
        study.show(drawn)
        assert drawn.figure.get_suptitle().replace("\n", " ") == "Found" + notice
        lines = drawn.figure.get_suptitle().split("\n")
        assert max(map(len, lines)) <= 44  # it is four inches wide
        assert shown[-1].alt == "A blank figure." + notice and shown[-1].width == 400
        assert path.read_bytes() == shown[-1].data
    study.notice = ""
    study.show(blank(kept=True))
    assert shown[-1].alt == "A blank figure."
    path.unlink()
    study.keep(blank(kept=False))
    study.show(None)
    assert path.exists() and len(shown) == 3


def test_a_model_is_saved_without_its_optimiser(begin, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    file = begin().save(model)
    assert file == tmp_path / "mnist_model.h5"
    loaded = keras.models.load_model(file)
    assert np.array_equal(loaded.get_weights()[0], model.get_weights()[0])
    assert getattr(loaded, "optimizer", None) is None


def test_a_notebook_opened_alone_says_how_to_get_the_package(tmp_path):
    alone = run("python", "-I", "-c", source("imports"), folder=tmp_path, check=False)
    last = alone.stderr.strip().splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: No module named 'mnist_study'")
    assert "clone or download the whole repository" in last


def test_a_misspelt_parameter_is_refused():
    names = {"profile": "quick", "model": object(), "losses": [0.5], "rate": 0.5}
    assert Parameters.among(names).quick
    with pytest.raises(ParameterError, match="profil is no parameter: profile is one"):
        Parameters.among({"profil": "quick"})


def test_the_page_shows_under_jupyter_alone(shown, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    session.show_page()
    assert shown == []
    monkeypatch.setenv("JPY_SESSION_NAME", "notebook")
    session.show_page()
    assert '<iframe srcdoc="&lt;!doctype html&gt;' in shown[0].data
