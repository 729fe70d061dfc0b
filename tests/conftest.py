"""What the tests share: the notebook, clean copies of the project, a quick run, the reader."""

import functools
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import types

import nbformat
import proof
import psutil
import pytest

from digit_reader import Reader
from mnist_study import data

ROOT = pathlib.Path(__file__).resolve().parent.parent
MADE = ("mnist_model.h5", "results/metrics.json", "visualizations/")  # by a run of the notebook


def pytest_addoption(parser):
    parser.addoption("--tables", action="store_true", help=proof.__doc__.splitlines()[0])


def pytest_configure(config):
    if config.getoption("--tables") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(proof.Tables())


def pytest_collection_modifyitems(items):
    for item in items:
        kind = proof.kind_of(item)
        item.user_properties += [("kind", kind)] if kind else []


def read_notebook(path=ROOT / "mnist_model.ipynb"):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def source(name):
    """Return the source of the notebook's cell with that id."""
    return next(cell.source for cell in read_notebook().cells if cell.id == name)


def clean_copy(folder):
    """Copy the project as it stands into folder, without what a run makes and what git ignores."""
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in names.stdout.splitlines():
        if (ROOT / name).is_file() and not name.startswith(MADE):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def edit_notebook(path, **parameters):
    """Set values in the parameters cell of the notebook at path."""
    notebook = read_notebook(path)
    cell = next(cell for cell in notebook.cells if cell.id == "parameters")
    for name, value in parameters.items():
        cell.source, found = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value!r}", cell.source)
        assert found == 1, f"the parameters cell has no {name}"
    nbformat.write(notebook, path)


def variables(**environment):
    """Return the variables for a command of this environment; one set to None is removed.

    What `make test` tells its own children is removed, too: it makes them name their folders.
    """
    path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"MAKELEVEL": None, "MAKEFLAGS": None, "PATH": path, **environment}
    kept = {name: value for name, value in os.environ.items() if name not in environment}
    return kept | {name: str(value) for name, value in environment.items() if value is not None}


def run(*command, folder, check=True, **environment):
    """Run a command in folder with these variables; return what it said and its status."""
    settings = {"env": variables(**environment), "capture_output": True, "text": True}
    done = subprocess.run(command, cwd=folder, timeout=600, **settings)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def start(*command, folder, log, **environment):
    """Start a command in folder that writes to the file log; return the process.

    A file takes what it says, not a pipe: an orphaned child may hold that open.
    """
    with log.open("w") as said:
        settings = {"env": variables(**environment), "stdout": said, "stderr": said}
        return subprocess.Popen(command, cwd=folder, **settings)


def kill(process):
    """End a process that a test started, and all that it started, at once."""
    if process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
    process.wait()


def wait_until(condition, over, log):
    """Wait until condition() is true; fail if over() is true before, or after two minutes."""
    end = time.monotonic() + 120
    while not condition():
        assert not over() and time.monotonic() < end, log.read_text()
        time.sleep(0.1)


def ended(process):
    """Return a function that tells whether the process has ended."""
    return lambda: process.poll() is not None


def make(*arguments):
    """Return a make command that uses the environment the tests run in."""
    return ("make", *arguments, f"VENV={pathlib.Path(sys.executable).parent.parent}")


def weights_sha256(path):
    """Return the digest of a saved model's weights, as the record has it."""
    from mnist_study.quiet import keras

    return data.digest(keras.models.load_model(path, compile=False).get_weights())


def outputs_text(notebook):
    """Return all text that the notebook's outputs show."""
    shown = []
    for cell in code_cells(notebook):
        for output in cell.outputs:
            shown += [output.get("text", "")]
            shown += [v for k, v in output.get("data", {}).items() if k.startswith("text/")]
    return "\n".join(shown)


def executed(folder, name="mnist_model.ipynb", **more):
    """Return what a run left in folder: folder, record, notebook, and what else is given."""
    record = json.loads((folder / "results" / "metrics.json").read_text())
    found = {"record": record, "notebook": read_notebook(folder / name)}
    return types.SimpleNamespace(folder=folder, **found, **more)


@pytest.fixture(scope="session")
def quick(mnist_file, tmp_path_factory):
    """A clean copy after a quick `make run` on the full MNIST; see executed."""
    folder = clean_copy(tmp_path_factory.mktemp("quick"))
    edit_notebook(folder / "mnist_model.ipynb", profile="quick")
    return executed(folder, terminal=run(*make("run"), folder=folder).stdout)


load_fallback = functools.cache(data.fallback)  # it reads a text file, for a second or two


@pytest.fixture(scope="session")
def fallback():
    """The 5,000 images of a machine without network: two pairs (images, labels)."""
    return load_fallback()


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Begin a session of the notebook's parameters with some changed, and undo what it sets."""
    from mnist_study import models, session  # TensorFlow comes with it, which takes seconds

    monkeypatch.setattr(models, "registry", dict(models.registry))
    names = {}
    exec(source("parameters"), names)
    yield lambda **changed: session.begin(names | {"output_folder": str(tmp_path)} | changed)
    socket.setdefaulttimeout(None)


@pytest.fixture(scope="session")
def mnist_file():
    """Keras's own mnist.npz; without it and without network the test is skipped."""
    from mnist_study import quiet  # TensorFlow comes with it, which takes seconds

    try:
        quiet.keras.datasets.mnist.load_data()
    except Exception as error:
        pytest.skip(f"needs the full MNIST: {error}")
    home = pathlib.Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    return home / "datasets" / "mnist.npz"


@pytest.fixture(scope="session")
def reader():
    """The committed reader of digits."""
    return Reader()
