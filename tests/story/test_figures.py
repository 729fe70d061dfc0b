"""Figures, tables and damage, on values whose picture is known; and learning from few labels."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from mnist_study.core import models
from mnist_study.core.backend import keras
from mnist_study.reader import uci
from mnist_study.records import summary
from mnist_study.story import figures, live, tables, transfer
from mnist_study.story.images import no_digits
from mnist_study.trials import robustness


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_shares_are_told_as_percent_without_a_negative_zero():
    assert tables.percent(-0.00001) == "0.00%" and tables.percent(0.98765, 1) == "98.8%"
    assert tables.with_interval(0.5, 100) == "50.00% (40.38% to 59.62%)"


def test_a_model_keeps_its_colour_and_others_get_the_next():
    assert figures.colour("cnn") == "#009E73" == figures.rung_colour("cnn")
    own = [figures.colour(name) for name in ("mine", "yours", "mine")]
    assert own[0] == own[2] != own[1] and not {*own} & {*figures.COLOURS.values()}
    assert figures.rung_colour("step_affine") == figures.OTHERS[0]


def test_a_gallery_has_a_place_for_each_image_and_its_title():
    images = np.arange(5)[:, None, None] * np.ones((5, 4, 4))
    figure = figures.gallery(images, ["one", "two"], columns=3, row_names=["a", "b"])
    assert len(figure.axes) == 6
    assert [axis.get_title() for axis in figure.axes[:3]] == ["one", "two", ""]
    assert figure.axes[3].get_ylabel() == "b" and not figure.axes[5].images
    assert (figure.axes[4].images[0].get_array() == 4).all()


def test_errors_are_shown_as_accuracies_better_ones_higher():
    _, axis = plt.subplots()
    figures.error_scale(axis, 0.004, 0.06)
    assert axis.get_ylim() == (0.06, 0.004)
    labels = [axis.yaxis.get_major_formatter()(tick, 0) for tick in axis.get_yticks()]
    assert labels == ["95%", "98%", "99%", "99.5%"]


def test_labels_of_points_do_not_overlap():
    figure = figures.time_to_accuracy(summary.times())
    axis = figure.axes[0]
    boxes = [text.get_window_extent() for text in axis.texts]
    assert len(boxes) == len(summary.times()) + 7
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    assert all(axis.bbox.x0 <= box.x0 and box.x1 <= axis.bbox.x1 for box in boxes)


def test_training_is_half_an_epoch_early_and_accuracy_shown_as_error():
    history = {"accuracy": [0.9, 0.99], "val_accuracy": [0.95, 0.98]}
    history |= {"loss": [0.5, 0.2], "val_loss": [0.4, 0.3]}
    dashed, solid = figures.learning_curves({"cnn": history}, "accuracy").axes[0].lines
    assert dashed.get_xdata().tolist() == [0.5, 1.5] and solid.get_xdata().tolist() == [1, 2]
    assert solid.get_ydata() == pytest.approx([0.05, 0.02], abs=1e-4)
    smoothed = history | {"categorical_crossentropy": [0.3, 0.1]}
    smoothed |= {"val_categorical_crossentropy": [0.25, 0.15]}
    dashed, _ = figures.learning_curves({"cnn": smoothed}, "loss").axes[0].lines
    assert dashed.get_ydata().tolist() == [0.3, 0.1]


def test_validation_stands_at_the_epochs_after_which_it_was_read():
    history = {"accuracy": [0.9] * 40, "val_accuracy": [0.95] * 20}
    history |= {"loss": [1.0] * 40}
    dashed, solid = figures.learning_curves({"cnn": history}, "accuracy").axes[0].lines
    assert dashed.get_xdata()[-1] == 39.5 and solid.get_xdata().tolist() == [*range(2, 41, 2)]


def test_the_ladder_s_bars_end_at_the_mean_error():
    spread = {"mean": 0.99}
    rungs = [
        {"experiment": "cnn", "name": "a rung", "test_errors": [0.009, 0.011]}
        | {"test_accuracy": spread, "classic_times": {"mean": 1.5}}
    ]
    axis = figures.ladder(rungs).axes[0]
    assert axis.patches[0].get_x() == pytest.approx(0.01)
    assert axis.texts[0].get_text().strip() == "99.00%, 1.5×"
    assert axis.get_yticklabels()[0].get_text() == "a rung"


def test_confusions_are_counted_and_zeros_left_out():
    matrix = np.diag(np.full(10, 90))
    matrix[4, 9] = 7
    axis = figures.confusion(matrix).axes[0]
    shown = [text.get_text() for text in axis.texts if text.get_visible()]
    assert sorted(shown) == ["7"] + ["90"] * 10 and axis.get_xlabel() == "read as"


def test_the_threshold_is_marked_at_its_coverage():
    confidence = np.linspace(0.99, 0.5, 100)
    answers = np.zeros((100, 10))
    answers[:, 3], answers[:, 5] = confidence, 1 - confidence
    labels = np.where(np.arange(100) < 80, 3, 5)
    figure = figures.trust(
        "cnn", {"before": answers, "after": answers}, labels, {"cnn": answers}, 0.9
    )
    star = next(line for line in figure.axes[1].lines if line.get_label() == "threshold")
    assert star.get_xdata() == pytest.approx([np.mean(confidence >= 0.9)])
    assert star.get_ydata() == pytest.approx([figures.NEARLY_NONE])


def test_damage_and_transfer_and_rates_have_a_line_or_point_each():
    rows = [
        {"corruption": damage.name, "severity": s, "model": m, "accuracy": 0.9}
        for damage in robustness.DAMAGES
        for s in damage.strengths
        for m in ("cnn", "mine")
    ]
    figure = figures.robustness(pd.DataFrame(rows))
    assert [axis.get_xlabel() for axis in figure.axes] == [d.name for d in robustness.DAMAGES]
    assert len(figure.axes[0].lines) == 3  # two models and 95%
    means = pd.DataFrame({"as it is": [0.5, 0.6]}, index=[1, 5])
    axis = figures.transfer(means, means * 0.1).axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1", "5"]
    rates = {"a kind": {"right": 0.9, "benchmark_right": 0.6}}
    points = figures.reader_rates(rates).axes[0].collections[1:]
    assert [point.get_offsets()[0][0] for point in points] == [0.6, 0.9]


@pytest.fixture
def images():
    """32 black images with one bright pixel, 3 above and 6 left of the centre's lower right."""
    found = np.zeros((32, 28, 28, 1), np.float32)
    found[:, 11, 8] = 1
    return found


