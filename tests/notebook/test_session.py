"""Bad input gets a clear error before anything is trained; the study's own gets no notice."""

import contextlib
import copy
import dataclasses
import errno
import json
import os
import socket
import subprocess
import time

import filelock
import matplotlib.pyplot as plt
import numpy as np
import psutil
import pytest
from support.notebook import source
from support.project import run

from mnist_study import data, experiments, lock, models
from mnist_study.errors import FolderError, ParameterError
from mnist_study.figures.style import Shown
from mnist_study.notebook import session, widgets
from mnist_study.notebook.parameters import STUDY, Parameters

# A value of each kind that is just beyond what is allowed, or of another type; and the bounds.
BAD = {"profile": "fast", "models": [], "seed": 1.5, "epochs": True, "batch_size": 48}
BAD |= {"layer_widths": [1024, 0], "dropout": 1, "learning_rate": float("nan")}
BAD |= {"validation_size": 30_001, "output_folder": None}
URLS = ("https://host/a", "s3://bucket/a", "file:///tmp/a", "gs:/bucket")
NO_FOLDERS = [("output_folder", name) for name in ("~nobody-of-that-name/a", "a\0b", *URLS)]
LEAST = {"seed": 0, "epochs": 1, "batch_size": 32, "layer_widths": [1], "validation_size": 100}
MOST = {"batch_size": 8_192, "layer_widths": [20_000], "validation_size": 30_000}


@pytest.fixture
def shown(monkeypatch):
    """What the session displays."""
    displayed = []
    monkeypatch.setattr(session, "display", displayed.append)
    return displayed


def is_free(folder):
    """Return whether another run could begin in the folder."""
    with contextlib.suppress(filelock.Timeout), filelock.FileLock(folder / lock.NAME, timeout=0):
        return True
    return False


@pytest.mark.parametrize(("name", "value"), [*BAD.items(), *NO_FOLDERS])
@pytest.mark.setting("a senseless {name}", "is refused, with what to give")
def test_a_bad_parameter_is_refused_with_advice(begin, name, value, record_property):
    with pytest.raises(ParameterError, match=rf"^{name} is .+: give .+") as refused:
        begin(**{name: value})
    record_property("said", str(refused.value))


@pytest.mark.setting("`~` and `a:b` in output_folder", "mean home, and a folder")
def test_a_tilde_means_home_and_odd_names_are_folders(begin, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name, folder in {"~/runs": "runs", "a:b/c": "a:b/c"}.items():
        assert begin(output_folder=name).folder.absolute() == tmp_path / folder
    assert not (tmp_path / "~").exists()


def test_an_unknown_model_and_a_misspelt_parameter_are_refused(begin, fallback):
    with pytest.raises(ParameterError, match=r"'dense_droput'.*'dense_dropout'"):
        begin(models=["dense_droput"]).identify(*fallback)
    assert Parameters.among({"profile": "quick", "model": object(), "rate": 0.5}).quick
    with pytest.raises(ParameterError, match=r"profil .*profile"):
        Parameters.among({"profil": "quick"})


def test_the_notebook_s_parameters_are_the_study_s_and_bounds_are_allowed(begin):
    parameters = begin().parameters
    assert dataclasses.replace(parameters, output_folder=".") == Parameters()
    assert parameters.changed() == {}
    assert {*dataclasses.asdict(parameters)} == {*STUDY, "download_seconds", "output_folder"}
    assert socket.getdefaulttimeout() == parameters.download_seconds
    for bounds in (LEAST, MOST):
        assert Parameters.checked(**bounds).changed() == bounds


def test_parameters_shape_the_run_s_configuration_and_no_experiment(begin):
    known = copy.deepcopy((models.registry, experiments.TABLE))
    given = {"epochs": 40, "batch_size": 64, "layer_widths": [32, 16], "dropout": 0.3}
    study = begin(**given, label_smoothing=0.2, learning_rate=0.1)
    configuration = study.configurations()["dense_dropout"]
    assert (configuration.epochs, configuration.batch_size) == (40, 64)
    assert (configuration.label_smoothing, configuration.learning_rate) == (0.2, 0.1)
    layers = configuration.build().layers
    assert [layer.units for layer in layers if hasattr(layer, "units")] == [32, 16, 10]
    assert layers[-2].rate == 0.3
    assert known == (models.registry, experiments.TABLE)


def test_quick_trains_on_a_tenth_of_the_images_and_validates_on_the_same(begin, fallback):
    given, labels = {"models": ["cnn"], "validation_size": 400}, fallback[0][1]
    full, quick = begin(**given), begin(**given, profile="quick")
    for study, count in ((full, 3_600), (quick, 360)):
        study.identify(*fallback)
        training, validation = study.split(labels)
        assert len(training) == study.dataset["train_used"] == count
        assert (np.bincount(labels[validation]) == 40).all() and not {*training} & {*validation}
        assert (study.writers == data.Population.UNKNOWN).all() and len(study.writers) == 4_000
    assert quick.configurations()["cnn"] == full.configurations()["cnn"].quick()


def test_mnist_s_images_validate_by_population(begin):
    study = begin(validation_size=400)
    study.dataset = {"name": "mnist", "train": 60_000}
    assert (study.writers == data.training_writers()).all()
    _, validation = study.split(np.zeros(60_000, int))
    assert np.array_equal(validation, data.split(data.training_writers(), size=400)[1])


def test_other_images_and_parameters_are_given_notice_of(begin, fallback, shown, capsys):
    study = begin(seed=2, models=["cnn"])
    study.reason = "TimeoutError: timed out"
    study.identify(*fallback)
    assert "not the full MNIST" in study.notice
    assert study.reason in shown[0].data and "models = ['cnn'], seed = 2." in shown[0].data
    assert capsys.readouterr().out == "mnist-5k: 4,000 training and 1,000 test images\n"


@pytest.mark.fault("the folder is read-only", "stops before anything is trained")
def test_a_folder_that_cannot_be_written_to_is_refused(begin, tmp_path, record_property):
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):  # root may write anywhere but where the kernel refuses
        folder = "/proc/self"
    with pytest.raises(FolderError, match="output_folder") as refused:
        begin(output_folder=str(folder))
    assert refused.value.errno in (errno.EACCES, errno.EPERM, errno.ENOENT)
    record_property("said", str(refused.value))


