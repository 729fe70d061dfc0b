"""Evaluation beyond test accuracy: reliability, corruptions, other data, membership inference."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import PIL.Image
from jaxtyping import Float, UInt8
from sklearn.metrics import roc_auc_score

from mnist_study.arrays import Examples, Labels, Pixels, Probabilities
from mnist_study.backend import keras
from mnist_study.evaluate import calibration, mnist_c
from mnist_study.evaluate.accuracy import accuracy, predict_and_score
from mnist_study.evaluate.robustness import corrupted_accuracies
from mnist_study.evaluate.uci import TEST, in_mnist_form, uci_digits

CORRUPTED = 1_280  # test digits that each corruption is applied to
MNIST_C = 2_000  # digits that MNIST-C's corruptions are applied to
SMALL = 2_000  # test digits that are downsampled to UCI's size
Result = dict[str, Any]  # fit for JSON


def packed(shares: Float[np.ndarray, "n"]) -> str:
    """Return shares from 0 to 1 as half-precision numbers in base64."""
    return base64.b64encode(shares.astype("<f2").tobytes()).decode()


def unpacked(text: str) -> Float[np.ndarray, "n"]:
    """Return the shares in packed's text."""
    return np.frombuffer(base64.b64decode(text), "<f2").astype(float)


def some(inputs: np.ndarray, labels: Labels, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return count of the examples, evenly spaced."""
    indices = np.linspace(0, len(labels) - 1, count).astype(int)
    return inputs[indices], labels[indices]


def downsampled(images: Pixels) -> list[UInt8[np.ndarray, "8 8"]]:
    """Return digits at UCI's size, made as UCI's were: bitmaps of 32 by 32, counted 4 by 4.

    Source: Alpaydin and Kaynak 1998 (doi 10.24432/C50P49).
    """
    small = []
    for image in images:
        rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
        ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        square = np.zeros((max(ink.shape),) * 2, np.uint8)
        top, left = ((len(square) - side) // 2 for side in ink.shape)
        square[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
        bitmap = np.asarray(PIL.Image.fromarray(square).resize((32, 32))) > 127
        small.append(15 * bitmap.reshape(8, 4, 8, 4).sum((1, 3)).astype(np.uint8))
    return small


def reliability(predicted: Mapping[str, Probabilities], parts: Mapping[str, Examples]) -> Result:
    """Return how well a model is calibrated, and its uncertainty about each digit.

    predicted: its probabilities by part. Temperature and threshold come from the validation digits.
    coverage and error: the share of test digits above the threshold, and the error rate among them
    (selective classification). uncertainty: 1 − confidence after scaling, packed, by part.
    """
    labels = {part: parts[part][1] for part in ("validation", "test")}
    temperature = calibration.fitted_temperature(predicted["validation"], labels["validation"])
    scaled = {part: calibration.scaled(predicted[part], temperature) for part in labels}
    confidence = {part: shares.max(1) for part, shares in scaled.items()}
    correct = scaled["test"].argmax(1) == labels["test"]
    threshold = calibration.threshold_for(scaled["validation"], labels["validation"])
    passed = confidence["test"] >= threshold
    return {
        "temperature": temperature,
        "ece_before": calibration.calibration_error(predicted["test"].max(1), correct),
        "ece_after": calibration.calibration_error(confidence["test"], correct),
        "threshold": threshold,
        "coverage": float(passed.mean()),
        "error": float(1 - correct[passed].mean()) if passed.any() else 0.0,
        "uncertainty": {part: packed(1 - shares) for part, shares in confidence.items()},
    }


def membership(predicted: Mapping[str, Probabilities], parts: Mapping[str, Examples]) -> float:
    """Return the success of a membership inference attack, as the area under its ROC curve.

    It takes digits whose label has a high probability for training digits. 0.5: no better than
    chance.
    """
    confidence = [
        predicted[part][np.arange(len(predicted[part])), parts[part][1]]
        for part in ("train", "validation")
    ]
    trained_on = np.repeat([1, 0], [len(shares) for shares in confidence])
    return float(roc_auc_score(trained_on, np.concatenate(confidence)))


def other_data(model: keras.Model, inputs: np.ndarray, labels: Labels) -> Result:
    """Return the accuracy on UCI's digits, and on MNIST's downsampled to their size."""
    images, of_these = some((255 * inputs[..., 0]).round().astype(np.uint8), labels, SMALL)
    small = in_mnist_form(downsampled(images))
    probabilities, uci = predict_and_score(model, *uci_digits(TEST))
    return {
        "uci_accuracy": uci["accuracy"],
        "uci_predicted": probabilities.argmax(1).tolist(),
        "small_accuracy": accuracy(model, small, of_these),
    }


def evaluation(
    model: keras.Model, predicted: Mapping[str, Probabilities], parts: Mapping[str, Examples]
) -> Result:
    """Return the whole evaluation of a trained model; predicted: its probabilities by part."""
    return {
        "reliability": reliability(predicted, parts),
        "membership": membership(predicted, parts),
        "corruptions": corrupted_accuracies(model, *some(*parts["test"], CORRUPTED)),
        **mnist_c.error_rates(model, *some(*parts["test"], MNIST_C)),
        **other_data(model, *parts["test"]),
    }
