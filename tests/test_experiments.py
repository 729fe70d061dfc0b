"""Kept trainings: what makes them stale, how the missing ones come to be, what a kill costs."""

import ast
import concurrent.futures
import contextlib
import dataclasses
import graphlib
import json
import shutil
import socket
import types

import psutil
import pytest
from conftest import ROOT, ended, kill, start, wait_until

from mnist_study import data, experiments, models, results, trial
from mnist_study.results import Experiment

STUDY = experiments.study()
KINDS = ("softmax_regression", "classic_mlp", "cnn", "dense_dropout", "sprint", "step_wide")
KINDS += ("step_affine", "step_focus", "taught_by_census", "choice_no_patches", "digit_reader")
OF_EACH_KIND = [e for e in STUDY if e.seed == 1 and e.name in KINDS]
DEFORMING = {e.name for e in OF_EACH_KIND if e.recipe.deforms}
[SPRINT] = [e.recipe for e in OF_EACH_KIND if e.name == "sprint"]
TINY = dataclasses.replace(SPRINT, epochs=1, images=5_400)
TINY = [Experiment("tiny", TINY, seed, watch=seed == 2) for seed in (1, 2)]


def described(package=results.PACKAGE):
    return {e.name: results.describe(e, package) for e in OF_EACH_KIND}


def differing(before, after):
    return {name for name in before if before[name] != after[name]}


@pytest.fixture(scope="module")
def fresh():
    """The descriptions of one experiment of each kind, by the code as it is."""
    return described()


