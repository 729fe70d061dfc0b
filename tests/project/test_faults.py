"""What breaks while files are written, and what is broken to begin with: nothing is lost."""

import contextlib
import json
import resource
import sys

import h5py
import numpy as np
import pytest
from support.host import host
from support.notebook import source
from support.project import ROOT, ended, kill, run, start, wait_until

from digit_reader.files import write_text
from mnist_study.core.backend import keras
from mnist_study.errors import BackendError, FolderInUseError, SavedModelError
from mnist_study.records import experiments, lock, saved_model
from mnist_study.records.store import Store
from mnist_study.story import figures

DESCRIPTION = {"name": "tiny", "seed": 1}
BLANK = np.zeros((1, 28, 28))


def dense(units=10):
    """Return a small model."""
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(units)]
    return keras.Sequential(layers)


# What writes which file, given a session of the notebook.
WRITERS = {
    "saving the model": ("mnist_model.h5", lambda study: study.save(dense(1_000))),
    "plotting": (
        "visualizations/a.png",
        lambda study: study.show(figures.Shown(figures.gallery(BLANK), "It", "Some text", "a.png")),
    ),
    "keeping a record": (
        f"results/{Store().path(DESCRIPTION).name}",
        lambda study: Store(study.folder / "results").keep(DESCRIPTION, {"x": [*range(9_999)]}),
    ),
    "writing a page": (
        "page.html",
        lambda study: write_text(study.folder / "page.html", "x" * 9_999),
    ),
}


@contextlib.contextmanager
def disk_of(size):
    """Let no file grow beyond so many bytes, which fails a write as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def old(tmp_path):
    """A function that puts an older file in the place of one that is to be written."""

    def old(name):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("of an earlier run")
        return tmp_path / name

    return old


@pytest.mark.parametrize("moment", WRITERS)
@pytest.mark.fault("the disk is full while {moment}", "stops; the earlier file stays whole")
def test_a_full_disk_costs_no_file(begin, old, moment, record_property):
    name, write = WRITERS[moment]
    study, path = begin(), old(name)
    with disk_of(100), pytest.raises(OSError, match=r"too large\): make room") as full:
        write(study)
    assert path.read_text() == "of an earlier run"
    assert not [*path.parent.glob(".partial-*")]
    record_property("said", str(full.value))
    write(study)
    assert path.stat().st_size > 100


KILLED = """
import os, signal, sys
import test_faults
from support.notebook import source
from mnist_study.story import session

