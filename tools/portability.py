"""How far results move with threads, instructions, libraries and Pythons: make portability.

Trains recorded experiments again under each variant, with the code as it is, and compares weights
and predictions for the 10,000 test images with the record; writes results/portability.json and the
table in docs/PROOF.md. A variant whose Python is not on this machine is left out, which is said.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from digit_reader.files import write_text
from mnist_study import machine, store
from mnist_study.paths import RESULTS, ROOT
from tools.proof import write_block

RECORD = RESULTS / "portability.json"
NAMES = ("baseline_mlp", "dense_dropout", "cnn")  # the notebook's, but for softmax regression
MADE_WITH = ("python", "numpy", "keras", "tensorflow")
ONE = {"TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"}
TWO = {"TF_NUM_INTRAOP_THREADS": "2", "OMP_NUM_THREADS": "2"}
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
# Each: Python's version, which libraries uv shall install, what else is set.
VARIANTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "as committed": ("3.11", "locked", {}),
    "one thread": ("3.11", "locked", ONE),
    "matrix products without AVX-512": ("3.11", "locked", AVX2),
    "without oneDNN": ("3.11", "locked", {"TF_ENABLE_ONEDNN_OPTS": "0"}),
    "Python 3.12": ("3.12", "locked", {}),
    "Python 3.13": ("3.13", "locked", {}),
    "oldest libraries allowed": ("3.11", "lowest-direct", {}),
    "newest libraries allowed": ("3.13", "highest", {}),
}
# A program that prints the versions of the libraries it is given.
VERSIONS = """
import json, sys
from mnist_study import machine
print(json.dumps(machine.versions(*sys.argv[1:])))
"""
HEAD = """\
Of {names}, seed 1, against the record, on {processor}.
Other predictions and more errors are of 10,000 test images, one number a model.

| variant | Python, numpy, keras, tensorflow | weights | other predictions | more errors |
|---|---|---|---|---|
"""
Result = dict[str, Any]  # from JSON, or fit for it


def python_of(version: str) -> str | None:
    """Return the path of a Python on this machine, None where it has none of that version."""
    command = [sys.executable, "-m", "uv", "python", "find", "--no-python-downloads", version]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or None


def environment(python: str, version: str, libraries: str, folder: pathlib.Path) -> pathlib.Path:
    """Make a virtual environment in folder and return its Python."""
    place = folder / f"{version}-{libraries}"
    new, uv = place / "bin" / "python", [sys.executable, "-m", "uv"]
    if not new.exists():
        subprocess.run([*uv, "venv", "-q", "--python", python, place], check=True)
        locked = ["-r", "requirements.txt"]
        resolved = ["--resolution", libraries, "--extra", "study", "-r", "pyproject.toml"]
        install = [*uv, "pip", "install", "-q", "--python", new]
        install += locked if libraries == "locked" else resolved
        subprocess.run(install, check=True, cwd=ROOT)
    return new


def printed(python: pathlib.Path, *words: str, given: str = "", **settings: str) -> Any:
    """Return the JSON that another Python prints in the project's folder."""
    options = {"input": given, "stdout": subprocess.PIPE, "text": True, "check": True}
    return json.loads(subprocess.run([python, *words], cwd=ROOT, env=settings, **options).stdout)


def train(python: pathlib.Path, description: Result, settings: dict[str, str]) -> Result:
    """Run an experiment with another Python and other settings; return its result.

    A worker refuses a description that asks for other libraries or threads than it has, so the
    description is given those.
    """
    variables = os.environ | TWO | {"TF_CPP_MIN_LOG_LEVEL": "3"} | settings
    versions = printed(python, "-c", VERSIONS, *description["versions"], **variables)
    asked = {"versions": versions, "threads": int(variables["TF_NUM_INTRAOP_THREADS"])}
    given = json.dumps(description | asked)
    return printed(python, "-m", "mnist_study.worker", given=given, **variables)


def errors(result: Result) -> set[tuple[int, int]]:
    """Return which test images are misclassified, and as what."""
    return set(zip(result["misclassified"], result["predicted"], strict=True))


def compared(result: Result, record: Result) -> Result:
    """Return how a result differs from the recorded one."""
    other = {image for image, _ in errors(result) ^ errors(record)}
    return {
        "same_weights": result["weights_sha256"] == record["weights_sha256"],
        "other_predictions": len(other),
        "more_errors": len(result["misclassified"]) - len(record["misclassified"]),
    }


def measure(variant: str, folder: pathlib.Path) -> Result | None:
    """Train under a variant; return its libraries and how each model differs from the record.

    None where its Python is not on this machine.
    """
    version, libraries, settings = VARIANTS[variant]
    base = python_of(version)
    if not base:
        return None
    python, models, made = environment(base, version, libraries, folder), {}, {}
    for name in NAMES:
        [path] = RESULTS.glob(f"{name}-seed1-*.json")
        record = json.loads(path.read_text("utf-8"))
        result = train(python, record["inputs"], settings)
        models[name] = compared(result, record["result"])
        made = {key: result["machine"][key] for key in MADE_WITH}
        print(f"{variant}, {name}: {models[name]}", flush=True)
    return {"made_with": made, "models": models}


def row(variant: str, measured: Result | None) -> str:
    """Return a line of the table."""
    if not measured:
        return f"| {variant} | not on this machine | | | |"
    models = [measured["models"][name] for name in NAMES]
    same = [name for name in NAMES if measured["models"][name]["same_weights"]]
    weights = "the same" if len(same) == len(NAMES) else f"same: {', '.join(same) or 'none'}"
    more = ", ".join(f"{model['more_errors']:+d}" for model in models)
    other = ", ".join(str(model["other_predictions"]) for model in models)
    made = ", ".join(measured["made_with"][key] for key in MADE_WITH)
    return f"| {variant} | {made} | {weights} | {other} | {more} |"


def table(record: Result) -> str:
    """Return the table as Markdown."""
    variants = record["variants"]
    lines = [row(variant, variants[variant]) for variant in VARIANTS if variant in variants]
    names = ", ".join(f"`{name}`" for name in NAMES)
    return HEAD.format(names=names, processor=record["processor"]) + "\n".join(lines) + "\n"


def recorded() -> Result:
    """Return what results/portability.json holds; without it a record of no variants."""
    if RECORD.exists():
        return json.loads(RECORD.read_text("utf-8"))
    return {"processor": machine.processor(), "variants": {}}


def main(variants: list[str]) -> None:
    """Measure these variants, record each as it comes, and write the table of all recorded."""
    record = recorded()
    with tempfile.TemporaryDirectory() as folder:
        for variant in variants:
            record["variants"][variant] = measure(variant, pathlib.Path(folder))
            write_text(RECORD, store.as_text(record))
    write_block("portability", table(record))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    help_text = f"all by default: {', '.join(VARIANTS)}"
    parser.add_argument("variants", nargs="*", metavar="variant", help=help_text)
    parser.add_argument("--table", action="store_true", help="measure nothing, write the table")
    given = parser.parse_args()
    if unknown := {*given.variants} - {*VARIANTS}:
        parser.error(f"no variant is called {', '.join(unknown)}")
    main([] if given.table else given.variants or [*VARIANTS])
