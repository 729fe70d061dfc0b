"""The outputs in this folder: the executed notebook, its record, its figures, its model.

They are the committed ones, or those of a run of one's own, which must be as sound; what only the
study's outputs have to show is left out then, and said in a line.
"""

import re
import shutil

import nbformat
import numpy as np
import pytest
from support.notebook import executed, outputs_text, read_notebook, weights_sha256
from support.order import complaints
from support.project import ROOT, run
from support.record import (
    CELLS,
    FIGURES,
    SAVED_ONLY,
    check_figures,
    check_outputs,
    check_record,
    needs_the_study,
    own_run,
    shown_figures,
)

from mnist_study import digests, store
from mnist_study.notebook.parameters import STUDY
from mnist_study.reproduce import TOLERANCE


@pytest.fixture(scope="module")
def committed():
    """The notebook and the record as they stand here."""
    here = executed(ROOT)
    nbformat.validate(here.notebook)
    return here


def test_the_notebook_was_executed_whole_and_is_clean(committed):
    if "live in Jupyter" in own_run():
        needs_the_study()
    assert complaints(ROOT / "mnist_model.ipynb") == []
    check_outputs(committed.notebook)
    assert (ROOT / "mnist_model.ipynb").stat().st_size < 1_000_000


def test_the_cells_have_stable_names():
    for cell in read_notebook().cells:
        injected = {"parameters", "injected-parameters"} & {*cell.metadata.get("tags", ())}
        assert injected or re.fullmatch(r"[a-z]+[a-z0-9]*(-[a-z0-9]+)*", cell.id), cell.id


def test_the_figures_are_those_that_the_run_recorded_and_showed(committed):
    check_figures(ROOT, committed.record)
    shown = dict(shown_figures(committed.notebook))
    assert all(len(alt) > 20 for alt in shown.values())
    for name in committed.record["figures"].keys() - SAVED_ONLY:
        assert (ROOT / "visualizations" / name).read_bytes() in shown, name


def test_the_outputs_and_the_record_come_from_the_code_as_it_is(committed):
    if "live in Jupyter" in own_run():  # where cells run in any order, and again
        needs_the_study()
    stale = store.differences({"": committed.record["code"]}, {"": digests.of_notebook(CELLS)})
    assert stale == [], "it has changed since the run: make run, and commit all"
    assert committed.record["code_sha256"][:12] in outputs_text(committed.notebook)
    for name, model in committed.record["models"].items():
        assert f"{model['test_accuracy']:.2%}" in outputs_text(committed.notebook), name


def test_the_record_is_complete_and_agrees_with_itself(committed):
    check_record(committed.record)


def test_the_record_is_of_the_full_study(committed):
    needs_the_study()
    assert committed.record["figures"].keys() == FIGURES
    assert committed.record["dataset"]["test"] == 10_000 and "reason" not in committed.record
    for name in STUDY["models"]:
        model, recorded = committed.record["models"][name], store.Store().results(name)[1]
        assert abs(model["test_accuracy"] - recorded["test_accuracy"]) <= TOLERANCE


def test_the_saved_model_is_the_recorded_one_and_the_guide_shows_how_to_use_it(
    committed, fallback, tmp_path
):
    recorded = committed.record["models"][committed.record["saved_model"]]["weights_sha256"]
    assert weights_sha256(ROOT / "mnist_model.h5") == recorded
    shutil.copy(ROOT / "mnist_model.h5", tmp_path)
    images, labels = fallback[1]
    np.save(tmp_path / "digits.npy", images)
    guide = (ROOT / "docs" / "USING.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(import keras.*?)```", guide, re.DOTALL)[1]
    run("python", "-c", code, folder=tmp_path)
    probabilities = np.load(tmp_path / "probabilities.npy")
    right = np.mean(probabilities.argmax(1) == labels)
    assert right > (0.5 if own_run() else 0.97)


def test_the_contents_links_lead_to_headings():
    cells = read_notebook().cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(#([^)]+)\)", prose)
    sections = re.findall(r"(?m)^## (.+)$", prose)
    names = [section.replace(" ", "-") for section in sections]
    assert {*links} == {*names} and links[-len(names) :] == names  # the list of contents is last
