"""Figures of transfer learning and of the digit recogniser; both show what a run computes."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from digit_reader.annotate import annotated
from digit_reader.reading import Reading
from mnist_study.figures.style import SMALL, WIDTH, Shown, gallery

SHADES = ("black", "#E69F00", "#56B4E9", "#999999")  # of ways to learn, which are no models


def transfer(learned: Sequence[Mapping[str, Any]]) -> Shown:
    """Return accuracy by labelled examples and method; learned: of transfer.Learner.compare."""
    table = pd.DataFrame(learned)
    figure, axis = plt.subplots(figsize=(WIDTH, 2.4))
    for shade, (method, rows) in zip(SHADES, table.groupby("method", sort=False), strict=False):
        sizes, accuracy = rows["examples_per_class"], rows["accuracy_mean"]
        axis.errorbar(
            sizes,
            accuracy,
            rows["accuracy_sd"],
            fmt="o-",
            capsize=3,
            color=shade,
            label=str(method),
        )
    figure.legend(fontsize=SMALL, ncols=4, loc="outside lower center")
    sizes = sorted(set(table["examples_per_class"]))
    axis.set(xscale="log", ylabel="accuracy on UCI's digits", xlim=(0.9, 1.1 * sizes[-1]))
    axis.set(xlabel="labelled examples of each digit (bars: sd of two draws)")
    axis.set_xticks(sizes, [str(size) for size in sizes])
    axis.minorticks_off()
    axis.yaxis.set_major_formatter("{x:.0%}")
    frozen = table.query("method == 'frozen features' and examples_per_class == 10")
    accuracy = frozen["accuracy_mean"].item()
    title = f"With ten labelled examples of each digit, frozen features classify {accuracy:.1%}"
    alt = "Accuracy against labelled examples of each digit, one line for each method."
    return Shown(figure, f"{title} of UCI's digits correctly", alt, "transfer.png")


def recognition(photo: np.ndarray, reading: Reading) -> Shown:
    """Return a picture of a number with the digits that the recogniser found.

    It shows the rows around the digits.
    """
    tops, bottoms = zip(*[(digit.box[1], digit.box[3]) for digit in reading.digits], strict=True)
    margin = 0.7 * (max(bottoms) - min(tops))
    ends = max(0, min(tops) - margin), min(1, max(bottoms) + margin)
    rows = slice(*[round(end * photo.shape[0]) for end in ends])
    picture = np.asarray(annotated(photo, reading))[rows]
    figure = gallery([picture], [f"the answer: {reading.answer}"], columns=1, cmap="gray")
    height, width = picture.shape[:2]
    figure.set_figheight(0.7 + figure.get_figwidth() * height / width)
    title = f"The digit recogniser finds {len(reading.digits)} digits and leaves the squares out"
    alt = "A simulated photograph of digits on squared paper, with a box around each."
    return Shown(figure, title, alt, "recognition.png")
