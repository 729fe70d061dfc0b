"""The quick study, executed: its artifacts, its repeat after a killed run, its offline fallback."""

import itertools
import json
import re
import shutil
import signal
import subprocess

import keras
import numpy as np
import psutil
import pytest
from conftest import (
    clean_copy,
    code_cells,
    edit_notebook,
    execute_until,
    make,
    outputs_text,
    read_notebook,
    run,
    weights_sha256,
)
from host import DEAD
from PIL import Image

FIGURES = {
    "sample_digits.png",
    "class_balance.png",
    "deformations.png",
    "accuracy_plot.png",
    "loss_plot.png",
    "time_to_accuracy.png",
    "confusion_matrix.png",
    "confident_mistakes.png",
    "uci_digits.png",
    "transfer.png",
    "calibration.png",
    "robustness.png",
    "populations.png",
    "contested_labels.png",
    "preparation.png",
    "own_digits.png",
}
NEED_ROWS = {"populations.png", "contested_labels.png"}  # the full MNIST's, known row by row
THRESHOLDS = {0.9774, 0.984, 0.99, 0.9904, 0.9922, 0.993, 0.995}
WAYS = {"as it is", "frozen features", "fine-tuned", "from scratch"}


def check_metrics(metrics):
    """Check that the record is complete and agrees with itself."""
    data = metrics["dataset"]
    assert data["train"] > 0 and data["validation"] > 0 and len(data["sha256"]) == 64
    assert metrics["saved_model"] in metrics["models"]
    for model in metrics["models"].values():
        low, high = model["test_accuracy_ci95"]
        assert 0 <= low < model["test_accuracy"] < high <= 1
        assert 0 < model["train_accuracy"] <= 1 and 0 < model["validation_accuracy"] <= 1
        assert model["epochs"] >= 1 and model["parameters"] > 0 and model["test_loss"] > 0
        assert 0 < model["fit_seconds"] < metrics["total_seconds"]
    assert {"softmax regression", "classic MLP"} <= {row["name"] for row in metrics["ablation"]}
    for row in metrics["ablation"] + metrics["time_to_accuracy"]:
        assert 0 < row["test_accuracy"] < 1 and row["fit_seconds"] > 0
    assert {row["threshold"] for row in metrics["time_to_accuracy"]} == THRESHOLDS
    assert 0 < metrics["throughput"]["train_gflops"] < 2 * metrics["throughput"]["peak_gflops"]
    test = metrics["mcnemar"]
    errors = [
        (1 - metrics["models"][name]["test_accuracy"]) * data["test"] for name in test["models"]
    ]
    assert test["n01"] - test["n10"] == pytest.approx(errors[0] - errors[1], abs=1e-6)
    assert 0 <= test["p_value"] <= 1
    found = {(row["method"], row["examples_per_class"]) for row in metrics["transfer"]}
    assert found == set(itertools.product(WAYS, (1, 2, 5, 10, 20, 50)))
    assert all(0 < row["accuracy_mean"] < 1 for row in metrics["transfer"])
    confusion = np.array(metrics["confusion_matrix"])
    assert confusion.sum() == data["test"]
    saved = metrics["models"][metrics["saved_model"]]
    assert np.trace(confusion) / data["test"] == pytest.approx(saved["test_accuracy"], abs=1e-12)


def check_evidence(metrics):
    """Check that the errors by population, labels, threshold and damage agree with the rest."""
    models, count = metrics["models"], metrics["dataset"]["test"]
    full = metrics["dataset"]["name"] == "mnist"
    assert set(metrics["populations"]) == (set(models) if full else set())
    for name, entry in metrics["populations"].items():
        students, census = entry["students"], entry["census"]
        assert (students["n"], census["n"]) == (5_001, 4_999)
        wrong = (1 - models[name]["test_accuracy"]) * count
        assert students["errors"] + census["errors"] == pytest.approx(wrong, abs=1e-6)
        ratio = students["errors"] / students["n"] / (census["errors"] / census["n"])
        low, high = entry["ratio_ci95"]
        assert low < high and low <= entry["ratio"] <= high
        assert entry["ratio"] == pytest.approx(ratio, rel=1e-5)
    assert set(metrics["calibration"]) == set(models)
    for entry in metrics["calibration"].values():
        assert entry["bins"] == 15 and 0.1 < entry["temperature"] < 10
        assert 0 < entry["ece_after"] < 0.1 and entry["log_loss_after"] > 0
    selective = metrics["selective"]
    assert 0.1 <= selective["threshold"] <= 1
    assert 0 < selective["coverage"] <= 1 and selective["error"] < 0.02
    labels, saved = metrics["labels"], models[metrics["saved_model"]]
    assert labels["contested"] == (15 if full else 0)
    gain = labels["misread"] - labels["contested"] * (1 - labels["accuracy_without_contested"])
    without = saved["test_accuracy"] + gain / count
    assert labels["accuracy_without_contested"] == pytest.approx(without, abs=1e-9)
    undamaged = {}
    for row in metrics["robustness"]:
        assert 0 <= row["accuracy"] <= 1
        if row["severity"] == 0:
            undamaged.setdefault(row["model"], []).append(row["accuracy"])
    assert set(undamaged) == set(models) - {"softmax_regression"}
    for name, accuracies in undamaged.items():
        assert len(accuracies) == len({row["corruption"] for row in metrics["robustness"]}) >= 9
        assert max(accuracies) - min(accuracies) < 0.005
        worst = min(row["accuracy"] for row in metrics["robustness"] if row["model"] == name)
        assert worst < 0.5 < max(accuracies)


