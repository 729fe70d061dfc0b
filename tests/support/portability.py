"""How far results move with threads, instructions, libraries and Pythons: make portability.

Trains kept experiments again under each variant, with the code as it is, and compares weights and
readings of the 10,000 test images with the record; writes results/portability.json and the table in
docs/REPRODUCIBILITY.md. Pythons that are not on this machine are left out and said.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from support.proof import write_block

from digit_reader.files import write_atomically
from mnist_study.paths import RESULTS, ROOT
from mnist_study.records import machine, store

RECORD = RESULTS / "portability.json"
NAMES = ("classic_mlp", "dense_dropout", "cnn")  # the notebook's, but for softmax regression
MADE_WITH = ("python", "numpy", "keras", "tensorflow")
ONE = {"TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"}
TWO = {"TF_NUM_INTRAOP_THREADS": "2", "OMP_NUM_THREADS": "2"}
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
# Each: Python's version, which libraries uv shall install, what else is set.
VARIANTS = {
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
from mnist_study.records import machine
print(json.dumps(machine.versions(*sys.argv[1:])))
"""
HEAD = """\
| variant | Python, numpy, keras, tensorflow | weights | other readings | more errors |
|---|---|---|---|---|
"""


def python_of(version):
    """Return the path of a Python on this machine, or None."""
    command = [sys.executable, "-m", "uv", "python", "find", "--no-python-downloads", version]
    found = subprocess.run(command, capture_output=True, text=True)
    return found.stdout.strip() or None


def environment(python, version, libraries, folder):
    """Make a virtual environment in folder and return its Python."""
    place = folder / f"{version}-{libraries}"
    new, uv = place / "bin" / "python", [sys.executable, "-m", "uv"]
    if not new.exists():
        subprocess.run([*uv, "venv", "-q", "--python", python, place], check=True)
        locked = ["-r", "requirements.txt"]
        chosen = ["--resolution", libraries, "--extra", "study", "-r", "pyproject.toml"]
        install = [*uv, "pip", "install", "-q", "--python", new]
        install += locked if libraries == "locked" else chosen
        subprocess.run(install, check=True, cwd=ROOT)
    return new


def said(python, *words, given="", **settings):
    """Return the JSON that another Python prints in the project's folder."""
    options = {"input": given, "stdout": subprocess.PIPE, "text": True, "check": True}
    return json.loads(subprocess.run([python, *words], cwd=ROOT, env=settings, **options).stdout)


def train(python, description, settings):
    """Run an experiment with another Python and other settings; return its result.

    A worker refuses what its libraries or threads do not fulfil: they are asked for by name.
    """
    env = os.environ | TWO | {"TF_CPP_MIN_LOG_LEVEL": "3"} | settings
    versions = said(python, "-c", VERSIONS, *description["versions"], **env)
    asked = {"versions": versions, "threads": int(env["TF_NUM_INTRAOP_THREADS"])}
    given = json.dumps(description | asked)
    return said(python, "-m", "mnist_study.records.worker", given=given, **env)


def readings(result):
    """Return which test images are misread, and as what: a set of pairs."""
    return set(zip(result["misread"], result["read_as"], strict=True))


def compared(result, record):
    """Return how a result differs from the kept one, a dictionary for JSON."""
    other = {row for row, _ in readings(result) ^ readings(record)}
    return {
        "same_weights": result["weights_sha256"] == record["weights_sha256"],
        "other_readings": len(other),
        "errors_more": len(result["misread"]) - len(record["misread"]),
    }


def measure(variant, folder):
    """Return what a variant gives, or None where its Python is not on this machine."""
    version, libraries, settings = VARIANTS[variant]
    found = python_of(version)
    if not found:
        return None
    python, models = environment(found, version, libraries, folder), {}
    for name in NAMES:
        [path] = RESULTS.glob(f"{name}-seed1-*.json")
        record = json.loads(path.read_text())
        result = train(python, record["inputs"], settings)
        models[name] = compared(result, record["result"])
        print(f"{variant}, {name}: {models[name]}", flush=True)
    made = {key: result["machine"][key] for key in MADE_WITH}
    return {"made_with": made, "models": models}


def row(variant, found):
    """Return a line of the table."""
    if not found:
        return f"| {variant} | not on this machine | | | |"
    judged = [found["models"][name] for name in NAMES]
    same = [name for name in NAMES if found["models"][name]["same_weights"]]
    weights = "the same" if len(same) == len(NAMES) else f"same: {', '.join(same) or 'none'}"
    moved = ", ".join(f"{model['errors_more']:+d}" for model in judged)
    other = ", ".join(str(model["other_readings"]) for model in judged)
    made = ", ".join(found["made_with"][key] for key in MADE_WITH)
    return f"| {variant} | {made} | {weights} | {other} | {moved} |"


def table(record):
    """Return the table as Markdown."""
    found = record["variants"]
    lines = [row(variant, found[variant]) for variant in VARIANTS if variant in found]
    said = (
        f"Of {', '.join(f'`{name}`' for name in NAMES)}, seed 1, against the record, on "
        f"{record['processor']}; readings and errors of 10,000 test images.\n\n"
    )
    return said + HEAD + "\n".join(lines) + "\n"


def main(variants, folder):
    """Measure these variants, keep them with the others in the record, and write the table."""
    record = {"processor": machine.processor(), "variants": {}}
    if RECORD.exists():
        record = json.loads(RECORD.read_text())
    for variant in variants:
        record["variants"][variant] = measure(variant, folder)
        text = store.as_text(record)
        write_atomically(RECORD, lambda path, text=text: path.write_text(text))
    write_block("portability", table(record))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variants", nargs="*", choices=[*VARIANTS, []], metavar="variant")
    given = parser.parse_args().variants or [*VARIANTS]
    with tempfile.TemporaryDirectory() as folder:
        main(given, pathlib.Path(folder))
