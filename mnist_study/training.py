"""train(): one recipe, from fresh weights to a trained model, on the clock."""

import dataclasses
import math
import time

import keras
import numpy as np
import tensorflow as tf

from mnist_study.deform import deform


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


def rate_schedule(peak, steps):
    """Return a rate that rises to its peak for a tenth of the steps, then falls along a cosine."""
    rise = max(1, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rise), warmup_target=peak, warmup_steps=rise
    )


def steps_per_epoch(recipe, count):
    """Return the batches in an epoch over count training images.

    A multiple of the batches that TensorFlow does at once: Keras does no fewer. Plain images: all.
    """
    if not recipe.deforms:
        return math.ceil(count / recipe.batch_size)
    steps = max(1, recipe.images // recipe.batch_size)
    return steps - steps % min(steps, recipe.steps_per_execution)


def deformed_batches(recipe, inputs, targets, steps, seed):
    """Return steps shuffled batches of deformed images with their targets, as a tf.data.Dataset.

    inputs: float32 (n, 28, 28, 1); targets: float32 one-hot (n, 10).
    """
    inputs, targets = tf.constant(inputs), tf.constant(targets)

    def batch(step, rows):
        left = 1 - tf.cast(step, tf.float32) / steps  # the share of training still to come
        strength = tf.minimum(1.0, 0.5 + 0.5 * left / 0.3) if recipe.fade else tf.constant(1.0)
        draw = tf.stack([tf.constant(seed, tf.int64), 2 * step])
        images = tf.gather(inputs, rows)
        images = deform(images, draw, recipe.affine * strength, recipe.elastic * strength)
        return images, tf.gather(targets, rows)

    rows = tf.data.Dataset.range(len(inputs)).shuffle(len(inputs), seed=seed).repeat()
    rows = rows.batch(recipe.batch_size, drop_remainder=True).take(steps).enumerate()
    options = tf.data.Options()
    options.autotune.enabled = False  # its thread can hold up the end of fit for half a minute
    return rows.map(batch).prefetch(4).with_options(options)


def device_strategy():
    """Return TensorFlow's strategy: mirrored over several devices, else the default."""
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) == 1:
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def compiled(recipe, steps, judged):
    """Return a fresh model, compiled by the recipe; judged: whether metrics are followed."""
    schedule = rate_schedule(recipe.learning_rate, recipe.epochs * steps)
    metrics = ["accuracy"] + ["categorical_crossentropy"] * bool(recipe.smoothing)
    strategy = device_strategy()
    at_once = min(steps, recipe.steps_per_execution)
    with strategy.scope():
        model = recipe.build()
        model.compile(
            recipe.optimizer or keras.optimizers.Adam(schedule),
            keras.losses.CategoricalCrossentropy(label_smoothing=recipe.smoothing),
            metrics=metrics if judged else None,
            # Keras's loop over several steps fails on several devices.
            steps_per_execution=at_once if strategy.num_replicas_in_sync == 1 else 1,
        )
    return model


def train(recipe, inputs, targets, validation=None, seed=1, callbacks=()):
    """Return a model trained by the recipe, as Trained; equal seeds give equal weights.

    inputs: float32 (n, 28, 28, 1) in [0, 1]; targets: float32 one-hot (n, 10). validation: such a
    pair, judged after each epoch and off the clock; without it nothing is judged, which is faster.
    """
    keras.utils.set_random_seed(seed)
    clock, steps = Clock(), steps_per_epoch(recipe, len(inputs))
    model = compiled(recipe, steps, validation)
    if recipe.deforms:
        batches = deformed_batches(recipe, inputs, targets, recipe.epochs * steps, seed)
        data = {"x": batches, "steps_per_epoch": steps, "shuffle": False}  # they are shuffled
    else:
        data = {"x": inputs, "y": targets, "batch_size": recipe.batch_size}
    history = model.fit(
        **data,
        epochs=recipe.epochs,
        validation_data=validation,
        validation_batch_size=2_000 if validation else None,
        callbacks=[clock, *callbacks],
        verbose=0,
    ).history
    return Trained(model, history, clock.seconds)


def probabilities(model, inputs):
    """Return the model's answers to float32 images (n, 28, 28, 1): float32 (n, 10)."""
    parts = np.array_split(inputs, math.ceil(len(inputs) / 2_000))
    return np.concatenate([model(part, training=False) for part in parts])
