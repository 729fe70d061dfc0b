"""What tests share: the images, a session, a quick run of the study, the recogniser.

The shapes and types that signatures of mnist_study state are checked at every call.
"""

import os
import pathlib
import socket
import sys

import pytest
from jaxtyping import install_import_hook
from support import typechecking

install_import_hook("mnist_study", f"{typechecking.__name__}.checked")

from support.images import five_thousand  # noqa: E402
from support.notebook import NAME, contents, edit_notebook, executed, source  # noqa: E402
from support.project import clean_copy, make, start  # noqa: E402

from tools import proof  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--tables", action="store_true", help=proof.__doc__.splitlines()[0])


def pytest_configure(config):
    if config.getoption("--tables") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(proof.Tables())


def pytest_collection_modifyitems(items):
    for item in items:
        kind = proof.kind_of(item)
        item.user_properties += [("kind", kind)] if kind else []


@pytest.fixture(scope="session")
def quick(tmp_path_factory):
    """A clean copy after a quick `make run` with a model of one's own: see executed.

    On the full MNIST where Keras has it, on 5,000 of its images elsewhere. before: the content of
    the copy's files before the run, by path; terminal: what the run printed; peak: the gigabytes of
    memory of its largest process.
    """
    from mnist_study.notebook.parameters import STUDY  # TensorFlow comes with it: seconds

    folder = clean_copy(tmp_path_factory.mktemp("quick"))
    models = [*STUDY["models"], "my_model"]
    edit_notebook(folder / NAME, own_model=True, profile="quick", models=models)
    before = contents(folder)
    log = folder.parent / "terminal.txt"
    process = start(*make("run"), folder=folder, log=log)
    _, status, usage = os.wait4(process.pid, 0)  # what it and all that it started took
    process.returncode = os.waitstatus_to_exitcode(status)
    terminal = log.read_text(encoding="utf-8")
    assert process.returncode == 0, terminal
    unit = 1 if sys.platform == "darwin" else 1_024  # of ru_maxrss, in bytes
    return executed(folder, before=before, terminal=terminal, peak=usage.ru_maxrss * unit / 1e9)


@pytest.fixture(scope="session")
def fallback():
    """The 5,000 images of a machine without network: two pairs (images, labels)."""
    return five_thousand()


@pytest.fixture
def begin(tmp_path):
    """Begin a session of the notebook's parameters with some changed, and undo what it sets."""
    from mnist_study.notebook import session

    names = {}
    exec(source("parameters"), names)
    given = {k: v for k, v in names.items() if not k.startswith("__")}
    yield lambda **changed: session.begin(given | {"output_folder": str(tmp_path)} | changed)
    socket.setdefaulttimeout(None)


@pytest.fixture(scope="session")
def mnist_file():
    """Keras's own mnist.npz; without it and without network the test is skipped."""
    from mnist_study.backend import keras

    try:
        keras.datasets.mnist.load_data()
    except Exception as error:
        pytest.skip(f"needs the full MNIST: {error}")
    home = pathlib.Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    return home / "datasets" / "mnist.npz"


@pytest.fixture(scope="session")
def reader():
    """The committed digit recogniser."""
    from digit_reader import Reader

    return Reader()
