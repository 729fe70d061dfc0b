"""What the tests share: the notebook, clean copies of the project, quick runs."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import keras
import nbformat
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import study  # noqa: E402

RESULTS = ("mnist_model.h5", "metrics.json")


def read_notebook(path=ROOT / "mnist_model.ipynb"):
    return nbformat.read(path, as_version=4)


def clean_copy(folder):
    """Copy the project as it stands into folder, without results and what git ignores.

    The parameters are the committed ones: a reader's own values must not fail the tests.
    """
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True
    )
    for name in names.stdout.decode().split("\n"):
        if name and name not in RESULTS and not name.startswith("visualizations/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    committed = nbformat.reads(study.committed("mnist_model.ipynb").decode(), as_version=4)
    values = {}
    exec(next(cell.source for cell in committed.cells if cell.id == "parameters"), {}, values)
    edit_notebook(folder / "mnist_model.ipynb", **values)
    return folder


def edit_notebook(path, until=None, **parameters):
    """Set values in the parameters cell; keep only the cells up to the one whose id is until."""
    notebook = read_notebook(path)
    cell = next(cell for cell in notebook.cells if cell.id == "parameters")
    for name, value in parameters.items():
        line = rf"(?m)^{name} = (\[[^]]*\])?.*$"  # a list may take several lines
        cell.source, found = re.subn(line, f"{name} = {value!r}", cell.source)
        assert found == 1, f"the parameters cell has no {name}"
    if until:
        ids = [cell.id for cell in notebook.cells]
        notebook.cells = notebook.cells[: ids.index(until) + 1]
    nbformat.write(notebook, path)


def run(*command, folder, check=True, **environment):
    """Run a command of this environment in folder; a variable set to None is removed.

    What `make test` tells its own children is removed, too: it makes them name their folders.
    """
    variables = os.environ | {"PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
    for name, value in {"MAKELEVEL": None, "MAKEFLAGS": None, **environment}.items():
        variables.pop(name, None)
        if value is not None:
            variables[name] = str(value)
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=600
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def make(*arguments):
    """Return a make command that uses the environment the tests run in."""
    return ("make", *arguments, f"VENV={pathlib.Path(sys.executable).parent.parent}")


def weights_sha256(path):
    """Return the digest of a saved model's weights, as metrics.json has it."""
    weights = keras.models.load_model(path, compile=False).get_weights()
    return hashlib.sha256(b"".join(weight.tobytes() for weight in weights)).hexdigest()


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def execute_until(last, notebook=None, **parameters):
    """Execute the notebook's code cells up to the one with id last, here; return their names."""
    names = {}
    for cell in code_cells(notebook or read_notebook()):
        exec(cell.source, names)
        if cell.id == "parameters":
            names |= parameters
        if cell.id == last:
            return names
    raise AssertionError(f"no cell {last}")


def outputs_text(notebook):
    """Return all text that the notebook's outputs show."""
    shown = []
    for cell in code_cells(notebook):
        for output in cell.outputs:
            shown += [output.get("text", "")]
            shown += [v for k, v in output.get("data", {}).items() if k.startswith("text/")]
    return "\n".join(shown)


@pytest.fixture(scope="session")
def quick(tmp_path_factory):
    """Return a clean copy after a quick `make run`: folder, terminal, metrics, notebook."""
    folder = clean_copy(tmp_path_factory.mktemp("quick"))
    edit_notebook(folder / "mnist_model.ipynb", profile="quick")
    terminal = run(*make("run"), folder=folder).stdout
    metrics = json.loads((folder / "metrics.json").read_text())
    return folder, terminal, metrics, read_notebook(folder / "mnist_model.ipynb")


@pytest.fixture(scope="session")
def reading():
    """Return the notebook's functions for own digits, with the committed temperature."""
    return study.notebook_functions()


@pytest.fixture(scope="session")
def saved_model():
    """Return the committed model."""
    return keras.models.load_model(ROOT / "mnist_model.h5", compile=False)