def check_figures(folder, names=FIGURES):
    """Check that every figure decodes, has a white background and shows something."""
    assert {path.name for path in (folder / "visualizations").iterdir()} >= names
    for name in names:
        pixels = np.asarray(Image.open(folder / "visualizations" / name).convert("RGB"))
        corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert (corners == 255).all(), f"{name} has no white background"
        assert pixels.std() > 10, f"{name} is blank"


def without_times(notebook):
    """Return the outputs of cells not about time by cell id, times blanked, spaces folded."""
    kept = {}
    for cell in code_cells(notebook):
        if "timing" in cell.metadata.get("tags", []):
            continue
        text = json.dumps([output.get("data", output) for output in cell.outputs])
        kept[cell.id] = re.sub(r"[ -]+", " ", re.sub(r"\d[\d.,]* s\b", "TIME", text))
    return kept


def accuracies(metrics):
    return {
        name: {key: value for key, value in model.items() if key != "fit_seconds"}
        for name, model in metrics["models"].items()
    }


def test_make_run_shows_that_it_is_alive(quick):
    _, terminal, metrics, notebook = quick
    assert f"of {len(notebook.cells)}: Training" in terminal
    for name in metrics["models"]:
        assert re.search(rf"{name}, epoch 1 of \d+: validation accuracy \d", terminal)
    assert "\x1b" not in terminal


def test_the_artifacts_are_complete_and_consistent(quick):
    folder, _, metrics, notebook = quick
    assert metrics["profile"] == "quick"
    check_metrics(metrics)
    check_evidence(metrics)
    check_figures(folder)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert list(metrics["section_seconds"]) == re.findall(r"(?m)^## (.+)$", prose)
    assert not list(folder.rglob(".partial-*"))


def test_the_saved_model_predicts_like_the_recorded_one(quick):
    folder, _, metrics, _ = quick
    recorded = metrics["models"][metrics["saved_model"]]["weights_sha256"]
    assert weights_sha256(folder / "mnist_model.h5") == recorded
    model = keras.models.load_model(folder / "mnist_model.h5", compile=False)
    probabilities = model.predict(np.zeros((2, 28, 28, 1), np.float32), verbose=0)
    assert probabilities.shape == (2, 10)
    assert probabilities.sum(1) == pytest.approx([1, 1], abs=1e-5)


def test_a_killed_run_loses_nothing_and_the_next_one_repeats_the_first(quick, tmp_path):
    folder, _, metrics, notebook = quick
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    # A file takes the terminal's text, not a pipe: an orphaned kernel may hold that open.
    log = tmp_path / "log.txt"
    with log.open("w") as terminal:
        running = subprocess.Popen(make("run"), cwd=tmp_path, stdout=terminal, stderr=terminal)
    while "epoch 1 of" not in log.read_text():
        assert running.poll() is None, log.read_text()
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(0.2)
    for process in [*psutil.Process(running.pid).children(recursive=True), running]:
        process.send_signal(signal.SIGKILL)
    running.wait()
    assert {path: path.read_bytes() for path in before} == before

    (tmp_path / "metrics.json").unlink()
    command = ("papermill", "mnist_model.ipynb", "out.ipynb", "-p", "profile", "quick")
    run(*command, folder=tmp_path)
    repeat = json.loads((tmp_path / "metrics.json").read_text())
    assert accuracies(repeat) == accuracies(metrics)
    for key in ("code_sha256", "dataset", "confusion_matrix"):
        assert repeat[key] == metrics[key]
    first, second = without_times(notebook), without_times(read_notebook(tmp_path / "out.ipynb"))
    assert {name: second[name] for name in first} == first


def test_without_network_and_cache_the_study_runs_on_5000_images_and_says_so(tmp_path):
    folder = clean_copy(tmp_path / "copy")
    edit_notebook(folder / "mnist_model.ipynb", profile="quick")
    command = ("jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace")
    home = tmp_path / "home"
    home.mkdir()
    run(*command, "mnist_model.ipynb", folder=folder, HOME=home, KERAS_HOME=None, **DEAD)

    metrics = json.loads((folder / "metrics.json").read_text())
    check_metrics(metrics)
    check_evidence(metrics)
    check_figures(folder, FIGURES - NEED_ROWS)
    assert metrics["dataset"]["name"] == "mnist-5k" and metrics["dataset"]["reason"]
    assert metrics["models"]["dense_dropout"]["test_accuracy"] > 0.9
    notebook = read_notebook(folder / "mnist_model.ipynb")
    assert "This is not the full MNIST" in outputs_text(notebook)
    for cell in code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            shown = output.get("metadata", {}).get("image/png", {}).get("alt")
            if "text/markdown" in data:
                shown = data["text/markdown"]
            assert shown is None or "on 5,000 images only" in shown, f"{cell.id}: {shown}"


def test_identity_warp_shapes_range_and_seed(quick, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = execute_until("deform", notebook=quick[3])
    images = names["train_inputs"][: 2 * names["SHARED"]]
    still = np.broadcast_to(names["CENTRED"], (2, 784, 2)).astype(np.float32)
    assert np.abs(names["warp"](images, still).numpy() - images).max() < 1e-6
    right = still + np.float32([0, 1])  # takes every pixel from its right neighbour
    moved = names["warp"](images, right).numpy()
    assert np.abs(moved[:, :, :-1] - images[:, :, 1:]).max() < 1e-5

    seed = np.array([1, 2], np.int64)
    deformed = names["deform"](images, seed).numpy()
    assert deformed.shape == images.shape and deformed.dtype == np.float32
    assert deformed.min() >= 0 and deformed.max() <= 1 + 1e-6
    assert (deformed == names["deform"](images, seed).numpy()).all()
    assert np.abs(deformed - names["deform"](images, seed + 2).numpy()).max() > 0.5
    assert np.abs(deformed - images).mean() > 0.01
