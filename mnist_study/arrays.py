"""The shapes that arrays have here, as types: one n in a signature is the same number throughout.

The tests check them at every call (jaxtyping with beartype); otherwise they cost nothing.
"""

import numpy as np
from jaxtyping import Float, Float32, Integer, UInt8

Pixels = UInt8[np.ndarray, "n 28 28"]  # images as MNIST has them
Images = Float32[np.ndarray, "n 28 28 1"]  # from 0 to 1, as networks take them
Labels = Integer[np.ndarray, "n"]  # digits from 0 to 9
Targets = Float32[np.ndarray, "n 10"]  # a probability for each digit, one-hot or not
Probabilities = Float[np.ndarray, "n 10"]  # what a network predicts
ValidationImages = Float32[np.ndarray, "validation 28 28 1"]
ValidationTargets = Float32[np.ndarray, "validation 10"]
Examples = tuple[Float32[np.ndarray, "_ 28 28 1"], Integer[np.ndarray, "_"]]  # with labels
Indices = Integer[np.ndarray, "_"]  # numbers of images, sorted or drawn
