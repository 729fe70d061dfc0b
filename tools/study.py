"""Run the study from the terminal: execute it visibly, repeat it, keep the README's numbers true.

The study itself stands in mnist_model.ipynb. The Makefile calls this file; see `make help`.
"""

import argparse
import hashlib
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
# How far another machine's accuracy may lie from the committed one. Sums may round differently
# there, which acts like another seed, and seeds move a dense net's accuracy by about 0.001.
TOLERANCE = 0.004
SEEDS = (1, 2, 3, 4, 5)
# What a repeat with another seed runs: the sections that train, and those they need.
SEED_SECTIONS = {"Parameters", "Setup", "Loading MNIST", "What the data look like", "Preprocessing"}
SEED_SECTIONS |= {"Validation split", "Model registry", "Deformed digits", "Training function"}
SEED_SECTIONS |= {"Choosing the recipe", "Training", "Test results", "What buys accuracy"}
SEED_SECTIONS |= {"Time to accuracy", "How close to the hardware"}
SEED_RECORD = """
names = ("dataset", "ablation", "time_to_accuracy", "throughput")
record = {name: globals()[name] for name in names} | {"models": metrics}
record["parameters"] = {name: globals()[name] for name in [*rules, "output_folder"]}
(output / "metrics.json").write_text(json.dumps(record))
"""
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


def code_digest(notebook):
    """Return the SHA-256 of the notebook's code as its record has it: code_sha256."""
    cells = [cell.source.strip() for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256("\n\n".join(filter(None, cells)).encode()).hexdigest()


def for_seeds(notebook):
    """Keep the sections that train, and end with a record of them; return the digest of their code.

    Later sections may change: the trainings, and what is measured of them, stay as they are.
    """
    kept, section = [], ""
    for cell in notebook.cells:
        heading = re.match(r"## (.+)", cell.source)
        section = heading[1] if cell.cell_type == "markdown" and heading else section
        if section in SEED_SECTIONS:
            kept.append(cell)
    record = nbformat.v4.new_code_cell(SEED_RECORD, metadata={"tags": []})
    notebook.cells = [*kept, record]
    return code_digest(notebook)


def seeds():
    """Repeat the trainings once a seed, those not yet done by the same code; write seeds.json.

    The run in place counts; the others' results wait in .seeds/, so a break loses one run at most.
    """
    notebook = load_notebook_node(str(NOTEBOOK))
    first = json.loads((ROOT / "metrics.json").read_text())
    if first["code_sha256"] != code_digest(notebook):
        sys.exit("metrics.json comes from other code: make run first.")
    digest = for_seeds(notebook)
    runs = {first["parameters"]["seed"]: first}
    for seed in SEEDS:
        if seed in runs:
            continue
        folder = ROOT / ".seeds" / f"{seed}-{digest[:12]}"
        folder.mkdir(parents=True, exist_ok=True)
        done = folder / "done.json"
        if not done.exists():
            print(f"seed {seed}", flush=True)
            run_cells(parameterize_notebook(notebook, {"seed": seed}), folder)
            os.replace(folder / "metrics.json", done)
        runs[seed] = json.loads(done.read_text())
        settings = [run["parameters"] | {"seed": None} for run in (runs[seed], first)]
        if settings[0] != settings[1] or runs[seed]["dataset"] != first["dataset"]:
            sys.exit("metrics.json comes from other data or parameters: make run first.")
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

    accuracies = ("train_accuracy", "validation_accuracy", "test_accuracy")
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
        if isinstance(value, bool):
            value = "yes" if value else "no"
        return f"{match[1]}{value:{match[4] or ''}}{match[6]}"

    return MARKED.sub(number, text)


def notebook_functions():
    """Return the names that the notebook's cells with the tag "reading" define."""
    names = {}
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if "reading" in cell.metadata.get("tags", []):
            exec(cell.source, names)
    metrics = json.loads((ROOT / "metrics.json").read_text())
    temperature = metrics["calibration"][metrics["saved_model"]]["temperature"]
    names["trust"] = {"temperature": temperature, "threshold": metrics["selective"]["threshold"]}
    return names


def read(images, form):
    """Print what the saved model reads in pictures and folders of them, as a table or JSON."""
    if not images:
        sys.exit('Say which pictures to read: make read IMAGES="a.png b.jpg"')
    names = notebook_functions()
    model = names["keras"].models.load_model(ROOT / "mnist_model.h5", compile=False)
    try:
        readings = [found for image in images for found in names["read_digits"](image, model)]
    except ValueError as error:
        sys.exit(str(error))
    if form == "json":
        kept = [{key: r[key] for key in r if key != "prepared"} for r in readings]
        print(json.dumps(kept, indent=2))
    else:
        print(names["readings_table"](readings).to_string())
    sys.exit(all(reading["problem"] for reading in readings))


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
    parser.add_argument("command", choices=[*commands, "read"])
    parser.add_argument("images", nargs="*", help="pictures or folders, for read")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="for read")
    given = parser.parse_args()
    if given.command == "read":
        read(given.images, given.format)
    else:
        commands[given.command]()
