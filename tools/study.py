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
import numpy as np
from nbconvert.preprocessors import CellExecutionError, ExecutePreprocessor
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "mnist_model.ipynb"
# How far another machine's accuracy may lie from the committed one. Sums round differently there,
# which acts like another seed, and seeds move a dense net's accuracy by about 0.001.
TOLERANCE = 0.004
SEEDS = (1, 2, 3, 4, 5)
# A number in the README that comes from metrics.json or seeds.json, its path there, its format:
# <!-- metrics models.classic_mlp.test_accuracy .2% -->98.40%<!-- /metrics -->
MARKED = re.compile(r"(<!-- (metrics|seeds) (\S+)(?: (\S+))? -->)(.*?)(<!-- /\2 -->)")


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


def run_cells(notebook, folder):
    """Execute the notebook in folder; exit with status 1 and the error when a cell fails."""
    executor = VisibleExecutor(timeout=None, record_timing=False, kernel_name="python3")
    try:
        executor.preprocess(notebook, {"metadata": {"path": str(folder)}})
    except CellExecutionError as error:
        sys.exit(f"{error}\nThe run stopped; what stood here before is as it was.")


def save(text, path):
    """Write the text under a temporary name, then rename it to path."""
    temporary = path.with_name(f".partial-{path.name}")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def execute(notebook, target, folder):
    """Execute the notebook in folder, save it as target when it succeeds, return its metrics.

    When a cell fails, prints the error, leaves target as it was and exits with status 1.
    """
    run_cells(notebook, folder)
    save(nbformat.writes(notebook) + "\n", target)
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


def choose():
    """Train the notebook's variants of the recipe on validation data; write choices.json."""
    notebook = parameterize_notebook(load_notebook_node(str(NOTEBOOK)), {"explore": True})
    last = [cell.id for cell in notebook.cells].index("choices-explore")
    notebook.cells = notebook.cells[: last + 1]
    with tempfile.TemporaryDirectory() as folder:
        run_cells(notebook, folder)
        save((pathlib.Path(folder) / "choices.json").read_text(), ROOT / "choices.json")


def same_study(one, other):
    """Say whether two runs, given by their metrics, had the same code, data and parameters."""
    keys = ("code_sha256", "dataset")
    settings = [run["parameters"] | {"seed": None} for run in (one, other)]
    return settings[0] == settings[1] and all(one[key] == other[key] for key in keys)


def seeds():
    """Run the study once a seed, those not yet run with the same code; write seeds.json.

    The run in place counts; the others' results wait in .seeds/, so a break loses one run at most.
    """
    notebook = load_notebook_node(str(NOTEBOOK))
    first = json.loads((ROOT / "metrics.json").read_text())
    runs = {first["parameters"]["seed"]: first}
    for seed in SEEDS:
        if seed in runs:
            continue
        folder = ROOT / ".seeds" / str(seed)
        folder.mkdir(parents=True, exist_ok=True)
        done = folder / "metrics.json"
        if not done.exists() or not same_study(json.loads(done.read_text()), first):
            print(f"seed {seed}", flush=True)
            seeded = parameterize_notebook(notebook, {"seed": seed})
            execute(seeded, folder / NOTEBOOK.name, folder)
        runs[seed] = json.loads(done.read_text())
        if not same_study(runs[seed], first):
            sys.exit("metrics.json comes from other code, data or parameters: make run first.")
    summary = {"runs": len(runs), "weights_sha256": {}}
    for seed, metrics in sorted(runs.items()):  # they tell which training the figures are about
        digests = {name: model["weights_sha256"] for name, model in metrics["models"].items()}
        summary["weights_sha256"][f"seed {seed}"] = digests
    summary |= summarise(list(runs.values()))
    save(json.dumps(summary, indent=2) + "\n", ROOT / "seeds.json")


def spread(values):
    """Return the values' mean, standard deviation, minimum and maximum."""
    sd = float(np.std(values, ddof=1))
    return {"mean": float(np.mean(values)), "sd": sd, "min": min(values), "max": max(values)}


def summarise(runs):
    """Return the spread over the runs, a list of metrics, of every model, ablation row and mark."""

    def spreads(entries, *keys):
        return {key: spread([entry[key] for entry in entries]) for key in keys}

    accuracies = ("train_accuracy", "validation_accuracy", "test_accuracy", "uci_accuracy")
    models = {
        name: spreads([run["models"][name] for run in runs], *accuracies, "fit_seconds")
        for name in runs[0]["models"]
    }
    ablation = [
        {"name": rows[0]["name"]}
        | spreads(rows, "validation_accuracy", "test_accuracy", "fit_seconds")
        for rows in zip(*(run["ablation"] for run in runs), strict=True)
    ]
    marks = []
    for rows in zip(*(run["time_to_accuracy"] for run in runs), strict=True):
        mark = {"threshold": rows[0]["threshold"], "model": rows[0]["model"]}
        mark |= spreads(rows, "test_accuracy", "fit_seconds")
        ratios = [row["classic_mlp_fit_seconds"] / row["fit_seconds"] for row in rows]
        mark |= {"reached": mark["test_accuracy"]["mean"] >= mark["threshold"]}
        marks.append(mark | {"classic_mlp_takes": spread(ratios)})
    shares = [run["throughput"]["train_gflops"] / run["throughput"]["peak_gflops"] for run in runs]
    summary = {"models": models, "ablation": ablation, "time_to_accuracy": marks}
    return summary | {"throughput_share": spread(shares)}


def refresh(text, records):
    """Return the text with every marked number set from records, {"metrics": …, "seeds": …}."""

    def number(match):
        value = records[match[2]]
        for key in match[3].split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        return f"{match[1]}{value:{match[4] or ''}}{match[6]}"

    return MARKED.sub(number, text)


def readme():
    """Set the README's marked numbers from metrics.json and seeds.json."""
    path = ROOT / "README.md"
    records = {
        name: json.loads((ROOT / f"{name}.json").read_text()) for name in ("metrics", "seeds")
    }
    save(refresh(path.read_text(encoding="utf-8"), records), path)


if __name__ == "__main__":
    commands = {command.__name__: command for command in (run, choose, seeds, reproduce, readme)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=commands)
    commands[parser.parse_args().command]()
