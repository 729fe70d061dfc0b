"""The notebook: its cells, its outputs, and what a run of it left."""

import json
import types

import nbformat
from support.project import ROOT

NAME = "mnist_model.ipynb"


def read_notebook(path=ROOT / NAME):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def cell_of(notebook, name):
    """Return the notebook's cell with that id."""
    return next(cell for cell in notebook.cells if cell.id == name)


def source(name):
    """Return the source of the notebook's cell with that id."""
    return cell_of(read_notebook(), name).source


def edit_notebook(path, own_model=False, **parameters):
    """Set values in the parameters cell of the notebook at path.

    own_model: whether the cell with a model of one's own is to stand below the imports, too.
    """
    notebook = read_notebook(path)
    lines = [f"{name} = {value!r}" for name, value in parameters.items()]
    cell = cell_of(notebook, "parameters")
    cell.source = "\n".join([cell.source, *lines])
    if own_model:
        below = [cell.id for cell in notebook.cells].index("imports") + 1
        notebook.cells.insert(below, nbformat.v4.new_code_cell(source("own-model")))
    nbformat.write(notebook, path)


def outputs_text(notebook):
    """Return all text that the notebook's outputs show."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    texts = [output.get("text", "") for output in outputs]
    for output in outputs:
        texts += [v for k, v in output.get("data", {}).items() if k.startswith("text/")]
    return "\n".join(texts)


def contents(folder):
    """Return the content of each file in a folder and its folders, by its path there."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def executed(folder, name=NAME, **more):
    """Return what a run left in folder: folder, record, notebook, and what else is given."""
    record = json.loads((folder / "results" / "metrics.json").read_text())
    notebook = read_notebook(folder / name)
    return types.SimpleNamespace(folder=folder, record=record, notebook=notebook, **more)


def weights_sha256(path):
    """Return the digest of a saved model's weights, as the record has it."""
    from mnist_study import data
    from mnist_study.backend import keras

    return data.digest(keras.models.load_model(path, compile=False).get_weights())
