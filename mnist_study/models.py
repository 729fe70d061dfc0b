"""The registry of models: networks and the configurations that train them; add your own here."""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mnist_study.backend import keras
from mnist_study.corrupt import Family
from mnist_study.errors import ParameterError
from mnist_study.initializers import local_weights

Network = Callable[..., keras.Model]


@dataclasses.dataclass(frozen=True)
class Configuration:
    """How to build and train one model; the defaults are those of dense_dropout."""

    network: Network  # returns a model from float32 images (n, 28, 28, 1) to ten probabilities
    options: dict[str, Any] = dataclasses.field(default_factory=dict)  # the network's arguments
    epochs: int = 50
    samples_per_epoch: int = 54_000  # of augmented images; an epoch of others holds each once
    batch_size: int = 512
    learning_rate: float = 0.012  # the peak of warm-up and cosine decay
    optimizer: str | None = None  # a Keras optimiser at its defaults, without that schedule
    fused_adam: bool = True  # whether Adam updates in one pass (optimizers.FusedAdam)
    affine: float = 1.0  # strength of affine augmentation, 0 for none
    elastic: float = 1.0  # strength of elastic augmentation, 0 for none
    shift: float = 5.0  # pixels, at most, of further shifts of every fourth warp
    corruptions: Sequence[str] = tuple(Family)  # what else augmentation adds (corrupt.py)
    corrupted: float = 1.0  # share of each batch that corruptions may come to
    anneal: bool = True  # whether augmentation grows weaker towards the end of training
    label_smoothing: float = 0.05  # share of each target that is spread over all ten digits
    importance_sampling: float = 0.5  # images are drawn by this power of their loss, 0: all alike

    @property
    def augments(self) -> bool:
        """Whether training augments its images."""
        return bool(self.affine or self.elastic or self.shift or self.corruptions)

    def build(self) -> keras.Model:
        """Return a fresh model."""
        return self.network(**self.options)

    def quick(self) -> "Configuration":
        """Return it with a sixteenth of the epochs and a tenth of the images in each."""
        epochs, samples = math.ceil(self.epochs / 16), self.samples_per_epoch // 10
        return dataclasses.replace(self, epochs=epochs, samples_per_epoch=samples)


registry: dict[str, Configuration] = {}


def register(**settings: Any) -> Callable[[Network], Network]:
    """Enter the decorated network into the registry under its name, with its training settings."""

    def enter(network: Network) -> Network:
        registry[network.__name__] = Configuration(network, **settings)
        return network

    return enter


# The usual way to train: small batches of images as they are, a Keras optimiser at its defaults.
PLAIN: dict[str, Any] = {"batch_size": 128, "label_smoothing": 0}
PLAIN |= {"affine": 0, "elastic": 0, "shift": 0, "corruptions": ()}


@register(epochs=10, optimizer="adam", **PLAIN)
def softmax_regression() -> keras.Model:
    """Return multinomial logistic regression on the 784 pixels."""
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten()]
    return keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])


@register(epochs=20, optimizer="rmsprop", **PLAIN)
def baseline_mlp(dropout: float = 0.2) -> keras.Model:
    """Return the multilayer perceptron of Keras's mnist_mlp example: 512-512, ReLU, dropout."""
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten()]
    for _ in range(2):
        layers += [keras.layers.Dense(512, activation="relu"), keras.layers.Dropout(dropout)]
    return keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])


def normalised(layer: Callable[..., keras.Layer], *sizes: int) -> list[keras.Layer]:
    """Return a layer of the given sizes, batch normalisation and ReLU."""
    normalisation = keras.layers.BatchNormalization(momentum=0.9, scale=False)  # the next scales
    weighted = layer(*sizes, use_bias=False, kernel_initializer="he_normal")
    return [weighted, normalisation, keras.layers.ReLU()]


def without_normalisation(width: int) -> keras.Layer:
    """Return a dense layer of ReLUs without batch normalisation."""
    return keras.layers.Dense(width, activation="relu", kernel_initializer="he_normal")


@register()
def dense_dropout(
    widths: tuple[int, ...] | list[int] = (2048, 256),
    dropout: float = 0.1,
    local_init: bool = True,
    batch_normalisation: bool = True,
) -> keras.Model:
    """Return dense layers of the given widths with batch normalisation, dropout before the last.

    They see the middle 24x24 pixels; digits hardly reach the others. local_init: whether the first
    layer is locally initialised (initializers.local_weights).
    """
    layers = [keras.Input((28, 28, 1)), keras.layers.Cropping2D(2), keras.layers.Flatten()]
    for width in widths:
        layers += (
            normalised(keras.layers.Dense, width)
            if batch_normalisation
            else [without_normalisation(width)]
        )
    one_mask = (1, widths[-1])  # for a whole batch: a mask for each image takes longer to draw
    layers += [keras.layers.Dropout(dropout, noise_shape=one_mask)]
    model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
    if local_init:
        model.layers[2].kernel.assign(local_weights(24, widths[0]))
    return model


@register(epochs=14, batch_size=256, learning_rate=0.01, affine=0.85, elastic=0.85, corrupted=0.5)
def cnn(filters: tuple[int, ...] | list[int] = (24, 64, 96), units: int = 192) -> keras.Model:
    """Return convolutions 4x4, 3x3, 3x3 with the given filters, a dense layer, dropout."""
    convolution = functools.partial(keras.layers.Conv2D, padding="same")
    first = convolution(filters[0], 4, 2, activation="relu", kernel_initializer="he_normal")
    layers = [keras.Input((28, 28, 1)), first]
    layers += normalised(convolution, filters[1], 3, 2)
    layers += normalised(convolution, filters[2], 3)
    layers += [keras.layers.MaxPooling2D(), keras.layers.Flatten()]
    layers += normalised(keras.layers.Dense, units)
    layers += [keras.layers.Dropout(0.3), keras.layers.Dense(10, activation="softmax")]
    return keras.Sequential(layers)


RECOGNISER: dict[str, Any] = {"epochs": 12, "samples_per_epoch": 160_000, "batch_size": 256}
RECOGNISER |= {"fused_adam": False, "importance_sampling": 0, "shift": 0, "corruptions": ()}


@register(**RECOGNISER, learning_rate=0.01, affine=0.4, elastic=0.4)
def digit_reader() -> keras.Model:
    """Return the recogniser of people's own digits: a cnn of 293,586 weights."""
    return cnn(filters=(24, 64, 128), units=176)


def check_model(name: str) -> None:
    """Raise ParameterError unless the registry has a model of that name for ten probabilities."""
    if name not in registry:
        raise ParameterError(f"models names {name!r}: choose from {sorted(registry)}")
    configuration = registry[name]
    model = configuration.network(**configuration.options)  # which may return anything yet
    if not isinstance(model, keras.Model):
        raise ParameterError(f"{name} returns no Keras model: end with `return`")
    shapes = model.input_shape[1:], model.output_shape[1:]
    if shapes != ((28, 28, 1), (10,)):
        advice = "start with keras.Input((28, 28, 1)) and end with ten units"
        raise ParameterError(f"{name} goes from {shapes[0]} to {shapes[1]}: {advice}")
    noise = np.random.default_rng(1).random((8, 28, 28, 1), np.float32)
    outputs = np.asarray(model(noise, training=False))
    if (outputs < 0).any() or not np.allclose(outputs.sum(1), 1, atol=1e-3):
        raise ParameterError(f"{name} gives no probabilities: end with a softmax")
