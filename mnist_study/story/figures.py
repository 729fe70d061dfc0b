"""The study's figures, beyond those that a few lines in the notebook draw."""

import io
import math
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import PIL.Image
import sklearn.calibration
import sklearn.metrics
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from mnist_study.arrays import Answers, Labels
from mnist_study.core.training import History, judged_epochs
from mnist_study.records.calibration import risk_coverage
from mnist_study.records.summary import Summary

PUBLISHED = pathlib.Path(__file__).with_name("published.csv")  # results of others, with sources
COLOURS = {"softmax_regression": "#CC79A7", "classic_mlp": "#D55E00"}
COLOURS |= {"dense_dropout": "#0072B2", "cnn": "#009E73", "digit_reader": "#E69F00"}
OTHERS = ("#56B4E9", "#000000", "#999999")  # of models of one's own, as they come
own_colours: dict[str, str] = {}
MARKS = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005)  # of a scale of errors
NEARLY_NONE = 1e-5  # added to errors, since a logarithm has no zero
LONG, EDGE = 3_600, 3_000  # seconds from which on a time is none of minutes; where it is shown
SIDES = {  # of a point, where its label may stand: points across and up, alignment
    (6, 0): ("left", "center"),
    (-6, 0): ("right", "center"),
    (0, 7): ("center", "bottom"),
    (0, -7): ("center", "top"),
}


def colour(name: str) -> str:
    """Return a model's colour, the same in every figure; one of one's own gets the next free."""
    if name in COLOURS:
        return COLOURS[name]
    return own_colours.setdefault(name, OTHERS[len(own_colours) % len(OTHERS)])


def rung_colour(name: str) -> str:
    """Return the colour of a kept experiment: its model's, or pale blue for a step to one."""
    return COLOURS.get(name, OTHERS[0])


def png(figure: Figure) -> bytes:
    """Return the figure as PNG bytes and close it; 256 colours suffice, at half the bytes."""
    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png")
    plt.close(figure)
    picture = PIL.Image.open(full).convert("RGB").quantize(256, PIL.Image.Quantize.MAXCOVERAGE)
    picture.save(small, format="png", optimize=True)
    return small.getvalue()


def gallery(
    images: Sequence[np.ndarray] | np.ndarray,
    titles: Sequence[str] = (),
    columns: int = 10,
    size: float = 0.95,
    row_names: Iterable[str] = (),
    **settings: Any,
) -> Figure:
    """Return a figure of images (h, w) in rows, each under its title; settings go to imshow.

    size: of an image, in inches.
    """
    rows = -(-len(images) // columns)
    lines = max((title.count("\n") + 1 for title in titles), default=0)
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * size, rows * (size + 0.17 * lines) + 0.3), squeeze=False
    )
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    for axis, image in zip(axes.flat, images, strict=False):
        axis.imshow(image, **{"cmap": "gray_r"} | settings)
    for axis, title in zip(axes.flat, titles, strict=False):
        axis.set_title(title, fontsize=8)
    for axis, name in zip(axes[:, 0], row_names, strict=False):
        axis.set_ylabel(name)
    return figure


def error_scale(axis: Axes, low: float, high: float, which: Literal["x", "y"] = "y") -> None:
    """Give the axis a logarithmic scale of errors from high down to low, labelled as accuracies."""
    marks = [error for error in MARKS if low <= error <= high]
    axis.set(**{f"{which}scale": "log", f"{which}lim": (high, low), f"{which}ticks": marks})
    getattr(axis, f"{which}axis").set_major_formatter(lambda error, _: f"{100 * (1 - error):.4g}%")
    axis.minorticks_off()


def ladder(rungs: Sequence[Summary]) -> Figure:
    """Return the figure of what each ingredient buys; rungs: of summary.ladder."""
    figure, axis = plt.subplots(figsize=(8, 4))
    for place, rung in enumerate(rungs):
        errors, mean = rung["test_errors"], 1 - rung["test_accuracy"]["mean"]
        axis.barh(place, 0.2 - mean, left=mean, color=rung_colour(rung["experiment"]), alpha=0.85)
        axis.plot(errors, [place] * len(errors), "|", color="black", markersize=9)
        times = rung["classic_times"]["mean"]
        said = f"  {1 - mean:.2%}, {times:.1f}×"
        axis.text(min(errors), place, said, va="center", fontsize=9)
    axis.set_yticks(range(len(rungs)), [rung["name"] for rung in rungs])
    axis.invert_yaxis()
    error_scale(axis, 0.0018, 0.15, "x")
    axis.set(xlabel="test accuracy (ticks: each seed); ×: training time, the plain recipe's is 1")
    axis.grid(axis="y", visible=False)
    return figure


