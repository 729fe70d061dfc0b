"""Figures of learning curves and hidden units; both show what a run of the notebook trains."""

from collections.abc import Sequence
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float, Real
from matplotlib.ticker import MaxNLocator

from mnist_study.figures.style import NEARLY_NONE, SMALL, Shown, bare, colour, error_scale
from mnist_study.notebook.hidden_units import Unit
from mnist_study.train import History, validated_epochs

Quantity = Literal["accuracy", "loss"]
COLUMNS = 4  # of hidden units
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


def learning_curves(name: str, history: History, quantity: Quantity) -> Shown:
    """Return a model's curves of accuracy or loss by epoch; history: Keras's."""
    figure, axis = plt.subplots(figsize=(8, 2.6))
    for prefix, style, part in (("", "--", "training"), ("val_", "o-", "validation")):
        epochs, values = curve(history, quantity, prefix)
        shown = 1 - values + NEARLY_NONE if quantity == "accuracy" else values
        line = {"color": colour(name), "linewidth": 1.2, "label": f"{part} images"}
        axis.plot(epochs, shown, style, **line)
    axis.set(xlabel="epoch", ylabel=quantity, yscale="log")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(fontsize=SMALL)
    alt = f"Two lines of {quantity} by epoch: training images dashed, validation images with dots."
    if quantity == "accuracy":
        error_scale(axis, 0.0003, 0.3)
        title = f"Training accuracy ends at {history['accuracy'][-1]:.2%}, validation accuracy at"
        return Shown(figure, f"{title} {values[-1]:.2%}", alt, "accuracy_plot.png")
    best = int(np.argmin(values))
    title = "Overfitting: the" if values[-1] > values[best] else "The"
    title += f" validation loss is smallest after epoch {epochs[best]:.0f} ({values[best]:.3f})"
    return Shown(figure, f"{title} and ends at {values[-1]:.3f}", alt, "loss_plot.png")


def hidden_units(units: Sequence[Unit]) -> Shown:
    """Return for each unit its weights, the digits that activate it most, and its votes."""
    rows = -(-len(units) // COLUMNS)
    figure, axes = plt.subplots(rows, 2 * COLUMNS, figsize=(8, 1.3 * rows), squeeze=False)
    largest = max(float(np.abs(unit.weights).max()) for unit in units)
    for axis in axes.flat:
        bare(axis)
    for (left, right), unit in zip(axes.reshape(-1, 2), units, strict=False):
        left.imshow(unit.weights, cmap="RdBu_r", vmin=-largest, vmax=largest)
        right.imshow(np.block([[*unit.activating[i : i + 3]] for i in (0, 3, 6)]), cmap="gray_r")
        left.set_title(f"for {unit.votes}, against {unit.opposes}", fontsize=SMALL, loc="left")
    title = "A hidden unit responds to ink on its red weights and to gaps on its blue ones"
    alt = f"{len(units)} units: weights in red and blue, beside nine digits that activate the unit."
    return Shown(figure, title, alt, "hidden_units.png")
