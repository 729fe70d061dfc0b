"""What every run of the notebook must leave: a record that agrees with itself, clean outputs."""

import base64
import hashlib
import io
import itertools
import json
import re

import numpy as np
import PIL.Image
import pytest
from support.notebook import code_cells, outputs_text, read_notebook
from support.project import ROOT, code_in

from mnist_study.notebook.parameters import STUDY

CELLS = [cell.source for cell in code_cells(read_notebook())]
DRAWN = [p.read_text("utf-8") for p in code_in(ROOT / "mnist_study" / "figures")]
FIGURES = set(re.findall(r'"(\w+\.png)"', "\n".join(DRAWN)))
SAVED_ONLY = {"which_digits.png", "loss_plot.png", "accuracy_plot.png"}  # which texts link
NEED_MNIST = {"label_errors.png", "answers.png"}  # the full MNIST's test images, known one by one
WAYS = {"as it is", "frozen features", "fine-tuned", "from scratch"}
ALLOWED = {"text/plain", "text/html", "text/markdown", "image/png"}
LIVE = ("application/vnd.jupyter.widget-view+json", "<iframe srcdoc")  # Jupyter alone shows these


def own_run():
    """Return in a line why the outputs here are not the study's; "" where they are.

    Whoever ran the notebook with other parameters, without MNIST or live in Jupyter has outputs of
    their own in this folder, which is no fault.
    """
    record = json.loads((ROOT / "results" / "metrics.json").read_text(encoding="utf-8"))
    reasons = [f"{n} = {record['parameters'].get(n)!r}" for n in STUDY]
    reasons = [r for r, n in zip(reasons, STUDY, strict=True) if r != f"{n} = {STUDY[n]!r}"]
    reasons += ["without MNIST"] if record["dataset"]["name"] != "mnist" else []
    shown = (ROOT / "mnist_model.ipynb").read_text(encoding="utf-8").replace('\\"', '"')
    reasons += ["live in Jupyter"] if any(mark in shown for mark in LIVE) else []
    outputs = "mnist_model.ipynb, mnist_model.h5, results/metrics.json and visualizations/"
    again = "git checkout brings the study's back"
    return f"{outputs} are of your own run ({', '.join(reasons)}): {again}" if reasons else ""


def needs_the_study():
    """Skip a test, and say why in a line, where the outputs here are of a run of one's own."""
    if reason := own_run():
        pytest.skip(reason)


def check_record(record):
    """Check that a run's record is complete and agrees with itself."""
    count, models = record["dataset"]["test"], record["models"]
    assert len(record["dataset"]["sha256"]) == 64 and record["saved_model"] in models
    for model in models.values():
        low, high = model["test_accuracy_ci95"]
        assert 0 <= low < model["test_accuracy"] < high <= 1
        assert 0 < model["train_accuracy"] <= 1 and 0 < model["validation_accuracy"] <= 1
        assert model["epochs"] >= 1 and model["parameters"] > 0 and model["test_loss"] > 0
        assert 0 < model["fit_seconds"] < record["total_seconds"]
    confusion, saved = np.array(record["confusion_matrix"]), models[record["saved_model"]]
    assert confusion.sum() == count
    assert np.trace(confusion) / count == pytest.approx(saved["test_accuracy"], abs=1e-12)
    ways = {(row["method"], row["examples_per_class"]) for row in record["transfer"]}
    assert ways == set(itertools.product(WAYS, (1, 5, 10, 50)))
    assert all(0 < row["accuracy_mean"] < 1 for row in record["transfer"])
    labels, contested = record["labels"], 15 if record["dataset"]["name"] == "mnist" else 0
    assert labels["contested"] == contested
    gain = labels["misclassified"] - contested * (1 - labels["accuracy_without_contested"])
    without = saved["test_accuracy"] + gain / count
    assert labels["accuracy_without_contested"] == pytest.approx(without, abs=1e-9)
    assert set(record["calibration"]) == {record["saved_model"]}
    for entry in record["calibration"].values():
        assert 0.1 < entry["temperature"] < 10
        assert 0 < entry["ece_before"] < 0.5 and 0 < entry["ece_after"] < 0.5
    selective = record["selective"]
    assert 0.1 <= selective["threshold"] <= 1
    assert 0 <= selective["coverage"] <= 1 and selective["error"] < 0.02
    assert set(record["out_of_distribution"]) == {"letters", "noise", "blank page"}


def check_outputs(notebook):
    """Check that the outputs hold no warnings, nothing of a terminal, nothing that GitHub drops."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error" and output.get("name") != "stderr", cell.id
            assert set(output.get("data", {})) <= ALLOWED, cell.id
    shown = outputs_text(notebook)
    assert not re.search("[\x08\x1b\r]", shown) and "<script" not in shown


def check_figures(folder, record):
    """Check that a run's figures are those that it recorded, on white, and show something."""
    for name, sha256 in record["figures"].items():
        png = (folder / "visualizations" / name).read_bytes()
        assert hashlib.sha256(png).hexdigest() == sha256, f"{name} is not the run's: make run"
        check_picture(png, name)


def check_picture(png, name):
    pixels = np.asarray(PIL.Image.open(io.BytesIO(png)).convert("RGB"))
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 255).all(), f"{name} has no white background"
    assert pixels.std() > 10, f"{name} is blank"


def shown_figures(notebook):
    """Return the PNG and the alternative text of every figure that the notebook shows."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    shown = [output for output in outputs if "image/png" in output.get("data", {})]
    alts = [output.metadata.get("image/png", {}).get("alt", "") for output in shown]
    pngs = [base64.b64decode(output.data["image/png"]) for output in shown]
    return list(zip(pngs, alts, strict=True))


def timeless(record):
    """Return a run's models without the seconds that they took."""
    models = record["models"].items()
    return {
        n: {k: v for k, v in model.items() if not k.endswith("_seconds")} for n, model in models
    }
