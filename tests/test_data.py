"""MNIST's images are identified, prepared for a network, and split by writers."""

import types

import numpy as np
import pytest

from mnist_study import backend, data
from mnist_study.data import Population, Split
from mnist_study.errors import ImagesError

TRAINING = data.training_writers()
STUDENTS = TRAINING == Population.STUDENTS


@pytest.mark.control("a pixel of MNIST is changed", "the check of the images' SHA-256")
def test_other_images_are_refused(fallback, record_property):
    (images, labels), test = fallback
    assert data.identify((images, labels), test)["name"] == "mnist-5k"
    images = images.copy()
    images[0, 14, 14] ^= 1
    with pytest.raises(ImagesError, match="these images are not MNIST's") as refused:
        data.identify((images, labels), test)
    record_property("said", str(refused.value))


def test_an_experiment_takes_the_full_mnist_alone(fallback, monkeypatch):
    datasets = types.SimpleNamespace(mnist=types.SimpleNamespace(load_data=lambda: fallback))
    monkeypatch.setattr(backend.keras, "datasets", datasets)
    with pytest.raises(ImagesError, match="other images than this study is about"):
        data.load()


def test_images_and_labels_are_prepared_for_a_network():
    pixels = np.full((1, 28, 28), 51, np.uint8)
    pixels[0, 3, 4] = 255
    images = data.normalise(pixels)
    assert images.shape == (1, 28, 28, 1) and images.dtype == np.float32
    assert images[0, 3, 4, 0] == 1 and images[0, 4, 3, 0] == pytest.approx(0.2)
    assert data.one_hot(np.array([3])).tolist() == [[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]]


def test_writers_are_qmnist_s():
    test = data.test_writers()
    assert (STUDENTS.sum(), (~STUDENTS).sum()) == (29_050, 30_950)
    assert STUDENTS[:58_100:2].all() and not STUDENTS[1::2].any()
    assert (test[:5_001] == "students").all() and (test[5_001:] == "Census").all()


@pytest.mark.parametrize("kind", Split)
def test_a_split_is_disjoint_sorted_and_repeats(kind):
    for_training, validation = data.split(TRAINING, kind, seed=2)
    assert not np.intersect1d(for_training, validation).size
    assert (np.diff(for_training) > 0).all() and (np.diff(validation) > 0).all()
    again = data.split(TRAINING, kind, seed=2)
    assert (for_training == again[0]).all() and (validation == again[1]).all()


def test_the_last_of_each_population_validate_in_the_test_set_s_shares():
    for_training, validation = data.split(TRAINING, size=6_000)
    assert len(for_training) == 54_000 and len(validation) == 6_000
    of_students = validation[STUDENTS[validation]]
    assert len(of_students) == round(6_000 * 5_001 / 10_000)
    assert (of_students == np.flatnonzero(STUDENTS)[-len(of_students) :]).all()
    assert validation[-1] == 59_999


def test_one_population_trains_and_the_other_validates():
    for kind, training in ((Split.FROM_STUDENTS, STUDENTS), (Split.FROM_CENSUS, ~STUDENTS)):
        for_training, validation = data.split(TRAINING, kind)
        assert (for_training == np.flatnonzero(training)).all()
        assert (validation == np.flatnonzero(~training)).all()


def test_populations_train_with_equally_many_images_and_validate_on_the_same():
    kinds = (Split.STUDENTS, Split.CENSUS, Split.BOTH)
    for_training, validations = zip(*[data.split(TRAINING, kind) for kind in kinds], strict=True)
    assert np.ptp([len(indices) for indices in for_training]) <= 1
    assert all((validation == data.split(TRAINING)[1]).all() for validation in validations)
    shares = [np.mean(STUDENTS[indices]) for indices in for_training]
    assert shares == [1, 0, pytest.approx(0.5, abs=1e-4)]


def test_the_last_of_each_digit_in_equal_shares(fallback):
    labels = fallback[0][1]
    indices = data.last_of_each(labels, dict.fromkeys(range(10), 0.1), 500)
    assert (np.bincount(labels[indices]) == 50).all()
    assert set(np.flatnonzero(labels == 7)[-50:]) <= set(indices)
