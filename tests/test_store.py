"""Records: what makes one stale, where it is kept, and what the committed ones hold."""

import dataclasses
import json
import shutil

import pytest
from support.project import ROOT, leave_hidden_files
from support.trainings import TINY, recorded

from mnist_study import digests, experiments, paths, store
from mnist_study.data import Split
from mnist_study.errors import RecordError
from mnist_study.runners import Part

PLAIN, FULL, RECOGNISER = (
    next(e for e in experiments.study() if e.name == name)
    for name in ("sprint", "dense_dropout", "digit_reader")
)
TRAINING = "augment backend corrupt data initializers models optimizers runners sampling train"
TRAINING = {*TRAINING.split(), "evaluate/__init__", "evaluate/accuracy"}
EVALUATION = {
    f"evaluate/{name}"
    for name in ("batch_statistics", "calibration", "evaluation", "mnist_c", "robustness", "uci")
}


def test_a_training_depends_on_just_the_code_that_decides_its_result():
    plain, full, recogniser = (
        {
            name.removeprefix("mnist_study/").removesuffix(".py")
            for name in store.describe(e)["code"]
        }
        for e in (PLAIN, FULL, RECOGNISER)
    )
    assert plain == TRAINING | {"digit_reader/quiet"}
    assert full == plain | EVALUATION | {"full_runner", "digit_reader/centre"}
    assert plain <= recogniser and not recogniser & {"stats", "results", "recogniser/rates"}
    assert {"recogniser/pictures", "recogniser/strokes.json", "evaluate/uci"} <= recogniser
    assert digests.libraries(PLAIN.runner.__module__) == ["keras", "numpy", "tensorflow"]
    assert "pillow" in digests.libraries(RECOGNISER.runner.__module__)


@pytest.fixture(scope="module")
def change(tmp_path_factory):
    """A function: add a text to a file in a copy of both packages; which digests change?

    Those of a plain training, a fully evaluated one, the recogniser's, and a notebook.
    """
    root = tmp_path_factory.mktemp("project")
    for package in ("mnist_study", "digit_reader"):
        ignored = shutil.ignore_patterns("__pycache__", "page")
        shutil.copytree(ROOT / package, root / package, ignore=ignored)

    def state():
        digests.of_file.cache_clear()
        code = [digests.of_code(e.runner.__module__, root) for e in (PLAIN, FULL, RECOGNISER)]
        return [*code, digests.of_notebook(["from mnist_study import figures"], root)]

    before = state()

    def change(name, addition):
        path = root / "mnist_study" / name
        content = path.read_bytes()
        path.write_bytes(content + addition.encode())
        after = state()
        path.write_bytes(content)
        return [old != new for old, new in zip(before, after, strict=True)]

    yield change
    digests.of_file.cache_clear()


def test_changed_code_or_data_changes_the_digests_of_what_depends_on_it(change):
    assert change("train.py", "ADDED = 1\n") == [True] * 4
    assert change("train.py", '# more\n"""More."""\n') == [False] * 4
    assert change("evaluate/robustness.py", "ADDED = 1\n") == [False, True, False, True]
    assert change("recogniser/strokes.json", "\n") == [False, False, True, True]
    assert change("figures/limits.py", "ADDED = 1\n") == [False, False, False, True]
    assert change("figures/dense.py", "\nx = 1\n") == [False, False, False, True]
    assert change("cluster.py", "ADDED = 1\n") == [False] * 4


@pytest.mark.setting("hidden files beside code and records", "change no digest and no record")
def test_what_editors_and_file_managers_leave_beside_code_and_records_counts_for_nothing(tmp_path):
    for package in ("mnist_study", "digit_reader", "results"):
        ignored = shutil.ignore_patterns("__pycache__", "page")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)

    def state():
        digests.reached_from.cache_clear()
        digests.data_of.cache_clear()
        code = [digests.of_code(e.runner.__module__, tmp_path) for e in (PLAIN, RECOGNISER)]
        notebook = digests.of_notebook(["from mnist_study import figures"], tmp_path)
        return code, notebook, store.Store(tmp_path / "results").results("cnn")

    before = state()
    leave_hidden_files(tmp_path)
    (tmp_path / "results" / "cnn-seed9-0.json").mkdir()
    assert state() == before
    (tmp_path / "results" / "reader.json").unlink()
    assert state()[1] != before[1]  # it looks into the folder that it is given