def learning_curves(
    histories: Mapping[str, History], quantity: Literal["accuracy", "loss"]
) -> Figure:
    """Return the figure of a quantity by epoch; histories: Keras's, by model.

    quantity: "accuracy", shown as error, or "loss", the cross-entropy. Training is dashed, and
    half an epoch early, since Keras reports its mean over the epoch.
    """
    figure, axis = plt.subplots()
    for name, history in histories.items():
        smoothed = quantity == "loss" and "categorical_crossentropy" in history
        key = "categorical_crossentropy" if smoothed else quantity
        for part, style, shift in (("", "--", 0.5), ("val_", "o-", 0)):
            values = np.array(history[part + key])
            values = 1 - values + NEARLY_NONE if quantity == "accuracy" else values
            label = name if part else None
            epochs = range(1, len(values) + 1)
            if part and len(values) < len(history["loss"]):
                epochs = judged_epochs(len(history["loss"]))
            places = np.array(epochs) - shift
            axis.plot(places, values, style, color=colour(name), linewidth=1.2, label=label)
    axis.set(xlabel="epoch", ylabel=quantity, yscale="log")
    if quantity == "accuracy":
        error_scale(axis, 0.0003, 0.3)
    else:
        axis.set(ylabel="cross-entropy loss")
    axis.legend(title="solid: validation, dashed: training", fontsize=8)
    return figure


def label_points(axis: Axes, points: Sequence[tuple[float, float, str, str]]) -> None:
    """Write a label beside each point (x, y, text, colour), on the first side where it is free.

    Those nearest the left and right edge, which have the least room, come first.
    Free is what no point and no label before it takes, within the axes; if no side is, the label
    stands where it overlaps the least.
    """
    places = axis.transData.transform([point[:2] for point in points])
    taken = [Bbox([place - 3, place + 3]) for place in places]
    middle = (axis.bbox.x0 + axis.bbox.x1) / 2

    def write(point: tuple[float, float, str, str], side: tuple[int, int]) -> tuple[Text, Bbox]:
        ha, va = SIDES[side]
        settings: dict[str, Any] = {"ha": ha, "va": va, "fontsize": 8, "color": point[3]}
        label = axis.annotate(point[2], point[:2], side, textcoords="offset points", **settings)
        label.set_in_layout(False)
        return label, label.get_window_extent().padded(1)

    for number in np.argsort(-abs(places[:, 0] - middle), kind="stable"):
        point, crowds = points[number], []
        for side in SIDES:
            label, box = write(point, side)
            inside = axis.bbox.x0 <= box.x0 and box.x1 <= axis.bbox.x1
            shared = [Bbox.intersection(box, other) for other in taken]
            crowds.append(sum(b.width * b.height for b in shared if b) if inside else math.inf)
            label.remove()
        taken.append(write(point, [*SIDES][int(np.argmin(crowds))])[1])


def time_to_accuracy(points: Iterable[tuple[str, str, float, float]]) -> Figure:
    """Return the figure of accuracy against seconds; points: (name, title, accuracy, seconds).

    Published results stand beside them in grey, those without a time of minutes at the right edge.
    """
    figure, axis = plt.subplots(figsize=(8, 4))
    axis.set(xscale="log", xlim=(0.4, 4e3), ylabel="test accuracy")
    axis.set(xlabel="seconds of training, on a logarithmic scale (published: other hardware)")
    error_scale(axis, 0.0028, 0.12)
    labels = []
    for name, title, accuracy, seconds in points:
        axis.plot(seconds, 1 - accuracy, "o", color=rung_colour(name), markersize=5)
        labels.append((seconds, 1 - accuracy, title, "black"))
    for row in pd.read_csv(PUBLISHED).to_dict("records"):
        timed = row["seconds"] < LONG
        place = (row["seconds"] if timed else EDGE, 1 - row["accuracy"])
        axis.plot(*place, "s" if timed else ">", color="gray", markersize=4)
        labels.append((*place, row["name"], "gray"))
    figure.suptitle("its title")
    figure.draw_without_rendering()  # settles where the axes are
    label_points(axis, labels)
    return figure


