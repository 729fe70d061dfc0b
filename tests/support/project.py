"""The project and its commands, run for real: copies, processes, make."""

import fnmatch
import os
import pathlib
import shutil
import subprocess
import sys
import time

import psutil

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HIDDEN = (".ci", ".gitattributes", ".github", ".gitignore", ".pre-commit-config.yaml")  # ours
MADE = ("mnist_model.h5", "results/metrics.json", "visualizations/")  # by a run of the notebook


def files():
    """Return the names of the project's files as they stand, without those that git ignores.

    Without asking git: a downloaded ZIP has no repository. Of hidden ones only the project's own.
    """
    patterns = (ROOT / ".gitignore").read_text("utf-8").replace("/", "").split()

    def included(names):
        names = (name for name in names if name in HIDDEN or not name.startswith("."))
        return sorted(n for n in names if not any(fnmatch.fnmatch(n, p) for p in patterns))

    paths = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = included(folders)
        paths += [pathlib.Path(folder, name) for name in included(names)]
    return [path.relative_to(ROOT).as_posix() for path in paths if path.is_file()]


def code_in(folder):
    """Return the Python files in a folder and its folders, sorted, none of them hidden."""
    found = sorted(path for path in folder.rglob("*.py") if path.is_file())
    return [path for path in found if "/." not in f"/{path.relative_to(folder).as_posix()}"]


def leave_hidden_files(folder):
    """Leave beside every file in folder what JupyterLab, Emacs, macOS and others leave there."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        copy = path.parent / ".ipynb_checkpoints" / f"{path.stem}-checkpoint{path.suffix}"
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(b"\xff\0")
        path.with_name(f"._{path.name}").write_bytes(b"\xff\0")  # of macOS
        path.with_name(f"{path.name}~").write_bytes(b"\xff\0")  # of many editors
        path.with_name(f".#{path.name}").symlink_to("somebody@somewhere")  # of Emacs


def copy_of_project(folder, only=("",), without=("\n",)):
    """Copy the project's files as they stand into folder: those whose names begin so."""
    for name in files():
        if name.startswith(tuple(only)) and not name.startswith(tuple(without)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def clean_copy(folder):
    """Copy the project without what a run makes."""
    return copy_of_project(folder, without=MADE)


def variables(**environment):
    """Return the variables for a command of this environment; one set to None is removed.

    What `make test` tells its own children is removed, too: it makes them name their folders.
    """
    path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"MAKELEVEL": None, "MAKEFLAGS": None, "PATH": path, **environment}
    others = {name: value for name, value in os.environ.items() if name not in environment}
    return others | {name: str(value) for name, value in environment.items() if value is not None}


def run(*command, folder, check=True, **environment):
    """Run a command in folder with these variables; return its output and its status."""
    settings = {"env": variables(**environment), "capture_output": True, "text": True}
    done = subprocess.run(command, cwd=folder, **settings)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def start(*command, folder, log, **environment):
    """Start a command in folder that writes to the file log; return the process.

    A file takes its output, not a pipe: an orphaned child may hold that open.
    """
    with log.open("w") as file:
        settings = {"env": variables(**environment), "stdout": file, "stderr": file}
        return subprocess.Popen(command, cwd=folder, **settings)


def kill(process):
    """End a process that a test started, and all that it started, at once."""
    if process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
    process.wait()


def wait_until(condition, over, log):
    """Wait until condition() is true; fail, with what the file log says, if over() is true before.

    No clock decides: a loaded machine may take minutes to import TensorFlow.
    """
    while not condition():
        if over():
            assert condition(), log.read_text()  # it may have come true just before the end
            return
        time.sleep(0.1)


def ended(process):
    """Return a function that tells whether the process has ended."""
    return lambda: process.poll() is not None


def make(*arguments):
    """Return a make command that uses the environment the tests run in."""
    return ("make", *arguments, f"VENV={pathlib.Path(sys.executable).parent.parent}")
