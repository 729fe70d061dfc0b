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
    from mnist_study import quiet  # noqa: F401, I001  (first)
    from mnist_study import reader_rates, saved

    reader_rates.write(saved.load(ROOT / "mnist_model.h5"))


def reproduce(record=None):
    """Execute the notebook in a scratch folder, or train a record again, and compare.

    record: of an experiment, such as "cnn-seed4". Exits with status 1 when it is not reproduced.
    """
    from mnist_study import reproduce

    if record:
        sys.exit(reproduce.retrain(record))
    committed = nbformat.read(NOTEBOOK, as_version=4)
    given = json.loads((ROOT / "results" / "metrics.json").read_text())["parameters"]
    with tempfile.TemporaryDirectory() as folder:
        given |= {"output_folder": folder}
        notebook = parameterize_notebook(load_notebook_node(str(NOTEBOOK)), given)
        execute(notebook, pathlib.Path(folder, NOTEBOOK.name))
        sys.exit(reproduce.compare_runs(ROOT, pathlib.Path(folder), committed, notebook))


def html():
    """Write the executed notebook to handout/ as HTML in one file."""
    from mnist_study import handout

    print(handout.write_page())


def pdf():
    """Write the executed notebook to handout/ as PDF."""
    from mnist_study import handout

    print(handout.write_pdf())


def report():
    """Write README's table and docs/MODEL_CARD.md from results/."""
    from mnist_study import quiet  # noqa: F401, I001  (first)
    from mnist_study import report

    report.write()


if __name__ == "__main__":
    known = (run, experiments, reader, rates, reproduce, report, html, pdf)
    commands = {command.__name__: command for command in known}
    parser = argparse.ArgumentParser(prog="python -m mnist_study", description=__doc__)
    parser.add_argument("command", choices=commands)
    parser.add_argument("--scheduler", help="for experiments: a Dask scheduler, tcp://…")
    parser.add_argument("--record", help="for reproduce: a kept training, such as cnn-seed4")
    given = parser.parse_args()
    options = {"experiments": [given.scheduler], "reproduce": [given.record]}
    commands[given.command](*options.get(given.command, ()))
