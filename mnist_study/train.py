"""train(): one configuration, from initial weights to a trained model, on the clock."""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mnist_study.arrays import Images, Targets, ValidationImages, ValidationTargets
from mnist_study.augment import Batch, Seed, augment
from mnist_study.backend import keras, tf
from mnist_study.corrupt import BATCH, corrupt
from mnist_study.models import Configuration
from mnist_study.optimizers import FusedAdam
from mnist_study.sampling import SampledTraining, draw_indices

ANNEALING = 0.3  # share of training, at its end, in which augmentation falls to half its strength
VALIDATIONS = 20  # epochs after which validation images are evaluated; a curve shows no more
History = dict[str, list[float]]  # Keras's, by epoch
Augmentation = Callable[[Batch, Seed, Any], Batch]  # from images, a seed and a strength


def now() -> np.ndarray:
    """Return the time, and the processor seconds of all threads so far."""
    return np.array([time.perf_counter(), time.process_time()])


class Clock(keras.callbacks.Callback):
    """Clocks training from its first epoch on, without the validation after each epoch."""

    def __init__(self):
        super().__init__()
        self.since: np.ndarray | None = None
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
    fit_seconds: float  # of all epochs, without validation
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


def augmentation(configuration: Configuration) -> Augmentation:
    """Return the function that augments a batch as the configuration says."""

    families, batch_size = tuple(configuration.corruptions), configuration.batch_size
    some = int(configuration.corrupted * batch_size) // BATCH * BATCH if families else 0

    def augmented(images: Batch, seed: Seed, strength: Any) -> Batch:
        strengths = configuration.affine * strength, configuration.elastic * strength
        images = augment(images, seed, *strengths, configuration.shift)
        if not some:
            return images
        corrupted = corrupt(images[:some], seed, families)
        return tf.concat([corrupted, images[some:]], 0) if some < batch_size else corrupted

    return augmented


def augmented_batches(
    configuration: Configuration,
    inputs: Images,
    targets: Targets,
    seed: int,
    augmented: Augmentation,
    losses: Sequence[np.ndarray] | None = None,
) -> tf.data.Dataset:
    """Return the batches of all epochs: augmented images and targets.

    augmented: from a batch, a seed and the strength at that time, 1 or less when it is annealed.
    losses: of each image after each epoch so far, as SampledTraining notes them, to draw images by;
    then each batch has its images' indices, too.
    """
    all_images, all_targets = tf.constant(inputs), tf.constant(targets)
    steps = steps_per_epoch(configuration, len(inputs))
    shape, total = (steps, configuration.batch_size), configuration.epochs * steps
    power = configuration.importance_sampling if losses is not None else 0

    def indices_of(epoch):
        size = math.prod(shape)
        return draw_indices(losses or (), len(inputs), epoch, size, seed, power).reshape(shape)

    @tf.autograph.experimental.do_not_convert  # there is no loop to convert; that takes a second
    def batch(step, indices):
        left = 1 - tf.cast(step, tf.float32) / total  # the share of training still to come
        annealed = tf.minimum(1.0, 0.5 + 0.5 * left / ANNEALING)
        strength = annealed if configuration.anneal else tf.constant(1.0)
        seeds = tf.stack([tf.constant(seed, tf.int64), 2 * step])
        images = augmented(tf.gather(all_images, indices), seeds, strength)
        batch = images, tf.gather(all_targets, indices)
        return batch if losses is None else (*batch, indices)

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
    configuration: Configuration, count: int, steps: int, validated: bool
) -> tuple[keras.Model, keras.Model]:
    """Return a fresh network, and the compiled model to fit: itself or, to sample, around it.

    count: of training images; validated: whether metrics are followed.
    """
    strategy = device_strategy()
    alone = strategy.num_replicas_in_sync == 1  # on several devices each would know some losses
    smoothed = ["categorical_crossentropy"] if configuration.label_smoothing else []
    schedule = rate_schedule(configuration.learning_rate, configuration.epochs * steps)
    adam = FusedAdam if configuration.fused_adam else keras.optimizers.Adam
    with strategy.scope():
        network = configuration.build()
        sampled = configuration.augments and configuration.importance_sampling and alone
        model = SampledTraining(network, count) if sampled else network
        model.compile(
            configuration.optimizer or adam(schedule),  # pyright: ignore[reportArgumentType]
            keras.losses.CategoricalCrossentropy(label_smoothing=configuration.label_smoothing),
            metrics=["accuracy", *smoothed] if validated else None,
            # Steps between two returns to Python; on several devices Keras can take only one.
            steps_per_execution=steps if alone else 1,
        )
    return network, model


def train(
    configuration: Configuration,
    inputs: Images,
    targets: Targets,
    validation: tuple[ValidationImages, ValidationTargets] | None = None,
    seed: int = 1,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Trained:
    """Return a trained model; equal seeds give equal weights.

    validation: evaluated after some epochs (validated_epochs), off the clock; training without it
    is faster.
    """
    keras.utils.set_random_seed(seed)
    clock, steps = Clock(), steps_per_epoch(configuration, len(inputs))
    network, model = compiled(configuration, len(inputs), steps, validation is not None)
    sampler = model if isinstance(model, SampledTraining) else None
    data: dict[str, Any] = {"x": inputs, "y": targets, "batch_size": configuration.batch_size}
    if configuration.augments:
        losses = sampler.by_epoch if sampler else None
        batches = augmented_batches(
            configuration, inputs, targets, seed, augmentation(configuration), losses
        )
        data = {"x": batches, "steps_per_epoch": steps, "shuffle": False}  # they are shuffled
    history = model.fit(
        **data,
        epochs=configuration.epochs,
        validation_data=validation,
        validation_freq=validated_epochs(configuration.epochs),  # pyright: ignore[reportArgumentType]
        validation_batch_size=2_000 if validation else None,
        callbacks=[clock, *(sampler.callbacks if sampler else ()), *callbacks],
        verbose=0,  # pyright: ignore[reportArgumentType]
    ).history
    losses = sampler.running.numpy() if sampler else None
    return Trained(network, history, clock.seconds, clock.processor_seconds, losses)
