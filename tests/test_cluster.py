"""A Dask cluster gives true records, or says why it gives none."""

import concurrent.futures
import dataclasses
import importlib.metadata
import signal
import time

import psutil
import pytest
import trustme
from support import trainings
from support.project import ROOT, clean_copy, kill, run, wait_until
from support.trainings import TINY, Cluster, fake_training, over, timeless, training

from mnist_study import cluster, train_missing
from mnist_study.errors import TrainingError
from mnist_study.store import Store, describe


class Task:
    """A future that is done: with an address and a result, with an error, or lost."""

    def __init__(self, value):
        self.value, self.status = value, "error" if value and value[0] is None else "finished"

    def cancelled(self):
        return self.value is None


class FakeCluster(cluster.Cluster):
    """A cluster whose attempts end at once, in these ways."""

    def __init__(self, *values):
        self.values, self.made, self.attempts = iter(values), [], {}
        self.address, self.stranded, self.completed = "tcp://fake", set(), self

    def submit(self, attempt):
        self.made.append(attempt)
        self.attempts[Task(next(self.values))] = attempt

    def workers(self):
        return {"a", "b"}

    def has_ready(self):
        return True

    def __next__(self):
        [task] = self.attempts
        return task, task.value


def outcomes(fake):
    """Return what a fake cluster gives for a training: results, or why there are none."""
    fake.submit(cluster.Attempt(describe(TINY[0])))
    return [str(r) if isinstance(r, TrainingError) else r for _, r in fake.outcomes()]


def test_another_worker_trains_what_one_refuses_or_does_not_prove(capsys):
    true, unproven = fake_training(describe(TINY[0])), {"machine": {"key": "0" * 12}}
    for first in ("tiny was refused", unproven):
        fake = FakeCluster(("a", first), ("b", true))
        assert outcomes(fake) == [true] and fake.made[1].able == {"b"}
        assert len({attempt.key for attempt in fake.made}) == 2  # a task is known by its content
        assert fake.made[0].key.removeprefix("tiny") in Store().path(describe(TINY[0])).stem
    assert "tiny was refused" in capsys.readouterr().err
    [last] = outcomes(FakeCluster(("b", "tiny was refused"), ("a", unproven)))
    assert "came without proof of its code" in last


def test_what_kills_its_workers_is_given_up_and_what_is_lost_gives_nothing():
    fake = FakeCluster((None, KeyError("dead")))
    assert outcomes(fake) == ["tiny failed: KeyError('dead')"]
    assert outcomes(FakeCluster(None)) == []


def test_no_training_waits_for_workers_that_are_gone(monkeypatch, capsys):
    true, cancelled = fake_training(describe(TINY[0])), []
    fake = FakeCluster(None, ("b", true))
    monkeypatch.setattr(Task, "cancel", lambda _: cancelled.append(True), raising=False)
    fake.submit(cluster.Attempt(describe(TINY[0]), able=frozenset({"gone"})))
    assert [result for _, result in fake.outcomes()] == [true] and cancelled
    monkeypatch.setattr(fake, "workers", set)
    fake.check_workers()
    assert "tcp://fake has no workers: start one in a clone" in capsys.readouterr().err


@pytest.fixture
def begin(mnist_file, tmp_path):
    """A function that begins to train experiments on a cluster, with their records in tmp_path."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        yield lambda on, dask: pool.submit(train_missing.run, on, dask.address, Store(tmp_path))


@pytest.fixture
def place(tmp_path_factory):
    """A folder for a cluster's logs and other clones."""
    return tmp_path_factory.mktemp("cluster")


def test_a_cluster_trains_what_is_missing_started_as_the_guide_says(begin, place, tmp_path):
    guide = (ROOT / "docs" / "USING.md").read_text(encoding="utf-8")
    assert trainings.SCHEDULER in guide and trainings.WORKER in guide
    with Cluster(place) as dask:
        dask.add()
        begin(TINY[:1], dask).result()
    assert Store(tmp_path).missing(TINY) == [describe(TINY[1])]
    result = Store(tmp_path).results("tiny")[1]
    assert result["test_accuracy"] == pytest.approx(1 - len(result["misclassified"]) / 10_000)


def alone(wanted, folder):
    """Return what trainings one after another in this clone give, as timeless does."""
    train_missing.run(wanted, store=Store(folder / "alone"))
    return timeless(folder / "alone")


def other_code(clone):
    path = clone / "mnist_study" / "data.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nADDED = 1\n", encoding="utf-8")
    return clone


