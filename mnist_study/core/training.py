"""train(): one recipe, from fresh weights to a trained model, on the clock."""

import dataclasses
import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from mnist_study.arrays import HeldImages, HeldTargets, Images, Targets
from mnist_study.core.backend import keras, tf
from mnist_study.core.deform import deform
from mnist_study.core.models import Recipe
from mnist_study.core.optimizers import OnePassAdam
from mnist_study.core.sampling import RowLosses, draw

FADING = 0.3  # share of the training, at its end, in which deformations fade to half their strength
JUDGED = 20  # epochs after which validation images are read
History = dict[str, list[float]]  # Keras's, by epoch


def now() -> np.ndarray:
    """Return the time, and the processor seconds of all threads so far."""
    return np.array([time.perf_counter(), time.process_time()])


class Clock(keras.callbacks.Callback):
    """Clocks training from its own making on, without the validation after each epoch."""

    def __init__(self):
        super().__init__()
        self.since: np.ndarray | None = now()
        self.spent = np.zeros(2)

    @property
    def seconds(self) -> float:
        """The seconds so far."""
        return float(self.spent[0])

    @property
    def processor_seconds(self) -> float:
        """The seconds that processors were at work, all threads together."""
        return float(self.spent[1])

    def stop(self):
        if self.since is not None:
            self.spent += now() - self.since
        self.since = None

    def on_test_begin(self, logs=None):
        self.stop()

    def on_epoch_end(self, epoch, logs=None):
        self.stop()

    def on_epoch_begin(self, epoch, logs=None):
        self.since = now() if self.since is None else self.since


@dataclasses.dataclass
class Trained:
    """A trained model and what its training took."""

    model: keras.Model
    history: History  # the loss and, with validation, accuracies and losses
    fit_seconds: float  # building, compiling and all epochs, without validation
    processor_seconds: float = 0.0  # of all threads in that time
    row_losses: np.ndarray | None = (
        None  # where rows are drawn by them: float32 (n,), running means
    )

    @property
    def spent(self) -> tuple[float, float]:
        """The seconds of training, and those of its processors."""
        return self.fit_seconds, self.processor_seconds


def rate_schedule(peak: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return a rate that rises to its peak for a tenth of the steps, then falls along a cosine."""
    rise = max(1, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rise), warmup_target=peak, warmup_steps=rise
    )


def steps_per_epoch(recipe: Recipe, count: int) -> int:
    """Return the batches in an epoch over count training images; of plain images: all."""
    if not recipe.deforms:
        return math.ceil(count / recipe.batch_size)
    return max(1, recipe.images // recipe.batch_size)


def deformed_batches(
    recipe: Recipe,
    inputs: Images,
    targets: Targets,
    losses: RowLosses,
    steps: int,
    seed: int,
    teacher: keras.Model | None = None,
) -> tf.data.Dataset:
    """Return the batches of all epochs: deformed images, targets and, for RowLosses, their rows.

    teacher: whose answers to the deformed images are the targets, in place of the given ones.
    """
    all_images, all_targets = tf.constant(inputs), tf.constant(targets)
    shape, total = (steps, recipe.batch_size), recipe.epochs * steps

    def rows_of(epoch):
        return draw(losses, epoch, math.prod(shape), seed, recipe.focus).reshape(shape)

    @tf.autograph.experimental.do_not_convert  # there is no loop to convert; reading takes a second
    def batch(step, rows):
        left = 1 - tf.cast(step, tf.float32) / total  # the share of training still to come
        strength = tf.minimum(1.0, 0.5 + 0.5 * left / FADING) if recipe.fade else tf.constant(1.0)
        seeds = tf.stack([tf.constant(seed, tf.int64), 2 * step])
        images = tf.gather(all_images, rows)
        images = deform(images, seeds, recipe.affine * strength, recipe.elastic * strength)
        known = (tf.cast(rows, tf.float32),) if recipe.focus else ()
        answers = teacher(images, training=False) if teacher else tf.gather(all_targets, rows)
        return images, answers, *known

    rows = tf.data.Dataset.range(recipe.epochs).map(
        lambda epoch: tf.ensure_shape(tf.numpy_function(rows_of, [epoch], tf.int64), shape)
    )
    options = tf.data.Options()
    options.autotune.enabled = False  # its thread can hold up the end of fit for half a minute
    return rows.unbatch().enumerate().map(batch).prefetch(4).with_options(options)


def judged_epochs(epochs: int) -> list[int]:
    """Return the epochs, from 1, after which validation images are read: 20 at most, and the last.

    A curve shows no more.
    """
    return sorted({math.ceil(part * epochs / JUDGED) for part in range(1, JUDGED + 1)})


def device_strategy() -> tf.distribute.Strategy:
    """Return TensorFlow's strategy: mirrored over several devices, else the default."""
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) == 1:
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def compiled(recipe: Recipe, loss: keras.losses.Loss, steps: int, judged: bool) -> keras.Model:
    """Return a fresh model, compiled by the recipe; judged: whether metrics are followed."""
    schedule = rate_schedule(recipe.learning_rate, recipe.epochs * steps)
    adam = OnePassAdam if recipe.one_pass else keras.optimizers.Adam
    metrics = ["accuracy", "categorical_crossentropy"] if recipe.smoothing else ["accuracy"]
    strategy = device_strategy()
    # Steps between two returns to Python; Keras's loop over several fails on several devices.
    at_once = steps if recipe.deforms and strategy.num_replicas_in_sync == 1 else 1
    with strategy.scope():
        model = recipe.build()
        model.compile(
            recipe.optimizer or adam(schedule),  # pyright: ignore[reportArgumentType]
            loss,
            metrics=metrics if judged else None,
            steps_per_execution=at_once,
        )
    return model


