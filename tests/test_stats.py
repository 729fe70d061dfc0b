"""Confidence intervals, against formulas and simulated studies whose truth is known."""

import functools
import math

import numpy as np
import pytest

from mnist_study import data, stats

WRITERS = data.test_writers()
STUDENTS = WRITERS == data.Population.STUDENTS


def width(interval):
    return interval[1] - interval[0]


def test_spreads_and_wilson_s_formula():
    share, count, z = 0.9951, 10_000, 1.959963985
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    assert stats.wilson(share, count) == pytest.approx([middle - half, middle + half])
    assert stats.spread([1, 2, 3]) == {"mean": 2, "sd": 1, "min": 1, "max": 3}
    assert stats.spread([0.5])["sd"] is None


def test_census_images_form_48_clusters_of_neighbours():
    clusters = stats.writer_clusters(WRITERS)
    sizes, census = np.bincount(clusters), clusters[~STUDENTS]
    assert np.all(sizes[clusters[STUDENTS]] == 1) and set(sizes[census]) == {104, 105}
    assert np.count_nonzero(np.diff(census)) + 1 == len(np.unique(census)) == 48
    assert len(np.unique(stats.writer_clusters(np.full(50, "unknown")))) == 50


def test_the_interval_of_single_images_is_the_binomial_one():
    interval = stats.interval_over_seeds(np.arange(10_000) < 100, np.arange(10_000))
    assert interval == pytest.approx(stats.wilson(0.01, 10_000), rel=0.1)
    assert width(interval) == pytest.approx(2 * 1.96 * math.sqrt(0.01 * 0.99 / 10_000), rel=0.08)
    assert 0.01 - interval[0] == pytest.approx(interval[1] - 0.01, rel=0.15)  # equal tails


def test_clusters_and_seeds_that_differ_widen_the_interval():
    generator = np.random.default_rng(3)
    single, clusters = np.arange(4_000), np.arange(4_000) // 100

    def interval(rate, clusters=single):
        wrong = generator.random((5, 4_000)) < rate
        return width(stats.interval_over_seeds(wrong, clusters, resamples=500))

    by_cluster = generator.permuted(np.linspace(0, 0.1, 40))[clusters]
    assert interval(by_cluster, clusters) > 1.3 * interval(by_cluster)
    by_seed = np.array([[0.01], [0.03], [0.05], [0.07], [0.09]])
    assert interval(by_seed) > 2 * interval(0.05)


def test_the_interval_holds_the_truth_of_most_simulated_studies():
    generator, clusters, covered = np.random.default_rng(4), np.arange(1_000) // 20, 0
    for study in range(100):
        by_cluster = generator.uniform(-0.05, 0.05, 50)[clusters]
        wrong = generator.random((5, 1_000)) < 0.1 + by_cluster + generator.normal(0, 0.005, (5, 1))
        low, high = stats.interval_over_seeds(wrong, clusters, seed=study, resamples=200)
        covered += low <= 0.1 <= high
    assert 88 <= covered < 100  # an interval far too wide would always hold it


@pytest.fixture
def wrong(monkeypatch):
    """Which images five models misclassify: 3% of students', 1% of Census; and fewer resamples."""
    fewer = functools.partial(stats.interval_over_seeds, resamples=200)
    monkeypatch.setattr(stats, "interval_over_seeds", fewer)
    monkeypatch.setattr(stats, "RESAMPLES", 200)
    return np.random.default_rng(5).random((5, 10_000)) < np.where(STUDENTS, 0.03, 0.01)


def test_subgroups_have_their_errors_rates_and_intervals(wrong):
    record = stats.subgroup_record(wrong, WRITERS)
    students, census = record["students"], record["census"]
    assert (students["n"], census["n"]) == (5_001, 4_999)
    assert students["errors"] == pytest.approx(wrong[:, STUDENTS].sum() / 5)
    low, high = students["ci95"]
    assert 0.02 < low < wrong[:, STUDENTS].mean() < high < 0.04 and census["ci95"][1] < low
    ratio = wrong[:, STUDENTS].mean() / wrong[:, ~STUDENTS].mean()
    assert record["ratio"] == pytest.approx(ratio, rel=1e-4)
    assert 2 < record["ratio_ci95"][0] < 3 < record["ratio_ci95"][1] < 4.5
    one = stats.subgroup_record(wrong[0], WRITERS)["census"]["errors"]
    assert one == wrong[0, ~STUDENTS].sum() and isinstance(one, int)


def test_accuracies_and_relative_changes_of_errors(wrong):
    accuracy = stats.mean_accuracy(wrong, WRITERS)
    assert accuracy["n"] == 5 and accuracy["mean"] == pytest.approx(1 - wrong.mean())
    assert accuracy["sd"] == pytest.approx(np.std(wrong.mean(1), ddof=1))
    assert accuracy["ci95"][0] < accuracy["mean"] < accuracy["ci95"][1]
    assert stats.mean_accuracy(wrong, WRITERS) == accuracy  # the same each time
    half = wrong & (np.arange(10_000) % 2 == 0)
    change = stats.error_change(wrong, half, WRITERS)
    assert change["change"] == pytest.approx(half.mean() / wrong.mean() - 1)
    assert change["ci95"][0] < change["change"] < change["ci95"][1] < 0
    same = stats.error_change(wrong[:1], wrong[:1], WRITERS)  # on the same images
    assert (same["change"], same["ci95"]) == (0, pytest.approx([0, 0], abs=1e-6))


def test_holm_s_adjusted_p_values():
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert stats.holm([0.5, 0.9]) == [1.0, 1.0]
