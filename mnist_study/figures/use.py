"""Figures of transfer learning and of the digit recogniser; both show what a run computes."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from digit_reader.annotate import annotated
from digit_reader.reading import Reading
from mnist_study.figures.style import SMALL, Shown, gallery

SHADES = ("black", "#E69F00", "#56B4E9", "#999999")  # of ways to learn, which are no models


def transfer(learned: Sequence[Mapping[str, Any]]) -> Shown:
    """Return accuracy by labelled examples and method; learned: of transfer.Learner.compare."""
    table = pd.DataFrame(learned)
    figure, axis = plt.subplots(figsize=(8, 2.8))
    for shade, (method, rows) in zip(SHADES, table.groupby("method", sort=False), strict=False):
        points = rows["examples_per_class"], rows["accuracy_mean"], rows["accuracy_sd"]
        settings = {"capsize": 3, "fmt": "o-", "markersize": 4, "color": shade}
        axis.errorbar(*points, **settings, label=str(method))
    sizes = sorted(set(table["examples_per_class"]))
    axis.set(xscale="log", ylabel="accuracy on UCI's digits")
    axis.set(xlabel="labelled examples of each digit (bars: standard deviation of two draws)")
    axis.set_xticks(sizes, [str(size) for size in sizes])
    axis.minorticks_off()
    axis.yaxis.set_major_formatter("{x:.0%}")
    axis.legend(fontsize=SMALL)
    frozen = table.query("method == 'frozen features' and examples_per_class == 10")
    accuracy = frozen["accuracy_mean"].item()
    title = (
        f"With ten labels of each digit, frozen features classify {accuracy:.1%} of UCI's digits"
    )
    alt = "Accuracy against labelled examples of each digit, one line for each method."
    return Shown(figure, f"{title} correctly", alt, "transfer.png")


def recognition(photo: np.ndarray, reading: Reading) -> Shown:
    """Return a picture of a number, and the same with the digits that the recogniser found."""
    pictures = [photo, np.asarray(annotated(photo, reading))]
    titles = ["a simulated photograph", f"the answer: {reading.answer}"]
    figure = gallery(pictures, titles, columns=2, size=3.4, cmap="gray")
    figure.set_figheight(0.6 + 3.4 * photo.shape[0] / photo.shape[1])
    title = f"The digit recogniser finds {len(reading.digits)} digits and leaves the squares out"
    alt = "A simulated photograph of digits on squared paper, and the same with a box around each."
    return Shown(figure, title, alt, "recognition.png")
