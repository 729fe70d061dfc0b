"""Missing trainings are made, here or on a cluster, and a kill costs one of them at most."""

import concurrent.futures
import contextlib
import dataclasses
import io
import itertools
import json
import shutil
import socket
import sys
import types

import psutil
import pytest
from support.project import ROOT, clean_copy, ended, kill, run, start, wait_until

from mnist_study import paths
from mnist_study.core.experiment import Experiment
from mnist_study.errors import FolderInUseError, RecordError, TrainingError
from mnist_study.records import experiments, listing, lock, worker
from mnist_study.records.store import Store, describe

[SPRINT] = [e.recipe for e in experiments.of_seed(1) if e.name == "sprint"]
TINY = dataclasses.replace(SPRINT, epochs=1, images=5_400)
TINY = [Experiment("tiny", TINY, seed, watch=seed == 2) for seed in (1, 2)]


def test_the_lists_are_what_the_study_tells_of():
    found = experiments.study()
    seeds = {}
    for experiment in found:
        seeds.setdefault(experiment.name, []).append(experiment.seed)
    assert seeds["dense_dropout"] == seeds["sprint"] == [1, 2, 3, 4, 5]
    assert seeds["step_affine"] == seeds["digit_reader"] == seeds["choice_no_patches"] == [1, 2, 3]
    assert len(found) == 92
    validated = [e for e in found if e.judged_on == "validation"]
    assert {e.name for e in validated} == {f"choice_{name}" for name in experiments.CHOICES}
    fully = {e.name for e in found if e.trained_by == experiments.JUDGED_FULLY}
    assert fully == {*experiments.MODELS, *experiments.LADDER, *experiments.WITHOUT, "dense_taught"}


def test_each_rung_of_the_ladder_changes_what_it_says():
    rungs = [*experiments.LADDER.values()]
    changed = [
        {f.name for f in dataclasses.fields(low) if getattr(low, f.name) != getattr(high, f.name)}
        for low, high in itertools.pairwise(rungs[1:])
    ]
    assert changed == [{"affine"}, {"elastic"}, {"fade", "smoothing"}, {"options"}, {"focus"}]
    assert {rung.epochs for rung in rungs} == {7}


def test_seconds_left_are_those_of_earlier_trainings_or_their_mean(tmp_path):
    store = Store(tmp_path)
    for seed, seconds in ((1, 10.0), (2, 20.0)):
        store.keep({"name": "known", "seed": seed}, {"total_seconds": seconds})
    todo = [{"name": "known", "seed": 3}, {"name": "new", "seed": 1}]
    took = experiments.known_seconds(store, todo)
    assert took == {"known": 15}
    assert experiments.seconds_left(todo, took | {"other": 45.0}) == 15 + 30


def test_a_lost_scheduler_is_told_with_what_is_left(monkeypatch, tmp_path):
    monkeypatch.setattr(worker, "on_cluster", lambda descriptions, scheduler: iter(()))
    with pytest.raises(TrainingError, match="scheduler is gone, 2 trainings are left: start it"):
        experiments.run(TINY, "tcp://nowhere:1", Store(tmp_path))


def test_a_cluster_s_task_is_known_by_its_content():
    """A scheduler that remembers a key must not answer with what other code gave."""
    client = types.SimpleNamespace(submit=lambda train, description, key: key)
    described = [describe(TINY[0]), describe(TINY[0]) | {"code": {}}, describe(TINY[0])]
    keys = [worker.submitted(client, description) for description in described]
    assert keys[0] == keys[2] != keys[1]
    assert Store().path(described[0]).stem.endswith(keys[0].removeprefix("tiny"))


