"""Records: what makes one stale, where it is kept, and what the committed ones hold."""

import dataclasses
import json
import shutil

import pytest
from support.project import ROOT
from support.trainings import TINY, recorded

from mnist_study import digests, experiments, paths, store
from mnist_study.data import Split
from mnist_study.errors import RecordError
from mnist_study.models import registry
from mnist_study.runners import Part

PLAIN, FULL, RECOGNISER = (
    next(e for e in experiments.study() if e.name == name)
    for name in ("sprint", "dense_dropout", "digit_reader")
)
TRAINING = ["augment", "backend", "data", "initializers", "models", "optimizers", "runners"]
TRAINING += ["sampling", "train", "evaluate/__init__", "evaluate/accuracy"]
EVALUATION = ["full_runner", "evaluate/calibration", "evaluate/evaluation", "evaluate/robustness"]
EVALUATION += ["evaluate/uci", "../digit_reader/centre"]
OF_RECOGNISER = {"pens.npz", "strokes.json", "pictures.py", "training.py", "uci.py", "centre.py"}


def files(*names):
    """Return the paths in the project of modules of mnist_study."""
    return {f"mnist_study/{name}.py".replace("mnist_study/../", "") for name in names}


def test_a_training_depends_on_just_the_code_that_decides_its_result():
    plain, full, recogniser = ({*store.describe(e)["code"]} for e in (PLAIN, FULL, RECOGNISER))
    assert plain == files(*TRAINING, "../digit_reader/quiet")
    assert full == plain | files(*EVALUATION)
    assert files(*TRAINING) <= recogniser
    assert {path.rpartition("/")[2] for path in recogniser - plain} > OF_RECOGNISER
    assert not recogniser & files("stats", "cluster", "results", "figures/style", "text")
    assert digests.libraries(PLAIN.runner.__module__) == ["keras", "numpy", "tensorflow"]
    assert "pillow" in digests.libraries(RECOGNISER.runner.__module__)
    drawn = digests.by_name(digests.reached(["mnist_study.figures"]))
    assert "mnist_study/figures/published.csv" in drawn  # data beside a module


@pytest.fixture(scope="module")
def change(tmp_path_factory):
    """A function: add a text to a file in a copy of both packages; which digests change?

    Those of a plain training, a fully evaluated one, the recogniser's, and a notebook.
    """
    root = tmp_path_factory.mktemp("project")
    for package in ("mnist_study", "digit_reader"):
        ignored = shutil.ignore_patterns("__pycache__", "page")
        shutil.copytree(ROOT / package, root / package, ignore=ignored)
    modules = [experiment.runner.__module__ for experiment in (PLAIN, FULL, RECOGNISER)]

    def state():
        digests.of_file.cache_clear()
        code = [digests.of_code(module, root) for module in modules]
        return [*code, digests.of_notebook(["from mnist_study import figures"], root)]

    before = state()

    def change(name, addition):
        path = root / name
        content = path.read_bytes()
        path.write_bytes(content + addition.encode())
        after = state()
        path.write_bytes(content)
        return [old != new for old, new in zip(before, after, strict=True)]

    yield change
    digests.of_file.cache_clear()


@pytest.mark.parametrize(
    ("name", "addition", "changed"),
    [
        ("train.py", "ADDED = 1\n", [True] * 4),
        ("train.py", '# more\n"""More."""\n', [False] * 4),
        ("evaluate/robustness.py", "ADDED = 1\n", [False, True, False, True]),
        ("recogniser/strokes.json", "\n", [False, False, True, True]),
        ("figures/limits.py", "ADDED = 1\n", [False, False, False, True]),
        ("cluster.py", "ADDED = 1\n", [False] * 4),
    ],
)
def test_a_change_of_code_or_data_changes_the_digests_of_what_depends_on_it(
    change, name, addition, changed
):
    assert change(f"mnist_study/{name}", addition) == changed


