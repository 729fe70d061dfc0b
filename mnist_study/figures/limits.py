"""Figures of what test accuracy hides: subgroups, uncertainty, corruptions.

Recorded results that they show: error rates by population of the networks trained on one; each test
digit's uncertainty, with coverage and error at the threshold; accuracy under corruptions.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from mnist_study import results
from mnist_study.arrays import Images, Labels
from mnist_study.backend import keras
from mnist_study.evaluate.accuracy import predict
from mnist_study.evaluate.robustness import CORRUPTIONS, Corruption
from mnist_study.experiments import TITLES, Group, names
from mnist_study.figures.style import NEARLY_NONE, SMALL, Shown, colour, gallery, label_point

GROUPS = {"students": ("students' digits", -0.12, "#D55E00")}  # legend, place, colour
GROUPS |= {"census": ("Census employees' digits", 0.12, "#0072B2")}
HALVINGS = 8  # of the digits by uncertainty, so that each point of the curve rests on many
SEARCHED = 320  # test digits among which a misclassified one is sought, a multiple of 32


def draw_group(axis: Axes, group: str, records: list[results.Summary]) -> None:
    """Draw a population's error rates with their intervals, one for each record of subgroups."""
    label, beside, shade = GROUPS[group]
    places = np.arange(len(records)) + beside
    rates = [100 * record[group]["errors"] / record[group]["n"] for record in records]
    lows, highs = 100 * np.array([record[group]["ci95"] for record in records]).T
    axis.hlines(places, lows, highs, color=shade, linewidth=3, alpha=0.5)
    axis.plot(rates, places, "o", color=shade, label=label)
    for rate, high, place in zip(rates, highs, places, strict=True):
        label_point(axis, f"{rate:.2f}%", (high, place), (4, 0), shade)


def subgroups() -> Shown:
    """Return both populations' error rates by training digits, with confidence intervals."""
    figure, axis = plt.subplots(figsize=(8, 2.2))
    trained = names(Group.SUBGROUPS)
    for group in GROUPS:
        draw_group(axis, group, [results.subgroups(name) for name in trained])
    axis.set_yticks(range(len(trained)), [TITLES[name] for name in trained])
    axis.set(xlim=(0, 1.08 * axis.get_xlim()[1]), ylim=(len(trained) - 0.5, -0.5))
    axis.set(xlabel="misclassified test digits, % (95% confidence interval over seeds and writers)")
    axis.legend(fontsize=SMALL)
    ratio = results.subgroups("trained_on_both")["ratio"]
    title = (
        f"Trained on half of each, the network errs {ratio:.1f} times as often on students' digits"
    )
    alt = "Error rates of students' and Census employees' digits, by the digits trained on."
    return Shown(figure, title, alt, "error_by_subgroup.png", recorded=True)


def draw_calibration(axis: Axes, name: str) -> None:
    """Draw error rate by uncertainty over halves of the digits of all seeds, halved HALVINGS times.

    The first half is the least uncertain; the others halve what is left, so the last two are equal.
    """
    uncertainty, wrong = results.uncertainty(name).ravel(), results.misclassified(name).ravel()
    order, flawless = np.argsort(-uncertainty, kind="stable"), 0
    ends = [len(order) >> halving for halving in range(HALVINGS + 1)]
    for high, low in itertools.pairwise([*ends, 0]):
        group = order[low:high]
        point = (uncertainty[group].mean(), wrong[group].mean())
        if point[1] == 0:
            flawless += len(group)
            continue
        axis.plot(*point, "o", color=colour(name), markersize=5)
        offset = (-6, 5) if point[1] > 1.2 * point[0] else (6, -5)  # off the diagonal
        label_point(axis, f"{len(group):,}", point, offset, "black")
    label_point(axis, f"no errors among the other {flawless:,}", (1, 2e-4), (-4, 0), "black")
    axis.plot([1e-4, 1], [1e-4, 1], "--", color="gray", linewidth=1)
    axis.set(xscale="log", yscale="log", xlim=(1e-4, 1), ylim=(1e-4, 1.2))
    axis.set(xlabel="uncertainty (1 − confidence)", ylabel="error rate")
    axis.set(title=f"{name}, digits grouped by uncertainty")


def draw_risk(axis: Axes, name: str) -> None:
    """Draw the error rate of the least uncertain digits against their share, all seeds together."""
    order = np.argsort(results.uncertainty(name).ravel(), kind="stable")
    errors = results.misclassified(name).ravel()[order].cumsum()
    counts = np.arange(1, len(order) + 1)
    risk = errors / counts + NEARLY_NONE
    axis.plot(counts / len(order), risk, color=colour(name), label=name)