def test_an_exception_lets_the_folder_go(monkeypatch, tmp_path):
    def failing(description, *_):
        if description["seed"] == 1:
            raise TrainingError("no room")
        return {"validation_accuracy": 0.9, "fit_seconds": 1.0, "total_seconds": 1.0}

    monkeypatch.setattr(worker, "train_in_child", failing)
    for kept in (1, 1):
        with pytest.raises(TrainingError, match=r"no room\n1 trainings failed; the rest is kept"):
            experiments.run(TINY, store=Store(tmp_path))
        assert len(records(tmp_path)) == kept
    code = "import pathlib, sys\nfrom mnist_study.records import lock\n"
    code += "with lock.hold(pathlib.Path(sys.argv[1])): print('free')"
    assert run(sys.executable, "-c", code, tmp_path, folder=ROOT).stdout == "free\n"


def test_a_folder_held_twice_by_a_process_is_free_after_both(tmp_path):
    with lock.hold(tmp_path), lock.hold(tmp_path):
        pass
    with lock.hold(tmp_path):
        code = "import pathlib, sys\nfrom mnist_study.records import lock\n"
        code += "lock.hold(pathlib.Path(sys.argv[1])).__enter__()"
        refused = run(sys.executable, "-c", code, tmp_path, folder=ROOT, check=False)
    assert FolderInUseError.__name__ in refused.stderr and "wait for its end" in refused.stderr


def test_the_worker_trains_what_it_is_told(monkeypatch, tmp_path):
    """In this process, with a trainer that only says what it got."""
    told = []

    def train_and_judge(experiment):
        told.append(experiment)
        return types.SimpleNamespace(model=types.SimpleNamespace(save=told.append)), {"right": 1}

    trainer = types.SimpleNamespace(train_and_judge=train_and_judge)
    monkeypatch.setitem(sys.modules, TINY[0].trained_by, trainer)
    monkeypatch.setattr(worker, "end_with_parent", lambda: None)
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(describe(TINY[1]))))
    result = worker.main("model.keras")
    assert told[0].seed == 2 and told[0].watch and told[1] == "model.keras"
    assert result["right"] == 1 and result["machine"]["keras"]


def test_a_cluster_s_task_comes_without_tensorflow():
    code = "import pickle, sys\nfrom mnist_study.records import worker\n"
    code += "pickle.loads(pickle.dumps(worker.attempt))\n"
    code += "print({'tensorflow', 'keras', 'numpy'} & {*sys.modules})"
    assert run(sys.executable, "-c", code, folder=ROOT).stdout == "set()\n"


def test_a_failed_training_says_why(monkeypatch, tmp_path):
    description = describe(TINY[0])
    with pytest.raises(TrainingError, match=r"(?s)tiny failed with status 1: .*other split"):
        worker.train_in_child(description | {"split": "other split"})
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    with pytest.raises(TrainingError, match=r"(?s)tiny failed .*No module named 'mnist_study'"):
        worker.train_in_child(description)


def test_a_worker_with_other_code_or_libraries_refuses():
    description = describe(TINY[0])
    path, library = next(iter(description["code"])), "tensorflow"
    for changed, said in (
        ({"code": description["code"] | {path: "0" * 64}}, f"other {path}"),
        ({"versions": description["versions"] | {library: "0"}}, f"other {library}"),
        ({"data": "0" * 64}, "other data"),
    ):
        with pytest.raises(TrainingError, match=f"tiny was refused: {said}: bring this clone up"):
            worker.train_in_child(description | changed)


@pytest.mark.parametrize("text", ["", '{"inputs": ', "[]", '{"inputs": {}, "result": {}}'])
def test_an_unfit_record_is_named_and_trained_again(kept, tmp_path, capsys, text):
    store, description = Store(tmp_path), describe(TINY[0])
    whole = kept.folder / store.path(description).name
    shutil.copy(whole, tmp_path)
    assert store.missing(TINY[:1]) == []
    store.path(description).write_text(text)
    assert store.missing(TINY[:1]) == [description]
    assert f"{whole.name} holds no record of a training" in capsys.readouterr().err
    with pytest.raises(RecordError, match=whole.name):
        store.results("tiny")
    assert listing.state(TINY[0], store)["state"] == "unfit"


