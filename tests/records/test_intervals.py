"""Intervals, against formulas and simulated studies whose truth is known."""

import math

import numpy as np
import pytest

from mnist_study.core import data
from mnist_study.records import intervals

TEST_POPULATION = data.test_writers()


def width(interval):
    return interval[1] - interval[0]


def test_wilson_is_the_formula():
    share, count, z = 0.9951, 10_000, 1.959963985
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    assert intervals.wilson(share, count) == pytest.approx([middle - half, middle + half])


def test_spread_of_a_sample_and_of_one():
    assert intervals.spread([1, 2, 3]) == {"mean": 2, "sd": 1, "min": 1, "max": 3}
    assert intervals.spread([0.5])["sd"] is None


def test_census_rows_are_drawn_in_48_blocks_of_neighbours():
    units = intervals.writer_blocks(TEST_POPULATION)
    sizes = np.bincount(units)
    assert np.all(sizes[units[:5_001]] == 1)
    blocks = units[5_001:]
    assert np.count_nonzero(np.diff(blocks)) + 1 == len(np.unique(blocks)) == 48
    assert set(sizes[blocks]) == {104, 105}
    assert len(np.unique(intervals.writer_blocks(np.full(50, "unknown")))) == 50


def test_interval_of_single_images_is_the_binomial_one():
    wrong = np.arange(10_000) < 100
    found = intervals.interval_over_seeds(wrong, np.arange(10_000))
    assert found == pytest.approx(intervals.wilson(0.01, 10_000), rel=0.1)
    assert width(found) == pytest.approx(2 * 1.96 * math.sqrt(0.01 * 0.99 / 10_000), rel=0.08)


def test_blocks_and_seeds_that_differ_widen_the_interval():
    generator = np.random.default_rng(3)
    units = np.arange(4_000) // 100
    alike = generator.random((5, 4_000)) < 0.05
    single = width(intervals.interval_over_seeds(alike, np.arange(4_000)))
    by_block = generator.permuted(np.linspace(0, 0.1, 40))[units]
    clustered = generator.random((5, 4_000)) < by_block
    apart = width(intervals.interval_over_seeds(clustered, np.arange(4_000)))
    assert width(intervals.interval_over_seeds(clustered, units)) > 1.3 * apart
    of_seed = np.array([[0.01], [0.03], [0.05], [0.07], [0.09]])
    differing = generator.random((5, 4_000)) < of_seed
    assert width(intervals.interval_over_seeds(differing, np.arange(4_000))) > 2 * single


def test_interval_holds_the_truth_of_most_simulated_studies():
    generator, units, held = np.random.default_rng(4), np.arange(1_000) // 20, 0
    for study in range(100):
        rate = 0.1 + generator.uniform(-0.05, 0.05, 50)[units] + generator.normal(0, 0.005, (5, 1))
        wrong = generator.random((5, 1_000)) < rate
        low, high = intervals.interval_over_seeds(wrong, units, seed=study, resamples=200)
        held += low <= 0.1 <= high
    assert 88 <= held < 100  # an interval far too wide would hold it always


def test_records_over_seeds_and_of_one():
    generator = np.random.default_rng(5)
    wrong = generator.random((5, 10_000)) < np.where(TEST_POPULATION == "students", 0.03, 0.01)
    record = intervals.population_record(wrong, TEST_POPULATION)
    accuracy = intervals.mean_accuracy(wrong, TEST_POPULATION)
    students = wrong[:, TEST_POPULATION == "students"]
    errors, rate = pytest.approx(students.sum() / 5), students.mean()
    assert (record["students"]["n"], record["students"]["errors"]) == (5_001, errors)
    low, high = record["students"]["ci95"]
    assert 0.02 < low < rate < high < 0.04 and record["census"]["ci95"][1] < low
    rates = [record[name]["errors"] / record[name]["n"] for name in ("students", "census")]
    assert record["ratio"] == pytest.approx(rates[0] / rates[1], rel=1e-4)
    low, high = record["ratio_ci95"]
    assert 2 < low < 3 < high < 4.5
    assert accuracy["n"] == 5 and accuracy["mean"] == pytest.approx(1 - wrong.mean())
    assert accuracy["ci95"][0] < accuracy["mean"] < accuracy["ci95"][1]
    one = intervals.population_record(wrong[0], TEST_POPULATION)
    assert one["census"]["errors"] == wrong[0, 5_001:].sum()
    assert isinstance(one["census"]["errors"], int)
    assert intervals.mean_accuracy(wrong[0], TEST_POPULATION)["sd"] is None
    assert intervals.population_record(wrong, TEST_POPULATION) == record  # the same each time
