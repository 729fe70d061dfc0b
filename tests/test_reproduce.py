"""A new run is compared with the committed one: numbers by name, words as words, figures."""

import copy
import json
import re
import shutil

import nbformat
import numpy as np
import PIL.Image
import pytest

from mnist_study import experiments, machine, paths, reproduce
from mnist_study.reproduce import DIFFERENT, IDENTICAL, WITHIN
from mnist_study.store import Store, describe

OURS = ("models", "dense_dropout")
MODEL = {"weights_sha256": "a" * 64, "test_accuracy": 0.995, "test_loss": 0.05, "epochs": 50}
RECORD = {
    "profile": "full",
    "dataset": {"name": "mnist", "test": 10_000},
    "parameters": {"seed": 1, "output_folder": "."},
    "environment": {"processor": "one"},
    "code_sha256": "c" * 64,
    "code": {"mnist_study/data.py": "d" * 64},
    "figures": {"a.png": "e" * 64},
    "models": {"dense_dropout": MODEL, "cnn": MODEL | {"parameters": 238_402}},
    "saved_model": "dense_dropout",
    "transfer": [{"method": "from scratch", "examples_per_class": 5, "accuracy_mean": 0.7}],
    "calibration": {"dense_dropout": {"temperature": 0.6, "ece_after": 0.001}},
    "selective": {"coverage": 0.95, "error": 0.0001},
    "out_of_distribution": {"letters": {"images": 44, "accepted": 0.3}},
    "confusion_matrix": [[4_970, 30], [20, 4_980]],
    "hardest": {"digit": 9, "recall": 0.99},
    "labels": {"contested": 15, "misclassified": 9, "accuracy_without_contested": 0.996},
    "total_seconds": 480.0,
}


def changed(*place, to):
    """Return the verdicts on RECORD against itself with one value changed, by part.

    place: the keys that lead to the value; to: the new value, or a function of the old one.
    """
    other = copy.deepcopy(RECORD)
    part = other
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = to(part.get(place[-1])) if callable(to) else to
    comparisons = reproduce.compare_records(RECORD, other)
    return {c.part: c.verdict for c in comparisons if c.verdict != IDENTICAL}


def test_a_record_is_identical_to_itself_without_time_machine_and_digests_of_figures():
    parts = {comparison.part for comparison in reproduce.compare_records(RECORD, RECORD)}
    assert RECORD.keys() - parts == {"models", "environment", "figures", "total_seconds"}
    assert parts - RECORD.keys() == {"models/dense_dropout", "models/cnn"}
    for place in (("total_seconds",), ("environment", "processor"), ("figures", "a.png")):
        assert changed(*place, to="other") == {}
    assert changed("parameters", "output_folder", to="/tmp") == {}


