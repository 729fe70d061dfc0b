"""The table of experiments; how the missing ones are trained, listed and compared."""

import collections
import dataclasses
import io
import itertools
import json
import subprocess
import sys
import types

import pytest
from support.project import ROOT, ended, run, start, wait_until
from support.trainings import TINY, fake_training, over, recorded, training

from mnist_study import experiments, listing, lock, runners, train_missing, worker
from mnist_study.errors import FolderError, RecordError, TrainingError
from mnist_study.experiments import Group
from mnist_study.store import Store, describe, describe_configuration

STUDY = experiments.study()


def test_every_experiment_has_its_own_name_and_its_seeds():
    seeds = collections.defaultdict(list)
    for experiment in STUDY:
        seeds[experiment.name].append(experiment.seed)
    assert len(STUDY) == 92 and len(seeds) == len(experiments.TABLE) == len(experiments.TITLES)
    assert {name for name, of in seeds.items() if of == [1, 2, 3, 4, 5]} == {
        *experiments.names(Group.MODEL), *experiments.names(Group.TIME)
    }  # fmt: skip
    assert all(of in ([1, 2, 3], [1, 2, 3, 4, 5]) for of in seeds.values())
    choices = [e for e in STUDY if e.evaluated_on == "validation"]
    assert {e.name for e in choices} == {*experiments.names(Group.CHOICE)}
    assert {(e.seed, e.split) for e in choices} == {*experiments.SPLITS.items()}


def explicit(configuration):
    """Return a configuration with the defaults of its network among its options, as JSON has it."""
    options = describe_configuration(configuration)["options"]
    return dataclasses.replace(configuration, options=json.loads(json.dumps(options)))


@pytest.mark.parametrize("line", experiments.TABLE, ids=lambda line: line.experiment.name)
def test_a_description_gives_its_experiment_back(line):
    for seed in line.seeds:
        experiment = line.with_seed(seed)
        again = experiments.experiment_of(json.loads(json.dumps(describe(experiment))))
        teacher = experiment.teacher and explicit(experiment.teacher)
        configuration = explicit(experiment.configuration)
        assert again == dataclasses.replace(
            experiment, configuration=configuration, teacher=teacher
        )


def test_each_step_of_the_ablation_changes_what_its_title_says():
    order = experiments.ABLATION
    assert order[:3] == ["softmax_regression", "baseline_mlp", "step_adam"]
    assert order[-2:] == ["dense_dropout", "dense_distilled"] and len(order) == 11
    assert {*order} <= {*experiments.TITLES}
    steps = [experiments.configuration(name) for name in order[2:-1]]
    changed = [
        {f.name for f in dataclasses.fields(low) if getattr(low, f.name) != getattr(high, f.name)}
        for low, high in itertools.pairwise(steps)
    ]
    assert changed[1:] == [
        {"affine"}, {"elastic"}, {"anneal", "label_smoothing"}, {"options"},
        {"importance_sampling"}, {"epochs"},
    ]  # fmt: skip
    assert {step.epochs for step in steps[:-1]} == {7}


def test_only_what_is_named_is_trained_and_a_dry_run_trains_nothing(monkeypatch, tmp_path, capsys):
    assert {e.name for e in experiments.matching("cnn*")} == {"cnn", "cnn_sprint"}
    with pytest.raises(TrainingError, match="no experiment is called x"):
        experiments.matching("x")
    monkeypatch.delattr(worker, "train_in_child")
    train_missing.run(TINY, store=Store(tmp_path), dry=True)
    written = capsys.readouterr().out
    assert "0 of 2 trainings are recorded" in written and "tiny, seed 2: no such" in written
    took = train_missing.known_seconds(recorded(tmp_path), ["tiny", "new"])
    assert took == {"tiny": 2.0}
    left = [{"name": "tiny", "seed": 3}, {"name": "new", "seed": 1}]
    assert train_missing.seconds_left(left, took | {"other": 88.0}) == 2 + 45
    train_missing.print_plan(left, {"tiny": 120.0})
    assert capsys.readouterr().out.endswith("in all about 4 minutes\n")


