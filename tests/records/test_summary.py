"""What kept trainings show, worked out by hand on a few made-up ones; and the machine's name."""

import numpy as np
import pytest

from mnist_study.errors import RecordError, SavedModelError
from mnist_study.records import machine, saved_model, summary
from mnist_study.records.store import Store


def result(misread, seconds, processor="one", **more):
    """Return a result as kept, of a training that misread those test rows.

    Its processors were at work for as many seconds and ten more.
    """
    accuracy = 1 - len(misread) / 10_000
    found = {"misread": misread, "test_accuracy": accuracy, "validation_accuracy": 0.98}
    took = {"fit_seconds": seconds, "processor_seconds": seconds + 10}
    return found | took | {"machine": {"processor": processor}} | more


CLASSIC = {1: result([1, 2, 6_000, 6_001], 40.0), 2: result([1, 2], 50.0)}
OURS = {1: result([1], 80.0), 2: result([1, 5_001], 50.0, "another"), 3: result([4], 9.0)}
KEPT = {"classic_mlp": CLASSIC, "ours": OURS}


@pytest.fixture(autouse=True)
def kept(monkeypatch):
    monkeypatch.setattr(summary, "kept", KEPT.__getitem__)


def test_misread_rows_become_a_table_of_seeds_and_rows():
    wrong = summary.wrong("classic_mlp")
    assert wrong.shape == (2, 10_000) and wrong.sum(1).tolist() == [4, 2]
    assert wrong[0, 6_000] and wrong[1, 2] and not wrong[1, 6_000]


def test_times_compare_with_the_plain_recipe_of_the_same_seed_and_processor():
    assert summary.classic_times("ours") == [2.0]
    assert summary.classic_times("classic_mlp") == [1.0, 1.0]
    assert summary.classic_times("ours", "processor_seconds") == [90 / 50]


def test_accuracies_over_seeds():
    found = summary.over_seeds("ours")
    assert found["test_accuracy"]["mean"] == pytest.approx(1 - 4 / 3 / 10_000)
    assert found["fit_seconds"]["max"] == 80 and found["classic_times"]["mean"] == 2
    accuracy = summary.test_accuracy("classic_mlp")
    assert accuracy["n"] == 2 and accuracy["mean"] == pytest.approx(0.9997)
    people = summary.populations("classic_mlp")
    assert (people["students"]["errors"], people["census"]["errors"]) == (2, 1)


def test_the_ladder_and_the_marks_name_their_experiments(monkeypatch):
    monkeypatch.setattr(summary, "LADDER", {"classic_mlp": "plain", "ours": "+ more"})
    monkeypatch.setattr(summary, "MARKS", {0.9998: "ours", 0.9999: "ours"})
    first, second = summary.ladder()
    assert (first["name"], second["experiment"]) == ("plain", "ours")
    assert second["test_errors"] == pytest.approx([1e-4, 2e-4, 1e-4])
    assert [mark["reached"] for mark in summary.marks()] == [True, False]  # 99.987% in mean


def test_what_doing_without_costs_is_told_in_pairs(monkeypatch):
    def judged(accuracy, loss):
        return {"validation_accuracy": accuracy, "validation_loss": loss}

    found = {"choice_as_it_is": {1: judged(0.99, 0.10), 2: judged(0.98, 0.20)}}
    found["choice_rows_in_turn"] = {1: judged(0.98, 0.15), 2: judged(0.98, 0.20)}
    found["choice_no_patches"] = {1: judged(0.99, 0.10), 2: judged(0.98, 0.20)}
    monkeypatch.setattr(summary, "kept", found.__getitem__)
    costs = summary.choices()
    assert costs["rows in turn"]["errors"]["mean"] == pytest.approx(0.5)  # +100% and 0%
    assert costs["rows in turn"]["loss"]["max"] == pytest.approx(0.5)
    assert costs["no patches"]["errors"]["mean"] == pytest.approx(0)


def test_a_run_is_compared_with_the_kept_training_of_its_seed(monkeypatch, tmp_path):
    store = Store(tmp_path)
    monkeypatch.setattr(summary, "Store", lambda: store)
    here = machine.processor()
    for seed, processor in ((1, here), (2, "another")):
        made = {"weights_sha256": "a", "test_accuracy": 0.98, "machine": {"processor": processor}}
        store.keep({"name": "ours", "seed": seed}, made)
    same, other = ({"weights_sha256": w, "test_accuracy": 0.99} for w in "ab")
    assert summary.against_kept("ours", 1, same) == "the same weights"
    assert summary.against_kept("ours", 1, other).startswith("OTHER WEIGHTS ON THE SAME")
    assert summary.against_kept("ours", 2, other) == "another processor: +1.00 points"
    assert summary.against_kept("ours", 3, same) == "none kept"


def test_a_record_that_is_not_there_is_named(monkeypatch):
    monkeypatch.undo()
    with pytest.raises(RecordError, match="no record of nothing: make experiments"):
        summary.kept("nothing")


def test_the_committed_records_add_up(monkeypatch):
    monkeypatch.undo()
    summary.kept.cache_clear()
    seeds = summary.seeds()
    assert seeds["runs"] == 5 and set(seeds["models"]) == set(summary.MODELS)
    for name, *_, accuracy, seconds in summary.times():
        assert 0.9 < accuracy < 1 and seconds > 0, name
    assert len(seeds["ablation"]) == 11 and len(seeds["time_to_accuracy"]) == 8


CPUINFO = """processor : 0
cpu family : 25
model : 17
model name : AMD EPYC
flags : fpu sse {}
"""


@pytest.mark.parametrize(("flag", "wide"), [("avx512f", "with"), ("avx2", "without")])
def test_processors_of_one_name_are_told_apart(monkeypatch, tmp_path, flag, wide):
    (tmp_path / "cpuinfo").write_text(CPUINFO.format(flag))
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    assert machine.processor() == f"AMD EPYC (cpu family 25, model 17, {wide} AVX-512)"
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "none")
    assert machine.processor()


def test_the_environment_names_what_figures_depend_on():
    found = machine.environment()
    assert found["numpy"] == np.__version__
    assert {"python", "processor", "tensorflow", "pillow", "matplotlib", "scipy"} <= set(found)


def test_the_committed_model_loads_and_other_weights_are_refused():
    from mnist_study import paths

    model = saved_model.load(paths.MODEL)
    assert model.count_params() == 1_713_418
    with pytest.raises(SavedModelError, match="other weights than the record says"):
        saved_model.load(paths.MODEL, "0" * 64)