def train(
    recipe: Recipe,
    inputs: Images,
    targets: Targets,
    validation: tuple[HeldImages, HeldTargets] | None = None,
    seed: int = 1,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    teacher: keras.Model | None = None,
) -> Trained:
    """Return a model trained by the recipe; equal seeds give equal weights.

    validation: judged after epochs (judged_epochs), off the clock; without it nothing is judged,
    which is faster. teacher: whose answers to deformed images are learnt, in place of the targets
    (Hinton et al. 2015, arXiv 1503.02531).
    """
    keras.utils.set_random_seed(seed)
    clock, steps = Clock(), steps_per_epoch(recipe, len(inputs))
    if device_strategy().num_replicas_in_sync > 1:  # each would know the losses of its rows alone
        recipe = dataclasses.replace(recipe, focus=0)
    loss = RowLosses(len(inputs), recipe.smoothing)
    model = compiled(recipe, loss, steps, validation is not None)
    data: dict[str, Any] = {"x": inputs, "y": targets, "batch_size": recipe.batch_size}
    if recipe.deforms:
        batches = deformed_batches(recipe, inputs, targets, loss, steps, seed, teacher)
        data = {"x": batches, "steps_per_epoch": steps, "shuffle": False}  # they are shuffled
    watching = [clock, keras.callbacks.LambdaCallback(on_epoch_end=loss.end_epoch), *callbacks]
    history = model.fit(
        **data,
        epochs=recipe.epochs,
        validation_data=validation,
        validation_freq=judged_epochs(recipe.epochs),  # pyright: ignore[reportArgumentType]
        validation_batch_size=2_000 if validation else None,
        callbacks=watching,
        verbose=0,  # pyright: ignore[reportArgumentType]
    ).history
    drawn = recipe.deforms and recipe.focus
    losses = loss.running.numpy() if drawn else None
    return Trained(model, history, clock.seconds, clock.processor_seconds, losses)


def average(trained: Sequence[Trained]) -> Trained:
    """Return the average of trained models' answers as one; its history is the first one's.

    One alone comes back as it is.
    """
    if len(trained) == 1:
        return trained[0]
    images = keras.Input(trained[0].model.input_shape[1:])
    answers = keras.layers.average([net.model(images) for net in trained])
    seconds, of_processors = (
        sum(part) for part in zip(*[net.spent for net in trained], strict=True)
    )
    return Trained(keras.Model(images, answers), trained[0].history, seconds, of_processors)