def brightest(images):
    return np.unravel_index(images[0, ..., 0].argmax(), (28, 28))


def test_damage_does_what_it_says(images):
    damage = {d.name.split(",")[0]: d.spoil for d in robustness.DAMAGES}
    assert brightest(damage["rotation"](images, 90)) in ((8, 16), (19, 11))
    assert brightest(damage["shift"](images, 3)) == (11, 5)
    assert damage["blur"](images, 1.5).sum() == pytest.approx(images.sum(), rel=1e-3)
    assert np.count_nonzero(damage["thicker strokes"](images, 2)) == 32 * 9
    assert damage["thinner strokes"](images, 1).max() == 0
    assert damage["inverted contrast"](images, 1)[0, 11, 8] == 0
    white = np.ones((32, 28, 28, 1), np.float32)
    assert np.count_nonzero(damage["occlusion"](white, 8) == 0) == 32 * 64
    wide = np.ones((32, 28, 28, 1), np.float32)
    wide[:, :, [0, -1]] = wide[:, [0, -1]] = 0
    assert damage["shrinking"](wide, 0.5).sum() == pytest.approx(wide.sum() / 4, rel=0.1)
    noisy = damage["noise"](white * 0.5, 0.1)
    assert noisy.std() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("damage", robustness.DAMAGES, ids=lambda damage: damage.name)
def test_no_strength_leaves_images_as_they_are(images, damage):
    assert damage.strengths[0] == 0 and [*damage.strengths] == sorted(damage.strengths)
    assert damage.spoil(images, 0) == pytest.approx(images, abs=1e-5)


def fixed(digit):
    """Return a model that answers one digit to anything."""
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(10, activation="softmax"))
    kernel, bias = model.get_weights()
    model.set_weights([kernel * 0, bias + 9 * np.eye(10)[digit]])
    return model


