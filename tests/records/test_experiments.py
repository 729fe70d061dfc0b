"""Missing trainings are made, here or on a cluster, and a kill costs one of them at most."""

import dataclasses
import io
import itertools
import json
import re
import shutil
import sys
import types

import pytest
from support.project import ROOT, ended, kill, run, start, wait_until
from support.trainings import TINY, over, records, training

from mnist_study import paths
from mnist_study.errors import FolderInUseError, RecordError, TrainingError
from mnist_study.records import experiments, listing, lock, worker
from mnist_study.records.store import Store, describe


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
    monkeypatch.setattr("mnist_study.records.cluster.train", lambda *_: iter(()))
    with pytest.raises(TrainingError, match="scheduler is gone, 2 trainings are left: start it"):
        experiments.run(TINY, "tcp://nowhere:1", Store(tmp_path))


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
    monkeypatch.setenv(worker.PINNED[0], "2")
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(describe(TINY[1]))))
    result = worker.main("model.keras")
    assert told[0].seed == 2 and told[0].watch and told[1] == "model.keras"
    assert result["right"] == 1 and result["machine"]["keras"]
    assert Store().path(describe(TINY[1])).stem.endswith(result["machine"]["key"])


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


def test_a_worker_of_other_code_libraries_data_or_threads_refuses(monkeypatch, capsys):
    description = describe(TINY[0])
    path, library = next(iter(description["code"])), "tensorflow"
    for changed, said in (
        ({"code": description["code"] | {path: "0" * 64}}, f"code: {path}"),
        ({"versions": description["versions"] | {library: "0"}}, f"versions: {library}"),
        ({"data": "0" * 64}, "data"),
    ):
        with pytest.raises(TrainingError, match=f"tiny was refused: other {said}: bring the clone"):
            worker.train_in_child(description | changed)
    monkeypatch.setattr(worker, "end_with_parent", lambda: None)
    monkeypatch.setenv(worker.PINNED[0], "1")  # a process that nobody pinned as it should
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(description)))
    with pytest.raises(SystemExit):
        worker.main()
    assert capsys.readouterr().err.startswith("other threads: ")


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
    assert re.search(r"test images read otherwise: \d+: \w+ and \w+, ", said)
    with pytest.raises(RecordError, match="no record of tiny-seed9"):
        listing.compared("tiny-seed1", "tiny-seed9", Store(kept.folder))


def test_a_run_of_one_s_own_is_listed_beside_the_kept_trainings(tmp_path):
    (tmp_path / "results").mkdir()
    run = json.loads(paths.METRICS.read_text(encoding="utf-8"))
    run["models"] = {"cnn": run["models"]["cnn"] | {"test_accuracy": 0.5, "weights_sha256": "0"}}
    (tmp_path / "results" / "metrics.json").write_text(json.dumps(run))
    chosen = [e for e in experiments.study() if e.name == "cnn"]
    found = json.loads(listing.listed(chosen, "json", run=tmp_path))
    assert [row["state"] for row in found] == ["kept"] * 5 + ["full"]
    assert found[-1]["accuracy"] == 0.5 and "points" in found[-1]["why"]
    with pytest.raises(RecordError, match=r"elsewhere/results/metrics.json holds no run"):
        listing.listed(chosen, run=tmp_path / "elsewhere")


def test_only_what_is_named_is_trained_and_a_dry_run_trains_nothing(monkeypatch, tmp_path, capsys):
    chosen = experiments.named(experiments.study(), "cnn*")
    assert {e.name for e in chosen} == {"cnn", "cnn_sprint"}
    with pytest.raises(TrainingError, match="no experiment is called x"):
        experiments.named(experiments.study(), "x")
    monkeypatch.delattr(worker, "train_in_child")
    experiments.run(TINY, store=Store(tmp_path), dry=True)
    said = capsys.readouterr().out
    assert "0 of 2 trainings are kept" in said and "tiny, seed 2: no such training is kept" in said
    cnn = [e for e in experiments.study() if e.name == "cnn"]
    experiments.foretell([describe(e) for e in cnn], {"cnn": 90.0})
    assert capsys.readouterr().out.endswith("cnn, seed 5: about 90 s\nin all about 8 minutes\n")


def test_without_dask_or_anything_to_train_no_scheduler_is_asked(kept, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    experiments.run(TINY, "tcp://nowhere:1", Store(kept.folder))  # all are kept
    with pytest.raises(TrainingError, match="make install-dev"):
        experiments.run(TINY, "tcp://nowhere:1", Store(tmp_path))


RUN = """
import pathlib, sys
from support.trainings import TINY, experiments
from mnist_study.records.store import Store

experiments.run(TINY, store=Store(pathlib.Path(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def kept(mnist_file, tmp_path_factory):
    """What a run that was killed in its second training kept, and a folder with all of it."""
    folder, log = tmp_path_factory.mktemp("kept"), tmp_path_factory.mktemp("log") / "log.txt"
    path = f"{ROOT}:{ROOT}/tests"
    running = start("python", "-c", RUN, folder, folder=ROOT, log=log, PYTHONPATH=path)
    wait_until(lambda: records(folder) and training(running), ended(running), log)
    kill(running)
    survived = records(folder)
    experiments.run(TINY, store=Store(folder))
    return types.SimpleNamespace(folder=folder, survived=survived, records=records(folder))


CHILD = """
import json, sys
from mnist_study.records import worker

worker.train_in_child(json.loads(sys.argv[1]))
"""


def test_a_training_ends_with_the_process_that_waits_for_it(tmp_path):
    """Even when that one dies before the training has begun."""
    log, given = tmp_path / "log.txt", json.dumps(describe(TINY[0]))
    waiting = start("python", "-c", CHILD, given, folder=ROOT, log=log)
    wait_until(lambda: training(waiting), ended(waiting), log)
    [child] = training(waiting)
    waiting.kill()
    waiting.wait()
    wait_until(lambda: over(child), lambda: False, log)


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
