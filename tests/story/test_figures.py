"""Figures, tables and damage, on values whose picture is known; and learning from few labels."""

import re

import numpy as np
import pytest
from matplotlib import pyplot as plt

from mnist_study.core import data, models
from mnist_study.core.backend import keras
from mnist_study.errors import ModelError
from mnist_study.reader import uci
from mnist_study.records import summary
from mnist_study.story import examined, figures, judged, live, tables, transfer, units
from mnist_study.story.figures import far, limits, style
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
    assert style.colour("cnn") == "#009E73"
    own = [style.colour(name) for name in ("mine", "yours", "mine")]
    assert own[0] == own[2] != own[1] and not {*own} & {*style.COLOURS.values()}


def test_a_gallery_has_a_place_for_each_image_and_its_title():
    images = np.arange(5)[:, None, None] * np.ones((5, 4, 4))
    figure = figures.gallery(images, ["one", "two"], columns=3, row_names=["a", "b"])
    assert len(figure.axes) == 6
    assert [axis.get_title() for axis in figure.axes[:3]] == ["one", "two", ""]
    assert figure.axes[3].get_ylabel() == "b" and not figure.axes[5].images
    assert (figure.axes[4].images[0].get_array() == 4).all()


def test_errors_are_shown_as_accuracies_better_ones_higher():
    _, axis = plt.subplots()
    style.error_scale(axis, 0.004, 0.06)
    assert axis.get_ylim() == (0.06, 0.004)
    labels = [axis.yaxis.get_major_formatter()(tick, 0) for tick in axis.get_yticks()]
    assert labels == ["95%", "98%", "99%", "99.5%"]


def test_one_step_and_the_way_down_say_their_numbers():
    before, after = np.full(10, 0.1), np.full(10, 0.08)
    after[5] = 0.28
    shown = figures.one_step(np.zeros(784), before, after, 5)
    assert shown.title == "One step takes this 5 from 10% to 28%"
    assert shown.figure.axes[2].patches[5].get_height() == 0.28
    assert figures.descent([2.3, 1.0, 0.4]).title.endswith("goes from 2.30 to 0.40")


def test_weights_are_shown_on_one_scale_with_zero_white():
    weights = np.zeros((784, 10), np.float32)
    weights[0, 3], weights[1, 4] = 2, -1
    scales = {axis.images[0].get_clim() for axis in figures.weights(weights).figure.axes}
    assert scales == {(-2, 2)}


def test_training_is_half_an_epoch_early_and_accuracy_shown_as_error():
    history = {"accuracy": [0.9, 0.99], "val_accuracy": [0.95, 0.98]}
    history |= {"loss": [0.5, 0.2], "val_loss": [0.3, 0.4]}
    shown = figures.learning_curves("cnn", history, "accuracy")
    dashed, solid = shown.figure.axes[0].lines
    assert dashed.get_xdata().tolist() == [0.5, 1.5] and solid.get_xdata().tolist() == [1, 2]
    assert solid.get_ydata() == pytest.approx([0.05, 0.02], abs=1e-4)
    assert "least at 0.300, ends at 0.400" in figures.learning_curves("cnn", history, "loss").title
    smoothed = history | {"categorical_crossentropy": [0.3, 0.1]}
    smoothed |= {"val_categorical_crossentropy": [0.25, 0.15]}
    dashed, _ = figures.learning_curves("cnn", smoothed, "loss").figure.axes[0].lines
    assert dashed.get_ydata().tolist() == [0.3, 0.1]


def test_validation_stands_at_the_epochs_after_which_it_was_read():
    history = {"accuracy": [0.9] * 40, "val_accuracy": [0.95] * 20, "loss": [1.0] * 40}
    dashed, solid = figures.learning_curves("cnn", history, "accuracy").figure.axes[0].lines
    assert dashed.get_xdata()[-1] == 39.5 and solid.get_xdata().tolist() == [*range(2, 41, 2)]


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
    [strongest, next_one] = units.strongest(model, inputs, 2)
    assert (strongest.votes, strongest.opposes) == (7, 2) and strongest.weights[0, 0] == 1
    assert strongest.exciting[0][0, 0] == 19 and next_one.weights[0, 1] == 1
    shown = figures.hidden_units([strongest, next_one])
    assert shown.figure.axes[0].get_title(loc="left") == "for 7, against 2"


