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
from mnist_study.errors import NotExecutedError, RecordError
from mnist_study.reproduce import DIFFERENT, IDENTICAL, WITHIN
from mnist_study.store import Store, describe

OURS = ("models", "dense_dropout")
MODEL = {"weights_sha256": "a", "test_accuracy": 0.995, "test_loss": 0.05, "epochs": 50}
RECORD = {
    "profile": "full",
    "dataset": {"name": "mnist", "test": 10_000},
    "parameters": {"seed": 1, "output_folder": "."},
    "environment": {"processor": "one"},
    "code_sha256": "c",
    "code": {"mnist_study/data.py": "d"},
    "figures": {"a.png": "e"},
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
    """Return which parts differ from RECORD, and how, with one value changed.

    place: the keys that lead to the value; to: the new value, or a function of the old one.
    """
    other = copy.deepcopy(RECORD)
    part = other
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = to(part[place[-1]]) if callable(to) else to
    comparisons = reproduce.compare_records(RECORD, other)
    return {c.part: c.verdict for c in comparisons if c.verdict != IDENTICAL}


def test_a_record_is_compared_without_time_machine_and_digests_of_figures():
    parts = {comparison.part for comparison in reproduce.compare_records(RECORD, RECORD)}
    assert RECORD.keys() - parts == {"models", "environment", "figures", "total_seconds"}
    for place in (("total_seconds",), ("environment", "processor"), ("figures", "a.png")):
        assert changed(*place, to="other") == {}
    assert changed("parameters", "output_folder", to="/tmp") == {}


def test_what_must_be_equal_and_is_not_is_different():
    for *place, value in (
        (*OURS, "epochs", 3),
        ("parameters", "seed", 40),
        ("profile", "quick"),
        ("dataset", "test", 9_999),
        ("code_sha256", "0"),
        ("code", "mnist_study/data.py", "0"),
        ("models", "cnn", "parameters", 238_401),
        (*OURS, "test_accuracy", float("nan")),
        (*OURS, "test_accuracy", True),
        ("saved_model", "cnn"),
        ("transfer", 0, "method", "fine-tuned"),
        ("models", "own", {}),
        (*OURS, "more", 1),
        ("hardest", None),
        ("confusion_matrix", []),
        ("confusion_matrix", [[4_970, 30], [20, 4_979]]),
    ):
        assert [*changed(*place, to=value).values()] == [DIFFERENT], place


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


def test_other_weights_are_within_tolerance_if_few_digits_move():
    assert changed(*OURS, "weights_sha256", to="f") == {"models/dense_dropout": WITHIN}
    assert changed("hardest", "digit", to=8) == {"hardest": WITHIN}
    for moved, verdict in ((40, WITHIN), (41, DIFFERENT)):  # of 10,000 digits
        matrix = [[4_970 - moved, 30 + moved], [20, 4_980]]
        assert changed("confusion_matrix", to=matrix) == {"confusion_matrix": verdict}


def notebook(text, name):
    output = nbformat.v4.new_output("stream", text=text)
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("1", id=name, outputs=[output])]
    )


@pytest.mark.parametrize(
    ("text", "name", "verdict"),
    [
        ("8 of 9 in 4 s\nB (cpu family 6)\nanother processor: +0.1 points", "a", IDENTICAL),
        ("7 of 9 in 5 s\nA (cpu family 25)\nthe same weights", "a", WITHIN),
        ("8 of nine in 5 s\nA (cpu family 25)\nthe same weights", "a", DIFFERENT),
        ("8 of 9 in 5 s\nA (cpu family 25)\nthe same weights", "b", DIFFERENT),
    ],
)
def test_cells_must_keep_their_words_apart_from_seconds_and_the_machine(text, name, verdict):
    old = notebook("8 of 9 in 5 s\nA (cpu family 25)\nthe same weights", "a")
    [comparison] = reproduce.compare_cells(old, notebook(text, name))
    assert (comparison.part, comparison.verdict) == ("cell a", verdict)


