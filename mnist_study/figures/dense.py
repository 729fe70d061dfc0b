"""Figures of the dense network: augmentation, layers, ablation study, training time.

Recorded results that they show: errors, training times and changes of each step of the ablation
study; accuracy and training time of the timed experiments.
"""

import itertools
import pathlib
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mnist_study import results
from mnist_study.augment import SHARED, augment
from mnist_study.backend import keras
from mnist_study.experiments import ABLATION, TITLES, configuration
from mnist_study.figures import style
from mnist_study.figures.style import COLOURS, GREY, OTHERS, SMALL, Shown

PUBLISHED = pathlib.Path(__file__).with_name("published.csv")  # other people's, with sources
LONG, EDGE = 3_600, 3_000  # seconds: longer and unknown times are shown at the edge
OFFSETS = {"softmax_regression": (7, -2), "baseline_mlp": (7, 0)}  # of labels, in points
OFFSETS |= {"dense_dropout": (5, -9), "cnn": (-7, 5)}
STAGES = (keras.layers.Cropping2D, keras.layers.ReLU)
NAMES = {keras.layers.Cropping2D: "cropping", keras.layers.Dense: "dense"}
NAMES |= {keras.layers.BatchNormalization: "batch norm.", keras.layers.ReLU: "ReLU"}
ERRORS = [40, 50, 70, 100, 150, 300, 700]  # ticks
COLUMNS = {"mean": 1.12, "time": 1.25, "change (95% CI)": 1.7}  # x of their right ends


def augmentations(image: np.ndarray, seed: int, count: int = 9) -> Shown:
    """Return an image (28, 28, 1) and augmented copies of it."""
    copies = np.repeat(image[np.newaxis], count * SHARED, axis=0)  # neighbours share a warp
    augmented = np.asarray(augment(copies, np.array([seed, 0])))[::SHARED]
    figure = style.gallery([image, *augmented], ["original"])
    title = "Augmentation warps the same digit differently in every batch"
    alt = f"A digit and {count} augmented copies: tilted, stretched and wavy, still recognisable."
    return Shown(figure, title, alt, "augmentation.png")