def test_the_network_is_drawn_stage_by_stage_with_all_its_parameters():
    model = models.registry["dense_dropout"].build()
    found = far.stages(model, np.zeros((28, 28, 1), np.float32))
    assert [values.shape for _, values in found] == [(28, 28), (24, 24), (2048,), (256,), (10,)]
    counts = [int(led.split("\n")[1].split()[0].replace(",", "")) for led, _ in found[2:]]
    assert sum(counts) == model.count_params()
    shown = figures.network(model, np.zeros((28, 28, 1), np.float32))
    assert [axis.get_title() for axis in shown.figure.axes][-3:] == ["2,048", "256", "10"]
    cnn = models.registry["cnn"].build()
    assert figures.network(cnn, np.zeros((28, 28, 1), np.float32)) is None


def test_the_ladder_shows_each_seed_and_each_step_s_interval():
    shown, rungs = figures.ladder(), summary.ladder()
    axis = shown.figure.axes[0]
    dots, mean = axis.lines[2 * 8 : 2 * 8 + 2]
    assert sorted(dots.get_xdata()) == sorted(10_000 * np.array(rungs[8]["test_errors"]))
    assert mean.get_xdata()[0] == pytest.approx(np.mean(dots.get_xdata()))
    texts = [text.get_text() for text in axis.texts]
    low, high = rungs[4]["ci95"]
    change = f"{rungs[4]['change']:+.0%} ({100 * low:+.0f} to {100 * high:+.0f})"
    assert change.replace("-", "−") in texts
    for rung in rungs[2:]:
        assert (rung["name"].removeprefix("+ ") in shown.title) == (rung["ci95"][1] < 0)


def test_the_times_name_four_models_and_labels_do_not_overlap():
    axis = figures.time_to_accuracy().figure.axes[0]
    axis.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axis.texts]
    named = ["softmax_regression", "classic_mlp", "dense_dropout", "cnn"]
    assert [text.get_text() for text in axis.texts] == named
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(axis.bbox.x0 <= box.x0 and box.x1 <= axis.bbox.x1 for box in boxes)


def test_confusions_are_counted_and_zeros_left_out():
    labels = np.repeat(np.arange(10), 10)
    readings = np.where(np.arange(100) < 3, 9, labels)
    shown = figures.confusion(labels, readings, "cnn")
    texts = [t.get_text() for t in shown.figure.axes[0].texts if t.get_visible()]
    assert sorted(texts) == sorted(["3", "7"] + ["10"] * 9)
    assert shown.title == "3 mistakes of cnn, at most 3 of a kind"
    found = examined.mistakes(labels, readings)
    assert found["hardest"] == {"digit": 0, "recall": 0.7} and found["labels"]["contested"] == 0


def test_the_hard_digits_are_misread_disputed_and_doubted():
    rows = judged.hard_rows()
    assert len(set(rows)) == 16 and sorted(rows) == rows.tolist()
    wrong = summary.wrong("dense_dropout").mean(0)
    settled = np.setdiff1d(rows, data.CONTESTED)
    assert len(settled) == 12 and (wrong[settled] == 0).sum() == 5
    assert (wrong[settled] > 0.5).sum() == 7
    images, labels = np.zeros((10_000, 28, 28), np.uint8), np.zeros(10_000, np.uint8)
    few = images[:1_000], labels[:1_000]
    assert figures.puzzle(few[0]) is figures.answers(*few) is figures.contested(*few) is None
    titles = [axis.get_title() for axis in figures.answers(images, labels).figure.axes]
    assert [int(title.split(":")[0]) for title in titles] == [*range(1, 17)]
    assert sum("?" in title for title in titles) == 4


def test_a_damage_is_borne_up_to_where_95_percent_are_read(monkeypatch):
    found = {d.name: np.linspace(1, 0.9, len(d.strengths)) for d in robustness.DAMAGES}
    found["blur, pixels"] = np.array([0.99, 0.98, 0.97, 0.93, 0.5, 0.2])
    found["shear"] = np.full(5, 0.99)
    monkeypatch.setattr(judged, "under_damage", lambda name: found)
    borne, breaking = judged.borne("cnn"), judged.breaking("cnn")
    assert borne["blur, pixels"] == pytest.approx(1.25) and breaking["blur, pixels"] == 1.5
    assert borne["shear"] == 0.8 and breaking["shear"] is None


