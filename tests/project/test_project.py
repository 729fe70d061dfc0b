"""The project around the notebook: its commands, links and imports."""

import graphlib
import re
import sys

from support.notebook import read_notebook
from support.project import ROOT, code_in, make, run

from mnist_study import cli, digests

STUDY, RECOGNISER = "mnist_study", "digit_reader"
# From the bottom up: a module imports those of its own line and of the lines above it in this list.
# A package's name stands for all its modules that no line names.
LAYERS = (
    [RECOGNISER],
    [STUDY, "arrays", "errors", "paths"],
    ["backend", "digests", "lock"],
    ["augment", "corrupt", "data", "initializers", "machine", "models", "optimizers", "sampling"],
    ["peers"],
    ["saved_model", "stats", "train"],
    ["evaluate"],
    ["full_runner", "runners", "store"],
    ["recogniser"],
    ["experiments"],
    ["cluster", "figures", "listing", "reproduce", "results", "train_missing", "worker"],
    ["expressions", "text"],
    ["notebook", "publish"],
    ["cli", "__main__"],
)
LEVELS = {name: level for level, names in enumerate(LAYERS) for name in names}


def texts():
    """Return the texts of README, docs and the notebook, each with the folder of its links."""
    files = [ROOT / "README.md", *digests.files(ROOT / "docs", "*.md")]
    pages = {path.name: (path.read_text(encoding="utf-8"), path.parent) for path in files}
    cells = [cell.source for cell in read_notebook().cells if cell.cell_type == "markdown"]
    return pages | {"mnist_model.ipynb": ("\n".join(cells), ROOT)}


def test_named_commands_exist():
    makefile, commands = (ROOT / "Makefile").read_text(), {c.__name__ for c in cli.COMMANDS}
    targets = {*re.search(r"(?m)^\.PHONY: (.*)", makefile)[1].split()}
    listed = re.findall(r"(?m)^make ([a-z-]+)", run(*make("help"), folder=ROOT).stdout)
    assert {"run", "test", "lint"} <= {*listed} <= targets and "run" in commands
    for name, (text, _) in texts().items():
        missing = {*re.findall(r"(?:`|\n)make ([a-z-]+)", text)} - targets
        missing |= {*re.findall(r"-m mnist_study ([a-z]+)", text)} - commands
        assert not missing, f"{name} names {missing}"


def test_links_lead_to_files():
    for name, (text, folder) in texts().items():
        linked = re.findall(r"\]\((?!https?:|#)([^)#]+)", text) + re.findall(r'src="([^"]+)"', text)
        assert linked, f"found no links in {name}: the pattern is wrong"
        missing = [target for target in linked if not (folder / target).exists()]
        assert not missing, f"{name} links {missing}"


def test_the_locks_name_all_that_their_packages_need():
    run("python", "-m", "uv", "pip", "check", "--python", sys.executable, folder=ROOT)


def modules():
    """Return the files of both packages by their modules' names."""
    files = [path for name in (STUDY, RECOGNISER) for path in code_in(ROOT / name)]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]
    return {name.removesuffix(".__init__"): f for name, f in zip(names, files, strict=True)}


def level(module):
    """Return the number of the line in LAYERS that names a module, or a package that it is in."""
    name = module.removeprefix(f"{STUDY}.")
    while name not in LEVELS:
        assert "." in name, f"{module} stands in no line of LAYERS"
        name = name.rpartition(".")[0]
    return LEVELS[name]


def test_imports_go_one_way():
    known, graph = modules(), {}
    for name, path in known.items():
        imported = digests.imports(path) & known.keys()
        graph[name] = {other for other in imported if not f"{name}.".startswith(f"{other}.")}
        higher = {other for other in graph[name] if level(other) > level(name)}
        assert not higher, f"{name} imports {higher}"
        outside = {other.partition(".")[0] for other in digests.imports(path)}
        assert not outside & {"tools", "tests", "support", "benchmarks"}, name
    assert f"{STUDY}.data" in graph[f"{STUDY}.stats"], "the pattern of imports is wrong"
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_one_door_leads_to_keras():
    foreign = {"keras", "tensorflow"}
    doors = [name for name, path in modules().items() if digests.imports(path) & foreign]
    assert doors == [f"{STUDY}.backend"]


def test_no_module_hides_one_of_the_standard_library():
    names = {name.rpartition(".")[2] for name in modules()} - {"__main__"}
    assert not names & {*sys.stdlib_module_names}


def test_every_module_says_what_it_is_for():
    for path in [*modules().values(), *code_in(ROOT / "tools")]:
        assert path.read_text(encoding="utf-8").startswith('"""'), path