os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # at the worst moment
names = {}
exec(source("parameters"), {}, names)
study = session.begin(names | {"output_folder": sys.argv[1]})
test_faults.WRITERS[sys.argv[2]][1](study)
"""


@pytest.mark.proof
@pytest.mark.parametrize("moment", WRITERS)
@pytest.mark.fault("a kill while {moment}", "the earlier file stays whole; the next run goes well")
def test_a_kill_costs_no_file(begin, old, tmp_path, moment):
    name, write = WRITERS[moment]
    path, paths = old(name), {"PYTHONPATH": f"{ROOT}:{ROOT}/tests:{ROOT}/tests/project"}
    command = (sys.executable, "-c", KILLED, str(tmp_path), moment)
    killed = run(*command, folder=ROOT, check=False, **paths)
    assert killed.returncode == -9, killed.stderr
    assert path.read_text() == "of an earlier run"
    write(begin())
    assert path.read_text(errors="replace") != "of an earlier run"
    assert not [*path.parent.glob(".partial-*")]


LOAD = "import keras; keras.datasets.mnist.load_data()"


@pytest.mark.proof
@pytest.mark.fault("a kill while MNIST is downloaded", "the next run downloads it again")
def test_a_kill_in_a_download_costs_only_the_download(tmp_path, mnist_file):
    real, path = mnist_file.read_bytes(), tmp_path / "datasets" / "mnist.npz"
    log, command = tmp_path / "log.txt", (sys.executable, "-c", LOAD)
    with host(tmp_path, real, stall_after=5_000_000) as network:
        running = start(*command, folder=tmp_path, log=log, KERAS_HOME=tmp_path, **network)
        wait_until(lambda: path.exists() and path.stat().st_size > 1e6, ended(running), log)
        kill(running)
    assert path.stat().st_size < len(real)
    with host(tmp_path, real) as network:
        run(*command, folder=tmp_path, KERAS_HOME=tmp_path, **network)
    assert path.read_bytes() == real


HOLD = """
import pathlib, sys, time
from mnist_study.records import lock
with lock.hold(pathlib.Path(sys.argv[1])):
    print("at work", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def held(tmp_path):
    """A process at work in tmp_path."""
    log = tmp_path / "log.txt"
    running = start(sys.executable, "-c", HOLD, str(tmp_path), folder=ROOT, log=log)
    wait_until(lambda: "at work" in log.read_text(), ended(running), log)
    yield running
    kill(running)


@pytest.mark.fault("two runs at once in one folder", "the second stops before it writes anything")
def test_a_second_run_in_a_folder_is_refused_until_the_first_is_gone(
    begin, held, tmp_path, record_property
):
    for second in (begin, lambda: experiments.run([], store=Store(tmp_path))):
        with pytest.raises(FolderInUseError, match="wait for its end") as refused:
            second()
    assert {path.name for path in tmp_path.iterdir()} == {"log.txt", lock.NAME}
    record_property("said", str(refused.value))
    kill(held)
    study = begin()
    begin()  # the same kernel runs its first cell again
    study.close()


BROKEN = {
    "missing": "sys.modules['tensorflow'] = None",
    "broken": "sys.path.insert(0, '.')",
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.fault("TensorFlow is {how}", "stops at the imports")
def test_tensorflow_that_does_not_start_is_said(how, tmp_path, record_property):
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text("raise OSError('libtf.so: bad ELF')")
    code = f"import sys; {BROKEN[how]}\n{source('imports')}"
    paths = {"PYTHONPATH": ROOT, "KERAS_BACKEND": "tensorflow"}
    failed = run(sys.executable, "-c", code, folder=tmp_path, check=False, **paths)
    last = failed.stderr.strip().splitlines()[-1]
    assert f"{BackendError.__name__}: TensorFlow does not start" in last and "make install" in last
    record_property("said", last)


SETTINGS = """
from mnist_study.records import machine
machine.set_keras()
import keras
found = keras.backend.backend(), keras.config.image_data_format(), keras.config.floatx()
print(*found, keras.config.epsilon())
"""


@pytest.mark.fault(
    "keras.json and KERAS_BACKEND name another backend, order of axes, precision",
    "sets what it needs; results are the same",
)
def test_a_machine_s_own_settings_of_keras_change_nothing(tmp_path):
    own = {"backend": "jax", "image_data_format": "channels_first", "floatx": "float16"}
    (tmp_path / "keras.json").write_text(json.dumps(own | {"epsilon": 1e-3}))
    settings = {"KERAS_HOME": tmp_path, "KERAS_BACKEND": "torch"}
    said = run(sys.executable, "-c", SETTINGS, folder=ROOT, **settings).stdout
    assert said.split() == ["tensorflow", "channels_last", "float32", "1e-07"]


class Executes(keras.layers.Layer):
    pass


def foreign(folder):
    """Return files that are not this study's model, by what they are."""
    code = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)])
    own = keras.Sequential([keras.Input((2,)), Executes()])
    paths = {kind: folder / f"{kind}.h5" for kind in ("code", "own class", "data", "text", "net")}
    code.save(paths["code"])
    own.save(paths["own class"])
    dense().save(paths["net"])
    with h5py.File(paths["data"], "w") as file:
        file["x"] = [1, 2, 3]
    paths["text"].write_text("Dear reader")
    return paths


KINDS = {
    "that holds code": ("code", "Lambda"),
    "with an unknown layer": ("own class", "Executes"),
    "that holds other data": ("data", "No model config found"),
    "that is a text": ("text", "file signature not found"),
    "with another network": ("net", "has other weights than the record says"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.fault("an `.h5` {kind}", "is refused, and nothing in it is executed")
def test_a_model_that_is_not_ours_is_refused(tmp_path, kind, record_property):
    name, why = KINDS[kind]
    path = foreign(tmp_path)[name]
    with pytest.raises(SavedModelError, match="make run writes it anew") as refused:
        saved_model.load(path, "0" * 64)
    assert why in str(refused.value)
    record_property("said", str(refused.value))
