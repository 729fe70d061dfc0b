"""What every run of the notebook must leave: a record that agrees with itself, clean outputs."""

import base64
import io
import itertools
import re

import numpy as np
import PIL.Image
import pytest
from support.notebook import code_cells, outputs_text, read_notebook
from support.project import ROOT

CELLS = [cell.source for cell in code_cells(read_notebook())]
DRAWN = [p.read_text("utf-8") for p in (ROOT / "mnist_study/story/figures").glob("*.py")]
FIGURES = set(re.findall(r'"(\w+\.png)"', "\n".join(DRAWN)))
KEPT_ONLY = {"which_digits.png"}  # which the first cell links
NEED_ROWS = {"contested_labels.png", "answers.png"}  # the full MNIST's, known row by row
WAYS = {"as it is", "frozen features", "fine-tuned", "from scratch"}
ALLOWED = {"text/plain", "text/html", "text/markdown", "image/png"}


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
    found = {(row["method"], row["examples_per_class"]) for row in record["transfer"]}
    assert found == set(itertools.product(WAYS, (1, 5, 10, 50)))
    assert all(0 < row["accuracy_mean"] < 1 for row in record["transfer"])
    labels, contested = record["labels"], 15 if record["dataset"]["name"] == "mnist" else 0
    assert labels["contested"] == contested
    gain = labels["misread"] - contested * (1 - labels["accuracy_without_contested"])
    without = saved["test_accuracy"] + gain / count
    assert labels["accuracy_without_contested"] == pytest.approx(without, abs=1e-9)


def check_trust(record):
    """Check what the record says of confidence, of this run's network and of the kept ones."""
    assert set(record["calibration"]) == {record["saved_model"]}
    for entry in record["calibration"].values():
        assert 0.1 < entry["temperature"] < 10
        assert 0 < entry["ece_before"] < 0.5 and 0 < entry["ece_after"] < 0.5
    selective = record["selective"]
    assert 0.1 <= selective["threshold"] <= 1
    assert 0 <= selective["coverage"] <= 1 and selective["error"] < 0.02
    assert set(record["nonsense"]) == {"letters", "noise", "blank page"}
    for kept in record["seeds"]["judged"].values():
        assert 0.8 < kept["coverage"]["mean"] < 1 and kept["error"]["mean"] < 0.002
        assert 0.5 < kept["membership"]["mean"] < 0.6 and len(kept["borne"]) == 10
        assert kept["ece_after"]["mean"] < kept["ece_before"]["mean"]
        assert kept["uci_accuracy"]["mean"] < kept["small_accuracy"]["mean"] < 0.99


def check_outputs(notebook):
    """Check that the outputs hold no warnings, nothing of a terminal, nothing that GitHub drops."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error" and output.get("name") != "stderr", cell.id
            assert set(output.get("data", {})) <= ALLOWED, cell.id
    shown = outputs_text(notebook)
    assert not re.search("[\x08\x1b\r]", shown) and "<script" not in shown


def check_figures(folder, names):
    """Check that every figure decodes, has a white background and shows something."""
    assert {path.name for path in (folder / "visualizations").iterdir()} >= names
    for name in names:
        check_picture((folder / "visualizations" / name).read_bytes(), name)


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
