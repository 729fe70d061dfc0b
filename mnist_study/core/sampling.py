"""Which rows training draws: those more often that it read badly so far.

After Jiang et al. 2019 (arXiv 1910.00762), who skip rows of small loss. A row's number takes one
way around: the input pipeline hands it out beside each image, in the place that Keras keeps for
sample weights, as a float (exact below 2^24); Keras hands that to the loss, which here takes it for
what it is and notes the row's loss; and an epoch later the pipeline draws by what was noted. A
training step of one's own would say it more plainly, and lose what Keras's own step does for
several devices and for steps at once.
"""

import numpy as np
from jaxtyping import Float, Float32, Int64

from mnist_study.core.backend import keras, tf

FLOOR = 0.001  # added to each loss, so that rows never read wrong come, too


class RowLosses(keras.losses.CategoricalCrossentropy):
    """Cross-entropy that notes a running mean of how far each training row is from its target.

    Given row numbers for sample weights, float32 (batch,), it weighs all alike; without them it
    notes nothing.
    """

    def __init__(self, count: int, smoothing: float):
        super().__init__(label_smoothing=smoothing)
        self.count, self.running = count, tf.Variable(tf.ones(count))
        self.by_epoch: list[np.ndarray] = []

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            rows = tf.cast(sample_weight, tf.int32)
            losses = keras.losses.kl_divergence(y_true, y_pred)
            losses = (tf.gather(self.running, rows) + losses) / 2
            self.running.scatter_update(tf.IndexedSlices(losses, rows))
        return super().__call__(y_true, y_pred)

    def end_epoch(self, epoch: int, logs: dict | None = None) -> None:
        """Keep the losses as they stand after an epoch."""
        self.by_epoch.append(self.running.numpy())


def chances(losses: Float32[np.ndarray, "n"], power: float) -> Float[np.ndarray, "n"]:
    """Return each row's chance to be drawn, by the given power of its loss; they add up to 1."""
    weights = (losses + FLOOR) ** power
    return weights / weights.sum()


def draw(
    losses: RowLosses, epoch: int | np.integer, size: int, seed: int, power: float
) -> Int64[np.ndarray, "size"]:
    """Return the rows to learn from in an epoch.

    In the first two epochs, and with a power of 0, all rows in turn; later at random, by their
    losses two epochs before (the last epoch may still be running when batches of the next are made
    ready).
    """
    generator = np.random.default_rng([seed, int(epoch)])
    if epoch < 2 or not power:
        return np.resize(generator.permutation(losses.count), size)
    p = chances(losses.by_epoch[epoch - 2], power)
    return generator.choice(losses.count, size, p=p)
