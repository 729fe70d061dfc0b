"""A Dask cluster gives true records, or says why it gives none."""

import collections
import concurrent.futures
import dataclasses
import importlib.metadata
import signal
import time

import pytest
import trustme
from support import trainings
from support.project import ROOT, clean_copy, kill, run, wait_until
from support.trainings import TINY, Cluster, descendants, over, timeless, training

from mnist_study import cluster, digests, train_missing
from mnist_study.errors import TrainingError
from mnist_study.store import Store, describe

MANY = [dataclasses.replace(TINY[0], seed=seed) for seed in range(1, 13)]


def test_a_task_is_known_by_its_content():
    """A scheduler that remembers a key must not answer with the result of other code."""
    described = [describe(TINY[0]), describe(TINY[0]) | {"code": {}}, describe(TINY[0])]
    keys = [cluster.Attempt(description).key for description in described]
    assert keys[0] == keys[2] != keys[1]
    assert Store().path(described[0]).stem.endswith(keys[0].removeprefix("tiny"))


class Future:
    def __init__(self, task, worker, value):
        self.task, self.worker, self.value = task, worker, value
        self.status = "error" if isinstance(value, tuple) else "finished"

    def cancel(self):
        self.status = "cancelled"

    def cancelled(self):
        return self.status == "cancelled"


class FakeDask:
    """A client whose workers answer at once: a result, words why not, or None: never.

    Also the iterator over what is completed.
    """

    def __init__(self, **answers):
        self.answers, self.connected = answers, [*answers]
        self.tasks, self.waiting = [], collections.deque()

    def scheduler_info(self):
        return {"workers": self.connected}

    def submit(self, task, description, key, workers=None):
        worker = workers[0] if workers else self.connected[0]
        assert key not in [task for task, _ in self.tasks]
        self.tasks.append((key, worker))
        return Future(key, worker, self.answers[worker](description))

    def add(self, future):
        self.waiting.append(future)

    def has_ready(self):
        return any(future.value or future.cancelled() for future in self.waiting)

    def __next__(self):
        future = next(f for f in self.waiting if f.value or f.cancelled())
        self.waiting.remove(future)
        value = future.value
        return future, value if isinstance(value, tuple) else (future.worker, value)


def outcomes(dask, monkeypatch, **attempt):
    """Return what a cluster of fake workers gives for a tiny training."""
    monkeypatch.setattr("distributed.as_completed", lambda **_: dask)
    monkeypatch.setattr(cluster, "CHECK_EVERY", 0)
    given = cluster.Cluster(dask, "tcp://fake")
    given.submit(cluster.Attempt(describe(TINY[0]), **attempt))
    return [str(r) if isinstance(r, TrainingError) else r["machine"] for _, r in given.outcomes()]


PROOF = {"key": digests.of_description(describe(TINY[0])), "processor": "any"}
DEAD = (None, KeyError("workers died"))  # as Dask tells it


def refusing(description):
    return "tiny was refused"


def unproven(description):
    return trainings.fake_training(description) | {"machine": {"key": "0" * 12}}


def test_another_worker_trains_what_one_refuses_or_does_not_prove(monkeypatch, capsys):
    dask = FakeDask(a=refusing, b=unproven, c=trainings.fake_training)
    assert outcomes(dask, monkeypatch) == [PROOF]
    assert sorted(worker for _, worker in dask.tasks) in (["a", "b", "c"], ["a", "c"])
    assert "tiny was refused" in capsys.readouterr().err
    dask = FakeDask(a=refusing, b=unproven)
    [last] = outcomes(dask, monkeypatch)
    assert "came without proof of its code" in last and len(dask.tasks) == 2


def test_a_training_that_kills_its_workers_is_given_up(monkeypatch):
    dask = FakeDask(a=lambda _: DEAD, b=trainings.fake_training)
    assert outcomes(dask, monkeypatch) == ["tiny failed: KeyError('workers died')"]
    assert len(dask.tasks) == 1


def test_no_training_waits_for_workers_that_are_gone(monkeypatch):
    dask = FakeDask(gone=lambda _: None, b=trainings.fake_training)
    dask.connected = ["b"]
    assert outcomes(dask, monkeypatch, able=frozenset({"gone"})) == [PROOF]


def test_what_is_lost_with_the_scheduler_gives_nothing(monkeypatch, capsys):
    dask = FakeDask(a=lambda _: None)
    future = dask.submit(None, describe(TINY[0]), "lost")
    future.cancel()
    monkeypatch.setattr(dask, "submit", lambda *_, **__: future)
    dask.connected = []
    assert outcomes(dask, monkeypatch) == []
    assert "tcp://fake has no workers: start one in a clone" in capsys.readouterr().err