def test_each_model_is_judged_under_each_damage(images):
    labels = np.arange(32) % 4
    found = robustness.robustness({"three": fixed(3)}, images, labels)
    assert len(found) == sum(len(damage.strengths) for damage in robustness.DAMAGES)
    assert {row["accuracy"] for row in found} == {0.25} and found[0]["model"] == "three"


def test_what_is_no_digit():
    shown = no_digits()
    assert {kind: len(images) for kind, images in shown.items()} == {
        "letters": 44,
        "noise": 500,
        "blank page": 1,
    }
    assert shown["letters"].max() == 1 and not shown["blank page"].any()
    assert shown["noise"].mean() == pytest.approx(0.5, abs=0.01)


@pytest.fixture(scope="module")
def learner():
    """A learner whose teacher has seen nothing, and does little."""
    keras.utils.set_random_seed(1)
    recipe = models.Recipe(models.cnn, options={"filters": (8, 8, 8), "units": 16})
    return transfer.Learner(recipe.build(), recipe, seed=1, share=1.0)


def test_each_digit_gets_equally_many_labels_of_the_pool(learner):
    rows = learner.draw(3, 0)
    assert np.bincount(learner.labels[rows]).tolist() == [3] * 10 and rows.max() < uci.TESTS.start
    assert (rows == learner.draw(3, 0)).all() and (rows != learner.draw(3, 1)).any()


def test_labels_help_and_each_training_begins_anew(learner):
    found = learner.compare((10,), draws=2)
    scores = {row["method"]: row["accuracy_mean"] for row in found}
    assert set(scores) == set(transfer.Way)
    assert scores["as it is"] < 0.3 < 0.35 < scores["frozen features"]
    assert scores["from scratch"] > 0.2
    rows = learner.draw(10, 0)
    again = [learner.score(transfer.Way.SCRATCH, rows) for _ in range(2)]
    assert again[1] == pytest.approx(again[0], abs=0.15)  # dropout differs


def test_training_is_told_line_by_line(monkeypatch):
    told = []
    monkeypatch.setattr(live.DisplayHandle, "display", lambda self, shown: told.append(shown.data))
    monkeypatch.setattr(live.DisplayHandle, "update", lambda self, shown: told.append(shown.data))
    monkeypatch.setattr(live, "SECONDS", -1)
    chart = live.LiveChart("cnn")
    chart.set_params({"epochs": 3})
    chart.on_train_begin()
    for epoch, logs in enumerate([{"val_accuracy": 0.9}, {}, {"val_accuracy": 0.95}]):
        chart.on_epoch_begin(epoch)
        chart.on_epoch_end(epoch, logs)  # validation is not read after each
    chart.on_train_end()
    lines = [text for text in told if isinstance(text, str) and text]
    assert lines[:2] == ["**cnn** starts", "**cnn**, epoch 1 of 3: validation accuracy 90.00%"]
    assert lines[-1].startswith("**cnn**: 3 epochs in 0 s, validation accuracy 95.00%")
    pictures = [shown for shown in told if isinstance(shown, bytes)]
    assert len(pictures) == 2 and pictures[0].startswith(b"\x89PNG")


def test_tables_tell_of_runs_and_of_kept_trainings(begin):
    kept, study = summary.kept("cnn")[1], begin()
    study.dataset = {"test": 10_000}
    metrics = {"cnn": kept | {"epochs": 14}}
    table = tables.results(metrics, study)
    assert table.loc["cnn", "parameters"] == "238,402"
    assert table.loc["cnn", "test (95% over images)"].startswith(f"{kept['test_accuracy']:.2%} (")
    assert table.loc["cnn", "against the kept record"] == "the same weights"
    study.notice = "not the full study"
    assert "against the kept record" not in tables.results(metrics, study).columns
    over = tables.over_seeds(["cnn", "classic_mlp"])
    assert over.loc["classic_mlp", "training time, plain recipe = 1"] == "1.0"
    assert over.loc["cnn", "seeds"] == 5
    assert tables.marks().loc["99.50%", "reached"] == "no"
    assert set(tables.choices().index) == {"rows in turn", "no patches"}
    people = tables.populations(["cnn"])
    assert people.loc["cnn", "ratio, 95% interval"].startswith("1.9 (")
    study.close()
