"""MNIST is loaded, downloaded, refused or replaced as the notebook says; no copies are judged."""

import json
import subprocess
import sys

import numpy as np
import pytest
from support.host import DEAD, host
from support.project import ROOT, variables

from mnist_study.core import data
from mnist_study.errors import ImagesError

# Runs the notebook's cell that loads MNIST for each line of variables that it is given.
LOADER = """
import contextlib, functools, json, os, sys, urllib.request
with contextlib.redirect_stdout(sys.stderr):
    from support.notebook import source
    from mnist_study import figures, images, session
    import keras
    images.five_thousand = functools.cache(images.five_thousand)
    for line in sys.stdin:
        for name, value in json.loads(line).items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        urllib.request.install_opener(None)  # it remembers the proxy
        given = {"models": ["softmax_regression"], "download_seconds": 2}
        study = session.begin(given | {"output_folder": sys.argv[1]})
        study.keep = lambda shown: None  # draws nothing, which takes a second
        names = {"keras": keras, "study": study, "figures": figures}
        exec(source("load"), names)
        print(json.dumps([study.dataset["name"], study.reason]), file=sys.__stdout__, flush=True)
"""


@pytest.fixture(scope="module")
def loader(tmp_path_factory):
    """A process that loads MNIST with the variables it is given, and the home of its cache."""
    home, work = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("work")
    settings = variables(KERAS_HOME=home, PYTHONPATH=ROOT / "tests")
    log = (work / "log.txt").open("w")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log, "text": True}
    command = [sys.executable, "-c", LOADER, str(work)]
    with subprocess.Popen(command, cwd=ROOT, env=settings, **pipes) as process:

        def load(environment):
            """Return the name of the images that are loaded, and the reason for others."""
            given = {k: v if v is None else str(v) for k, v in environment.items()}
            process.stdin.write(json.dumps(given) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            assert answer, (work / "log.txt").read_text()
            return json.loads(answer)

        yield load, home
        process.stdin.close()
    log.close()


@pytest.fixture
def load(loader):
    return loader[0]


@pytest.fixture
def cache(loader):
    """Where Keras keeps MNIST, which is empty before and after."""
    folder = loader[1] / "datasets"
    yield folder / "mnist.npz"
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    if folder.exists():
        folder.rmdir() if folder.is_dir() else folder.unlink()


@pytest.mark.fault("the cache is truncated", "downloads it again")
def test_a_corrupt_cache_is_replaced_by_a_download(load, cache, tmp_path, mnist_file):
    real = mnist_file.read_bytes()
    cache.parent.mkdir()
    cache.write_bytes(real[:-1000])
    with host(tmp_path, real) as environment:
        assert load(environment) == ["mnist", ""]
    assert cache.read_bytes() == real


@pytest.mark.fault(
    "the cache is corrupt, and there is no network", "goes on with 5,000 images, with notice"
)
def test_a_corrupt_cache_without_network_falls_back(load, cache, record_property):
    cache.parent.mkdir()
    cache.write_bytes(b"not an archive")
    name, reason = load(DEAD)
    assert name == "mnist-5k" and "refused" in reason
    record_property("said", reason)


UNUSABLE = {"unreadable": "datasets/mnist.npz/folder", "unwritable": "datasets"}


@pytest.mark.parametrize("how", UNUSABLE)
@pytest.mark.fault("the cache is {how}", "goes on with 5,000 images, with notice")
def test_an_unusable_cache_falls_back(load, cache, how, record_property):
    home = cache.parent.parent  # a folder for a file, a file for a folder: root cannot, either
    path = home / UNUSABLE[how]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    name, reason = load(DEAD)
    assert name == "mnist-5k" and reason and "mnist-5k" not in reason
    assert path.read_text() == "mine"
    record_property("said", reason)


@pytest.mark.fault("the download is something else", "goes on with 5,000 images, with notice")
def test_a_host_that_answers_rubbish_falls_back(load, cache, tmp_path, record_property):
    with host(tmp_path, b"<html>Please log in to the hotel's network</html>") as environment:
        name, reason = load(environment)
    assert name == "mnist-5k"
    assert "corrupted" in reason  # Keras's own word for a file with another checksum
    record_property("said", reason)


@pytest.mark.fault(
    "the connection stalls", "gives up after `download_seconds`, goes on with 5,000 images"
)
def test_a_stalled_download_is_given_up(load, cache, tmp_path, record_property):
    with host(tmp_path) as environment:
        name, reason = load(environment)
    assert name == "mnist-5k" and reason.endswith("timed out")
    record_property("said", reason)


@pytest.mark.control("a test image is copied into the training set", "the notebook's own check")
def test_a_test_image_among_the_training_images_stops_the_notebook(
    begin, fallback, record_property
):
    (images, labels), test_pair = fallback
    study, leaked = begin(models=["softmax_regression"]), images.copy()
    leaked[7] = test_pair[0][3]
    with pytest.raises(ImagesError, match="these images are not MNIST's") as refused:
        study.load(lambda: ((leaked, labels), test_pair))
    record_property("said", str(refused.value))


def test_no_test_image_is_a_training_image(mnist_file):
    with np.load(mnist_file) as arrays:
        taught = {image.tobytes() for image in arrays["x_train"]}
        assert not any(image.tobytes() in taught for image in arrays["x_test"])


def test_the_fallback_is_known_and_holds_every_digit_equally(fallback):
    train, test = fallback
    assert data.identify(train, test)["name"] == "mnist-5k"
    assert [len(array) for array in (*train, *test)] == [4_000, 4_000, 1_000, 1_000]
    assert (np.bincount(train[1]) == 400).all() and (np.bincount(test[1]) == 100).all()
    assert train[0].dtype == np.uint8 and train[0].max() == 255