@pytest.fixture
def place(tmp_path_factory):
    """A folder for a cluster's logs and other clones."""
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture
def begun(mnist_file, tmp_path):
    """A function that begins to train experiments on a cluster, with their records in tmp_path."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        yield lambda wanted, dask: pool.submit(
            train_missing.run, wanted, dask.address, Store(tmp_path)
        )


def test_a_cluster_trains_what_is_missing(begun, place, tmp_path):
    with Cluster(place) as dask:
        dask.add()
        begun(TINY[:1], dask).result()
    assert Store(tmp_path).missing(TINY) == [describe(TINY[1])]
    result = Store(tmp_path).results("tiny")[1]
    assert result["machine"]["key"] == PROOF["key"]
    assert result["test_accuracy"] == pytest.approx(1 - len(result["misclassified"]) / 10_000)


def alone(wanted, folder):
    """Return what trainings one after another in this clone give, as timeless does."""
    train_missing.run(wanted, store=Store(folder / "alone"))
    return timeless(folder / "alone")


@pytest.mark.proof
@pytest.mark.fault("a Dask worker dies", "another one does its training, to the same record")
def test_a_cluster_that_loses_a_worker_gives_the_same_record(begun, place, tmp_path):
    with Cluster(place) as dask:
        workers = [dask.add(), dask.add()]
        running = begun(TINY[:1], dask)
        wait_until(lambda: any(map(training, workers)), running.done, dask.log)
        kill(next(filter(training, workers)))
        running.result()
    assert timeless(tmp_path) == alone(TINY[:1], place)


def other_code(folder):
    """Return a clone whose code decides results in another way."""
    clone = clean_copy(folder / "other code")
    path = clone / "mnist_study" / "data.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nADDED = 1\n", encoding="utf-8")
    return clone


def other_libraries(folder):
    """Return a clone in whose folder Python finds another version of numpy first."""
    clone = clean_copy(folder / "other libraries")
    lines = importlib.metadata.distribution("numpy").read_text("METADATA").splitlines()
    lines = ["Version: 1.0" if line.startswith("Version: ") else line for line in lines]
    (clone / "numpy-1.0.dist-info").mkdir()
    (clone / "numpy-1.0.dist-info" / "METADATA").write_text("\n".join(lines), encoding="utf-8")
    return clone


def refusals(written):
    """Return why trainings were refused, each reason once."""
    lines = [line for line in written.splitlines() if " was refused: " in line]
    return sorted({line.split(" was refused: ")[1].split(" (on ")[0] for line in lines})


def die(process):
    """End a worker at once, but not what it started to train; return that."""
    started, trains = descendants(process)
    for one in (process, *started):
        if one not in trains:
            one.kill()
    return trains


def stop(process, seconds):
    """Stop a worker and all that it started for so many seconds."""
    stopped = [*descendants(process)[0], process]
    for one in stopped:
        one.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    for one in stopped:
        one.send_signal(signal.SIGCONT)


@pytest.mark.proof
@pytest.mark.fault(
    "of five Dask workers three are unfit, one is killed, one stopped for a minute",
    "twelve trainings, twelve true records; the refusals are reported",
)
def test_twelve_trainings_among_unfit_killed_and_stopped_workers(
    begun, place, tmp_path, capfd, record_property
):
    with Cluster(place) as dask:
        fit = [dask.add(OMP_NUM_THREADS=1, TF_NUM_INTRAOP_THREADS=1), dask.add(), dask.add()]
        dask.add(other_code(place))
        dask.add(other_libraries(place))
        running = begun(MANY, dask)
        wait_until(lambda: all(map(training, fit)), running.done, dask.log)
        [orphan] = die(fit[1])
        stop(fit[2], seconds=60)
        wait_until(lambda: over(orphan), running.done, dask.log)
        running.result()
    reasons = refusals(capfd.readouterr().err)
    assert len(reasons) == 2, reasons
    assert "code: mnist_study/data.py" in reasons[0] and "versions: numpy" in reasons[1]
    record_property("said", "; ".join(reasons))
    assert len(timeless(tmp_path)) == 12 and timeless(tmp_path) == alone(MANY, place)


@pytest.mark.proof
@pytest.mark.fault("the Dask scheduler dies", "stops with what is left to do; finished ones stay")
def test_a_cluster_that_loses_its_scheduler_says_so(begun, place, tmp_path, record_property):
    with Cluster(place) as dask:
        worker = dask.add()
        running = begun(TINY, dask)
        wait_until(lambda: training(worker), running.done, dask.log)
        kill(dask.scheduler)
        with pytest.raises(TrainingError, match="trainings are left: start it again") as lost:
            running.result()
    record_property("said", str(lost.value))
    assert timeless(tmp_path) == {}


SECURE = """
import pathlib, sys
from support.trainings import TINY
from mnist_study import train_missing
from mnist_study.store import Store

train_missing.run(TINY[:1], sys.argv[1], Store(pathlib.Path(sys.argv[2])))
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


def test_the_guide_starts_a_cluster_in_the_same_way():
    guide = (ROOT / "docs" / "USING.md").read_text(encoding="utf-8")
    assert trainings.SCHEDULER in guide and trainings.WORKER in guide
