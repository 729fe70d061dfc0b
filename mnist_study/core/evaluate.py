"""What a trained model makes of images: its answers, and how far they agree with the labels."""

import math
from typing import Any

import numpy as np

from mnist_study.arrays import Answers, Examples, Images, Labels
from mnist_study.core.backend import keras
from mnist_study.core.data import digest, one_hot
from mnist_study.core.training import Trained

BATCH = 2_000  # images at a time, which bounds the memory


def probabilities(model: keras.Model, inputs: Images) -> Answers:
    """Return the model's probabilities for each image."""
    parts = np.array_split(inputs, math.ceil(len(inputs) / BATCH))
    return np.concatenate([model(part, training=False) for part in parts])


def accuracy(model: keras.Model, inputs: Images, labels: Labels) -> float:
    """Return the share of the images that the model reads right."""
    return float(np.mean(probabilities(model, inputs).argmax(1) == labels))


def judge(model: keras.Model, inputs: Images, labels: Labels) -> tuple[Answers, dict[str, float]]:
    """Return the model's answers, and their accuracy and mean cross-entropy as loss."""
    answers = probabilities(model, inputs)
    losses = np.asarray(keras.losses.categorical_crossentropy(one_hot(labels), answers))
    right = answers.argmax(1) == labels
    return answers, {"accuracy": float(np.mean(right)), "loss": float(np.mean(losses))}


def measure(trained: Trained, **parts: Examples) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the record of a trained model, fit for JSON, and its answers to each part by name.

    parts: images and labels by name, such as validation=…; the record names what it says of each
    validation_accuracy, validation_loss and so on.
    """
    record: dict[str, Any] = {"parameters": trained.model.count_params()}
    record["fit_seconds"], record["processor_seconds"] = trained.spent
    record["weights_sha256"] = digest(trained.model.get_weights())
    answers = {}
    for part, (inputs, labels) in parts.items():
        answers[part], found = judge(trained.model, inputs, labels)
        record |= {f"{part}_{name}": value for name, value in found.items()}
    return record, answers


def noisy(inputs: Images, deviation: float, seed: int) -> Images:
    """Return the images with Gaussian noise of that standard deviation, within [0, 1]."""
    noise = np.random.default_rng(seed).normal(0, deviation, inputs.shape)
    return np.clip(inputs + noise, 0, 1).astype("float32")