def test_a_notebook_s_digests_follow_its_cells_and_not_what_papermill_injects():
    cells = digests.of_notebook(["a = 1", "b = 2"])
    assert cells == digests.of_notebook(["# Parameters\na = 3\n", "a = 1\n", "", "b = 2"])
    assert cells != digests.of_notebook(["a = 1", "b = 3"])


CHANGES = {
    "seed": {"seed": 2},
    "split": {"split": Split.CENSUS},
    "part": {"evaluated_on": Part.VALIDATION},
    "nets": {"nets": 2},
    "teacher": {"teacher": registry["cnn"]},
    "runner": {"runner": FULL.runner},
    "epochs": {"configuration": dataclasses.replace(TINY[0].configuration, epochs=6)},
    "option": {"configuration": dataclasses.replace(TINY[0].configuration, options={})},
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_setting_is_another_record(change, tmp_path):
    records, other = recorded(tmp_path), dataclasses.replace(TINY[0], **CHANGES[change])
    assert records.missing([TINY[0], other]) == [store.describe(other)]


def test_an_option_at_its_default_is_the_same_record():
    options = TINY[0].configuration.options | {"dropout": 0.1, "local_init": True}
    spelt = dataclasses.replace(TINY[0].configuration, options=options)
    assert store.describe(TINY[0]) == store.describe(
        dataclasses.replace(TINY[0], configuration=spelt)
    )


def test_a_record_of_other_content_is_missing_and_replaced(tmp_path):
    records = recorded(tmp_path)
    old = records.path(store.describe(TINY[0]))
    described = store.describe(TINY[0]) | {"data": "0" * 64}
    old.write_text(store.as_text({"inputs": described, "result": {"a": 1}}))
    assert records.missing(TINY) == [store.describe(TINY[0])]  # its name alone does not count
    records.keep(described, {"a": 2})
    assert not old.exists() and records.results("tiny")[1] == {"a": 2}
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


def test_records_are_text_that_diffs_well():
    text = store.as_text({"b": [1, 2.5], "a": {"c": "x"}})
    assert text == '{\n "a": {\n  "c": "x"\n },\n "b": [ 1, 2.5 ]\n}\n'


def test_every_training_of_the_study_has_one_record_and_there_are_no_others():
    records = store.Store()
    expected = {records.path(store.describe(e)).name for e in experiments.study()}
    committed = {path.name for path in records.folder.glob("*-seed*.json")}
    assert expected - committed == set(), "make experiments, and commit results/"
    assert committed - expected == set(), "of no experiment: delete them"


def disagreements(result, part):
    """Return the fields of a result that disagree with the others or are out of range."""
    wrong = []
    if part == Part.TEST:
        count = len(result["misclassified"])
        wrong += [] if count == len(result["predicted"]) else ["predicted"]
        accuracy = pytest.approx(1 - count / 10_000, abs=1e-9)
        wrong += [] if result["test_accuracy"] == accuracy else ["test_accuracy"]
    elif "test_accuracy" in result:
        wrong.append("the test set, which a choice must not see")
    wrong += [] if 0.5 < result["validation_accuracy"] < 1 else ["validation_accuracy"]
    return wrong + ([] if result["fit_seconds"] > 0 else ["fit_seconds"])


def test_the_committed_records_agree_with_themselves():
    for path in paths.RESULTS.glob("*-seed*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        inputs, result = record["inputs"], record["result"]
        assert path == store.Store().path(inputs), path
        assert path.read_text(encoding="utf-8") == store.as_text(record), path
        if inputs["runner"] == RECOGNISER.runner.__name__:
            assert result["uci_test_accuracy"] > 0.985 and result["pens_accuracy"] > 0.97
            assert result["people_accuracy"] > 0.95
        else:
            assert disagreements(result, inputs["evaluated_on"]) == [], path
            edited = result | {"test_accuracy": result["validation_accuracy"] + 0.0001}
            assert disagreements(edited, inputs["evaluated_on"]), path
