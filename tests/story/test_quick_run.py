"""A quick run of the notebook, and its repeat after a kill."""

import re
import shutil

import numpy as np
import pytest
from support.notebook import (
    executed,
    outputs_text,
    weights_sha256,
)
from support.project import ended, kill, make, run, start, wait_until
from support.record import (
    FIGURES,
    check_figures,
    check_outputs,
    check_record,
    check_trust,
    shown_figures,
    timeless,
)

from mnist_study.core.backend import keras
from mnist_study.records import experiments
from mnist_study.ship import reproduce
from mnist_study.story.parameters import STUDY

MODELS = STUDY["models"]


def test_make_run_shows_that_it_is_alive(quick):
    assert f"of {len(quick.notebook.cells)}: 1. What a digit is to a computer" in quick.terminal
    for name in quick.record["models"]:
        assert re.search(rf"{name}, epoch 1 of \d+: validation accuracy \d", quick.terminal)
    assert "\x1b" not in quick.terminal and "images of mnist" in quick.terminal


def test_a_quick_run_is_complete_and_consistent(quick):
    assert quick.record["profile"] == "quick" and list(quick.record["models"]) == MODELS
    check_record(quick.record)
    check_trust(quick.record)
    check_figures(quick.folder, FIGURES)
    assert {"accuracy_plot.png", "loss_plot.png"} <= FIGURES
    check_outputs(quick.notebook)
    assert not list(quick.folder.rglob(".partial-*"))
    assert "This run has parameters of its own:** profile = 'quick'" in outputs_text(quick.notebook)
    assert all(alt.endswith("not the full study)") for _, alt in shown_figures(quick.notebook))


def test_the_saved_model_predicts_like_the_recorded_one(quick):
    path = quick.folder / "mnist_model.h5"
    recorded = quick.record["models"][quick.record["saved_model"]]["weights_sha256"]
    assert weights_sha256(path) == recorded
    model = keras.models.load_model(path, compile=False)
    probabilities = model.predict(np.zeros((2, 28, 28, 1), np.float32), verbose=0)
    assert probabilities.shape == (2, 10)
    assert probabilities.sum(1) == pytest.approx([1, 1], abs=1e-5)


@pytest.mark.fault(
    "the notebook is killed in training",
    "leaves all files as they were; the next run repeats the first",
)
def test_a_killed_run_loses_nothing_and_the_next_one_repeats_the_first(quick, tmp_path, capsys):
    folder = shutil.copytree(quick.folder, tmp_path / "copy")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    log = tmp_path / "log.txt"
    running = start(*make("run"), folder=folder, log=log)
    wait_until(lambda: "epoch 1 of" in log.read_text(), ended(running), log)
    kill(running)
    assert {path: path.read_bytes() for path in before} == before

    (folder / "results" / "metrics.json").unlink()
    run("papermill", "mnist_model.ipynb", "out.ipynb", "-p", "profile", "quick", folder=folder)
    repeat = executed(folder, "out.ipynb")
    assert timeless(repeat.record) == timeless(quick.record)
    for key in ("code_sha256", "dataset", "confusion_matrix", "transfer", "selective", "seeds"):
        assert repeat.record[key] == quick.record[key]
    pair = (folder, repeat.notebook, quick.folder)
    assert reproduce.compare_runs(*pair) == 0
    assert ", 0 within tolerance, 0 DIFFERENT" in capsys.readouterr().out
    shutil.copy(
        folder / "visualizations" / "loss_plot.png", folder / "visualizations" / "ladder.png"
    )
    cell = next(cell for cell in repeat.notebook.cells if cell.id == "evaluate")
    cell.outputs[0].text = cell.outputs[0].text.replace("reads", "misreads")
    assert reproduce.compare_runs(*pair) == 1
    said = capsys.readouterr().out
    assert "| cell evaluate | DIFFERENT | other words |" in said and "| ladder.png | DIFF" in said


def test_what_the_record_says_over_seeds_agrees_with_itself(quick):
    seeds = quick.record["seeds"]
    assert seeds["runs"] == len(seeds["weights_sha256"]["dense_dropout"]) >= 5
    errors = {}
    for name, model in seeds["models"].items():
        test = model["test_accuracy"]
        assert test["min"] <= test["mean"] <= test["max"] and model["fit_seconds"]["min"] > 0
        errors[name] = 10_000 * (1 - test["mean"])
        low, high = model["test_accuracy_over_writers"]["ci95"]
        assert low < test["mean"] < high
        entry = seeds["populations"][name]
        students, census = entry["students"], entry["census"]
        assert (students["n"], census["n"]) == (5_001, 4_999)
        assert students["errors"] + census["errors"] == pytest.approx(errors[name], abs=1e-6)
        low, high = entry["ratio_ci95"]
        assert low <= entry["ratio"] <= high
        assert entry["ratio"] == pytest.approx(students["errors"] / census["errors"], rel=1e-3)
    rungs = [rung["experiment"] for rung in seeds["ablation"]]
    assert rungs[:2] == ["softmax_regression", "classic_mlp"] and rungs[-2:] == [
        "dense_dropout",
        "dense_taught",
    ]
    marks = {0.9774, 0.984, 0.99, 0.9904, 0.9922, 0.993, 0.995, 0.996}
    assert {mark["threshold"] for mark in seeds["time_to_accuracy"]} == marks
    for mark in seeds["time_to_accuracy"]:
        assert mark["reached"] == (mark["test_accuracy"]["mean"] >= mark["threshold"])
    for rung in seeds["ablation"][1:]:
        assert rung["ci95"][0] < rung["change"] < rung["ci95"][1]
    assert len(seeds["choices"]) == len(experiments.CHOICES) - 1
