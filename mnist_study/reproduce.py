"""Compare a new run with the committed one: its record, its cells' output and its figures."""

import dataclasses
import json
import math
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import nbformat
import numpy as np
import PIL.Image

from mnist_study import experiments, machine, paths, results, saved_model, store, worker
from mnist_study.errors import NotExecutedError, RecordError
from mnist_study.runners import Result

IDENTICAL, WITHIN, DIFFERENT = "identical", "within tolerance", "DIFFERENT"
# How far accuracies may move where sums round differently. That acts like another seed, and over
# seeds accuracies have a standard deviation of 0.1 points at most; see why().
TOLERANCE = 0.004
ANY = math.inf  # any value will do: other numbers are compared in its place
NOT_COMPARED = re.compile(r"seconds$|/output_folder$")  # they say nothing of the study
# How far a number of metrics.json may move, by its name; all others must be equal.
TOLERANCES = {
    r"models/.*/weights_sha256": ANY,  # accuracies are compared
    r"models/.*_loss": 0.02,
    r"models/.*_accuracy|labels/accuracy_without_contested": TOLERANCE,
    r"hardest/digit": ANY,  # several digits are about as hard
    r"hardest/recall": 0.01,  # rests on a thousand digits
    r"labels/misclassified": 4,  # of fifteen
    r"calibration/.*/temperature": 0.3,
    r"calibration/.*/ece_": 0.01,
    r"selective/error": 0.001,
    r"selective/": 0.02,
    r"out_of_distribution/.*/accepted": 0.15,  # of 44 letters
    r"transfer/": 0.04,  # few labels, drawn twice
}
# Share of a figure's pixels that may change: galleries show other digits when others are hard.
# Without AVX-512 it was 16% in a gallery, 4% in a chart and 10% in the confusion matrix.
PIXELS = 0.25
SHOWN = ("text/html", "text/markdown", "text/plain")  # an output shows the first of these it has
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?%?")
# What may differ in any text: seconds, the processor's name, and how the weights compare with the
# recorded ones (the record says that, too).
MACHINE = re.compile(
    r"\d[\d.,]* s\b|[^\n<>]*\(cpu family.*?\)|the same weights"
    r"|(other weights on the same|another) processor: \S+ points",
    re.IGNORECASE,
)
BY_OTHER_MEANS = ("environment", "figures", "total_seconds")  # figures by pixels, not by digests
KIND = ("processor", "tensorflow", "keras", "numpy")  # of a machine
ACCURACIES = ("parameters", "test_accuracy", "validation_accuracy")  # of a training's result


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The verdict on one part of a run: a part of its record, a cell's text, a figure."""

    part: str
    verdict: str
    details: str = ""


