"""Importance sampling: training images with a large loss are drawn more often.

After Jiang et al. 2019 (arXiv 1910.00762), who skip images of small loss. Each batch brings the
indices of its images; SampledTraining notes their losses, and an epoch later the input pipeline
draws by what was noted.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int64

from mnist_study.backend import keras, tf

FLOOR = 0.001  # added to each loss, so that images predicted well are drawn, too


class SampledTraining(keras.Model):
    """Trains a network on (images, targets, indices) and notes a running mean of each image's loss.

    The loss noted is the divergence of the prediction from the target, without label smoothing.
    """

    def __init__(self, network: keras.Model, count: int):
        super().__init__()
        self.network = network
        self.running = tf.Variable(tf.ones(count), trainable=False)
        self.by_epoch: list[np.ndarray] = []

    def call(self, images: Any, training: bool | None = None) -> Any:
        return self.network(images, training=training)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take Keras's usual step, and note the losses."""
        images, targets, indices = data
        with tf.GradientTape() as tape:
            predicted = self(images, training=True)
            loss = self.compute_loss(images, targets, predicted)
        gradients = tape.gradient(loss, self.trainable_weights)  # pyright: ignore[reportCallIssue, reportArgumentType]
        self.optimizer.apply(gradients, self.trainable_weights)
        self.note(indices, keras.losses.kl_divergence(targets, predicted))  # pyright: ignore[reportArgumentType]
        for metric in self.metrics:
            metric.update_state(*([loss] if metric.name == "loss" else [targets, predicted]))
        return {name: value for metric in self.metrics for name, value in results(metric)}

    def note(self, indices: tf.Tensor, losses: tf.Tensor) -> None:
        """Take losses into the running means of the images of these indices."""
        means = (tf.gather(self.running, indices) + losses) / 2
        self.running.scatter_update(tf.IndexedSlices(means, indices))

    @property
    def callbacks(self) -> list[keras.callbacks.Callback]:
        """What fit has to call."""
        return [keras.callbacks.LambdaCallback(on_epoch_end=self.end_epoch)]

    def end_epoch(self, epoch: int, logs: dict | None = None) -> None:
        """Keep the losses as they stand after an epoch."""
        self.by_epoch.append(self.running.numpy())


def results(metric: keras.Metric) -> list[tuple[str, Any]]:
    """Return a metric's result by name; Keras keeps those given to compile as one."""
    result = metric.result()
    return [*result.items()] if isinstance(result, dict) else [(metric.name, result)]


def sampling_probabilities(
    losses: Float32[np.ndarray, "n"], power: float
) -> Float[np.ndarray, "n"]:
    """Return each image's probability to be drawn, by the given power of its loss."""
    weights = (losses + FLOOR) ** power
    return weights / weights.sum()


def draw_indices(
    by_epoch: Sequence[np.ndarray],
    count: int,
    epoch: int | np.integer,
    size: int,
    seed: int,
    power: float,
) -> Int64[np.ndarray, "size"]:
    """Return the indices, of count images, that an epoch takes; by_epoch: their losses so far.

    In the first two epochs, and with a power of 0, all in turn; later at random, by their losses
    two epochs before (the last epoch may still run when batches of the next are prepared).
    """
    generator = np.random.default_rng([seed, int(epoch)])
    if epoch < 2 or not power:
        return np.resize(generator.permutation(count), size)
    p = sampling_probabilities(by_epoch[epoch - 2], power)
    return generator.choice(count, size, p=p)
