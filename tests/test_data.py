"""MNIST is loaded, downloaded, refused or replaced as the notebook says; rows are split fairly."""

import functools
import urllib.request

import keras
import numpy as np
import pytest
from conftest import source
from host import DEAD, host

from mnist_study import data


@pytest.fixture
def load(begin, tmp_path, monkeypatch):
    """Execute the notebook's cell that loads MNIST, cached in tmp_path; return the session."""
    get_file = functools.partial(keras.utils.get_file, cache_dir=str(tmp_path))
    monkeypatch.setattr("keras.src.datasets.mnist.get_file", get_file)

    def loaded(environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, str(value)) if value else monkeypatch.delenv(name, False)
        urllib.request.install_opener(None)  # it remembers the proxy
        study = begin(download_seconds=2)
        exec(source("load"), {"keras": keras, "study": study})
        return study

    yield loaded
    urllib.request.install_opener(None)


def cache(folder, content):
    """Put content where Keras keeps MNIST below folder; return the path."""
    path = folder / "datasets" / "mnist.npz"
    path.parent.mkdir()
    path.write_bytes(content)
    return path


@pytest.mark.fault("the cache is truncated", "downloads it again")
def test_a_corrupt_cache_is_replaced_by_a_download(load, tmp_path, mnist_file):
    real = mnist_file.read_bytes()
    path = cache(tmp_path, real[:-1000])
    with host(tmp_path, real) as environment:
        study = load(environment)
    assert (study.dataset["name"], study.reason) == ("mnist", None)
    assert path.read_bytes() == real


@pytest.mark.fault(
    "the cache is corrupt, and there is no network", "goes on with 5,000 images, with notice"
)
def test_a_corrupt_cache_without_network_falls_back(load, tmp_path, record_property):
    cache(tmp_path, b"not an archive")
    study = load(DEAD)
    assert study.dataset["name"] == "mnist-5k" and "refused" in study.reason
    record_property("said", study.reason)


UNUSABLE = {"unreadable": "datasets/mnist.npz/folder", "unwritable": "datasets"}


@pytest.mark.parametrize("how", UNUSABLE)
@pytest.mark.fault("the cache is {how}", "goes on with 5,000 images, with notice")
def test_an_unusable_cache_falls_back(load, tmp_path, how, record_property):
    path = tmp_path / UNUSABLE[how]  # a folder for a file, a file for a folder: root cannot, either
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    study = load(DEAD)
    assert study.dataset["name"] == "mnist-5k" and "mnist-5k" not in study.reason
    assert path.read_text() == "mine"
    record_property("said", study.reason)


@pytest.mark.fault("the download is something else", "goes on with 5,000 images, with notice")
def test_a_host_that_answers_rubbish_falls_back(load, tmp_path, record_property):
    with host(tmp_path, b"<html>Please log in to the hotel's network</html>") as environment:
        study = load(environment)
    assert study.dataset["name"] == "mnist-5k"
    assert "corrupted" in study.reason  # Keras's own word for a file with another checksum
    record_property("said", study.reason)


@pytest.mark.fault(
    "the connection stalls", "gives up after `download_seconds`, goes on with 5,000 images"
)
def test_a_stalled_download_is_given_up(load, tmp_path, record_property):
    with host(tmp_path) as environment:
        study = load(environment)
    assert study.dataset["name"] == "mnist-5k" and study.reason.endswith("timed out")
    record_property("said", study.reason)


@pytest.mark.control("a pixel of MNIST is changed", "the check of the images' SHA-256")
def test_other_images_are_refused(fallback, record_property):
    (images, labels), test = fallback
    images = images.copy()
    images[0, 14, 14] ^= 1
    with pytest.raises(ValueError, match="these images are not MNIST's") as refused:
        data.identify((images, labels), test)
    record_property("said", str(refused.value))


