"""Run the study from the terminal: execute the notebook visibly, repeat it, keep the README's numbers true.

The study itself stands in mnist_model.ipynb. The Makefile calls this file; `make help` lists what there is.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time

import nbformat
from nbconvert.preprocessors import CellExecutionError, ExecutePreprocessor

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "mnist_model.ipynb"
# How far another machine's accuracy may lie from the committed one. Sums round differently there, which has the effect of
# another seed: three standard deviations of seeds (0.1 points), and three of sampling for softmax regression's optimum.
TOLERANCE = 0.004


class VisibleExecutor(ExecutePreprocessor):
    """nbconvert's executor, telling the terminal which cell runs and what the cell reports of its progress."""

    def preprocess(self, nb, resources=None, km=None):
        self.start, self.section = time.monotonic(), ""
        return super().preprocess(nb, resources, km)

    def preprocess_cell(self, cell, resources, index):
        heading = re.match(r"#+ (.+)", cell.source)
        if cell.cell_type == "markdown" and heading:
            self.section = heading[1]
        elif cell.cell_type == "code":
            self.say(f"cell {index + 1} of {len(self.nb.cells)}: {self.section}")
        return super().preprocess_cell(cell, resources, index)

    def process_message(self, msg, cell, cell_index):
        text = msg["content"].get("data", {}).get("text/markdown") if "content" in msg else None
        if msg["msg_type"] == "update_display_data" and text:
            self.say("  " + text.replace("**", ""))
        return super().process_message(msg, cell, cell_index)

    def say(self, text):
        print(f"{time.monotonic() - self.start:6.0f} s  {text}", flush=True)


def write_notebook(notebook, path):
    """Write the notebook under a temporary name, then rename it."""
    temporary = path.with_name(f".partial-{path.name}")
    nbformat.write(notebook, temporary)
    os.replace(temporary, path)


def execute(path, folder):
    """Execute the notebook at path with folder as its working directory and save the outputs in it.

    When a cell fails, prints the error, leaves the notebook as it was and exits with status 1.
    """
    notebook = nbformat.read(path, as_version=4)
    executor = VisibleExecutor(timeout=None, record_timing=False, kernel_name="python3")
    try:
        executor.preprocess(notebook, {"metadata": {"path": str(folder)}})
    except CellExecutionError as error:
        sys.exit(f"{error}\nThe run stopped; {path.name} is as it was.")
    write_notebook(notebook, path)
    metrics = json.loads((folder / "metrics.json").read_text())
    print(
        f"done in {metrics['total_seconds']:.0f} s on the {metrics['dataset']['name']} images",
        flush=True,
    )
    if metrics["dataset"]["name"] != "mnist":
        print(
            f"NOT THE FULL MNIST: {metrics['dataset']['reason']}. README, 'Without network', tells what to do."
        )
    return metrics


def reproduce():
    """Execute the notebook in a scratch folder and compare its accuracies with the committed metrics.json."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(shutil.copy(NOTEBOOK, folder))
        measured = execute(copy, copy.parent)
    expected = json.loads((ROOT / "metrics.json").read_text())
    if measured["dataset"]["sha256"] != expected["dataset"]["sha256"]:
        sys.exit(
            "The committed numbers come from other images: bring mnist.npz to this machine (README) and try again."
        )
    far = False
    for name, model in expected["models"].items():
        found = measured["models"][name]
        bits = (
            "same weights"
            if found["weights_sha256"] == model["weights_sha256"]
            else "other weights"
        )
        for key in ("train_accuracy", "validation_accuracy", "test_accuracy"):
            difference = found[key] - model[key]
            far |= abs(difference) > TOLERANCE
            print(
                f"{name:20} {key:20} {found[key]:.4f}, committed {model[key]:.4f} ({difference:+.4f}; {bits})"
            )
    sys.exit(f"Not reproduced: a difference exceeds {TOLERANCE}." if far else 0)


MARKED = re.compile(r"(<!-- metric ([\w.\[\]]+)(?: (\S+))? -->)(.*?)(<!-- /metric -->)")


def refresh(text, metrics):
    """Return the text with every marked number, <!-- metric models.x.y .2% -->…<!-- /metric -->, set from metrics."""

    def number(match):
        value = metrics
        for key in match[2].split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        return f"{match[1]}{value:{match[3] or ''}}{match[5]}"

    return MARKED.sub(number, text)


def readme():
    """Set the numbers in README.md from metrics.json."""
    path = ROOT / "README.md"
    path.write_text(
        refresh(path.read_text(encoding="utf-8"), json.loads((ROOT / "metrics.json").read_text())),
        encoding="utf-8",
    )


COMMANDS = {"run": lambda: execute(NOTEBOOK, ROOT), "reproduce": reproduce, "readme": readme}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    COMMANDS[parser.parse_args().command]()
