"""The figures, drawn from made-up results, so that all that they must show is known."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from digit_reader.reading import Certainty, Digit, Reading
from mnist_study import figures, models, paths, results
from mnist_study.backend import keras
from mnist_study.evaluate.hidden_units import Unit
from mnist_study.evaluate.mnist_c import CORRUPTIONS, FAMILIES
from mnist_study.evaluate.robustness import CORRUPTIONS as GRADED
from mnist_study.experiments import ABLATION, TITLES
from mnist_study.figures import style
from mnist_study.figures.dense import STEPS

FIGURES = sorted({*figures.__all__} - {"Shown", "gallery"})
IMAGES, LABELS = np.zeros((10_000, 28, 28), np.uint8), np.arange(10_000) % 10
BLANK = np.zeros((640, 28, 28, 1), np.float32)
HISTORY = {"accuracy": [0.9, 0.99], "val_accuracy": [0.95, 0.98]}
HISTORY |= {"loss": [0.5, 0.2], "val_loss": [0.3, 0.4]}
RATIOS = {"softmax_regression": 1.4, "baseline_mlp": 2.4, "dense_dropout": 3.1, "cnn": 2}
GROUPS = {"students": {"errors": 20, "n": 1_000, "ci95": [0.01, 0.04]}}
GROUPS |= {"census": {"errors": 4, "n": 2_000, "ci95": [0.001, 0.003]}}
PREDICTED = np.tile(LABELS, (2, 1))  # of two seeds, both wrong about the contested digit 947
PREDICTED[[0, 1, 0, 1, 1], [947, 947, 940, 941, 1621]] = 3
ERRORS = {"baseline_mlp": 0.3, "dense_clean": 0.25, "dense_dropout": 0.02, "cnn": 0.01}


def changes():
    """Three uncertain changes, six improvements, an increase."""
    values = [-place / 100 for place in range(1, len(ABLATION) - 1)] + [0.2]
    return {
        name: SimpleNamespace(value=v, low=v - 0.03, high=v + 0.03, certain=v < -0.03 or v > 0)
        for name, v in zip(ABLATION[1:], values, strict=True)
    }


def misclassified(name):
    """Two seeds' errors: the first test digits, more the later the experiment in the table."""
    return np.arange(10_000) < 100 + 10 * [*TITLES].index(name) + np.array([[0], [20]])


def left_out():
    """Two families that others help against, and four that they do not."""
    others = dict(zip(FAMILIES, (0.1, 0.2, 0.5, 0.5, 0.5, 0.5), strict=True))
    none = dict.fromkeys(FAMILIES, 0.4) | {"geometry": None}
    return {
        f: SimpleNamespace(
            all=[0.02, 0.03],
            others=[r, r],
            none=none[f] and [none[f]] * 2,
            helps=bool(none[f]) and r < none[f],
        )
        for f, r in others.items()
    }


MADE_UP = {
    "ablation_changes": changes,
    "misclassified": misclassified,
    "predictions": lambda name, labels: PREDICTED,
    "hard_digits": lambda: np.arange(940, 956),
    "subgroups": lambda name: GROUPS | {"ratio": RATIOS[name]},
    "each": lambda name: [{}, {}],
    "uncertainty": lambda name: np.tile(np.linspace(0.5, 0.0001, 10_000), (2, 1)),
    "over_seeds": lambda name, *path: {"mean": {"coverage": 0.95, "error": 0.002}[path[-1]]},
    "corrupted_accuracy": lambda name: {c.name: np.ones(len(c.strengths)) for c in GRADED},
    "mnist_c": lambda name, key="": dict.fromkeys([*CORRUPTIONS, "all"], [ERRORS[name]] * 2),
    "left_out": left_out,
}
NUMBERS = {  # ends of titles
    "mean_digits": "The nearest mean has a validation accuracy of 82%",
    "one_step": "raises the probability of 5 from 0.100 to 0.280",
    "descent": "Gradient descent lowers the mean loss from 2.30 to 0.40",
    "learning_curves": "cnn: the validation loss is lowest at epoch 1, then rises by 33%",
    "ablation": "6 of 10 steps significantly reduce the test errors",
    "answers": "2 networks misclassify 2 of these 16 hard digits on average",
    "confusion": "cnn makes 3 errors, at most 2 for one pair of digits",
    "label_errors": "fewer than three of five people agree with these 15 labels",
    "subgroups": "misclassified 1.4 to 3.1 times as often as Census employees'",
    "calibration": "Abstaining on 5.0% of the digits leaves an error rate of 0.20%",
    "mnist_c_errors": "Training with corruptions lowers the mean error from 25% to 2.0%",
    "families": "helps against 2 of 5 families of corruptions left out of training",
    "transfer": "frozen features classify 90.0% of UCI's digits correctly",
    "recognition": "The digit recogniser finds 1 digits and leaves the squares out",
}


