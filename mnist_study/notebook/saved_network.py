"""How this run's saved network does: mistakes, reliability, out-of-distribution inputs."""

from typing import Any

import numpy as np
import sklearn.metrics

from mnist_study.arrays import Examples, Labels, Probabilities
from mnist_study.backend import keras
from mnist_study.data import CONTESTED
from mnist_study.evaluate import calibration
from mnist_study.evaluate.accuracy import predict
from mnist_study.evaluate.evaluation import reliability
from mnist_study.notebook.images import no_digits

CALIBRATION = ("temperature", "ece_before", "ece_after")
SELECTIVE = ("threshold", "coverage", "error")


def mistakes(labels: Labels, predicted: Labels) -> dict[str, Any]:
    """Return the confusion matrix, the hardest digit, and the accuracy without contested labels."""
    counts = sklearn.metrics.confusion_matrix(labels, predicted, labels=range(10))
    recall = np.diag(counts) / np.maximum(counts.sum(1), 1)
    contested = np.array(CONTESTED if len(labels) == 10_000 else [], int)
    wrong = predicted != labels
    others = np.setdiff1d(np.arange(len(labels)), contested)
    return {
        "confusion_matrix": counts.tolist(),
        "hardest": {"digit": int(recall.argmin()), "recall": float(recall.min())},
        "labels": {
            "contested": len(contested),
            "misclassified": int(wrong[contested].sum()),
            "accuracy_without_contested": float(1 - wrong[others].mean()),
        },
    }


def out_of_distribution(
    model: keras.Model, temperature: float, threshold: float
) -> dict[str, dict[str, float]]:
    """Return for each kind of image that is no digit how many there are, and the share accepted."""
    shares = {}
    for kind, images in no_digits().items():
        confidence = calibration.scaled(predict(model, images), temperature).max(1)
        accepted = float(np.mean(confidence >= threshold))
        shares[kind] = {"images": len(images), "accepted": accepted}
    return shares


def evaluate_network(
    model: keras.Model,
    name: str,
    predicted: dict[str, Probabilities],
    parts: dict[str, Examples],
) -> dict[str, Any]:
    """Return the record of a network's evaluation; predicted: its probabilities by part."""
    reliable = reliability(predicted, parts)
    temperature, threshold = reliable["temperature"], reliable["threshold"]
    return {
        "saved_model": name,
        "calibration": {name: {key: reliable[key] for key in CALIBRATION}},
        "selective": {key: reliable[key] for key in SELECTIVE},
        "out_of_distribution": out_of_distribution(model, temperature, threshold),
        **mistakes(parts["test"][1], predicted["test"].argmax(1)),
    }
