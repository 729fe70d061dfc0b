"""Figures of what a digit is to a computer: samples, means, one step of learning, weights."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float

from mnist_study.arrays import Labels, Pixels
from mnist_study.core.data import Writers
from mnist_study.story.figures.style import GREY, Shown, bare, colour, gallery

OURS = colour("softmax_regression")


def samples(images: Pixels, labels: Labels, writers: Writers) -> Shown:
    """Return the first two of each digit, one row for each population of writers."""
    groups = sorted(set(writers), reverse=True)
    rows = [
        np.flatnonzero((writers == group) & (labels == digit))[0]
        for group in groups
        for digit in range(10)
    ]
    figure = gallery(images[rows], row_names=groups)
    alt = f"The digits 0 to 9 as written by one group of writers a row: {', '.join(groups)}."
    return Shown(figure, "Ten digits, and two groups of writers", alt, "sample_digits.png")


def mean_digits(means: Float[np.ndarray, "10 784"], accuracy: float) -> Shown:
    """Return the mean picture of each digit; accuracy: of reading by the nearest of them."""
    figure = gallery(np.reshape(means, (-1, 28, 28)))
    alt = "Ten blurred digits, 0 to 9: the mean of all training images of each."
    title = f"Whoever answers with the nearest mean reads {accuracy:.1%} of the test digits"
    return Shown(figure, title, alt, "mean_digits.png")


def one_step(
    image: Float[np.ndarray, "784"],
    before: Float[np.ndarray, "10"],
    after: Float[np.ndarray, "10"],
    label: int,
) -> Shown:
    """Return a digit, its ten probabilities before a step of learning, and after it."""
    figure, axes = plt.subplots(
        1, 3, figsize=(8, 1.9), width_ratios=(1, 2, 2), layout="constrained"
    )
    bare(axes[0])
    axes[0].imshow(image.reshape(28, 28), cmap="gray_r")
    shown = (("before", before), ("after one step", after))
    for axis, (moment, shares) in zip(axes[1:], shown, strict=True):
        bars = axis.bar(range(10), shares, color=GREY)
        bars[label].set_color(OURS)
        axis.set(title=moment, xlabel="digit", xticks=range(10), ylim=(0, 1))
        axis.yaxis.set_major_formatter("{x:.0%}")
    axes[1].set_ylabel("probability")
    alt = f"A handwritten {label}; ten bars of equal height; and the bar of {label} above the rest."
    title = f"One step takes this {label} from {before[label]:.0%} to {after[label]:.0%}"
    return Shown(figure, title, alt, "one_step.png")


def descent(losses: Sequence[float]) -> Shown:
    """Return the loss after each step of gradient descent."""
    figure, axis = plt.subplots(figsize=(8, 2.1))
    axis.plot(losses, color=OURS)
    axis.set(xlabel="step", ylabel="mean loss", ylim=(0, None))
    alt = "The loss falls steeply in the first ten steps, then ever more slowly."
    title = f"{len(losses)} steps downhill: the loss goes from {losses[0]:.2f} to {losses[-1]:.2f}"
    return Shown(figure, title, alt, "descent.png")


def weights(found: Float[np.ndarray, "784 10"]) -> Shown:
    """Return the ten weight pictures of softmax regression on one scale, zero white."""
    most = float(np.abs(found).max())
    titles = [f"for {digit}" for digit in range(10)]
    pictures = found.T.reshape(-1, 28, 28)
    figure = gallery(pictures, titles, cmap="RdBu_r", vmin=-most, vmax=most)
    alt = "Ten pictures of weights, 0 to 9, red where ink speaks for the digit, blue where against."
    title = "Red: ink here speaks for the digit. Blue: it speaks against it"
    return Shown(figure, title, alt, "softmax_weights.png")