def marked_four():
    """Return a model that predicts 3, but 4 where a certain pixel has ink."""
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")]
    model, kernel = keras.Sequential(layers), np.zeros((784, 10), np.float32)
    kernel[28 * 11 + 8, 4] = 99
    model.set_weights([kernel, 9 * np.eye(10, dtype=np.float32)[3]])
    return model


@pytest.fixture(scope="module", autouse=True)
def made():
    """All figures by the function that makes them."""
    writers = np.where(np.arange(10_000) < 5_000, "students", "Census")
    before, after, predicted = np.full(10, 0.1), np.full(10, 0.08), LABELS.copy()
    after[5], predicted[[0, 10, 21]] = 0.28, 9
    path = [np.zeros((784, 10)), np.eye(784, 10), 2 * np.eye(784, 10) + 0.1]
    learned = {"method": "frozen features", "examples_per_class": 10, "accuracy_sd": 0.01}
    units = (np.array([1.0, 0.5]), np.array([0.7, 0.0, 0.6]), np.array([0.6, 0.4]))
    slopes = (None, np.array([-0.58, 0.0, 0.39]), np.array([-0.39, 0.39]))
    found = Digit(7, 0.9, 1, Certainty.SURE, [0.1] * 10, (0.1, 0.2, 0.5, 0.6), BLANK[0, ..., 0])
    arguments = {"samples": (IMAGES, LABELS, writers), "mean_digits": (np.zeros((10, 784)), 0.82)}
    arguments |= {"one_step": (np.zeros(784), before, after, 5), "pixels": (IMAGES[0], 5)}
    arguments |= {"descent": ([2.3, 1.0, 0.4], lambda w: float((w**2).sum() + 1), path)}
    arguments |= {"weights": (np.linspace(-1, 2, 7_840).reshape(784, 10),)}
    weights = np.array([[0.5, -1, 0.2], [0.4, 0.6, 0.8]]), np.ones((3, 2))
    arguments |= {"backpropagation": (units, slopes, weights)}
    arguments |= {"learning_curves": ("cnn", HISTORY), "augmentations": (1 - BLANK[0], 1)}
    arguments |= {"one_curve": ("cnn", HISTORY, "accuracy"), "schedule": (lambda step: step, 90)}
    arguments |= {"hidden_units": ([Unit(np.eye(28), np.ones((9, 28, 28)), 7, 9)],)}
    small = models.cnn(filters=(9, 2, 2), units=2)
    arguments |= {"sliding_filter": (small, BLANK[0]), "confusion": (LABELS, predicted, "cnn")}
    arguments |= {"puzzle": (IMAGES,), "answers": (IMAGES, LABELS)}
    arguments |= {"label_errors": (IMAGES, LABELS)}
    arguments |= {"most_sampled": (IMAGES, LABELS, np.arange(10_000.0))}
    arguments |= {"corrupted": (marked_four(), marked_four(), BLANK, np.full(640, 3))}
    arguments |= {"transfer": ([learned | {"accuracy_mean": 0.9}],)}
    arguments |= {"recognition": (np.full((40, 60), 255, np.uint8), Reading("photo", [found]))}
    with pytest.MonkeyPatch.context() as patch, plt.rc_context({"figure.max_open_warning": 0}):
        for name, made_up in MADE_UP.items():
            patch.setattr(results, name, made_up)
        drawn = {name: getattr(figures, name)(*arguments.get(name, ())) for name in FIGURES}
    yield drawn
    plt.close("all")


