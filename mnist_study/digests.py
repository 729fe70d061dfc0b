"""Which code a result comes from: digests of files, found by following imports."""

import ast
import functools
import hashlib
import json
import pathlib
import sys
from collections.abc import Iterable
from typing import Any

from mnist_study import LAZY, paths

PROJECT = ("mnist_study", "digit_reader")
# What no result depends on: where modules and files are, names of errors, shapes in signatures.
WITHOUT_EFFECT = ("mnist_study", *(f"mnist_study.{name}" for name in ("paths", "errors", "arrays")))
DATA = (".json", ".npz", ".csv", ".mplstyle", ".tflite")  # of modules, beside them
INSTALLED_AS = {"PIL": "pillow", "sklearn": "scikit-learn"}  # others as they are imported
TYPES_ONLY = "jaxtyping"


def files(folder: pathlib.Path, pattern: str) -> list[pathlib.Path]:
    """Return the regular files of a folder that fit a pattern, sorted, and none that is hidden.

    Editors, JupyterLab and file managers leave hidden files, links and folders beside the others.
    """
    fitting = folder.glob(pattern)
    return sorted(path for path in fitting if path.is_file() and not path.name.startswith("."))


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


def imported(source: str) -> frozenset[str]:
    """Return the names that Python code imports, wherever in it: a.b, and a.b.c of a.b."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(LAZY.get(name, name) for name in names)  # pyright: ignore[reportReturnType]


@functools.cache
def imports(path: pathlib.Path) -> frozenset[str]:
    """Return the names that a Python file imports; see imported."""
    return imported(path.read_text(encoding="utf-8"))


def file_of(module: str, root: pathlib.Path = paths.ROOT) -> pathlib.Path | None:
    """Return the file of a module or package of the project, None of anything else."""
    place = root.joinpath(*module.split("."))
    possible = place.with_suffix(".py"), place / "__init__.py"
    return next((path for path in possible if path.is_file()), None)


@functools.cache
def data_of(path: pathlib.Path) -> list[pathlib.Path]:
    """Return the data files beside a module that it names, or that have its name: strokes.json."""
    text = path.read_text(encoding="utf-8")
    beside = (file for suffix in DATA for file in files(path.parent, f"*{suffix}"))
    return [file for file in beside if file.stem == path.stem or f'"{file.name}"' in text]


def reached(modules: Iterable[str], root: pathlib.Path = paths.ROOT) -> frozenset[pathlib.Path]:
    """Return the files of modules and of all that they import in the project, with their data."""
    return reached_from(frozenset(modules), root)


@functools.cache
def reached_from(modules: frozenset[str], root: pathlib.Path) -> frozenset[pathlib.Path]:
    """Return what reached does, once a process."""
    found: set[pathlib.Path] = set()
    waiting = [*modules]
    while waiting:
        module = waiting.pop()
        path = file_of(module, root) if module.startswith(PROJECT) else None
        if path and path not in found and module not in WITHOUT_EFFECT:
            found.add(path)
            waiting += imports(path)
    return frozenset(found.union(*map(data_of, found)))


def by_name(found: Iterable[pathlib.Path], root: pathlib.Path = paths.ROOT) -> dict[str, str]:
    """Return the digests of files by their path in the project, sorted."""
    return {path.relative_to(root).as_posix(): of_file(path) for path in sorted(found)}


def of_code(module: str, root: pathlib.Path = paths.ROOT) -> dict[str, str]:
    """Return the digests of all files that decide what a module's functions return."""
    return by_name(reached([module], root), root)


def libraries(module: str, root: pathlib.Path = paths.ROOT) -> list[str]:
    """Return the names, as installed, of the libraries that those files import, sorted."""
    code = [path for path in reached([module], root) if path.suffix == ".py"]
    names = {name.partition(".")[0] for path in code for name in imports(path)}
    names -= {*sys.stdlib_module_names, *PROJECT, TYPES_ONLY}
    return sorted(INSTALLED_AS.get(name, name) for name in names)


def of_description(description: dict[str, Any]) -> str:
    """Return the key of an experiment's description, fit for JSON: twelve hexadecimal digits."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:12]


def of_notebook(cells: Iterable[str], root: pathlib.Path = paths.ROOT) -> dict[str, str]:
    """Return the digests of all that the notebook's outputs come from: code, packages, records.

    cells: the source of the code cells; blank ones and the one that papermill injects do not count.
    """
    sources = [cell.strip() for cell in cells if cell.strip()]
    sources = [cell for cell in sources if not cell.startswith("# Parameters\n")]
    names = {name for cell in sources for name in imported(cell)}
    results = root / paths.RESULTS.name
    records = [*files(results, "*-seed*.json"), *files(results, "reader.json")]
    together = "\n\n".join([*sources, *map(of_file, sorted(records))])
    return {
        "cells and records": hashlib.sha256(together.encode()).hexdigest(),
        **by_name(reached(names, root), root),
    }
