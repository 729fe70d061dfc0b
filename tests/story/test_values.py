"""Every allowed kind of value of every parameter runs the notebook to its end."""

import dataclasses

import pytest
from support.host import DEAD
from support.notebook import code_cells, edit_notebook, executed
from support.project import clean_copy, run
from support.record import check_record

from mnist_study.core.models import registry
from mnist_study.story.parameters import Parameters

pytestmark = pytest.mark.proof
LEAST = {"seed": 0, "epochs": 1, "batch_size": 32, "layer_widths": [1], "dropout": 0}
LEAST |= {"label_smoothing": 0, "learning_rate": 1e-7, "validation_size": 100}
MOST = {"seed": 2**31, "epochs": 33, "batch_size": 8_192, "layer_widths": [64, 32, 16]}
MOST |= {"dropout": 0.99, "label_smoothing": 0.99, "learning_rate": 9.9, "validation_size": 30_000}
RUNS = {
    "the least of each": LEAST | {"models": ["dense_dropout"], "download_seconds": 1},
    "the most of each": MOST | {"models": ["cnn", "dense_dropout"], "download_seconds": 86_399},
    "softmax_regression alone": {"models": ["softmax_regression"]},
    "classic_mlp alone": {"models": ["classic_mlp"]},
    "cnn alone, in a folder of its own": {"models": ["cnn"], "output_folder": "a b é"},
    "the rest of the models": {"models": sorted(registry)[::-1]},
}


def test_the_runs_together_change_every_parameter():
    changed = {name for given in RUNS.values() for name in given}
    assert changed | {"profile"} == {field.name for field in dataclasses.fields(Parameters)}


@pytest.mark.parametrize("what", RUNS)
@pytest.mark.setting("parameters: {what}", "runs to the end in `quick`")
def test_allowed_values_run_to_the_end(tmp_path, what):
    """On the 5,000 images of a machine without network, which take a tenth of the time."""
    folder = clean_copy(tmp_path / "project")
    edit_notebook(folder / "mnist_model.ipynb", profile="quick", **RUNS[what])
    command = "jupyter nbconvert --to notebook --execute --inplace mnist_model.ipynb"
    run(*command.split(), folder=folder, KERAS_HOME=tmp_path, **DEAD)
    done = executed(folder / RUNS[what].get("output_folder", "."), folder / "mnist_model.ipynb")
    check_record(done.record)
    assert all(cell.execution_count for cell in code_cells(done.notebook))
    assert done.record["parameters"].items() >= RUNS[what].items()


def test_a_script_made_of_the_notebook_runs(tmp_path):
    folder = clean_copy(tmp_path / "project")
    edit_notebook(folder / "mnist_model.ipynb", profile="quick")
    run("jupyter", "nbconvert", "--to", "script", "mnist_model.ipynb", folder=folder)
    run("python", "mnist_model.py", folder=folder, KERAS_HOME=tmp_path, **DEAD)
    assert (folder / "results" / "metrics.json").exists()
