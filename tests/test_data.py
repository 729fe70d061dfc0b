"""MNIST is loaded, downloaded, refused or replaced as the notebook says."""

import hashlib
import os
import pathlib

import pytest
from conftest import clean_copy, edit_notebook, outputs_text, read_notebook, run
from host import DEAD, host

CHECKSUM = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load(folder, **environment):
    """Execute the notebook up to the data notice; return what its outputs say."""
    notebook = clean_copy(folder) / "mnist_model.ipynb"
    edit_notebook(notebook, until="notice", profile="quick", download_seconds=6)
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {"KERAS_HOME": None, "HOME": home} | environment
    command = ("jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace", notebook.name)
    run(*command, folder=folder, **environment)
    return outputs_text(read_notebook(notebook))


def cache(folder, content):
    """Put content where Keras keeps MNIST; return the path."""
    path = folder / "home" / ".keras" / "datasets" / "mnist.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def real_file():
    """Return the bytes of Keras's own mnist.npz from this machine's cache."""
    home = pathlib.Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    path = home / "datasets" / "mnist.npz"
    if not path.exists():
        pytest.skip(f"needs Keras's mnist.npz in {path}, to serve it")
    content = path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == CHECKSUM
    return content


def test_a_corrupt_cache_is_replaced_by_a_download(tmp_path, real_file):
    path = cache(tmp_path, real_file[:-1000])
    with host(tmp_path, real_file) as environment:
        said = load(tmp_path, **environment)
    assert "mnist: 60,000 training, 10,000 test images" in said
    assert hashlib.sha256(path.read_bytes()).hexdigest() == CHECKSUM


def test_a_corrupt_cache_without_network_falls_back(tmp_path):
    cache(tmp_path, b"not an archive")
    said = load(tmp_path, **DEAD)
    assert "This is not the full MNIST" in said
    assert "mnist-5k: 4,000 training, 1,000 test images" in said


def test_a_host_that_answers_rubbish_falls_back(tmp_path):
    with host(tmp_path, b"<html>Please log in to the hotel's network</html>") as environment:
        said = load(tmp_path, **environment)
    assert "This is not the full MNIST" in said
    assert "corrupted" in said  # Keras's own word for a file with another checksum


def test_a_stalled_download_is_given_up(tmp_path):
    with host(tmp_path) as environment:
        said = load(tmp_path, **environment)
    assert "This is not the full MNIST" in said
    assert "TimeoutError" in said
