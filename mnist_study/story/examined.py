"""What this run's saved network is examined for, and the record of it."""

from typing import Any

import numpy as np
import sklearn.metrics

from mnist_study.arrays import Answers, Examples, Labels
from mnist_study.core.backend import keras
from mnist_study.core.data import CONTESTED
from mnist_study.core.evaluate import probabilities
from mnist_study.records import calibration
from mnist_study.story.images import no_digits
from mnist_study.trials import judging

FITTED = ("temperature", "ece_before", "ece_after")
CHOSEN = ("threshold", "coverage", "error")


def mistakes(labels: Labels, readings: Labels) -> dict[str, Any]:
    """Return the confusion matrix, the digit read worst, and what contested labels make of it."""
    counts = sklearn.metrics.confusion_matrix(labels, readings, labels=range(10))
    recall = np.diag(counts) / np.maximum(counts.sum(1), 1)
    contested = np.array(CONTESTED if len(labels) == 10_000 else [], int)
    misread = readings != labels
    kept = np.setdiff1d(np.arange(len(labels)), contested)
    return {
        "confusion_matrix": counts.tolist(),
        "hardest": {"digit": int(recall.argmin()), "recall": float(recall.min())},
        "labels": {
            "contested": len(contested),
            "misread": int(misread[contested].sum()),
            "accuracy_without_contested": float(1 - misread[kept].mean()),
        },
    }


def nonsense(model: keras.Model, temperature: float, threshold: float) -> dict[str, Any]:
    """Return for each kind of picture that is no digit how many there are, and the share sure."""
    found = {}
    for kind, shown in no_digits().items():
        shares = calibration.scaled(probabilities(model, shown), temperature)
        found[kind] = {"images": len(shown), "sure": float(np.mean(shares.max(1) >= threshold))}
    return found


def examine(
    model: keras.Model, name: str, answers: dict[str, Answers], parts: dict[str, Examples]
) -> dict[str, Any]:
    """Return the record of what a network is examined for; answers: to the parts, by name."""
    found = judging.doubts(answers, parts)
    labels = parts["test"][1]
    return {
        "saved_model": name,
        "calibration": {name: {key: found[key] for key in FITTED}},
        "selective": {key: found[key] for key in CHOSEN},
        "nonsense": nonsense(model, found["temperature"], found["threshold"]),
        **mistakes(labels, answers["test"].argmax(1)),
    }
