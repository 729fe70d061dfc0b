"""Figures of what a network learns: its curves, and what its hidden units see."""

from collections.abc import Sequence
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from mnist_study.core.training import History, judged_epochs
from mnist_study.story.figures.style import NEARLY_NONE, Shown, bare, colour, error_scale
from mnist_study.story.units import Unit


def learning_curves(name: str, history: History, quantity: Literal["accuracy", "loss"]) -> Shown:
    """Return a model's curves of a quantity by epoch; history: Keras's.

    quantity: "accuracy", shown as error, or "loss", the cross-entropy. Training is dashed, and
    half an epoch early, since Keras reports its mean over the epoch.
    """
    figure, axis = plt.subplots(figsize=(8, 2.6))
    smoothed = quantity == "loss" and "categorical_crossentropy" in history
    key = "categorical_crossentropy" if smoothed else quantity
    epochs = len(history["loss"])
    for part, style, shift in (("", "--", 0.5), ("val_", "o-", 0)):
        values = np.array(history[part + key])
        values = 1 - values + NEARLY_NONE if quantity == "accuracy" else values
        whole = len(values) == epochs
        places = np.array(range(1, epochs + 1) if whole else judged_epochs(epochs)) - shift
        label = "validation images" if part else "training images"
        axis.plot(places, values, style, color=colour(name), linewidth=1.2, label=label)
    axis.set(xlabel="epoch", ylabel=quantity, yscale="log")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(fontsize=8)
    if quantity == "accuracy":
        error_scale(axis, 0.0003, 0.3)
        title = "It goes on getting better at what it has seen, not at what it has not"
        alt = "Accuracy by epoch: on training images it climbs, on validation images it levels off."
        return Shown(figure, title, alt, "accuracy_plot.png")
    axis.set(ylabel="mean loss")
    held = history["val_loss"]
    best = int(np.argmin(held))
    title = f"Overfitting: unseen digits' loss is least at {held[best]:.3f}, ends at {held[-1]:.3f}"
    alt = "Loss by epoch: on training images it falls, on validation images it falls, then climbs."
    return Shown(figure, title, alt, "loss_plot.png")


def hidden_units(units: Sequence[Unit]) -> Shown:
    """Return for each unit its weights, the digits that excite it most, and its votes."""
    columns = 4
    rows = -(-len(units) // columns)
    figure, axes = plt.subplots(rows, 2 * columns, figsize=(8, 1.3 * rows), squeeze=False)
    most = max(float(np.abs(unit.weights).max()) for unit in units)
    for axis in axes.flat:
        bare(axis)
    for (left, right), unit in zip(axes.reshape(-1, 2), units, strict=False):
        left.imshow(unit.weights, cmap="RdBu_r", vmin=-most, vmax=most)
        right.imshow(np.block([[*unit.exciting[i : i + 3]] for i in (0, 3, 6)]), cmap="gray_r")
        left.set_title(f"for {unit.votes}, against {unit.opposes}", fontsize=8, loc="left")
    alt = "Twelve units: each one's weights in red and blue beside nine digits that excite it."
    title = "Twelve hidden units: most answer to a gap in the ink, which several digits may share"
    return Shown(figure, title, alt, "hidden_units.png")
