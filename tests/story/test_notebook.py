"""The notebook: a quick run, its repeat after a kill, a run offline; and what is committed."""

import base64
import io
import itertools
import re
import shutil

import keras
import nbformat
import numpy as np
import PIL.Image
import pytest
from mnist_study.reproduce import TOLERANCE
from support.host import DEAD
from support.notebook import (
    code_cells,
    edit_notebook,
    executed,
    outputs_text,
    read_notebook,
    source,
    weights_sha256,
)
from support.order import complaints
from support.project import ROOT, clean_copy, ended, kill, make, run, start, wait_until

from mnist_study import experiments, reproduce, results, session

CELLS = [cell.source for cell in code_cells(read_notebook())]
FIGURES = set(re.findall(r'"(\w+\.png)"', "\n".join(CELLS)))
NEED_ROWS = {"contested_labels.png"}  # the full MNIST's, known row by row
MODELS = session.STUDY["models"]
THRESHOLDS = {0.9774, 0.984, 0.99, 0.9904, 0.9922, 0.993, 0.995, 0.996}
WAYS = {"as it is", "frozen features", "fine-tuned", "from scratch"}
ALLOWED = {"text/plain", "text/html", "text/markdown", "image/png"}


def check_record(record):
    """Check that a run's record is complete and agrees with itself."""
    count, models = record["dataset"]["test"], record["models"]
    assert len(record["dataset"]["sha256"]) == 64 and record["saved_model"] in models
    for model in models.values():
        low, high = model["test_accuracy_ci95"]
        assert 0 <= low < model["test_accuracy"] < high <= 1
        assert 0 < model["train_accuracy"] <= 1 and 0 < model["validation_accuracy"] <= 1
        assert model["epochs"] >= 1 and model["parameters"] > 0 and model["test_loss"] > 0
        assert 0 < model["fit_seconds"] < record["total_seconds"] and 0 < model["uci_accuracy"] < 1
    confusion, saved = np.array(record["confusion_matrix"]), models[record["saved_model"]]
    assert confusion.sum() == count
    assert np.trace(confusion) / count == pytest.approx(saved["test_accuracy"], abs=1e-12)
    found = {(row["method"], row["examples_per_class"]) for row in record["transfer"]}
    assert found == set(itertools.product(WAYS, (1, 5, 10, 50)))
    assert all(0 < row["accuracy_mean"] < 1 for row in record["transfer"])
    labels, contested = record["labels"], 15 if record["dataset"]["name"] == "mnist" else 0
    assert labels["contested"] == contested
    gain = labels["misread"] - contested * (1 - labels["accuracy_without_contested"])
    without = saved["test_accuracy"] + gain / count
    assert labels["accuracy_without_contested"] == pytest.approx(without, abs=1e-9)


def check_trust(record):
    """Check what the record says of confidence and damage."""
    models = record["models"]
    assert set(record["calibration"]) == set(record["membership"]) == set(models)
    for entry in record["calibration"].values():
        assert 0.1 < entry["temperature"] < 10
        assert 0 < entry["ece_before"] < 0.5 and 0 < entry["ece_after"] < 0.5
    assert all(0.4 < area < 1 for area in record["membership"].values())
    selective = record["selective"]
    assert 0.1 <= selective["threshold"] <= 1
    assert 0 <= selective["coverage"] <= 1 and selective["error"] < 0.02
    assert set(record["nonsense"]) == {"letters", "noise", "blank page"}
    undamaged = {}
    for row in record["robustness"]:
        assert 0 <= row["accuracy"] <= 1
        if row["severity"] == 0:
            undamaged.setdefault(row["model"], []).append(row["accuracy"])
    assert set(undamaged) == set(models) - {"softmax_regression"}
    for name, accuracies in undamaged.items():
        assert len(accuracies) == 10 and np.ptp(accuracies) < 0.005
        assert min(r["accuracy"] for r in record["robustness"] if r["model"] == name) < 0.5


def check_outputs(notebook):
    """Check that the outputs hold no warnings, nothing of a terminal, nothing that GitHub drops."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error" and output.get("name") != "stderr", cell.id
            assert set(output.get("data", {})) <= ALLOWED, cell.id
    shown = outputs_text(notebook)
    assert not re.search("[\x08\x1b\r]", shown) and "<script" not in shown


def check_figures(folder, names):
    """Check that every figure decodes, has a white background and shows something."""
    assert {path.name for path in (folder / "visualizations").iterdir()} >= names
    for name in names:
        check_picture((folder / "visualizations" / name).read_bytes(), name)


def check_picture(png, name):
    pixels = np.asarray(PIL.Image.open(io.BytesIO(png)).convert("RGB"))
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 255).all(), f"{name} has no white background"
    assert pixels.std() > 10, f"{name} is blank"


def shown_figures(notebook):
    """Return the PNG and the alternative text of every figure that the notebook shows."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    shown = [output for output in outputs if "image/png" in output.get("data", {})]
    alts = [output.metadata.get("image/png", {}).get("alt", "") for output in shown]
    pngs = [base64.b64decode(output.data["image/png"]) for output in shown]
    return list(zip(pngs, alts, strict=True))