def titles_of(shown):
    return [axis.get_title() for axis in shown.figure.axes]


def texts_of(axis):
    return [text.get_text() for text in axis.texts if text.get_visible()]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_its_texts_and_labelled_axes(made, name):
    shown = made[name]
    assert shown.title.endswith(NUMBERS.get(name, "")) and 20 < len(shown.title) < 100
    assert len(shown.alt) > 20 and to_hex(shown.figure.get_facecolor()) == "#ffffff"
    for axis in shown.figure.axes:
        ticks = "".join(label.get_text() for label in axis.get_yticklabels())
        assert axis.get_xlabel() or not len(axis.get_xticks())
        assert axis.get_ylabel() or not len(axis.get_yticks()) or any(map(str.isalpha, ticks))


def test_the_files_are_those_of_the_notebook(made):
    names = {shown.name for shown in made.values()} | {"loss_plot.png", "baseline_curves.png"}
    assert names == {path.name for path in (paths.ROOT / "visualizations").glob("*.png")}
    recorded = ["ablation", "answers", "calibration", "families", "label_errors", "mnist_c_errors"]
    recorded += ["puzzle", "robustness", "subgroups"]
    assert [name for name in FIGURES if made[name].recorded] == recorded


def test_letters_are_legible_on_a_phone(made):
    for name, shown in made.items():
        assert shown.figure.get_figwidth() <= style.WIDTH, name
        texts = [text for axis in shown.figure.axes for text in (*axis.texts, axis.title)]
        sizes = [text.get_fontsize() for text in texts if text.get_text() and text.get_visible()]
        assert not sizes or min(sizes) >= 7, name


def test_training_values_stand_half_an_epoch_early_and_the_minimum_is_marked(made):
    dashed, solid, mark = made["learning_curves"].figure.axes[0].lines
    assert dashed.get_xdata().tolist() == [0.5, 1.5] and solid.get_xdata().tolist() == [1, 2]
    assert solid.get_ydata().tolist() == [0.3, 0.4] and mark.get_xydata().tolist() == [[1, 0.3]]
    long = {"accuracy": [0.9] * 40, "val_accuracy": [0.95] * 20, "loss": [1.0] * 40}
    shown = figures.one_curve("cnn", long | {"val_loss": [1.0] * 20}, "accuracy")
    dashed, solid = shown.figure.axes[0].lines
    assert dashed.get_xdata()[-1] == 39.5 and solid.get_xdata().tolist() == [*range(2, 41, 2)]


def test_the_axes_hold_both_curves(made):
    for axis in made["learning_curves"].figure.axes:
        low, high = axis.get_ylim()
        assert all(low <= y <= high for line in axis.lines for y in line.get_ydata())


def test_only_a_rising_validation_loss_is_said_to_rise():
    smoothed = {"categorical_crossentropy": [3, 2.0], "val_categorical_crossentropy": [2, 1.5]}
    shown = figures.learning_curves("cnn", HISTORY | smoothed)
    assert shown.title == "cnn: the validation loss falls to the end"
    assert shown.figure.axes[0].lines[0].get_ydata().tolist() == [3, 2]


def test_a_model_has_one_colour(made):
    own = [style.colour(name) for name in ("mine", "yours", "mine")]
    assert own[0] == own[2] != own[1] and not {*own} & {*style.COLOURS.values()}
    assert len({*style.COLOURS.values()}) == len(style.COLOURS)
    lines = [*made["calibration"].figure.axes[1].lines[:4]]
    lines += made["robustness"].figure.axes[0].lines
    lines += made["mnist_c_errors"].figure.axes[0].lines[:4]
    assert [line.get_color() for line in lines] == 3 * [style.COLOURS[n] for n in results.EVALUATED]


