"""The table of experiments; how the missing ones are trained, listed and compared."""

import collections
import dataclasses
import io
import itertools
import json
import re
import subprocess
import sys
import types

import pytest
from support.project import ROOT, ended, run, start, wait_until
from support.trainings import TINY, fake_training, over, recorded, training

from mnist_study import experiments, listing, lock, runners, train_missing, worker
from mnist_study.errors import FolderError, RecordError, TrainingError
from mnist_study.evaluate.mnist_c import FAMILIES
from mnist_study.experiments import Group
from mnist_study.store import Store, describe, describe_configuration


def test_every_experiment_has_its_own_name_its_seeds_and_its_splits():
    study, seeds = experiments.study(), collections.defaultdict(list)
    for experiment in study:
        seeds[experiment.name].append(experiment.seed)
    assert len(study) == sum(len(line.seeds) for line in experiments.TABLE)
    assert len(seeds) == len(experiments.TABLE)
    assert all(of == [*range(1, len(of) + 1)] for of in seeds.values())
    choices = [e for e in study if e.evaluated_on == "validation"]
    validated = (Group.CHOICE, Group.FAMILIES, Group.NORMALISATION)
    groups = {name for group in validated for name in experiments.names(group)}
    assert {e.name for e in choices} == groups
    chosen = {(e.seed, e.split) for e in choices if e.name in experiments.names(Group.CHOICE)}
    assert chosen == {*experiments.SPLITS.items()}


def test_each_family_of_corruptions_is_left_out_once():
    left = {name: experiments.configuration(name) for name in experiments.names(Group.FAMILIES)}
    every = {*left["brief"].corruptions}
    for family in every:
        assert {*left[f"brief_without_{family}"].corruptions} == every - {family}
    warps = [getattr(left["brief_without_geometry"], n) for n in ("affine", "elastic", "shift")]
    assert warps == [0, 0, 0] and {*left["brief_without_geometry"].corruptions} == every
    assert not left["brief_clean"].corruptions and {*FAMILIES} == {*every, "geometry"}


def explicit(configuration):
    """Return a configuration whose options name the network's defaults, too, as JSON has them."""
    described = json.loads(json.dumps(describe_configuration(configuration)))
    changed = {name: described[name] for name in ("options", "corruptions")}
    return dataclasses.replace(configuration, **changed)


def test_a_description_gives_its_experiment_back():
    for line in experiments.TABLE:
        experiment = line.with_seed(line.seeds[-1])
        configuration = explicit(experiment.configuration)
        assert experiments.experiment_of(describe(experiment)) == dataclasses.replace(
            experiment, configuration=configuration
        )


def test_each_step_of_the_ablation_changes_what_its_title_says():
    names = experiments.ABLATION
    assert names[:3] == ["softmax_regression", "baseline_mlp", "step_adam"] and len(names) == 11
    assert names[-2:] == ["dense_clean", "dense_dropout"] and {*names} <= {*experiments.TITLES}
    steps = [experiments.configuration(name) for name in names[3:]]
    fields = [field.name for field in dataclasses.fields(steps[0])]
    assert [
        [name for name in fields if getattr(low, name) != getattr(high, name)]
        for low, high in itertools.pairwise(steps)
    ] == [
        *(["affine"], ["elastic"], ["anneal", "label_smoothing"], ["options"]),
        *(["importance_sampling"], ["epochs"], ["shift", "corruptions"]),
    ]


def test_a_dry_run_says_what_is_missing_and_for_how_long(monkeypatch, tmp_path, capsys):
    assert {e.name for e in experiments.matching("cnn*")} == {"cnn", "cnn_clean", "cnn_sprint"}
    with pytest.raises(TrainingError, match="no experiment is called x"):
        experiments.matching("x")
    monkeypatch.delattr(worker, "train_in_child")
    train_missing.run(TINY, store=Store(tmp_path), dry=True)
    written = capsys.readouterr().out
    assert "0 of 2 trainings are recorded" in written and "tiny, seed 2: no such" in written
    assert train_missing.known_seconds(recorded(tmp_path), ["tiny", "new"]) == {"tiny": 2.0}
    left = [{"name": "tiny", "seed": 3}, {"name": "new", "seed": 1}]
    train_missing.print_plan(left, {"tiny": 60.0, "other": 180.0})
    assert capsys.readouterr().out.endswith("in all about 3 minutes\n")  # a new one: the mean


