"""What people do to the notebook before they test: what is committed must stay testable after it.

After each run, and after each editor that saved the notebook, the fast tests of what is committed
pass or are skipped with a reason.
"""

import sys

import nbformat
import pytest
from support.host import DEAD
from support.notebook import code_cells, edit_notebook, read_notebook
from support.project import copy_of_project, make, run

FAST = ("tests/notebook/test_committed.py", "tests/test_text.py")
NOTEBOOK = "mnist_model.ipynb"
TIME = "2026-01-01T12:00:00.000000+00:00"


def check(folder, *options):
    """Run the fast tests in a copy: none fails, and each reason to skip one is a line."""
    command = (sys.executable, "-m", "pytest", "-q", "-rsfE", *options, *FAST)
    done = run(*command, folder=folder, check=False)
    assert done.returncode == 0, done.stdout
    reasons = done.stdout.partition("short test summary info")[2].splitlines()[1:-1]
    assert all(line.startswith("SKIPPED") for line in reasons), reasons
    assert " passed" in done.stdout.splitlines()[-1]


def by_jupyterlab(notebook):
    """Change what JupyterLab changes when it saves, on a machine of another Python."""
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    language = {"name": "python", "version": "3.13.0", "file_extension": ".py"}
    notebook.metadata.update(kernelspec=kernel, language_info=language)


def by_vs_code(notebook):
    """Change what VS Code changes when it saves."""
    notebook.metadata["vscode"] = {"interpreter": {"hash": "0" * 64}}
    for cell in code_cells(notebook):
        cell.metadata["vscode"] = {"languageId": "python"}


def by_nbconvert(notebook):
    """Add the times that nbconvert notes when it executes."""
    for cell in code_cells(notebook):
        cell.metadata["execution"] = {"iopub.execute_input": TIME, "shell.execute_reply": TIME}


def by_papermill(notebook):
    """Add what papermill notes when it executes, and the cell of parameters that it injects."""
    notebook.metadata["papermill"] = {"duration": 300.0, "exception": None, "version": "2.7.0"}
    place = [cell.id for cell in notebook.cells].index("parameters") + 1
    injected = nbformat.v4.new_code_cell("# Parameters\nseed = 1\n", id="injected-parameters")
    injected.metadata["tags"] = ["injected-parameters"]
    notebook.cells.insert(place, injected)
    for number, cell in enumerate(code_cells(notebook), 1):
        cell.execution_count = number
        cell.metadata.setdefault("tags", [])
        cell.metadata["papermill"] = {"duration": 0.1, "exception": False, "status": "completed"}
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = number


EDITORS = {
    "JupyterLab": by_jupyterlab,
    "VS Code": by_vs_code,
    "nbconvert": by_nbconvert,
    "papermill": by_papermill,
}


def save(path, *changes):
    """Save the notebook at path as programs do that make these changes."""
    notebook = read_notebook(path)
    for change in changes:
        change(notebook)
    nbformat.write(notebook, path)


@pytest.fixture
def copy(tmp_path):
    """A copy of the project as it stands, outputs included."""
    return copy_of_project(tmp_path / "copy")


def test_the_notebook_may_be_saved_by_all_editors_one_after_another(copy):
    save(copy / NOTEBOOK, *EDITORS.values())
    check(copy, "-k", "not saved_model and not rendering")  # what takes longest, and is not changed


@pytest.mark.proof
@pytest.mark.parametrize("editor", EDITORS)
@pytest.mark.setting("the notebook saved by {editor}", "the tests pass")
def test_the_notebook_may_be_saved_by_an_editor(copy, editor):
    save(copy / NOTEBOOK, EDITORS[editor])
    check(copy)


EXECUTE = ("jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace", NOTEBOOK)
PAPERMILL = ("papermill", NOTEBOOK, NOTEBOOK, "-p", "profile", "quick")
RUNS = {  # what is run: whether the notebook is set to quick, the command, its variables
    "a quick `make run`": (True, make("run"), {}),
    "a quick `make run` without MNIST": (True, make("run"), DEAD | {"KERAS_HOME": "{folder}"}),
    "`make run` without AVX-512": (False, make("run"), {"ONEDNN_MAX_CPU_ISA": "AVX2"}),
    "`jupyter nbconvert --execute --inplace`": (True, EXECUTE, {}),
    "papermill in place": (False, PAPERMILL, {}),
}


@pytest.mark.proof
@pytest.mark.parametrize("what", RUNS)
@pytest.mark.setting("{what}, then the tests", "they pass, or say why they are skipped")
def test_the_notebook_may_be_run(copy, mnist_file, what):
    quick, command, variables = RUNS[what]
    if quick:
        edit_notebook(copy / NOTEBOOK, profile="quick")
    given = {k: v and v.format(folder=copy.parent) for k, v in variables.items()}
    run(*command, folder=copy, **given)
    check(copy)