def test_the_list_says_what_is_kept_missing_or_stale_and_why(kept, tmp_path):
    assert [
        row.split()[2] for row in listing.listed(TINY, store=Store(kept.folder)).splitlines()[1:]
    ] == ["kept"] * 2
    path = Store(kept.folder).path(describe(TINY[0]))
    record = json.loads(path.read_text())
    record["inputs"]["code"]["mnist_study/core/data.py"] = "0" * 64
    record["inputs"]["recipe"]["epochs"] = 2
    (tmp_path / path.name).write_text(json.dumps(record))
    found = json.loads(listing.listed(TINY, "json", Store(tmp_path)))
    assert [row["state"] for row in found] == ["stale", "missing"]
    assert found[0]["why"] == "code: mnist_study/core/data.py, recipe: epochs"
    assert listing.listed(TINY, "csv", Store(tmp_path)).startswith("name,seed,state,accuracy")
    said = listing.compared("tiny-seed1", "tiny-seed2", Store(kept.folder))
    assert said.startswith("inputs that differ: seed, watch\ntest_accuracy: 0.")
    with pytest.raises(RecordError, match="no record of tiny-seed9"):
        listing.compared("tiny-seed1", "tiny-seed9", Store(kept.folder))


def test_only_what_is_named_is_trained_and_a_dry_run_trains_nothing(monkeypatch, tmp_path, capsys):
    chosen = experiments.named(experiments.study(), "cnn*")
    assert {e.name for e in chosen} == {"cnn", "cnn_sprint"}
    with pytest.raises(TrainingError, match="no experiment is called x"):
        experiments.named(experiments.study(), "x")
    monkeypatch.delattr(worker, "train_in_child")
    experiments.run(TINY, store=Store(tmp_path), dry=True)
    said = capsys.readouterr().out
    assert "0 of 2 trainings are kept" in said and "tiny, seed 2: no such training is kept" in said