@pytest.mark.fault("a training fails", "`make experiments` records the others, and says why")
def test_a_failure_costs_one_training_and_nothing_is_trained_twice(monkeypatch, tmp_path, capsys):
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


def test_a_folder_is_locked_for_other_processes_until_it_is_free(tmp_path):
    code = "import pathlib, sys\nfrom mnist_study import lock\n"
    code += "lock.hold(pathlib.Path(sys.argv[1])).__enter__()"
    with lock.hold(tmp_path), lock.hold(tmp_path):
        refused = run(sys.executable, "-c", code, tmp_path, folder=ROOT, check=False)
    assert FolderError.__name__ in refused.stderr and "wait for its end" in refused.stderr
    run(sys.executable, "-c", code, tmp_path, folder=ROOT)


def test_a_cluster_is_asked_only_for_what_is_missing(monkeypatch, tmp_path):
    def run(folder):
        train_missing.run(TINY, "tcp://nowhere:1", folder)

    monkeypatch.setitem(sys.modules, "distributed", None)
    run(recorded(tmp_path / "all"))
    with pytest.raises(TrainingError, match="make install-dev"):
        run(Store(tmp_path))
    monkeypatch.setattr("mnist_study.cluster.train", lambda *_: iter(()))
    with pytest.raises(TrainingError, match="scheduler is gone, 2 trainings are left: start it"):
        run(Store(tmp_path))


def test_a_worker_trains_and_proves_what_it_would_describe_alike(monkeypatch, capsys):
    """In this process, with a runner that only notes its experiment."""
    noted = []

    def train_and_evaluate(experiment):
        noted.append(experiment)
        return types.SimpleNamespace(model=types.SimpleNamespace(save=noted.append)), {"right": 1}

    def main(description, *path):
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(description)))
        return worker.main(*path)

    train_and_evaluate.__module__ = runners.__name__
    monkeypatch.setitem(experiments.RUNNERS, "train_and_evaluate", train_and_evaluate)
    monkeypatch.setattr(worker, "end_with_parent", lambda: None)
    monkeypatch.setenv(worker.PINNED[0], "2")
    known = describe(TINY[1])
    result = main(known, "model.keras")
    assert noted[0].seed == 2 and noted[0].watch and noted[1] == "model.keras"
    assert result["right"] == 1 and result["machine"]["keras"]
    assert Store().path(known).stem.endswith(result["machine"]["key"])
    for changed, reason in (
        ({"code": known["code"] | {"mnist_study/data.py": "0"}}, "code: mnist_study/data.py"),
        ({"versions": known["versions"] | {"tensorflow": "0"}}, "versions: tensorflow"),
        ({"data": "0" * 64}, "data"),
        ({"split": "another"}, "code, other configuration"),  # unknown to this clone
        ({"threads": 1}, "threads"),
    ):
        with pytest.raises(SystemExit) as exit:
            main(known | changed)
        assert exit.value.code == worker.REFUSED and len(noted) == 2
        assert capsys.readouterr().err.startswith(f"other {reason}")


def test_a_child_s_failure_and_refusal_are_reported(monkeypatch):
    children = iter([(1, "", "a\nno room"), (3, "", "a\nother data: b"), (0, '{"right": 1}', "c")])
    environments = []

    def child(command, env, **settings):
        environments.append(env)
        return subprocess.CompletedProcess(command, *next(children))

    monkeypatch.setattr(subprocess, "run", child)
    failed, refused = [str(result) for _, result in worker.here(map(describe, TINY))]
    assert failed == "tiny failed with status 1: a\nno room"
    assert refused == "tiny was refused: other data: b"
    assert worker.train_in_child(describe(TINY[0])).keys() == {"right", "total_seconds"}
    assert all(env[name] == "2" for env in environments for name in worker.PINNED)


