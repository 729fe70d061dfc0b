"""A run without network and cache, with a model of one's own; and a run on Colab."""

import re

import nbformat
import pytest
from support.host import DEAD
from support.notebook import (
    edit_notebook,
    executed,
    outputs_text,
    read_notebook,
    source,
)
from support.project import ROOT, clean_copy, run
from support.record import (
    FIGURES,
    KEPT_ONLY,
    NEED_ROWS,
    check_figures,
    check_record,
    check_trust,
    shown_figures,
)

from mnist_study.story.parameters import STUDY

MODELS = STUDY["models"]


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """A clean copy, executed without network and cache, with a model of one's own."""
    folder = clean_copy(tmp_path_factory.mktemp("offline"))
    path = folder / "mnist_model.ipynb"
    edit_notebook(path, profile="quick", models=[*MODELS, "my_model"])
    notebook = read_notebook(path)
    place = [cell.id for cell in notebook.cells].index("imports")
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(source("own-model")))
    nbformat.write(notebook, path)
    home = tmp_path_factory.mktemp("home")
    command = ("jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace", path.name)
    run(*command, folder=folder, HOME=home, KERAS_HOME=None, **DEAD)
    return executed(folder, home=home)


def test_a_run_writes_to_its_folder_alone(offline):
    programs = {".cache", ".config", ".ipython", ".jupyter", ".local"}  # Jupyter's, matplotlib's
    assert {path.name for path in offline.home.iterdir()} <= programs | {".keras"}
    files = [path for path in offline.home.rglob("*") if path.is_file()]
    assert [path for path in files if "mnist" in path.name] == []


@pytest.mark.fault(
    "no network and no cache", "goes on with 5,000 images, with notice in every figure"
)
def test_without_network_and_cache_the_study_runs_on_5000_images_and_says_so(
    offline, record_property
):
    dataset, models = offline.record["dataset"], offline.record["models"]
    assert (dataset["name"], dataset["train"], dataset["test"]) == ("mnist-5k", 4_000, 1_000)
    assert "URL fetch failure" in dataset["reason"]
    record_property("said", dataset["reason"])
    check_record(offline.record)
    check_trust(offline.record)
    check_figures(offline.folder, FIGURES - NEED_ROWS - KEPT_ONLY)
    assert models["dense_dropout"]["test_accuracy"] > 0.85
    load = next(cell for cell in offline.notebook.cells if cell.id == "load")
    shown = [output.get("data", {}).get("text/markdown", "") for output in load.outputs]
    assert any("This is not the full MNIST" in text for text in shown)
    figures = shown_figures(offline.notebook)
    assert len(figures) == len(FIGURES - NEED_ROWS - KEPT_ONLY)
    assert all("not the full MNIST" in alt for _, alt in figures)


def test_a_model_of_ones_own_appears_everywhere(offline):
    assert list(offline.record["models"]) == [*MODELS, "my_model"]
    assert offline.record["models"]["my_model"]["test_accuracy"] > 0.3
    cells = {cell.id: cell for cell in offline.notebook.cells}
    assert "my_model" in cells["results-table"].outputs[0]["data"]["text/html"]
    assert "**my_model**: 1 epochs" in outputs_text(offline.notebook)


@pytest.mark.proof
def test_the_guide_brings_the_notebook_to_colab(mnist_file, tmp_path):
    project = tmp_path / "public"
    clean_copy(project)
    for command in ("init -q", "add -A", "-c user.name=me -c user.email=me commit -qm copy"):
        run("git", *command.split(), folder=project)
    readme = (ROOT / "docs" / "USING.md").read_text(encoding="utf-8")
    code = re.search(r"```\n(!git clone .*?)```", readme, re.DOTALL)[1]
    code = code.replace("https://github.com/OWNER/NAME", str(project))
    edit_notebook(project / "mnist_model.ipynb", profile="quick")
    notebook = read_notebook(project / "mnist_model.ipynb")
    notebook.cells.insert(0, nbformat.v4.new_code_cell(code, id="colab"))
    alone = tmp_path / "colab"
    alone.mkdir()
    nbformat.write(notebook, alone / "mnist_model.ipynb")
    command = "jupyter nbconvert --to notebook --execute --inplace mnist_model.ipynb"
    run(*command.split(), folder=alone)
    check_record(executed(alone / "study", "../mnist_model.ipynb").record)
