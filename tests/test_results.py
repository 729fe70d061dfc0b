"""What recorded results show, by hand on a few made-up ones; the machine; the saved model."""

import functools
import types

import numpy as np
import pytest

from mnist_study import data, expressions, machine, paths, results, saved_model, stats
from mnist_study.errors import RecordError, SavedModelError
from mnist_study.evaluate import mnist_c
from mnist_study.evaluate.evaluation import packed
from mnist_study.evaluate.robustness import CORRUPTIONS
from mnist_study.evaluate.uci import TEST, uci_pictures
from mnist_study.store import Store

STUDENTS, CENSUS = data.Population.STUDENTS, data.Population.CENSUS
UCI = uci_pictures(TEST)[1]
FOURS = (UCI == 4) | (np.arange(len(UCI)) < 2)  # misclassified; the first two are no 4s
UNCERTAIN = np.where(np.arange(10_000) == 77, 0.4, 0.01)  # digit 77 alone


def result(misclassified, seconds, processor="one", left=0.9):
    """Return a result as recorded: those test digits are taken for a 5.

    Its processors were at work for ten seconds more. left: the accuracy under the strongest of each
    corruption.
    """
    errors = len(misclassified) / 10_000
    accuracies = {c.name: np.linspace(1, left, len(c.strengths)).tolist() for c in CORRUPTIONS}
    return {
        **{"misclassified": misclassified, "predicted": [5] * len(misclassified)},
        **{"test_accuracy": 1 - errors, "noisy_accuracy": 0.98, "uci_accuracy": 1 - 20 * errors},
        **{"fit_seconds": seconds, "processor_seconds": seconds + 10},
        **{"machine": {"processor": processor}, "history": {"val_loss": [0.3, 0.2, 0.25]}},
        "reliability": {"threshold": 0.9, "uncertainty": {"test": packed(UNCERTAIN)}},
        "corruptions": accuracies,
        "mnist_c": dict.fromkeys(mnist_c.CORRUPTIONS, errors) | {"fog": errors + 0.15},
        "uci_predicted": np.where(FOURS, 9, UCI).tolist(),
    }


BASELINE = {1: result([1, 2, 6_000, 6_001], 40.0), 2: result([1, 2], 50.0)}
OURS = {1: result([1], 80.0), 2: result([1, 5_001], 50.0, "another"), 3: result([4], 9.0)}
CNN = {1: result([7], 1.0, left=0.96)}
WORSE = {seed: result([*range(seed, 3_000, 3)], 1.0) for seed in (1, 2)}
RECORDED = {
    "baseline_mlp": BASELINE,
    "baseline_mlp_evaluated": BASELINE,
    "dense_dropout": OURS,
    "cnn": CNN,
    "worse": WORSE,
}


@pytest.fixture(autouse=True)
def recorded(monkeypatch):
    """Let results be those above, and intervals rest on fewer resamples."""
    monkeypatch.setattr(results, "recorded", RECORDED.__getitem__)
    quick = functools.partial(stats.interval_over_seeds, resamples=100)
    monkeypatch.setattr(stats, "interval_over_seeds", quick)
    monkeypatch.setattr(stats, "RESAMPLES", 100)
    for name in (
        "accuracy",
        "subgroups",
        "change",
        "uncertainty",
        "mnist_c",
    ):  # without their caches
        monkeypatch.setattr(results, name, getattr(results, name).__wrapped__)


def test_misclassified_digits_become_a_table_of_seeds_and_images():
    wrong = results.misclassified("baseline_mlp")
    assert wrong.shape == (2, 10_000) and wrong.sum(1).tolist() == [4, 2]
    assert wrong[0, 6_000] and wrong[1, 2] and not wrong[1, 6_000]
    predicted = results.predictions("baseline_mlp", np.zeros(10_000, int))
    assert predicted[0, [0, 1, 6_000]].tolist() == [0, 5, 5] and predicted[1, 6_000] == 0


def test_times_are_relative_to_the_baseline_of_the_same_seed_and_processor():
    assert results.relative_times("dense_dropout") == [2.0]
    assert results.relative_times("baseline_mlp") == [1.0, 1.0]
    assert results.relative_times("dense_dropout", "processor_seconds") == [90 / 50]


def test_accuracy_and_subgroups_over_seeds():
    accuracy, people = results.accuracy("baseline_mlp"), results.subgroups("baseline_mlp")
    assert accuracy["n"] == 2 and accuracy["mean"] == pytest.approx(0.9997)
    assert accuracy["ci95"][0] < accuracy["mean"] < accuracy["ci95"][1]
    assert (people["students"]["errors"], people["census"]["errors"]) == (2, 1)
    ours = expressions.Recorded("dense_dropout")
    assert ours.errors == [1, 2, 1] and ours.processor_time.mean == 1.8
    assert ours.ratio("uci").mean == pytest.approx(20)
    assert ours.best_epochs == [2] * 3 and ours.loss_rises == pytest.approx([0.25] * 3)


def test_a_change_of_errors_has_its_sign_its_population_and_its_certainty():
    fewer = results.change("baseline_mlp", "dense_dropout")
    assert fewer.value == pytest.approx((4 / 3) / 3 - 1) and fewer.low < fewer.value < fewer.high
    assert results.change("baseline_mlp", "dense_dropout", STUDENTS).value == pytest.approx(-0.5)
    assert results.change("baseline_mlp", "dense_dropout", CENSUS).value == pytest.approx(-2 / 3)
    assert results.change("worse", "cnn").certain and results.change("cnn", "worse").certain
    assert not results.change("worse", "worse").certain


