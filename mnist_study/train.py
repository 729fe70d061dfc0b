"""train(): one configuration, from initial weights to a trained model, on the clock."""

import dataclasses
import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from mnist_study.arrays import Images, Targets, ValidationImages, ValidationTargets
from mnist_study.augment import augment
from mnist_study.backend import keras, tf
from mnist_study.models import Configuration
from mnist_study.optimizers import FusedAdam
from mnist_study.sampling import SampleLosses, draw_indices

ANNEALING = 0.3  # share of training, at its end, in which augmentation falls to half its strength
VALIDATIONS = 20  # epochs after which validation images are evaluated; a curve shows no more
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
    sample_losses: np.ndarray | None = None  # with importance sampling: float32 (n,), running means

    @property
    def spent(self) -> tuple[float, float]:
        """The seconds of training, and those of its processors."""
        return self.fit_seconds, self.processor_seconds


def rate_schedule(peak: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return the learning rate: linear warm-up for a tenth of the steps, then cosine decay."""
    warm_up = max(1, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), warmup_target=peak, warmup_steps=warm_up
    )


def steps_per_epoch(configuration: Configuration, count: int) -> int:
    """Return the batches in an epoch over count training images."""
    if not configuration.augments:
        return math.ceil(count / configuration.batch_size)
    return max(1, configuration.samples_per_epoch // configuration.batch_size)


def augmented_batches(
    configuration: Configuration,
    inputs: Images,
    targets: Targets,
    losses: SampleLosses,
    steps: int,
    seed: int,
    teacher: keras.Model | None = None,
) -> tf.data.Dataset:
    """Return the batches of all epochs: augmented images, targets and, for SampleLosses, indices.

    teacher: whose predictions for the augmented images are the targets, in place of the given ones.
    """
    all_images, all_targets = tf.constant(inputs), tf.constant(targets)
    shape, total = (steps, configuration.batch_size), configuration.epochs * steps

    def indices_of(epoch):
        power = configuration.importance_sampling
        return draw_indices(losses, epoch, math.prod(shape), seed, power).reshape(shape)

    @tf.autograph.experimental.do_not_convert  # there is no loop to convert; that takes a second
    def batch(step, indices):
        left = 1 - tf.cast(step, tf.float32) / total  # the share of training still to come
        annealed = tf.minimum(1.0, 0.5 + 0.5 * left / ANNEALING)
        strength = annealed if configuration.anneal else tf.constant(1.0)
        seeds = tf.stack([tf.constant(seed, tf.int64), 2 * step])
        images = tf.gather(all_images, indices)
        strengths = configuration.affine * strength, configuration.elastic * strength
        images = augment(images, seeds, *strengths)
        known = (tf.cast(indices, tf.float32),) if configuration.importance_sampling else ()
        labelled = teacher(images, training=False) if teacher else tf.gather(all_targets, indices)
        return images, labelled, *known

    epochs = tf.data.Dataset.range(configuration.epochs).map(
        lambda epoch: tf.ensure_shape(tf.numpy_function(indices_of, [epoch], tf.int64), shape)
    )
    options = tf.data.Options()
    options.autotune.enabled = False  # its thread can hold up the end of fit for half a minute
    return epochs.unbatch().enumerate().map(batch).prefetch(4).with_options(options)


def validated_epochs(epochs: int) -> list[int]:
    """Return the epochs, from 1, after which validation images are evaluated, with the last."""
    return sorted({math.ceil(n * epochs / VALIDATIONS) for n in range(1, VALIDATIONS + 1)})


def device_strategy() -> tf.distribute.Strategy:
    """Return TensorFlow's strategy: mirrored over several devices, else the default."""
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) == 1:
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def compiled(
    configuration: Configuration, loss: keras.losses.Loss, steps: int, validated: bool
) -> keras.Model:
    """Return a fresh model, compiled; validated: whether metrics are followed."""
    schedule = rate_schedule(configuration.learning_rate, configuration.epochs * steps)
    adam = FusedAdam if configuration.fused_adam else keras.optimizers.Adam
    smoothed = ["categorical_crossentropy"] if configuration.label_smoothing else []
    strategy = device_strategy()
    # Steps between two returns to Python; Keras's loop over several fails on several devices.
    at_once = steps if configuration.augments and strategy.num_replicas_in_sync == 1 else 1
    with strategy.scope():
        model = configuration.build()
        model.compile(
            configuration.optimizer or adam(schedule),  # pyright: ignore[reportArgumentType]
            loss,
            metrics=["accuracy", *smoothed] if validated else None,
            steps_per_execution=at_once,
        )
    return model


def train(
    configuration: Configuration,
    inputs: Images,
    targets: Targets,
    validation: tuple[ValidationImages, ValidationTargets] | None = None,
    seed: int = 1,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    teacher: keras.Model | None = None,
) -> Trained:
    """Return a trained model; equal seeds give equal weights.

    validation: evaluated after some epochs (validated_epochs), off the clock; training without it
    is faster. teacher: whose predictions for augmented images are the targets (distillation:
    Hinton et al. 2015, arXiv 1503.02531).
    """
    keras.utils.set_random_seed(seed)
    clock, steps = Clock(), steps_per_epoch(configuration, len(inputs))
    if device_strategy().num_replicas_in_sync > 1:  # each would know the losses of its share alone
        configuration = dataclasses.replace(configuration, importance_sampling=0)
    loss = SampleLosses(len(inputs), configuration.label_smoothing)
    model = compiled(configuration, loss, steps, validation is not None)
    data: dict[str, Any] = {"x": inputs, "y": targets, "batch_size": configuration.batch_size}
    if configuration.augments:
        batches = augmented_batches(configuration, inputs, targets, loss, steps, seed, teacher)
        data = {"x": batches, "steps_per_epoch": steps, "shuffle": False}  # they are shuffled
    watching = [clock, keras.callbacks.LambdaCallback(on_epoch_end=loss.end_epoch), *callbacks]
    history = model.fit(
        **data,
        epochs=configuration.epochs,
        validation_data=validation,
        validation_freq=validated_epochs(configuration.epochs),  # pyright: ignore[reportArgumentType]
        validation_batch_size=2_000 if validation else None,
        callbacks=watching,
        verbose=0,  # pyright: ignore[reportArgumentType]
    ).history
    sampled = configuration.augments and configuration.importance_sampling
    losses = loss.running.numpy() if sampled else None
    return Trained(model, history, clock.seconds, clock.processor_seconds, losses)


def ensemble(trained: Sequence[Trained]) -> Trained:
    """Return trained models as one that averages their probabilities; its history is the first's.

    One alone comes back as it is.
    """
    if len(trained) == 1:
        return trained[0]
    images = keras.Input(trained[0].model.input_shape[1:])
    outputs = keras.layers.average([net.model(images) for net in trained])
    seconds, processors = (sum(part) for part in zip(*[net.spent for net in trained], strict=True))
    return Trained(keras.Model(images, outputs), trained[0].history, seconds, processors)