@pytest.mark.control("a test image is copied into the training set", "the notebook's own check")
def test_a_test_image_among_the_training_images_stops_the_notebook(
    begin, fallback, record_property
):
    (images, labels), (test_images, _) = fallback
    study = begin()
    study.identify(*fallback)
    names = {"study": study, "train_labels": labels, "images": images, "targets": labels}
    names |= {"train_images": images, "test_images": test_images}
    exec(source("split"), dict(names))
    leaked = images.copy()
    leaked[7] = test_images[3]
    with pytest.raises(ValueError, match="test image 3 is training image 7") as refused:
        exec(source("split"), names | {"train_images": leaked})
    record_property("said", str(refused.value))


def test_the_fallback_is_known_and_holds_every_digit_equally(fallback):
    train, test = fallback
    assert data.identify(train, test)["name"] == "mnist-5k"
    assert [len(array) for array in (*train, *test)] == [4_000, 4_000, 1_000, 1_000]
    assert (np.bincount(train[1]) == 400).all() and (np.bincount(test[1]) == 100).all()
    assert train[0].dtype == np.uint8 and train[0].max() == 255


def test_images_and_labels_are_prepared_for_a_network():
    prepared = data.prepare(np.array([[[0, 51], [102, 255]]], np.uint8))
    assert prepared.shape == (1, 2, 2, 1) and prepared.dtype == np.float32
    assert prepared.ravel() == pytest.approx([0, 0.2, 0.4, 1])
    assert data.one_hot(np.array([3])).tolist() == [[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]]


def test_writers_are_qmnist_s():
    train, test = data.writers(60_000), data.writers(10_000)
    assert (np.sum(train == "students"), np.sum(train == "Census")) == (29_050, 30_950)
    assert (test[:5_001] == "students").all() and (test[5_001:] == "Census").all()
    assert set(data.writers(4_000)) == {"unknown"}


LABELS = np.arange(60_000) % 10  # any labels of 60,000 rows: the writers decide


@pytest.mark.parametrize("kind", ["study", "students", "Census", "both"])
def test_a_split_is_disjoint_sorted_and_repeats(kind):
    rows, held = data.split(LABELS, 6_000, kind, seed=2)
    assert len(held) == 6_000 and not set(rows) & set(held)
    assert (np.diff(rows) > 0).all() and (np.diff(held) > 0).all()
    again = data.split(LABELS, 6_000, kind, seed=2)
    assert (rows == again[0]).all() and (held == again[1]).all()


def test_validation_resembles_the_test_set():
    rows, held = data.split(LABELS, 6_000)
    assert len(rows) == 54_000
    share = np.mean(data.writers(60_000)[held] == "students")
    assert share == pytest.approx(5_001 / 10_000, abs=1e-4)


@pytest.mark.parametrize("group", ["students", "Census"])
def test_one_population_can_teach_and_the_other_judge(group):
    rows, held = data.split(LABELS, kind=f"from {group}")
    writers = data.writers(60_000)
    assert (rows == np.flatnonzero(writers == group)).all()
    assert (held == np.flatnonzero(writers != group)).all()


def test_teachers_teach_equally_many_rows_and_no_others():
    taught = {kind: data.split(LABELS, 6_000, kind) for kind in ("students", "Census", "both")}
    held = data.split(LABELS, 6_000)[1]
    groups = data.writers(60_000)
    assert np.ptp([len(rows) for rows, _ in taught.values()]) <= 1
    assert all((validating == held).all() for _, validating in taught.values())
    shares = {kind: np.mean(groups[rows] == "students") for kind, (rows, _) in taught.items()}
    assert shares == {"students": 1, "Census": 0, "both": pytest.approx(0.5, abs=1e-4)}


def test_where_writers_are_unknown_every_digit_is_held_out_equally(fallback):
    labels = fallback[0][1]
    rows, held = data.split(labels, 500)
    assert (np.bincount(labels[held]) == 50).all() and len(rows) == 3_500
