"""What is committed: the executed notebook, its record, its figures, its model."""

import re
import shutil

import nbformat
import numpy as np
import pytest
from support.notebook import (
    executed,
    outputs_text,
    read_notebook,
    weights_sha256,
)
from support.order import complaints
from support.project import ROOT, run
from support.record import (
    CELLS,
    FIGURES,
    KEPT_ONLY,
    check_figures,
    check_outputs,
    check_record,
    check_trust,
    shown_figures,
)

from mnist_study.records import digests
from mnist_study.records.store import Store
from mnist_study.ship.reproduce import TOLERANCE
from mnist_study.story.parameters import STUDY

MODELS = STUDY["models"]


@pytest.fixture(scope="module")
def committed():
    """The notebook and the record as they stand here, to be committed."""
    found = executed(ROOT)
    nbformat.validate(found.notebook)
    return found


def test_the_notebook_was_executed_whole_and_is_clean(committed):
    assert complaints(ROOT / "mnist_model.ipynb") == []
    assert (ROOT / "mnist_model.ipynb").stat().st_size < 1_000_000
    for cell in committed.notebook.cells:
        assert set(cell.metadata) <= {"tags"}, f"{cell.id} carries {dict(cell.metadata)}"
        assert re.fullmatch(r"[a-z]+[a-z0-9]*(-[a-z0-9]+)*", cell.id), f"{cell.id}: no stable name"
    check_outputs(committed.notebook)


def test_the_committed_figures_are_those_shown_and_have_alternative_texts(committed):
    shown = dict(shown_figures(committed.notebook))
    assert len(shown) == len(FIGURES - KEPT_ONLY) and all(len(alt) > 20 for alt in shown.values())
    for name in FIGURES - KEPT_ONLY:
        assert (ROOT / "visualizations" / name).read_bytes() in shown, name
    check_figures(ROOT, FIGURES)


def test_the_outputs_and_the_record_come_from_the_code_as_it_is(committed):
    digest = digests.of_notebook(CELLS)
    assert committed.record["code_sha256"] == digest, "it has changed: make run, and commit all"
    assert digest[:12] in outputs_text(committed.notebook)
    for name, model in committed.record["models"].items():
        assert f"{model['test_accuracy']:.2%}" in outputs_text(committed.notebook), name


def test_the_record_is_the_full_study_on_the_full_mnist(committed):
    record = committed.record
    check_record(record)
    check_trust(record)
    assert {name: record["parameters"][name] for name in STUDY} == STUDY
    assert (record["dataset"]["name"], record["dataset"]["test"]) == ("mnist", 10_000)
    assert record["models"]["dense_dropout"]["test_accuracy"] >= 0.984


def test_the_kept_trainings_include_the_notebook_s_and_support_the_headline(committed):
    record, seeds = committed.record, committed.record["seeds"]
    for name, model in record["models"].items():
        kept = Store().results(name)[record["parameters"]["seed"]]
        if kept["machine"]["processor"] == record["environment"]["processor"]:
            assert model["weights_sha256"] == kept["weights_sha256"], name
        assert abs(model["test_accuracy"] - kept["test_accuracy"]) <= TOLERANCE
        assert seeds["weights_sha256"][name]["seed 1"] == Store().results(name)[1]["weights_sha256"]
    headline = seeds["models"]["dense_dropout"]["test_accuracy"]
    assert seeds["runs"] >= 5 and headline["mean"] >= 0.9945  # "99.5%", rounded


def test_the_committed_model_is_the_recorded_one_and_the_guide_shows_how_to_use_it(
    committed, fallback, tmp_path
):
    recorded = committed.record["models"][committed.record["saved_model"]]["weights_sha256"]
    assert weights_sha256(ROOT / "mnist_model.h5") == recorded
    shutil.copy(ROOT / "mnist_model.h5", tmp_path)
    images, labels = fallback[1]
    np.save(tmp_path / "digits.npy", images)
    readme = (ROOT / "docs" / "USING.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(import keras.*?)```", readme, re.DOTALL)[1]
    run("python", "-c", code, folder=tmp_path)
    probabilities = np.load(tmp_path / "probabilities.npy")
    assert np.mean(probabilities.argmax(1) == labels) > 0.97


def test_the_contents_links_lead_to_headings():
    cells = read_notebook().cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(#([^)]+)\)", text)
    sections = re.findall(r"(?m)^## (.+)$", text)
    names = [section.replace(" ", "-") for section in sections]
    assert {*links} == {*names} and links[-len(names) :] == names  # the list of contents is last
