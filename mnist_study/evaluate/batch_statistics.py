"""Batch normalisation whose statistics are estimated anew, on the images that are to be classified.

After Schneider et al. 2020 (arXiv 2006.16971). It takes a batch of images under one corruption, no
labels, and changes no weight.
"""

from mnist_study.arrays import Images
from mnist_study.backend import keras


def normalisations(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """Return the model's batch normalisation layers."""
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def reestimated(model: keras.Model, images: Images) -> keras.Model:
    """Return a copy of the model whose batch normalisations use the statistics of the images."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer in normalisations(copy):
        layer.momentum = 0.0  # forget the training images' statistics
    copy(images, training=True)
    return copy
