"""MNIST images for tests without network."""

import functools


@functools.cache  # it reads a text file, for a second or two
def five_thousand():
    """Return the study's 5,000 images: two pairs (images, labels), to train and to test."""
    from mnist_study.notebook.images import five_thousand

    return five_thousand()
