"""The line network and its runner: trained with CTC on lines that are simulated as it learns.

Source of CTC: Graves et al. 2006, doi 10.1145/1143844.1143891.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from digit_reader.characters import BLANK, CHARACTERS, GAP, HEIGHT, decoded, softmax
from mnist_study.backend import keras, tf
from mnist_study.data import digest
from mnist_study.models import Configuration, register
from mnist_study.recogniser import lines
from mnist_study.recogniser.lines import Batch, Simulated
from mnist_study.runners import Experiment, Result
from mnist_study.train import Clock, Trained, rate_schedule

VALIDATED = 1_500  # lines, simulated from validation digits
WEIGHT_DECAY, CLIPPED = 1e-3, 5.0  # of AdamW, and the norm to which gradients are clipped


def convolution(filters: int, size: int | tuple[int, int], **more: Any) -> list[keras.Layer]:
    """Return a convolution with batch normalisation and ReLU."""
    options = {"padding": "same", "use_bias": False} | more
    layer = keras.layers.Conv2D(filters, size, **options)
    return [layer, keras.layers.BatchNormalization(momentum=0.98), keras.layers.ReLU()]


@register(epochs=10, samples_per_epoch=25_600, batch_size=32, learning_rate=0.003)
def line_reader() -> keras.Model:
    """Return the line network: of lines (n, 32, w, 1) it gives logits (n, 1, w / 4, 24)."""
    pool = keras.layers.MaxPooling2D
    return keras.Sequential(
        [
            keras.Input((HEIGHT, None, 1)),
            *convolution(16, 3, strides=2),
            *convolution(32, 3),
            pool(2),
            *convolution(48, 3),
            *convolution(64, 3),
            pool((2, 1)),
            *convolution(96, 3),
            keras.layers.ZeroPadding2D((0, 1)),
            *convolution(128, (4, 3), padding="valid"),  # the whole height becomes one row
            *convolution(96, (1, 5)),
            keras.layers.Dropout(0.1),
            keras.layers.Conv2D(BLANK + 1, 1),
        ],
        name="line_reader",
    )


def ctc(characters: Any, logits: Any) -> Any:
    """Return CTC's loss of logits (n, 1, steps, 24) for characters (n, m), filled up with BLANK."""
    counts = keras.ops.sum(keras.ops.cast(characters != BLANK, "int32"), axis=1)
    steps = keras.ops.full_like(counts, keras.ops.shape(logits)[2])  # pyright: ignore[reportOptionalSubscript]
    return keras.ops.ctc_loss(characters, logits[:, 0], counts, steps, mask_index=BLANK)


def dataset(batches: Iterator[Batch]) -> tf.data.Dataset:
    """Return batches as a dataset of float32 lines from 0 to 1, and their characters."""
    kinds = tf.TensorSpec((None, HEIGHT, None), tf.uint8), tf.TensorSpec((None, None), tf.int32)
    made = tf.data.Dataset.from_generator(lambda: batches, output_signature=kinds)
    return made.map(lambda images, text: (tf.cast(images, tf.float32)[..., None] / 255, text))


def train_lines(configuration: Configuration, seed: int) -> Trained:
    """Return the trained line network; equal seeds give equal weights."""
    size, epochs = configuration.batch_size, configuration.epochs
    steps = configuration.samples_per_epoch // size
    batches = lines.made_ahead(size, epochs * steps, seed)
    keras.utils.set_random_seed(seed)
    model, clock = configuration.build(), Clock()
    rate = rate_schedule(configuration.learning_rate, epochs * steps)
    adam = keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, clipnorm=CLIPPED)  # pyright: ignore[reportArgumentType]
    model.compile(adam, ctc)
    given: dict[str, Any] = {"steps_per_epoch": steps, "shuffle": False, "verbose": 0}
    history = model.fit(dataset(batches), epochs=epochs, callbacks=[clock], **given).history
    return Trained(model, history, clock.seconds, clock.processor_seconds)


def validation_lines() -> list[Simulated]:
    """Return lines that are simulated from validation digits."""
    sources, generator = lines.sources_of(training=False, seed=0), np.random.default_rng(0)
    return [lines.simulated(sources, generator) for _ in range(VALIDATED)]


def read_line(model: keras.Model, image: np.ndarray) -> str:
    """Return the characters that the network reads in a line (32, w), 0 to 255."""
    inputs = image[np.newaxis, ..., np.newaxis].astype(np.float32) / 255
    return text_of(decoded(softmax(np.asarray(model(inputs, training=False))[0, 0])))


def text_of(characters: Sequence[Any]) -> str:
    """Return characters as text."""
    return "".join(character.text for character in characters)


def scores(model: keras.Model, known: Sequence[Simulated]) -> Result:
    """Return the shares of lines that are read right: wholly, and but for gaps."""
    read = [read_line(model, image) for image, _ in known]
    shown = ["".join(CHARACTERS[number] for number in text) for _, text in known]
    pairs = [*zip(read, shown, strict=True)]
    without = [(one.replace(GAP, ""), other.replace(GAP, "")) for one, other in pairs]
    return {
        "validation_right": float(np.mean([one == other for one, other in pairs])),
        "validation_right_but_for_gaps": float(np.mean([a == b for a, b in without])),
    }


def train_line_reader(experiment: Experiment) -> tuple[Trained, Result]:
    """Train the line network as the experiment says; return the trained model and the result."""
    trained = train_lines(experiment.configuration, experiment.seed)
    record: Result = {"parameters": trained.model.count_params()}
    record["fit_seconds"], record["processor_seconds"] = trained.spent
    record["weights_sha256"] = digest(trained.model.get_weights())
    record |= scores(trained.model, validation_lines()) | {"history": trained.history}
    return trained, record
