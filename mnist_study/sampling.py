"""Importance sampling: training images with a large loss are drawn more often.

After Jiang et al. 2019 (arXiv 1910.00762), who skip images of small loss. An image's index travels
from the input pipeline to the loss in the place that Keras keeps for sample weights, as a float
(exact below 2^24). The loss takes it for what it is and notes the image's loss; an epoch later the
pipeline draws by what was noted. A training step of one's own would say it more plainly, and lose
what Keras's own step does for several devices and for several steps per call.
"""

import numpy as np
from jaxtyping import Float, Float32, Int64

from mnist_study.backend import keras, tf

FLOOR = 0.001  # added to each loss, so that images predicted well are drawn, too


class SampleLosses(keras.losses.CategoricalCrossentropy):
    """Cross-entropy that notes a running mean of each training image's divergence from its target.

    Given indices for sample weights, float32 (batch,), it weighs all alike; without them it notes
    nothing.
    """

    def __init__(self, count: int, label_smoothing: float):
        super().__init__(label_smoothing=label_smoothing)
        self.count, self.running = count, tf.Variable(tf.ones(count))
        self.by_epoch: list[np.ndarray] = []

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            indices = tf.cast(sample_weight, tf.int32)
            losses = keras.losses.kl_divergence(y_true, y_pred)
            losses = (tf.gather(self.running, indices) + losses) / 2
            self.running.scatter_update(tf.IndexedSlices(losses, indices))
        return super().__call__(y_true, y_pred)

    def end_epoch(self, epoch: int, logs: dict | None = None) -> None:
        """Keep the losses as they stand after an epoch."""
        self.by_epoch.append(self.running.numpy())


def sampling_probabilities(
    losses: Float32[np.ndarray, "n"], power: float
) -> Float[np.ndarray, "n"]:
    """Return each image's probability to be drawn, by the given power of its loss."""
    weights = (losses + FLOOR) ** power
    return weights / weights.sum()


def draw_indices(
    losses: SampleLosses, epoch: int | np.integer, size: int, seed: int, power: float
) -> Int64[np.ndarray, "size"]:
    """Return the indices of the images of an epoch.

    In the first two epochs, and with a power of 0, all in turn; later at random, by their losses
    two epochs before (the last epoch may still run when batches of the next are prepared).
    """
    generator = np.random.default_rng([seed, int(epoch)])
    if epoch < 2 or not power:
        return np.resize(generator.permutation(losses.count), size)
    p = sampling_probabilities(losses.by_epoch[epoch - 2], power)
    return generator.choice(losses.count, size, p=p)
