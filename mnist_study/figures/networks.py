"""Figures of networks: backpropagation through a small one, layers, a sliding filter."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from mnist_study.arrays import Images
from mnist_study.backend import keras
from mnist_study.figures.style import DARK_GREY, SMALL, WIDTH, Shown, bare, colour

BACK = "#D55E00"  # of gradients
MAPS = 8  # feature maps shown

Values = Float[np.ndarray, "_"]
Weights = Float[np.ndarray, "_ _"]


def draw_edges(axis: Axes, column: int, weights: Weights) -> None:
    """Draw the weights between two columns of units as lines, with their values."""
    wider = int(np.argmax(weights.shape))
    middle = weights.shape[wider] // 2
    for place, weight in np.ndenumerate(weights):
        low, high = place
        start, end = (height(low, weights.shape[0]), height(high, weights.shape[1]))
        axis.plot([column, column + 1], [start, end], color=DARK_GREY, linewidth=0.8, zorder=1)
        share = 0.33 if place[wider] == middle else 0.19  # where no lines cross
        at = (column + share, start + share * (end - start))
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        text = f"{weight:g}".replace("-", "\N{MINUS SIGN}")
        axis.text(*at, text, ha="center", va="center", size=SMALL, bbox=box)


def height(unit: int, units: int) -> float:
    """Return where a unit of a column stands, from top to bottom around 0."""
    return (units - 1) / 2 - unit


def draw_units(axis: Axes, column: int, values: Values, gradients: Values | None) -> None:
    """Draw a column of units with their values and, below them, the loss's gradients."""
    for unit, value in enumerate(values):
        place = (column, height(unit, len(values)))
        axis.plot(*place, "o", markersize=27, color="white", markeredgecolor="black", zorder=2)
        axis.text(*place, f"{value:.2f}", ha="center", va="center", size=SMALL, zorder=3)
        if gradients is not None:
            text = f"{gradients[unit]:+.2f}".replace("-", "\N{MINUS SIGN}")
            below = (place[0], place[1] - 0.36)
            axis.text(*below, text, ha="center", va="top", size=SMALL, color=BACK, zorder=3)


def backpropagation(
    values: Sequence[Values],
    gradients: Sequence[Values | None],
    weights: Sequence[Weights],
) -> Shown:
    """Return a small network with the values of its units, and the loss's gradients in them."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.9))
    for column, matrix in enumerate(weights):
        draw_edges(axis, column, matrix)
    names = ("inputs", "hidden units (ReLU)", "probabilities (softmax)")
    for column, parts in enumerate(zip(values, gradients, names, strict=True)):
        draw_units(axis, column, *parts[:2])
        axis.text(column, 1.6, parts[2], ha="center", size=SMALL)
    axis.set(xlim=(-0.35, 2.45), ylim=(-1.75, 1.8))
    bare(axis)
    title = "Values go forward (black), gradients of the loss go backward (orange)"
    alt = "A network of 2, 3 and 2 units: weights on the lines, values in circles, gradients below."
    return Shown(figure, title, alt, "backpropagation.png")


def sliding_filter(model: keras.Model, image: Float[np.ndarray, "28 28 1"] | Images) -> Shown:
    """Return an image with a filter's window on it, the filter, and the first feature maps.

    model: its first layer is a convolution.
    """
    layer = model.layers[0]
    maps = np.asarray(layer(image[np.newaxis]))[0]
    most = np.argsort(-maps.mean((0, 1)), kind="stable")[:MAPS]
    side, kernel = layer.kernel_size[0], np.asarray(layer.kernel)[:, :, 0, most[0]]
    figure, axes = plt.subplots(2, 5, figsize=(WIDTH, 2.5))
    axes[0, 0].imshow(image[..., 0], cmap="gray_r")
    window = {"fill": False, "edgecolor": colour("cnn"), "linewidth": 2}
    axes[0, 0].add_patch(Rectangle((9.5, 9.5), side, side, **window))
    largest = np.abs(kernel).max()
    axes[1, 0].imshow(kernel, cmap="RdBu_r", vmin=-largest, vmax=largest)
    for axis, number in zip(axes[:, 1:].flat, most, strict=True):
        axis.imshow(maps[..., number], cmap="gray_r")
    texts = ("input,\nfilter's window", f"{side}×{side} weights")
    for axis, text in zip(axes[:, 0], texts, strict=True):
        axis.set_title(text, fontsize=SMALL)
    others = {7: "seven"}.get(len(most) - 1, str(len(most) - 1))
    text = f"its feature map; then {others} other filters'"
    axes[0, 1].set_title(text, fontsize=SMALL, loc="left").set_in_layout(False)
    for axis in axes.flat:
        bare(axis)
    title = "A convolution slides the same few weights over the whole image"
    alt = f"A digit with a small window, the weights of a filter, and {MAPS} feature maps."
    return Shown(figure, title, alt, "sliding_filter.png")
