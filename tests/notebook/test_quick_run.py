"""A quick run of the notebook with a model of one's own, and its repeat after a kill."""

import hashlib
import json
import re
import shutil

import h5py
import numpy as np
import pytest
from support import record
from support.notebook import NAME, cell_of, code_cells, contents, executed, outputs_text
from support.project import MADE, ended, kill, make, run, start, wait_until

from mnist_study import digests, reproduce, saved_model
from mnist_study.notebook.parameters import STUDY


@pytest.fixture(scope="module")
def figures(quick):
    """The names of the figures that the run is to write."""
    full = quick.record["dataset"]["name"] == "mnist"
    return record.FIGURES - (set() if full else record.NEED_MNIST | record.SAVED_ONLY)


def test_the_terminal_shows_progress(quick):
    assert f"of {len(quick.notebook.cells)}: 1. What a digit is to a computer" in quick.terminal
    for name in quick.record["models"]:
        assert re.search(rf"{name}, epoch 1 of \d+: validation accuracy \d", quick.terminal)
    assert f"on the images of {quick.record['dataset']['name']}." in quick.terminal
    assert "\x1b" not in quick.terminal


@pytest.mark.load("a quick run of the notebook", "fits into Binder's 2 GB")
def test_a_quick_run_takes_little_memory(quick, record_property):
    assert quick.peak <= 2 * 2**30 / 1e9  # Binder's 2 GB are 2 GiB; here 1.64 to 1.82
    record_property("said", f"{quick.peak:.2f} GB")


def test_the_record_is_complete_and_consistent(quick, figures, monkeypatch):
    record.check_record(quick.record)
    record.check_figures(quick.folder, quick.record)
    assert quick.record["profile"] == "quick" and quick.record["figures"].keys() == figures
    monkeypatch.setattr(digests.paths, "RESULTS", quick.folder / "results")
    sources = [cell.source for cell in code_cells(quick.notebook)]
    assert quick.record["code"] == digests.of_notebook(sources, quick.folder)


def test_outputs_are_clean_and_each_figure_says_that_this_is_not_the_study(quick, figures):
    record.check_outputs(quick.notebook)
    load = cell_of(quick.notebook, "load").outputs
    [notice] = [o.data["text/markdown"] for o in load if "text/markdown" in o.get("data", {})]
    assert "profile = 'quick'" in notice
    shown = {hashlib.sha256(p).hexdigest(): a for p, a in record.shown_figures(quick.notebook)}
    assert {*shown} == {quick.record["figures"][n] for n in figures - record.SAVED_ONLY}
    assert all("not the full" in alt.rpartition(" (")[2] for alt in shown.values())


def test_a_model_of_ones_own_appears_in_table_and_record(quick):
    assert list(quick.record["models"]) == [*STUDY["models"], "my_model"]
    assert quick.record["models"]["my_model"]["test_accuracy"] > 0.3
    [table] = [o.data["text/html"] for o in cell_of(quick.notebook, "test").outputs if "data" in o]
    assert "my_model" in table and "**my_model**: 1 epochs" in outputs_text(quick.notebook)


def test_the_saved_model_has_the_recorded_weights_and_predicts(quick):
    recorded = quick.record["models"][quick.record["saved_model"]]["weights_sha256"]
    model = saved_model.load(quick.folder / "mnist_model.h5", recorded)
    with h5py.File(quick.folder / "mnist_model.h5") as file:
        assert [*file] == ["model_weights"]  # and not its optimiser's
    probabilities = model.predict(np.zeros((2, 28, 28, 1), np.float32), verbose=0)
    assert probabilities.shape == (2, 10)
    assert probabilities.sum(1) == pytest.approx([1, 1], abs=1e-5)


def test_a_run_writes_its_results_and_changes_no_text(quick):
    after = contents(quick.folder)
    assert {name for name in quick.before if after[name] != quick.before[name]} == {NAME}
    new = [name for name in after.keys() - quick.before.keys() if "__pycache__" not in name]
    assert [name for name in new if not name.startswith((*MADE, ".lock"))] == []
    cells = [json.loads(files[NAME])["cells"] for files in (quick.before, after)]
    before, now = ([cell["source"] for cell in of_file] for of_file in cells)
    assert before == now


@pytest.mark.proof
@pytest.mark.fault(
    "the notebook is killed in training",
    "leaves all files as they were; the next run repeats the first",
)
def test_a_killed_run_loses_nothing_and_the_next_one_repeats_the_first(quick, tmp_path, capsys):
    folder, log = shutil.copytree(quick.folder, tmp_path / "copy"), tmp_path / "log.txt"
    before = contents(folder)
    running = start(*make("run"), folder=folder, log=log)
    wait_until(lambda: "epoch 1 of" in log.read_text(), ended(running), log)
    kill(running)
    assert contents(folder).items() >= before.items()

    (folder / "results" / "metrics.json").unlink()
    run("papermill", NAME, "out.ipynb", "-p", "profile", "quick", folder=folder)
    repeat = executed(folder, "out.ipynb")
    assert record.timeless(repeat.record) == record.timeless(quick.record)
    assert reproduce.compare_runs(folder, repeat.notebook, quick.folder) == 0
    assert ", 0 within tolerance, 0 DIFFERENT" in capsys.readouterr().out
