"""Figures of where the network fails: hard digits, confusions, contested and hard labels."""

import matplotlib.pyplot as plt
import numpy as np
import sklearn.metrics
from jaxtyping import Int

from mnist_study.arrays import Labels, Pixels
from mnist_study.core.data import CONTESTED
from mnist_study.story import judged
from mnist_study.story.figures.style import Shown, gallery

ROWS = 10_000  # of MNIST's test set, whose numbers tell which digits are meant


def puzzle(images: Pixels) -> Shown | None:
    """Return the hard test digits under a number each; None without MNIST's test rows."""
    if len(images) < ROWS:
        return None
    rows = judged.hard_rows()
    titles = [str(number) for number in range(1, len(rows) + 1)]
    alt = "Sixteen handwritten digits that are hard to read, numbered 1 to 16."
    figure = gallery(images[rows], titles, columns=8, size=1)
    return Shown(figure, "Which of these can you read?", alt, "which_digits.png", kept=True)


def answers(images: Pixels, labels: Labels, name: str = "dense_dropout") -> Shown | None:
    """Return the hard test digits with their labels, and what the kept nets read; see puzzle."""
    if len(images) < ROWS:
        return None
    rows, titles = judged.hard_rows(), []
    readings = judged.readings(name, labels)[:, rows]
    for number, (row, read) in enumerate(zip(rows, readings.T, strict=True), start=1):
        digits, counts = np.unique(read, return_counts=True)
        told = [f"{digit} by {count}" for digit, count in zip(digits, counts, strict=True)]
        said = ", ".join(told) if len(told) > 1 else f"all read {digits[0]}"
        disputed = "?" if row in CONTESTED else ""
        titles.append(f"{number}: label {labels[row]}{disputed}\n{said}")
    wrong = (readings != labels[rows]).sum(1).mean()
    title = f"The answers: five nets misread {wrong:.0f} of these sixteen, chosen for being hard"
    alt = "The sixteen digits with their labels, disputed ones marked, and what five nets read."
    return Shown(
        gallery(images[rows], titles, columns=8, size=1), title, alt, "answers.png", kept=True
    )


def confusion(labels: Labels, readings: Labels, name: str) -> Shown:
    """Return the confusion matrix: true digits by row, readings by column."""
    counts: Int[np.ndarray, "10 10"] = sklearn.metrics.confusion_matrix(
        labels, readings, labels=range(10)
    )
    figure, axis = plt.subplots(figsize=(4.8, 3.9))
    shades = {"norm": "symlog"}  # so that single mistakes can be seen, too
    display = sklearn.metrics.ConfusionMatrixDisplay(counts)
    display.plot(ax=axis, colorbar=False, cmap="Oranges", im_kw=shades)
    for text in axis.texts:
        text.set(visible=text.get_text() != "0", fontsize=8)
    axis.set(xlabel="read as", ylabel="label")
    axis.grid(False)
    most = int((counts - np.diag(np.diag(counts))).max())
    wrong = int((labels != readings).sum())
    title = f"{wrong} mistakes of {name}, at most {most} of a kind"
    alt = "Confusion matrix with counts: labels by row, readings by column."
    return Shown(figure, title, alt, "confusion_matrix.png")


def contested(images: Pixels, labels: Labels, name: str = "dense_dropout") -> Shown | None:
    """Return the contested test digits with their labels and how many kept nets agree.

    None without MNIST's test rows.
    """
    if len(images) < ROWS:
        return None
    rows = np.array(CONTESTED)
    readings = judged.readings(name, labels)[:, rows]
    agree = (readings == labels[rows]).sum(0)
    titles = [f"{labels[row]}\n{count} of 5" for row, count in zip(rows, agree, strict=True)]
    wrong = (readings != labels[rows]).sum(1)
    title = f"Five nets misread {wrong.min()} to {wrong.max()} of these 15"
    title += " (under each label: how many nets agree)"
    alt = "Fifteen digits, each with its label and how many of five nets agree with it."
    figure = gallery(images[rows], titles, columns=15, size=0.55)
    return Shown(figure, title, alt, "contested_labels.png", kept=True)


def hard_rows(images: Pixels, labels: Labels, losses: np.ndarray, count: int = 12) -> Shown:
    """Return the training digits that were drawn most often; losses: running means by row."""
    hardest = np.argsort(-losses, kind="stable")[:count]
    titles = [f"label {label}" for label in labels[hardest]]
    figure = gallery(images[hardest], titles, columns=count, size=0.68)
    alt = "The training digits drawn most often, with their labels; some labels look wrong."
    title = "The digits that it looks at most: some of their labels are wrong"
    return Shown(figure, title, alt, "hard_rows.png")