@pytest.mark.fault(
    "a training of `make experiments` fails",
    "records the others, trains the rest next time",
)
def test_a_failure_costs_one_training_and_lets_the_folder_go(monkeypatch, tmp_path, capsys):
    trained = []

    def failing(description):
        trained.append(description["seed"])
        if trained == [1]:
            raise TrainingError("no room")
        return fake_training(description)

    monkeypatch.setattr(worker, "train_in_child", failing)
    with pytest.raises(TrainingError, match=r"no room\n1 trainings failed; the others are rec"):
        train_missing.run(TINY, store=Store(tmp_path))
    assert [*Store(tmp_path).results("tiny")] == [2]
    for _ in range(2):
        train_missing.run(TINY, store=Store(tmp_path))
    assert trained == [1, 2, 1] and not Store(tmp_path).missing(TINY)
    assert capsys.readouterr().out.endswith("2 of 2 trainings are recorded.\n")


def test_a_folder_that_another_process_has_locked_is_refused(tmp_path):
    code = "import pathlib, sys\nfrom mnist_study import lock\n"
    code += "lock.hold(pathlib.Path(sys.argv[1])).__enter__()"
    with lock.hold(tmp_path), lock.hold(tmp_path):
        refused = run(sys.executable, "-c", code, tmp_path, folder=ROOT, check=False)
    assert FolderError.__name__ in refused.stderr and "wait for its end" in refused.stderr
    run(sys.executable, "-c", code, tmp_path, folder=ROOT)  # which is free again


def test_no_scheduler_is_asked_without_dask_or_anything_to_train(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    train_missing.run(TINY, "tcp://nowhere:1", recorded(tmp_path / "all"))
    with pytest.raises(TrainingError, match="make install-dev"):
        train_missing.run(TINY, "tcp://nowhere:1", Store(tmp_path))
    monkeypatch.setattr("mnist_study.cluster.train", lambda *_: iter(()))
    with pytest.raises(TrainingError, match="scheduler is gone, 2 trainings are left: start it"):
        train_missing.run(TINY, "tcp://nowhere:1", Store(tmp_path))


@pytest.fixture
def main(monkeypatch):
    """The worker's main of a description, in this process, with a runner that only notes it."""
    noted = []

    def train_and_evaluate(experiment):
        noted.append(experiment)
        return types.SimpleNamespace(model=types.SimpleNamespace(save=noted.append)), {"right": 1}

    def main(description, *path, threads="2"):
        monkeypatch.setenv(worker.PINNED[0], threads)
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(description)))
        return worker.main(*path), *noted

    train_and_evaluate.__module__ = runners.__name__
    monkeypatch.setitem(experiments.RUNNERS, "train_and_evaluate", train_and_evaluate)
    monkeypatch.setattr(worker, "end_with_parent", lambda: None)
    return main


def test_a_worker_trains_what_is_described_and_proves_it(main):
    result, experiment, path = main(describe(TINY[1]), "model.keras")
    assert experiment.seed == 2 and experiment.watch and path == "model.keras"
    assert result["right"] == 1 and result["machine"]["keras"]
    assert Store().path(describe(TINY[1])).stem.endswith(result["machine"]["key"])


def test_a_worker_of_other_code_libraries_data_or_threads_refuses(main, capsys):
    description = describe(TINY[0])
    code, versions = description["code"], description["versions"]
    for changed, reason in (
        ({"code": code | {"mnist_study/data.py": "0" * 64}}, "code: mnist_study/data.py"),
        ({"versions": versions | {"tensorflow": "0"}}, "versions: tensorflow"),
        ({"data": "0" * 64}, "data"),
        ({"split": "another"}, "code, other configuration"),  # this clone does not know it
    ):
        with pytest.raises(SystemExit) as ended:
            main(description | changed)
        assert ended.value.code == worker.REFUSED
        assert capsys.readouterr().err.startswith(f"other {reason}")
    with pytest.raises(SystemExit):
        main(description, threads="1")
    assert capsys.readouterr().err.startswith("other threads: bring the clone")


def test_a_child_s_failure_and_refusal_are_reported(monkeypatch):
    children = iter([(1, "", "a\nno room"), (3, "", "a\nother data: b"), (0, '{"right": 1}', "c")])
    environments = []

    def child(command, env, **settings):
        environments.append(env)
        return subprocess.CompletedProcess(command, *next(children))

    monkeypatch.setattr(subprocess, "run", child)
    failed, refused = [result for _, result in worker.here(map(describe, TINY))]
    assert str(failed) == "tiny failed with status 1: a\nno room"
    assert str(refused) == "tiny was refused: other data: b"
    result = worker.train_in_child(describe(TINY[0]))
    assert result["right"] == 1 and result["total_seconds"] >= 0
    assert all(env[name] == "2" for env in environments for name in worker.PINNED)


