"""Figures of what test accuracy hides: corruptions, calibration, subgroups.

Recorded results that they show: error rates under corruptions, with and without augmentation and
re-estimated statistics; each test digit's uncertainty; error rates by population.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from mnist_study import results
from mnist_study.arrays import Images, Labels
from mnist_study.backend import keras
from mnist_study.evaluate import mnist_c
from mnist_study.evaluate.accuracy import predict
from mnist_study.evaluate.robustness import CORRUPTIONS
from mnist_study.figures.style import (
    NEARLY_NONE,
    SMALL,
    WIDTH,
    Shown,
    colour,
    gallery,
    label_point,
)

GROUPS = {"students": ("students", -0.14, "#D55E00")}  # legend, place, colour
GROUPS |= {"census": ("Census employees", 0.14, "#0072B2")}
CURVES = ("blur", "noise", "rotation", "contrast")
STRENGTHS = {"contrast": "contrast shift (1 = inverted)"}  # where a name alone does not say
BINS = 10  # of the confidence, in the reliability diagram
SOME = 60  # digits among which a misclassified one is sought


def corrupted(plain: keras.Model, robust: keras.Model, inputs: Images, labels: Labels) -> Shown:
    """Return a digit under each corruption of MNIST-C, with the predictions of two networks.

    plain: trained without augmentation; robust: with corruptions. Where there is one, it shows a
    digit that the first misclassifies, among SOME.
    """
    images, titles = [], []
    for name in mnist_c.CORRUPTIONS:
        changed = mnist_c.corrupted(name, inputs[:SOME])
        said = [predict(model, changed).argmax(1) for model in (plain, robust)]
        wrong = np.flatnonzero(said[0] != labels[:SOME])
        index = wrong[0] if len(wrong) else len(images)
        images.append(changed[index, ..., 0])
        titles.append(f"{name.replace('_', ' ')}\n{said[0][index]} | {said[1][index]}")
    note = "below each name: what baseline_mlp | dense_dropout predict\n"
    note += "each digit: the first that baseline_mlp misclassifies, if any"
    figure = gallery(images, titles, columns=5, note=note, vmin=0, vmax=1)
    figure.set_figheight(3.8)
    title = "MNIST-C: fifteen corruptions meant to leave the digit readable"
    alt = "Fifteen corrupted digits, each with the predictions of two networks."
    return Shown(figure, title, alt, "corrupted_digits.png")


def robustness() -> Shown:
    """Return accuracy by the strength of four corruptions, one line for each model."""
    figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 3), sharey=True)
    for axis, kind in zip(axes.flat, CURVES, strict=True):
        [of] = [c for c in CORRUPTIONS if c.name.startswith(kind)]
        for name in results.EVALUATED:
            accuracies = results.corrupted_accuracy(name)[of.name]
            axis.plot(of.strengths, accuracies, "o-", color=colour(name), label=name)
        axis.set(xlabel=STRENGTHS.get(kind, of.name), ylabel="accuracy", ylim=(0, 1.02))
        axis.yaxis.set_major_formatter("{x:.0%}")
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), ncols=2, fontsize=SMALL, loc="outside lower center"
    )
    title = "Trained with corruptions, dense_dropout withstands blur, noise and contrast shift"
    alt = "Accuracy by the strength of blur, noise, rotation and contrast shift, a line a model."
    return Shown(figure, title, alt, "robustness.png", recorded=True)


def mnist_c_errors() -> Shown:
    """Return the error rate under each of MNIST-C's corruptions, a dot for each model."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3.9))
    order = sorted(
        mnist_c.CORRUPTIONS, key=lambda name: -np.mean(results.mnist_c("dense_clean")[name])
    )
    order = [*order, "all"]
    for model in results.EVALUATED:
        rates = [100 * np.mean(results.mnist_c(model)[name]) for name in order]
        axis.plot(rates, range(len(order)), "o", color=colour(model), label=model, markersize=5)
    rates = [100 * np.mean(results.mnist_c("dense_clean", "mnist_c_reestimated")[n]) for n in order]
    label = "dense_clean, statistics re-estimated"
    shade = colour("dense_clean")
    axis.plot(
        rates, range(len(order)), "o", color=shade, fillstyle="none", label=label, markersize=6
    )
    names = [name.replace("_", " ") for name in order[:-1]]
    axis.set_yticks(range(len(order)), [*names, "mean of all"], fontsize=SMALL)
    axis.set(xscale="log", xlim=(0.3, 100), ylim=(len(order) - 0.4, -0.6))
    axis.set_xticks([0.5, 1, 2, 5, 10, 20, 50], ["0.5", "1", "2", "5", "10", "20", "50"])
    axis.set(xlabel="error rate on 2,000 corrupted test digits, %")
    axis.minorticks_off()
    figure.legend(fontsize=SMALL, ncols=2, loc="outside lower center")
    before, after = (np.mean(results.mnist_c(n)["all"]) for n in ("dense_clean", "dense_dropout"))
    title = f"Training with corruptions lowers the mean error from {before:.0%} to {after:.1%}"
    alt = "Error rates under each corruption, a dot for each model."
    return Shown(figure, title, alt, "mnist_c.png", recorded=True)


