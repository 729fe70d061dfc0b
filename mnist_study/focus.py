"""Where training spends its steps: rows are drawn by how badly they were read so far."""

import keras
import numpy as np
import tensorflow as tf


class RowLosses(keras.losses.CategoricalCrossentropy):
    """Cross-entropy that remembers a running mean of every training row's own.

    After Jiang et al. 2019 (arXiv 1910.00762), who skip rows of small loss. Keras hands a loss the
    third part of a batch, meant for weights: here the rows' numbers. Without it nothing is kept.
    """

    def __init__(self, count, smoothing):
        super().__init__(label_smoothing=smoothing)
        self.running = tf.Variable(tf.ones(count))
        self.by_epoch = []

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            rows = tf.cast(sample_weight, tf.int32)
            losses = keras.losses.categorical_crossentropy(y_true, y_pred)
            losses = (tf.gather(self.running, rows) + losses) / 2
            self.running.scatter_update(tf.IndexedSlices(losses, rows))
        return super().__call__(y_true, y_pred)

    def end_epoch(self, epoch, logs=None):
        """Keep the losses as they stand after an epoch."""
        self.by_epoch.append(self.running.numpy())


def draw(losses, epoch, size, seed, power):
    """Return size rows to learn from in an epoch: int64 (size,).

    In the first two epochs, and with a power of 0, all rows in turn; later at random, each with the
    given power of its loss two epochs before (the last epoch may still be running when batches of
    the next are made ready).
    """
    generator = np.random.default_rng([seed, epoch])
    count = losses.running.shape[0]
    if epoch < 2 or not power:
        return np.resize(generator.permutation(count), size)
    weights = (losses.by_epoch[epoch - 2] + 0.001) ** power
    return generator.choice(count, size, p=weights / weights.sum())