def timeless(record):
    """Return a run's models without the seconds that they took."""
    models = record["models"].items()
    return {n: {k: v for k, v in model.items() if k != "fit_seconds"} for n, model in models}


def test_make_run_shows_that_it_is_alive(quick):
    assert f"of {len(quick.notebook.cells)}: 1. The plain recipe" in quick.terminal
    for name in quick.record["models"]:
        assert re.search(rf"{name}, epoch 1 of \d+: validation accuracy \d", quick.terminal)
    assert "\x1b" not in quick.terminal and "images of mnist" in quick.terminal


def test_a_quick_run_is_complete_and_consistent(quick):
    assert quick.record["profile"] == "quick" and list(quick.record["models"]) == MODELS
    check_record(quick.record)
    check_trust(quick.record)
    check_figures(quick.folder, FIGURES)
    assert {"accuracy_plot.png", "loss_plot.png"} <= FIGURES
    check_outputs(quick.notebook)
    assert not list(quick.folder.rglob(".partial-*"))
    assert "This run has parameters of its own:** profile = 'quick'" in outputs_text(quick.notebook)
    assert all(alt.endswith("not the full study)") for _, alt in shown_figures(quick.notebook))


def test_the_saved_model_predicts_like_the_recorded_one(quick):
    path = quick.folder / "mnist_model.h5"
    recorded = quick.record["models"][quick.record["saved_model"]]["weights_sha256"]
    assert weights_sha256(path) == recorded
    model = keras.models.load_model(path, compile=False)
    probabilities = model.predict(np.zeros((2, 28, 28, 1), np.float32), verbose=0)
    assert probabilities.shape == (2, 10)
    assert probabilities.sum(1) == pytest.approx([1, 1], abs=1e-5)


@pytest.mark.fault(
    "the notebook is killed in training",
    "leaves all files as they were; the next run repeats the first",
)
def test_a_killed_run_loses_nothing_and_the_next_one_repeats_the_first(quick, tmp_path, capsys):
    folder = shutil.copytree(quick.folder, tmp_path / "copy")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    log = tmp_path / "log.txt"
    running = start(*make("run"), folder=folder, log=log)
    wait_until(lambda: "epoch 1 of" in log.read_text(), ended(running), log)
    kill(running)
    assert {path: path.read_bytes() for path in before} == before

    (folder / "results" / "metrics.json").unlink()
    run("papermill", "mnist_model.ipynb", "out.ipynb", "-p", "profile", "quick", folder=folder)
    repeat = executed(folder, "out.ipynb")
    assert timeless(repeat.record) == timeless(quick.record)
    for key in ("code_sha256", "dataset", "confusion_matrix", "transfer", "robustness", "seeds"):
        assert repeat.record[key] == quick.record[key]
    pair = (quick.folder, folder, quick.notebook, repeat.notebook)
    assert reproduce.compare_runs(*pair) == 0
    assert ", 0 within tolerance, 0 DIFFERENT" in capsys.readouterr().out
    shutil.copy(
        folder / "visualizations" / "loss_plot.png", folder / "visualizations" / "ladder.png"
    )
    cell = next(cell for cell in repeat.notebook.cells if cell.id == "evaluate")
    cell.outputs[0].text = cell.outputs[0].text.replace("reads", "misreads")
    assert reproduce.compare_runs(*pair) == 1
    said = capsys.readouterr().out
    assert "| cell evaluate | DIFFERENT | other words |" in said and "| ladder.png | DIFF" in said


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
    check_figures(offline.folder, FIGURES - NEED_ROWS)
    assert models["dense_dropout"]["test_accuracy"] > 0.85
    load = next(cell for cell in offline.notebook.cells if cell.id == "load")
    shown = [output.get("data", {}).get("text/markdown", "") for output in load.outputs]
    assert any("This is not the full MNIST" in text for text in shown)
    figures = shown_figures(offline.notebook)
    assert len(figures) == len(FIGURES - NEED_ROWS)
    assert all("not the full MNIST" in alt for _, alt in figures)


def test_a_model_of_ones_own_appears_everywhere(offline):
    assert list(offline.record["models"]) == [*MODELS, "my_model"]
    assert offline.record["models"]["my_model"]["test_accuracy"] > 0.3
    assert "my_model" in {row["model"] for row in offline.record["robustness"]}
    cells = {cell.id: cell for cell in offline.notebook.cells}
    assert "my_model" in cells["results-table"].outputs[0]["data"]["text/html"]
    assert "**my_model**: 1 epochs" in outputs_text(offline.notebook)


