"""Figures of what can be done with a network: other people's digits, and one's own."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from digit_reader.annotate import annotated
from digit_reader.reading import Reading
from mnist_study.story.figures.style import Shown, gallery

SHADES = ("black", "#E69F00", "#56B4E9", "#999999")  # of ways to learn, which are no models


def transfer(learned: Sequence[Mapping[str, Any]]) -> Shown:
    """Return accuracy by labelled examples and way; learned: of transfer.Learner.compare."""
    table = pd.DataFrame(learned)
    figure, axis = plt.subplots(figsize=(8, 2.8))
    for shade, (way, rows) in zip(SHADES, table.groupby("method", sort=False), strict=False):
        places, means = rows["examples_per_class"], rows["accuracy_mean"]
        bars = {"yerr": rows["accuracy_sd"], "capsize": 3, "fmt": "o-", "markersize": 4}
        axis.errorbar(places, means, **bars, color=shade, label=str(way))
    sizes = sorted(set(table["examples_per_class"]))
    axis.set(
        xscale="log",
        xlabel="labelled examples of each digit (bars: standard deviation of two draws)",
    )
    axis.set(ylabel="UCI's digits read")
    axis.set_xticks(sizes, [str(size) for size in sizes])
    axis.minorticks_off()
    axis.yaxis.set_major_formatter("{x:.0%}")
    axis.legend(fontsize=8)
    frozen = table[(table["method"] == "frozen features") & (table["examples_per_class"] == 10)]
    title = "Ten labels of each digit and frozen features read {:.1%} of UCI's digits".format(
        frozen["accuracy_mean"].item()
    )
    alt = "Accuracy against labelled examples of each digit, a line for each way to learn."
    return Shown(figure, title, alt, "transfer.png")


def reading(photo: np.ndarray, found: Reading) -> Shown:
    """Return a picture of a number, and the same with what the reader found in it."""
    shown = [photo, np.asarray(annotated(photo, found))]
    titles = ["a simulated photograph", f"the answer: {found.answer}"]
    figure = gallery(shown, titles, columns=2, size=3.4, cmap="gray")
    figure.set_figheight(0.6 + 3.4 * photo.shape[0] / photo.shape[1])
    alt = "A made photograph of digits on squared paper, and the same with a box around each."
    title = "Digits are found, squares left out, each one read"
    return Shown(figure, title, alt, "reading.png")
