"""When to believe a network: temperature scaling, calibration error, confidence thresholds."""

import numpy as np
import scipy.optimize
import scipy.special
import sklearn.metrics
from jaxtyping import Bool, Float

from mnist_study.arrays import Answers, Labels

BINS = 15  # of the confidence, for the calibration error

Shares = Float[np.ndarray, "n"]


def scaled(probabilities: Answers, temperature: float) -> Answers:
    """Return the probabilities with their logarithms divided by the temperature, adding up to 1."""
    return scipy.special.softmax(np.log(probabilities + 1e-12) / temperature, axis=1)


def fitted_temperature(probabilities: Answers, labels: Labels) -> float:
    """Return the temperature with the least cross-entropy on the labels.

    Source: Guo et al. 2017, arXiv 1706.04599.
    """

    def loss(temperature: float) -> float:
        cooled = scaled(probabilities, temperature)
        return sklearn.metrics.log_loss(labels, cooled, labels=range(10))

    return float(scipy.optimize.minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x)  # pyright: ignore[reportAttributeAccessIssue]


def calibration_error(confidence: Float[np.ndarray, "n"], right: Bool[np.ndarray, "n"]) -> float:
    """Return the expected calibration error over BINS equal bins of the confidence.

    confidence: the highest probability of each image. Source: Naeini et al. 2015, doi
    10.1609/aaai.v29i1.9602.
    """
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(place, weights=right - confidence)).sum() / len(right))


def risk_coverage(probabilities: Answers, labels: Labels) -> tuple[Shares, Shares, Shares]:
    """Return, by falling confidence: the share read so far, the errors in it, the confidence."""
    order = np.argsort(-probabilities.max(1), kind="stable")
    wrong = (probabilities.argmax(1) != labels)[order]
    count = np.arange(1, len(labels) + 1)
    return count / len(labels), np.cumsum(wrong) / count, probabilities.max(1)[order]


def threshold_for(probabilities: Answers, labels: Labels, risk: float = 0.001) -> float:
    """Return the lowest confidence above which at most that share is misread; 1 if there is none.

    Equal confidences pass together.
    """
    _, risks, confidence = risk_coverage(probabilities, labels)
    last = np.append(confidence[1:] < confidence[:-1], True)  # of those equally confident
    return float(confidence[last & (risks <= risk)].min(initial=1.0))
