"""Tables, the list of settings, the saved network, its hidden units, images that are no digits."""

import dataclasses

import numpy as np
import pytest
from support.project import ROOT

from mnist_study import results
from mnist_study.backend import keras
from mnist_study.evaluate import hidden_units
from mnist_study.notebook import saved_network, tables
from mnist_study.notebook.images import no_digits
from mnist_study.notebook.parameters import Parameters


def test_a_share_has_its_interval():
    assert tables.with_interval(0.5, 100) == "50.00% (40.38% to 59.62%)"


def test_tables_describe_runs_and_recorded_results(begin):
    recorded, study = results.recorded("cnn")[1], begin()
    study.dataset = {"test": 10_000}
    metrics = {"cnn": recorded | {"epochs": 14}}
    table = tables.results(metrics, study)
    assert table.loc["cnn", "parameters"] == "238,402"
    accuracy = f"{recorded['test_accuracy']:.2%} ("
    assert table.loc["cnn", "test accuracy (95% CI over images)"].startswith(accuracy)
    compared = tables.against_recorded(metrics, study)
    assert compared["cnn"] == "the same weights"
    assert table.loc["cnn", "recorded: mean ± sd (seeds)"].endswith(
        f"({len(results.recorded('cnn'))})"
    )
    study.notice = "not the full study"
    assert tables.against_recorded(metrics, study) == {}
    study.close()


def test_recorded_results_stand_beside_a_run():
    assert tables.over_seeds("baseline_mlp")["time, baseline = 1"] == "1.0"
    assert {*tables.over_seeds("my_model").values()} == {"–"}


def test_the_guide_lists_every_setting():
    guide = (ROOT / "docs" / "USING.md").read_text("utf-8")
    for field in dataclasses.fields(Parameters):
        line = f"| `{field.name}` | `{getattr(Parameters(), field.name)!r}` | "
        line += f"{field.metadata['advice'].removeprefix('give ')} |"
        assert line.replace("'", '"') in guide


def test_errors_are_counted_by_digit():
    labels = np.repeat(np.arange(10), 10)
    table = tables.per_class(labels, np.where(labels == 3, 7, labels))
    assert table[7].tolist() == ["0.500", "1.000", "0.667", "10"] and table[3]["recall"] == "0.000"
    record = saved_network.mistakes(labels, np.where(np.arange(100) < 3, 9, labels))
    assert record["hardest"] == {"digit": 0, "recall": 0.7} and record["labels"]["contested"] == 0


def test_a_unit_votes_for_the_digit_that_misses_it():
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten()]
    layers += [keras.layers.Dense(3, activation="relu", use_bias=False)]
    model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
    first, second = np.zeros((784, 3), np.float32), np.zeros((3, 10), np.float32)
    first[0, 0], first[1, 1] = 1, 1
    second[0, 7], second[0, 2], second[1, 4] = 3, -2, 1
    model.set_weights([first, second, np.zeros(10, np.float32)])
    inputs = np.zeros((20, 28, 28, 1), np.float32)
    inputs[:, 0, 0, 0] = np.arange(20)
    [strongest, following] = hidden_units.strongest(model, inputs, 2)
    assert (strongest.votes, strongest.opposes) == (7, 2) and strongest.weights[0, 0] == 1
    assert strongest.activating[0][0, 0] == 19 and following.weights[0, 1] == 1


def test_what_is_no_digit():
    images = no_digits()
    counts = {kind: len(of_kind) for kind, of_kind in images.items()}
    assert counts == {"letters": 44, "noise": 500, "blank page": 1}
    assert images["letters"].max() == 1 and not images["blank page"].any()
    assert images["noise"].mean() == pytest.approx(0.5, abs=0.01)
