"""A new run against the committed one: its record number by number, cells by words, figures."""

import dataclasses
import io
import json
import math
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import nbformat
import numpy as np
import PIL.Image

from mnist_study import paths
from mnist_study.core.experiment import Result
from mnist_study.records import experiments, machine, saved_model, store, worker

IDENTICAL, WITHIN, DIFFERENT = "identical", "within tolerance", "DIFFERENT"
# How far accuracies may move where sums round differently: that acts like another seed, and seeds
# move an accuracy by a standard deviation of 0.1 points at most. The report says what was measured.
TOLERANCE = 0.004
ANY = math.inf  # may be anything: other numbers judge it
OF_MACHINE = re.compile(r"seconds$|/output_folder$")  # says nothing of the study
# How far a number of metrics.json may move, by its name; what no pattern fits must be equal.
TOLERANCES = {
    r"models/.*/weights_sha256": ANY,  # the accuracies judge other weights
    r"models/.*_loss": 0.02,
    r"models/.*_accuracy|accuracy_without_contested": TOLERANCE,
    r"hardest/digit": ANY,  # several are about as hard
    r"hardest/recall": 0.01,  # rests on a thousand digits
    r"labels/misread": 4,  # of fifteen
    r"calibration/.*/temperature": 0.3,
    r"calibration/.*/ece_": 0.01,
    r"selective/error": 0.001,
    r"selective/": 0.02,
    r"nonsense/.*/sure": 0.15,  # 44 letters
    r"transfer/": 0.04,  # few labels, drawn twice
}
# Share of a figure's pixels that may change: galleries show other digits when others are misread
# or hard. Without AVX-512 it was 16% of one of them, 4% of a chart, 10% of the confusion matrix.
PIXELS = 0.25
SHOWN = ("text/html", "text/markdown", "text/plain")  # of these an output shows the first it has
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?%?")
# What may differ anywhere: seconds, the processor's name, and how the weights compare with the kept
# ones, which the record says, too.
MACHINE = re.compile(
    r"\d[\d.,]* s\b|[^\n<>]*\(cpu family.*?\)|the same weights"
    r"|(other weights on the same|another) processor: \S+ points",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class Finding:
    """What became of one part of the study: a part of its record, a cell's text, a figure."""

    part: str
    verdict: str
    said: str = ""


def named(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the plain values in a record with their names, such as models/cnn/test_accuracy.

    A list's members are numbered; records in it are named by what is text or whole in them.
    """
    if isinstance(value, dict):
        for key, part in value.items():
            yield from named(part, f"{name}/{key}" if name else key)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from named(part, f"{name}/{label_of(part) or number}")
    else:
        yield name, value


def label_of(row: Any) -> str:
    """Return what names a row of a table: its plain values but accuracies; "" for other values."""
    known = row.items() if isinstance(row, dict) else ()
    named_by = [value for key, value in known if not key.startswith("accuracy")]
    return "/".join(shown(value) for value in named_by if isinstance(value, (str, int, float)))


def tolerance_of(name: str) -> float:
    """Return how far the number of that name may move."""
    return next((most for known, most in TOLERANCES.items() if re.search(known, name)), 0.0)


def verdict_of(name: str, old: Any, new: Any) -> str:
    """Return the verdict on one value of that name; words and truth values must be equal."""
    if old == new or (old != old and new != new) or OF_MACHINE.search(name):
        return IDENTICAL
    most = tolerance_of(name)
    numbers = all(type(value) in (int, float) for value in (old, new))
    close = numbers and abs(old - new) <= most + 1e-12
    return WITHIN if close or most == ANY else DIFFERENT


def shown(value: Any) -> str:
    """Return a value as a report shows it; a digest by its beginning."""
    return f"{value:.5g}" if isinstance(value, float) else str(value)[:40]


def judged(part: str, moved: float, most: float, of: str) -> Finding:
    """Return the Finding about a part of which such a share moved; of: what it is a share of."""
    return Finding(part, WITHIN if moved <= most else DIFFERENT, f"moved by {moved:.2%} of {of}")


def compare_values(part: str, old: Any, new: Any) -> Finding:
    """Return the Finding about a part of two records, value by value."""
    before, after = dict(named(old, part)), dict(named(new, part))
    missing = sorted(before.keys() ^ after.keys())
    if missing:
        return Finding(part, DIFFERENT, f"only one of the two has {missing[0]}")
    moved = {n: verdict_of(n, before[n], after[n]) for n in before}
    for verdict in (DIFFERENT, WITHIN):
        names = [name for name in moved if moved[name] == verdict and tolerance_of(name) != ANY]
        if names or verdict in moved.values():
            said = [f"{n}: {shown(before[n])} → {shown(after[n])}" for n in names[:3]]
            more = [f"{len(names) - 3} more"] if len(names) > 3 else []
            return Finding(part, verdict, "; ".join(said + more))
    return Finding(part, IDENTICAL)


def compare_confusion(old: Any, new: Any) -> Finding:
    """Return the Finding about two confusion matrices: which share of the digits moved in it."""
    before, after = np.array(old), np.array(new)
    if before.shape != after.shape or before.sum() != after.sum():
        return Finding("confusion_matrix", DIFFERENT, "of other digits")
    moved = np.abs(before - after).sum() / 2 / before.sum()
    part = "confusion_matrix"
    return judged(part, moved, TOLERANCE, "the digits") if moved else Finding(part, IDENTICAL)


def compare_records(old: dict[str, Any], new: dict[str, Any]) -> list[Finding]:
    """Return the Findings about two runs' metrics.json, key by key."""
    found = []
    for key in sorted(old.keys() | new.keys()):
        if key not in old or key not in new:
            found.append(Finding(key, DIFFERENT, "only one of the two has it"))
        elif key == "confusion_matrix":
            found.append(compare_confusion(old[key], new[key]))
        elif key == "models":
            names = sorted(old[key].keys() | new[key].keys())
            pairs = [(f"models/{n}", old[key].get(n), new[key].get(n)) for n in names]
            found += [compare_values(*pair) for pair in pairs]
        elif key not in ("environment", "total_seconds"):
            found.append(compare_values(key, old[key], new[key]))
    return found


def compare_text(part: str, old: str, new: str) -> Finding:
    """Return the Finding about two texts: their words; numbers are the record's matter."""
    if old == new:
        return Finding(part, IDENTICAL)
    same = NUMBER.sub("#", old) == NUMBER.sub("#", new)
    return (
        Finding(part, WITHIN, "other numbers") if same else Finding(part, DIFFERENT, "other words")
    )


def compare_figures(part: str, old: bytes, new: bytes) -> Finding:
    """Return the Finding about two PNG files."""
    if old == new:
        return Finding(part, IDENTICAL)
    before, after = (
        np.asarray(PIL.Image.open(io.BytesIO(png)).convert("RGB"), int) for png in (old, new)
    )
    if before.shape != after.shape:
        return Finding(part, DIFFERENT, "another size")
    moved = np.mean((abs(before - after) > 32).any(2))
    return judged(part, float(moved), PIXELS, "its pixels")


def text_of(cell: Any) -> str:
    """Return the text that a code cell's outputs show, without what tells of time and machine."""
    texts = []
    for output in cell.outputs:
        data = output.get("data", {"text/plain": output.get("text", "")})
        texts.append(next((data[kind] for kind in SHOWN if kind in data), ""))
    return re.sub(r"\s+", " ", MACHINE.sub("#", "\n".join(texts)))


def compare_cells(old: Any, new: Any) -> list[Finding]:
    """Return the Findings about the code cells of two notebooks, by the cells' ids."""
    texts = {cell.id: text_of(cell) for cell in new.cells if cell.cell_type == "code"}
    cells = [cell for cell in old.cells if cell.cell_type == "code"]
    return [
        compare_text(f"cell {c.id}", text_of(c), texts.get(c.id, "no such cell")) for c in cells
    ]


def compare_pictures(old: pathlib.Path, new: pathlib.Path) -> list[Finding]:
    """Return the Findings about the figures in two folders, those that a run makes."""
    names = sorted(path.name for path in new.glob("*.png"))
    return [compare_figures(n, (old / n).read_bytes(), (new / n).read_bytes()) for n in names]


def same_kind(made_on: dict[str, Any]) -> bool:
    """Return whether this machine is of the kind that a record was made on, libraries included."""
    here = machine.environment()
    return all(here[key] == made_on[key] for key in ("processor", "tensorflow", "keras", "numpy"))


def why() -> str:
    """Return where the tolerance comes from, in a sentence."""
    record = json.loads(paths.METRICS.read_text(encoding="utf-8"))
    deviation = max(m["test_accuracy"]["sd"] for m in record["seeds"]["models"].values())
    said = f"over five seeds the standard deviation is at most {deviation:.2%}"
    path = paths.RESULTS / "portability.json"
    if path.exists():
        variants = [found for found in json.loads(path.read_text())["variants"].values() if found]
        moves = [abs(m["errors_more"]) for v in variants for m in v["models"].values()]
        said += f"; over {len(variants)} processors, libraries and Pythons it moved by up to "
        said += f"{max(moves) / 10_000:.2%}"
    return f"An accuracy may move by {TOLERANCE:.1%}: {said}."


def report(findings: list[Finding], made_on: dict[str, Any]) -> int:
    """Print the findings as a sceptic would read them; return the exit status.

    made_on: the record's machine. On one of its kind everything must be identical.
    """
    alike, here = same_kind(made_on), machine.environment()
    print(f"\nRecord: {made_on['processor']}, TensorFlow {made_on['tensorflow']}")
    print(f"Here:   {here['processor']}, TensorFlow {here['tensorflow']}")
    demand = "the same kind: everything must be identical" if alike else f"another kind. {why()}"
    print(f"A machine of {demand}\n\n| part | verdict | |\n|---|---|---|")
    for finding in findings:
        print(f"| {finding.part} | {finding.verdict} | {finding.said} |")
    counts = {v: sum(f.verdict == v for f in findings) for v in (IDENTICAL, WITHIN, DIFFERENT)}
    print("\n" + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    good = counts[IDENTICAL] == len(findings) if alike else not counts[DIFFERENT]
    print("Reproduced." if good else "NOT REPRODUCED.")
    return 0 if good else 1


def compare_runs(new: pathlib.Path, new_notebook: Any, old: pathlib.Path = paths.ROOT) -> int:
    """Compare a run's folder and notebook with the committed; print a report, return the status."""
    names = (folder / "results" / paths.METRICS.name for folder in (old, new))
    records = [json.loads(name.read_text(encoding="utf-8")) for name in names]
    if records[0]["dataset"]["sha256"] != records[1]["dataset"]["sha256"]:
        print("This run had other images than the record; README, 'Without network', tells more.")
        return 1
    for folder, record in zip((old, new), records, strict=True):
        digest = record["models"][record["saved_model"]]["weights_sha256"]
        saved_model.load(folder / paths.MODEL.name, digest)
    findings = compare_records(*records)
    old_notebook = nbformat.read(old / paths.NOTEBOOK.name, as_version=4)
    findings += compare_cells(old_notebook, new_notebook)
    findings += compare_pictures(old / "visualizations", new / "visualizations")
    return report(findings, records[0]["environment"])


def compare_result(name: str, old: Result, new: Result) -> Finding:
    """Return the Finding about a kept training and its repeat; else accuracies judge it."""
    timeless = [
        {key: value for key, value in result.items() if key != "machine" and "seconds" not in key}
        for result in (old, new)
    ]
    if old["weights_sha256"] == new["weights_sha256"]:
        found = compare_values(name, *timeless)
        said = f"the same weights, but {found.said}" if found.verdict != IDENTICAL else ""
        return Finding(name, DIFFERENT if said else IDENTICAL, said)
    counts = ("parameters", "test_accuracy", "validation_accuracy")
    counted = [{k: v for k, v in result.items() if k in counts} for result in (old, new)]
    return dataclasses.replace(compare_values("models/" + name, *counted), part=name)


def retrain(
    name: str,
    kept: store.Store | None = None,
    train: Callable[[store.Description], Result] = worker.train_in_child,
) -> int:
    """Train a kept experiment again, such as "cnn-seed4"; print the report, return the status."""
    known = {f"{e.name}-seed{e.seed}": e for e in experiments.study()}
    if name not in known:
        print(f"There is no training {name!r}. Choose from:\n{', '.join(known)}")
        return 2
    description = store.describe(known[name])
    path = (kept or store.Store()).path(description)
    if not path.exists():
        print(f"{name} is not kept for this code and these libraries: make experiments trains it")
        return 1
    old = json.loads(path.read_text(encoding="utf-8"))["result"]
    return report([compare_result(name, old, train(description))], old["machine"])