def calibration(name: str = results.OURS) -> Shown:
    """Return error rate by uncertainty, and the risk by coverage of selective classification."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3))
    draw_calibration(left, name)
    for model in results.EVALUATED:
        draw_risk(right, model)
    coverage = results.over_seeds(name, "reliability", "coverage")["mean"]
    error = results.over_seeds(name, "reliability", "error")["mean"]
    right.plot(coverage, error + NEARLY_NONE, "k*", markersize=10, label=f"{name}'s threshold")
    right.set(xlabel="share of digits classified", ylabel="error rate on these")
    right.set(yscale="log", xlim=(0.8, 1.005), ylim=(1e-5, 0.03), title="selective classification")
    right.set_yticks([NEARLY_NONE, 1e-4, 1e-3, 1e-2], ["none", "0.01%", "0.1%", "1%"])
    right.legend(fontsize=SMALL)
    title = f"Abstaining on {1 - coverage:.1%} of the digits leaves an error rate of {error:.3%}"
    alt = "Left: error rate by uncertainty. Right: error rate by the share of digits classified."
    return Shown(figure, title, alt, "calibration.png", recorded=True)


def short(corruption: Corruption) -> tuple[str, str]:
    """Return the first word of a corruption's name, and its unit."""
    name, _, unit = corruption.name.partition(", ")
    unit = unit.replace("standard deviation", "dev.").replace("share of size", "share")
    return name.split()[0], unit


def corrupted(model: keras.Model, inputs: Images, labels: Labels) -> Shown:
    """Return for each corruption the first test digit that the model misclassifies under it.

    Its strength is the first tested that leaves recorded networks less than 95%, or the strongest.
    """
    inputs, labels = inputs[:SEARCHED], labels[:SEARCHED]
    correct = predict(model, inputs).argmax(1) == labels
    failing, images, titles = results.first_failing(results.OURS), [], []
    for corruption in CORRUPTIONS:
        strength = failing[corruption.name] or corruption.strengths[-1]
        changed = np.asarray(corruption.apply(inputs, strength), np.float32)
        predicted = predict(model, changed).argmax(1)
        errors = np.flatnonzero(correct & (predicted != labels))
        index = errors[0] if len(errors) else 0
        said = f"{labels[index]} → {predicted[index]}" if len(errors) else f"none of {len(labels)}"
        images.append(changed[index, ..., 0])
        name, unit = short(corruption)
        titles.append(f"{name}\n{strength:g} {unit}\n{said}")
    note = "above each digit: corruption, strength, label → prediction"
    figure = gallery(images, titles, note=note, vmin=0, vmax=1)
    title = f"These strengths lower {results.OURS}'s accuracy below {results.ENOUGH:.0%}"
    never = [name.partition(",")[0] for name, strength in failing.items() if strength is None]
    title += f"; {' and '.join(never)} never does" if never else ""
    alt = "One digit under each corruption, with its strength, the label and the prediction."
    return Shown(figure, title, alt, "corrupted_digits.png")


def draw_tolerances(axis: Axes, table: Float[np.ndarray, "models corruptions"]) -> None:
    """Draw tolerated strengths as coloured cells; ≥ marks those where no tested one fails."""
    axis.imshow(table / table.max(0), "RdYlBu", vmin=0, vmax=1, alpha=0.55, aspect="auto")
    failing = [results.first_failing(name) for name in results.EVALUATED]
    for (row, column), strength in np.ndenumerate(table):
        limit = "" if failing[row][CORRUPTIONS[column].name] else "≥ "
        axis.text(column, row, f"{limit}{strength:.2g}", ha="center", va="center", fontsize=9)
    axis.set_xticks(range(len(CORRUPTIONS)), ["\n".join(short(c)) for c in CORRUPTIONS])
    axis.tick_params("x", labelsize=SMALL)
    axis.set_yticks(range(len(results.EVALUATED)), results.EVALUATED)
    axis.grid(False)
    axis.spines[:].set_visible(False)


def robustness() -> Shown:
    """Return a table of the strengths of corruption that leave each model an accuracy of 95%."""
    tolerances = [results.tolerance(name) for name in results.EVALUATED]
    table = np.array([[tolerance[c.name] for c in CORRUPTIONS] for tolerance in tolerances])
    figure, axis = plt.subplots(figsize=(8, 1.9))
    draw_tolerances(axis, table)
    label = f"strength that leaves an accuracy of {results.ENOUGH:.0%}; blue: tolerates most"
    axis.set_xlabel(label, fontsize=SMALL)
    ours, baseline = (table[results.EVALUATED.index(n)] for n in (results.OURS, "baseline_mlp"))
    title = f"{results.OURS} tolerates {(ours > baseline).sum()} of {len(ours)} corruptions better"
    title += f" than baseline_mlp, {(ours < baseline).sum()} worse"
    alt = "A table of the strength of each corruption that each of three models tolerates."
    return Shown(figure, title, alt, "robustness.png", recorded=True)