def test_a_cluster_s_task_comes_without_tensorflow():
    code = "import pickle, sys\nfrom mnist_study import worker\n"
    code += "pickle.loads(pickle.dumps(worker.attempt))\n"
    code += "print({'tensorflow', 'keras', 'numpy'} & {*sys.modules})"
    assert run(sys.executable, "-c", code, folder=ROOT).stdout == "set()\n"


def test_a_training_that_nobody_waits_for_ends():
    code = "import time\nfrom mnist_study import worker\n"
    code += "worker.end_with_parent()\nwhile True: time.sleep(1)"
    left = run(sys.executable, "-c", code, folder=ROOT, check=False, MNIST_STUDY_PARENT=1)
    assert left.returncode == worker.ABANDONED


def test_the_list_says_what_is_recorded_missing_or_stale_and_why(tmp_path):
    store = recorded(tmp_path)
    lines = listing.listed(TINY, store=store).splitlines()[1:]
    assert [line.split()[2:4] for line in lines] == [["recorded", "99.98%"]] * 2
    for path in tmp_path.glob("tiny-seed1-*"):
        record = json.loads(path.read_text())
        record["inputs"]["code"]["mnist_study/data.py"] = "0" * 64
        record["inputs"]["configuration"]["epochs"] = 2
        path.write_text(json.dumps(record))
    for path in tmp_path.glob("tiny-seed2-*"):
        path.write_text("{}")
    rows = json.loads(listing.listed([*TINY, STUDY[0]], "json", store))
    assert [row["state"] for row in rows] == ["stale", "unfit", "missing"]
    assert rows[0]["why"] == "code: mnist_study/data.py, configuration: epochs"
    assert listing.listed(TINY, "csv", store).startswith("name,seed,state,accuracy")


def test_two_recorded_trainings_are_compared(tmp_path):
    store = recorded(tmp_path)
    other = fake_training(describe(TINY[1])) | {"misclassified": [1, 9], "predicted": [4, 0]}
    store.keep(describe(TINY[1]), other | {"test_accuracy": 0.5})
    assert listing.compared("tiny-seed1", "tiny-seed2", store).splitlines() == [
        "inputs that differ: seed, watch",
        "test_accuracy: 0.9998 and 0.5000",
        "validation_accuracy: 0.9000 and 0.9000",
        "fit_seconds: 1.0000 and 1.0000",
        "test images predicted otherwise: 1: 3 and 4, 9: correct and 0, 6000: 7 and correct",
    ]
    with pytest.raises(RecordError, match="no record of tiny-seed9"):
        listing.compared("tiny-seed1", "tiny-seed9", store)


def test_a_run_of_your_own_is_listed_beside_the_recorded_trainings(tmp_path):
    (tmp_path / "results").mkdir()
    run = {"parameters": {"seed": 1}, "profile": "full"}
    run["models"] = {"cnn": {"test_accuracy": 0.5, "fit_seconds": 9.0, "weights_sha256": "0"}}
    (tmp_path / "results" / "metrics.json").write_text(json.dumps(run))
    *_, last = json.loads(listing.listed(TINY, "json", Store(tmp_path), tmp_path))
    assert (last["state"], last["accuracy"]) == ("full", 0.5) and "points" in last["why"]
    with pytest.raises(RecordError, match=r"elsewhere/results/metrics.json holds no run"):
        listing.listed(TINY, run=tmp_path / "elsewhere")


RUN = """
import pathlib, sys
from support.trainings import TINY
from mnist_study import train_missing
from mnist_study.store import Store

train_missing.run(TINY, store=Store(pathlib.Path(sys.argv[1])))
"""


@pytest.mark.proof
@pytest.mark.fault(
    "`make experiments` is killed between two trainings",
    "keeps the finished ones, trains the rest next time",
)
def test_a_kill_loses_one_training_at_most(mnist_file, tmp_path):
    folder, log = tmp_path / "records", tmp_path / "log.txt"
    path = f"{ROOT}:{ROOT}/tests"
    running = start("python", "-c", RUN, folder, folder=ROOT, log=log, PYTHONPATH=path)
    wait_until(lambda: [*folder.glob("*.json")] and training(running), ended(running), log)
    [child] = training(running)
    running.kill()  # and not its child, which ends by itself
    running.wait()
    wait_until(lambda: over(child), lambda: False, log)
    [survived] = folder.glob("*.json")
    before = survived.read_bytes()
    train_missing.run(TINY, store=Store(folder))
    assert survived.read_bytes() == before
    names = {Store(folder).path(describe(experiment)).name for experiment in TINY}
    assert {path.name for path in folder.glob("[!.]*")} == names
