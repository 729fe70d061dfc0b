"""What tests on several floors share: the images, a session, a quick run of the study, the reader.

The shapes and types that signatures of mnist_study state are checked at every call.
"""

import os
import pathlib
import socket

import pytest
from jaxtyping import install_import_hook
from support import typechecking

install_import_hook("mnist_study", f"{typechecking.__name__}.checked")

from support import proof  # noqa: E402
from support.images import five_thousand  # noqa: E402
from support.notebook import edit_notebook, executed, source  # noqa: E402
from support.project import clean_copy, make, run  # noqa: E402


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
def quick(mnist_file, tmp_path_factory):
    """A clean copy after a quick `make run` on the full MNIST; see executed."""
    folder = clean_copy(tmp_path_factory.mktemp("quick"))
    edit_notebook(folder / "mnist_model.ipynb", profile="quick")
    return executed(folder, terminal=run(*make("run"), folder=folder).stdout)


@pytest.fixture(scope="session")
def fallback():
    """The 5,000 images of a machine without network: two pairs (images, labels)."""
    return five_thousand()


@pytest.fixture
def begin(tmp_path):
    """Begin a session of the notebook's parameters with some changed, and undo what it sets."""
    from mnist_study.story import session  # TensorFlow comes with it, which takes seconds

    names = {}
    exec(source("parameters"), names)
    given = {k: v for k, v in names.items() if not k.startswith("__")}
    yield lambda **changed: session.begin(given | {"output_folder": str(tmp_path)} | changed)
    socket.setdefaulttimeout(None)


@pytest.fixture(scope="session")
def mnist_file():
    """Keras's own mnist.npz; without it and without network the test is skipped."""
    from mnist_study.core.backend import keras  # TensorFlow comes with it, which takes seconds

    try:
        keras.datasets.mnist.load_data()
    except Exception as error:
        pytest.skip(f"needs the full MNIST: {error}")
    home = pathlib.Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    return home / "datasets" / "mnist.npz"


@pytest.fixture(scope="session")
def reader():
    """The committed reader of digits."""
    from digit_reader import Reader

    return Reader()