FAULTS = {
    "20 epochs against 3": (*OURS, "epochs", 3),
    "seed 1 against 40": ("parameters", "seed", 40),
    "another profile": ("profile", "quick"),
    "another test set": ("dataset", "test", 9_999),
    "other code": ("code_sha256", "0" * 64),
    "another file": ("code", "mnist_study/data.py", "0" * 64),
    "fewer weights": ("models", "cnn", "parameters", 238_401),
    "no number": (*OURS, "test_accuracy", float("nan")),
    "a truth value": (*OURS, "test_accuracy", True),
    "another saved model": ("saved_model", "cnn"),
    "another method": ("transfer", 0, "method", "fine-tuned"),
    "a model more": ("models", "own", {}),
    "a value more": (*OURS, "more", 1),
    "a part more": ("more", {"a": 1}),
    "no matrix": ("confusion_matrix", []),
    "fewer digits": ("confusion_matrix", [[4_970, 30], [20, 4_979]]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_must_be_equal_and_is_not_is_different(fault):
    *place, value = FAULTS[fault]
    assert [*changed(*place, to=value).values()] == [DIFFERENT]


@pytest.mark.parametrize(
    ("place", "within", "beyond"),
    [
        ((*OURS, "test_accuracy"), 0.0039, 0.0041),
        ((*OURS, "test_loss"), 0.019, 0.021),
        (("calibration", OURS[1], "temperature"), -0.25, 0.35),
        (("calibration", OURS[1], "ece_after"), 0.009, 0.011),
        (("selective", "coverage"), 0.015, -0.025),
        (("selective", "error"), 0.0009, 0.0011),
        (("labels", "misclassified"), 4, 5),
        (("labels", "accuracy_without_contested"), -0.003, -0.005),
        (("hardest", "recall"), 0.009, 0.011),
        (("transfer", 0, "accuracy_mean"), -0.03, -0.05),
        (("out_of_distribution", "letters", "accepted"), -0.14, 0.16),
    ],
)
def test_a_number_may_move_as_far_as_its_name_allows(place, within, beyond):
    assert [*changed(*place, to=lambda value: value + within).values()] == [WITHIN]
    assert [*changed(*place, to=lambda value: value + beyond).values()] == [DIFFERENT]


def test_other_weights_are_within_tolerance_if_accuracies_are():
    assert changed(*OURS, "weights_sha256", to="f" * 64) == {"models/dense_dropout": WITHIN}
    assert changed("hardest", "digit", to=8) == {"hardest": WITHIN}
    for moved, verdict in ((40, WITHIN), (41, DIFFERENT)):  # of 10,000 digits
        matrix = [[4_970 - moved, 30 + moved], [20, 4_980]]
        assert changed("confusion_matrix", to=matrix) == {"confusion_matrix": verdict}


def test_a_missing_part_or_value_is_named():
    without = {key: value for key, value in RECORD.items() if key != "hardest"}
    [one] = [c for c in reproduce.compare_records(RECORD, without) if c.verdict == DIFFERENT]
    assert (one.part, one.details) == ("hardest", "only one of the two has hardest")


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("48 of 48 in 3 s", "48 of 48 in 3 s", IDENTICAL),
        ("48 of 48 are correct", "12 of 48 are correct", WITHIN),  # the record has the number
        ("48 of 48 are correct", "48 of 48 are wrong", DIFFERENT),
        ("98.4% correct", "correct", DIFFERENT),
    ],
)
def test_texts_must_keep_their_words(old, new, verdict):
    assert reproduce.compare_text("cell", old, new).verdict == verdict


def test_cells_compare_by_name_without_seconds_and_processors():
    def notebook(text, name="a-cell"):
        output = nbformat.v4.new_output("stream", text=text)
        cell = nbformat.v4.new_code_cell("1", id=name, outputs=[output])
        return nbformat.v4.new_notebook(cells=[cell])

    old = notebook("20 epochs in 35 s on AMD (cpu family 25, model 17): the same weights")
    same = notebook("20 epochs in 9 s on X (cpu family 6): another processor: +0.1 points")
    [one] = reproduce.compare_cells(old, same)
    assert (one.part, one.verdict) == ("cell a-cell", IDENTICAL)
    [gone] = reproduce.compare_cells(old, notebook("20 epochs", "another"))
    assert gone.verdict == DIFFERENT


@pytest.mark.parametrize(
    ("share", "size", "verdict"),
    [
        (0, (100, 100), IDENTICAL),
        (0.24, (100, 100), WITHIN),
        (0.26, (100, 100), DIFFERENT),
        (0, (100, 99), DIFFERENT),
    ],
)
def test_figures_may_change_a_quarter_of_their_pixels(share, size, verdict, tmp_path):
    old, new = np.full((100, 100), 255, np.uint8), np.full(size, 255, np.uint8)
    new.ravel()[: round(share * new.size)] = 0
    for folder, pixels in (("old", old), ("new", new)):
        (tmp_path / folder).mkdir()
        PIL.Image.fromarray(pixels).save(tmp_path / folder / "a.png")
    comparison = reproduce.compare_figures(tmp_path / "old" / "a.png", tmp_path / "new" / "a.png")
    assert (comparison.part, comparison.verdict) == ("a.png", verdict)