def test_what_the_kept_trainings_say_of_doubt_agrees_with_their_records():
    for result, students, census in zip(
        judged.results("dense_dropout"), *judged.handed_over().values(), strict=True
    ):
        under = (5_001 * students + 4_999 * census) / 10_000
        assert under == pytest.approx(1 - result["doubts"]["coverage"], abs=2e-3)
    times = judged.errors_times("dense_dropout", "uci")["mean"]
    assert times > judged.errors_times("dense_dropout", "small")["mean"] > 1
    axes = figures.trust().figure.axes
    counts = [int(re.sub(r"\D", "", text.get_text())) for text in axes[0].texts]
    assert sum(counts) == 50_000
    star = next(line for line in axes[1].lines if line.get_label() == "dense_dropout's threshold")
    coverage = judged.over_seeds("dense_dropout", "doubts", "coverage")["mean"]
    assert star.get_xdata() == pytest.approx([coverage])


def test_who_is_misread_shows_rates_within_their_intervals():
    shown = figures.who()
    bars, dots = shown.figure.axes[0].lines[::2], shown.figure.axes[0].lines[1::2]
    assert len(bars) == len(dots) == 6
    for bar, dot in zip(bars, dots, strict=True):
        low, high = bar.get_xdata()
        assert low < dot.get_xdata()[0] < high
    rate = 100 * summary.populations("taught_by_census")["students"]["errors"] / 5_001
    assert dots[0].get_xdata()[0] == pytest.approx(rate)


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
    with pytest.raises(ModelError, match="cnn is trained already: run the cell that makes it"):
        chart.on_train_begin()  # it would train on, and pass for a first training


def test_tables_tell_of_runs_and_of_kept_trainings(begin):
    kept, study = summary.kept("cnn")[1], begin()
    study.dataset = {"test": 10_000}
    metrics = {"cnn": kept | {"epochs": 14}}
    table = tables.results(metrics, study)
    assert table.loc["cnn", "parameters"] == "238,402"
    assert table.loc["cnn", "test (95% over images)"].startswith(f"{kept['test_accuracy']:.2%} (")
    assert tables.against_kept(metrics, study).loc["cnn", "kept record"] == "the same weights"
    study.notice = "not the full study"
    assert tables.against_kept(metrics, study).empty
    over = tables.over_seeds(["cnn", "classic_mlp"])
    assert over.loc["classic_mlp", "training time, plain recipe = 1"] == "1.0"
    assert over.loc["cnn", "seeds"] == 5
    assert tables.reader().loc["UCI's digits", "digit_reader"].startswith("98.87% (")
    assert tables.settings().loc["epochs", "the study's"] == "50"
    found = tables.nonsense({"letters": {"images": 44, "sure": 0.25}})
    assert found.loc["letters", "passed as digits"] == 11
    study.close()


def test_a_damaged_digit_is_one_that_the_damage_costs(images):
    labels = np.full(32, 3)
    whole = np.zeros((32, 28, 28, 1), np.float32)
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
    kernel = np.zeros((784, 10), np.float32)
    kernel[28 * 11 + 8, 4] = 99  # ink there makes a 4 of the 3
    model.set_weights([kernel, 9 * np.eye(10, dtype=np.float32)[3]])
    spoilt = whole.copy()
    spoilt[5] = images[5]
    image, said = limits.first_broken(model, spoilt, whole, labels)
    assert said == "3 → 4" and image[11, 8] == 1


def test_transfer_s_title_tells_of_frozen_features():
    rows = [
        {"method": way, "examples_per_class": n, "accuracy_mean": 0.9, "accuracy_sd": 0.01}
        for n in (1, 10)
        for way in transfer.Way
    ]
    shown = figures.transfer(rows)
    assert shown.title == "Ten labels of each digit and frozen features read 90.0% of UCI's digits"
    labels = [label.get_text() for label in shown.figure.axes[0].get_xticklabels()]
    assert labels == ["1", "10"]
