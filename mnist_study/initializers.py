"""Locally initialised weights: each unit begins with a patch, as a convolution would."""

import numpy as np
from jaxtyping import Float32

from mnist_study.backend import keras

WIDTH = 4  # standard deviation of a patch, in pixels
MARGIN = 4  # pixels that a patch's middle keeps from the border


def local_weights(side: int, units: int) -> Float32[np.ndarray, "pixels units"]:
    """Return initial weights for images of side by side pixels.

    Each unit begins with random weights in a Gaussian patch around a random place; they add up to 0
    and are as large as he_normal's. Training may change them all. Dense networks that learn to be
    local generalise better: Neyshabur 2020 (arXiv 2007.13657).
    """
    places = np.asarray(keras.random.uniform((2, units, 1), MARGIN, side - 1 - MARGIN))
    rows, columns = np.exp(-0.5 * ((np.arange(side) - places) / WIDTH) ** 2)
    patches = (rows[:, :, np.newaxis] * columns[:, np.newaxis]).reshape(units, -1)
    weights = patches * np.asarray(keras.random.normal(patches.shape))
    weights -= patches * (weights.sum(1) / patches.sum(1))[:, np.newaxis]
    weights *= np.sqrt(2) / np.linalg.norm(weights, axis=1)[:, np.newaxis]
    return weights.T.astype("float32")
