"""The figures, drawn from made-up results, so that all that they must show is known."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from digit_reader.reading import Reading
from mnist_study import figures, models, paths, results
from mnist_study.backend import keras
from mnist_study.evaluate.robustness import CORRUPTIONS, Corruption
from mnist_study.experiments import ABLATION, TITLES
from mnist_study.figures import limits, style
from mnist_study.notebook.hidden_units import Unit

FIGURES = sorted({*figures.__all__} - {"Shown", "gallery"})
IMAGES, LABELS = np.zeros((10_000, 28, 28), np.uint8), np.arange(10_000) % 10
BLANK = np.zeros((640, 28, 28, 1), np.float32)
HISTORY = {"accuracy": [0.9, 0.99], "val_accuracy": [0.95, 0.98]}
HISTORY |= {"loss": [0.5, 0.2], "val_loss": [0.3, 0.4]}
KINDS = [corruption.name for corruption in CORRUPTIONS]
TOLERANCES = {name: [1.0] * 7 + [2.0] * 3 for name in results.EVALUATED}
TOLERANCES[results.OURS] = [2.0] * 7 + [1.0] * 3
RATIOS = {"trained_on_students": 1.1, "trained_on_census": 7.7, "trained_on_both": 2.5}
GROUPS = {"students": {"errors": 20, "n": 1_000, "ci95": [0.01, 0.04]}}
GROUPS |= {"census": {"errors": 4, "n": 2_000, "ci95": [0.001, 0.003]}}
PREDICTED = np.tile(LABELS, (2, 1))  # of two seeds, both wrong about the contested digit 947
PREDICTED[[0, 1, 0, 1, 1], [947, 947, 940, 941, 1621]] = 3


def change(before, after):
    """Three uncertain changes, six improvements, an increase; of neighbours in this order only."""
    place = ABLATION.index(after)
    assert ABLATION[place - 1] == before
    value = 0.2 if after == ABLATION[-1] else -place / 100
    return SimpleNamespace(value=value, low=value - 0.03, high=value + 0.03, certain=place > 3)


def misclassified(name):
    """Two seeds' errors: the first test digits, more the later the experiment in the table."""
    return np.arange(10_000) < 100 + 10 * [*TITLES].index(name) + np.array([[0], [20]])