CHANGES = {  # module, text, what takes its place, which experiments become stale
    "a comment": ("training", "import math\n", "import math  # for ceil\n", set()),
    "a docstring": ("deform", '"""Random warps', '"""Chance warps', set()),
    "a constant of deform": ("deform", "/ 3.6", "/ 3.7", DEFORMING),
    "a constant of training": ("training", "steps // 10", "steps // 9", {*KINDS}),
    "a constant of trial": ("trial", "0.15", "0.16", {*KINDS}),
    "a constant of data": ("data", "0.5001", "0.5", {*KINDS}),
    "a constant of focus": ("focus", "0.001", "0.002", {*KINDS}),
    "a constant of patches": ("patches", "WIDTH = 4", "WIDTH = 5", {*KINDS}),
    "a constant of people": ("people", "CHUNK = 500", "CHUNK = 400", {"digit_reader"}),
    "a style of pens": ("pens", "SIDE = 112", "SIDE = 100", {"digit_reader"}),
    "a rate of the reader": ("reader_rates", "EACH = 100", "EACH = 90", set()),
    "a colour": ("figures", "#0072B2", "#0072B3", set()),
    "bins of a statistic": ("statistics", "BINS = 15", "BINS = 10", set()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_code_makes_just_what_runs_it_stale(fresh, change, tmp_path):
    module, text, other, stale = CHANGES[change]
    package = shutil.copytree(results.PACKAGE, tmp_path / "mnist_study")
    code = (package / f"{module}.py").read_text(encoding="utf-8")
    assert text in code
    (package / f"{module}.py").write_text(code.replace(text, other), encoding="utf-8")
    assert differing(fresh, described(package)) == stale


@pytest.mark.parametrize(("dropout", "patches"), [(0.2, True), (0.1, False)])
def test_a_changed_network_makes_just_what_builds_it_stale(fresh, monkeypatch, dropout, patches):
    monkeypatch.setattr(models.dense_dropout, "__defaults__", ((2048, 512), dropout, patches))
    of_it = [e for e in OF_EACH_KIND if e.recipe.network is models.dense_dropout]
    assert {"dense_dropout", "sprint"} < {e.name for e in of_it}
    changed = "dropout" if patches else "patches"
    stale = {e.name for e in of_it if changed not in e.recipe.options}
    assert differing(fresh, described()) == stale


def imports(path):
    """Return which modules of this project a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & set(MODULES)


PACKAGES = [ROOT / "mnist_study", ROOT / "digit_reader"]
FILES = [path for package in PACKAGES for path in package.rglob("*.py")]
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in FILES}
MODULES = {name.removesuffix(".__init__"): path for name, path in MODULES.items()}


def test_imports_run_one_way():
    graph = {name: imports(path) - {name} for name, path in MODULES.items()}
    assert graph["mnist_study.session"] >= {"mnist_study.data", "digit_reader.page.build"}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_modules_in_the_key_import_nothing_that_is_not():
    keyed = {f"mnist_study.{n}" for n in (*results.ALWAYS_RUN, "deform", *results.OF_PEOPLE)}
    keyed |= {"digit_reader", "digit_reader.centre"}
    described_otherwise = {"mnist_study", "mnist_study.models", "mnist_study.machine"}
    for name in keyed - {"digit_reader", "digit_reader.centre"}:  # the last imports a check alone
        assert imports(MODULES[name]) <= keyed | described_otherwise, name


def test_every_training_of_the_study_has_one_record_and_no_other_is_kept():
    assert len({(e.name, e.seed) for e in STUDY}) == len(STUDY)
    kinds = {(e.name, e.rows): e for e in STUDY}
    of_kind = {kind: results.describe(e) for kind, e in kinds.items()}
    expected = {results.path_of(of_kind[e.name, e.rows] | {"seed": e.seed}).name for e in STUDY}
    found = {path.name for path in results.FOLDER.glob("*-seed*.json")}
    assert expected - found == set(), "make experiments, and commit results/"
    assert found - expected == set(), "of no experiment: delete them"


def test_records_are_sorted_json_of_inputs_and_result():
    for path in results.FOLDER.glob("*-seed1-*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        assert path == results.path_of(record["inputs"]), path
        assert path.read_text(encoding="utf-8") == results.as_text(record), path
        result = record["result"]
        assert 0.5 < result["validation_accuracy"] < 1 and result["fit_seconds"] > 0
        if record["inputs"]["rows"] == "people":
            assert result["uci_test_accuracy"] > 0.985 and result["pens_accuracy"] > 0.98
        elif record["inputs"]["judged_on"] == "test":
            assert len(result["misread"]) == len(result["read_as"])
            assert result["test_accuracy"] == pytest.approx(1 - len(result["misread"]) / 10_000)
        else:
            assert "test_accuracy" not in result, "the choice of recipe must not see the test set"


RUN = """
import pathlib, sys
from test_experiments import TINY, experiments

experiments.run(TINY, folder=pathlib.Path(sys.argv[1]))
"""


def training(process):
    """Return the processes below one that train."""
    below = psutil.Process(process.pid).children(recursive=True)
    return [p for p in below if "mnist_study.trial" in p.cmdline()]


def records(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.json")}


@pytest.fixture(scope="module")
def kept(mnist_file, tmp_path_factory):
    """What a run that was killed in its second training kept, and a folder with all of it."""
    folder, log = tmp_path_factory.mktemp("kept"), tmp_path_factory.mktemp("log") / "log.txt"
    path = f"{ROOT}:{ROOT / 'tests'}"
    running = start("python", "-c", RUN, folder, folder=ROOT, log=log, PYTHONPATH=path)
    wait_until(lambda: records(folder) and training(running), ended(running), log)
    kill(running)
    survived = records(folder)
    experiments.run(TINY, folder=folder)
    return types.SimpleNamespace(folder=folder, survived=survived, records=records(folder))


@pytest.mark.fault(
    "`make experiments` is killed between two trainings",
    "keeps the finished ones, trains the rest next time",
)
def test_a_kill_loses_one_training_at_most(kept):
    assert len(kept.survived) == 1 and kept.survived.items() <= kept.records.items()
    expected = {results.path_of(results.describe(e)).name for e in TINY}
    assert set(kept.records) == {path.name for path in kept.folder.glob("[!.]*")} == expected


def test_nothing_is_trained_twice(kept, monkeypatch, capsys):
    monkeypatch.delattr(experiments, "train_in_child")
    experiments.run(TINY, folder=kept.folder)
    assert capsys.readouterr().out == "2 of 2 trainings are kept.\n"
    assert records(kept.folder) == kept.records


def test_a_failed_training_says_why(mnist_file, monkeypatch, tmp_path):
    description = results.describe(TINY[0])
    with pytest.raises(ValueError, match="holds other images than this experiment is about"):
        trial.run(description | {"data": data.SHA256["mnist-5k"]})
    monkeypatch.setattr(results, "PACKAGE", tmp_path / "mnist_study")
    with pytest.raises(
        RuntimeError, match=r"tiny failed with status 1: .*No module named 'mnist_study'"
    ):
        experiments.train_in_child(description)


SCHEDULER = "python -m dask scheduler"
WORKER = "python -m dask worker tcp://ADDRESS:8786 --nworkers 1 --nthreads 1 --memory-limit 0"
WORKER += " --death-timeout 60"


@contextlib.contextmanager
def cluster(folder):
    """Yield a scheduler's address, its workers and its log; started as README says, but here."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, local = f"127.0.0.1:{port}", ("--host", "127.0.0.1", "--no-dashboard")
    worker = (*WORKER.replace("ADDRESS:8786", address).split(), *local)
    commands = [(*SCHEDULER.split(), *local, "--port", str(port)), worker, worker]
    logs = [folder / f"{place}.log" for place in range(3)]
    processes = [start(*c, folder=ROOT, log=log) for c, log in zip(commands, logs, strict=True)]
    try:
        for process, log in zip(processes[1:], logs[1:], strict=True):
            wait_until(lambda log=log: "Registered to" in log.read_text(), ended(process), log)
        yield f"tcp://{address}", processes, logs[0]
    finally:
        for process in processes:
            kill(process)


@pytest.mark.fault("a Dask worker dies", "another one does its training, to the same record")
def test_a_cluster_that_loses_a_worker_gives_the_same_records(kept, tmp_path):
    folder = tmp_path / "kept"
    with (
        concurrent.futures.ThreadPoolExecutor() as pool,
        cluster(tmp_path) as (address, (_, *workers), log),
    ):
        running = pool.submit(experiments.run, TINY, address, folder)
        wait_until(lambda: all(map(training, workers)), running.done, log)
        kill(workers[0])
        running.result(timeout=300)

    def lasting(record):
        record = json.loads(record)
        timeless = {k: v for k, v in record["result"].items() if not k.endswith("_seconds")}
        return record["inputs"], timeless

    there = {name: lasting(record) for name, record in records(folder).items()}
    assert there == {name: lasting(record) for name, record in kept.records.items()}


@pytest.mark.proof
@pytest.mark.fault("the Dask scheduler dies", "stops with what is left to do; finished ones stay")
def test_a_cluster_that_loses_its_scheduler_says_so(kept, tmp_path, record_property):
    with (
        concurrent.futures.ThreadPoolExecutor() as pool,
        cluster(tmp_path) as (address, (scheduler, *workers), log),
    ):
        running = pool.submit(experiments.run, TINY, address, tmp_path / "kept")
        wait_until(lambda: any(map(training, workers)), running.done, log)
        kill(scheduler)
        with pytest.raises(RuntimeError, match="trainings are left: start it again") as lost:
            running.result(timeout=120)
    record_property("said", str(lost.value))
    assert records(tmp_path / "kept").keys() <= kept.records.keys()


def test_readme_starts_a_cluster_in_the_same_way():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert SCHEDULER in readme and WORKER in readme
