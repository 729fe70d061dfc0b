"""MNIST's images are identified, prepared for a network, and split by writers."""

import types

import numpy as np
import pytest

from mnist_study import backend, data
from mnist_study.data import Split
from mnist_study.errors import ImagesError

TRAINING = data.training_writers()
STUDENTS = TRAINING == data.Population.STUDENTS


@pytest.mark.control("a pixel of MNIST is changed", "the check of the images' SHA-256")
def test_other_images_are_refused(fallback, monkeypatch, record_property):
    (images, labels), test = fallback
    assert data.identify((images, labels), test)["name"] == "mnist-5k"
    changed = images.copy()
    changed[0, 14, 14] ^= 1
    with pytest.raises(ImagesError, match="these images are not MNIST's") as refused:
        data.identify((changed, labels), test)
    record_property("said", str(refused.value))
    datasets = types.SimpleNamespace(mnist=types.SimpleNamespace(load_data=lambda: fallback))
    monkeypatch.setattr(backend.keras, "datasets", datasets)
    with pytest.raises(ImagesError, match="other images than this study is about"):
        data.load()


def test_images_and_labels_are_prepared_for_a_network():
    pixels = (np.arange(784) % 256).astype(np.uint8).reshape(1, 28, 28)
    images = data.normalise(pixels)
    assert images.shape == (1, 28, 28, 1) and images.dtype == np.float32
    assert images[0, ..., 0] == pytest.approx(pixels[0] / 255)
    assert data.one_hot(np.array([3])).tolist() == [[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]]


def test_writers_are_qmnist_s():
    test = data.test_writers()
    assert (STUDENTS.sum(), len(STUDENTS)) == (29_050, 60_000)
    assert STUDENTS[:58_100:2].all() and not STUDENTS[1::2].any()
    assert (test[:5_001] == "students").all() and (test[5_001:] == "Census").all()


@pytest.mark.parametrize("kind", Split)
def test_a_split_is_disjoint_sorted_and_repeats(kind):
    indices = data.split(TRAINING, kind, seed=2)
    assert not np.intersect1d(*indices).size
    assert all((np.diff(part) > 0).all() for part in indices)
    again = data.split(TRAINING, kind, seed=2)
    assert all((part == other).all() for part, other in zip(indices, again, strict=True))


def test_the_last_of_each_population_validate_in_the_test_set_s_shares(fallback):
    training, validation = data.split(TRAINING, size=6_000)
    assert len(training) == 54_000 and len(validation) == 6_000
    of_students = np.flatnonzero(STUDENTS)[-round(6_000 * 5_001 / 10_000) :]
    assert (validation[STUDENTS[validation]] == of_students).all()
    labels = fallback[0][1]
    last = data.last_of_each(labels, dict.fromkeys(range(10), 0.1), 500)
    assert {*np.flatnonzero(labels == 7)[-50:]} == {*last[labels[last] == 7]}


def test_populations_train_alone_or_with_equally_many_images():
    for kind, alone in ((Split.FROM_STUDENTS, STUDENTS), (Split.FROM_CENSUS, ~STUDENTS)):
        training, validation = data.split(TRAINING, kind)
        assert (training == np.flatnonzero(alone)).all()
        assert (validation == np.flatnonzero(~alone)).all()
    kinds = (Split.STUDENTS, Split.CENSUS, Split.BOTH)
    trainings, validations = zip(*[data.split(TRAINING, kind) for kind in kinds], strict=True)
    assert np.ptp([len(indices) for indices in trainings]) <= 1
    assert all((validation == data.split(TRAINING)[1]).all() for validation in validations)
    shares = [np.mean(STUDENTS[indices]) for indices in trainings]
    assert shares == [1, 0, pytest.approx(0.5, abs=1e-4)]
