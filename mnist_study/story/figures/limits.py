"""Figures of what the benchmark hides: who is misread, when to believe it, when it breaks."""

import itertools
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from mnist_study.arrays import Images, Labels
from mnist_study.core.backend import keras
from mnist_study.core.evaluate import probabilities
from mnist_study.records import summary
from mnist_study.story import judged
from mnist_study.story.figures.style import NEARLY_NONE, Shown, colour, gallery
from mnist_study.trials.robustness import DAMAGES

TAUGHT = {
    "taught_by_census": "taught by Census employees",
    "taught_by_both": "taught by half of each",
    "taught_by_students": "taught by students",
}
GROUPS = {"students": "#D55E00", "census": "#0072B2"}
HALVINGS = 8  # of the digits by doubt, so that each point of the curve rests on many
TRIED = 320  # test digits among which one is sought that damage makes misread


def who() -> Shown:
    """Return the error rates of both populations by who taught, with intervals."""
    figure, axis = plt.subplots(figsize=(8, 2.2))
    found = {name: summary.populations(name) for name in TAUGHT}
    for place, of_model in enumerate(found.values()):
        for (group, shade), beside in zip(GROUPS.items(), (-0.12, 0.12), strict=True):
            part = of_model[group]
            rate = 100 * part["errors"] / part["n"]
            low, high = 100 * np.array(part["ci95"])
            axis.plot([low, high], [place + beside] * 2, color=shade, linewidth=3, alpha=0.5)
            label = f"{'students' if group == 'students' else 'Census employees'}' digits"
            axis.plot(rate, place + beside, "o", color=shade, label=None if place else label)
            said: dict[str, Any] = {"color": shade, "fontsize": 8, "textcoords": "offset points"}
            axis.annotate(f"{rate:.2f}%", (high, place + beside), (4, -3), **said)
    axis.set_yticks(range(len(TAUGHT)), [*TAUGHT.values()])
    axis.invert_yaxis()
    axis.set(
        xlim=(0, 1.08 * axis.get_xlim()[1]),
        xlabel="misread test digits, % (bars: 95% over seeds and writers)",
    )
    axis.legend(fontsize=8, loc="lower right")
    ratio = found["taught_by_both"]["ratio"]
    title = f"With equal shares students' digits are still misread {ratio:.1f} times as often"
    alt = "Error rates of students' and Census employees' digits, for three sorts of teachers."
    return Shown(figure, title, alt, "who_is_misread.png", kept=True)


def calibration(axis: Axes, name: str) -> None:
    """Draw the share misread against the doubt told, over halves of halves of the digits."""
    told = judged.doubt(name).ravel()
    wrong = summary.wrong(name).ravel()
    order, points, flawless = np.argsort(-told, kind="stable"), [], 0
    ends = [len(order) >> n for n in range(HALVINGS + 1)]
    for high, low in itertools.pairwise([*ends, 0]):
        rows = order[low:high]
        if wrong[rows].any():
            points.append((told[rows].mean(), wrong[rows].mean(), len(rows)))
        else:
            flawless += len(rows)
    for doubt, share, number in points:
        axis.plot(doubt, share, "o", color=colour(name), markersize=5)
        axis.annotate(f"{number:,}", (doubt, share), (6, -6), textcoords="offset points", size=7)
    axis.text(1.3e-4, 2e-4, f"none of {flawless:,}", fontsize=8)
    axis.plot([1e-4, 1], [1e-4, 1], "--", color="gray", linewidth=1)
    axis.set(xscale="log", yscale="log", xlabel="stated doubt", ylabel="share misread")
    axis.set(title=f"{name}, digits by doubt", xlim=(1e-4, 1), ylim=(1e-4, 1.2))


def risk(axis: Axes, name: str) -> None:
    """Draw the errors among the least doubted digits against their share, all seeds together."""
    told = judged.doubt(name).ravel()
    order = np.argsort(told, kind="stable")
    wrong = summary.wrong(name).ravel()[order]
    read = np.arange(1, len(order) + 1)
    axis.plot(
        read / len(order), wrong.cumsum() / read + NEARLY_NONE, color=colour(name), label=name
    )


