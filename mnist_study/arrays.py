"""The shapes that arrays have here, as types: one n in a signature is the same number throughout.

The tests check them at every call (jaxtyping with beartype); else they cost nothing.
"""

import numpy as np
from jaxtyping import Float, Float32, Integer, UInt8

Pixels = UInt8[np.ndarray, "n 28 28"]  # images as MNIST has them
Images = Float32[np.ndarray, "n 28 28 1"]  # from 0 to 1, as networks take them
Labels = Integer[np.ndarray, "n"]  # digits from 0 to 9
Targets = Float32[np.ndarray, "n 10"]  # a share for each digit, one-hot or not
Answers = Float[np.ndarray, "n 10"]  # a network's probabilities
HeldImages = Float32[np.ndarray, "held 28 28 1"]
HeldTargets = Float32[np.ndarray, "held 10"]
Examples = tuple[Float32[np.ndarray, "_ 28 28 1"], Integer[np.ndarray, "_"]]  # with labels
Rows = Integer[np.ndarray, "_"]  # numbers of images, sorted or drawn
