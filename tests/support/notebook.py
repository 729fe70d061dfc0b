"""The notebook: its cells, its outputs, and what a run of it left."""

import json
import re
import types

import nbformat
from support.project import ROOT


def read_notebook(path=ROOT / "mnist_model.ipynb"):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def source(name):
    """Return the source of the notebook's cell with that id."""
    return next(cell.source for cell in read_notebook().cells if cell.id == name)


def edit_notebook(path, **parameters):
    """Set values in the parameters cell of the notebook at path."""
    notebook = read_notebook(path)
    cell = next(cell for cell in notebook.cells if cell.id == "parameters")
    for name, value in parameters.items():
        cell.source, found = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value!r}", cell.source)
        cell.source += "" if found else f"\n{name} = {value!r}"
    nbformat.write(notebook, path)


def outputs_text(notebook):
    """Return all text that the notebook's outputs show."""
    shown = []
    for cell in code_cells(notebook):
        for output in cell.outputs:
            shown += [output.get("text", "")]
            shown += [v for k, v in output.get("data", {}).items() if k.startswith("text/")]
    return "\n".join(shown)


def executed(folder, name="mnist_model.ipynb", **more):
    """Return what a run left in folder: folder, record, notebook, and what else is given."""
    record = json.loads((folder / "results" / "metrics.json").read_text())
    found = {"record": record, "notebook": read_notebook(folder / name)}
    return types.SimpleNamespace(folder=folder, **found, **more)


def weights_sha256(path):
    """Return the digest of a saved model's weights, as the record has it."""
    from mnist_study.core import data
    from mnist_study.core.backend import keras

    return data.digest(keras.models.load_model(path, compile=False).get_weights())
