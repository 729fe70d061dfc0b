"""The commands, and the notebook executed headless: what the terminal says, and what stays."""

import itertools
import json
import sys
import types

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from support.project import ROOT, run

from mnist_study import cli, paths, reproduce, train_missing
from mnist_study.errors import NotExecutedError, TrainingError
from mnist_study.notebook import execute

LIVE = """from IPython.display import Markdown, display
display(Markdown("starts"), display_id=True).update(Markdown("**a model**, epoch 1 of 2"))"""
CALLS = {  # a command, and the functions that it calls in their order
    "run": "notebook.execute.in_place",
    "experiments --scheduler tcp://here:1 --dry-run": "train_missing.run",
    "trainings --only cnn": "listing.listed",
    "trainings --compare cnn-seed1 cnn-seed2": "listing.compared",
    "reader": "recogniser.rates.check worker.train_in_child store.Store.keep "
    "worker.train_in_child store.Store.keep saved_model.load saved_model.load "
    "recogniser.export.write_networks "
    "recogniser.rates.check saved_model.load recogniser.rates.write",
    "rates": "recogniser.rates.check saved_model.load recogniser.rates.write",
    "mnist_c --arrays folder": "saved_model.load evaluate.published.report",
    "reproduce": "notebook.execute.with_parameters reproduce.compare_runs",
    "reproduce --record cnn-seed1": "reproduce.retrain",
    "report": "text.write",
    "report --check": "text.changed",
    "html": "publish.write_page",
    "pdf": "publish.write_pdf",
}


def written(path, *sources):
    """Write a notebook with these code cells below a heading; return its path."""
    cells = [nbformat.v4.new_markdown_cell("## A section")]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    cells[1].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)
    return path


def test_a_notebook_is_executed_in_place_and_the_terminal_shows_how_far_it_is(
    tmp_path, capsys, monkeypatch
):
    clock = types.SimpleNamespace(monotonic=itertools.count().__next__)  # a second at each look
    monkeypatch.setattr(execute, "time", clock)
    path = written(tmp_path / "a.ipynb", "number = 1", LIVE, "print(number + 1)")
    execute.in_place(path)
    *said, last = capsys.readouterr().out.splitlines()
    assert sum("cell 2 of 4: A section" in line for line in said) == 1
    assert sum("  a model, epoch 1 of 2" in line for line in said) == 1
    seconds, _, section = last.strip().partition(" s in ")
    assert section == "A section" and int(seconds) >= 6  # three cells of two seconds or more
    done = nbformat.read(path, as_version=4)
    assert done.cells[3].outputs[0].text == "2\n" and done.cells[3].execution_count == 3
    assert all("execution" not in cell.metadata for cell in done.cells)


