"""Predictions of a trained model, and their accuracy and cross-entropy."""

import math
from typing import Any

import numpy as np

from mnist_study.arrays import Examples, Images, Labels, Probabilities
from mnist_study.backend import keras
from mnist_study.data import digest, one_hot
from mnist_study.train import Trained

BATCH = 2_000  # images at a time, to bound the memory


def predict(model: keras.Model, inputs: Images) -> Probabilities:
    """Return the model's probabilities for each image."""
    parts = np.array_split(inputs, math.ceil(len(inputs) / BATCH))
    return np.concatenate([model(part, training=False) for part in parts])


def accuracy(model: keras.Model, inputs: Images, labels: Labels) -> float:
    """Return the share of the images that the model classifies correctly."""
    return float(np.mean(predict(model, inputs).argmax(1) == labels))


def predict_and_score(
    model: keras.Model, inputs: Images, labels: Labels
) -> tuple[Probabilities, dict[str, float]]:
    """Return the model's probabilities, and their accuracy and mean cross-entropy as loss."""
    predicted = predict(model, inputs)
    losses = np.asarray(keras.losses.categorical_crossentropy(one_hot(labels), predicted))
    correct = predicted.argmax(1) == labels
    return predicted, {"accuracy": float(np.mean(correct)), "loss": float(np.mean(losses))}


def measure(trained: Trained, **parts: Examples) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the record of a trained model, fit for JSON, and its probabilities by part.

    parts: images and labels by name, such as validation=…; of each the record has
    validation_accuracy and validation_loss.
    """
    record: dict[str, Any] = {"parameters": trained.model.count_params()}
    record["fit_seconds"], record["processor_seconds"] = trained.spent
    record["weights_sha256"] = digest(trained.model.get_weights())
    predicted = {}
    for part, (inputs, labels) in parts.items():
        predicted[part], scores = predict_and_score(trained.model, inputs, labels)
        record |= {f"{part}_{name}": value for name, value in scores.items()}
    return record, predicted


def noisy(inputs: Images, deviation: float, seed: int) -> Images:
    """Return the images with Gaussian noise of that standard deviation, within [0, 1]."""
    noise = np.random.default_rng(seed).normal(0, deviation, inputs.shape)
    return np.clip(inputs + noise, 0, 1).astype("float32")