def test_figures_may_change_a_quarter_of_their_pixels(tmp_path):
    old, new = (tmp_path / name for name in ("old.png", "new.png"))
    PIL.Image.new("L", (100, 100), 255).save(old)
    shares = ((0, 100, IDENTICAL), (0.24, 100, WITHIN), (0.26, 100, DIFFERENT), (0, 99, DIFFERENT))
    for share, height, verdict in shares:
        pixels = np.full((height, 100), 255, np.uint8)
        pixels.ravel()[: round(share * pixels.size)] = 0
        PIL.Image.fromarray(pixels).save(new)
        assert reproduce.compare_figures(old, new).verdict == verdict


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


def test_a_committed_run_that_is_not_whole_is_refused_before_another(tmp_path):
    (tmp_path / "results").mkdir()
    for path, text in (paths.METRICS, '{"parameters": {"seed": 1}}'), (paths.MODEL, ""):
        with pytest.raises(RecordError, match="is missing"):
            reproduce.committed_parameters(tmp_path)
        (tmp_path / path.relative_to(paths.ROOT)).write_text(text)
    cell = nbformat.v4.new_code_cell("1")
    for count in (None, 1):
        cell.execution_count = count
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / paths.NOTEBOOK.name)
        if not count:
            with pytest.raises(NotExecutedError, match="without outputs"):
                reproduce.committed_parameters(tmp_path)
    assert reproduce.committed_parameters(tmp_path) == {"seed": 1}


@pytest.fixture
def sprint(tmp_path):
    """A function: repeat a short training with a result; and its committed result."""
    [path] = paths.RESULTS.glob("sprint-seed1-*.json")
    result = json.loads(path.read_text(encoding="utf-8"))["result"]
    [experiment] = [e for e in experiments.matching("sprint") if e.seed == 1]
    store = Store(tmp_path / "records")

    def repeat(recorded, repeated):
        store.keep(describe(experiment), recorded)
        return reproduce.retrain("sprint-seed1", store, lambda _: repeated)

    return repeat, result


@pytest.mark.control(
    "a record edited by hand, and all that follows from it", "`make reproduce RECORD=…`"
)
def test_a_recorded_training_is_compared_value_by_value(sprint, capsys, record_property):
    repeat, result = sprint
    assert repeat(result, result | {"fit_seconds": 1.0, "total_seconds": 1.0}) == 0
    edited = result | {"test_accuracy": result["test_accuracy"] + 0.01}
    moved = result | {"misclassified": [*result["misclassified"][1:], 9_999]}
    assert repeat(moved, result) == 1 and repeat(edited, result) == 1
    written = capsys.readouterr().out
    assert "the same weights, but" in written and "NOT REPRODUCED" in written
    record_property("said", re.findall(r"(?m)sprint-seed1 \| (.*?) \|$", written)[-1])


def test_a_training_with_other_weights_is_compared_by_its_accuracies(sprint):
    _, result = sprint
    for by, verdict in ((0.003, WITHIN), (0.005, DIFFERENT)):
        other = {"weights_sha256": "0", "test_accuracy": result["test_accuracy"] + by}
        assert reproduce.compare_result("sprint", result, result | other).verdict == verdict


def test_unknown_and_missing_trainings_are_named(tmp_path, capsys):
    assert reproduce.retrain("sprint-seed9") == 2 and "Choose from:" in capsys.readouterr().out
    assert reproduce.retrain("sprint-seed1", Store(tmp_path)) == 1
    assert "make experiments trains it" in capsys.readouterr().out


@pytest.mark.proof
def test_a_recorded_training_is_reproduced(mnist_file, capsys):
    assert reproduce.retrain("sprint-seed1") == 0
    written = capsys.readouterr().out
    assert re.search(r"sprint-seed1 \| (identical|within)", written) and "Reproduced." in written
