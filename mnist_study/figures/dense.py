"""Figures of the better network: augmentation, schedule, ablation study.

Recorded results that they show: errors of each step of the ablation study and their changes.
"""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np

from mnist_study import results
from mnist_study.augment import SHARED, augment
from mnist_study.corrupt import BATCH, Family, corrupt
from mnist_study.experiments import ABLATION, TITLES
from mnist_study.figures import style
from mnist_study.figures.style import COLOURS, GREY, SMALL, WIDTH, Shown

COPIES = 8  # of each kind of augmentation
SHOWN_STEPS = 400  # points of the drawn schedule
# What the last steps of the ablation study add; the titles of the others say it themselves.
STEPS = TITLES | {"dense_clean": "+ 50 epochs (dense_clean)"}
STEPS |= {"dense_dropout": "+ corruptions (dense_dropout)"}


def augmentations(image: np.ndarray, seed: int) -> Shown:
    """Return copies of an image (28, 28, 1): rows of affine, elastic, and each family's ones."""
    copies, seeds = np.repeat(image[np.newaxis], COPIES * SHARED, axis=0), np.array([seed, 0])
    rows = [augment(copies, seeds, 1.0, 0.0)[::SHARED], augment(copies, seeds, 0.0, 1.0)[::SHARED]]
    batch = np.repeat(image[np.newaxis], COPIES * BATCH, axis=0)
    for family in Family:
        corrupted = np.asarray(corrupt(batch, seeds, (family,)))
        changes = np.abs(corrupted - batch).max((1, 2, 3))  # an eighth of the copies is corrupted
        rows.append(corrupted[np.argsort(-changes, kind="stable")[: len(batch) // 8 : BATCH // 8]])
    figure = style.gallery(np.concatenate(rows), columns=COPIES, vmin=0, vmax=1)
    names = ("affine", "elastic", *Family)
    for axis, name in zip(figure.axes[::COPIES], names, strict=True):
        axis.set_ylabel(name, fontsize=SMALL, rotation=0, ha="right", va="center")
    figure.set_figheight(len(names) * 0.45 + 0.4)
    title = "Augmentation: affine, elastic and corrupted copies keep their label"
    alt = "A digit in many augmented copies: tilted, wavy, noisy, blurred, grey, half covered."
    return Shown(figure, title, alt, "augmentation.png")


def schedule(rate: Callable[[int], float], steps: int) -> Shown:
    """Return the learning rate by step of training."""
    figure, axis = plt.subplots(figsize=(WIDTH, 1.3))
    places = np.linspace(0, steps, SHOWN_STEPS).astype(int)
    axis.plot(places, [float(rate(int(place))) for place in places], color=COLOURS[results.OURS])
    axis.set(xlabel="training step", ylabel="learning rate")
    title = "The learning rate warms up for a tenth of the steps, then decays as a cosine"
    alt = "The learning rate by step: a short rise, then a slow fall to zero."
    return Shown(figure, title, alt, "schedule.png")


def ablation() -> Shown:
    """Return the ablation study: mean errors of each step as bars, and each step's change."""
    figure, axis = plt.subplots(figsize=(WIDTH, 4.3))
    changes = results.ablation_changes()
    for place, name in enumerate(ABLATION):
        errors, change = results.misclassified(name).sum(1), changes.get(name)
        shade = COLOURS[results.OURS] if not change or change.certain else GREY
        axis.barh(place, errors.mean(), 0.42, color=COLOURS.get(name, shade))
        axis.plot(errors, [place] * len(errors), "|", color="black", markersize=6)
        told = f"{errors.mean():.0f} errors"
        if change:
            text = f" ({change.value:+.0%}; {100 * change.low:+.0f} to {100 * change.high:+.0f})"
            told += text.replace("-", "\N{MINUS SIGN}")
        axis.text(28, place - 0.28, f"{STEPS[name]}: {told}", fontsize=SMALL, va="bottom")
    axis.set(xscale="log", xlim=(28, 900), ylim=(len(ABLATION) - 0.6, -0.8), yticks=[])
    axis.set_xticks([30, 50, 100, 200, 500], ["30", "50", "100", "200", "500"])
    axis.set(xlabel="misclassified of 10,000 test digits (a tick for each seed)")
    axis.minorticks_off()
    certain = sum(change.certain and change.high < 0 for change in changes.values())
    title = f"{certain} of {len(changes)} steps significantly reduce the test errors"
    alt = "Bars of test errors from softmax regression to dense_dropout, step by step."
    return Shown(figure, title, alt, "ablation.png", recorded=True)
