"""Negative controls: what is wrong on purpose must be noticed, by the check made for it."""

import dataclasses
import re
import sys

import numpy as np
import PIL.Image
import pytest
from support.project import copy_of_project, run

from mnist_study import data, models, saved_model, train
from mnist_study.evaluate.accuracy import accuracy

DENSE = {"samples_per_epoch": 4_000, "batch_size": 128, "options": {"widths": (64, 32)}}
SMALL = {"softmax_regression": {"epochs": 3}, "dense_dropout": DENSE | {"epochs": 3}}
SLOW = pytest.param("dense_dropout", marks=pytest.mark.proof)  # it compiles the augmentation


@pytest.mark.parametrize("name", ["softmax_regression", SLOW])
@pytest.mark.control("labels are shuffled: {name}", "accuracy, which falls to chance")
def test_shuffled_labels_give_chance_accuracy(fallback, name):
    (images, labels), (test_images, test_labels) = fallback
    configuration = dataclasses.replace(models.registry[name], **SMALL[name])
    inputs, test_inputs = data.normalise(images), data.normalise(test_images)
    accuracies = []
    for trained_on in (labels, np.random.default_rng(1).permutation(labels)):
        model = train.train(configuration, inputs, data.one_hot(trained_on)).model
        accuracies.append(accuracy(model, test_inputs, test_labels))
    assert accuracies[0] > 0.8 and accuracies[1] == pytest.approx(0.1, abs=0.07)


def replaced(pattern, new):
    """Return a change of a text file that puts new in the place of the pattern's first match."""

    def change(path):
        after, count = re.subn(pattern, new, path.read_text(encoding="utf-8"), count=1)
        assert count == 1, f"{path.name} has nothing like {pattern}"
        path.write_text(after, encoding="utf-8")

    return change


def weight(path):
    """Change a weight of a saved model."""
    model = saved_model.load(path)
    model.layers[-1].bias.assign_add([0.001] + 9 * [0])
    model.save(path, include_optimizer=False)


def pixel(path):
    """Change a pixel of a PNG file."""
    image = PIL.Image.open(path).convert("RGB")
    image.putpixel((50, 50), (200, 0, 0))
    image.save(path)


NUMBER = replaced(r"(<!--=(?:(?!-->).)+-->)[^<]+", r"\g<1>12.34")  # the first rendered one
CONDITION = replaced(r"<!--\?(?:(?!-->).)+-->", "<!--?cnn.parameters < 0-->")
HEADING = replaced(r'(?m)^( +"## .+?)\\n"', r'\g<1> in 98.7% of cases\\n"')
BETTER = replaced(r'(?<="test_accuracy": 0\.99)\d', "9")
TWICE = replaced(r'"execution_count": 5,', '"execution_count": 50,')
THRESHOLD = replaced(r'(?<="sure": )[\d.]+', "0.2")
EXTRA, RATE = replaced(r"\Z", "EXTRA = 1\n"), replaced(r"9\d\.\d%", "42.1%")
NOTEBOOK, PAGE = "mnist_model.ipynb", "visualizations/draw_a_digit.html"

RENDERED = "test_text::test_rendering_changes_nothing"
SOURCED = "test_text::test_no_measured_number_lacks_a_source"
AGREE = "test_store::test_the_committed_records_agree_with_themselves"
RATES = "digit_reader/test_reader::test_the_rates_come_from_the_reader_as_it_is"
BUILT = "digit_reader/test_page::test_committed_page_is_built_from_the_sources_and_small"
THE = "notebook/test_committed::test_the"
FROM_CODE = f"{THE}_outputs_and_the_record_come_from_the_code_as_it_is"
ORDER = f"{THE}_notebook_was_executed_whole_and_is_clean"
SHOWN = f"{THE}_figures_are_those_that_the_run_recorded_and_showed"
MODEL = f"{THE}_saved_model_is_the_recorded_one_and_the_guide_shows_how_to_use_it"
CHANGES = {  # what is wrong: the file, its change, the test that must notice it
    "a number in README": ("README.md", NUMBER, RENDERED),
    "a number in the model card": ("docs/MODEL_CARD.md", NUMBER, RENDERED),
    "a number in the notebook's prose": (NOTEBOOK, NUMBER, RENDERED),
    "a condition of the notebook's prose": (NOTEBOOK, CONDITION, RENDERED),
    "a new number in the notebook's prose": (NOTEBOOK, HEADING, SOURCED),
    "code that was not executed again": ("mnist_study/evaluate/calibration.py", EXTRA, FROM_CODE),
    "a record edited by hand": ("results/cnn-seed4-*.json", BETTER, FROM_CODE),
    "an accuracy that is not that of the errors": ("results/cnn-seed1-*.json", BETTER, AGREE),
    "a cell executed twice": (NOTEBOOK, TWICE, ORDER),
    "a figure that was painted over": ("visualizations/confusion_matrix.png", pixel, SHOWN),
    "a weight of `mnist_model.h5`": ("mnist_model.h5", weight, MODEL),
    "a threshold of the digit recogniser": ("digit_reader/reader.json", THRESHOLD, RATES),
    "a rate that the page states": (PAGE, RATE, BUILT),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the project as it stands, outputs included."""
    return copy_of_project(tmp_path_factory.mktemp("copy"))


@pytest.mark.proof
@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.control("changed: {what}", "a test")
def test_a_change_is_noticed(copy, what, record_property):
    name, change, test = CHANGES[what]
    [path] = copy.glob(name)
    file, _, function = test.partition("::")
    before, command = path.read_bytes(), (sys.executable, "-m", "pytest", "-q", "-rfE")
    change(path)
    try:
        done = run(*command, f"tests/{file}.py::{function}", folder=copy, check=False)
    finally:
        path.write_bytes(before)
    failed = re.search(rf"(?:FAILED|ERROR) tests/{file}.py::{function}", done.stdout)
    assert failed, f"{test} did not notice it: {done.stdout}"
    record_property("said", test.replace("::", ".py: "))
