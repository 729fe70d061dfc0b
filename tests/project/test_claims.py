"""Every number and comparison in the notebook's prose and in README holds in the record.

CLAIMS are passages with the numbers that the record gives them; COMPARISONS are passages without
numbers and whether the record bears them out; FACTS are what others measured or what is arranged.
Titles of figures are made from the numbers that they tell, by the figures' functions.
"""

import json
import re
import statistics

import numpy as np
import pandas as pd
import pytest
from support.notebook import read_notebook
from support.project import ROOT

from mnist_study.core import data
from mnist_study.reader import rates
from mnist_study.records import experiments, intervals, summary
from mnist_study.ship import report
from mnist_study.story import exercises, judged
from mnist_study.trials.judging import DAMAGED
from mnist_study.trials.robustness import DAMAGES

RECORD = json.loads((ROOT / "results" / "metrics.json").read_text(encoding="utf-8"))
SEEDS, MODELS = RECORD["seeds"], RECORD["models"]
OURS = "dense_dropout"
RUNGS = {rung["experiment"]: rung for rung in SEEDS["ablation"]}
MARKS = {mark["threshold"]: mark for mark in SEEDS["time_to_accuracy"]}
JUDGED = SEEDS["judged"][OURS]
DONE = json.loads(exercises.KEPT.read_text(encoding="utf-8"))
STUDENTS = data.test_writers() == data.Population.STUDENTS


def accuracy(name):
    """Return the spread over seeds of an experiment's test accuracy."""
    return summary.over_seeds(name)["test_accuracy"]


def ends(name):
    return SEEDS["models"][name]["test_accuracy_over_writers"]["ci95"]


def signed(share):
    """Return a change in percent, with a real minus sign."""
    return f"{100 * share:+.0f}".replace("-", "−")


def step(name):
    """Return a rung's change of the errors with its interval, as the text has it."""
    low, high = RUNGS[name]["ci95"]
    return f"{signed(RUNGS[name]['change'])}%, {signed(low)} to {signed(high)}"


def noise(name):
    """Return the mean error rate of an experiment under noise."""
    return 1 - summary.over_seeds(name)["noisy_accuracy"]["mean"]


def ratio(name):
    record = SEEDS["populations"][name]
    return record["ratio"], *record["ratio_ci95"]


def changed(before, after, rows=slice(None)):
    """Return how errors change between experiments on some test rows: change, low, high."""
    writers = data.test_writers()[rows]
    wrong = summary.wrong(before)[:, rows], summary.wrong(after)[:, rows]
    found = intervals.error_change(*wrong, writers)
    return found["change"], *found["ci95"]


def in_percent(change):
    """Return a change and its ends in percent with signs, each as text."""
    return [f"{signed(share)}%" for share in change]


def under(damage, strength, name):
    """Return the mean accuracy over seeds under a strength of a damage."""
    [of] = [d for d in DAMAGES if d.name.startswith(damage)]
    results = judged.results(name)
    place = of.strengths.index(strength)
    return statistics.mean(result["damage"][of.name][place] for result in results)


def borne(damage, name):
    [found] = [v for k, v in SEEDS["judged"][name]["borne"].items() if k.startswith(damage)]
    return found


def transferred(way, examples):
    rows = {(r["method"], r["examples_per_class"]): r["accuracy_mean"] for r in RECORD["transfer"]}
    return rows[way, examples]


def classic_times(name):
    return summary.over_seeds(name)["classic_times"]["mean"]


def held_out(name):
    """Return the validation losses by epoch of each kept training."""
    return [result["history"]["val_loss"] for result in summary.kept(name).values()]


def climbed(name):
    """Return by which share each kept training's validation loss ends above its least."""
    return [losses[-1] / min(losses) - 1 for losses in held_out(name)]


def pixels_and_rest(name):
    """Return how often UCI's digits are misread: times for their pixels, and for the rest."""
    small, uci = (judged.errors_times(name, part)["mean"] for part in ("small", "uci"))
    return small, uci / small


def by_chance(taught=54_000, held=6_000):
    """Return the standard deviation of the area under a ROC curve by guessing."""
    return float(np.sqrt((taught + held + 1) / (12 * taught * held)))


