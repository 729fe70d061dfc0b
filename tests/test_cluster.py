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
    """A future that has its value at once, or never if that is None."""

    def __init__(self, worker, value):
        self.value = value if isinstance(value, tuple) else (worker, value)
        self.status = "error" if isinstance(value, tuple) else "finished" if value else "pending"

    def cancel(self):
        self.status = "cancelled"

    def cancelled(self):
        return self.status == "cancelled"


class FakeDask:
    """A client, and what iterates over its completed tasks; workers: functions of a description."""

    def __init__(self, **workers):
        self.workers, self.keys, self.tasks = workers, [], []

    def scheduler_info(self):
        return {"workers": self.workers}

    def submit(self, _, description, key, workers=None):
        self.keys.append(key)
        worker = next(iter(workers or self.workers), None)
        return Task(worker, self.workers[worker](description) if worker in self.workers else None)

    def add(self, task):
        self.tasks.append(task)

    def has_ready(self):
        return any(task.status != "pending" for task in self.tasks)

    def __next__(self):
        [task] = [task for task in self.tasks if task.status != "pending"]
        self.tasks.remove(task)
        return task, task.value


@pytest.fixture
def outcomes(monkeypatch):
    """A function: train TINY[0] on fake workers; return the results, or why there are none."""
    monkeypatch.setattr(cluster, "CHECK_EVERY", 0)

    def outcomes(dask, **attempt):
        monkeypatch.setattr("distributed.as_completed", lambda **_: dask)
        on_fakes = cluster.Cluster(dask, "tcp://fake")
        on_fakes.submit(cluster.Attempt(describe(TINY[0]), **attempt))
        return [str(r) if isinstance(r, TrainingError) else r for _, r in on_fakes.outcomes()]

    return outcomes


def refuse(_):
    return "tiny was refused"


def test_another_worker_trains_what_one_refuses_or_does_not_prove(outcomes, capsys):
    true, unproven = fake_training(describe(TINY[0])), {"machine": {"key": "0" * 12}}
    dask = FakeDask(a=refuse, b=fake_training)
    assert outcomes(dask) == [true] and "tiny was refused" in capsys.readouterr().err
    assert len({*dask.keys}) == 2
    path = Store().path(describe(TINY[0]))  # a task is known by its content
    assert path.stem.endswith(dask.keys[0].removeprefix("tiny"))
    assert outcomes(FakeDask(a=lambda _: unproven, b=fake_training)) == [true]
    [last] = outcomes(FakeDask(a=lambda _: unproven))
    assert "came without proof of its code" in last
    assert outcomes(FakeDask(b=fake_training), able=frozenset({"gone"})) == [true]


def test_what_kills_its_workers_is_given_up_and_what_is_lost_gives_nothing(outcomes, capsys):
    dask = FakeDask(a=lambda _: (None, KeyError("dead")), b=fake_training)
    assert outcomes(dask) == ["tiny failed: KeyError('dead')"] and len(dask.keys) == 1
    lost = FakeDask()
    lost.tasks.append(Task("a", None))
    lost.submit = lambda *_, **__: lost.tasks[0]
    lost.add = lambda task: task.cancel()  # as Dask does without a scheduler
    assert outcomes(lost) == []
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