def test_a_session_locks_its_folder_until_it_closes_or_cannot_begin(begin, tmp_path):
    study = begin()
    assert not is_free(tmp_path)
    study = begin()  # the cell once more: the session before is gone with its name
    assert not is_free(tmp_path)
    study.close()
    assert is_free(tmp_path)
    study.close()
    (tmp_path / "visualizations").rmdir()
    (tmp_path / "visualizations").write_text("a file in the way")
    with pytest.raises(FolderError):
        begin()
    assert is_free(tmp_path)


def test_the_record_is_written_and_frees_the_folder(begin, tmp_path, fallback):
    study = begin(seed=7, models=["cnn"])
    study.identify(*fallback)
    record = study.record(models={"cnn": {"test_accuracy": 0.9}})
    assert json.loads((tmp_path / "results" / "metrics.json").read_text()) == record
    assert record["parameters"]["seed"] == 7 and record["models"]["cnn"]["test_accuracy"] == 0.9
    assert record["code_sha256"][:12] in study.summary_table(record, {}).to_html()
    assert is_free(tmp_path)


@pytest.mark.parametrize("recorded", [False, True])
def test_a_figure_is_written_and_shown_with_title_notice_and_text(begin, shown, tmp_path, recorded):
    study, figure, path = begin(), plt.figure(figsize=(4, 2)), tmp_path / "visualizations/blank.png"
    drawn = Shown(figure, "Title", "Blank.", path.name, recorded)
    study.show(None)
    study.show(drawn)
    assert shown[-1].alt == "Title. Blank." and figure.get_suptitle() == "Title"
    study.notice = "not the full study"
    study.show(drawn)
    title = figure.get_suptitle()
    assert title.startswith("Title (") and title.endswith("not the full study)")
    assert ("recorded results" in title) is recorded
    assert max(map(len, title.split("\n"))) <= 44  # it is four inches wide
    assert shown[-1].alt == "Title. Blank." + title.replace("\n", " ").removeprefix("Title")
    assert path.read_bytes() == shown[-1].data and shown[-1].width == 400
    path.unlink()
    study.save_figure(drawn)
    assert path.exists() and len(shown) == 2


def test_lines_of_a_title_are_about_equally_long():
    title = "Softmax regression after a hundred steps: weights of each digit"
    assert session.balanced(title, 60).split("\n") == [
        "Softmax regression after a hundred",
        "steps: weights of each digit",
    ]
    assert session.balanced("Short", 60) == "Short"


def test_a_notebook_opened_alone_says_how_to_get_the_package(tmp_path):
    alone = run("python", "-I", "-c", source("imports"), folder=tmp_path, check=False)
    last = alone.stderr.strip().splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: No module named 'mnist_study'")
    assert "clone or download the whole repository" in last
    assert "on Colab or Kaggle first run the lines that stand above" in last


def test_the_page_shows_under_jupyter_alone(shown, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    session.show_page()
    assert shown == []
    monkeypatch.setenv("JPY_SESSION_NAME", "notebook")
    session.show_page()
    assert '<iframe srcdoc="&lt;!doctype html&gt;' in shown[0].data


@pytest.mark.setting("`!papermill` in a cell of JupyterLab", "widgets and page stay out of it")
def test_a_session_s_name_that_is_inherited_makes_no_live_notebook(monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")
    with subprocess.Popen(["sleep", "60"]) as papermill:  # it has inherited the name
        monkeypatch.setenv("JPY_PARENT_PID", str(papermill.pid))
        while not psutil.Process(papermill.pid).environ():  # it has only just begun
            time.sleep(0.01)
        inherited = session.is_live()
        papermill.kill()
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getppid()))
    assert session.is_live() and not inherited


def test_a_larger_learning_rate_falls_faster_until_it_overshoots():
    x, y = np.eye(10, 784, dtype=np.float32), np.eye(10)
    slow, fast, wild = (widgets.losses_at(rate, x, y) for rate in (0.1, 1, 300))
    assert slow[0] == fast[0] == pytest.approx(np.log(10)) and fast[-1] < slow[-1] < slow[0]
    assert len(wild) == 50 and widgets.learning_rate(x, y) is None  # no live front end here
