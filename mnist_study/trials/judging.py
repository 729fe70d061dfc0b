"""A training judged by more than the test digits: what the story says over seeds rests on it."""

import base64

import numpy as np
import PIL.Image
from jaxtyping import Float, UInt8
from sklearn.metrics import roc_auc_score

from mnist_study.arrays import Answers, Examples, Labels, Pixels
from mnist_study.core.backend import keras
from mnist_study.core.evaluate import accuracy, judge
from mnist_study.core.experiment import Experiment, Measured, Result, train_and_measure
from mnist_study.core.training import Trained
from mnist_study.reader.uci import TESTS, in_mnist_form, uci_digits
from mnist_study.records import calibration
from mnist_study.trials.robustness import robustness

DAMAGED = 1_280  # test digits that are spoilt
SMALL = 2_000  # test digits that are shrunk to UCI's size


def packed(shares: Float[np.ndarray, "n"]) -> str:
    """Return shares from 0 to 1 as half-precision numbers in base64."""
    return base64.b64encode(shares.astype("<f2").tobytes()).decode()


def unpacked(text: str) -> Float[np.ndarray, "n"]:
    """Return the shares that were packed."""
    return np.frombuffer(base64.b64decode(text), "<f2").astype(float)


def some(inputs: np.ndarray, labels: Labels, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return so many of the examples, evenly spaced."""
    rows = np.linspace(0, len(labels) - 1, count).astype(int)
    return inputs[rows], labels[rows]


def shrunk(images: Pixels) -> list[UInt8[np.ndarray, "8 8"]]:
    """Return digits as UCI made its own: black on white in 32 by 32, the ink of 4 by 4 counted.

    Source: Alpaydin and Kaynak 1998 (doi 10.24432/C50P49).
    """
    found = []
    for image in images:
        rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
        ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        square = np.zeros((max(ink.shape),) * 2, np.uint8)
        top, left = ((len(square) - side) // 2 for side in ink.shape)
        square[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
        bitmap = np.asarray(PIL.Image.fromarray(square).resize((32, 32))) > 127
        found.append(15 * bitmap.reshape(8, 4, 8, 4).sum((1, 3)).astype(np.uint8))
    return found


def doubts(answers: dict[str, Answers], parts: dict[str, Examples]) -> Result:
    """Return how far a model can be believed, and its doubt of each digit.

    The temperature and the threshold come from the validation digits. doubt: 1 less the
    confidence after scaling, packed, by part; selective: the share of test digits over the
    threshold, and the errors among them.
    """
    labels = {part: parts[part][1] for part in ("validation", "test")}
    temperature = calibration.fitted_temperature(answers["validation"], labels["validation"])
    scaled = {part: calibration.scaled(answers[part], temperature) for part in labels}
    sure = {part: shares.max(1) for part, shares in scaled.items()}
    right = scaled["test"].argmax(1) == labels["test"]
    threshold = calibration.threshold_for(scaled["validation"], labels["validation"])
    passed = sure["test"] >= threshold
    return {
        "temperature": temperature,
        "ece_before": calibration.calibration_error(answers["test"].max(1), right),
        "ece_after": calibration.calibration_error(sure["test"], right),
        "threshold": threshold,
        "coverage": float(passed.mean()),
        "error": float(1 - right[passed].mean()) if passed.any() else 0.0,
        "doubt": {part: packed(1 - shares) for part, shares in sure.items()},
    }


def membership(answers: dict[str, Answers], parts: dict[str, Examples]) -> float:
    """Return how well confidence in the label tells training from validation digits.

    The area under the ROC curve: 0.5 by guessing.
    """
    known = [
        answers[part][np.arange(len(answers[part])), parts[part][1]]
        for part in ("train", "validation")
    ]
    seen = np.repeat([1, 0], [len(shares) for shares in known])
    return float(roc_auc_score(seen, np.concatenate(known)))


def strangers(model: keras.Model, inputs: np.ndarray, labels: Labels) -> Result:
    """Return the accuracy on UCI's digits, and on MNIST's shrunk to their size."""
    images, shown = some((255 * inputs[..., 0]).round().astype(np.uint8), labels, SMALL)
    small = in_mnist_form(shrunk(images))
    uci_answers, uci = judge(model, *uci_digits(TESTS))
    return {
        "uci_accuracy": uci["accuracy"],
        "uci_read_as": uci_answers.argmax(1).tolist(),
        "small_accuracy": accuracy(model, small, shown),
    }


def damage(model: keras.Model, inputs: np.ndarray, labels: Labels) -> dict[str, list[float]]:
    """Return the accuracies under each damage, by its name, in the order of its strengths."""
    found: dict[str, list[float]] = {}
    for row in robustness({"": model}, *some(inputs, labels, DAMAGED)):
        found.setdefault(row["corruption"], []).append(row["accuracy"])
    return found


def trials(measured: Measured) -> Result:
    """Return what a trained model is judged by beyond the test digits."""
    model, (inputs, labels) = measured.trained.model, measured.parts["test"]
    return {
        "doubts": doubts(measured.answers, measured.parts),
        "membership": membership(measured.answers, measured.parts),
        "damage": damage(model, inputs, labels),
        **strangers(model, inputs, labels),
    }


def train_and_judge(experiment: Experiment) -> tuple[Trained, Result]:
    """Train as the experiment says; return the trained model and the result with its trials."""
    measured = train_and_measure(experiment)
    return measured.trained, measured.result | trials(measured)
