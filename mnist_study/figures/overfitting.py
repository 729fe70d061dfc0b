"""Figures of learning curves and hidden units; both show what a run of the notebook trains."""

from collections.abc import Sequence
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float, Real
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mnist_study.evaluate.hidden_units import Unit
from mnist_study.figures.style import SMALL, WIDTH, Shown, bare, colour
from mnist_study.train import History, validated_epochs

Quantity = Literal["accuracy", "loss"]
PARTS = (("", "--", "training"), ("val_", "o-", "validation"))
FILES: dict[Quantity, str] = {"loss": "loss_plot.png", "accuracy": "accuracy_plot.png"}
COLUMNS = 3  # of hidden units
EARLY = 0.1  # of the epochs, whose values may lie outside the axes
Curve = tuple[Real[np.ndarray, "epochs"], Float[np.ndarray, "epochs"]]


def curve(history: History, quantity: Quantity, prefix: str) -> Curve:
    """Return epochs and values of a curve; prefix: of Keras's key, "" for training images.

    Training values stand half an epoch early, since Keras reports their mean over the epoch. The
    loss is the cross-entropy without label smoothing.
    """
    smoothed = quantity == "loss" and "categorical_crossentropy" in history
    values = np.array(history[prefix + ("categorical_crossentropy" if smoothed else quantity)])
    count = len(history["loss"])
    epochs = range(1, count + 1) if len(values) == count else validated_epochs(count)
    return np.array(epochs) - (0 if prefix else 0.5), values


def draw_curves(axis: Axes, name: str, history: History, quantity: Quantity) -> None:
    """Draw a model's curves of accuracy or loss by epoch, the least validation loss marked.

    The axis holds both curves from a tenth of the epochs on.
    """
    epochs, values = curve(history, quantity, "val_")
    curves = [curve(history, quantity, prefix)[1] for prefix, _, _ in PARTS]
    later = np.concatenate([of[int(EARLY * len(of)) :] for of in curves])
    for prefix, style, part in PARTS:
        axis.plot(
            *curve(history, quantity, prefix), style, color=colour(name), linewidth=1.2, label=part
        )
    axis.set(xlabel="epoch", ylabel=quantity)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if quantity == "loss":
        best = int(np.argmin(values))
        mark = {"markersize": 11, "fillstyle": "none", "color": "black", "label": "minimum"}
        axis.plot(epochs[best], values[best], "o", **mark)
        axis.set(ylim=(0, 1.05 * max(later)))
    else:
        axis.set(ylim=(min(0.97, float(min(later)) - 0.005), 1.001))
        axis.yaxis.set_major_formatter("{x:.0%}")


def finding(name: str, history: History) -> str:
    """Return what a model's curves show: whether its validation loss rises again."""
    epochs, losses = curve(history, "loss", "val_")
    best = int(np.argmin(losses))
    if losses[-1] <= 1.01 * losses[best]:
        return f"{name}: the validation loss falls to the end"
    rise = losses[-1] / losses[best] - 1
    return (
        f"{name}: the validation loss is lowest at epoch {epochs[best]}, then rises by {rise:.0%}"
    )


def learning_curves(name: str, history: History) -> Shown:
    """Return a model's curves of loss and accuracy by epoch; history: Keras's."""
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 2.2))
    for axis, quantity in zip(axes, ("loss", "accuracy"), strict=True):
        draw_curves(axis, name, history, quantity)
    lines = axes[0].get_legend_handles_labels()
    figure.legend(*lines, fontsize=SMALL, ncols=3, loc="outside lower center")
    alt = "Loss and accuracy by epoch: training images dashed, validation images with dots."
    file = "baseline_curves.png" if name == "baseline_mlp" else "best_curves.png"
    return Shown(figure, finding(name, history), alt, file)


def one_curve(name: str, history: History, quantity: Quantity) -> Shown:
    """Return one of a model's curves alone, as loss_plot.png or accuracy_plot.png."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.6))
    draw_curves(axis, name, history, quantity)
    axis.legend(fontsize=SMALL)
    alt = f"{quantity} by epoch: training images dashed, validation images with dots."
    return Shown(figure, finding(name, history), alt, FILES[quantity])


def hidden_units(units: Sequence[Unit]) -> Shown:
    """Return for each unit its weights, the digits that activate it most, and its votes."""
    rows = -(-len(units) // COLUMNS)
    figure, axes = plt.subplots(
        rows, 2 * COLUMNS, figsize=(WIDTH, 1.15 * rows + 0.3), squeeze=False
    )
    largest = max(float(np.abs(unit.weights).max()) for unit in units)
    for axis in axes.flat:
        bare(axis)
    for (left, right), unit in zip(axes.reshape(-1, 2), units, strict=False):
        left.imshow(unit.weights, cmap="RdBu_r", vmin=-largest, vmax=largest)
        right.imshow(np.block([[*unit.activating[i : i + 3]] for i in (0, 3, 6)]), cmap="gray_r")
        left.set_title(f"votes for {unit.votes}", fontsize=SMALL, loc="left")
        right.set_title(f"against {unit.opposes}", fontsize=SMALL, loc="left")
    title = "A hidden unit responds to ink on its red weights and to gaps on its blue ones"
    alt = f"{len(units)} units: weights in red and blue, beside nine digits that activate the unit."
    return Shown(figure, title, alt, "hidden_units.png")