def families() -> Shown:
    """Return for each family of corruptions the error on it, by what was trained on.

    Geometry is left out: affine and elastic augmentation stay, so no training is without it.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 2.3))
    table = {family: of for family, of in results.left_out().items() if of.none is not None}
    marks = {"none": ("no corruptions", "#999999")}
    marks |= {"others": ("all other families", "#E69F00"), "all": ("all families", "#0072B2")}
    for key, (label, shade) in marks.items():
        rates = np.array([getattr(of, key) for of in table.values()])  # a column for each seed
        places = np.repeat(range(len(table)), rates.shape[1])
        axis.plot(100 * rates.ravel(), places, "o", color=shade, markersize=6, label=label)
    axis.set_yticks(range(len(table)), [*table])
    axis.set(xscale="log", xlim=(1, 110), ylim=(len(table) - 0.5, -0.5))
    axis.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
    axis.minorticks_off()
    axis.set(xlabel="error rate on validation digits under these corruptions, %")
    figure.legend(title="trained on", fontsize=SMALL, ncols=3, loc="outside lower center")
    helped = sum(row.helps for row in table.values())
    title = f"Augmentation helps against {helped} of {len(table)} "
    title += "families of corruptions left out of training"
    alt = "For each family of corruptions the seeds' errors after training on none, others, all."
    return Shown(figure, title, alt, "families.png", recorded=True)


def draw_reliability(axis: Axes, name: str) -> None:
    """Draw accuracy by confidence of all seeds' test digits as bars, with their numbers."""
    confidence, wrong = (
        1 - results.uncertainty(name).ravel(),
        results.misclassified(results.evaluated(name)).ravel(),
    )
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    axis.plot([0, 1], [0, 1], "--", color="gray", linewidth=1)
    for number in np.unique(place):
        here, middle = place == number, (number + 0.5) / BINS
        accuracy = 1 - wrong[here].mean()
        axis.bar(middle, accuracy, 0.9 / BINS, color=colour(name))
        # The checker wants an import, which would call for a new run: with the next one.
        inside: dict[str, Any] = {"rotation": 90, "color": "white", "ha": "center", "size": 8}  # pyright: ignore[reportUndefinedVariable]
        axis.text(middle, 0.03, f"{here.sum():,}", **inside)
    axis.set(xlabel="confidence", ylabel="accuracy", xlim=(0.2, 1.05), ylim=(0, 1.12))
    axis.set_title(f"test digits of {len(results.each(name))} seeds, pooled", fontsize=SMALL)


def draw_risk(axis: Axes, name: str) -> None:
    """Draw the error rate of the least uncertain digits against their share, all seeds together."""
    order = np.argsort(results.uncertainty(name).ravel(), kind="stable")
    errors = results.misclassified(results.evaluated(name)).ravel()[order].cumsum()
    counts = np.arange(1, len(order) + 1)
    axis.plot(counts / len(order), errors / counts + NEARLY_NONE, color=colour(name), label=name)


def calibration(name: str = results.OURS) -> Shown:
    """Return a reliability diagram, and the risk by coverage of selective classification."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.7))
    draw_reliability(left, name)
    for model in results.EVALUATED:
        draw_risk(right, model)
    coverage = results.over_seeds(name, "reliability", "coverage")["mean"]
    error = results.over_seeds(name, "reliability", "error")["mean"]
    right.plot(coverage, error + NEARLY_NONE, "k*", markersize=9, label="threshold")
    right.set_xlabel("share classified (coverage)", fontsize=SMALL)
    right.set_ylabel("error rate (risk)", fontsize=SMALL)
    right.set(yscale="log", xlim=(0.85, 1.005), ylim=(1e-5, 0.03))
    right.set_yticks([NEARLY_NONE, 1e-4, 1e-3, 1e-2], ["0", "0.01%", "0.1%", "1%"])
    figure.legend(
        *right.get_legend_handles_labels(), fontsize=SMALL, ncols=3, loc="outside lower center"
    )
    title = f"Abstaining on {1 - coverage:.1%} of the digits leaves an error rate of {error:.2%}"
    alt = "Left: accuracy by confidence as bars. Right: error rate by share of digits classified."
    return Shown(figure, title, alt, "calibration.png", recorded=True)


def subgroups() -> Shown:
    """Return both populations' error rates for each model, with confidence intervals."""
    models = results.MODELS
    figure, axis = plt.subplots(figsize=(WIDTH, 2.4))
    for group, (label, beside, shade) in GROUPS.items():
        for place, name in enumerate(models):
            record = results.subgroups(name)[group]
            rate, (low, high) = 100 * record["errors"] / record["n"], record["ci95"]
            axis.hlines(place + beside, 100 * low, 100 * high, color=shade, linewidth=3, alpha=0.5)
            axis.plot(rate, place + beside, "o", color=shade, label=label if not place else None)
            label_point(axis, f"{rate:.2f}%", (100 * high, place + beside), (4.0, 0.0), shade)
    axis.set(xscale="log", xlim=(0.1, 30), ylim=(len(models) - 0.5, -0.5))
    axis.set_yticks(range(len(models)), models)
    axis.set_xticks([0.1, 1, 10], ["0.1%", "1%", "10%"])
    axis.set(xlabel="misclassified test digits (95% confidence interval)")
    axis.legend(fontsize=SMALL)
    ratios = [results.subgroups(name)["ratio"] for name in models]
    title = f"Students' digits are misclassified {min(ratios):.1f} to {max(ratios):.1f} "
    title += "times as often as Census employees'"
    alt = "Error rates of students' and Census employees' digits for four models."
    return Shown(figure, title, alt, "error_by_subgroup.png", recorded=True)
