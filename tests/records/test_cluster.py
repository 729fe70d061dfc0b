"""A Dask cluster gives true records, or says why it gives none."""

import concurrent.futures
import dataclasses
import importlib.metadata
import signal
import time

import pytest
import trustme
from support.project import ROOT, clean_copy, kill, run, wait_until
from support.trainings import SCHEDULER, TINY, WORKER, Cluster, below, lasting, over, training

from mnist_study.errors import TrainingError
from mnist_study.records import cluster, digests, experiments
from mnist_study.records.store import Store, describe

MANY = [dataclasses.replace(TINY[0], seed=seed) for seed in range(1, 13)]


@pytest.fixture(scope="module")
def true(mnist_file, tmp_path_factory):
    """A function that returns what trainings made one after another in this clone keep."""
    folder = tmp_path_factory.mktemp("true")

    def true(wanted):
        experiments.run(wanted, store=Store(folder))
        names = [Store(folder).path(describe(experiment)).name for experiment in wanted]
        return {name: record for name, record in lasting(folder).items() if name in names}

    return true


@pytest.fixture
def begun(mnist_file, tmp_path):
    """A function that begins to train experiments on a cluster; they are kept in tmp_path."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        yield lambda wanted, address: pool.submit(experiments.run, wanted, address, Store(tmp_path))


@pytest.fixture
def place(tmp_path_factory):
    """A folder for a cluster's logs and other clones."""
    return tmp_path_factory.mktemp("cluster")


def other_code(folder):
    """Return a clone whose code decides results in another way."""
    clone = clean_copy(folder / "other code")
    path = clone / "mnist_study" / "core" / "data.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nADDED = 1\n", encoding="utf-8")
    return clone


def other_libraries(folder):
    """Return a clone in whose folder Python finds another version of numpy first."""
    clone = clean_copy(folder / "other libraries")
    found = importlib.metadata.distribution("numpy").read_text("METADATA").splitlines()
    lines = ["Version: 1.0" if line.startswith("Version: ") else line for line in found]
    (clone / "numpy-1.0.dist-info").mkdir()
    (clone / "numpy-1.0.dist-info" / "METADATA").write_text("\n".join(lines), encoding="utf-8")
    return clone


def refusals(said):
    """Return why trainings were refused, by what was said, each reason once."""
    lines = [line for line in said.splitlines() if " was refused: " in line]
    return sorted({line.split(" was refused: ")[1].split(" (on ")[0] for line in lines})


def test_a_cluster_s_task_is_known_by_its_content():
    """A scheduler that remembers a key must not answer with what other code gave."""
    described = [describe(TINY[0]), describe(TINY[0]) | {"code": {}}, describe(TINY[0])]
    keys = [cluster.Attempt(description).key for description in described]
    assert keys[0] == keys[2] != keys[1]
    assert Store().path(described[0]).stem.endswith(keys[0].removeprefix("tiny"))


def test_a_result_counts_with_its_worker_s_proof_alone():
    description = describe(TINY[0])
    result = {"accuracy": 0.9, "machine": {"key": digests.of_description(description)}}
    assert cluster.proven(description, result) == result
    for unproven in ({}, {"machine": {}}, {"machine": {"key": "0" * 12}}):
        assert "tiny came without proof" in cluster.proven(description, unproven)


@pytest.mark.fault("a Dask worker dies", "another one does its training, to the same record")
def test_a_cluster_that_loses_a_worker_gives_the_same_record(true, begun, place, tmp_path):
    with Cluster(place) as dask:
        workers = [dask.add(), dask.add()]
        running = begun(TINY[:1], dask.address)
        wait_until(lambda: any(map(training, workers)), running.done, dask.log)
        kill(next(filter(training, workers)))
        running.result(timeout=300)
    assert lasting(tmp_path) == true(TINY[:1])


def die(process):
    """End a worker at once, but not what it started to train; return that."""
    started, trains = below(process)
    for one in (process, *started):
        if one not in trains:
            one.kill()
    return trains


def stop(process, seconds):
    """Stop a worker and all that it started for so many seconds."""
    stopped = [*below(process)[0], process]
    for one in stopped:
        one.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    for one in stopped:
        one.send_signal(signal.SIGCONT)


