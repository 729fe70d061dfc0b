"""Figures of softmax regression; all show what a run of the notebook computes."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from mnist_study.arrays import Labels, Pixels
from mnist_study.data import Writers
from mnist_study.figures.style import GREY, Shown, bare, colour, gallery

SOFTMAX = colour("softmax_regression")
OfDigits = Float[np.ndarray, "10"]


def samples(images: Pixels, labels: Labels, writers: Writers) -> Shown:
    """Return the first image of each digit, one row for each population of writers."""
    groups, digits = sorted(set(writers), reverse=True), range(10)
    cells = [(writers == group) & (labels == digit) for group in groups for digit in digits]
    figure = gallery(images[[np.flatnonzero(cell)[0] for cell in cells]])
    for axis, group in zip(figure.axes[::10], groups, strict=True):
        axis.set_ylabel(group)
    title = f"Ten digits from each group of writers: {', '.join(groups)}"
    alt = f"The digits 0 to 9, one row for each group of writers: {', '.join(groups)}."
    return Shown(figure, title, alt, "sample_digits.png")


def mean_digits(means: Float[np.ndarray, "10 784"], accuracy: float) -> Shown:
    """Return the mean image of each digit; accuracy: of predicting the nearest one's digit."""
    figure = gallery(np.reshape(means, (-1, 28, 28)))
    title = f"Predicting the digit with the nearest mean has a test accuracy of {accuracy:.1%}"
    alt = "Ten blurred digits, 0 to 9: the mean of all training images of each."
    return Shown(figure, title, alt, "mean_digits.png")


def one_step(
    image: Float[np.ndarray, "784"], before: OfDigits, after: OfDigits, label: int
) -> Shown:
    """Return a digit and its ten probabilities before and after one step of gradient descent."""
    figure, axes = plt.subplots(1, 3, figsize=(8, 1.9), width_ratios=(1, 2, 2))
    bare(axes[0])
    axes[0].imshow(image.reshape(28, 28), cmap="gray_r")
    draw_probabilities(axes[1], "before", before, label)
    draw_probabilities(axes[2], "after one step", after, label)
    change = f"from {before[label]:.0%} to {after[label]:.0%}"
    title = f"One step of gradient descent takes the probability of {label} {change}"
    alt = f"A handwritten {label}, and its ten probabilities as bars before and after the step."
    return Shown(figure, title, alt, "one_step.png")


def draw_probabilities(axis: Axes, title: str, probabilities: OfDigits, label: int) -> None:
    """Draw ten probabilities as bars, the label's in colour."""
    axis.bar(range(10), probabilities, color=GREY)[label].set_color(SOFTMAX)
    axis.set(title=title, xlabel="digit", ylabel="probability", xticks=range(10), ylim=(0, 1))
    axis.yaxis.set_major_formatter("{x:.0%}")


def descent(losses: Sequence[float]) -> Shown:
    """Return the loss by step of gradient descent; losses: the first one before any step."""
    figure, axis = plt.subplots(figsize=(8, 2.1))
    axis.plot(losses, color=SOFTMAX)
    axis.set(xlabel="step", ylabel="mean loss", ylim=(0, None))
    change = f"from {losses[0]:.2f} to {losses[-1]:.2f}"
    title = f"{len(losses) - 1} steps of gradient descent take the loss {change}"
    alt = f"The mean loss as a line over the steps of gradient descent, {change}."
    return Shown(figure, title, alt, "descent.png")


def weights(matrix: Float[np.ndarray, "784 10"]) -> Shown:
    """Return the weights of each digit's logit as a picture, all on one scale with zero white."""
    largest = float(np.abs(matrix).max())
    titles = [f"logit of {digit}" for digit in range(10)]
    pictures = matrix.T.reshape(-1, 28, 28)
    figure = gallery(pictures, titles, cmap="RdBu_r", vmin=-largest, vmax=largest)
    title = "Ink on red pixels raises the logit of a digit, ink on blue pixels lowers it"
    alt = "Ten pictures of weights, one for each digit: positive ones red, negative ones blue."
    return Shown(figure, title, alt, "softmax_weights.png")
