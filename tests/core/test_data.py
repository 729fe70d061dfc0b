"""MNIST's rows are known, prepared for a network, and split fairly."""

import numpy as np
import pytest

from mnist_study.core import data
from mnist_study.core.data import Population, Split
from mnist_study.errors import ImagesError

TRAINING = data.training_writers()


@pytest.mark.control("a pixel of MNIST is changed", "the check of the images' SHA-256")
def test_other_images_are_refused(fallback, record_property):
    (images, labels), test = fallback
    assert data.identify((images, labels), test)["name"] == "mnist-5k"
    images = images.copy()
    images[0, 14, 14] ^= 1
    with pytest.raises(ImagesError, match="these images are not MNIST's") as refused:
        data.identify((images, labels), test)
    record_property("said", str(refused.value))


def test_images_and_labels_are_made_fit_for_a_network():
    pixels = np.full((1, 28, 28), 51, np.uint8)
    pixels[0, 3, 4] = 255
    images = data.normalise(pixels)
    assert images.shape == (1, 28, 28, 1) and images.dtype == np.float32
    assert images[0, 3, 4, 0] == 1 and images[0, 4, 3, 0] == pytest.approx(0.2)
    assert data.one_hot(np.array([3])).tolist() == [[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]]


def test_writers_are_qmnist_s():
    test = data.test_writers()
    assert np.sum(TRAINING == Population.STUDENTS) == 29_050
    assert np.sum(TRAINING == Population.CENSUS) == 30_950
    assert (TRAINING[:58_100:2] == "students").all() and (TRAINING[1::2] == "Census").all()
    assert (test[:5_001] == "students").all() and (test[5_001:] == "Census").all()


@pytest.mark.parametrize("kind", Split)
def test_a_split_is_disjoint_sorted_and_repeats(kind):
    rows, held = data.split(TRAINING, kind, seed=2)
    assert not set(rows) & set(held)
    assert (np.diff(rows) > 0).all() and (np.diff(held) > 0).all()
    again = data.split(TRAINING, kind, seed=2)
    assert (rows == again[0]).all() and (held == again[1]).all()


def test_validation_is_the_end_of_each_population_in_the_test_set_s_shares():
    rows, held = data.split(TRAINING, size=6_000)
    assert len(rows) == 54_000 and len(held) == 6_000
    students = held[TRAINING[held] == Population.STUDENTS]
    assert len(students) == round(6_000 * 5_001 / 10_000)
    taught = rows[TRAINING[rows] == Population.STUDENTS]
    assert taught.max() < students.min()  # the last rows of them validate


@pytest.mark.parametrize(
    ("kind", "alone"), [("from students", "students"), ("from Census", "Census")]
)
def test_one_population_can_teach_and_the_other_judge(kind, alone):
    rows, held = data.split(TRAINING, Split(kind))
    assert (rows == np.flatnonzero(alone == TRAINING)).all()
    assert (held == np.flatnonzero(alone != TRAINING)).all()


def test_teachers_teach_equally_many_rows_and_no_others():
    kinds = (Split.STUDENTS, Split.CENSUS, Split.BOTH)
    taught = {kind: data.split(TRAINING, kind) for kind in kinds}
    held = data.split(TRAINING)[1]
    assert np.ptp([len(rows) for rows, _ in taught.values()]) <= 1
    assert all((validating == held).all() for _, validating in taught.values())
    shares = {k: np.mean(TRAINING[rows] == Population.STUDENTS) for k, (rows, _) in taught.items()}
    assert shares == {Split.STUDENTS: 1, Split.CENSUS: 0, Split.BOTH: pytest.approx(0.5, abs=1e-4)}


def test_the_last_of_each_digit_are_held_out_equally(fallback):
    labels = fallback[0][1]
    held = data.last_of_each(labels, dict.fromkeys(range(10), 0.1), 500)
    assert (np.bincount(labels[held]) == 50).all()
    assert (labels[labels == 7][-50:] == labels[held[labels[held] == 7]]).all()
    assert held[-1] == np.flatnonzero(labels == labels[held[-1]])[-1]