def confusion(matrix: Int[np.ndarray, "10 10"]) -> Figure:
    """Return the figure of a confusion matrix (10, 10): true digits by row, readings by column."""
    figure, axis = plt.subplots(figsize=(5.2, 4.8))
    shades = {"norm": "symlog"}  # so that single mistakes can be seen, too
    display = sklearn.metrics.ConfusionMatrixDisplay(matrix)
    display.plot(ax=axis, colorbar=False, cmap="Oranges", im_kw=shades)
    for text in axis.texts:
        text.set_visible(text.get_text() != "0")
    axis.set(xlabel="read as", ylabel="true digit")
    axis.grid(False)
    return figure


def trust(
    name: str,
    moments: Mapping[str, Answers],
    labels: Labels,
    risks: Mapping[str, Answers],
    threshold: float,
) -> Figure:
    """Return the figures of calibration and of error against coverage, side by side.

    moments: {"before scaling": answers (n, 10), …} of the model called name; risks: {model:
    calibrated answers}; threshold: of the confidence, marked for the model called name.
    """
    figure, (left, right) = plt.subplots(1, 2)
    for (moment, answers), style in zip(moments.items(), ("o:", "o-"), strict=True):
        correct = answers.argmax(1) == labels
        curve = sklearn.calibration.calibration_curve(correct, answers.max(1).clip(0, 1), n_bins=10)
        left.plot(*curve[::-1], style, color=colour(name), label=moment)
    left.plot([0.3, 1], [0.3, 1], "--", color="gray", linewidth=1)
    left.set(xlabel="probability given", ylabel=f"share right, {name}")
    left.legend()
    for model, answers in risks.items():
        coverage, risk, confidence = risk_coverage(answers, labels)
        right.plot(coverage, risk + NEARLY_NONE, color=colour(model), label=model)
        if model == name:
            last = max(np.sum(confidence >= threshold) - 1, 0)
            star = (coverage[last], risk[last] + NEARLY_NONE)
            right.plot(*star, "k*", markersize=11, label="threshold")
    right.set(xlabel="share read by the model", ylabel="error in that share")
    right.set(yscale="log", xlim=(0.7, 1.005), ylim=(1e-4, None))
    right.yaxis.set_major_formatter("{x:.2%}")
    right.legend(fontsize=7)
    return figure


def robustness(table: pd.DataFrame) -> Figure:
    """Return the figure of accuracy under damage; table: a DataFrame of robustness.robustness."""
    figure, axes = plt.subplots(2, 5, figsize=(10, 4.2), sharey=True)
    for axis, (kind, rows) in zip(axes.flat, table.groupby("corruption", sort=False), strict=True):
        for name, of_model in rows.groupby("model", sort=False):
            line = (of_model["severity"], of_model["accuracy"], "o-")
            axis.plot(*line, color=colour(str(name)), label=name)
        axis.axhline(0.95, color="gray", linestyle="--", linewidth=1)
        axis.set(xlabel=kind, ylim=(0, 1.02))
        axis.yaxis.set_major_formatter("{x:.0%}")
    for axis in axes[:, 0]:
        axis.set_ylabel("accuracy")
    axes[0, 0].legend(fontsize=7)
    return figure


def transfer(means: pd.DataFrame, sds: pd.DataFrame) -> Figure:
    """Return the figure of accuracy by examples and way; DataFrames, one column a way."""
    figure, axis = plt.subplots()
    colours = ["black", "#E69F00", "#56B4E9", "#999999"]  # of no model
    means.plot(yerr=sds, marker="o", markersize=4, capsize=3, logx=True, color=colours, ax=axis)
    axis.set(xlabel="labelled examples of each digit", ylabel="accuracy on UCI's test digits")
    axis.set_xticks(means.index, means.index)
    axis.minorticks_off()
    axis.yaxis.set_major_formatter("{x:.0%}")
    axis.legend()
    return figure


def reader_rates(rates: Mapping[str, Mapping[str, float]]) -> Figure:
    """Return the figure of what is read right of each kind of picture; rates: of rates.kept."""
    figure, axis = plt.subplots(figsize=(8, 0.27 * len(rates) + 0.9))
    places, reader = range(len(rates)), [rate["right"] for rate in rates.values()]
    benchmark = [rate["benchmark_right"] for rate in rates.values()]
    axis.hlines(places, benchmark, reader, "#cccccc", zorder=1)
    for name, shares in (("dense_dropout", benchmark), ("digit_reader", reader)):
        axis.scatter(shares, places, color=colour(name), label=name)
    axis.set(yticks=places, yticklabels=rates, xlabel="read right")
    axis.xaxis.set_major_formatter("{x:.0%}")
    axis.invert_yaxis()
    axis.legend(loc="lower left")
    return figure
