"""The project around the notebook: its commands, links, style and sizes."""

import graphlib
import pathlib
import re
import statistics
import sys

import pytest
from support import proof
from support.notebook import code_cells, read_notebook
from support.project import ROOT, make, run

from mnist_study.records import digests

PACKAGES = [ROOT / "mnist_study", ROOT / "digit_reader"]


def lines(text):
    """Return how many lines of a text are not blank."""
    return sum(bool(line.strip()) for line in text.splitlines())


def texts():
    """Return the texts of README, docs and the notebook, each with the folder of its links."""
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    found = {path.name: (path.read_text(encoding="utf-8"), path.parent) for path in files}
    cells = [cell.source for cell in read_notebook().cells if cell.cell_type == "markdown"]
    return found | {"mnist_model.ipynb": ("\n".join(cells), ROOT)}


def test_named_commands_exist():
    listed = run(*make("help"), folder=ROOT).stdout
    for name, (text, _) in texts().items():
        for target in set(re.findall(r"(?:`|\n)make ([a-z-]+)", text)):
            assert re.search(rf"(?m)^make {target}\b", listed), f"{name} names make {target}"
    assert "make run" in texts()["README.md"][0]


def test_links_lead_to_files():
    for name, (text, folder) in texts().items():
        linked = re.findall(r"\]\((?!https?:|#)([^)#]+)", text) + re.findall(r'src="([^"]+)"', text)
        assert linked, f"found no links in {name}: the pattern is wrong"
        for target in linked:
            assert (folder / target).exists(), f"{name} links {target}"


def test_answers_of_the_checklists_name_what_is_there():
    text = (ROOT / "docs" / "REPRODUCIBILITY.md").read_text(encoding="utf-8")
    proofs = re.findall(r"\[`([\w.-]+)`\]\(\.\./([^)]+)\)", text)
    assert len(proofs) > 30
    for name, path in proofs:
        names_it = name == pathlib.Path(path).name or name in (ROOT / path).read_text("utf-8")
        assert names_it, f"{path} has no {name}"


def marked():
    """Return what the marks of the tables say that tests try, braces left open."""
    marks = rf'@pytest\.mark\.(?:{"|".join(proof.HEADS)})\(\s*"([^"]+)"'
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    return {what for text in sources for what in re.findall(marks, text)}


def test_every_fault_and_control_was_tried_and_stands_in_a_table():
    page = (ROOT / "docs" / "REPRODUCIBILITY.md").read_text(encoding="utf-8")
    tried = re.findall(r"(?m)^\| (.*?) \| .* \| \[.*test_\w+\.py\) \|$", page)
    patterns = [re.sub(r"\\{\w+\\}", ".+", re.escape(what)) for what in marked()]
    assert len(patterns) > 20
    for pattern in patterns:
        assert any(re.fullmatch(pattern, what) for what in tried), f"make proof: {pattern}"
    for what in tried:
        assert any(re.fullmatch(pattern, what) for pattern in patterns), f"no test: {what}"
    assert "**FAILED**" not in page


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="pre-commit asks git for the files")
def test_what_runs_before_each_commit_passes():
    run("pre-commit", "run", "--all-files", folder=ROOT, VENV=sys.prefix)


def test_the_locks_name_all_that_their_packages_need():
    run("python", "-m", "uv", "pip", "check", "--python", sys.executable, folder=ROOT)


def test_the_notebook_is_a_story():
    notebook = read_notebook()
    sizes = {cell.id: lines(cell.source) for cell in code_cells(notebook)}
    assert len(notebook.cells) <= 110 and len(sizes) <= 60
    assert sum(sizes.values()) <= 200 and statistics.median(sizes.values()) <= 4
    assert {name: size for name, size in sizes.items() if size > 12} == {}
    drawn = [cell.source for cell in code_cells(notebook) if "study.show(" in cell.source]
    assert len(drawn) > 15 and all(source.count("study.show(") == 1 for source in drawn)
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    exercises = [text for text in prose if "**Try this.**" in text]
    tasks, answers = (
        sum(len(re.findall(pattern, text)) for text in exercises)
        for pattern in (r"(?m)^\d\. ", "<li>")
    )
    assert tasks == answers >= 15


def test_readme_s_tree_is_the_project_s():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 120
    tree = re.search(r"```\n(mnist_model\.ipynb .*?)```", readme, re.DOTALL)[1]
    names = re.findall(r"(?m)^(  )?(\S+) ", tree)
    inner = {name for indented, name in names if indented}
    assert inner == {
        f"{path.name}/"
        for path in (ROOT / "mnist_study").iterdir()
        if path.is_dir() and path.name != "__pycache__"
    }
    assert all((ROOT / name).exists() for indented, name in names if not indented)


FLOORS = ("ground", "digit_reader", "core", "records", "reader", "trials", "story", "ship")
FLOORS += ("__main__",)


def floor(module):
    """Return the number of the floor that a module stands on, by its dotted name."""
    parts = module.split(".")
    if parts[0] == "digit_reader":
        return FLOORS.index("digit_reader")
    return FLOORS.index(parts[1]) if len(parts) > 1 and parts[1] in FLOORS else 0


def modules():
    """Return the files of both packages by their modules' names."""
    files = [path for package in PACKAGES for path in package.rglob("*.py")]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]
    return {name.removesuffix(".__init__"): f for name, f in zip(names, files, strict=True)}


def test_imports_only_go_down():
    known, graph = modules(), {}
    for name, path in known.items():
        graph[name] = {other for other in digests.imports(path) if other in known} - {name}
        up = {other for other in graph[name] if floor(other) > floor(name)}
        assert not up, f"{name} imports {up}"
    assert "mnist_study.core.data" in graph["mnist_study.records.store"]
    assert "digit_reader.quiet" in graph["mnist_study.core.backend"]
    reader = {name for name in known if name.startswith("digit_reader")}
    assert all(graph[name] <= reader for name in reader), "digit_reader knows nothing of the study"
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_one_door_leads_to_keras():
    through = {"keras", "tensorflow"}
    doors = [name for name, path in modules().items() if digests.imports(path) & through]
    assert doors == ["mnist_study.core.backend"]


def test_no_module_hides_one_of_the_standard_library():
    names = {name.rpartition(".")[2] for name in modules()} - {"__main__"}
    assert not names & {*sys.stdlib_module_names}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_module_says_what_it_is_for(package):
    for path in package.rglob("*.py"):
        assert path.read_text(encoding="utf-8").startswith('"""'), path