def other_libraries(clone):
    """Return the clone, in whose folder Python then finds another version of numpy first."""
    lines = importlib.metadata.distribution("numpy").read_text("METADATA").splitlines()
    lines = ["Version: 1.0" if line.startswith("Version: ") else line for line in lines]
    (clone / "numpy-1.0.dist-info").mkdir()
    (clone / "numpy-1.0.dist-info" / "METADATA").write_text("\n".join(lines), encoding="utf-8")
    return clone


@pytest.mark.proof
@pytest.mark.fault(
    "of five Dask workers three are unfit, one is killed, one stopped for a minute",
    "twelve trainings, twelve true records; the refusals are reported",
)
def test_trainings_among_unfit_killed_and_stopped_workers(
    begin, place, tmp_path, capfd, record_property
):
    many = [dataclasses.replace(TINY[0], seed=seed) for seed in range(1, 13)]
    with Cluster(place) as dask:
        fit = [dask.add(OMP_NUM_THREADS=1, TF_NUM_INTRAOP_THREADS=1), dask.add(), dask.add()]
        dask.add(other_code(clean_copy(place / "other code")))
        dask.add(other_libraries(clean_copy(place / "other libraries")))
        running = begin(many, dask)
        wait_until(lambda: all(map(training, fit)), running.done, dask.log)
        _, killed, stopped = (psutil.Process(worker.pid) for worker in fit)
        [orphan] = training(fit[1])
        for process in {killed, *killed.children(recursive=True)} - {orphan}:
            process.kill()
        for seconds, number in ((60, signal.SIGSTOP), (0, signal.SIGCONT)):
            for process in (*stopped.children(recursive=True), stopped):
                process.send_signal(number)
            time.sleep(seconds)
        wait_until(lambda: over(orphan), running.done, dask.log)
        running.result()
    lines = [line for line in capfd.readouterr().err.splitlines() if " was refused: " in line]
    reasons = sorted({line.split(" was refused: ")[1].split(" (on ")[0] for line in lines})
    assert len(reasons) == 2, reasons
    assert "code: mnist_study/data.py" in reasons[0] and "versions: numpy" in reasons[1]
    record_property("said", "; ".join(reasons))
    assert len(timeless(tmp_path)) == 12 and timeless(tmp_path) == alone(many, place)


@pytest.mark.proof
@pytest.mark.fault("the Dask scheduler dies", "stops with what is left to do; finished ones stay")
def test_a_cluster_that_loses_its_scheduler_says_so(begin, place, tmp_path, record_property):
    with Cluster(place) as dask:
        worker = dask.add()
        running = begin(TINY, dask)
        wait_until(lambda: training(worker), running.done, dask.log)
        kill(dask.scheduler)
        with pytest.raises(TrainingError, match="trainings are left: start it again") as lost:
            running.result()
    record_property("said", str(lost.value))
    assert timeless(tmp_path) == {}


SECURE = """
import pathlib, sys
from support.trainings import TINY
from mnist_study import store, train_missing

train_missing.run(TINY[:1], sys.argv[1], store.Store(pathlib.Path(sys.argv[2])))
"""


@pytest.mark.proof
@pytest.mark.fault(
    "a client without a certificate asks a Dask scheduler with TLS", "is refused; others are served"
)
def test_a_cluster_with_tls_serves_those_who_have_a_certificate(mnist_file, place, tmp_path):
    authority, own = trustme.CA(), place / "own.pem"
    authority.cert_pem.write_to_path(place / "authority.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(own)
    files = {"ca-file": place / "authority.pem", "cert": own, "key": own}
    options = [word for name, path in files.items() for word in (f"--tls-{name}", str(path))]
    names = {"ca-file": "CA_FILE", "cert": "CLIENT__CERT", "key": "CLIENT__KEY"}
    settings = {f"DASK_DISTRIBUTED__COMM__TLS__{names[name]}": files[name] for name in files}
    with Cluster(place, *options, kind="tls") as dask:
        dask.add()
        command = ("python", "-c", SECURE, dask.address, tmp_path)
        path = {"PYTHONPATH": f"{ROOT}:{ROOT}/tests"}
        refused = run(*command, folder=ROOT, check=False, **path)
        assert refused.returncode and "no scheduler answers at tls://" in refused.stderr
        run(*command, folder=ROOT, **path, **settings)
    assert timeless(tmp_path) == alone(TINY[:1], place)
