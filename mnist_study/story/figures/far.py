"""Figures of how far a dense net goes: deformed digits, the net itself, the ladder, time."""

import pathlib
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mnist_study.core.backend import keras
from mnist_study.core.deform import SHARED, deform
from mnist_study.records import summary
from mnist_study.story.figures.style import (
    COLOURS,
    DARK_GREY,
    GREY,
    OTHERS,
    Shown,
    bare,
    colour,
    error_scale,
    gallery,
)

PUBLISHED = pathlib.Path(__file__).parents[1] / "published.csv"  # results of others, with sources
LONG, EDGE = 3_600, 3_000  # seconds from which on a time is none of minutes; where it is shown
NAMED = {"softmax_regression": (7, -2), "classic_mlp": (7, 0), "dense_dropout": (5, -9)}
NAMED |= {"cnn": (-7, 5)}  # points to the label
OURS = "dense_dropout"


def deformations(image: np.ndarray, seed: int, count: int = 9) -> Shown:
    """Return an image (28, 28, 1) and deformed copies of it."""
    copies = np.repeat(image[np.newaxis], count * SHARED, axis=0)  # neighbours share a warp
    bent = np.asarray(deform(copies, np.array([seed, 0])))[::SHARED]
    figure = gallery([image, *bent], ["original"])
    alt = "A handwritten digit and nine deformed copies: tilted, stretched, wavy, still readable."
    title = "One digit, many warps: every batch bends it in another way"
    return Shown(figure, title, alt, "deformations.png")