MADE_UP = {
    "change": change,
    "misclassified": misclassified,
    "predictions": lambda name, labels: PREDICTED,
    "hard_digits": lambda: np.arange(940, 956),
    "subgroups": lambda name: GROUPS | {"ratio": RATIOS[name]},
    "relative_times": lambda name: [1.0, 1.0 + ABLATION.index(name)],
    "uncertainty": lambda name: np.tile(np.linspace(0.5, 0.0001, 10_000), (2, 1)),
    "over_seeds": lambda name, *path: {"mean": {"coverage": 0.95, "error": 0.002}[path[-1]]},
    "tolerance": lambda name: dict(zip(KINDS, TOLERANCES[name], strict=True)),
    "first_failing": lambda name: dict.fromkeys(KINDS, 4) | {"shear": None},
    "times": lambda: [(n, "", 0.99 - abs(i - 6) / 99, 9 + i) for i, n in enumerate(results.TIMED)],
}
NUMBERS = {  # ends of titles
    "mean_digits": "has a test accuracy of 82.5%",
    "one_step": "takes the probability of 5 from 10% to 28%",
    "descent": "2 steps of gradient descent take the loss from 2.30 to 0.40",
    "learning_curves": "Training accuracy ends at 99.00%, validation accuracy at 98.00%",
    "network": "18,240 parameters turn a digit into ten probabilities",
    "ablation": "6 of 10 steps clearly reduce errors; grey ones may have no effect",
    "time_to_accuracy": "middle is the most accurate of this study: 99.00% in 15 seconds",
    "answers": "2 networks misclassify 2 of these 16 hard digits on average",
    "confusion": "cnn makes 3 errors, at most 2 of a kind",
    "label_errors": "2 networks misclassify 1 to 2 of these 15 digits with contested labels",
    "subgroups": "Trained on half of each, the network errs 2.5 times as often on students' digits",
    "calibration": "Abstaining on 5.0% of the digits leaves an error rate of 0.200%",
    "corrupted": "lower dense_dropout's accuracy below 95%; shear never does",
    "robustness": "tolerates 7 of 10 corruptions better than baseline_mlp, 3 worse",
    "transfer": "frozen features classify 90.0% of UCI's digits correctly",
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
    dense = models.dense_dropout(widths=(30, 20), local_init=False)
    learned = {"method": "frozen features", "examples_per_class": 10, "accuracy_sd": 0.01}
    arguments = {"samples": (IMAGES, LABELS, writers), "mean_digits": (np.zeros((10, 784)), 0.825)}
    arguments |= {"one_step": (np.zeros(784), before, after, 5), "descent": ([2.3, 1.0, 0.4],)}
    arguments |= {"weights": (np.linspace(-1, 2, 7_840).reshape(784, 10),)}
    arguments |= {"learning_curves": ("cnn", HISTORY, "accuracy"), "augmentations": (BLANK[0], 1)}
    arguments |= {"hidden_units": ([Unit(np.eye(28), np.ones((9, 28, 28)), 7, 9)],)}
    arguments |= {"network": (dense, BLANK[0]), "confusion": (LABELS, predicted, "cnn")}
    arguments |= {
        "puzzle": (IMAGES,),
        "answers": (IMAGES, LABELS),
        "label_errors": (IMAGES, LABELS),
    }
    arguments |= {"most_sampled": (IMAGES, LABELS, np.arange(10_000.0))}
    arguments |= {"corrupted": (marked_four(), BLANK[:32], np.full(32, 3))}
    arguments |= {"transfer": ([learned | {"accuracy_mean": 0.9}],)}
    arguments |= {"recognition": (np.full((40, 60), 255, np.uint8), Reading("photo", []))}
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
    names = {shown.name for shown in made.values()} | {"loss_plot.png"}
    assert names == {path.name for path in (paths.ROOT / "visualizations").glob("*.png")}
    recorded = ["ablation", "answers", "calibration", "label_errors", "puzzle", "robustness"]
    recorded += ["subgroups", "time_to_accuracy"]
    assert [name for name in FIGURES if made[name].recorded] == recorded


def test_training_values_stand_half_an_epoch_early(made):
    dashed, solid = made["learning_curves"].figure.axes[0].lines
    assert dashed.get_xdata().tolist() == [0.5, 1.5] and solid.get_xdata().tolist() == [1, 2]
    assert solid.get_ydata() == pytest.approx([0.05, 0.02], abs=1e-4)
    long = {"accuracy": [0.9] * 40, "val_accuracy": [0.95] * 20, "loss": [1.0] * 40}
    dashed, solid = figures.learning_curves("cnn", long, "accuracy").figure.axes[0].lines
    assert dashed.get_xdata()[-1] == 39.5 and solid.get_xdata().tolist() == [*range(2, 41, 2)]


def test_only_a_rising_validation_loss_is_called_overfitting():
    rising = figures.learning_curves("cnn", HISTORY, "loss").title
    assert rising.startswith("Overfitting: the") and rising.endswith("1 (0.300) and ends at 0.400")
    smoothed = {"categorical_crossentropy": [3, 2.0], "val_categorical_crossentropy": [2, 1.5]}
    shown = figures.learning_curves("cnn", HISTORY | smoothed, "loss")
    assert shown.title.startswith("The validation loss is smallest after epoch 2 (1.500)")
    assert shown.figure.axes[0].lines[0].get_ydata().tolist() == [3, 2]


def test_a_model_has_one_colour(made):
    own = [style.colour(name) for name in ("mine", "yours", "mine")]
    assert own[0] == own[2] != own[1] and not {*own} & {*style.COLOURS.values()}
    assert len({*style.COLOURS.values()}) == len(style.COLOURS)
    lines = [*made["calibration"].figure.axes[1].lines[:3]]
    lines += made["learning_curves"].figure.axes[0].lines
    shades = [line.get_color() for line in lines]
    labels = made["time_to_accuracy"].figure.axes[0].texts
    shades += [label.get_color() for label in labels]
    names = [*results.EVALUATED, "cnn", "cnn", *(label.get_text() for label in labels)]
    assert shades == [style.COLOURS[name] for name in names]


def test_errors_are_shown_as_accuracies_better_ones_higher(made):
    [axis] = made["time_to_accuracy"].figure.axes
    labels = [axis.yaxis.get_major_formatter()(tick, 0) for tick in axis.get_yticks()]
    assert axis.get_ylim() == (0.12, 0.0028)
    assert labels == ["90%", "95%", "98%", "99%", "99.5%"]


def test_each_ablation_step_is_compared_with_the_one_before(made):
    [axis] = made["ablation"].figure.axes
    assert axis.yaxis_inverted()
    names = [label.get_text() for label in axis.get_yticklabels()]
    epochs = {"dense_dropout": "dense_dropout (50 epochs)"}
    assert names == [(TITLES | epochs)[name] for name in ABLATION]
    assert texts_of(axis)[:5] == ["120", "1.0×", "110", "1.5×", "−1% (−4 to +2)"]
    assert texts_of(axis)[-6:-3] == ["280", "6.0×", "+20% (+17 to +23)"]
    assert [[*line.get_xdata()] for line in axis.lines[:4:2]] == [[110, 130], [100, 120]]
    shades = [style.COLOURS["softmax_regression"], *[style.GREY] * 3]
    shades += [style.COLOURS["dense_dropout"]] * 7
    assert [line.get_color() for line in axis.lines[1::2]] == shades


def test_labels_of_recorded_times_do_not_overlap(monkeypatch):
    means = {n: {"mean": np.mean(results.values(n, "test_accuracy"))} for n in results.TIMED}
    monkeypatch.setattr(results, "accuracy", means.get)  # its interval would take seconds
    [axis] = figures.time_to_accuracy().figure.axes
    axis.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axis.texts]
    assert len(boxes) == len(results.MODELS)
    assert not any(box.overlaps(other) for i, box in enumerate(boxes) for other in boxes[:i])
    assert all(axis.bbox.x0 <= box.x0 and box.x1 <= axis.bbox.x1 for box in boxes)


