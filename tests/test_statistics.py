"""Intervals, tests and calibration, against formulas and sources whose truth is known."""

import math
import time

import numpy as np
import pytest

from mnist_study import statistics
from mnist_study.statistics import scaled

TEST_POPULATION = np.where(np.arange(10_000) <= 5_000, "students", "Census")


def width(interval):
    return interval[1] - interval[0]


def sure_source(count, temperature=1.0):
    """Return probabilities (count, 10) and labels drawn from them, sharpened by a temperature."""
    generator = np.random.default_rng(7)
    probabilities = generator.dirichlet(np.full(10, 0.1), count)
    labels = (generator.random((count, 1)) > probabilities.cumsum(1)).sum(1).clip(max=9)
    return scaled(probabilities, 1 / temperature), labels


def test_wilson_is_the_formula():
    share, count, z = 0.9951, 10_000, 1.959963985
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    assert statistics.wilson(share, count) == pytest.approx([middle - half, middle + half])


def test_spread_of_a_sample_and_of_one():
    assert statistics.spread([1, 2, 3]) == {"mean": 2, "sd": 1, "min": 1, "max": 3}
    assert statistics.spread([0.5])["sd"] is None


def test_census_rows_are_drawn_in_48_blocks_of_neighbours():
    units = statistics.writer_blocks(TEST_POPULATION)
    sizes = np.bincount(units)
    assert np.all(sizes[units[:5_001]] == 1)
    blocks = units[5_001:]
    assert np.count_nonzero(np.diff(blocks)) + 1 == len(np.unique(blocks)) == 48
    assert set(sizes[blocks]) == {104, 105}
    assert len(np.unique(statistics.writer_blocks(np.full(50, "unknown")))) == 50


def test_interval_of_single_images_is_the_binomial_one():
    wrong = np.arange(10_000) < 100
    found = statistics.interval_over_seeds(wrong, np.arange(10_000))
    assert found == pytest.approx(statistics.wilson(0.01, 10_000), rel=0.1)
    assert width(found) == pytest.approx(2 * 1.96 * math.sqrt(0.01 * 0.99 / 10_000), rel=0.08)


def test_blocks_and_seeds_that_differ_widen_the_interval():
    generator = np.random.default_rng(3)
    units = np.arange(4_000) // 100
    alike = generator.random((5, 4_000)) < 0.05
    single = width(statistics.interval_over_seeds(alike, np.arange(4_000)))
    by_block = generator.permuted(np.linspace(0, 0.1, 40))[units]
    clustered = generator.random((5, 4_000)) < by_block
    apart = width(statistics.interval_over_seeds(clustered, np.arange(4_000)))
    assert width(statistics.interval_over_seeds(clustered, units)) > 1.3 * apart
    of_seed = np.array([[0.01], [0.03], [0.05], [0.07], [0.09]])
    differing = generator.random((5, 4_000)) < of_seed
    assert width(statistics.interval_over_seeds(differing, np.arange(4_000))) > 2 * single


def test_interval_holds_the_truth_of_most_simulated_studies(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 200)
    generator, units, held = np.random.default_rng(4), np.arange(1_000) // 20, 0
    for study in range(100):
        rate = 0.1 + generator.uniform(-0.05, 0.05, 50)[units] + generator.normal(0, 0.005, (5, 1))
        wrong = generator.random((5, 1_000)) < rate
        low, high = statistics.interval_over_seeds(wrong, units, seed=study)
        held += low <= 0.1 <= high
    assert 88 <= held < 100  # an interval far too wide would hold it always


def test_records_over_seeds_and_of_one():
    generator = np.random.default_rng(5)
    wrong = generator.random((5, 10_000)) < np.where(TEST_POPULATION == "students", 0.03, 0.01)
    start = time.perf_counter()
    record = statistics.population_record(wrong, TEST_POPULATION)
    accuracy = statistics.mean_accuracy(wrong, TEST_POPULATION)
    assert time.perf_counter() - start < 5
    students = wrong[:, TEST_POPULATION == "students"]
    assert record["students"] == {"n": 5_001, "errors": pytest.approx(students.sum() / 5)}
    rates = [record[name]["errors"] / record[name]["n"] for name in ("students", "census")]
    assert record["ratio"] == pytest.approx(rates[0] / rates[1], rel=1e-4)
    low, high = record["ratio_ci95"]
    assert 2 < low < 3 < high < 4.5
    assert accuracy["n"] == 5 and accuracy["mean"] == pytest.approx(1 - wrong.mean())
    assert accuracy["ci95"][0] < accuracy["mean"] < accuracy["ci95"][1]
    one = statistics.population_record(wrong[0], TEST_POPULATION)
    assert one["census"]["errors"] == wrong[0, 5_001:].sum()
    assert isinstance(one["census"]["errors"], int)
    assert statistics.mean_accuracy(wrong[0], TEST_POPULATION)["sd"] is None
    assert statistics.population_record(wrong, TEST_POPULATION) == record  # the same each time


def test_temperature_is_found_and_calibrates():
    sharp, labels = sure_source(20_000, temperature=2)
    found = statistics.fitted_temperature(sharp, labels)
    assert found == pytest.approx(2, rel=0.05)
    right = sharp.argmax(1) == labels
    before = statistics.calibration_error(sharp.max(1), right)
    after = statistics.calibration_error(scaled(sharp, found).max(1), right)
    assert before > 0.05 and after < 0.01


def test_calibration_error():
    confidence = np.array([0.9, 0.9, 0.6, 0.6])
    right = np.array([True, True, False, False])
    assert statistics.calibration_error(confidence, right) == pytest.approx(0.35)


def test_threshold_leaves_the_risk_and_no_less():
    probabilities, labels = sure_source(5_000)
    threshold = statistics.threshold_for(probabilities, labels, risk=0.01)
    confidence, wrong = probabilities.max(1), probabilities.argmax(1) != labels
    assert 0 < wrong[confidence >= threshold].mean() <= 0.01
    lower = np.unique(confidence[confidence < threshold])
    assert all(wrong[confidence >= at].mean() > 0.01 for at in lower[::-1])
    coverage, risk, sure = statistics.risk_coverage(probabilities, labels)
    assert coverage[-1] == 1 and risk[-1] == pytest.approx(wrong.mean())
    assert np.all(np.diff(sure) <= 0)


def test_equally_sure_readings_pass_the_threshold_together():
    probabilities = np.tile(np.eye(10)[0] * 0.8 + 0.02, (4, 1))
    assert statistics.threshold_for(probabilities, np.array([0, 0, 0, 1])) == 1
