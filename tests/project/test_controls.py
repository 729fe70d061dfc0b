"""Negative controls: what is wrong on purpose must be noticed, by the check made for it."""

import dataclasses
import re
import sys

import h5py
import numpy as np
import PIL.Image
import pytest
from support.project import copy_of_project, run

from mnist_study.core import data, evaluate, models, training

SMALL = {"epochs": 3, "images": 4_000, "batch_size": 128, "options": {"widths": (64, 32)}}


@pytest.mark.control("labels are shuffled", "accuracy, which falls to chance")
def test_shuffled_labels_give_chance_accuracy(fallback):
    (images, labels), (test_images, test_labels) = fallback
    recipe = dataclasses.replace(models.registry["dense_dropout"], **SMALL)
    found = []
    for taught in (labels, np.random.default_rng(1).permutation(labels)):
        result = training.train(recipe, data.normalise(images), data.one_hot(taught))
        _, judged = evaluate.judge(result.model, data.normalise(test_images), test_labels)
        found.append(judged["accuracy"])
    assert found[0] > 0.8 and found[1] == pytest.approx(0.1, abs=0.05)


def text(old, new, count=1):
    """Return a change of a file that puts new in the place of old."""

    def change(path):
        before = path.read_text(encoding="utf-8")
        assert before.count(old) >= count, f"{path.name} does not say {old}"
        path.write_text(before.replace(old, new), encoding="utf-8")

    return change


def pattern(old, new):
    """Return a change of a file that puts new in the place of what first fits the pattern old."""

    def change(path):
        after, found = re.subn(old, new, path.read_text(encoding="utf-8"), count=1)
        assert found == 1
        path.write_text(after, encoding="utf-8")

    return change


def added(line):
    """Return a change of a file that adds a line to it."""
    return lambda path: path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")


def weight(path):
    """Change a weight of a saved model."""

    def changed(_, item):
        if isinstance(item, h5py.Dataset):
            item[...] = item[...] + np.float32(0.001)
            return True  # which ends the visit

    with h5py.File(path, "r+") as file:
        assert file["model_weights"].visititems(changed)


def pixel(path):
    """Change a pixel of a PNG file."""
    image = PIL.Image.open(path).convert("RGB")
    image.putpixel((50, 50), (200, 0, 0))
    image.save(path)


CHANGES = {  # what is wrong: the file, its change, the file of tests and the one that must notice
    "a number in README": (
        "README.md",
        pattern(r"(?<=reads \*\*)99\.\d\d(?=%)", "99.64"),
        "project/test_claims::test_a_claim_says_what_was_measured",
    ),
    "a number in README's table": (
        "README.md",
        pattern(r"(?<=\| 7,850 \| 92\.)\d\d", "99"),
        "project/test_claims::test_the_pages_written_from_the_record_are_up_to_date",
    ),
    "a number in the model card": (
        "docs/MODEL_CARD.md",
        pattern(r"99\.\d\d%", "99.90%"),
        "project/test_claims::test_the_pages_written_from_the_record_are_up_to_date",
    ),
    "a number in the notebook's prose": (
        "mnist_model.ipynb",
        pattern(r"(?<=reads \*\*)99\.\d\d(?=%)", "99.64"),
        "project/test_claims::test_a_claim_says_what_was_measured",
    ),
    "a new number in the notebook's prose": (
        "mnist_model.ipynb",
        text("It is a 5.", "In 98.7% of cases it is a 5."),
        "project/test_claims::test_no_number_in_prose_is_unknown",
    ),
    "code that was not executed again": (
        "mnist_study/records/calibration.py",
        added("EXTRA = 1\n"),
        "story/test_committed::test_the_outputs_and_the_record_come_from_the_code_as_it_is",
    ),
    "a record edited by hand": (
        "results/cnn-seed4-*.json",
        pattern(r'(?<="test_accuracy": 0\.99)\d', "9"),
        "story/test_committed::test_the_outputs_and_the_record_come_from_the_code_as_it_is",
    ),
    "a record whose accuracy is not that of its misreadings": (
        "results/cnn-seed1-*.json",
        pattern(r'(?<="test_accuracy": 0\.99)\d', "9"),
        "records/test_store::test_records_are_sorted_json_of_inputs_and_result",
    ),
    "a cell executed twice": (
        "mnist_model.ipynb",
        text('"execution_count": 5,', '"execution_count": 50,'),
        "story/test_committed::test_the_notebook_was_executed_whole_and_is_clean",
    ),
    "a figure that was painted over": (
        "visualizations/confusion_matrix.png",
        pixel,
        "story/test_committed::test_the_committed_figures_are_those_shown_and_have_alternative_texts",
    ),
    "a weight of `mnist_model.h5`": (
        "mnist_model.h5",
        weight,
        "story/test_committed::test_the_committed_model_is_the_recorded_one_and_the_guide_shows_how_to_use_it",
    ),
    "the levels of doubt": (
        "digit_reader/reader.json",
        pattern(r'(?<="sure": )[\d.]+', "0.2"),
        "digit_reader/test_reader::test_the_rates_come_from_the_reader_as_it_is",
    ),
    "the page's code": (
        "visualizations/draw_a_digit.html",
        text("probabilities(", "probability("),
        "digit_reader/test_page::test_committed_page_is_built_from_the_sources_and_small",
    ),
    "a rate that the page states": (
        "visualizations/draw_a_digit.html",
        pattern(r"(?<=it read )9\d", "42"),
        "digit_reader/test_page::test_committed_page_is_built_from_the_sources_and_small",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the project as it stands, outputs included."""
    return copy_of_project(tmp_path_factory.mktemp("copy"))


def failures(folder, test):
    """Return which tests fail of one test, with all its parameters, in a folder's project."""
    file, name = test.split("::")
    path = f"tests/{file}.py"
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfE")
    done = run(*command, f"{path}::{name}", folder=folder, check=False)
    return re.findall(rf"(?:FAILED|ERROR) {path}::({name})", done.stdout)


@pytest.mark.proof
@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.control("changed: {what}", "a test")
def test_a_change_is_noticed(copy, what, record_property):
    name, change, test = CHANGES[what]
    [path] = copy.glob(name)
    before = path.read_bytes()
    change(path)
    try:
        assert failures(copy, test), f"{test} did not notice it"
    finally:
        path.write_bytes(before)
    record_property("said", test.replace("::", ".py: "))