PORTABILITY = json.loads((ROOT / "results" / "portability.json").read_text(encoding="utf-8"))
MOVES = [
    abs(model["errors_more"]) / 10_000
    for variant in filter(None, PORTABILITY["variants"].values())
    for model in variant["models"].values()
]
UCI = rates.kept()["one_digit"]["UCI, pictures"]
REAL = [rates.kept()["real"][k][n] for k in ("digits", "numbers") for n in ("right", "pictures")]
PEERS = pd.read_csv(ROOT / "benchmarks" / "peers.csv").groupby("name")
NEIGHBOURS = PEERS["accuracy"].mean()["neighbours_deskewed"]
TRIED = pd.read_csv(ROOT / "results" / "tried.csv").drop_duplicates(["variant", "epochs"])
ours, classic, cnn = accuracy(OURS), accuracy("classic_mlp"), accuracy("cnn")
taught, twice = accuracy("dense_taught"), accuracy("dense_taught_twice")
KEPT = [summary.kept(name).values() for name in (OURS, "cnn")]
AHEAD = [len(ours["misread"]) - len(cnn["misread"]) for ours, cnn in zip(*KEPT, strict=True)]
WRONG = summary.wrong(OURS).sum(1)
UCI_TIMES, SMALL_TIMES = (judged.errors_times(OURS, part) for part in ("uci", "small"))
[SHEAR] = [damage for damage in DAMAGES if damage.name == "shear"]
LEAST = [int(np.argmin(losses)) + 1 for losses in held_out("classic_mlp")]  # the epoch, from 1
CLIMBED = climbed("classic_mlp")
PLAIN_DROPOUT = changed("classic_mlp", "classic_mlp_without_dropout")
ALONE = "taught_by_both", "taught_by_students"
CLAIMS = [
    ("# {:.2%} on MNIST with a dense network", ours["mean"]),
    ("reads **{:.2%}** of 10,000 digits that it was not trained on", ours["mean"]),
    ("(95% interval {:.2%} to {:.2%};", *ends(OURS)),
    (
        "blurred by 1.5 pixels, it reads {:.0%} (of {:,} of them), "
        "where a plain network still reads {:.0%}",
        under("blur", 1.5, OURS),
        DAMAGED,
        under("blur", 1.5, "classic_mlp"),
    ),
    ("running it about {:.0f} minutes", RECORD["total_seconds"] / 60),
    (
        "**Softmax regression, trained longer, ends at {:.2%}** (five seeds",
        accuracy("softmax_regression")["mean"],
    ),
    (
        "Most often a {} is read as a {}: {} times",
        *(DONE["confused"][key] for key in ("label", "reading", "times")),
    ),
    (
        "the loss is {:.2f} at 0.05, {:.2f} at 0.5 and {:.2f} at 5",
        *(DONE["rates"][rate] for rate in ("0.05", "0.5", "5")),
    ),
    ("No: {:.1%} as before", DONE["confused"]["test"]),
    ("**The plain recipe reads {:.1%}**", classic["mean"]),
    ("{:.2%} ± {:.2%} over five seeds", classic["mean"], classic["sd"]),
    (
        "it is least after {} to {} epochs, by seed, and in the end {:.0f} to {:.0%} higher",
        *(min(LEAST), max(LEAST), 100 * min(CLIMBED), max(CLIMBED)),
    ),
    (
        "is least on the way, and in the end {:.0f} to {:.0%} higher",
        *(100 * min(CLIMBED), max(CLIMBED)),
    ),
    (
        "Without it the plain recipe reads {:.2%} (3 seeds); its errors change by {}. How sure",
        accuracy("classic_mlp_without_dropout")["mean"],
        in_percent(PLAIN_DROPOUT)[0],
    ),
    ("Here it goes from {} to {}", *in_percent(PLAIN_DROPOUT)[1:]),
    (
        "Without, the training accuracy reaches {:.2%} and validation {:.2%}",
        *DONE["no_dropout"].values(),
    ),
    ("With 0.5 they end at {:.2%} and {:.2%}", *DONE["half_dropout"].values()),
    (
        "{:,} weights, a twenty-sixth, and still {:.2%} of the validation",
        DONE["hidden_32"]["parameters"],
        DONE["hidden_32"]["validation"],
    ),
    (
        "it answers {:.0%} of the nonsense as taught, by heart, and reads {:.0%}",
        *DONE["nonsense_labels"].values(),
    ),
    ("**Adam, seven epochs** ({})", step("step_adam")),
    ("**Wider, with batch normalisation** ({})", step("step_wide")),
    ("**Affine deformation** ({})", step("step_affine")),
    ("**Elastic deformation** ({})", step("step_elastic")),
    ("**Fading and label smoothing** ({})", step("step_smooth")),
    ("**First weights in patches** ({})", step("step_patches")),
    ("**Hard images drawn more often** ({})", step("step_focus")),
    ("**Fifty epochs instead of seven** ({})", step(OURS)),
    ("**Taught by `cnn`** ({})", step("dense_taught")),
    (
        "It reads {:.2%} ± {:.2%}, and takes {:.1f} times the plain recipe's time, its teacher's",
        taught["mean"],
        taught["sd"],
        classic_times("dense_taught"),
    ),
    (
        "**Dense layers alone reach {:.2%} ± {:.2%} in {:.1f} times the plain recipe's time.**",
        ours["mean"],
        ours["sd"],
        classic_times(OURS),
    ),
    (
        "taught by two `cnn` and averaged, read {:.2%} ± {:.2%} in {:.0f} minutes",
        twice["mean"],
        twice["sd"],
        summary.over_seeds("dense_taught_twice")["fit_seconds"]["mean"] / 60,
    ),
    (
        "take `cnn`: {:.2%} ± {:.2%} in {:.1f} times",
        cnn["mean"],
        cnn["sd"],
        classic_times("cnn"),
    ),
    ("comes out of {} variants", len(TRIED)),
    ("in every seed, by {:.0f} test images on average", statistics.mean(AHEAD)),
    ("{:.1%}. Best of all 0, which looks the same", DONE["turned"]["test"]),
    (
        "Twice as strong it reads {:.2%} of the validation digits, else {:.2%}",
        DONE["deformed_more"]["twice"],
        DONE["deformed_more"]["as it is"],
    ),
    ("Beat {:.2%} within the same time", ours["mean"]),
    ("We did not, in {} variants", len(TRIED)),
    (
        "{} to {} of these fifteen, by seed, of {} to {} mistakes of each",
        *(f(judged.contested_misread()) for f in (min, max)),
        *(int(f(WRONG)) for f in (min, max)),
    ),
    (
        "This run's is {:.2%} then, in place of {:.2%}",
        RECORD["labels"]["accuracy_without_contested"],
        MODELS[OURS]["test_accuracy"],
    ),
    (
        "{} mistakes, against {} and {}: hardly fewer",
        *(DONE["with_cnn"][name] for name in ("both", "dense", "cnn")),
    ),
    ("{} of {}, trying each pixel of each", *DONE["fooled"].values()),
    (
        "misreads students' digits {:.1f} times as often as Census employees' "
        "(95% interval {:.1f} to {:.1f}",
        *ratio(OURS),
    ),
    (
        "students' digits are still misread {:.1f} times as often ({:.1f} to {:.1f})",
        *ratio("taught_by_both"),
    ),
    (
        "students' errors change by {} ({} to {})",
        *in_percent(changed("taught_by_both", "taught_by_census", STUDENTS)),
    ),
    ("their own errors change by {} ({} to {})", *in_percent(changed(*ALONE, STUDENTS))),
    ("the others' by {} ({} to {})", *in_percent(changed(*ALONE, ~STUDENTS))),
    (
        "the probabilities were off by {:.1f} percentage points on average; after it, by {:.1f}",
        100 * JUDGED["ece_before"]["mean"],
        100 * JUDGED["ece_after"]["mean"],
    ),
    (
        "the nets read {:.1%} of the test digits themselves and misread {:.2%} of those, "
        "{:.2%} to {:.2%} by seed",
        JUDGED["coverage"]["mean"],
        *(JUDGED["error"][key] for key in ("mean", "min", "max")),
    ),
    (
        "{:.1%} of students' digits go to a person, and {:.1%} of Census employees'",
        *(group["mean"] for group in JUDGED["handed_over"].values()),
    ),
    (
        "it copes with {:.0f} degrees where the plain recipe copes with {:.0f}, "
        "and with a shift of {:.1f} pixels where that copes with {:.1f}",
        *(borne(d, name) for d in ("rotation", "shift") for name in (OURS, "classic_mlp")),
    ),
    (
        "at 1.5 pixels of blur it reads {:.0%}, `cnn` {:.0%}, the plain recipe {:.0%}",
        *(under("blur", 1.5, name) for name in (OURS, "cnn", "classic_mlp")),
    ),
    (
        "Under noise of 0.15 it misreads {:.1%} of the validation digits, and `cnn` {:.0%}, "
        "{:.0%} to {:.0%} by seed",
        noise(OURS),
        noise("cnn"),
        *(f(1 - r["noisy_accuracy"] for r in judged.results("cnn")) for f in (min, max)),
    ),
    (
        "The plain recipe misreads {:.1%} there, the wide net of the ladder "
        "{:.1%}, and with affine deformation {:.1%}",
        *map(noise, ("classic_mlp", "step_wide", "step_affine")),
    ),
    (
        "it misreads {:.1%}, and reads {:.0%} under blur in place of {:.0%}",
        noise("step_wide_without_normalisation"),
        *(under("blur", 1.5, name) for name in ("step_wide_without_normalisation", "step_wide")),
    ),
    (
        "`dense_dropout` misreads {:.0f} times as many of them as of MNIST's "
        "({:.0f} to {:.0f}, by seed)",
        *(UCI_TIMES[key] for key in ("mean", "min", "max")),
    ),
    ("are misread {:.0f} times as often. So", SMALL_TIMES["mean"]),
    (
        "the coarse pixels give a factor of {:.0f}, and all else, the writers too, {:.1f}. "
        "For the plain recipe they give {:.1f}, and all else {:.1f}:",
        *pixels_and_rest(OURS),
        *pixels_and_rest("classic_mlp"),
    ),
    (
        "{:.1%} go to a person; of the rest {:.2%} are misread",
        *DONE["handed_over"].values(),
    ),
    ("{:.1%}, about guessing or less", DONE["inverted"]["test"]),
    (
        "with seed 1 it misreads {:.1%} of the validation digits in place of {:.1%}. What damage",
        DONE["under_noise"]["noisy"],
        DONE["under_noise"]["clean"],
    ),
    (
        "frozen features read {:.1%} of UCI's digits**, against {:.1%} without any label "
        "(one label of each does not help, {:.1%}); "
        "fine-tuning all layers, as set here, reads {:.1%}",
        transferred("frozen features", 10),
        transferred("as it is", 10),
        transferred("frozen features", 1),
        transferred("fine-tuned", 10),
    ),
    (
        "{:.2%} of the validation digits, in place of {:.2%}: a plain layer",
        DONE["own_model"]["20"],
        DONE["own_model"]["2"],
    ),
    ("{:.1%}. With two labels", DONE["with_cnn"]["frozen, two labels"]),
    (
        "the more probable one is the training digit in {:.1%} of cases, 50% being chance",
        JUDGED["membership"]["mean"],
    ),
    ("do not take {:.2%} for a promise", ours["mean"]),
    # README and the guide
    (
        "`dense_dropout` takes {:.1f} times the plain recipe's and `cnn` {:.1f}",
        *(summary.over_seeds(name)["processor_times"]["mean"] for name in (OURS, "cnn")),
    ),
    ("blurred by 1.5 pixels, it reads {:.0%}", under("blur", 1.5, OURS)),
    ("that reads **{:.2%}** of MNIST's test digits", ours["mean"]),
    ("takes about {:.0f} minutes on two cores with other work", RECORD["total_seconds"] / 60),
    ("accuracies moved by up to {:.2f} points", 100 * max(MOVES)),
    ("Its network reads {:.1%} of UCI's digits", UCI["right"]),
    ("it reads {} of {} digits and {} of {} numbers, and", *REAL),
    ("it reads {} of {} single digits and {} of {} whole numbers", *REAL),
    ("nearest training digits read {:.1%}", NEIGHBOURS),
    ("does better still, {:.2%}; the question", cnn["mean"]),
    ("is sure of none of the {} that it misreads", REAL[1] - REAL[0] + REAL[3] - REAL[2]),
    ("its validation loss ends within {:.1%} of its least", max(climbed(OURS))),
    (
        "students' digits are misread {:.1f} times as often as Census employees' "
        "({:.1f} to {:.1f}), and other people's, in coarse pixels, {:.0f} times as often as "
        "MNIST's; MNIST's own, made as coarse, are misread {:.0f} times as often",
        *ratio(OURS),
        UCI_TIMES["mean"],
        SMALL_TIMES["mean"],
    ),
    (
        "**From {:.2%} to {:.2%}, how much is teaching, how much averaging?** Teaching alone gave "
        "{:.2%}",
        *(found["mean"] for found in (ours, twice, taught)),
    ),
    ("{} employees wrote the other half", intervals.CENSUS_WRITERS),
    ("the network reads some {:.0%} of clean digits", JUDGED["coverage"]["mean"]),
]