def stages(model: keras.Model, image: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return what a dense network makes of an image (28, 28, 1), stage by stage.

    A stage is what leads to it, and its values: the pixels it sees, each hidden layer, the answer.
    """
    found, values, weights = [("a digit", image[..., 0])], image[np.newaxis], 0
    names: list[str] = []
    for layer in model.layers:
        values, weights = np.asarray(layer(values, training=False)), weights + layer.count_params()
        kind = type(layer).__name__
        names += {"Dense": ["dense"], "BatchNormalization": ["batch norm."], "ReLU": ["ReLU"]}.get(
            kind, []
        )
        if kind == "Cropping2D":
            found.append(("its middle", values[0, ..., 0]))
        if kind == "ReLU" or layer is model.layers[-1]:
            names += ["softmax"] if kind == "Dense" else []
            found.append((f"{', '.join(names)}\n{weights:,} parameters", values[0]))
            names, weights = [], 0
    return found


def stage(axis: Axes, led: str, values: np.ndarray) -> None:
    """Draw a stage: a picture as it is, a hidden layer as a field of units, ten answers as bars."""
    axis.set_xlabel(led, fontsize=8)
    axis.tick_params(labelsize=8)
    if values.shape == (10,):
        axis.bar(range(10), values, color=COLOURS[OURS])
        axis.set(xticks=range(10), yticks=[], ylim=(0, 1), title="10", box_aspect=1)
        return
    shape = "×".join(map(str, values.shape)) if values.ndim > 1 else f"{len(values):,}"
    if values.ndim == 1:
        side = int(np.ceil(np.sqrt(len(values))))
        values = np.pad(values, (0, side**2 - len(values))).reshape(side, side)
    axis.imshow(values, cmap="gray_r")
    bare(axis)
    axis.set_title(shape)


def network(model: keras.Model, image: np.ndarray) -> Shown | None:
    """Return the drawing of a dense network with what one image (28, 28, 1) excites in it.

    None of a network that is not dense.
    """
    if any(isinstance(layer, keras.layers.Conv2D) for layer in model.layers):
        return None
    found = stages(model, image)
    figure, axes = plt.subplots(1, len(found), figsize=(8, 2.6))
    for axis, (led, values) in zip(axes, found, strict=True):
        stage(axis, led, values)
    alt = "From left to right: a digit, its middle, two fields of units, some dark, and ten bars."
    title = f"What a digit excites on its way through {model.count_params():,} parameters"
    return Shown(figure, title, alt, "network.png")


def held(rung: summary.Summary) -> bool:
    """Return whether a step's interval leaves out that nothing changed."""
    low, high = rung["ci95"]
    return high < 0 or low > 0


def write_beside(axis: Axes, place: float, texts: Sequence[str], shade: str) -> None:
    """Write columns of text to the right of the axis, beside a place on it."""
    for text, x in zip(texts, (1.11, 1.23, 1.62), strict=False):
        settings = {"ha": "right", "va": "center", "fontsize": 8, "color": shade}
        axis.text(x, place, text, transform=axis.get_yaxis_transform(), **settings)


def ladder() -> Shown:
    """Return the ladder: errors of each seed, their mean, time, and each step's change."""
    rungs = summary.ladder()
    figure, axis = plt.subplots(figsize=(8, 3.8), layout="none")
    figure.subplots_adjust(left=0.32, right=0.72, top=0.83, bottom=0.13)
    for place, rung in enumerate(rungs):
        errors = 10_000 * np.array(rung["test_errors"])
        own = place < 2 or held(rung)
        shade = COLOURS.get(rung["experiment"], COLOURS[OURS]) if own else GREY
        axis.plot(errors, [place] * len(errors), "o", color=shade, alpha=0.45, markersize=5)
        axis.plot(errors.mean(), place, "D", color=shade, markersize=6)
        said = [f"{errors.mean():.0f}", f"{rung['classic_times']['mean']:.1f}×"]
        if place > 1:
            low, high = rung["ci95"]
            change = f"{rung['change']:+.0%} ({100 * low:+.0f} to {100 * high:+.0f})"
            said.append(change.replace("-", "\N{MINUS SIGN}"))
        write_beside(axis, place, said, shade)
    write_beside(axis, -0.9, ("mean", "time", "change (95%)"), "black")
    ticks = [40, 50, 70, 100, 150, 300, 700]
    axis.set(xscale="log", xticks=ticks, xlabel="misread of 10,000 test digits, each seed")
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    axis.set_yticks(range(len(rungs)), [rung["name"] for rung in rungs])
    axis.invert_yaxis()
    helped = [r["name"].removeprefix("+ ") for r in rungs[2:] if r["ci95"][1] < 0]
    title = f"What helped, in this order: {', '.join(helped)}. Grey steps could be luck"
    alt = "The ladder of recipes from softmax regression down to the taught net, a dot for a seed."
    return Shown(figure, title, alt, "ladder.png", kept=True)


def time_to_accuracy() -> Shown:
    """Return accuracy against seconds of training: the study's nets, and published ones in grey.

    Published results without a time of minutes stand at the right edge.
    """
    figure, axis = plt.subplots(figsize=(8, 3))
    axis.set(xscale="log", xlim=(0.4, 4e3), ylabel="test accuracy")
    axis.set(xlabel="seconds of training, logarithmic")
    error_scale(axis, 0.0028, 0.12)
    for row in pd.read_csv(PUBLISHED).to_dict("records"):
        timed = row["seconds"] < LONG
        place = (row["seconds"] if timed else EDGE, 1 - row["accuracy"])
        axis.plot(*place, "s" if timed else ">", color=GREY, markersize=4)
    axis.plot([], [], "o", color=OTHERS[0], label="other nets of this study")
    axis.plot([], [], "s", color=GREY, label="published, on other hardware")
    axis.plot([], [], ">", color=GREY, label="published, time not given, or days")
    times = {}
    for name, _, accuracy, seconds in summary.times():
        axis.plot(seconds, 1 - accuracy, "o", color=COLOURS.get(name, OTHERS[0]), markersize=5)
        times[name] = (accuracy, seconds)
    for name, side in NAMED.items():
        accuracy, seconds = times[name]
        align = "left" if side[0] > 0 else "right"
        settings = {"color": colour(name), "fontsize": 8, "ha": align, "va": "center"}
        place = (seconds, 1 - accuracy)
        axis.annotate(name, place, side, textcoords="offset points", **settings)
    axis.legend(fontsize=8, labelcolor=DARK_GREY, loc="lower right")
    title = "In {1:.0f} seconds cnn reads {0:.2%}, more than any dense net of this study".format(
        *times["cnn"]
    )
    alt = "Test accuracy against seconds of training: this study's models and published ones."
    return Shown(figure, title, alt, "time_to_accuracy.png", kept=True)