def test_the_steps_of_the_ablation_are_adjusted_for_their_number(monkeypatch):
    made_up = {"value": 0.1, "low": 0.01, "high": 0.2, "p": 0.02, "certain": True}
    monkeypatch.setattr(results, "change", lambda *_: types.SimpleNamespace(**made_up))
    monkeypatch.setattr(results, "ABLATION", ["a", "b", "c", "d"])
    assert [of.certain for of in results.ablation_changes().values()] == [False] * 3
    monkeypatch.setattr(results, "ABLATION", ["a", "b", "c"])
    assert [of.certain for of in results.ablation_changes().values()] == [True] * 2


def test_hard_digits_are_misclassified_uncertain_or_contested(monkeypatch):
    wrong = [*range(10, 16), 947]  # the last is contested
    seeds = {1: result([*wrong, 18], 1.0), 2: result([*wrong, 17], 1.0), 3: result([18], 1.0)}
    monkeypatch.setattr(results, "recorded", {"dense_dropout": seeds}.__getitem__)
    hard = results.hard_digits()
    assert len({*hard}) == 16 and {*range(10, 16), 18, 77} <= {*hard} and 17 not in hard
    assert len({*hard} & {*data.CONTESTED}) == 4 and results.contested_errors() == [1, 1, 0]
    assert results.abstentions() == {"students": [1 / 5_001] * 3, "Census": [0] * 3}


def test_accuracy_under_a_corruption_is_in_the_order_of_its_strengths():
    blur = next(c for c in CORRUPTIONS if c.name.startswith("blur"))  # six strengths, up to 3
    assert results.corrupted_accuracy("cnn")[blur.name][-1] == pytest.approx(0.96)


def test_corruptions_of_mnist_c_have_their_means_by_seed_and_family(monkeypatch):
    rates = results.mnist_c("dense_dropout")
    assert rates["fog"] == pytest.approx([0.1501, 0.1502, 0.1501])
    assert rates["all"] == pytest.approx([0.0101, 0.0102, 0.0101])
    assert results.family_errors("dense_dropout")["contrast"][0] == pytest.approx(0.0751)
    assert expressions.Recorded("cnn").mnist_c("fog").mean == pytest.approx(0.1501)
    of = {"brief": 0.02, "brief_clean": 0.5, "brief_without_noise": 0.1}

    def made_up(name):
        rate = of.get(name, 0.6)
        return {family: [rate, rate + 0.01] for family in mnist_c.FAMILIES}

    monkeypatch.setattr(results, "family_errors", made_up)
    row = results.left_out()["noise"]
    assert (row.all[0], row.others[0], row.none[0], row.helps) == (0.02, 0.1, 0.5, True)
    assert expressions.families_in_words().startswith("It does so for noise, and not for blur,")
    of["brief_without_noise"] = 0.495  # one seed of two is above the least without any
    assert not results.left_out()["noise"].helps
    share = ((UCI == 4).sum()) / FOURS.sum()
    assert expressions.fours() == pytest.approx(share)


def test_changes_are_told_plainly():
    told = [expressions.plainly(results.change("worse", name)) for name in ("worse", "cnn")]
    assert told[0] == "change nothing that we could measure" and told[1].startswith(
        "reduce the err"
    )


def test_a_run_is_compared_with_the_recorded_training_of_its_seed(monkeypatch, tmp_path):
    store, here = Store(tmp_path), machine.processor()
    monkeypatch.setattr(results, "Store", lambda: store)
    for seed, processor in ((1, here), (2, "another")):
        made = {"weights_sha256": "a", "test_accuracy": 0.98, "machine": {"processor": processor}}
        store.keep({"name": "ours", "seed": seed}, made)
    same, other = ({"weights_sha256": w, "test_accuracy": 0.99} for w in "ab")
    assert results.against_recorded("ours", 1, same) == "the same weights"
    assert results.against_recorded("ours", 1, other).startswith("OTHER WEIGHTS ON THE SAME")
    assert results.against_recorded("ours", 2, other) == "another processor: +1.00 points"
    assert results.against_recorded("ours", 3, same) == "none recorded"
    monkeypatch.undo()
    with pytest.raises(RecordError, match="no record of nothing: make experiments"):
        results.recorded("nothing")


@pytest.mark.parametrize(("flag", "wide"), [("avx512f", "with"), ("avx2", "without")])
def test_processors_of_one_name_are_distinguished(monkeypatch, tmp_path, flag, wide):
    text = f"cpu family : 25\nmodel : 17\nmodel name : AMD EPYC\nflags : fpu sse {flag}\n"
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    assert machine.processor() == f"AMD EPYC (cpu family 25, model 17, {wide} AVX-512)"
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "none")
    assert machine.environment()["processor"] and machine.environment()["numpy"] == np.__version__


def test_the_committed_model_loads_and_other_weights_are_refused():
    assert saved_model.load(paths.MODEL).count_params() == 1_713_418
    with pytest.raises(SavedModelError, match="other weights than the record says"):
        saved_model.load(paths.MODEL, "0" * 64)
