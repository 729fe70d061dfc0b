"""Calibration of confidence: temperature scaling, calibration error, confidence thresholds."""

import numpy as np
import scipy.optimize
import scipy.special
import sklearn.metrics
from jaxtyping import Bool, Float

from mnist_study.arrays import Labels, Probabilities

BINS = 15  # of the confidence, for the calibration error

Shares = Float[np.ndarray, "n"]


def scaled(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Return the softmax of the probabilities' logarithms, divided by the temperature."""
    return scipy.special.softmax(np.log(probabilities + 1e-12) / temperature, axis=1)


def fitted_temperature(probabilities: Probabilities, labels: Labels) -> float:
    """Return the temperature that minimises the cross-entropy on the labels.

    Source: Guo et al. 2017, arXiv 1706.04599.
    """

    def loss(temperature: float) -> float:
        return sklearn.metrics.log_loss(
            labels, scaled(probabilities, temperature), labels=range(10)
        )

    return float(scipy.optimize.minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x)  # pyright: ignore[reportAttributeAccessIssue]


def calibration_error(confidence: Float[np.ndarray, "n"], correct: Bool[np.ndarray, "n"]) -> float:
    """Return the expected calibration error (ECE) over BINS equal bins of the confidence.

    confidence: the highest probability of each image. Source: Naeini et al. 2015, doi
    10.1609/aaai.v29i1.9602.
    """
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(place, weights=correct - confidence)).sum() / len(correct))


def risk_coverage(probabilities: Probabilities, labels: Labels) -> tuple[Shares, Shares, Shares]:
    """Return coverage, risk and confidence, in the order of falling confidence.

    coverage: the share of images with at least that confidence; risk: the error rate among them.
    """
    order = np.argsort(-probabilities.max(1), kind="stable")
    wrong = (probabilities.argmax(1) != labels)[order]
    count = np.arange(1, len(labels) + 1)
    return count / len(labels), np.cumsum(wrong) / count, probabilities.max(1)[order]


def threshold_for(probabilities: Probabilities, labels: Labels, risk: float = 0.001) -> float:
    """Return the lowest confidence above which the error rate is at most risk; 1 if there is none.

    Images of equal confidence pass together.
    """
    _, risks, confidence = risk_coverage(probabilities, labels)
    last = np.append(confidence[1:] < confidence[:-1], True)  # of equal ones
    return float(confidence[last & (risks <= risk)].min(initial=1.0))