@pytest.mark.setting(
    "`JUPYTER_PATH` with another kernel `python3`", "runs its own Python all the same"
)
def test_parameters_are_replaced_and_the_kernel_is_this_interpreter_s(tmp_path, monkeypatch):
    other = tmp_path / "jupyter" / "kernels" / "python3"
    other.mkdir(parents=True)
    spec = {"argv": ["false"], "display_name": "Python 3", "language": "python"}
    (other / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    path = written(tmp_path / "a.ipynb", "number = 1", "import sys; print(number, sys.executable)")
    before = path.read_bytes()
    done = execute.with_parameters({"number": 5}, path)
    assert done.cells[-1].outputs[0].text == f"5 {sys.executable}\n"
    assert path.read_bytes() == before


def test_a_cell_that_fails_stops_the_run_and_leaves_the_notebook(tmp_path):
    path = written(tmp_path / "a.ipynb", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(NotExecutedError, match="ZeroDivisionError") as failed:
        execute.in_place(path)
    assert "as it was" in str(failed.value) and "\x1b" not in str(failed.value)
    assert [*tmp_path.iterdir()] == [path] and path.read_bytes() == before
    own = CellExecutionError("Traceback …", "ParameterError", "profil is no parameter")
    assert execute.message(own) == "profil is no parameter"  # the study's errors say what to do


@pytest.mark.fault("the kernel is killed", "says how much memory there is, and how much it takes")
def test_a_kernel_that_dies_is_explained(tmp_path, record_property):
    path = written(tmp_path / "a.ipynb", "1", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(NotExecutedError, match=r"cell 3 of 3: .*SIGKILL.* GB are here") as died:
        execute.in_place(path)
    assert "as it was" in str(died.value)
    record_property("said", str(died.value))


def by_colab(notebook):
    """Lose the cells' ids, as Colab does when it saves a notebook."""
    notebook.update(nbformat_minor=0)
    for cell in notebook.cells:
        cell.metadata["id"] = cell.pop("id")


KERNELS = {"no": None, "R's": {"name": "ir", "display_name": "R", "language": "R"}}
KERNELS |= {"a foreign": {"name": "conda-env-a-py", "display_name": "a"}}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.setting("{kernel} kernel in a notebook from Colab", "runs its own Python")
def test_a_notebook_from_elsewhere_is_executed_and_compared(tmp_path, kernel):
    path = written(tmp_path / "a.ipynb", 'output_folder = "."', "print(output_folder)")
    notebook = nbformat.read(path, as_version=4)
    by_colab(notebook)
    del notebook.cells[1].metadata["tags"], notebook.metadata["kernelspec"]
    if KERNELS[kernel]:
        notebook.metadata["kernelspec"] = KERNELS[kernel]
    path.write_text(json.dumps(notebook))
    done = execute.with_parameters({"output_folder": "."}, path)
    assert [cell.source[:12] for cell in done.cells[1:3]] == ["output_folde", "# Parameters"]
    notebook.cells[2].outputs = done.cells[3].outputs
    compared = reproduce.compare_cells(notebook, done)
    assert [one.verdict for one in compared] == [reproduce.IDENTICAL] * 2


def test_a_notebook_without_parameters_is_refused_before_it_runs(tmp_path):
    path = written(tmp_path / "a.ipynb", "1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].metadata.clear()
    nbformat.write(notebook, path)
    with pytest.raises(NotExecutedError, match=r"a\.ipynb has no cell of parameters"):
        execute.with_parameters({"seed": 1}, path)


@pytest.mark.parametrize("words", ["run --record x", "reproduce --scheduler x", "fly", ""])
def test_a_command_takes_its_own_options_only(words, capsys):
    with pytest.raises(SystemExit) as refused:
        cli.main(words.split())
    assert refused.value.code == 2 and "usage" in capsys.readouterr().err


def test_help_loads_nothing_heavy():
    code = "import sys\nfrom mnist_study.cli import main\n"
    code += "try: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print({'numpy', 'nbconvert', 'keras', 'papermill', 'nbformat'} & {*sys.modules})"
    said = run(sys.executable, "-c", code, folder=ROOT).stdout
    assert said.endswith("set()\n") and all(words.split()[0] in said for words in CALLS)


@pytest.mark.parametrize("error", [TrainingError("MNIST"), Exception("URL fetch failure on …")])
def test_what_a_user_can_mend_is_said_without_a_traceback(error, monkeypatch):
    def failing(*_, **__):
        raise error

    monkeypatch.setattr(train_missing, "run", failing)
    with pytest.raises(SystemExit, match=r"^MNIST"):
        cli.main(["experiments"])


def test_outside_its_clone_the_study_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(paths, "NOTEBOOK", tmp_path / "mnist_model.ipynb")
    with pytest.raises(SystemExit, match="2"):
        cli.main(["experiments"])
    assert "clone" in capsys.readouterr().err


@pytest.mark.parametrize("words", CALLS)
def test_a_command_does_what_its_name_says(words, monkeypatch):
    called = []
    for name in " ".join(CALLS.values()).split():
        monkeypatch.setattr(f"mnist_study.{name}", lambda *_, n=name, **__: called.append(n) or ())
    try:
        cli.main(words.split())
    except SystemExit as ended:
        assert not ended.code
    assert called == CALLS[words].split()
    assert {words.split()[0] for words in CALLS} == {command.__name__ for command in cli.COMMANDS}