def apart(one, other, key):
    """Return whether each seed's value of the first lies under each of the second."""
    highest = max(key(result) for result in judged.results(one))
    return highest < min(key(result) for result in judged.results(other))


def held(change):
    """Return whether an interval leaves out that nothing changed."""
    return change[1] > 0 or change[2] < 0


CHANGED_BY_CENSUS = changed("taught_by_both", "taught_by_census", STUDENTS)
COMPARISONS = [
    (
        "trains in three minutes on two CPU cores",
        summary.over_seeds(OURS)["fit_seconds"]["mean"] < 180,
    ),
    ("three seeds cannot tell whether dropout helps.", not held(PLAIN_DROPOUT)),
    ("though more than luck", JUDGED["membership"]["min"] - 0.5 > 3 * by_chance()),
    ("We had aimed at 99.50% and fell short", ours["mean"] < 0.995),
    ("`cnn` is ahead of `dense_dropout` in every seed", min(AHEAD) > 0),
    ("Being taught did, but takes longer", RUNGS["dense_taught"]["ci95"][1] < 0),
    (
        "**Balance does not close the gap.**",
        ratio("taught_by_both")[1] > 1 and CHANGED_BY_CENSUS[1] > 0,
    ),
    (
        "three seeds cannot tell: their own errors",
        not any(held(changed(*ALONE, rows)) for rows in (STUDENTS, ~STUDENTS)),
    ),
    (
        "**Its mistakes are of many kinds, and about a sixth of them",
        0.15 < np.mean(judged.contested_misread() / WRONG) < 0.185,
    ),
    (
        "**The doubt is unequal, too**",
        all(s > c for s, c in zip(*judged.handed_over().values(), strict=True)),
    ),
    (
        "**With blur, noise and grey paper it copes worse**",
        all(borne(d, OURS) < borne(d, "classic_mlp") for d in ("blur", "noise", "inverted")),
    ),
    (
        "**So most of what the wide net loses comes with batch normalisation",
        apart("step_wide_without_normalisation", "step_wide", lambda r: 1 - r["noisy_accuracy"])
        and noise("step_wide") - noise("step_wide_without_normalisation")
        > 0.5 * (noise("step_wide") - noise("classic_mlp"))
        and apart(
            "step_wide", "step_wide_without_normalisation", lambda r: r["damage"]["blur, pixels"][3]
        ),
    ),
    (
        "that a network is sure of some letters and of a blank page",
        RECORD["nonsense"]["blank page"]["sure"] == 1 and RECORD["nonsense"]["letters"]["sure"] > 0,
    ),
    (
        "hardly fewer than <code>cnn</code> alone",
        0.9 * DONE["with_cnn"]["cnn"] < DONE["with_cnn"]["both"] < DONE["with_cnn"]["cnn"],
    ),
    (
        "too small a rate is slow, too large a one jumps about",
        DONE["rates"]["0.5"] < min(DONE["rates"]["0.05"], DONE["rates"]["5"]),
    ),
    ("passes the plain recipe", DONE["own_model"]["20"] > classic["mean"]),
    ("`dense_dropout` overfits less", max(climbed(OURS)) < min(climbed("classic_mlp")) / 10),
    ("This barely holds, with three seeds", -0.03 < RUNGS["dense_taught"]["ci95"][1] < 0),
    ("(shear never was)", borne("shear", OURS) == max(SHEAR.strengths)),
    (
        "and is sure of none of the",
        not any(rates.kept()["real"][kind]["sure_and_wrong"] for kind in ("digits", "numbers")),
    ),
    ("Without a network one gets about as far", abs(NEIGHBOURS - classic["mean"]) < 0.002),
]
FACTS = [  # of others, of how things are arranged, or names; each as it stands in the text
    r"97\.74%",  # the original project's README
    r"99\.65% is the best we know of, after 114 GPU hours",  # Cireşan et al. 2010
    r"seven of them together read 99\.69%",  # arXiv 1103.4487
    r"whoever always answers 1 is right for 11\.35%",
    r"We had aimed at 99\.50%",
    r'"99% sure" should be right 99 times|less than 90% sure',
    r"\(95% interval|95% interval|interval, 95%|fewer than 95% are still read|in 95 of 100 such",
    r"28×28|24×24|8×8|0 to 1\b",
    r"60,000 (?:\*\*)?training images|60,000 training and 10,000 test",
    r"10,000 (?:\*\*)?test images|10,000 digits",
    r"6,000 training images are held out",
    r"128 images, one step downhill, the next 128|two hidden layers of 512 units",
    r"0 is paper, 255 is ink|It is a 5|all 0s, all 1s",
    r"each digit gets 784|one for each pixel: 0|It is 0 when",
    r"is 1, and 2\.30 when|a 1 at the label's place|128 at a time",
    r"each digit gets 10%|A 0 is ink|a 7 has a stem",
    r"1\.7 million weights|2,048 and 256 units|3 is still a 3|3 seeds",
    r"mean 0 and standard deviation 1|95\.5% for the label and 0\.5% for each other|1 and 0",
    r"99\.42% to 99\.46% in three runs",  # on three trainings that results/ does not keep
    r"13 people|around 1990|UCI's first 700|the first 700\.|as the 700|learnt from 700",
    r"94 means a 9 read as a 4|digit to 1, in|fire at 6s|a 7 with a bar|5,000 MNIST images",
    r"[Tt]urn the test digits by 90°|random units to 0",
    r"to 0\.05, then to 5|at 0\.05|then with 0\.5",
    r"of the first 200|One hidden layer of 32|after 20 epochs|with 0\.5",
    r"for 20 epochs in place of 2|300 units|QMNIST has 50,000",
    r"holds 0 means|else 0|and else 0|is set to 0|1 minus the probability",
    r"\(\d+ minutes?\)|numbered 1 to 16|a 4 and a 2",
    r'"9", "probably 9" or "9 or 3\?"|\(n, 28, 28, 1\)|sections? \d',
    r"et al\. \d{4}|BY-SA 3\.0|Python 3\.11, 3\.12 or 3\.13|3 GB|Keras 3(?:\.15)?\b|Zen 4",
    r"\(250 MB with all it needs\)",
    r"(?<= )#+ \d\. |(?<= )\d\. ",  # numbers of sections and of exercises
]