def test_a_worker_s_process_imports_little_and_ends_with_the_one_that_waits_for_it():
    code = "import pickle, sys, time\nfrom mnist_study import worker\n"
    code += "pickle.loads(pickle.dumps(worker.attempt))\n"
    code += "print({'tensorflow', 'keras', 'numpy'} & {*sys.modules}, flush=True)\n"
    code += "worker.end_with_parent()\nwhile True: time.sleep(1)"
    left = run(sys.executable, "-c", code, folder=ROOT, check=False, MNIST_STUDY_PARENT=1)
    assert (left.stdout, left.returncode) == ("set()\n", worker.ABANDONED)


def test_the_list_says_what_is_recorded_missing_or_stale_and_why(tmp_path):
    store = recorded(tmp_path)
    lines = listing.listed(TINY, store=store).splitlines()[1:]
    assert [line.split()[2:4] for line in lines] == [["recorded", "99.98%"]] * 2
    stale, unfit = sorted(tmp_path.glob("*.json"))
    record = json.loads(stale.read_text())
    record["inputs"]["code"]["mnist_study/data.py"] = "0" * 64
    record["inputs"]["configuration"]["epochs"] = 2
    stale.write_text(json.dumps(record))
    unfit.write_text("{}")
    rows = json.loads(listing.listed([*TINY, *experiments.matching("cnn")], "json", store))
    assert [row["state"] for row in rows[:3]] == ["stale", "unfit", "missing"]
    assert rows[0]["why"] == "code: mnist_study/data.py, configuration: epochs"
    assert listing.listed(TINY, "csv", store).startswith("name,seed,state,accuracy")
    of_lines = listing.listed(experiments.matching("line_reader"))  # without accuracy on digits
    assert "recorded" in of_lines and re.search(r" \d\d\.\d\d% ", of_lines)


def test_two_trainings_and_a_run_of_your_own_are_compared_with_the_recorded(tmp_path):
    store = recorded(tmp_path)
    other = fake_training(describe(TINY[1])) | {"misclassified": [1, 9], "predicted": [4, 0]}
    store.keep(describe(TINY[1]), other | {"test_accuracy": 0.5})
    first, accuracy, *_, last = listing.compared("tiny-seed1", "tiny-seed2", store).splitlines()
    assert first == "inputs that differ: seed, watch"
    assert accuracy == "test_accuracy: 0.9998 and 0.5000"
    assert last.endswith("otherwise: 1: 3 and 4, 9: correct and 0, 6000: 7 and correct")
    model = {"test_accuracy": 0.5, "fit_seconds": 9.0, "weights_sha256": "0"}
    run = {"parameters": {"seed": 1}, "profile": "full", "models": {"cnn": model}}
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "metrics.json").write_text(json.dumps(run))
    *_, last = json.loads(listing.listed(TINY, "json", store, tmp_path))
    assert (last["state"], last["accuracy"]) == ("full", 0.5) and "points" in last["why"]
    with pytest.raises(RecordError, match="no record of tiny-seed9"):
        listing.compared("tiny-seed1", "tiny-seed9", store)
    with pytest.raises(RecordError, match=r"elsewhere/results/metrics.json holds no run"):
        listing.listed(TINY, run=tmp_path / "elsewhere")


RUN = "import pathlib, sys\nfrom support.trainings import TINY\n"
RUN += "from mnist_study import store, train_missing\n"
RUN += "train_missing.run(TINY, store=store.Store(pathlib.Path(sys.argv[1])))\n"


@pytest.mark.proof
@pytest.mark.fault(
    "`make experiments` is killed between two trainings",
    "keeps the finished ones, trains the rest next time",
)
def test_a_kill_loses_one_training_at_most(mnist_file, tmp_path):
    folder, log, path = tmp_path / "records", tmp_path / "log.txt", f"{ROOT}:{ROOT}/tests"
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
