"""Runs without network and cache, with all kinds of parameters; and a run on Colab."""

import dataclasses
import re

import nbformat
import pytest
from support import record
from support.host import DEAD
from support.notebook import NAME, code_cells, edit_notebook, executed, read_notebook
from support.project import clean_copy, run

from mnist_study import expressions
from mnist_study.models import registry
from mnist_study.notebook.parameters import Parameters

pytestmark = pytest.mark.proof
PROGRAMS = {".cache", ".config", ".ipython", ".jupyter", ".keras", ".local"}  # theirs, at home
LEAST = {"seed": 0, "epochs": 1, "batch_size": 32, "layer_widths": [1], "dropout": 0}
LEAST |= {"label_smoothing": 0, "learning_rate": 1e-7, "validation_size": 100}
MOST = {"seed": 2**31, "epochs": 33, "batch_size": 8_192, "layer_widths": [64, 32, 16]}
MOST |= {"dropout": 0.99, "label_smoothing": 0.99, "learning_rate": 9.9, "validation_size": 30_000}
RUNS = {
    "the least of each": LEAST | {"models": ["dense_dropout"], "download_seconds": 1},
    "the most of each": MOST | {"models": ["cnn", "dense_dropout"], "download_seconds": 86_399},
    "softmax_regression alone": {"models": ["softmax_regression"]},
    "baseline_mlp alone": {"models": ["baseline_mlp"]},
    "cnn alone, in a folder of its own": {"models": ["cnn"], "output_folder": "a b é"},
    "the rest of the models": {"models": sorted(registry)[::-1]},
}


def execute(folder, *, to="notebook --execute --inplace", **environment):
    """Execute the notebook in a folder as Jupyter's users do, with these variables."""
    run("jupyter", "nbconvert", "--to", *to.split(), NAME, folder=folder, **environment)


def run_offline(tmp_path, **parameters):
    """Return what a quick run without network and cache left, on 5,000 images: see executed."""
    folder, home = clean_copy(tmp_path / "project"), tmp_path / "home"
    home.mkdir()
    edit_notebook(folder / NAME, profile="quick", **parameters)
    execute(folder, HOME=home, KERAS_HOME=None, **DEAD)
    assert {path.name for path in home.iterdir()} <= PROGRAMS
    assert not [path for path in home.rglob("*mnist*") if path.is_file()]
    done = executed(folder / parameters.get("output_folder", "."), folder / NAME)
    record.check_record(done.record)
    record.check_figures(done.folder, done.record)
    assert done.record["parameters"].items() >= parameters.items()
    assert all(cell.execution_count for cell in code_cells(done.notebook))
    return done


@pytest.mark.fault(
    "no network and no cache", "goes on with 5,000 images, with notice in every figure"
)
def test_without_network_and_cache_the_study_runs_on_5000_images(tmp_path, record_property):
    done = run_offline(tmp_path)
    dataset, models = done.record["dataset"], done.record["models"]
    assert (dataset["name"], dataset["train"], dataset["test"]) == ("mnist-5k", 4_000, 1_000)
    assert "URL fetch failure" in dataset["reason"]
    assert models["dense_dropout"]["test_accuracy"] > 0.85
    assert done.record["figures"].keys() == record.FIGURES - record.NEED_MNIST - record.SAVED_ONLY
    assert all("not the full MNIST" in alt for _, alt in record.shown_figures(done.notebook))
    record_property("said", dataset["reason"])


@pytest.mark.parametrize("what", RUNS)
@pytest.mark.setting("parameters: {what}", "runs to the end in `quick`")
def test_allowed_values_run_to_the_end(tmp_path, what):
    run_offline(tmp_path, **RUNS[what])


def test_the_runs_together_change_every_parameter():
    changed = {name for given in RUNS.values() for name in given}
    assert changed | {"profile"} == {field.name for field in dataclasses.fields(Parameters)}


def test_a_script_made_of_the_notebook_runs(tmp_path):
    folder = clean_copy(tmp_path / "project")
    edit_notebook(folder / NAME, profile="quick")
    execute(folder, to="script")
    run("python", "mnist_model.py", folder=folder, KERAS_HOME=tmp_path, **DEAD)
    assert (folder / "results" / "metrics.json").exists()


def test_the_notebook_says_what_brings_it_to_colab(mnist_file, tmp_path):
    project, alone = clean_copy(tmp_path / "public"), tmp_path / "colab"
    edit_notebook(project / NAME, profile="quick")
    for command in ("init -q", "add -A", "-c user.name=me -c user.email=me commit -qm copy"):
        run("git", *command.split(), folder=project)
    notebook = read_notebook(project / NAME)
    [told] = [cell.source for cell in notebook.cells if cell.id == "digit"]
    shown = re.sub(r"<!--.*?-->", "", told)
    code = re.search(r"<pre>(!git clone .*?)</pre>", shown, re.DOTALL)[1]
    code = code.replace(expressions.repository(), str(project))
    notebook.cells.insert(0, nbformat.v4.new_code_cell(code, id="colab"))
    alone.mkdir()
    nbformat.write(notebook, alone / NAME)
    execute(alone)
    record.check_record(executed(alone / "study", alone / NAME).record)