def texts():
    """Return what people read: the notebook's Markdown, README and the guide."""
    story = [cell.source for cell in read_notebook().cells if cell.cell_type == "markdown"]
    pages = [ROOT / "README.md", ROOT / "docs" / "USING.md"]
    return "\n\n".join([*story, *(page.read_text(encoding="utf-8") for page in pages)])


def folded(text):
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(("passage", "values"), [(c[0], c[1:]) for c in CLAIMS])
def test_a_claim_says_what_was_measured(passage, values):
    assert passage.format(*values) in folded(texts())


@pytest.mark.parametrize(("passage", "holds"), COMPARISONS)
def test_a_comparison_stands_in_the_text_and_holds(passage, holds):
    assert passage in folded(texts())
    assert holds


def test_no_number_in_prose_is_unknown():
    text = re.sub(report.BLOCK, " ", texts())
    for passed_over in (r"<!--.*?-->", r"```.*?```", r"`[^`]*`", r"\]\([^)]*\)", r"<[^>]*>"):
        text = re.sub(passed_over, " ", text, flags=re.DOTALL)
    text = folded(text)
    for passage, *values in CLAIMS:
        said = re.sub(r"`[^`]*`", " ", passage.format(*values))
        text = text.replace(folded(said).strip(), " ")
    for fact in FACTS:
        text, found = re.subn(fact, " ", text)
        assert found, f"no text says {fact} any more: take it off the list"
    assert not re.findall(r".{0,40}\d.{0,20}", text)


