"""Corruptions of images whose result is known."""

import numpy as np
import pytest

from mnist_study.backend import keras
from mnist_study.evaluate.robustness import CORRUPTIONS, corrupted_accuracies

APPLY = {corruption.name.split(",")[0]: corruption.apply for corruption in CORRUPTIONS}


@pytest.fixture
def images():
    """32 black images with one bright pixel, 3 above and 6 left of the centre's lower right."""
    images = np.zeros((32, 28, 28, 1), np.float32)
    images[:, 11, 8] = 1
    return images


def brightest(images):
    return np.unravel_index(images[0, ..., 0].argmax(), (28, 28))


def test_a_corruption_does_what_it_says(images):
    assert brightest(APPLY["rotation"](images, 90)) in ((8, 16), (19, 11))
    assert brightest(APPLY["shift"](images, 3)) == (11, 5)
    assert APPLY["blur"](images, 1.5).sum() == pytest.approx(images.sum(), rel=1e-3)
    assert np.count_nonzero(APPLY["thicker strokes"](images, 2)) == 32 * 9
    assert APPLY["thinner strokes"](images, 1).max() == 0
    assert APPLY["contrast shift"](images, 1)[0, 11, 8] == 0
    white = np.ones((32, 28, 28, 1), np.float32)
    assert np.count_nonzero(APPLY["occlusion"](white, 8) == 0) == 32 * 64
    assert APPLY["noise"](white * 0.5, 0.1).std() == pytest.approx(0.1, rel=0.05)
    framed = white.copy()
    framed[:, :, [0, -1]] = framed[:, [0, -1]] = 0
    assert APPLY["shrinking"](framed, 0.5).sum() == pytest.approx(framed.sum() / 4, rel=0.1)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.name)
def test_strengths_rise_from_none_which_changes_nothing(images, corruption):
    assert corruption.strengths[0] == 0 and [*corruption.strengths] == sorted(corruption.strengths)
    assert corruption.apply(images, 0) == pytest.approx(images, abs=1e-5)


def test_accuracy_is_measured_under_each_strength(images):
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(10, activation="softmax"))
    kernel, bias = model.get_weights()
    model.set_weights([kernel * 0, bias + 9 * np.eye(10)[3]])  # it always predicts 3
    accuracies = corrupted_accuracies(model, images, np.arange(32) % 4)
    assert accuracies == {c.name: [0.25] * len(c.strengths) for c in CORRUPTIONS}