@pytest.mark.parametrize(
    ("verdict", "here", "status"),
    [(IDENTICAL, True, 0), (WITHIN, True, 1), (WITHIN, False, 0), (DIFFERENT, False, 1)],
)
def test_a_machine_of_the_record_s_kind_must_give_the_identical(verdict, here, status, capsys):
    environment = machine.environment() | ({} if here else {"processor": "another"})
    assert reproduce.report([reproduce.Comparison("a part", verdict)], environment) == status
    written = capsys.readouterr().out
    assert f"| a part | {verdict} |" in written and ("NOT REPRODUCED" in written) == bool(status)
    assert here or re.search(r"may move by 0.4%: .* at most 0.\d\d%; .* up to 0.\d\d%", written)


def test_the_committed_run_is_compared_with_itself_and_not_with_other_images(tmp_path, capsys):
    for name in ("results", "visualizations"):
        shutil.copytree(paths.ROOT / name, tmp_path / name)
    shutil.copy(paths.MODEL, tmp_path)
    notebook = nbformat.read(paths.NOTEBOOK, as_version=4)
    assert reproduce.compare_runs(tmp_path, notebook) == 0
    assert ", 0 within tolerance, 0 DIFFERENT" in capsys.readouterr().out
    record = json.loads(paths.METRICS.read_text(encoding="utf-8"))
    other = record | {"dataset": record["dataset"] | {"sha256": "0"}}
    (tmp_path / "results" / "metrics.json").write_text(json.dumps(other))
    assert reproduce.compare_runs(tmp_path, None) == 1
    assert "other images than the record" in capsys.readouterr().out


@pytest.fixture
def sprint(tmp_path):
    """A store with the committed record of a short training alone, and its result."""
    [path] = paths.RESULTS.glob("sprint-seed1-*.json")
    result = json.loads(path.read_text(encoding="utf-8"))["result"]
    [experiment] = [e for e in experiments.matching("sprint") if e.seed == 1]
    store = Store(tmp_path / "records")
    store.keep(describe(experiment), result)
    return store, result, describe(experiment)


def test_a_recorded_training_is_compared_value_by_value(sprint, capsys):
    store, result, _ = sprint
    slower = result | {"fit_seconds": 1.0, "total_seconds": 1.0}
    assert reproduce.retrain("sprint-seed1", store, lambda _: slower) == 0
    other = result | {"misclassified": [*result["misclassified"][1:], 9_999]}
    assert reproduce.retrain("sprint-seed1", store, lambda _: other) == 1
    assert "the same weights, but" in capsys.readouterr().out


@pytest.mark.control(
    "a record edited by hand, and all that follows from it", "`make reproduce RECORD=…`"
)
def test_a_record_edited_by_hand_is_not_reproduced(sprint, capsys, record_property):
    store, result, description = sprint
    store.keep(description, result | {"test_accuracy": result["test_accuracy"] + 0.01})
    assert reproduce.retrain("sprint-seed1", store, lambda _: result) == 1
    written = capsys.readouterr().out
    assert "NOT REPRODUCED" in written
    record_property("said", re.search(r"(?m)sprint-seed1 \| (.*?) \|$", written)[1])


def test_other_weights_of_a_recorded_training_are_compared_by_accuracies(sprint):
    _, result, _ = sprint
    near = result | {"weights_sha256": "0", "test_accuracy": result["test_accuracy"] + 0.003}
    assert reproduce.compare_result("sprint", result, near).verdict == WITHIN
    far = near | {"test_accuracy": result["test_accuracy"] + 0.005}
    assert reproduce.compare_result("sprint", result, far).verdict == DIFFERENT


def test_unknown_and_missing_trainings_are_named(tmp_path, capsys):
    assert reproduce.retrain("sprint-seed9") == 2 and "Choose from:" in capsys.readouterr().out
    assert reproduce.retrain("sprint-seed1", Store(tmp_path)) == 1
    assert "make experiments trains it" in capsys.readouterr().out


@pytest.mark.proof
def test_a_recorded_training_is_reproduced(mnist_file, capsys):
    assert reproduce.retrain("sprint-seed1") == 0
    written = capsys.readouterr().out
    assert re.search(r"sprint-seed1 \| (identical|within)", written) and "Reproduced." in written