def test_a_notebook_s_digests_follow_its_cells_and_not_what_papermill_injects():
    cells = digests.of_notebook(["a = 1", "b = 2"])
    assert cells == digests.of_notebook(["# Parameters\na = 3\n", "a = 1\n", "", "b = 2"])
    assert cells != digests.of_notebook(["a = 1", "b = 3"])


def test_another_setting_is_another_record(tmp_path):
    records = recorded(tmp_path)

    def missing(configuration=TINY[0].configuration, **changes):
        changed = dataclasses.replace(TINY[0], configuration=configuration, **changes)
        return records.missing([changed]) == [store.describe(changed)]

    assert missing(split=Split.CENSUS) and missing(evaluated_on=Part.VALIDATION)
    assert missing(runner=FULL.runner)
    assert missing(seed=3) and missing(dataclasses.replace(TINY[0].configuration, epochs=6))
    options = TINY[0].configuration.options
    for dropout, other in ((0.1, False), (0.2, True)):  # the first is the default
        spelt = options | {"dropout": dropout}
        assert missing(dataclasses.replace(TINY[0].configuration, options=spelt)) == other


def test_a_record_of_other_content_is_missing_and_replaced(tmp_path):
    records, described = recorded(tmp_path), store.describe(TINY[0]) | {"data": "0" * 64}
    old = records.path(store.describe(TINY[0]))
    old.write_text(store.as_text({"inputs": described, "result": {"a": 1}}))
    assert records.missing(TINY) == [store.describe(TINY[0])]  # its name alone does not count
    records.keep(described, {"a": [2, 2.5]})
    assert not old.exists() and records.results("tiny")[1] == {"a": [2, 2.5]}
    assert '\n  "a": [ 2, 2.5 ]\n' in records.path(described).read_text()  # a list on one line
    assert [*records.results("tiny")] == [1, 2] and records.results("other") == {}


@pytest.mark.parametrize("text", ["", '{"inputs": ', "[]", '{"inputs": {}, "result": {}}'])
def test_an_unfit_record_is_named_and_trained_again(tmp_path, capsys, text):
    records = recorded(tmp_path)
    path = records.path(store.describe(TINY[0]))
    path.write_text(text)
    assert records.missing(TINY) == [store.describe(TINY[0])]
    assert f"{path.name} holds no record of a training" in capsys.readouterr().err
    with pytest.raises(RecordError, match=path.name):
        records.results("tiny")


def test_every_training_of_the_study_has_one_record_and_there_are_no_others():
    records = store.Store()
    expected = {records.path(store.describe(e)).name for e in experiments.study()}
    committed = {path.name for path in digests.files(records.folder, "*-seed*.json")}
    assert expected - committed == set(), "make experiments, and commit results/"
    assert committed - expected == set(), "of no experiment: delete them"


def agrees(result, part):
    """Return whether a result agrees with itself, and has no test accuracy if it is a choice."""
    if part == Part.VALIDATION:
        return "test_accuracy" not in result and 0.9 < result["validation_accuracy"] < 1
    count = len(result["misclassified"])
    accuracy = pytest.approx(1 - count / 10_000, abs=1e-9)
    return count == len(result["predicted"]) and result["test_accuracy"] == accuracy


def test_the_committed_records_agree_with_themselves():
    for path in digests.files(paths.RESULTS, "*-seed*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        inputs, result = record["inputs"], record["result"]
        assert path == store.Store().path(inputs), path
        assert path.read_text(encoding="utf-8") == store.as_text(record), path
        if inputs["runner"] == RECOGNISER.runner.__name__:
            assert result["uci_test_accuracy"] > 0.985 and result["pens_accuracy"] > 0.97
            assert result["people_accuracy"] > 0.95
        elif inputs["name"] == "line_reader":
            right = result["validation_right"], result["validation_right_but_for_gaps"]
            assert 0.5 < right[0] <= right[1] < 1 and len(result["history"]["loss"]) == 10
        else:
            assert agrees(result, inputs["evaluated_on"]), path
            edited = result | {"test_accuracy": result.get("test_accuracy", 0.99) + 0.0001}
            assert not agrees(edited, inputs["evaluated_on"]), path