@pytest.mark.proof
@pytest.mark.fault(
    "of five Dask workers three are unfit, one is killed, one stopped for a minute",
    "twelve trainings, twelve true records; the refusals are told",
)
def test_twelve_trainings_among_unfit_killed_and_stopped_workers(
    true, begun, place, tmp_path, capfd, record_property
):
    with Cluster(place) as dask:
        fit = [dask.add(OMP_NUM_THREADS=1, TF_NUM_INTRAOP_THREADS=1), dask.add(), dask.add()]
        dask.add(other_code(place))
        dask.add(other_libraries(place))
        running = begun(MANY, dask.address)
        wait_until(lambda: all(map(training, fit)), running.done, dask.log)
        [orphan] = die(fit[1])
        stop(fit[2], seconds=60)
        wait_until(lambda: over(orphan), running.done, dask.log)
        running.result(timeout=1_200)
    found = refusals(capfd.readouterr().err)
    assert len(found) == 2, found
    assert "code: mnist_study/core/data.py" in found[0] and "versions: numpy" in found[1]
    record_property("said", "; ".join(found))
    assert len(lasting(tmp_path)) == 12 and lasting(tmp_path) == true(MANY)


@pytest.mark.proof
@pytest.mark.fault(
    "a Dask worker is not in a clone", "it ends and says why; the client says that none is there"
)
def test_a_worker_outside_a_clone_costs_nothing(
    begun, place, tmp_path, capfd, monkeypatch, record_property
):
    monkeypatch.setattr(cluster, "LOOK", 1)
    (place / "elsewhere").mkdir()
    with Cluster(place) as dask:
        stray, said = dask.add(place / "elsewhere"), []
        running = begun(TINY[:1], dask.address)

        def told():
            said.append(capfd.readouterr().err)
            return "has no workers: start one in a clone" in said[-1]

        wait_until(told, running.done, dask.log)
        assert "No module named 'mnist_study'" in dask.log_of(stray)
        dask.add()
        running.result(timeout=300)
    assert len(lasting(tmp_path)) == 1
    record_property("said", said[-1])


@pytest.mark.proof
@pytest.mark.fault(
    "a Dask worker dies that was to do what another refused", "one that came later does it"
)
def test_no_training_waits_for_a_worker_that_is_gone(
    begun, place, tmp_path, capfd, monkeypatch, record_property
):
    monkeypatch.setattr(cluster, "LOOK", 1)
    with Cluster(place) as dask:
        dask.add(other_code(place))
        fit, said = dask.add(), []

        def refused():
            said.append(capfd.readouterr().err)
            return "was refused" in said[-1]

        running = begun(MANY[:6], dask.address)
        wait_until(refused, running.done, dask.log)
        dask.add()
        kill(fit)
        running.result(timeout=300)
    said = "".join([*said, capfd.readouterr().err]).splitlines()
    assert len(lasting(tmp_path)) == 6
    [gone, *_] = [line for line in said if line.endswith("are gone")]
    record_property("said", gone)


@pytest.mark.proof
@pytest.mark.fault("the Dask scheduler dies", "stops with what is left to do; finished ones stay")
def test_a_cluster_that_loses_its_scheduler_says_so(begun, place, tmp_path, record_property):
    with Cluster(place) as dask:
        worker = dask.add()
        running = begun(TINY, dask.address)
        wait_until(lambda: training(worker), running.done, dask.log)
        kill(dask.scheduler)
        with pytest.raises(TrainingError, match="trainings are left: start it again") as lost:
            running.result(timeout=120)
    record_property("said", str(lost.value))
    assert lasting(tmp_path) == {}


SECURE = """
import pathlib, sys
from support.trainings import TINY, experiments
from mnist_study.records.store import Store

experiments.run(TINY[:1], sys.argv[1], Store(pathlib.Path(sys.argv[2])))
"""


@pytest.mark.proof
@pytest.mark.fault(
    "a client without a certificate asks a Dask scheduler with TLS", "is refused; others are served"
)
def test_a_cluster_with_tls_serves_those_who_have_a_certificate(true, place, tmp_path):
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
    assert lasting(tmp_path) == true(TINY[:1])


def test_the_guide_starts_a_cluster_in_the_same_way():
    guide = (ROOT / "docs" / "USING.md").read_text(encoding="utf-8")
    assert SCHEDULER in guide and WORKER in guide
