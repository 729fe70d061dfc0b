"""Kept trainings: what makes a record stale, where it stands, and what it holds."""

import dataclasses
import json
import shutil

import pytest
from support.project import ROOT

from mnist_study import paths
from mnist_study.core.data import Split
from mnist_study.core.experiment import Experiment, Part
from mnist_study.core.models import registry
from mnist_study.records import digests, experiments, store

CORE = sorted(path.name for path in (paths.PACKAGE / "core").glob("*.py"))
READERS = ["reader/strokes.py", "reader/strokes.json", "reader/pens.py", "reader/pens.npz"]
READERS += ["reader/pictures.py", "reader/training.py"]
OTHERS = ["reader/rates.py", "records/intervals.py", "story/figures/learning.py", "ship/report.py"]
JUDGED, *_, SPRINT = experiments.of_seed(1)[:5]
TAUGHT = dataclasses.replace(SPRINT, teacher=registry["cnn"], teachers=2)
TRIALS = ["trials/judging.py", "trials/robustness.py", "reader/uci.py", "records/calibration.py"]


@pytest.fixture
def project(tmp_path):
    """A copy of both packages, to be changed."""
    for package in ("mnist_study", "digit_reader"):
        leave = shutil.ignore_patterns("__pycache__", "*.tflite", "model.js")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=leave)
    yield tmp_path
    digests.of_file.cache_clear()
    digests.imports.cache_clear()


def stale(project, name, addition):
    """Return whether an addition to a file makes trainings stale.

    Of a dense net, of one that is judged by more than test digits, and of the reader.
    """
    path = project / name
    before = [store.describe(e, project) for e in (SPRINT, JUDGED, experiments.READER)]
    path.write_bytes(path.read_bytes() + addition.encode())
    digests.of_file.cache_clear()
    digests.imports.cache_clear()
    after = [store.describe(e, project) for e in (SPRINT, JUDGED, experiments.READER)]
    return [old != new for old, new in zip(before, after, strict=True)]


@pytest.mark.parametrize("name", CORE)
def test_code_of_core_makes_every_training_stale(project, name):
    assert stale(project, f"mnist_study/core/{name}", "\nADDED = 1\n") == [True] * 3


@pytest.mark.parametrize("name", READERS)
def test_what_makes_the_reader_s_pictures_makes_its_training_stale(project, name):
    is_data = not name.endswith(".py")
    assert stale(project, f"mnist_study/{name}", "\n") == [False, False, is_data]
    if not is_data:
        assert stale(project, f"mnist_study/{name}", "\nADDED = 1\n") == [False, False, True]


def test_what_centres_pictures_makes_stale_what_reads_others_digits(project):
    assert stale(project, "digit_reader/centre.py", "\nADDED = 1\n") == [False, True, True]


@pytest.mark.parametrize("name", TRIALS)
def test_what_tries_a_model_makes_stale_what_is_tried(project, name):
    of_reader = name == "reader/uci.py"
    assert stale(project, f"mnist_study/{name}", "\nADDED = 1\n") == [False, True, of_reader]


@pytest.mark.parametrize("name", OTHERS)
def test_what_only_judges_or_shows_makes_no_training_stale(project, name):
    assert stale(project, f"mnist_study/{name}", "\nADDED = 1\n") == [False] * 3


def test_comments_and_docstrings_make_nothing_stale(project):
    assert stale(project, "mnist_study/core/data.py", "\n# more\n") == [False] * 3
    documented = '\n\ndef added():\n    """{}"""\n    return 1\n'
    path = project / "mnist_study" / "core" / "data.py"
    text = path.read_text(encoding="utf-8")
    seen = set()
    for said in ("One thing.", "Another."):
        path.write_text(text + documented.format(said), encoding="utf-8")
        digests.of_file.cache_clear()
        seen.add(digests.of_file(path))
    assert len(seen) == 1


def test_libraries_are_those_that_the_files_import():
    assert digests.libraries(SPRINT.trained_by) == ["keras", "numpy", "tensorflow"]
    expected = {"keras", "matplotlib", "numpy", "pillow", "scikit-learn", "scipy", "tensorflow"}
    assert set(digests.libraries(experiments.READER.trained_by)) == expected