@pytest.mark.proof
def test_readme_brings_the_notebook_to_colab(mnist_file, tmp_path):
    project = tmp_path / "public"
    clean_copy(project)
    for command in ("init -q", "add -A", "-c user.name=me -c user.email=me commit -qm copy"):
        run("git", *command.split(), folder=project)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
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


def test_what_the_record_says_over_seeds_agrees_with_itself(quick):
    seeds = quick.record["seeds"]
    assert seeds["runs"] == len(seeds["weights_sha256"]["dense_dropout"]) >= 5
    errors = {}
    for name, model in seeds["models"].items():
        test = model["test_accuracy"]
        assert test["min"] <= test["mean"] <= test["max"] and model["fit_seconds"]["min"] > 0
        errors[name] = 10_000 * (1 - test["mean"])
        low, high = model["test_accuracy_over_writers"]["ci95"]
        assert low < test["mean"] < high
        entry = seeds["populations"][name]
        students, census = entry["students"], entry["census"]
        assert (students["n"], census["n"]) == (5_001, 4_999)
        assert students["errors"] + census["errors"] == pytest.approx(errors[name], abs=1e-6)
        low, high = entry["ratio_ci95"]
        assert low <= entry["ratio"] <= high
        assert entry["ratio"] == pytest.approx(students["errors"] / census["errors"], rel=1e-3)
    rungs = [rung["experiment"] for rung in seeds["ablation"]]
    assert rungs[:2] == ["softmax_regression", "classic_mlp"] and rungs[-1] == "moonshot"
    assert {mark["threshold"] for mark in seeds["time_to_accuracy"]} == THRESHOLDS
    for mark in seeds["time_to_accuracy"]:
        assert mark["reached"] == (mark["test_accuracy"]["mean"] >= mark["threshold"])
    assert len(seeds["choices"]) == len(experiments.CHOICES) - 1


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
    assert len(shown) == len(FIGURES) and all(len(alt) > 20 for alt in shown.values())
    for name in FIGURES:
        assert (ROOT / "visualizations" / name).read_bytes() in shown, name
    check_figures(ROOT, FIGURES)


def test_the_outputs_and_the_record_come_from_the_code_as_it_is(committed):
    digest = results.study_digest(CELLS)
    assert committed.record["code_sha256"] == digest, "it has changed: make run, and commit all"
    assert digest[:12] in outputs_text(committed.notebook)
    for name, model in committed.record["models"].items():
        assert f"{model['test_accuracy']:.2%}" in outputs_text(committed.notebook), name


def test_the_record_is_the_full_study_on_the_full_mnist(committed):
    record = committed.record
    check_record(record)
    check_trust(record)
    assert {name: record["parameters"][name] for name in session.STUDY} == session.STUDY
    assert (record["dataset"]["name"], record["dataset"]["test"]) == ("mnist", 10_000)
    assert record["models"]["dense_dropout"]["test_accuracy"] >= 0.984


def test_the_kept_trainings_include_the_notebook_s_and_support_the_headline(committed):
    record, seeds = committed.record, committed.record["seeds"]
    for name, model in record["models"].items():
        kept = results.kept(name)[record["parameters"]["seed"]]
        if kept["machine"]["processor"] == record["environment"]["processor"]:
            assert model["weights_sha256"] == kept["weights_sha256"], name
        assert abs(model["test_accuracy"] - kept["test_accuracy"]) <= TOLERANCE
        assert seeds["weights_sha256"][name]["seed 1"] == results.kept(name)[1]["weights_sha256"]
    headline = seeds["models"]["dense_dropout"]["test_accuracy"]
    assert seeds["runs"] >= 5 and headline["mean"] >= 0.9945  # "99.5%", rounded


def test_the_committed_model_is_the_recorded_one_and_readme_shows_how_to_use_it(
    committed, fallback, tmp_path
):
    recorded = committed.record["models"][committed.record["saved_model"]]["weights_sha256"]
    assert weights_sha256(ROOT / "mnist_model.h5") == recorded
    shutil.copy(ROOT / "mnist_model.h5", tmp_path)
    images, labels = fallback[1]
    np.save(tmp_path / "digits.npy", images)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(import keras.*?)```", readme, re.DOTALL)[1]
    run("python", "-c", code, folder=tmp_path)
    probabilities = np.load(tmp_path / "probabilities.npy")
    assert np.mean(probabilities.argmax(1) == labels) > 0.97


def test_the_contents_links_lead_to_headings():
    cells = read_notebook().cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(#([^)]+)\)", text)
    sections = re.findall(r"(?m)^## (.+)$", text)
    assert len(links) >= 6 and links == [section.replace(" ", "-") for section in sections]
