"""Results on disk: experiments kept by content, one file each, and the notebook's own record."""

import ast
import dataclasses
import functools
import hashlib
import inspect
import json
import pathlib
import re

from digit_reader.files import write_text
from mnist_study import data, machine, models

PACKAGE = pathlib.Path(__file__).resolve().parent
FOLDER = PACKAGE.parent / "results"
THREADS = 2  # that an experiment's matrix products are split over: another number, other bits
NOT_SHOWN = (
    "__main__",
    "experiments",
    "report",
    "reproduce",
    "handout",
)  # modules that no output comes from
ALWAYS_RUN = ("data", "focus", "patches", "training", "trial")
OF_PEOPLE = ("pens", "people", "reader_trial")  # run, too, where people's pictures teach
CENTRE = PACKAGE.parent / "digit_reader" / "centre.py"  # which prepares those pictures


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A training to keep: what it is called, what it does, and what it is judged on."""

    name: str
    recipe: models.Recipe
    seed: int
    rows: str = "study"  # a kind of data.split, or "people": pictures as people take them
    watch: bool = False  # whether to validate after each epoch
    judged_on: str = "test"  # or "validation", for what is still to be chosen


def without_docstrings(tree):
    """Return a syntax tree without the strings that stand as statements."""
    for node in ast.walk(tree):
        if isinstance(getattr(node, "body", None), list):
            node.body = [
                line
                for line in node.body
                if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
            ] or [ast.Pass()]
    return tree


@functools.cache
def code_digest(path):
    """Return the SHA-256 of a Python file's syntax, which comments and docstrings do not change."""
    tree = without_docstrings(ast.parse(path.read_text(encoding="utf-8")))
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


def architecture_digest(recipe):
    """Return the SHA-256 of the layers that a recipe's network consists of, names left out."""
    layers = [
        {"kind": type(layer).__name__} | layer.get_config() | {"name": None}
        for layer in recipe.build().layers
    ]
    return hashlib.sha256(json.dumps(layers, sort_keys=True, default=str).encode()).hexdigest()


def describe(experiment, package=PACKAGE):
    """Return all that an experiment's result depends on, as a dictionary fit for JSON."""
    recipe = {f.name: getattr(experiment.recipe, f.name) for f in dataclasses.fields(models.Recipe)}
    arguments = inspect.signature(recipe["network"]).bind(**recipe["options"])
    arguments.apply_defaults()
    recipe |= {"network": recipe["network"].__name__, "options": arguments.arguments}
    modules = [*ALWAYS_RUN, *["deform"] * experiment.recipe.deforms]
    paths = [package / f"{name}.py" for name in modules]
    if experiment.rows == "people":
        paths += [*(package / f"{name}.py" for name in OF_PEOPLE), CENTRE]
    description = {
        **{key: getattr(experiment, key) for key in ("name", "seed", "rows", "watch", "judged_on")},
        "recipe": recipe,
        "architecture": architecture_digest(experiment.recipe),
        "code": {path.stem: code_digest(path) for path in paths},
        "data": data.SHA256["mnist"],
        "versions": machine.versions("tensorflow", "keras", "numpy"),
        "threads": THREADS,
    }
    return json.loads(json.dumps(description))  # tuples become lists, as in the file


def as_text(record):
    """Return a record as sorted, indented JSON, lists of plain values on one line each."""
    text = json.dumps(record, indent=1, sort_keys=True)
    flat = re.sub(r"\[\s+[^][{}]*?\s+\]", lambda match: re.sub(r"\s+", " ", match[0]), text)
    return flat + "\n"


def path_of(description, folder=FOLDER):
    """Return where the experiment so described is kept; its name ends in the description's key."""
    key = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:12]
    return folder / f"{description['name']}-seed{description['seed']}-{key}.json"


def keep(description, result, folder=FOLDER):
    """Write the record of a finished experiment; one of its name and seed that was there goes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = path_of(description, folder)
    text = as_text({"inputs": description, "result": result})
    write_text(path, text)
    for other in folder.glob(f"{description['name']}-seed{description['seed']}-*.json"):
        if other != path:
            other.unlink()


def kept(name, folder=FOLDER):
    """Return the results of the experiment of that name, by seed: {seed: result}."""
    records = [json.loads(path.read_text()) for path in folder.glob(f"{name}-seed*.json")]
    return {
        r["inputs"]["seed"]: r["result"] for r in sorted(records, key=lambda r: r["inputs"]["seed"])
    }


def study_digest(cells):
    """Return the SHA-256 of all that the notebook's outputs come from: code, packages, records.

    cells: the source of the code cells; blank ones and the one that papermill injects do not count.
    """
    parts = [cell.strip() for cell in cells if cell.strip()]
    parts = [cell for cell in parts if not cell.startswith("# Parameters\n")]
    reader = PACKAGE.parent / "digit_reader"
    modules = [path for path in sorted(PACKAGE.glob("*.py")) if path.stem not in NOT_SHOWN]
    parts += map(code_digest, [*modules, *sorted(reader.rglob("*.py"))])
    other = [path for path in reader.glob("page/*.*[!y]") if path.name != "model.js"]
    other += [PACKAGE / "study.mplstyle", PACKAGE / "published.csv", *FOLDER.glob("*-seed*.json")]
    other += [reader / "reader.json", FOLDER / "reader.json"]
    parts += [path.read_text(encoding="utf-8") for path in sorted(other)]
    return hashlib.sha256("\n\n".join(parts).encode()).hexdigest()
