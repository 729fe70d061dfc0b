"""Figures of errors: hard digits, confusions, contested labels, the digits sampled most often.

Recorded results that they show: the test digits that each seed's network misclassifies, with its
predictions, and those it is uncertain about.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from sklearn.metrics import ConfusionMatrixDisplay

from mnist_study import results
from mnist_study.arrays import Labels, Pixels
from mnist_study.data import CONTESTED
from mnist_study.figures.style import SMALL, WIDTH, Shown, gallery

IMAGES = 10_000  # of MNIST's test set, which recorded indices refer to


def puzzle(images: Pixels) -> Shown | None:
    """Return the hard test digits, numbered; None without MNIST's test images."""
    if len(images) < IMAGES:
        return None
    indices = results.hard_digits()
    titles = [str(number) for number in range(1, len(indices) + 1)]
    figure = gallery(images[indices], titles, columns=8)
    title = "Which of these digits do you recognise?"
    alt = f"{len(indices)} handwritten digits that are hard to recognise, numbered."
    return Shown(figure, title, alt, "which_digits.png", recorded=True)


def answers(images: Pixels, labels: Labels, name: str = results.OURS) -> Shown | None:
    """Return the hard test digits with labels and recorded predictions, as puzzle does."""
    if len(images) < IMAGES:
        return None
    indices, titles = results.hard_digits(), []
    predicted = results.predictions(name, labels)[:, indices]
    for number, (index, of_image) in enumerate(zip(indices, predicted.T, strict=True), start=1):
        said = ", ".join(str(digit) for digit in dict.fromkeys(of_image.tolist()))
        mark = "?" if index in CONTESTED else ""
        titles.append(f"{number}: {labels[index]}{mark}\n→ {said}")
    errors = (predicted != labels[indices]).sum(1).mean()
    title = (
        f"{len(predicted)} networks misclassify {errors:.0f} of these {len(indices)} hard digits"
    )
    alt = "The hard digits with labels (? if contested) and predictions, wrong ones in orange."
    figure = gallery(images[indices], titles, columns=8)
    for axis, right in zip(figure.axes, (predicted == labels[indices]).all(0), strict=False):
        axis.title.set_color("black" if right else "#D55E00")
    return Shown(figure, f"{title} on average", alt, "answers.png", recorded=True)


def confusion(labels: Labels, predicted: Labels, name: str) -> Shown:
    """Return the confusion matrix: a row for each label, a column for each prediction."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3.3))
    settings: dict[str, Any] = {"colorbar": False, "cmap": "Oranges", "text_kw": {"size": SMALL}}
    display = ConfusionMatrixDisplay.from_predictions(
        labels, predicted, labels=range(10), ax=axis, **settings
    )
    counts = display.confusion_matrix
    errors = np.where(np.eye(10, dtype=bool), 0, counts)
    display.im_.set_data(errors)
    display.im_.set_clim(0, errors.max())
    for text, (row, column) in zip(axis.texts, np.ndindex(10, 10), strict=True):
        text.set_visible(counts[row, column] > 0)
        dark = errors[row, column] > errors.max() / 2
        text.set_color("#777777" if row == column else "white" if dark else "black")
    axis.set(xlabel="predicted", ylabel="label", aspect="auto")
    axis.grid(False)
    title = f"{name} makes {errors.sum()} errors, at most {errors.max()} for one pair of digits"
    alt = "Confusion matrix with counts: labels by row, predictions by column."
    return Shown(figure, title, alt, "confusion_matrix.png")


def label_errors(images: Pixels, labels: Labels, name: str = results.OURS) -> Shown | None:
    """Return the contested test digits: labels, and how many recorded networks predict them.

    None without MNIST's test images.
    """
    if len(images) < IMAGES:
        return None
    shown = labels[CONTESTED]
    correct = results.predictions(name, labels)[:, CONTESTED] == shown
    counts = zip(shown, correct.sum(0), strict=True)
    titles = [f"{label}: {count} of {len(correct)}" for label, count in counts]
    note = "above: the label, and how many of the networks predict that label"
    figure = gallery(images[CONTESTED], titles, columns=8, note=note)
    title = "Label errors: fewer than three of five people agree with these "
    title += f"{len(CONTESTED)} labels"
    alt = "Digits with contested labels; above each its label, and how many networks predict it."
    return Shown(figure, title, alt, "label_errors.png", recorded=True)


def most_sampled(
    images: Pixels, labels: Labels, losses: Float[np.ndarray, "n"], count: int = 10
) -> Shown:
    """Return the training digits drawn most often; losses: their running means, by image."""
    indices = np.argsort(-losses, kind="stable")[:count]
    titles = [f"label {label}" for label in labels[indices]]
    figure = gallery(images[indices], titles, columns=count)
    title = "Importance sampling draws these training digits most often"
    alt = f"The {len(indices)} training digits that are drawn most often, with their labels."
    return Shown(figure, title, alt, "most_sampled.png")