def test_each_ablation_step_is_compared_with_the_one_before(made):
    [axis] = made["ablation"].figure.axes
    said = texts_of(axis)
    assert axis.yaxis_inverted() and [t.partition(":")[0] for t in said] == [
        STEPS[name] for name in ABLATION
    ]
    assert STEPS["dense_dropout"] == "+ corruptions (dense_dropout)"
    assert said[1].endswith("110 errors (−1%; −4 to +2)") and said[-1].endswith(
        "(+20%; +17 to +23)"
    )
    shades = [to_hex(bar.get_facecolor()) for bar in axis.patches]
    own = [style.COLOURS[name] for name in ABLATION if name in style.COLOURS]
    assert [shade.upper() for shade in shades[:2] + shades[-2:]] == own
    assert [s.upper() for s in shades[2:4]] == [style.GREY] * 2


def test_a_corrupted_digit_is_one_that_becomes_an_error(made):
    titles = titles_of(made["corrupted"])
    assert titles[0] == "shot noise\n3 | 3" and len(titles) == 15
    stripe = titles[[*CORRUPTIONS].index("stripe")]
    assert stripe == "stripe\n3 | 3" and titles[-1] == "canny edges\n3 | 3"


def test_reliability_counts_the_digits_and_risk_begins_with_the_certain_ones(made):
    left, right = made["calibration"].figure.axes
    counts = [int(text.replace(",", "")) for text in texts_of(left)]
    assert sum(counts) == 20_000 and len(counts) == 5  # confidence from 0.5 to 1
    heights = [bar.get_height() for bar in left.patches]
    assert heights[-1] == 1 and heights[0] == pytest.approx(1 - 260 / counts[0], abs=0.05)
    assert right.lines[1].get_ydata()[10_000] == style.NEARLY_NONE  # certain digits come first
    assert right.lines[4].get_xdata()[0] == pytest.approx(0.95)


def test_subgroups_and_families_show_their_numbers(made):
    [axis] = made["subgroups"].figure.axes
    assert [line.get_xdata()[0] for line in axis.lines] == [2] * 4 + [0.2] * 4  # percent
    assert texts_of(axis) == ["2.00%"] * 4 + ["0.20%"] * 4
    none, others, every = made["families"].figure.axes[0].lines
    assert none.get_xdata().tolist() == [40] * 10 and [*every.get_xdata()] == [2, 3] * 5
    assert others.get_xdata() == pytest.approx(np.repeat([10, 20, 50, 50, 50], 2))
    assert [*others.get_ydata()] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_digits_stand_under_their_labels(made):
    matrix = texts_of(made["confusion"].figure.axes[0])
    assert sorted(matrix) == sorted(["1", "2", "998", "999", *["1000"] * 8])
    answers = titles_of(made["answers"])
    assert answers[0] == "1: 0\n→ 3, 0" and answers[7] == "8: 7?\n→ 3"
    wrong = [axis.title.get_color() for axis in made["answers"].figure.axes[:3]]
    assert wrong == ["#D55E00", "#D55E00", "black"]
    assert titles_of(made["label_errors"])[:3] == ["7: 0 of 2", "1: 1 of 2", "1: 2 of 2"]
    assert titles_of(made["most_sampled"])[:2] == ["label 9", "label 8"]
    few = IMAGES[:1_000], LABELS[:1_000]
    assert figures.puzzle(few[0]) is figures.answers(*few) is figures.label_errors(*few) is None


def test_networks_show_weights_units_values_and_gradients(made):
    assert {a.images[0].get_clim() for a in made["weights"].figure.axes} == {(-2, 2)}  # zero: white
    first, second = made["hidden_units"].figure.axes[:2]
    assert [a.get_title(loc="left") for a in (first, second)] == ["votes for 7", "against 9"]
    said = texts_of(made["backpropagation"].figure.axes[0])
    assert {"0.70", "−0.58", "+0.39", "0.5", "−1"} <= {*said}
    assert len(said) == 12 + 7 + 5 + 3  # weights, values, gradients, names
    assert made["sliding_filter"].figure.axes[0].patches[0].get_width() == 4
    assert sum(text == "253" for text in texts_of(made["pixels"].figure.axes[0])) == 0
