"""Figures of the better network: augmentation, schedule, ablation study, training time.

Recorded results that they show: errors of each step of the ablation study and their changes;
accuracy and training time of the timed experiments.
"""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np

from mnist_study import results
from mnist_study.augment import SHARED, augment
from mnist_study.corrupt import BATCH, Family, corrupt
from mnist_study.experiments import ABLATION, TITLES
from mnist_study.figures import style
from mnist_study.figures.style import COLOURS, DARK_GREY, GREY, SMALL, WIDTH, Shown

COPIES = 8  # of each kind of augmentation
SHOWN_STEPS = 400  # points of the drawn schedule
# Where labels stand beside their points, in typographic points.
OFFSETS = {"dense_dropout": (6, -6), "dense_clean": (-6, 7), "cnn": (-6, 5)}
OFFSETS |= {"baseline_mlp": (6, 4)}


def augmentations(image: np.ndarray, seed: int) -> Shown:
    """Return copies of an image (28, 28, 1): affine, elastic, and corrupted by each family."""
    copies, seeds = np.repeat(image[np.newaxis], COPIES * SHARED, axis=0), np.array([seed, 0])
    rows = [augment(copies, seeds, 1.0, 0.0)[::SHARED], augment(copies, seeds, 0.0, 1.0)[::SHARED]]
    batch, kinds = np.repeat(image[np.newaxis], 8 * BATCH, axis=0), []
    for family in Family:
        corrupted = np.asarray(corrupt(batch, seeds, (family,)))
        changed = np.flatnonzero(np.abs(corrupted - batch).max((1, 2, 3)) > 0.05)
        kinds += [(corrupted[i], family) for i in changed[:: max(1, len(changed) // 4)][:3]]
    titles = ["affine"] + [""] * (COPIES - 1) + ["elastic"] + [""] * (COPIES - 1)
    titles += [kind if n % 3 == 0 else "" for n, (_, kind) in enumerate(kinds)]
    pictures = [*np.concatenate(rows), *(picture for picture, _ in kinds)]
    figure = style.gallery(pictures, titles, columns=COPIES, vmin=0, vmax=1)
    title = "Augmentation: warped and corrupted, every copy is still the same digit"
    alt = "A digit in many augmented copies: tilted, wavy, noisy, blurred, grey, half covered."
    return Shown(figure, title, alt, "augmentation.png")


def schedule(rate: Callable[[int], float], steps: int) -> Shown:
    """Return the learning rate by step of training."""
    figure, axis = plt.subplots(figsize=(WIDTH, 1.9))
    places = np.linspace(0, steps, SHOWN_STEPS).astype(int)
    axis.plot(places, [float(rate(int(place))) for place in places], color=COLOURS[results.OURS])
    axis.set(xlabel="step of training", ylabel="learning rate")
    title = "The learning rate warms up for a tenth of the steps, then decays as a cosine"
    alt = "The learning rate by step: a short rise, then a slow fall to zero."
    return Shown(figure, title, alt, "schedule.png")


def ablation() -> Shown:
    """Return the ablation study: mean errors of each step as bars, and each step's change."""
    figure, axis = plt.subplots(figsize=(WIDTH, 4.9))
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
        axis.text(28, place - 0.28, f"{TITLES[name]}: {told}", fontsize=SMALL, va="bottom")
    axis.set(xscale="log", xlim=(28, 900), ylim=(len(ABLATION) - 0.6, -0.8), yticks=[])
    axis.set_xticks([30, 50, 100, 200, 500], ["30", "50", "100", "200", "500"])
    axis.set(xlabel="misclassified of 10,000 test digits (a tick for each seed)")
    axis.minorticks_off()
    certain = sum(change.certain and change.high < 0 for change in changes.values())
    title = f"{certain} of {len(changes)} steps certainly reduce the test errors"
    alt = "Bars of test errors from softmax regression to dense_dropout, step by step."
    return Shown(figure, title, alt, "ablation.png", recorded=True)


def time_to_accuracy() -> Shown:
    """Return accuracy against processor time of training relative to the baseline's."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3))
    style.error_scale(axis, 0.0028, 0.1)
    for name in results.TIMED:
        time = np.mean(results.relative_times(name, "processor_seconds"))
        point = (float(time), 1 - results.accuracy(name)["mean"])
        shade = COLOURS.get(name, DARK_GREY)
        axis.plot(*point, "o", color=shade, markersize=5)
        style.label_point(axis, name, point, OFFSETS.get(name, (6, 0)), shade)
    axis.set(xscale="log", xlabel="processor time of training, baseline_mlp = 1")
    axis.set(ylabel="test accuracy", xlim=(0.04, 25))
    axis.set_xticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
    axis.minorticks_off()
    best = max(results.TIMED, key=lambda name: results.accuracy(name)["mean"])
    title = f"{best} is the most accurate, {results.accuracy(best)['mean']:.2%} on clean digits"
    alt = "Test accuracy against processor time relative to the baseline, a named dot a network."
    return Shown(figure, title, alt, "time_to_accuracy.png", recorded=True)