def test_without_dask_or_anything_to_train_no_scheduler_is_asked(kept, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    experiments.run(TINY, "tcp://nowhere:1", Store(kept.folder))  # all are kept
    with pytest.raises(TrainingError, match="make install-dev"):
        experiments.run(TINY, "tcp://nowhere:1", Store(tmp_path))


RUN = """
import pathlib, sys
from test_experiments import TINY, Store, experiments

experiments.run(TINY, store=Store(pathlib.Path(sys.argv[1])))
"""


def training(process):
    """Return the processes below one that train."""
    below = psutil.Process(process.pid).children(recursive=True)
    return [p for p in below if "mnist_study.records.worker" in p.cmdline()]


def records(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.json")}


@pytest.fixture(scope="module")
def kept(mnist_file, tmp_path_factory):
    """What a run that was killed in its second training kept, and a folder with all of it."""
    folder, log = tmp_path_factory.mktemp("kept"), tmp_path_factory.mktemp("log") / "log.txt"
    path = f"{ROOT}:{ROOT}/tests:{ROOT}/tests/records"
    running = start("python", "-c", RUN, folder, folder=ROOT, log=log, PYTHONPATH=path)
    wait_until(lambda: records(folder) and training(running), ended(running), log)
    kill(running)
    survived = records(folder)
    experiments.run(TINY, store=Store(folder))
    return types.SimpleNamespace(folder=folder, survived=survived, records=records(folder))


@pytest.mark.fault(
    "`make experiments` is killed between two trainings",
    "keeps the finished ones, trains the rest next time",
)
def test_a_kill_loses_one_training_at_most(kept):
    assert len(kept.survived) == 1 and kept.survived.items() <= kept.records.items()
    expected = {Store(kept.folder).path(describe(e)).name for e in TINY}
    assert set(kept.records) == {path.name for path in kept.folder.glob("[!.]*")} == expected


def test_nothing_is_trained_twice(kept, monkeypatch, capsys):
    monkeypatch.delattr(worker, "train_in_child")
    experiments.run(TINY, store=Store(kept.folder))
    assert capsys.readouterr().out == "2 of 2 trainings are kept.\n"
    assert records(kept.folder) == kept.records


SCHEDULER = "python -m dask scheduler --host ADDRESS"
WORKER = "python -m dask worker tcp://ADDRESS:8786 --nworkers 1 --nthreads 1 --memory-limit 0"
WORKER += " --death-timeout 60"


@contextlib.contextmanager
def cluster(folder, clones=(ROOT, ROOT, ROOT)):
    """Yield a scheduler's address, its workers and its log; started as USING.md says, but here.

    clones: the folders that scheduler and workers start in.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, local = f"127.0.0.1:{port}", ("--host", "127.0.0.1", "--no-dashboard")
    worker = (*WORKER.replace("ADDRESS:8786", address).split(), *local)
    scheduler = (*SCHEDULER.partition(" --host")[0].split(), *local, "--port", str(port))
    commands = [scheduler, worker, worker]
    logs = [folder / f"{place}.log" for place in range(3)]
    started = zip(commands, clones, logs, strict=True)
    processes = [start(*c, folder=clone, log=log) for c, clone, log in started]
    try:
        for process, log in zip(processes[1:], logs[1:], strict=True):
            wait_until(lambda log=log: "Registered to" in log.read_text(), ended(process), log)
        yield f"tcp://{address}", processes, logs[0]
    finally:
        for process in processes:
            kill(process)


@pytest.mark.fault("a Dask worker dies", "another one does its training, to the same record")
def test_a_cluster_that_loses_a_worker_gives_the_same_records(kept, tmp_path):
    store = Store(tmp_path / "kept")
    with (
        concurrent.futures.ThreadPoolExecutor() as pool,
        cluster(tmp_path) as (address, (_, *workers), log),
    ):
        running = pool.submit(experiments.run, TINY, address, store)
        wait_until(lambda: all(map(training, workers)), running.done, log)
        kill(workers[0])
        running.result(timeout=300)

    def lasting(record):
        record = json.loads(record)
        timeless = {k: v for k, v in record["result"].items() if not k.endswith("_seconds")}
        return record["inputs"], timeless

    there = {name: lasting(record) for name, record in records(store.folder).items()}
    assert there == {name: lasting(record) for name, record in kept.records.items()}


@pytest.mark.proof
@pytest.mark.fault("a Dask worker's clone has other code", "refuses; others train, to true records")
def test_a_worker_of_other_code_refuses_and_others_train(kept, tmp_path, capfd, record_property):
    other = clean_copy(tmp_path / "other")
    path = other / "mnist_study" / "core" / "data.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nADDED = 1\n", encoding="utf-8")
    many = [dataclasses.replace(TINY[0], seed=seed) for seed in range(1, 5)]
    with cluster(tmp_path, (ROOT, other, ROOT)) as (address, _, _):
        experiments.run(many, address, Store(tmp_path / "kept"))
    assert Store(tmp_path / "kept").missing(many) == []
    first = [Store(folder).results("tiny")[1] for folder in (kept.folder, tmp_path / "kept")]
    assert first[0]["weights_sha256"] == first[1]["weights_sha256"]
    said = capfd.readouterr().err.splitlines()[0]
    assert "refused: other mnist_study/core/data.py: bring this clone up to date" in said
    record_property("said", said.split(" (on ")[0])


@pytest.mark.proof
@pytest.mark.fault("the Dask scheduler dies", "stops with what is left to do; finished ones stay")
def test_a_cluster_that_loses_its_scheduler_says_so(kept, tmp_path, record_property):
    with (
        concurrent.futures.ThreadPoolExecutor() as pool,
        cluster(tmp_path) as (address, (scheduler, *workers), log),
    ):
        running = pool.submit(experiments.run, TINY, address, Store(tmp_path / "kept"))
        wait_until(lambda: any(map(training, workers)), running.done, log)
        kill(scheduler)
        with pytest.raises(TrainingError, match="trainings are left: start it again") as lost:
            running.result(timeout=120)
    record_property("said", str(lost.value))
    assert records(tmp_path / "kept").keys() <= kept.records.keys()


def test_readme_starts_a_cluster_in_the_same_way():
    readme = (ROOT / "docs" / "USING.md").read_text(encoding="utf-8")
    assert SCHEDULER in readme and WORKER in readme
