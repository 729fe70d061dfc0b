"""train(): one recipe, from fresh weights to a trained model, on the clock."""

import dataclasses
import math
import time

import keras
import numpy as np
import tensorflow as tf

from mnist_study.deform import deform
from mnist_study.focus import RowLosses, draw


class Clock(keras.callbacks.Callback):
    """Clocks training from its own making on, without the validation after each epoch."""

    def __init__(self):
        super().__init__()
        self.seconds, self.since = 0.0, time.perf_counter()

    def stop(self):
        if self.since:
            self.seconds += time.perf_counter() - self.since
        self.since = None

    def on_test_begin(self, logs=None):
        self.stop()

    def on_epoch_end(self, epoch, logs=None):
        self.stop()

    def on_epoch_begin(self, epoch, logs=None):
        self.since = self.since or time.perf_counter()


@dataclasses.dataclass
class Trained:
    """A trained model and what its training took."""

    model: keras.Model
    history: dict  # Keras's, by epoch: the loss and, with validation, accuracies and losses
    fit_seconds: float  # building, compiling and all epochs, without validation
    row_losses: np.ndarray | None = None  # of each training row, (n,): means over its last draws


def rate_schedule(peak, steps):
    """Return a rate that rises to its peak for a tenth of the steps, then falls along a cosine."""
    rise = max(1, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rise), warmup_target=peak, warmup_steps=rise
    )


def steps_per_epoch(recipe, count):
    """Return the batches in an epoch over count training images; of plain images: all."""
    if not recipe.deforms:
        return math.ceil(count / recipe.batch_size)
    return max(1, recipe.images // recipe.batch_size)


def deformed_batches(recipe, inputs, targets, losses, steps, seed):
    """Return the batches of all epochs, deformed, with targets and rows, as a tf.data.Dataset.

    inputs: float32 (n, 28, 28, 1); targets: float32 one-hot (n, 10); losses: the RowLosses.
    """
    inputs, targets = tf.constant(inputs), tf.constant(targets)
    shape, total = (steps, recipe.batch_size), recipe.epochs * steps

    def rows_of(epoch):
        return draw(losses, epoch, math.prod(shape), seed, recipe.focus).reshape(shape)

    def batch(step, rows):
        left = 1 - tf.cast(step, tf.float32) / total  # the share of training still to come
        strength = tf.minimum(1.0, 0.5 + 0.5 * left / 0.3) if recipe.fade else tf.constant(1.0)
        seeds = tf.stack([tf.constant(seed, tf.int64), 2 * step])
        images = tf.gather(inputs, rows)
        images = deform(images, seeds, recipe.affine * strength, recipe.elastic * strength)
        known = (tf.cast(rows, tf.float32),) if recipe.focus else ()
        return images, tf.gather(targets, rows), *known

    rows = tf.data.Dataset.range(recipe.epochs).map(
        lambda epoch: tf.ensure_shape(tf.numpy_function(rows_of, [epoch], tf.int64), shape)
    )
    options = tf.data.Options()
    options.autotune.enabled = False  # its thread can hold up the end of fit for half a minute
    return rows.unbatch().enumerate().map(batch).prefetch(4).with_options(options)


def device_strategy():
    """Return TensorFlow's strategy: mirrored over several devices, else the default."""
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) == 1:
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def compiled(recipe, loss, steps, judged):
    """Return a fresh model, compiled by the recipe; judged: whether metrics are followed."""
    schedule = rate_schedule(recipe.learning_rate, recipe.epochs * steps)
    metrics = ["accuracy"] + ["categorical_crossentropy"] * bool(recipe.smoothing)
    strategy = device_strategy()
    # Steps between two returns to Python; Keras's loop over several fails on several devices.
    at_once = steps if recipe.deforms and strategy.num_replicas_in_sync == 1 else 1
    with strategy.scope():
        model = recipe.build()
        model.compile(
            recipe.optimizer or keras.optimizers.Adam(schedule),
            loss,
            metrics=metrics if judged else None,
            steps_per_execution=at_once,
        )
    return model


def train(recipe, inputs, targets, validation=None, seed=1, callbacks=()):
    """Return a model trained by the recipe, as Trained; equal seeds give equal weights.

    inputs: float32 (n, 28, 28, 1) in [0, 1]; targets: float32 one-hot (n, 10). validation: such a
    pair, judged after each epoch and off the clock; without it nothing is judged, which is faster.
    """
    keras.utils.set_random_seed(seed)
    clock, steps = Clock(), steps_per_epoch(recipe, len(inputs))
    if device_strategy().num_replicas_in_sync > 1:  # each would know the losses of its rows alone
        recipe = dataclasses.replace(recipe, focus=0)
    loss = RowLosses(len(inputs), recipe.smoothing)
    model = compiled(recipe, loss, steps, validation)
    if recipe.deforms:
        batches = deformed_batches(recipe, inputs, targets, loss, steps, seed)
        data = {"x": batches, "steps_per_epoch": steps, "shuffle": False}  # they are shuffled
    else:
        data = {"x": inputs, "y": targets, "batch_size": recipe.batch_size}
    history = model.fit(
        **data,
        epochs=recipe.epochs,
        validation_data=validation,
        validation_batch_size=2_000 if validation else None,
        callbacks=[clock, keras.callbacks.LambdaCallback(on_epoch_end=loss.end_epoch), *callbacks],
        verbose=0,
    ).history
    return Trained(model, history, clock.seconds, loss.running.numpy())


def train_nets(recipe, inputs, targets, validation=None, seed=1):
    """Return what train does, or the average of recipe.nets models, each from seeds of its own."""
    if recipe.nets == 1:
        return train(recipe, inputs, targets, validation, seed)
    seeds = [100 * seed + net for net in range(recipe.nets)]
    trained = [train(recipe, inputs, targets, validation, seed) for seed in seeds]
    images = keras.Input(inputs.shape[1:])
    answers = keras.layers.average([net.model(images) for net in trained])
    seconds = sum(net.fit_seconds for net in trained)
    return Trained(keras.Model(images, answers), trained[0].history, seconds)


def probabilities(model, inputs):
    """Return the model's answers to float32 images (n, 28, 28, 1): float32 (n, 10)."""
    parts = np.array_split(inputs, math.ceil(len(inputs) / 2_000))
    return np.concatenate([model(part, training=False) for part in parts])
