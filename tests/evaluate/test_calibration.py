"""Temperature scaling, calibration error and thresholds, on predictions whose truth is known."""

import numpy as np
import pytest

from mnist_study.evaluate import calibration
from mnist_study.evaluate.calibration import scaled


def calibrated(count, temperature=1.0):
    """Return probabilities (count, 10), sharpened by a temperature, and labels drawn from them."""
    generator = np.random.default_rng(7)
    probabilities = generator.dirichlet(np.full(10, 0.1), count)
    labels = (generator.random((count, 1)) > probabilities.cumsum(1)).sum(1).clip(max=9)
    return scaled(probabilities, 1 / temperature), labels


def test_the_temperature_is_recovered_and_lowers_the_calibration_error():
    sharp, labels = calibrated(20_000, temperature=2)
    temperature, correct = calibration.fitted_temperature(sharp, labels), sharp.argmax(1) == labels
    assert temperature == pytest.approx(2, rel=0.05)
    assert calibration.calibration_error(sharp.max(1), correct) > 0.05
    assert calibration.calibration_error(scaled(sharp, temperature).max(1), correct) < 0.01
    confidence, correct = np.array([0.9, 0.9, 0.6, 0.6]), np.array([True, True, False, False])
    assert calibration.calibration_error(confidence, correct) == pytest.approx(0.35)


def test_the_threshold_is_the_lowest_that_leaves_the_risk():
    probabilities, labels = calibrated(5_000)
    threshold = calibration.threshold_for(probabilities, labels, risk=0.01)
    confidence, wrong = probabilities.max(1), probabilities.argmax(1) != labels
    assert 0 < wrong[confidence >= threshold].mean() <= 0.01
    lower = np.unique(confidence[confidence < threshold])
    assert all(wrong[confidence >= at].mean() > 0.01 for at in lower)
    coverage, risk, falling = calibration.risk_coverage(probabilities, labels)
    assert coverage[-1] == 1 and risk[-1] == wrong.mean() and np.all(np.diff(falling) <= 0)
    alike = np.tile(np.eye(10)[0] * 0.8 + 0.02, (4, 1))  # images that pass together
    assert calibration.threshold_for(alike, np.array([0, 0, 0, 1])) == 1
