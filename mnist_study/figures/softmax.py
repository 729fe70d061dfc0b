"""Figures of pixels and softmax regression; all show what a run of the notebook computes."""

from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from mnist_study.arrays import Labels, Pixels
from mnist_study.data import Writers
from mnist_study.figures.style import GREY, SMALL, WIDTH, Shown, bare, colour, gallery

SOFTMAX = colour("softmax_regression")
SIDE = 3  # inches of the picture with its pixel values
GRID = 21  # points on each side of the drawn surface
OfDigits = Float[np.ndarray, "10"]
Weights = Float[np.ndarray, "784 10"]


def samples(images: Pixels, labels: Labels, writers: Writers) -> Shown:
    """Return the first image of each digit, one row for each population of writers."""
    groups, digits = sorted(set(writers), reverse=True), range(10)
    cells = [(writers == group) & (labels == digit) for group in groups for digit in digits]
    figure = gallery(images[[np.flatnonzero(cell)[0] for cell in cells]])
    for axis, group in zip(figure.axes[::10], groups, strict=True):
        axis.set_ylabel(group, fontsize=SMALL)
    title = "Ten digits from each group of writers"
    alt = f"The digits 0 to 9, one row for each group of writers: {', '.join(groups)}."
    return Shown(figure, title, alt, "sample_digits.png")


def pixels(image: Float[np.ndarray, "28 28"] | np.ndarray, label: int) -> Shown:
    """Return the middle of an image (28, 28) of 0 to 255, with each pixel's value over it."""
    middle = image[8:20, 8:20]
    figure, axis = plt.subplots(figsize=(SIDE, SIDE + 0.4))
    axis.imshow(middle, cmap="gray_r", vmin=0, vmax=255)
    for (row, column), value in np.ndenumerate(middle):
        shade = "white" if value > 127 else "black"
        axis.text(column, row, str(value), ha="center", va="center", size=7, color=shade)
    bare(axis)
    title = f"To a computer this {label} is a table: 0 is paper, 255 is ink"
    alt = f"The middle of a handwritten {label}, its 12 by 12 pixels overprinted with their values."
    return Shown(figure, title, alt, "pixels.png")


def mean_digits(means: Float[np.ndarray, "10 784"], accuracy: float) -> Shown:
    """Return the mean image of each digit; accuracy: of predicting the nearest one's digit."""
    figure = gallery(np.reshape(means, (-1, 28, 28)))
    title = f"The nearest mean has a validation accuracy of {accuracy:.0%}"
    alt = "Ten blurred digits, 0 to 9: the mean of all training images of each."
    return Shown(figure, title, alt, "mean_digits.png")


def loss_curve() -> Shown:
    """Return the loss of a prediction by the probability that it gives the label."""
    figure, axis = plt.subplots(figsize=(WIDTH, 1.6))
    shares = np.linspace(0.005, 1, 200)
    axis.plot(shares, -np.log(shares), color=SOFTMAX)
    for share in (0.1, 0.9):
        axis.plot(share, -np.log(share), "o", color=SOFTMAX)
        place = (share, -np.log(share))
        axis.annotate(f"{-np.log(share):.2f}", place, (6, 6), textcoords="offset points")
    axis.set(xlabel="probability of the label, $p$", ylabel="loss, $-\\log p$", ylim=(0, 5))
    axis.set_xticks([0, 0.1, 0.5, 0.9, 1])
    title = "The loss is large where the label got a small probability"
    alt = "A curve that falls from 5 to 0 while the probability of the label rises from 0 to 1."
    return Shown(figure, title, alt, "loss_curve.png")


def one_step(
    image: Float[np.ndarray, "784"], before: OfDigits, after: OfDigits, label: int
) -> Shown:
    """Return a digit and its ten probabilities before and after one step of gradient descent."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.6), width_ratios=(1, 2.6))
    bare(left)
    left.imshow(image.reshape(28, 28), cmap="gray_r")
    places = np.arange(10)
    right.bar(places - 0.2, before, 0.4, color=GREY, label="before")
    right.bar(places + 0.2, after, 0.4, color=SOFTMAX, label="after")
    right.set(xlabel="digit", ylabel="probability", xticks=places)
    right.yaxis.set_major_formatter("{x:.2f}")
    right.set(ylim=(0, 1.4 * max(*before, *after)))
    right.legend(fontsize=SMALL, ncols=2, loc="upper left")
    change = f"from {before[label]:.3f} to {after[label]:.3f}"
    title = f"One step for one digit raises the probability of {label} {change}"
    alt = f"A handwritten {label}, and its ten probabilities as bars before and after the step."
    return Shown(figure, title, alt, "one_step.png")


def draw_surface(axis: Axes, loss: Callable[[Weights], float], path: Sequence[Weights]) -> None:
    """Draw the loss over the plane through the path's first, middle and last weights, and the path.

    loss: from weights to the mean loss.
    """
    start, end = path[0], path[-1]
    first = end - start
    second = path[max(1, len(path) // 8)] - start
    second = second - first * (np.vdot(second, first) / np.vdot(first, first))
    scale = np.linalg.norm(first)
    first, second = first / scale, second / np.linalg.norm(second)
    across, along = np.linspace(-0.2, 1.3, GRID) * scale, np.linspace(-0.5, 0.5, GRID) * scale
    heights = [[loss(start + a * first + b * second) for a in across] for b in along]
    axis.contourf(across, along, np.log(heights), levels=15, cmap="Greys")
    places = [(np.vdot(w - start, first), np.vdot(w - start, second)) for w in path]
    axis.plot(*np.array(places).T, "o-", color=SOFTMAX, markersize=2.5)
    axis.set(xlabel="from first to last weights", ylabel="across", xticks=[], yticks=[])
    axis.grid(False)


def descent(
    losses: Sequence[float], loss: Callable[[Weights], float], path: Sequence[Weights]
) -> Shown:
    """Return the loss by step of gradient descent, and the way of the weights over its surface."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.1))
    left.plot(losses, color=SOFTMAX)
    left.set(xlabel="step", ylabel="mean loss", ylim=(0, None))
    draw_surface(right, loss, path)
    right.set_title("darker: higher loss", fontsize=SMALL)
    change = f"from {losses[0]:.2f} to {losses[-1]:.2f}"
    title = f"Gradient descent lowers the mean loss {change}"
    alt = f"Left: the loss by step, {change}. Right: the way of the weights over a loss surface."
    return Shown(figure, title, alt, "descent.png")


def weights(matrix: Weights) -> Shown:
    """Return the weights of each digit's logit as a picture, all on one scale with zero white."""
    largest = float(np.abs(matrix).max())
    titles, pictures = [f"logit of {digit}" for digit in range(10)], matrix.T.reshape(-1, 28, 28)
    figure = gallery(pictures, titles, columns=5, cmap="RdBu_r", vmin=-largest, vmax=largest)
    figure.set_figheight(2.4)
    title = "Ink on red pixels raises the logit of a digit, ink on blue pixels lowers it"
    alt = "Ten pictures of weights, one for each digit: positive ones red, negative ones blue."
    return Shown(figure, title, alt, "softmax_weights.png")
