"""Temperature scaling, calibration error and thresholds, on answers whose truth is known."""

import numpy as np
import pytest

from mnist_study.evaluate import calibration
from mnist_study.evaluate.calibration import scaled


def sure_source(count, temperature=1.0):
    """Return probabilities (count, 10) and labels drawn from them, sharpened by a temperature."""
    generator = np.random.default_rng(7)
    probabilities = generator.dirichlet(np.full(10, 0.1), count)
    labels = (generator.random((count, 1)) > probabilities.cumsum(1)).sum(1).clip(max=9)
    return scaled(probabilities, 1 / temperature), labels


def test_temperature_is_found_and_calibrates():
    sharp, labels = sure_source(20_000, temperature=2)
    found = calibration.fitted_temperature(sharp, labels)
    assert found == pytest.approx(2, rel=0.05)
    right = sharp.argmax(1) == labels
    before = calibration.calibration_error(sharp.max(1), right)
    after = calibration.calibration_error(scaled(sharp, found).max(1), right)
    assert before > 0.05 and after < 0.01


def test_calibration_error():
    confidence = np.array([0.9, 0.9, 0.6, 0.6])
    right = np.array([True, True, False, False])
    assert calibration.calibration_error(confidence, right) == pytest.approx(0.35)


def test_threshold_leaves_the_risk_and_no_less():
    probabilities, labels = sure_source(5_000)
    threshold = calibration.threshold_for(probabilities, labels, risk=0.01)
    confidence, wrong = probabilities.max(1), probabilities.argmax(1) != labels
    assert 0 < wrong[confidence >= threshold].mean() <= 0.01
    lower = np.unique(confidence[confidence < threshold])
    assert all(wrong[confidence >= at].mean() > 0.01 for at in lower[::-1])
    coverage, risk, sure = calibration.risk_coverage(probabilities, labels)
    assert coverage[-1] == 1 and risk[-1] == pytest.approx(wrong.mean())
    assert np.all(np.diff(sure) <= 0)


def test_equally_sure_readings_pass_the_threshold_together():
    probabilities = np.tile(np.eye(10)[0] * 0.8 + 0.02, (4, 1))
    assert calibration.threshold_for(probabilities, np.array([0, 0, 0, 1])) == 1
