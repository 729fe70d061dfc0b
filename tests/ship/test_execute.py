"""The commands, and the notebook executed headless: what the terminal says, and what stays."""

import json
import sys

import nbformat
import pytest
from support.project import ROOT, run

from mnist_study import __main__ as commands
from mnist_study import paths
from mnist_study.errors import NotExecutedError, TrainingError
from mnist_study.records import experiments
from mnist_study.ship import execute, handout

LIVE = """
from IPython.display import Markdown, display
line = display(Markdown("starts"), display_id=True)
line.update(Markdown("**a model**, epoch 1 of 2"))
"""


def written(path, *sources):
    """Write a notebook with these code cells below a heading; return its path."""
    cells = [nbformat.v4.new_markdown_cell("## A section")]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    cells[1].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)
    return path


def test_a_notebook_is_executed_in_place_and_tells_how_far_it_is(tmp_path, capsys):
    path = written(tmp_path / "a.ipynb", "number = 1", LIVE, "print(number + 1)")
    execute.in_place(path)
    said = capsys.readouterr().out
    assert "s  cell 2 of 4: A section" in said and "s in A section" in said
    assert "  a model, epoch 1 of 2" in said
    done = nbformat.read(path, as_version=4)
    assert done.cells[3].outputs[0].text == "2\n" and done.cells[3].execution_count == 3
    assert all("execution" not in cell.metadata for cell in done.cells)


@pytest.mark.setting(
    "`JUPYTER_PATH` with another kernel `python3`", "runs its own Python all the same"
)
def test_the_kernel_is_this_interpreter_s_whatever_else_is_called_python3(tmp_path, monkeypatch):
    other = tmp_path / "jupyter" / "kernels" / "python3"
    other.mkdir(parents=True)
    spec = {"argv": ["false"], "display_name": "Python 3", "language": "python"}
    (other / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    path = written(tmp_path / "a.ipynb", "import sys; print(sys.executable)")
    execute.in_place(path)
    assert nbformat.read(path, as_version=4).cells[1].outputs[0].text == f"{sys.executable}\n"


def test_the_seconds_of_a_section_add_up(tmp_path, capsys):
    wait = "import time; time.sleep(0.4)"
    execute.in_place(written(tmp_path / "a.ipynb", wait, wait, wait, wait))
    seconds = capsys.readouterr().out.splitlines()[-1].split()[0]
    assert int(seconds) >= 1  # of four cells that take less than half a second each


def test_parameters_take_the_place_of_the_notebook_s_own(tmp_path):
    path = written(tmp_path / "a.ipynb", "number = 1", "print(number + 1)")
    before = path.read_bytes()
    assert execute.with_parameters({"number": 5}, path).cells[-1].outputs[0].text == "6\n"
    assert path.read_bytes() == before


def test_a_cell_that_fails_stops_the_run_and_leaves_the_notebook(tmp_path):
    path = written(tmp_path / "a.ipynb", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(NotExecutedError, match="ZeroDivisionError") as failed:
        execute.in_place(path)
    assert "as it was" in str(failed.value) and "\x1b" not in str(failed.value)
    assert [*tmp_path.iterdir()] == [path] and path.read_bytes() == before


def test_what_the_study_raises_in_a_cell_is_all_that_is_told(tmp_path):
    said = "profil is no parameter: profile is one"
    failing = f"from mnist_study.errors import ParameterError\nraise ParameterError({said!r})"
    with pytest.raises(NotExecutedError) as failed:
        execute.execute(nbformat.read(written(tmp_path / "a.ipynb", failing), as_version=4))
    assert str(failed.value).splitlines()[0] == said and "Traceback" not in str(failed.value)


def test_a_command_takes_its_own_options_only(capsys):
    given = commands.arguments(["experiments", "--scheduler", "tcp://here:1"])
    assert given.scheduler == "tcp://here:1"
    assert commands.arguments(["reproduce", "--record", "cnn-seed4"]).record == "cnn-seed4"
    for wrong in (["run", "--record", "x"], ["reproduce", "--scheduler", "x"], ["fly"], []):
        with pytest.raises(SystemExit) as refused:
            commands.main(wrong)
        assert refused.value.code == 2
    capsys.readouterr()


def test_help_and_a_refusal_load_nothing_heavy(tmp_path):
    code = "import sys\nfrom mnist_study.__main__ import main\n"
    code += "try: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print({'numpy', 'nbconvert', 'keras', 'papermill', 'nbformat'} & {*sys.modules})"
    said = run(sys.executable, "-c", code, folder=ROOT).stdout
    assert said.endswith("set()\n") and "make the" not in said and "reproduce" in said


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (TrainingError("no room left: make some"), "no room left: make some"),
        (Exception("URL fetch failure on https://…: None"), "MNIST cannot be downloaded: docs/"),
    ],
)
def test_what_a_user_can_mend_is_told_without_a_traceback(raised, said, monkeypatch):
    def failing(*_, **__):
        raise raised

    monkeypatch.setattr(experiments, "run", failing)
    with pytest.raises(SystemExit) as told:
        commands.main(["experiments"])
    assert str(told.value.code).startswith(said)


def test_outside_its_clone_the_study_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(paths, "NOTEBOOK", tmp_path / "mnist_model.ipynb")
    with pytest.raises(SystemExit) as told:
        commands.main(["experiments"])
    assert told.value.code == 2 and "works in its clone" in capsys.readouterr().err


def test_each_command_does_what_its_name_says(monkeypatch, capsys):
    from mnist_study.reader import export, rates
    from mnist_study.records import saved_model, store, worker
    from mnist_study.ship import report, reproduce

    done = []

    def noted(name, value=None):
        return lambda *_, **__: done.append(name) or value

    for module, name, value in (
        (execute, "in_place", None),
        (execute, "with_parameters", None),
        (report, "write", None),
        (rates, "write", None),
        (export, "write_network", None),
        (experiments, "run", None),
        (handout, "write_page", "a page"),
        (handout, "write_pdf", "a PDF"),
        (saved_model, "load", None),
        (worker, "train_in_child", {}),
        (reproduce, "compare_runs", 0),
        (reproduce, "retrain", 0),
    ):
        label = f"{module.__name__.rpartition('.')[2]}.{name}"
        monkeypatch.setattr(module, name, noted(label, value))
    monkeypatch.setattr(store.Store, "keep", noted("keep"))
    for words in (["run"], ["experiments"], ["reader"], ["html"], ["pdf"]):
        commands.main(words)
    for words in (["reproduce"], ["reproduce", "--record", "cnn-seed4"]):
        with pytest.raises(SystemExit) as ended:
            commands.main(words)
        assert ended.value.code == 0
    load = "saved_model.load"
    assert done == [
        *("execute.in_place", "report.write", "experiments.run"),
        *("worker.train_in_child", "keep", load, "export.write_network", load, "rates.write"),
        *("handout.write_page", "handout.write_pdf"),
        *("execute.with_parameters", "reproduce.compare_runs", "reproduce.retrain"),
    ]
    assert "on the images of mnist" in capsys.readouterr().out
