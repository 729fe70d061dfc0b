"""The lesson: what its cells show is what trains; no test image before its section; its measure."""

import ast
import dataclasses
import re
import statistics
from types import SimpleNamespace

import numpy as np
import pytest
from support.notebook import cell_of, code_cells, read_notebook, source
from support.project import ROOT, run
from support.record import own_run

from mnist_study import data, models
from mnist_study.backend import keras

SHOWN = ("dense", "augment", "training")  # the cells that train dense_dropout
SMALL = {"epochs": 2, "samples_per_epoch": 1_024, "batch_size": 256}
EDITS = {
    "the architecture": ("Dropout(hyper", "Dropout(2 * hyper"),
    "the augmentation": ('("noise", ', "("),
    "the schedule": ("rate_schedule(hyper.learning_rate", "rate_schedule(2 * hyper.learning_rate"),
}


def small(name):
    """Return a model's configuration with little training."""
    configuration = models.registry[name]
    options = {"widths": (32, 16), "dropout": 0.1} if name == "dense_dropout" else {}
    return dataclasses.replace(configuration, **SMALL, options=options)


def examples(fallback):
    """Return inputs and targets to train on, and both to validate on."""
    images, labels = fallback[0]
    inputs, targets = data.normalise(images[::4]), data.one_hot(labels[::4])
    return inputs, targets, (inputs[:200], targets[:200])


def trained_in_cells(name, fallback, old="", new=""):
    """Return the digest of what the notebook's cells train, one text in them replaced."""
    inputs, targets, validation = examples(fallback)
    names = {"keras": keras, "np": np, "seed": 1, "train_inputs": inputs, "train_targets": targets}
    names |= {"validation": validation, "study": SimpleNamespace(configuration=small)}
    names |= {"models": [], "trained": {}}
    shown = (*SHOWN, "fit", "cnn", "cnn-train")
    code = "\n\n".join(source(cell) for cell in shown if cell != "fit")
    assert old in code
    exec("from mnist_study import live\n" + code.replace(old, new), names)
    augmented = names["gentler" if name == "cnn" else "augmented"]
    return data.digest(
        names["fit"](name, names[name](), small(name), augmented).model.get_weights()
    )


ALIKE = """
from support.images import five_thousand
from test_lesson import examples, small, trained_in_cells

from mnist_study import data, train

for name in ("dense_dropout", "cnn"):
    recorded = train.train(small(name), *examples(five_thousand()), seed=1)
    same = trained_in_cells(name, five_thousand()) == data.digest(recorded.model.get_weights())
    print("gave", name, same)
"""


def test_the_cells_train_what_the_package_records():
    # in a process of its own: the tests' checks of types draw random numbers at each call
    tests = f"{ROOT}:{ROOT}/tests:{ROOT}/tests/notebook"
    said = run("python", "-c", ALIKE, folder=ROOT, PYTHONPATH=tests).stdout
    assert re.findall(r"gave (.*)", said) == ["dense_dropout True", "cnn True"]


@pytest.mark.parametrize("what", EDITS)
def test_an_edited_cell_trains_another_network(what, fallback):
    assert trained_in_cells("dense_dropout", fallback, *EDITS[what]) != trained_in_cells(
        "dense_dropout", fallback
    )


def lines(*names):
    return sum(bool(line.strip()) for name in names for line in source(name).splitlines())


def test_the_lesson_keeps_its_measure():
    cells = read_notebook().cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    prose = re.sub(r"(?s)<!--.*?-->|```.*?```", "", prose)
    assert len(prose.split()) <= 5_500 and prose.count("%") <= 60
    assert lines(*SHOWN) <= 40 and lines("cnn") <= 12
    code = code_cells(read_notebook())
    assert statistics.median(len(cell.source.splitlines()) for cell in code) <= 4


def test_no_test_image_is_used_before_its_section():
    code = code_cells(read_notebook())
    before = [cell.source for cell in code[: [cell.id for cell in code].index("test")]]
    assert sum("test_pair" in cell for cell in before) == 1  # where it is loaded, and left alone
    assert not any(re.search(r"\btest_(?!pair)\w+", cell) for cell in before)


def names_in(cells, *contexts):
    nodes = [node for cell in cells for node in ast.walk(ast.parse(cell.source))]
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, contexts)}


def test_exercises_change_nothing_that_other_cells_use():
    code = code_cells(read_notebook())
    exercises = [cell for cell in code if "exercise" in cell.metadata.get("tags", [])]
    assert len(exercises) >= 9 and all("# Exercise" in cell.source for cell in exercises)
    others = [cell for cell in code if cell not in exercises]
    shared = names_in(exercises, ast.Store) & names_in(others, ast.Load, ast.Store)
    assert shared <= {"_"}


def test_the_words_of_the_field_stand_in_it():
    prose = "\n".join(c.source for c in read_notebook().cells if c.cell_type == "markdown").lower()
    words = "augmentation classification baseline generalisation regularisation hyperparameter"
    words += " architecture preprocessing distillation backpropagation logit ensemble"
    assert not [
        w for w in (*words.split(), "early stopping", "confidence interval") if w not in prose
    ]


def test_backpropagation_in_numpy_learns_and_agrees_with_differences():
    notebook, ours = read_notebook(), own_run()
    [check] = cell_of(notebook, "gradient-check").outputs
    by_rule, by_difference = map(float, re.findall(r"-?\d+\.\d+", check.text))
    assert by_rule == pytest.approx(by_difference, rel=1e-3) and by_rule
    [said] = cell_of(notebook, "mlp-training").outputs
    assert float(re.search(r"(\d+\.\d)%", said.text)[1]) >= (80 if ours else 97)
