"""What breaks while files are written, and what is broken to begin with: nothing is lost."""

import contextlib
import errno
import fcntl
import os
import pathlib
import resource
import sys
import tempfile

import h5py
import numpy as np
import pytest
from support.project import ROOT, ended, kill, run, start, wait_until

from digit_reader import files
from digit_reader.files import write_text
from mnist_study import cli, figures, lock, saved_model, train_missing
from mnist_study.backend import keras
from mnist_study.errors import FolderError, SavedModelError
from mnist_study.notebook import execute
from mnist_study.store import Store
from tools import exercises

DESCRIPTION = {"name": "tiny", "seed": 1}
FLATTEN, LAMBDA = keras.layers.Flatten(), keras.layers.Lambda(lambda x: x + 1)


def model(layer):
    """Return a model of one layer."""
    return keras.Sequential([keras.Input((28, 28, 1)), layer])


def plot(study):
    figure = figures.gallery(np.zeros((1, 28, 28)))
    study.show(figures.Shown(figure, "It", "Some text", "a.png"))


def record(study):
    Store(study.folder / "results").keep(DESCRIPTION, {"x": [*range(9_999)]})


WRITERS = {  # when: which file is written, and what writes it, given a session of the notebook
    "saving the model": ("mnist_model.h5", lambda study: study.save(model(FLATTEN))),
    "plotting": ("visualizations/a.png", plot),
    "recording a training": (f"results/{Store().path(DESCRIPTION).name}", record),
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


def older(path):
    """Put an older file in the place of one that is to be written; return its path."""
    path.parent.mkdir(exist_ok=True)
    path.write_text("of an earlier run")
    return path


@pytest.mark.parametrize("moment", WRITERS)
@pytest.mark.fault("the disk is full while {moment}", "stops; the earlier file stays whole")
def test_a_full_disk_costs_no_file(begin, tmp_path, moment, record_property):
    name, write = WRITERS[moment]
    study, path = begin(), older(tmp_path / name)
    with disk_of(100), pytest.raises(OSError, match=path.name) as full:
        write(study)
    assert path.read_text() == "of an earlier run"
    assert not [*path.parent.glob(".partial-*")]
    record_property("said", str(full.value))
    write(study)
    assert path.stat().st_size > 100


KILLED = """
import os, signal, sys, test_faults
from mnist_study.notebook import session

study = session.begin({"output_folder": sys.argv[1]})
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # at the worst moment
test_faults.WRITERS[sys.argv[2]][1](study)
"""


@pytest.mark.proof
@pytest.mark.parametrize("moment", WRITERS)
@pytest.mark.fault("a kill while {moment}", "the earlier file stays whole; the next run goes well")
def test_a_kill_costs_no_file(begin, tmp_path, moment):
    name, write = WRITERS[moment]
    path, paths = older(tmp_path / name), f"{ROOT}:{ROOT}/tests:{ROOT}/tests/project"
    command = (sys.executable, "-c", KILLED, str(tmp_path), moment)
    killed = run(*command, folder=ROOT, check=False, PYTHONPATH=paths)
    assert killed.returncode == -9, killed.stderr
    assert path.read_text() == "of an earlier run"
    write(begin())
    assert path.read_text(errors="replace") != "of an earlier run"


HOLD = """
import os, pathlib, sys, time
from mnist_study import lock
test = os.getppid()
with lock.hold(pathlib.Path(sys.argv[1])):
    print("at work", flush=True)
    while os.getppid() == test:
        time.sleep(0.1)
"""


@pytest.mark.fault("two runs at once in one folder", "the second stops before it writes anything")
def test_a_second_run_is_refused_until_the_first_is_gone(begin, tmp_path, record_property):
    log = tmp_path / "log.txt"
    first = start(sys.executable, "-c", HOLD, str(tmp_path), folder=ROOT, log=log)
    wait_until(lambda: "at work" in log.read_text(), ended(first), log)
    for second in (begin, lambda: train_missing.run([], store=Store(tmp_path))):
        with pytest.raises(FolderError) as refused:
            second()
    assert {path.name for path in tmp_path.iterdir()} == {"log.txt", lock.NAME}
    record_property("said", str(refused.value))
    kill(first)
    study = begin()
    begin()  # the same kernel runs its first cell again
    study.close()


REFUSALS = ("ENOLCK", "ENOSYS", "EOPNOTSUPP", "EINVAL", "EIO")


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.fault("the file system refuses locks: {refusal}", "runs without, and says so")
def test_a_file_system_without_locks_is_no_reason_to_stop(
    tmp_path, monkeypatch, capsys, refusal, record_property
):
    def refuse(*_):
        raise OSError(getattr(errno, refusal), "refused")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with lock.hold(tmp_path):
        said = capsys.readouterr().out.strip()
    assert said.startswith(f"{tmp_path} is not locked") and "no other run" in said
    record_property("said", said)


UNFIT = {"another user's": PermissionError(errno.EACCES, "Permission denied")}
UNFIT |= {"a folder": IsADirectoryError(errno.EISDIR, "Is a directory", lock.NAME)}


@pytest.mark.parametrize("whose", UNFIT)
@pytest.mark.fault("the lock's file is {whose}", "stops before anything is trained")
def test_a_lock_that_cannot_be_opened_is_said(begin, tmp_path, monkeypatch, whose, record_property):
    def refuse(*_, **__):
        raise UNFIT[whose]

    monkeypatch.setattr(lock.filelock.FileLock, "acquire", refuse)
    (tmp_path / lock.NAME).touch()
    with pytest.raises(FolderError, match=f"open {tmp_path / lock.NAME} .*remove") as said:
        begin()
    record_property("said", str(said.value))


@pytest.mark.setting("an output is a link, has a mode and a group of its own", "they stay")
def test_a_file_written_anew_keeps_its_link_mode_and_group(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    file, link = tmp_path / "elsewhere" / f"{'a' * 251}.txt", tmp_path / "link.txt"  # 255 bytes
    file.touch()
    link.symlink_to(file)
    group = 1 if os.geteuid() == 0 else os.getgid()
    os.chown(file, -1, group)
    file.chmod(0o640)
    write_text(link, "new")
    assert link.is_symlink() and file.read_text() == "new"
    assert (file.stat().st_mode & 0o777, file.stat().st_gid) == (0o640, group)


def breaks_off(path, content):
    """Overwrite a file, and break off where a new text is to be written."""
    path.write_bytes(content[:2])
    if content == b"new":
        raise OSError(errno.ENOSPC, "No space left on device")
    path.write_bytes(content)


@pytest.mark.fault("the disk fills up while a hard link is written", "the earlier text is back")
def test_a_file_of_two_names_keeps_both_with_the_new_text_or_the_old(tmp_path, monkeypatch):
    path, other = older(tmp_path / "a.txt"), tmp_path / "b.txt"
    other.hardlink_to(path)
    write_text(path, "newer")
    assert path.samefile(other) and other.read_text() == "newer"
    monkeypatch.setattr(files, "overwrite", breaks_off)
    with pytest.raises(OSError, match=r"cannot write .*a\.txt"):
        write_text(path, "new")
    assert path.samefile(other) and other.read_text() == "newer"
    assert {*tmp_path.iterdir()} == {path, other}


OUTPUTS = ("mnist_model.h5", "results/metrics.json", "visualizations/a.png", "a.ipynb")


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.fault("{name} is mounted by itself", "stops before anything is trained")
def test_a_file_that_cannot_be_replaced_stops_the_run_at_its_beginning(
    begin, tmp_path, monkeypatch, name, record_property
):
    path, busy = older(tmp_path / name), OSError(errno.EBUSY, "Device or resource busy")

    def replace(_, target):
        if pathlib.Path(target) == path:
            raise busy

    if path.suffix == ".ipynb":
        path.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(execute, "execute", lambda *_: pytest.fail("it runs"))
    with pytest.raises(FolderError, match="mount its folder") as refused:
        execute.in_place(path) if path.suffix == ".ipynb" else begin()
    assert path.read_bytes() == before
    record_property("said", str(refused.value))


@pytest.mark.parametrize("command", ["rates", "reader", "html", "pdf", "report", "exercises"])
@pytest.mark.fault("`make {command}` where nothing can be written", "stops before the work")
def test_a_command_that_cannot_write_stops_at_its_beginning(command, monkeypatch, record_property):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    def work(*_, **__):
        pytest.fail("it is at work")

    monkeypatch.setattr(exercises, "EXERCISES", {"an exercise": work})
    for name in ("saved_model.load", "worker.train_in_child", "publish.page_text", "text.changed"):
        monkeypatch.setattr(f"mnist_study.{name}", work)
    for module, name in ((os, "replace"), (tempfile, "TemporaryFile")):
        monkeypatch.setattr(module, name, refuse)
    with pytest.raises(SystemExit, match=r"^cannot write .*Read-only file system") as refused:
        exercises.main(["an exercise"]) if command == "exercises" else cli.main([command])
    record_property("said", str(refused.value))


@pytest.mark.fault("`make mnist-c` into a file on a full disk", "stops before the work")
def test_a_full_disk_behind_the_output_is_said_at_once(record_property):
    command = f"{sys.executable} -m mnist_study mnist_c --arrays gone > /dev/full"
    failed = run("sh", "-c", command, folder=ROOT, check=False)
    assert failed.returncode == 1 and failed.stderr.startswith("it cannot go on")
    assert failed.stderr.count("\n") == 1
    record_property("said", failed.stderr)


@pytest.mark.fault("TensorFlow is broken", "stops at the imports, with what to do")
def test_tensorflow_that_does_not_start_is_said(tmp_path, record_property):
    (tmp_path / "tensorflow.py").write_text("raise OSError('libtf.so: bad ELF')")
    command = (sys.executable, "-c", "import mnist_study.backend")
    failed = run(*command, folder=tmp_path, check=False, PYTHONPATH=f"{tmp_path}:{ROOT}")
    last = failed.stderr.strip().splitlines()[-1]
    assert "BackendError: TensorFlow does not start" in last and "make install" in last
    record_property("said", last)


Unknown = type("Unknown", (keras.layers.Layer,), {})
FOREIGN = {  # what an .h5 file is: what writes it, and what is said of it
    "that holds code": (lambda path: model(LAMBDA).save(path), "Lambda"),
    "with an unknown layer": (lambda path: model(Unknown()).save(path), "Unknown"),
    "that holds other data": (lambda path: h5py.File(path, "w").close(), "No model config found"),
    "that is a text": (lambda path: path.write_text("Dear reader"), "file signature not found"),
    "with another network": (
        lambda path: model(FLATTEN).save(path),
        "has other weights",
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.fault("an `.h5` {kind}", "is refused, and nothing in it is executed")
def test_a_model_that_is_not_ours_is_refused(tmp_path, kind, record_property):
    write, why = FOREIGN[kind]
    write(tmp_path / "model.h5")
    with pytest.raises(SavedModelError, match=why) as refused:
        saved_model.load(tmp_path / "model.h5", "0" * 64)
    record_property("said", str(refused.value))