def plain_values(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the plain values in a record with their names, such as models/cnn/test_accuracy."""
    if isinstance(value, (dict, list)):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from plain_values(part, f"{name}/{key}")
    else:
        yield name, value


def verdict_of(name: str, old: Any, new: Any) -> str:
    """Return the verdict on the value of that name; texts and truth values must be equal."""
    if old == new or (old != old and new != new) or NOT_COMPARED.search(name):
        return IDENTICAL
    tolerance = next((most for part, most in TOLERANCES.items() if re.match(part, name)), 0)
    numbers = all(type(value) in (int, float) for value in (old, new))
    close = numbers and abs(old - new) <= tolerance + 1e-12
    return WITHIN if close or tolerance == ANY else DIFFERENT


def by_share(part: str, share: float, most: float, of: str) -> Comparison:
    """Return the verdict on a part of which that share has changed; of: what it is a share of."""
    return Comparison(part, WITHIN if share <= most else DIFFERENT, f"{share:.2%} of {of} changed")


def compare_values(part: str, old: Any, new: Any) -> Comparison:
    """Compare a part of two records, value by value."""
    before, after = dict(plain_values(old, part)), dict(plain_values(new, part))
    if unpaired := sorted(before.keys() ^ after.keys()):
        return Comparison(part, DIFFERENT, f"only one of the two has {unpaired[0]}")
    verdicts = {n: verdict_of(n, before[n], after[n]) for n in before}
    verdict = next((v for v in (DIFFERENT, WITHIN) if v in verdicts.values()), IDENTICAL)
    names = [n for n in verdicts if verdicts[n] == verdict != IDENTICAL]
    details = [f"{n}: {before[n]!s:.20} → {after[n]!s:.20}" for n in names[:3]]
    details += [f"{len(names) - 3} more"] if len(names) > 3 else []
    return Comparison(part, verdict, "; ".join(details))


def compare_confusion(part: str, old: Any, new: Any) -> Comparison:
    """Compare two confusion matrices by the share of digits in other places."""
    before, after = np.array(old), np.array(new)
    if before.shape != after.shape or before.sum() != after.sum():
        return Comparison(part, DIFFERENT, "of other digits")
    share = float(np.abs(before - after).sum() / 2 / before.sum())
    return by_share(part, share, TOLERANCE, "the digits") if share else Comparison(part, IDENTICAL)


def compare_records(old: dict[str, Any], new: dict[str, Any]) -> list[Comparison]:
    """Compare the records of two runs part by part, each model as a part of its own."""
    before, after = (r | {f"models/{n}": m for n, m in r["models"].items()} for r in (old, new))
    compare = {"confusion_matrix": compare_confusion}
    parts = sorted((before.keys() | after.keys()) - {"models", *BY_OTHER_MEANS})
    return [compare.get(p, compare_values)(p, before.get(p), after.get(p)) for p in parts]


def compare_text(part: str, old: str, new: str) -> Comparison:
    """Compare two texts by their words; their numbers are compared in the record."""
    if old == new:
        return Comparison(part, IDENTICAL)
    if NUMBER.sub("#", old) == NUMBER.sub("#", new):
        return Comparison(part, WITHIN, "other numbers")
    return Comparison(part, DIFFERENT, "other words")


def compare_figures(old: pathlib.Path, new: pathlib.Path) -> Comparison:
    """Compare two PNG files of the same name by the share of pixels that look different."""
    if old.read_bytes() == new.read_bytes():
        return Comparison(new.name, IDENTICAL)
    before, after = (np.asarray(PIL.Image.open(path).convert("RGB"), int) for path in (old, new))
    if before.shape != after.shape:
        return Comparison(new.name, DIFFERENT, "another size")
    share = float(np.mean((abs(before - after) > 32).any(2)))
    return by_share(new.name, share, PIXELS, "its pixels")


def text_of(cell: Any) -> str:
    """Return the text of a code cell's outputs, without times and the machine."""
    texts = []
    for output in cell.outputs:
        data = output.get("data", {"text/plain": output.get("text", "")})
        texts.append(next((data[kind] for kind in SHOWN if kind in data), ""))
    return re.sub(r"\s+", " ", MACHINE.sub("#", "\n".join(texts)))


def compare_cells(old: Any, new: Any) -> list[Comparison]:
    """Compare the code cells of two notebooks, by the cells' ids, or by place where those are lost.

    Cells that papermill injects do not count.
    """
    code = [[c for c in notebook.cells if c.cell_type == "code"] for notebook in (old, new)]
    code = [[c for c in cells if not c.source.startswith("# Parameters\n")] for cells in code]
    whole = len({cell.get("id") for cell in code[0]} - {None}) == len(code[0])
    before, after = (
        {cell.id if whole else place: text_of(cell) for place, cell in enumerate(cells, 1)}
        for cells in code
    )
    return [compare_text(f"cell {n}", before[n], after.get(n, "no such cell")) for n in before]


def why() -> str:
    """Return the reason for the tolerance."""
    deviation = max(results.accuracy(name)["sd"] or 0 for name in results.MODELS)
    over_seeds = f"over seeds its standard deviation is at most {deviation:.2%}"
    elsewhere = f"other processors and libraries moved it by up to {results.largest_move():.2%}"
    return f"An accuracy may move by {TOLERANCE:.1%}: {over_seeds}; {elsewhere}."


def report(comparisons: list[Comparison], environment: dict[str, Any]) -> int:
    """Print the comparisons as a table; return the exit status, 0 if all is reproduced.

    environment: the record's. On a machine of its KIND everything must be identical.
    """
    here = machine.environment()
    alike = all(here[name] == environment[name] for name in KIND)
    print(f"\nRecord: {environment['processor']}, TensorFlow {environment['tensorflow']}")
    print(f"Here:   {here['processor']}, TensorFlow {here['tensorflow']}")
    demand = "the same kind: everything must be identical" if alike else f"another kind. {why()}"
    print(f"A machine of {demand}\n\n| part | verdict | |\n|---|---|---|")
    for comparison in comparisons:
        print(f"| {comparison.part} | {comparison.verdict} | {comparison.details} |")
    counts = {v: sum(c.verdict == v for c in comparisons) for v in (IDENTICAL, WITHIN, DIFFERENT)}
    print("\n" + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    good = counts[IDENTICAL] == len(comparisons) if alike else not counts[DIFFERENT]
    print("Reproduced." if good else "NOT REPRODUCED.")
    return 0 if good else 1


def committed_parameters(folder: pathlib.Path = paths.ROOT) -> dict[str, Any]:
    """Return the parameters of the committed run; raise, before another, when it is not whole.

    Raises RecordError without its record or its model, NotExecutedError without its outputs.
    """
    record = folder / "results" / paths.METRICS.name
    for file in (record, folder / paths.MODEL.name):
        if not file.is_file():
            raise RecordError(f"{file} is missing: bring it back, or make run")
    notebook = nbformat.read(folder / paths.NOTEBOOK.name, as_version=4)
    if any(c.cell_type == "code" and c.source and not c.execution_count for c in notebook.cells):
        raise NotExecutedError(f"{paths.NOTEBOOK.name} has cells without outputs: make run")
    return json.loads(record.read_text(encoding="utf-8"))["parameters"]


def compare_runs(new: pathlib.Path, new_notebook: Any, old: pathlib.Path = paths.ROOT) -> int:
    """Compare a run's folder and notebook with the committed; print a report, return the status."""
    files = [folder / "results" / paths.METRICS.name for folder in (old, new)]
    records = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    if records[0]["dataset"]["sha256"] != records[1]["dataset"]["sha256"]:
        print("This run had other images than the record: see docs/USING.md, 'Without network'.")
        return 1
    for folder, record in zip((old, new), records, strict=True):
        digest = record["models"][record["saved_model"]]["weights_sha256"]
        saved_model.load(folder / paths.MODEL.name, digest)
    comparisons = compare_records(*records)
    committed = (old / paths.NOTEBOOK.name).read_text(encoding="utf-8")
    comparisons += compare_cells(nbformat.v4.reads(committed), new_notebook)  # no ids made up
    pictures = sorted((new / "visualizations").glob("*.png"))
    comparisons += [compare_figures(old / "visualizations" / p.name, p) for p in pictures]
    return report(comparisons, records[0]["environment"])


def compare_result(name: str, old: Result, new: Result) -> Comparison:
    """Compare a recorded training with its repeat: all values, or accuracies if weights differ."""
    same_weights = old["weights_sha256"] == new["weights_sha256"]
    compared = (old.keys() | new.keys()) - {"machine"} if same_weights else ACCURACIES
    values = ({key: r[key] for key in r if key in compared} for r in (old, new))
    comparison = compare_values(f"models/{name}", *values)
    if same_weights and comparison.verdict != IDENTICAL:
        return Comparison(name, DIFFERENT, f"the same weights, but {comparison.details}")
    return dataclasses.replace(comparison, part=name)


def retrain(
    name: str,
    records: store.Store | None = None,
    train: Callable[[store.Description], Result] = worker.train_in_child,
) -> int:
    """Train a recorded experiment again, such as cnn-seed4; print a report, return the status."""
    known = {f"{e.name}-seed{e.seed}": e for e in experiments.study()}
    if name not in known:
        print(f"There is no training {name!r}. Choose from:\n{', '.join(known)}")
        return 2
    description = store.describe(known[name])
    path = (records or store.Store()).path(description)
    if not path.exists():
        print(f"{name} is not recorded for this code: make experiments trains it")
        return 1
    old = store.read_record(path)["result"]
    return report([compare_result(name, old, train(description))], old["machine"])
