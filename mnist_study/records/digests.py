"""Which code a result comes from: digests of modules, found by following their imports."""

import ast
import functools
import hashlib
import json
import pathlib
import sys
from collections.abc import Iterable
from typing import Any

from mnist_study import paths

# Where imports are followed from what trains outside core; what lies elsewhere decides no result.
FOLLOWED = (
    "mnist_study.trials",
    "mnist_study.reader",
    "mnist_study.records.calibration",
    "digit_reader",
)
# The rooms that the notebook's outputs come from.
SHOWN = ("core", "records", "reader", "trials", "story")
DATA = (".json", ".npz")
DATA_ELSEWHERE = {"digit_reader/rules.py": "digit_reader/page/rules.js"}
INSTALLED_AS = {
    "PIL": "pillow",
    "sklearn": "scikit-learn",
}  # others are called as they are imported


def without_docstrings(tree: ast.Module) -> ast.Module:
    """Return a syntax tree without the strings that stand as statements."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            strings = [
                line
                for line in node.body
                if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
            ]
            node.body = [line for line in node.body if line not in strings] or [ast.Pass()]
    return tree


@functools.cache
def of_file(path: pathlib.Path) -> str:
    """Return the SHA-256 of a file; of Python's syntax, without comments and docstrings."""
    content = path.read_bytes().replace(b"\r\n", b"\n")  # as Git may write lines on Windows
    if path.suffix == ".py":
        content = ast.unparse(without_docstrings(ast.parse(content))).encode()
    return hashlib.sha256(content).hexdigest()


@functools.cache
def imports(path: pathlib.Path) -> frozenset[str]:
    """Return the names that a Python file imports, wherever in it: a.b, and a.b.c of a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def file_of(module: str, root: pathlib.Path = paths.ROOT) -> pathlib.Path:
    """Return where a module of the project stands, if it does."""
    return root.joinpath(*module.split(".")).with_suffix(".py")


def reached(
    module: str, within: Iterable[str] = FOLLOWED, root: pathlib.Path = paths.ROOT
) -> set[pathlib.Path]:
    """Return the files of a module and of all that it imports within these packages.

    A data file of a module's own name, such as strokes.json beside strokes.py, belongs to it, and
    those of DATA_ELSEWHERE.
    """
    found, waiting = set(), [module]
    while waiting:
        path = file_of(waiting.pop(), root)
        if path.exists() and path not in found:
            found.add(path)
            waiting += [name for name in imports(path) if name.startswith(tuple(within))]
    own = (path.with_suffix(suffix) for path in found for suffix in DATA)
    elsewhere = (root / data for module, data in DATA_ELSEWHERE.items() if root / module in found)
    return found | {path for path in (*own, *elsewhere) if path.exists()}


def files_of_training(trained_by: str, root: pathlib.Path = paths.ROOT) -> set[pathlib.Path]:
    """Return the files that decide what a training gives: all of core, and what trains it."""
    return {*(root / "mnist_study" / "core").glob("*.py")} | reached(trained_by, root=root)


def of_training(trained_by: str, root: pathlib.Path = paths.ROOT) -> dict[str, str]:
    """Return the digests of those files, by their path in the project."""
    found = sorted(files_of_training(trained_by, root))
    return {path.relative_to(root).as_posix(): of_file(path) for path in found}


def libraries(trained_by: str, root: pathlib.Path = paths.ROOT) -> list[str]:
    """Return the names, as installed, of the libraries that those files import, sorted."""
    files = [path for path in files_of_training(trained_by, root) if path.suffix == ".py"]
    names = {name.partition(".")[0] for path in files for name in imports(path)}
    names -= {*sys.stdlib_module_names, "mnist_study", "digit_reader", "jaxtyping"}
    return sorted(INSTALLED_AS.get(name, name) for name in names)


def of_description(description: dict[str, Any]) -> str:
    """Return the key of an experiment's description, fit for JSON: twelve hexadecimal digits."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:12]


def of_notebook(cells: Iterable[str]) -> str:
    """Return the SHA-256 of all that the notebook's outputs come from: code, packages, records.

    cells: the source of the code cells; blank ones and the one that papermill injects do not count.
    """
    parts = [cell.strip() for cell in cells if cell.strip()]
    parts = [cell for cell in parts if not cell.startswith("# Parameters\n")]
    files = [path for room in SHOWN for path in (paths.PACKAGE / room).iterdir() if path.is_file()]
    files += [path for path in paths.READER.rglob("*.*") if path.suffix not in (".tflite", ".pyc")]
    files = [path for path in files if path.name != "model.js"]  # reader.json tells its network
    files += [*paths.RESULTS.glob("*-seed*.json"), paths.RESULTS / "reader.json"]
    parts += [of_file(path) for path in sorted(files)]
    return hashlib.sha256("\n\n".join(parts).encode()).hexdigest()
