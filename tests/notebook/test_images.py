"""MNIST is loaded, downloaded, refused or replaced as the notebook says; training leaks no test."""

import os
import urllib.request

import numpy as np
import pytest
from keras.src.utils import file_utils
from support.host import DEAD, host

from mnist_study import data, machine
from mnist_study.backend import keras
from mnist_study.errors import ImagesError
from mnist_study.notebook import session


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Where Keras keeps MNIST, which is empty at first."""
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))
    return tmp_path / "datasets" / "mnist.npz"


@pytest.fixture
def load(begin, cache, fallback, monkeypatch):
    """A function that loads MNIST as the notebook does, under the variables it is given.

    It returns the name of the images that are loaded, and the reason for others.
    """
    monkeypatch.setattr(session.images, "five_thousand", lambda: fallback)  # they take a second

    def load(environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, str(value))
            if value is None:
                monkeypatch.delenv(name)
        urllib.request.install_opener(None)  # it remembers the proxy
        study = begin(download_seconds=2)
        study.load(keras.datasets.mnist.load_data)
        return study.dataset["name"], study.reason

    yield load
    urllib.request.install_opener(None)


@pytest.mark.proof
@pytest.mark.fault("the cache is truncated", "downloads it again")
def test_a_corrupt_cache_is_replaced_by_a_download(mnist_file, load, cache, tmp_path):
    real = mnist_file.read_bytes()
    cache.parent.mkdir()
    cache.write_bytes(real[:-1000])
    with host(tmp_path, real) as environment:
        assert load(environment) == ("mnist", "")
    assert cache.read_bytes() == real


UNUSABLE = {"corrupt, without network": "mnist.npz", "unreadable": "mnist.npz/folder"}
UNUSABLE |= {"unwritable": ""}


@pytest.mark.parametrize("how", UNUSABLE)
@pytest.mark.fault("the cache is {how}", "goes on with 5,000 images, with notice")
def test_an_unusable_cache_falls_back(load, cache, how, record_property):
    path = cache.parent / UNUSABLE[how]  # a folder for a file, a file for a folder: root fails, too
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    name, reason = load(DEAD)
    assert name == "mnist-5k" and reason and "mnist-5k" not in reason
    assert UNUSABLE[how] == "mnist.npz" or path.read_text() == "mine"
    record_property("said", reason)


@pytest.mark.setting("`KERAS_HOME` is read-only and has mnist.npz", "it is used")
def test_a_read_only_cache_is_used(mnist_file, load, cache, monkeypatch):
    def access(path, mode, known=os.access):
        return known(path, mode) and (mode != os.W_OK or str(path) != str(cache.parent.parent))

    cache.parent.symlink_to(mnist_file.parent)
    monkeypatch.setattr(keras.datasets.mnist, "load_data", keras.datasets.mnist.load_data)
    monkeypatch.setattr(machine.os, "access", access)
    assert load(DEAD | {"KERAS_HOME": cache.parent.parent}) == ("mnist", "")


@pytest.mark.fault("the download is something else", "goes on with 5,000 images, with notice")
def test_a_host_that_answers_something_else_falls_back(load, tmp_path, record_property):
    with host(tmp_path, b"<html>Please log in to the hotel's network</html>") as environment:
        name, reason = load(environment)
    assert name == "mnist-5k" and "corrupted" in reason  # Keras's word for another checksum
    record_property("said", reason)


@pytest.mark.proof
@pytest.mark.fault(
    "the connection stalls", "gives up after `download_seconds`, goes on with 5,000 images"
)
def test_a_stalled_download_is_given_up(load, tmp_path, record_property):
    with host(tmp_path) as environment:
        name, reason = load(environment)
    assert name == "mnist-5k" and reason.endswith("timed out")
    record_property("said", reason)


@pytest.mark.control("a test image is copied into the training set", "the notebook's own check")
def test_a_test_image_among_the_training_images_is_noticed(begin, fallback, record_property):
    (images, labels), test_pair = fallback
    leaked = images.copy()
    leaked[7] = test_pair[0][3]
    with pytest.raises(ImagesError) as refused:
        begin().load(lambda: ((leaked, labels), test_pair))
    record_property("said", str(refused.value))


def test_no_test_image_is_a_training_image(mnist_file):
    with np.load(mnist_file) as arrays:
        trained_on = {image.tobytes() for image in arrays["x_train"]}
        assert not any(image.tobytes() in trained_on for image in arrays["x_test"])


def test_the_5000_images_are_known_and_have_every_digit_equally(fallback):
    train, test = fallback
    assert data.identify(train, test)["name"] == "mnist-5k"
    assert (np.bincount(train[1]) == 400).all() and (np.bincount(test[1]) == 100).all()
    assert len(train[0]) == 4_000 and len(test[0]) == 1_000
    assert train[0].dtype == np.uint8 and train[0].max() == 255
