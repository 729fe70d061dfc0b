"""Run the study from the terminal: execute it visibly, repeat it, keep the README's numbers true.

The study itself stands in mnist_model.ipynb. The Makefile calls this file; see `make help`.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import nbformat
from nbconvert.preprocessors import CellExecutionError, ExecutePreprocessor

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "mnist_model.ipynb"
# How far another machine's accuracy may lie from the committed one. Sums round differently there,
# which acts like another seed, and seeds move a dense net's accuracy by about 0.001.
TOLERANCE = 0.004
# A number in the README that comes from metrics.json, its path there and its format:
# <!-- metrics models.classic_mlp.test_accuracy .2% -->98.40%<!-- /metrics -->
MARKED = re.compile(r"(<!-- metrics (\S+)(?: (\S+))? -->)(.*?)(<!-- /metrics -->)")


class VisibleExecutor(ExecutePreprocessor):
    """nbconvert's executor, telling the terminal which cell runs and how far its training is."""

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
        text = msg["content"].get("data", {}).get("text/markdown")
        if msg["msg_type"] == "update_display_data" and text:
            self.say("  " + text.replace("**", ""))
        return super().process_message(msg, cell, cell_index)

    def say(self, text):
        print(f"{time.monotonic() - self.start:6.0f} s  {text}", flush=True)


def execute(notebook, target, folder):
    """Execute the notebook in folder, save it as target when it succeeds, return its metrics.

    When a cell fails, prints the error, leaves target as it was and exits with status 1.
    """
    executor = VisibleExecutor(timeout=None, record_timing=False, kernel_name="python3")
    try:
        executor.preprocess(notebook, {"metadata": {"path": str(folder)}})
    except CellExecutionError as error:
        sys.exit(f"{error}\nThe run stopped; {target.name} is as it was.")
    temporary = target.with_name(f".partial-{target.name}")
    nbformat.write(notebook, temporary)
    os.replace(temporary, target)
    metrics = json.loads((folder / "metrics.json").read_text())
    data = metrics["dataset"]
    print(f"Done in {metrics['total_seconds']:.0f} s on the images of {data['name']}.", flush=True)
    if data["name"] != "mnist":
        print(f"THIS WAS NOT THE FULL MNIST: {data['reason']}.\nREADME, 'Without network', helps.")
    return metrics


def committed(name):
    """Return the bytes of the file as committed, or as it stands where there is no git history."""
    show = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=ROOT, capture_output=True)
    return show.stdout if show.returncode == 0 else (ROOT / name).read_bytes()


def run():
    """Execute the notebook in place."""
    execute(nbformat.read(NOTEBOOK, as_version=4), NOTEBOOK, ROOT)


def reproduce():
    """Execute the committed notebook in a scratch folder; compare its accuracies to the record."""
    expected = json.loads(committed("metrics.json"))
    notebook = nbformat.reads(committed("mnist_model.ipynb").decode(), as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        measured = execute(notebook, pathlib.Path(folder, NOTEBOOK.name), pathlib.Path(folder))
    if measured["dataset"]["sha256"] != expected["dataset"]["sha256"]:
        sys.exit(
            "The record is about other images; README, 'Without network', tells how to bring them."
        )
    worst = 0
    for name, model in expected["models"].items():
        found = measured["models"][name]
        same = found["weights_sha256"] == model["weights_sha256"]
        print(f"{name}: {'the same' if same else 'other'} weights")
        for key in ("train_accuracy", "validation_accuracy", "test_accuracy"):
            print(f"  {key:20} {found[key]:.4f} here, {model[key]:.4f} in the record")
            worst = max(worst, abs(found[key] - model[key]))
    verdict = f"the largest difference is {worst:.4f}, the tolerance {TOLERANCE}"
    if worst > TOLERANCE:
        sys.exit(f"Not reproduced: {verdict}.")
    print(f"Reproduced: {verdict}.")


def refresh(text, metrics):
    """Return the text with every marked number set from metrics."""

    def number(match):
        value = metrics
        for key in match[2].split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        return f"{match[1]}{value:{match[3] or ''}}{match[5]}"

    return MARKED.sub(number, text)


def readme():
    """Set the README's marked numbers from metrics.json."""
    path = ROOT / "README.md"
    metrics = json.loads((ROOT / "metrics.json").read_text())
    path.write_text(refresh(path.read_text(encoding="utf-8"), metrics), encoding="utf-8")


if __name__ == "__main__":
    commands = {command.__name__: command for command in (run, reproduce, readme)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=commands)
    commands[parser.parse_args().command]()
