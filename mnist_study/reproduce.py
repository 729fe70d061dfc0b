"""A new run against the committed one: models, cells and figures, each with a verdict."""

import dataclasses
import io
import json
import re

import numpy as np
import PIL.Image

from mnist_study import experiments, machine, results, saved

IDENTICAL, WITHIN, DIFFERENT = "identical", "within tolerance", "DIFFERENT"
# How far accuracies may move where sums round differently: that acts like another seed, and seeds
# move an accuracy by a standard deviation of 0.1 points at most. The report says what was measured.
TOLERANCE = 0.004
FEW = {"nonsense": 0.15, "membership": 0.02}  # cells whose numbers rest on little: 44 letters, say
# Share of a figure's pixels that may change: galleries show other digits when others are misread
# or hard. Without AVX-512 it was 16% of one of them, 4% of a chart, 10% of the confusion matrix.
PIXELS = 0.25
SHOWN = ("text/html", "text/markdown", "text/plain")  # of these an output shows the first it has
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?%?")
# What may differ anywhere: seconds, the processor's name, and how the weights compare with the kept
# ones, which compare_model says, too.
MACHINE = re.compile(
    r"\d[\d.,]* s\b|[^\n<>]*\(cpu family.*?\)|the same weights"
    r"|(other weights on the same|another) processor: \S+ points",
    re.IGNORECASE,
)


@dataclasses.dataclass
class Finding:
    """What became of one part of the study: a model, a cell's text, a figure."""

    part: str
    verdict: str
    said: str = ""


def share(number):
    """Return a number of a text as a share: percent, a decimal fraction, or images of 10,000."""
    value = float(number.rstrip("%").replace(",", ""))
    return value / 100 if number.endswith("%") else value if "." in number else value / 10_000


def judged(part, moved, tolerance, unit=""):
    """Return the Finding about a part of which something moved by so much."""
    return Finding(part, WITHIN if moved <= tolerance else DIFFERENT, f"moved by {moved:.2%}{unit}")


def compare_text(part, old, new, tolerance=TOLERANCE):
    """Return the Finding about two texts; those with other words differ."""
    if old == new:
        return Finding(part, IDENTICAL)
    if NUMBER.sub("#", old) != NUMBER.sub("#", new):
        return Finding(part, DIFFERENT, "other words")
    pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    return judged(part, max(abs(share(a) - share(b)) for a, b in pairs), tolerance)


def compare_figures(part, old, new):
    """Return the Finding about two PNG files, given as bytes."""
    if old == new:
        return Finding(part, IDENTICAL)
    old, new = (
        np.asarray(PIL.Image.open(io.BytesIO(png)).convert("RGB"), int) for png in (old, new)
    )
    if old.shape != new.shape:
        return Finding(part, DIFFERENT, "another size")
    return judged(part, np.mean((abs(old - new) > 32).any(2)), PIXELS, " of its pixels")


def text_of(cell):
    """Return the text that a code cell's outputs show, without what tells of time and machine."""
    shown = []
    for output in cell.outputs:
        data = output.get("data", {"text/plain": output.get("text", "")})
        shown.append(next((data[kind] for kind in SHOWN if kind in data), ""))
    return re.sub(r"\s+", " ", MACHINE.sub("#", "\n".join(shown)))


def compare_cells(old, new):
    """Return the Findings about the code cells of two notebooks, by the cells' ids."""
    texts = {cell.id: text_of(cell) for cell in new.cells if cell.cell_type == "code"}
    pairs = [(c.id, text_of(c)) for c in old.cells if c.cell_type == "code"]
    return [
        compare_text(
            f"cell {name}", text, texts.get(name, "no such cell"), FEW.get(name, TOLERANCE)
        )
        for name, text in pairs
    ]


def compare_pictures(old, new):
    """Return the Findings about the figures in two folders, those that a run makes."""
    names = sorted(path.name for path in new.glob("*.png"))
    return [compare_figures(n, (old / n).read_bytes(), (new / n).read_bytes()) for n in names]