CHANGES = {
    "seed": {"seed": 2},
    "split": {"split": Split.CENSUS},
    "judged_on": {"judged_on": Part.VALIDATION},
    "nets": {"nets": 2},
    "teacher": {"teacher": registry["cnn"]},
    "recipe": {"recipe": dataclasses.replace(SPRINT.recipe, epochs=6)},
    "option": {"recipe": dataclasses.replace(SPRINT.recipe, options={"widths": (256, 120)})},
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_setting_is_another_record(change):
    kept = store.Store()
    other = store.describe(dataclasses.replace(SPRINT, **CHANGES[change]))
    assert kept.path(other) != kept.path(store.describe(SPRINT))


def test_an_option_at_its_default_is_the_same_record():
    plain = Experiment("a", registry["dense_dropout"], 1)
    options = {"widths": (2048, 256), "dropout": 0.1, "patches": True}
    spelt = dataclasses.replace(plain.recipe, options=options)
    assert store.describe(plain) == store.describe(dataclasses.replace(plain, recipe=spelt))


def test_a_description_tells_all_of_its_experiment():
    for experiment in (SPRINT, TAUGHT, experiments.READER, *experiments.choices()):
        described = store.describe(experiment)
        again = store.experiment_of(json.loads(json.dumps(described)))
        assert store.describe(again) == described
        assert (again.split, again.judged_on) == (experiment.split, experiment.judged_on)


def test_a_new_record_takes_the_place_of_the_old_one(tmp_path):
    kept = store.Store(tmp_path / "records")
    for epochs in (1, 2):
        kept.keep({"name": "tiny", "seed": 3, "epochs": epochs}, {"epochs": epochs})
    kept.keep({"name": "tiny", "seed": 1}, {"epochs": 9})
    assert kept.results("tiny") == {1: {"epochs": 9}, 3: {"epochs": 2}}
    assert len([*kept.folder.iterdir()]) == 2 and kept.results("other") == {}


def test_records_are_text_that_diffs_well():
    text = store.as_text({"b": [1, 2.5], "a": {"c": "x"}})
    assert text == '{\n "a": {\n  "c": "x"\n },\n "b": [ 1, 2.5 ]\n}\n'


def test_every_training_of_the_study_has_one_record_and_no_other_is_kept():
    study = experiments.study()
    assert len({(e.name, e.seed) for e in study}) == len(study)
    kept = store.Store()
    expected = {kept.path(store.describe(experiment)).name for experiment in study}
    found = {path.name for path in kept.folder.glob("*-seed*.json")}
    assert expected - found == set(), "make experiments, and commit results/"
    assert found - expected == set(), "of no experiment: delete them"


def test_records_are_sorted_json_of_inputs_and_result():
    kept = store.Store()
    for path in kept.folder.glob("*-seed*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        assert path == kept.path(record["inputs"]), path
        assert path.read_text(encoding="utf-8") == store.as_text(record), path
        result = record["result"]
        assert 0.5 < result["validation_accuracy"] < 1 and result["fit_seconds"] > 0
        if record["inputs"]["trained_by"] == experiments.READER.trained_by:
            assert result["uci_test_accuracy"] > 0.985 and result["pens_accuracy"] > 0.97
            assert result["people_accuracy"] > 0.95
        elif record["inputs"]["judged_on"] == "test":
            assert len(result["misread"]) == len(result["read_as"])
            assert result["test_accuracy"] == pytest.approx(1 - len(result["misread"]) / 10_000)
        else:
            assert "test_accuracy" not in result, "the choice of recipe must not see the test set"


def test_the_notebook_s_digest_follows_its_code_and_not_what_papermill_injects():
    cells = ["a = 1", "b = 2"]
    found = digests.of_notebook(cells)
    assert found == digests.of_notebook(["# Parameters\na = 3\n", "a = 1\n", "", "b = 2"])
    assert found != digests.of_notebook(["a = 1", "b = 3"])


def test_data_beside_a_module_belongs_to_it():
    reached = {path.name for path in digests.reached(experiments.READER.trained_by)}
    names = ["training.py", "pictures.py", "uci.py", "centre.py"]
    names += ["strokes.py", "strokes.json", "pens.py", "pens.npz"]
    assert sorted(reached) == sorted(names)
    assert paths.READER / "page" / "rules.js" in digests.reached("digit_reader.parts")