def test_the_pages_written_from_the_record_are_up_to_date():
    for path, text in report.pages(RECORD).items():
        assert path.read_text(encoding="utf-8") == text, f"make report, and commit {path.name}"


@pytest.mark.parametrize(("key", "value"), [("models", ["cnn"]), ("seed", 2)])
def test_a_run_of_ones_own_leaves_the_pages_alone(monkeypatch, capsys, tmp_path, key, value):
    own = RECORD | {"parameters": RECORD["parameters"] | {key: value}}
    (tmp_path / "metrics.json").write_text(json.dumps(own))
    monkeypatch.delattr(report, "write_text")
    report.write(tmp_path / "metrics.json")
    assert "stay as they are" in capsys.readouterr().out


def test_the_record_writes_its_pages(monkeypatch):
    written = {}
    monkeypatch.setattr(report, "write_text", lambda path, text: written.update({path.name: text}))
    report.write()
    assert f"| 7,850 | {accuracy('softmax_regression')['mean']:.2%} ±" in written["README.md"]
    assert f"{MODELS[OURS]['test_accuracy']:.2%}" in written["MODEL_CARD.md"]


def test_the_record_is_of_the_kept_trainings():
    assert SEEDS["runs"] == len(experiments.SEEDS) >= 5
    assert accuracy(OURS)["mean"] >= 0.9945
