"""Networks of others, trained as their authors train them, to compare with."""

from mnist_study.backend import keras
from mnist_study.models import PLAIN, register


@register(epochs=15, optimizer="adam", **PLAIN)
def keras_convnet() -> keras.Model:
    """Return the network of Keras's example mnist_convnet: two convolutions, no normalisation.

    Source: https://keras.io/examples/vision/mnist_convnet (Chollet 2015).
    """
    layers = [keras.Input((28, 28, 1))]
    for filters in (32, 64):
        layers += [keras.layers.Conv2D(filters, 3, activation="relu"), keras.layers.MaxPooling2D()]
    layers += [keras.layers.Flatten(), keras.layers.Dropout(0.5)]
    return keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
