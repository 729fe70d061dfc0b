"""A new run is compared with the committed one: numbers by name, words as words, figures."""

import copy
import io
import json
import re
import shutil

import nbformat
import numpy as np
import PIL.Image
import pytest

from mnist_study import paths
from mnist_study import experiments, machine
from mnist_study.store import Store, describe
from mnist_study import reproduce
from mnist_study.reproduce import DIFFERENT, IDENTICAL, WITHIN

RECORD = json.loads(paths.METRICS.read_text(encoding="utf-8"))
OURS = ("models", "dense_dropout")


def changed(*place, to):
    """Return the verdicts on the committed record against itself with one value changed, by part.

    place: the keys that lead to the value; to: the new value, or a function of the old one.
    """
    other = copy.deepcopy(RECORD)
    part = other
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = to(part[place[-1]]) if callable(to) else to
    return {f.part: f.verdict for f in reproduce.compare_records(RECORD, other)}


def moved(*place, by):
    return set(changed(*place, to=lambda value: value + by).values()) - {IDENTICAL}


def test_a_record_is_identical_to_itself():
    assert {f.verdict for f in reproduce.compare_records(RECORD, RECORD)} == {IDENTICAL}
    assert set(changed("total_seconds", to=1.0).values()) == {IDENTICAL}


FAULTS = {  # each was "within tolerance" while whole numbers counted as images of 10,000
    "20 epochs against 3": ("models", "baseline_mlp", "epochs", 3),
    "seed 1 against 40": ("parameters", "seed", 40),
    "another profile": ("profile", "quick"),
    "another test set": ("dataset", "test", 9_999),
    "other code": ("code_sha256", "0" * 64),
    "fewer weights": ("models", "cnn", "parameters", 238_401),
    "fewer seeds": ("seeds", "runs", 4),
    "no number": ("models", "cnn", "test_accuracy", float("nan")),
    "a truth value": ("models", "cnn", "test_accuracy", True),
    "another saved model": ("saved_model", "cnn"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_must_be_equal_and_is_not_is_different(fault):
    *place, value = FAULTS[fault]
    assert DIFFERENT in changed(*place, to=value).values()


@pytest.mark.parametrize(
    ("place", "within", "beyond"),
    [
        ((*OURS, "test_accuracy"), 0.0039, 0.0041),
        ((*OURS, "test_loss"), 0.019, 0.021),
        (("calibration", OURS[1], "temperature"), -0.25, 0.35),
        (("selective", "coverage"), 0.015, -0.025),
        (("labels", "misclassified"), 3, 5),
        (("transfer", 0, "accuracy_mean"), -0.03, -0.05),
        (("out_of_distribution", "letters", "sure"), -0.14, 0.16),
    ],
)
def test_a_number_may_move_as_far_as_its_name_allows(place, within, beyond):
    assert moved(*place, by=within) == {WITHIN}
    assert moved(*place, by=beyond) == {DIFFERENT}


def test_a_ratio_may_not_move_where_it_is_of_kept_records():
    assert moved("seeds", "subgroups", "cnn", "ratio", by=0.01) == {DIFFERENT}


def test_a_value_or_a_model_that_is_missing_or_new_is_different():
    def without(key):
        return lambda part: {k: v for k, v in part.items() if k != key}

    assert DIFFERENT in changed("models", to=without("cnn")).values()
    assert DIFFERENT in changed(*OURS, to=without("test_loss")).values()
    assert DIFFERENT in changed("models", to=lambda models: models | {"x": {}}).values()
    found = reproduce.compare_records(RECORD, without("hardest")(RECORD))
    assert [f.part for f in found if f.verdict == DIFFERENT] == ["hardest"]


def test_other_weights_are_told_and_judged_by_accuracies():
    found = changed(*OURS, "weights_sha256", to="f" * 64)
    assert found["models/dense_dropout"] == WITHIN and found["models/cnn"] == IDENTICAL


def test_digits_that_move_in_the_confusion_matrix_are_counted():
    def few(count):
        def change(matrix):
            matrix = copy.deepcopy(matrix)
            matrix[3][3] -= count
            matrix[3][5] += count
            return matrix

        return change

    assert changed("confusion_matrix", to=few(40))["confusion_matrix"] == WITHIN
    assert changed("confusion_matrix", to=few(41))["confusion_matrix"] == DIFFERENT
    fewer = lambda m: [[n - 1 for n in row] for row in m]  # noqa: E731
    assert changed("confusion_matrix", to=fewer)["confusion_matrix"] == DIFFERENT


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("48 of 48 in 3 s", "48 of 48 in 3 s", IDENTICAL),
        ("48 of 48 are read", "12 of 48 are read", WITHIN),  # the record judges the number
        ("48 of 48 are read", "48 of 48 are misread", DIFFERENT),
        ("98.4% right", "right", DIFFERENT),
    ],
)
def test_texts_must_keep_their_words(old, new, verdict):
    assert reproduce.compare_text("cell", old, new).verdict == verdict


