"""The study from the terminal: python -m mnist_study run, experiments, reader, …"""

import argparse
import collections
import json
import pathlib
import re
import sys
import tempfile
import time

import nbformat
from nbconvert.preprocessors import CellExecutionError, ExecutePreprocessor
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from digit_reader.files import write_atomically

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "mnist_model.ipynb"
# How far another processor's accuracy may lie from the committed one. Sums may round differently
# there, which acts like another seed, and seeds move an accuracy by about 0.001.
TOLERANCE = 0.004


class VisibleExecutor(ExecutePreprocessor):
    """nbconvert's executor, telling the terminal which cell runs and how far its training is."""

    def preprocess(self, nb, resources=None, km=None):
        self.start, self.section = time.monotonic(), ""
        self.seconds = collections.Counter()
        return super().preprocess(nb, resources, km)

    def preprocess_cell(self, cell, resources, index):
        heading, start = re.match(r"#+ (.+)", cell.source), time.monotonic()
        if cell.cell_type == "markdown" and heading:
            self.section = heading[1]
        elif cell.cell_type == "code":
            self.say(f"cell {index + 1} of {len(self.nb.cells)}: {self.section}")
        done = super().preprocess_cell(cell, resources, index)
        self.seconds[self.section] += time.monotonic() - start
        return done

    def process_message(self, msg, cell, cell_index):
        text = msg["content"].get("data", {}).get("text/markdown")
        if msg["msg_type"] == "update_display_data" and text:
            self.say("  " + text.replace("**", ""))
        return super().process_message(msg, cell, cell_index)

    def say(self, text):
        print(f"{time.monotonic() - self.start:6.0f} s  {text}", flush=True)


def execute(notebook, target):
    """Execute the notebook beside the packages and save it as target.

    When a cell fails, prints the error, leaves target as it was and exits with status 1.
    """
    executor = VisibleExecutor(timeout=None, record_timing=False, kernel_name="python3")
    try:
        executor.preprocess(notebook, {"metadata": {"path": str(ROOT)}})
    except CellExecutionError as error:
        said = re.sub("\x1b\\[[0-9;]*m", "", str(error))  # IPython's colours
        sys.exit(f"{said}\nThe run stopped; what stood here before is as it was.")
    write_atomically(target, lambda path: nbformat.write(notebook, path))
    for section, seconds in executor.seconds.most_common(5):
        print(f"{seconds:6.0f} s in {section}")


def run():
    """Execute the notebook in place, and after the full study write the report."""
    execute(nbformat.read(NOTEBOOK, as_version=4), NOTEBOOK)
    record = json.loads((ROOT / "results" / "metrics.json").read_text())
    data = record["dataset"]
    print(f"Done in {record['total_seconds']:.0f} s on the images of {data['name']}.")
    if data["name"] != "mnist":
        print(f"THIS WAS NOT THE FULL MNIST: {data['reason']}.\nREADME, 'Without network', helps.")
    elif record["profile"] == "full":
        report()


def experiments(scheduler=None):
    """Train what results/ lacks."""
    from mnist_study import quiet  # noqa: F401, I001  (first)
    from mnist_study import experiments

    experiments.run(experiments.study(), scheduler)


def reader():
    """Train the digit reader anew, keep its record, write its network's files, and measure it."""
    from mnist_study import quiet  # noqa: I001  (first)
    from mnist_study import experiments, reader_files, results

    with tempfile.TemporaryDirectory() as folder:
        path, description = f"{folder}/model.keras", results.describe(experiments.READER)
        results.keep(description, experiments.train_in_child(description, path))
        reader_files.write_network(quiet.keras.models.load_model(path, compile=False))
    rates()


def rates():
    """Measure the digit reader on each kind of picture, set its levels of doubt, build its page."""
    from mnist_study import quiet  # noqa: I001  (first)
    from mnist_study import reader_rates

    reader_rates.write(quiet.keras.models.load_model(ROOT / "mnist_model.h5", compile=False))


def reproduce():
    """Execute the notebook into a scratch folder; compare what it trains to the record."""
    expected = json.loads((ROOT / "results" / "metrics.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        given = expected["parameters"] | {"output_folder": folder}
        notebook = parameterize_notebook(load_notebook_node(str(NOTEBOOK)), given)
        execute(notebook, pathlib.Path(folder, NOTEBOOK.name))
        measured = json.loads(pathlib.Path(folder, "results", "metrics.json").read_text())
    if measured["dataset"]["sha256"] != expected["dataset"]["sha256"]:
        sys.exit("The record is about other images; README, 'Without network', tells more.")
    worst = compare(expected, measured)
    verdict = f"the largest difference is {worst:.4f}, the tolerance {TOLERANCE}"
    if worst > TOLERANCE:
        sys.exit(f"Not reproduced: {verdict}.")
    print(f"Reproduced: {verdict}.")


def compare(expected, measured):
    """Print two records' accuracies side by side and return their largest difference."""
    worst = 0
    for name, model in expected["models"].items():
        found = measured["models"][name]
        same = found["weights_sha256"] == model["weights_sha256"]
        print(f"{name}: {'the same' if same else 'other'} weights")
        for key in ("train_accuracy", "validation_accuracy", "test_accuracy"):
            print(f"  {key:20} {found[key]:.4f} here, {model[key]:.4f} in the record")
            worst = max(worst, abs(found[key] - model[key]))
    return worst


def report():
    """Write README's table and docs/MODEL_CARD.md from results/."""
    from mnist_study import quiet  # noqa: F401, I001  (first)
    from mnist_study import report

    report.write()


if __name__ == "__main__":
    commands = {c.__name__: c for c in (run, experiments, reader, rates, reproduce, report)}
    parser = argparse.ArgumentParser(prog="python -m mnist_study", description=__doc__)
    parser.add_argument("command", choices=commands)
    parser.add_argument("--scheduler", help="for experiments: a Dask scheduler, tcp://…")
    given = parser.parse_args()
    commands[given.command](*[given.scheduler] * (given.command == "experiments"))