def compare_model(name, old, new):
    """Return the Finding about a model's two records: its weights, else its accuracies."""
    if old["weights_sha256"] == new["weights_sha256"]:
        return Finding(name, IDENTICAL, f"test accuracy {new['test_accuracy']:.2%}")
    parts = [f"{part}_accuracy" for part in ("validation", "test") if f"{part}_accuracy" in old]
    found = judged(name, max(abs(old[part] - new[part]) for part in parts), TOLERANCE)
    pairs = ", ".join(f"{part} {old[part]:.2%} → {new[part]:.2%}" for part in parts)
    return dataclasses.replace(found, said=pairs.replace("_", " "))


def same_kind(made_on):
    """Return whether this machine is of the kind that a record was made on, libraries included."""
    here = machine.environment()
    return all(here[key] == made_on[key] for key in ("processor", "tensorflow", "keras", "numpy"))


def why():
    """Return where the tolerance comes from, in a sentence."""
    record = json.loads((results.FOLDER / "metrics.json").read_text())
    deviation = max(m["test_accuracy"]["sd"] for m in record["seeds"]["models"].values())
    said = f"over five seeds the standard deviation is at most {deviation:.2%}"
    path = results.FOLDER / "portability.json"
    if path.exists():
        variants = [found for found in json.loads(path.read_text())["variants"].values() if found]
        moves = [abs(m["errors_more"]) for v in variants for m in v["models"].values()]
        said += f"; over {len(variants)} processors, libraries and Pythons it moved by up to "
        said += f"{max(moves) / 10_000:.2%}"
    return f"An accuracy may move by {TOLERANCE:.1%}: {said}."


def report(findings, made_on):
    """Print the findings as a sceptic would read them; return the exit status.

    made_on: the record's machine. On one of its kind everything must be identical.
    """
    alike = same_kind(made_on)
    here = machine.environment()
    print(f"\nRecord: {made_on['processor']}, TensorFlow {made_on['tensorflow']}")
    print(f"Here:   {here['processor']}, TensorFlow {here['tensorflow']}")
    demand = (
        "of the same kind: everything must be identical" if alike else f"of another kind. {why()}"
    )
    print(f"A machine {demand}\n\n| part | verdict | |\n|---|---|---|")
    for finding in findings:
        print(f"| {finding.part} | {finding.verdict} | {finding.said} |")
    counts = {v: sum(f.verdict == v for f in findings) for v in (IDENTICAL, WITHIN, DIFFERENT)}
    print("\n" + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    good = counts[IDENTICAL] == len(findings) if alike else not counts[DIFFERENT]
    print("Reproduced." if good else "NOT REPRODUCED.")
    return 0 if good else 1


def compare_runs(old, new, old_notebook, new_notebook):
    """Compare the runs in two folders and their notebooks; print a report, return the status."""
    records = [json.loads((f / "results" / "metrics.json").read_text()) for f in (old, new)]
    if records[0]["dataset"]["sha256"] != records[1]["dataset"]["sha256"]:
        print("This run had other images than the record; README, 'Without network', tells more.")
        return 1
    for folder, record in zip((old, new), records, strict=True):
        digest = record["models"][record["saved_model"]]["weights_sha256"]
        saved.load(folder / "mnist_model.h5", digest)
    pairs = [
        (name, *(record["models"][name] for record in records)) for name in records[0]["models"]
    ]
    findings = [compare_model(*pair) for pair in pairs]
    findings += compare_cells(old_notebook, new_notebook)
    findings += compare_pictures(old / "visualizations", new / "visualizations")
    return report(findings, records[0]["environment"])


def retrain(name):
    """Train a kept experiment again, such as "cnn-seed4"; print the report, return the status."""
    known = {f"{e.name}-seed{e.seed}": e for e in experiments.study()}
    if name not in known:
        print(f"There is no training {name!r}. Choose from:\n{', '.join(known)}")
        return 2
    description = results.describe(known[name])
    path = results.path_of(description)
    if not path.exists():
        print(f"{name} is not kept for this code and these libraries: make experiments trains it")
        return 1
    old = json.loads(path.read_text())["result"]
    return report(
        [compare_result(name, old, experiments.train_in_child(description))], old["machine"]
    )


def compare_result(name, old, new):
    """Return the Finding about a kept training and its repeat, everything but seconds counting."""
    found = compare_model(name, old, new)
    keys = [key for key in old if key != "machine" and not key.endswith("_seconds")]
    other = [key for key in keys if old[key] != new[key]]
    if found.verdict == IDENTICAL and other:
        return Finding(name, DIFFERENT, f"the same weights, but other {', '.join(other)}")
    return found