def test_cells_compare_by_name_without_seconds_and_processors():
    def notebook(text, name="a-cell"):
        output = nbformat.v4.new_output("stream", text=text)
        return nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell("1", id=name, outputs=[output])]
        )

    old = notebook("20 epochs in 35 s on AMD (cpu family 25, model 17, with AVX-512)")
    same = notebook("20 epochs in 99 s on Intel (cpu family 6, model 1, with AVX-512)")
    [found] = reproduce.compare_cells(old, same)
    assert (found.part, found.verdict) == ("cell a-cell", IDENTICAL)
    [gone] = reproduce.compare_cells(old, notebook("20 epochs", "another"))
    assert gone.verdict == DIFFERENT


def drawn(share, size=(100, 100)):
    """Return a white PNG of which that share is black."""
    pixels = np.full(size, 255, np.uint8)
    pixels.ravel()[: round(share * pixels.size)] = 0
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (drawn(0), IDENTICAL),
        (drawn(0.24), WITHIN),
        (drawn(0.26), DIFFERENT),
        (drawn(0, (100, 99)), DIFFERENT),
    ],
)
def test_figures_may_change_a_quarter_of_their_pixels(other, verdict, tmp_path):
    for folder, png in (("old", drawn(0)), ("new", other)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_bytes(png)
    [found] = reproduce.compare_pictures(tmp_path / "old", tmp_path / "new")
    assert (found.part, found.verdict) == ("a.png", verdict)


@pytest.mark.parametrize(
    ("verdict", "here", "status"),
    [(IDENTICAL, True, 0), (WITHIN, True, 1), (WITHIN, False, 0), (DIFFERENT, False, 1)],
)
def test_a_machine_of_the_record_s_kind_must_be_identical(verdict, here, status, capsys):
    made_on = machine.environment() | ({} if here else {"processor": "another"})
    assert reproduce.report([reproduce.Finding("a part", verdict)], made_on) == status
    said = capsys.readouterr().out
    assert f"| a part | {verdict} |" in said and ("NOT REPRODUCED" in said) == bool(status)


def test_a_run_with_other_images_is_not_compared(tmp_path, capsys):
    (tmp_path / "results").mkdir()
    other = RECORD | {"dataset": RECORD["dataset"] | {"sha256": "0"}}
    (tmp_path / "results" / "metrics.json").write_text(json.dumps(other))
    assert reproduce.compare_runs(tmp_path, None) == 1
    assert "other images than the record" in capsys.readouterr().out


def test_the_committed_run_is_compared_with_itself(tmp_path, capsys):
    for name in ("results", "visualizations"):
        shutil.copytree(paths.ROOT / name, tmp_path / name)
    shutil.copy(paths.MODEL, tmp_path)
    notebook = nbformat.read(paths.NOTEBOOK, as_version=4)
    assert reproduce.compare_runs(tmp_path, notebook) == 0
    assert ", 0 within tolerance, 0 DIFFERENT" in capsys.readouterr().out


@pytest.fixture
def kept():
    """The record of a short training, and the store that has it."""
    [sprint] = [e for e in experiments.of_seed(1) if e.name == "sprint"]
    store = Store()
    return store, json.loads(store.path(describe(sprint)).read_text())["result"]


def test_a_kept_training_is_compared_value_by_value(kept, capsys):
    store, result = kept
    slower = result | {"fit_seconds": 1.0}
    assert reproduce.retrain("sprint-seed1", store, lambda _: slower) == 0
    other = result | {"misclassified": [*result["misclassified"][1:], 9_999]}
    assert reproduce.retrain("sprint-seed1", store, lambda _: other) == 1
    assert "the same weights, but" in capsys.readouterr().out


def test_other_weights_of_a_kept_training_are_judged_by_accuracies(kept):
    _, result = kept
    near = result | {"weights_sha256": "0", "test_accuracy": result["test_accuracy"] + 0.003}
    assert reproduce.compare_result("sprint", result, near).verdict == WITHIN
    far = near | {"test_accuracy": result["test_accuracy"] + 0.005}
    assert reproduce.compare_result("sprint", result, far).verdict == DIFFERENT


def test_unknown_and_missing_trainings_are_told(tmp_path, capsys):
    assert reproduce.retrain("sprint-seed9") == 2 and "Choose from:" in capsys.readouterr().out
    assert reproduce.retrain("sprint-seed1", Store(tmp_path)) == 1
    assert "make experiments trains it" in capsys.readouterr().out


@pytest.mark.proof
def test_a_kept_training_is_reproduced(mnist_file, capsys):
    assert reproduce.retrain("sprint-seed1") == 0
    said = capsys.readouterr().out
    assert re.search(r"sprint-seed1 \| (identical|within)", said) and "Reproduced." in said


@pytest.mark.proof
@pytest.mark.control(
    "a record edited by hand, and all that follows from it", "`make reproduce RECORD=…`"
)
def test_a_record_edited_by_hand_is_not_reproduced(
    mnist_file, kept, tmp_path, capsys, record_property
):
    [sprint] = [e for e in experiments.of_seed(1) if e.name == "sprint"]
    edited = kept[1] | {"test_accuracy": kept[1]["test_accuracy"] + 0.01}
    Store(tmp_path).keep(describe(sprint), edited)
    assert reproduce.retrain("sprint-seed1", Store(tmp_path)) == 1
    said = capsys.readouterr().out
    assert "NOT REPRODUCED" in said
    record_property("said", re.search(r"sprint-seed1 \| (.*?) \|$", said, re.MULTILINE)[1])