@pytest.mark.parametrize(("marked", "error"), [(318, "3 → 4"), (320, "none of 320")])
def test_a_corrupted_digit_is_the_first_that_becomes_an_error(monkeypatch, marked, error):
    def mark(images, strength):
        images = images.copy()
        images[marked:, 11, 8] = strength / 2
        images[marked : marked + 1, 11, 8] = strength  # the first differs from the others
        return images

    inputs = BLANK.copy()
    inputs[5, 11, 8] = 1  # an error already, so it is none of the corruption's
    monkeypatch.setattr(limits, "CORRUPTIONS", [Corruption("blur, pixels", mark, (0, 0.5, 0.75))])
    monkeypatch.setattr(results, "first_failing", lambda name: {"blur, pixels": 0.5})
    axis = figures.corrupted(marked_four(), inputs, np.full(640, 3)).figure.axes[0]
    assert axis.get_title() == f"blur\n0.5 pixels\n{error}"
    assert axis.images[0].get_array()[11, 8] == (0.5 if marked == 318 else 0)


def test_calibration_halves_the_digits_and_risk_counts_the_certain_ones(made):
    left, right = made["calibration"].figure.axes
    assert texts_of(left) == ["156", "78", "78", "no errors among the other 19,688"]
    points = [line.get_xydata()[0] for line in left.lines[:3]]
    assert [rate for _, rate in points] == pytest.approx([104 / 156, 1, 1])  # of 120 and 140 errors
    assert points[2][0] == pytest.approx(0.5 - 19 * 0.4999 / 9_999)  # the mean of the first 39
    assert right.lines[1].get_ydata()[10_000] == style.NEARLY_NONE  # certain digits come first
    assert right.lines[1].get_xydata()[-1] == pytest.approx([1, 0.013 + style.NEARLY_NONE])
    assert right.lines[3].get_xydata()[0] == pytest.approx([0.95, 0.002 + style.NEARLY_NONE])


def test_subgroups_and_corruptions_show_their_numbers(made):
    [axis] = made["subgroups"].figure.axes
    assert [line.get_xdata().tolist() for line in axis.lines] == [[2] * 3, [0.2] * 3]  # percent
    assert [line[:, 0].tolist() for line in axis.collections[0].get_segments()] == [[1, 4]] * 3
    assert texts_of(axis) == ["2.00%"] * 3 + ["0.20%"] * 3
    cells = np.reshape(texts_of(made["robustness"].figure.axes[0]), (3, 10))
    assert cells[:, 3].tolist() == ["≥ 1", "≥ 2", "≥ 1"] and cells[:, 9].tolist() == ["2", "1", "2"]
    assert titles_of(made["corrupted"])[0] == "rotation\n4 degrees\nnone of 32"
    assert titles_of(made["corrupted"])[3] == "shear\n0.8 \nnone of 32"


def test_digits_stand_under_their_labels(made):
    matrix = texts_of(made["confusion"].figure.axes[0])
    assert sorted(matrix) == sorted(["1", "2", "998", "999", *["1000"] * 8])
    answers = titles_of(made["answers"])
    assert answers[0] == "1: label 0\n1× 0, 1× 3" and answers[7] == "8: label 7?\nall predict 3"
    assert titles_of(made["label_errors"])[:3] == ["7\n0 of 2", "1\n1 of 2", "1\n2 of 2"]
    assert titles_of(made["most_sampled"])[:2] == ["label 9", "label 8"]
    few = IMAGES[:1_000], LABELS[:1_000]
    assert figures.puzzle(few[0]) is figures.answers(*few) is figures.label_errors(*few) is None


def test_networks_show_weights_units_and_layers(made):
    assert {a.images[0].get_clim() for a in made["weights"].figure.axes} == {(-2, 2)}  # zero: white
    assert made["hidden_units"].figure.axes[0].get_title(loc="left") == "for 7, against 9"
    layers = [axis.get_xlabel() for axis in made["network"].figure.axes]
    assert titles_of(made["network"]) == ["28×28", "24×24", "30", "20", "10"]
    assert layers[2] == "dense, batch norm., ReLU\n17,370 parameters"
    assert layers[4] == "dense, softmax\n210 parameters"
    assert figures.network(models.cnn(filters=(2, 2, 2), units=2), BLANK[0]) is None