def stages(model: keras.Model, image: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return a dense network's layers up to each stage, and its activations for one image.

    image: (28, 28, 1). A stage is the image itself, a cropping, a hidden layer or the output.
    """
    parts, values, start = [("input image", image)], image[np.newaxis], 0
    for end, layer in enumerate(model.layers, start=1):
        values = np.asarray(layer(values, training=False))
        if isinstance(layer, STAGES) or end == len(model.layers):
            inner, start = model.layers[start:end], end
            kinds = [NAMES[type(part)] for part in inner if type(part) in NAMES]
            kinds += ["softmax"] if end == len(model.layers) else []
            parameters = sum(part.count_params() for part in inner)
            parts.append((f"{', '.join(kinds)}\n{parameters:,} parameters", values[0]))
    return parts


def draw_stage(axis: Axes, name: str, values: np.ndarray) -> None:
    """Draw a picture as it is, the units of a hidden layer as a square, and ten outputs as bars."""
    axis.set_xlabel(name, fontsize=SMALL)
    axis.set_title("×".join(f"{size:,}" for size in values.shape if size > 1))
    if values.shape == (10,):
        axis.bar(range(10), values, color=COLOURS[results.OURS])
        axis.set(xticks=range(10), yticks=[], ylim=(0, 1), box_aspect=1)
        axis.tick_params(labelsize=SMALL)
        return
    if values.ndim == 1:
        side = int(np.ceil(np.sqrt(len(values))))
        values = np.pad(values, (0, side**2 - len(values))).reshape(side, side)
    axis.imshow(values, cmap="gray_r")
    style.bare(axis)


def network(model: keras.Model, image: np.ndarray) -> Shown | None:
    """Return a dense network's stages for one image (28, 28, 1); None if it has convolutions."""
    if any(isinstance(layer, keras.layers.Conv2D) for layer in model.layers):
        return None
    parts = stages(model, image)
    figure, axes = plt.subplots(1, len(parts), figsize=(8, 2.6))
    for axis, (name, values) in zip(axes, parts, strict=True):
        draw_stage(axis, name, values)
    title = f"{model.count_params():,} parameters turn a digit into ten probabilities"
    alt = "From left to right: a digit, the activations of each layer as a square, and ten bars."
    return Shown(figure, title, alt, "network.png")


def draw_step(axis: Axes, place: int, name: str, change: SimpleNamespace | None) -> None:
    """Draw the errors of an ablation step, and write their mean, its time and its change.

    change: from the step before; the first step has none. Uncertain changes are grey.
    """
    errors = results.misclassified(name).sum(1)
    shade = COLOURS.get(name, COLOURS[results.OURS]) if not change or change.certain else GREY
    axis.plot(errors, [place] * len(errors), "o", color=shade, alpha=0.45, markersize=5)
    axis.plot(errors.mean(), place, "D", color=shade, markersize=6)
    texts = [f"{errors.mean():.0f}", f"{np.mean(results.relative_times(name)):.1f}×"]
    if change:
        interval = f"({100 * change.low:+.0f} to {100 * change.high:+.0f})"
        texts.append(f"{change.value:+.0%} {interval}".replace("-", "\N{MINUS SIGN}"))
    write_columns(axis, place, texts, shade)


def write_columns(axis: Axes, place: float, texts: list[str], shade: str) -> None:
    """Write texts in COLUMNS to the right of the axis, at a place on its y axis."""
    settings: dict[str, Any] = {"ha": "right", "va": "center", "fontsize": SMALL, "color": shade}
    for x, text in zip(COLUMNS.values(), texts, strict=False):
        axis.text(x, place, text, transform=axis.get_yaxis_transform(), **settings)


def ablation() -> Shown:
    """Return the ablation study: each seed's errors, their mean, time, and each step's change."""
    figure, axis = plt.subplots(figsize=(8, 3.8), layout="none")
    figure.subplots_adjust(left=0.37, right=0.72, top=0.87, bottom=0.13)
    changes = {
        after: results.change(before, after) for before, after in itertools.pairwise(ABLATION)
    }
    for place, name in enumerate(ABLATION):
        draw_step(axis, place, name, changes.get(name))
    write_columns(axis, -0.9, [*COLUMNS], "black")
    axis.set(xscale="log", xlabel="misclassified of 10,000 test digits, a dot for each seed")
    axis.set_xticks(ERRORS, [str(tick) for tick in ERRORS])
    axis.minorticks_off()
    epochs = {results.OURS: f"{results.OURS} ({configuration(results.OURS).epochs} epochs)"}
    axis.set_yticks(range(len(ABLATION)), [(TITLES | epochs)[name] for name in ABLATION])
    axis.invert_yaxis()
    helped = sum(change.high < 0 for change in changes.values())
    title = f"{helped} of {len(changes)} steps clearly reduce errors; grey ones may have no effect"
    alt = "The ablation study from softmax regression to the distilled network: errors by step."
    return Shown(figure, title, alt, "ablation.png", recorded=True)


def draw_published(axis: Axes) -> None:
    """Draw other people's accuracies in grey, those of long or unknown times at the edge."""
    table = pd.read_csv(PUBLISHED)
    errors, timed = 1 - table["accuracy"], table["seconds"] < LONG
    label = "published, on other hardware"
    axis.plot(table["seconds"][timed], errors[timed], "s", color=GREY, markersize=4, label=label)
    label, edge = "published, time unknown or over an hour", [EDGE] * sum(~timed)
    axis.plot(edge, errors[~timed], ">", color=GREY, markersize=4, label=label)


def time_to_accuracy() -> Shown:
    """Return accuracy against seconds of training, of this study's networks and published ones."""
    figure, axis = plt.subplots(figsize=(8, 3))
    axis.set(xscale="log", xlim=(0.4, 4e3), ylabel="test accuracy")
    axis.set(xlabel="training time in seconds (logarithmic scale)")
    style.error_scale(axis, 0.0028, 0.12)
    for name, _, accuracy, seconds in results.times():
        shade, point = COLOURS.get(name, OTHERS[0]), (seconds, 1 - accuracy)
        axis.plot(*point, "o", color=shade, markersize=5)
        if name in OFFSETS:
            style.label_point(axis, name, point, OFFSETS[name], shade)
    axis.plot([], [], "o", color=OTHERS[0], markersize=5, label="other networks of this study")
    draw_published(axis)
    axis.legend(fontsize=SMALL, labelcolor=style.DARK_GREY, loc="lower right")
    best, _, accuracy, seconds = max(results.times(), key=lambda time: time[2])
    title = f"{best} is the most accurate of this study: {accuracy:.2%} in {seconds:.0f} seconds"
    alt = "Test accuracy against training time: this study's models and published results."
    return Shown(figure, title, alt, "time_to_accuracy.png", recorded=True)