def trust(name: str = "dense_dropout") -> Shown:
    """Return calibration and the price of reading more digits, over the kept nets."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3))
    calibration(left, name)
    for model in judged.JUDGED:
        risk(right, model)
    coverage = judged.over_seeds(name, "doubts", "coverage")["mean"]
    error = judged.over_seeds(name, "doubts", "error")["mean"]
    right.plot(coverage, error + NEARLY_NONE, "k*", markersize=10, label=f"{name}'s threshold")
    right.set(xlabel="share of digits that it reads itself", ylabel="share misread of these")
    right.set(yscale="log", xlim=(0.8, 1.005), ylim=(1e-5, 0.03), title="the doubtful to a person")
    right.set_yticks([NEARLY_NONE, 1e-4, 1e-3, 1e-2], ["none", "0.01%", "0.1%", "1%"])
    right.legend(fontsize=8)
    title = f"With {1 - coverage:.1%} handed to a person, {error:.3%} of the rest are misread"
    alt = "Left: share misread against the doubt told. Right: errors against the share read."
    return Shown(figure, title, alt, "calibration.png", kept=True)


def short(damage: str) -> tuple[str, str]:
    """Return a damage's name and unit in a word each."""
    name, _, unit = damage.partition(", ")
    name = name.replace(" strokes", "").replace("inverted contrast", "grey paper")
    return name, unit.replace("standard deviation", "dev.").replace("share of size", "share")


def first_broken(
    model: keras.Model, spoilt: Images, whole: Images, labels: Labels
) -> tuple[np.ndarray, str]:
    """Return the first image that is read right whole and misread spoilt, and what it is read as.

    Where there is none, the first image.
    """
    before, after = (probabilities(model, images).argmax(1) for images in (whole, spoilt))
    broken = np.flatnonzero((before == labels) & (after != labels))
    row = broken[0] if len(broken) else 0
    return spoilt[row, ..., 0], f"{labels[row]} → {after[row]}"


def damage(model: keras.Model, inputs: Images, labels: Labels) -> Shown:
    """Return for each damage the first test digit that it makes misread, when 95% still pass."""
    strengths, images, titles = judged.breaking("dense_dropout"), [], []
    whole, labels = inputs[:TRIED], labels[:TRIED]
    for kind in DAMAGES:
        strength = strengths[kind.name] or kind.strengths[-1]
        spoilt = np.asarray(kind.spoil(whole, strength), np.float32)
        image, said = first_broken(model, spoilt, whole, labels)
        images.append(image)
        name, unit = short(kind.name)
        titles.append(f"{name}\n{strength:g} {unit}\n{said}")
    figure = gallery(images, titles, columns=10, size=0.8, vmin=0, vmax=1)
    title = "Damaged so far that it reads fewer than 95%: the first digit that each damage costs"
    alt = "Ten damaged digits, each with the damage, its label and what the network reads."
    return Shown(figure, title, alt, "damaged_digits.png")


def damage_table() -> Shown:
    """Return the table of the strength of each damage at which a model reads just 95%."""
    borne = {name: judged.borne(name) for name in judged.JUDGED}
    table = np.array([[borne[name][kind.name] for kind in DAMAGES] for name in borne])
    figure, axis = plt.subplots(figsize=(8, 1.9))
    open_ended = {name: judged.breaking(name) for name in judged.JUDGED}
    shades: dict[str, Any] = {"cmap": "RdYlBu", "vmin": 0, "vmax": 1, "aspect": "auto"}
    shades["alpha"] = 0.55  # so that the figures can be read
    axis.imshow(table / table.max(0), **shades)
    for (row, column), strength in np.ndenumerate(table):
        limit = open_ended[judged.JUDGED[row]][DAMAGES[column].name]
        said = f"{strength:.2g}" if limit else f"≥ {strength:.2g}"
        axis.text(column, row, said, ha="center", va="center", fontsize=9)
    names = ["\n".join(short(kind.name)) for kind in DAMAGES]
    axis.set_xticks(range(len(names)), names, fontsize=8)
    axis.set_yticks(range(len(borne)), [*borne])
    axis.set_xlabel("strength at which a model reads just 95%; blue bears most", fontsize=8)
    axis.grid(False)
    axis.spines[:].set_visible(False)
    blur = [borne[name]["blur, pixels"] for name in ("dense_dropout", "classic_mlp")]
    title = "At blur of {:.1f} pixels dense_dropout reads just 95%; the plain recipe, at {:.1f}"
    alt = "For ten damages and three models the strength at which 95% are still read."
    return Shown(figure, title.format(*blur), alt, "robustness.png", kept=True)
