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
from mnist_study.figures.style import SMALL, Shown, gallery

IMAGES = 10_000  # of MNIST's test set, which recorded indices refer to


def puzzle(images: Pixels) -> Shown | None:
    """Return the hard test digits, numbered; None without MNIST's test images."""
    if len(images) < IMAGES:
        return None
    indices = results.hard_digits()
    titles = [str(number) for number in range(1, len(indices) + 1)]
    figure = gallery(images[indices], titles, columns=8, size=1)
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
        pairs = zip(*np.unique(of_image, return_counts=True), strict=True)
        said = [f"{count}× {digit}" for digit, count in pairs]
        said = ", ".join(said) if len(said) > 1 else f"all predict {of_image[0]}"
        mark = "?" if index in CONTESTED else ""
        titles.append(f"{number}: label {labels[index]}{mark}\n{said}")
    errors = (predicted != labels[indices]).sum(1).mean()
    title = (
        f"{len(predicted)} networks misclassify {errors:.0f} of these {len(indices)} hard digits"
    )
    alt = "The hard digits with labels (? if contested) and the networks' predictions."
    figure = gallery(images[indices], titles, columns=8, size=1)
    return Shown(figure, f"{title} on average", alt, "answers.png", recorded=True)


def confusion(labels: Labels, predicted: Labels, name: str) -> Shown:
    """Return the confusion matrix: a row for each label, a column for each prediction."""
    figure, axis = plt.subplots(figsize=(4.8, 3.9))
    settings: dict[str, Any] = {"colorbar": False, "cmap": "Oranges", "text_kw": {"size": SMALL}}
    settings["im_kw"] = {"norm": "symlog"}  # shows single errors, too
    counts = ConfusionMatrixDisplay.from_predictions(
        labels, predicted, labels=range(10), ax=axis, **settings
    ).confusion_matrix
    for text in axis.texts:
        text.set_visible(text.get_text() != "0")
    axis.set(xlabel="predicted", ylabel="label")
    axis.grid(False)
    errors = counts - np.diag(np.diag(counts))
    title = f"{name} makes {errors.sum()} errors, at most {errors.max()} of a kind"
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
    counts, errors = correct.sum(0), (~correct).sum(1)
    titles = [f"{n}\n{count} of {len(correct)}" for n, count in zip(shown, counts, strict=True)]
    note = "above each digit: its label, and how many networks predict it"
    figure = gallery(images[CONTESTED], titles, columns=len(CONTESTED), size=0.55, note=note)
    title = f"{len(correct)} networks misclassify {errors.min()} to {errors.max()} of these"
    title += f" {len(CONTESTED)} digits with contested labels"
    alt = "Digits with contested labels; above each its label, and how many networks predict it."
    return Shown(figure, title, alt, "label_errors.png", recorded=True)


def most_sampled(
    images: Pixels, labels: Labels, losses: Float[np.ndarray, "n"], count: int = 12
) -> Shown:
    """Return the training digits drawn most often; losses: their running means, by image."""
    indices = np.argsort(-losses, kind="stable")[:count]
    titles = [f"label {label}" for label in labels[indices]]
    figure = gallery(images[indices], titles, columns=count, size=0.68)
    title = "Importance sampling draws these training digits most often"
    alt = f"The {len(indices)} training digits that are drawn most often, with their labels."
    return Shown(figure, title, alt, "most_sampled.png")
