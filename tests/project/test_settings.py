"""Settings and environments that are not ours: nothing changes, or it is said at once what to do.

What a marked test tries stands in a table of docs/REPRODUCIBILITY.md: make proof.
"""

import json
import os
import shlex
import shutil
import sys
import sysconfig

import pytest
from support.host import DEAD
from support.notebook import code_cells, read_notebook
from support.project import ROOT, copy_of_project, run

PATHS = f"{ROOT}:{ROOT / 'tests'}"
AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

TRAINING = """
import sys
from support.notebook import source

names = {}
exec(source("parameters"), names)
names |= {"profile": "quick", "output_folder": sys.argv[1]}
for cell in ("imports", "load", "preprocessing"):
    exec(source(cell), names)
study = names["study"]
rows, held = study.split(names["train_labels"])
inputs, targets = names["inputs"], names["targets"]
validation = inputs[held[:500]], targets[held[:500]]
trained = study.train("softmax_regression", inputs[rows[::5]], targets[rows[::5]], validation)
study.save(trained.model)

from mnist_study import data
print(data.digest(trained.model.get_weights()))
"""
KERAS = {  # what another program may have left in keras.json
    "that names torch": {"backend": "torch"},
    "with channels first": {"image_data_format": "channels_first"},
    "with float16 and another epsilon": {"floatx": "float16", "epsilon": 1e-3},
    "with float64": {"floatx": "float64"},
    "that is cut off": None,
}
VARIABLES = {  # {folder} is a folder of the test's
    "`KERAS_BACKEND=torch`": {"KERAS_BACKEND": "torch"},
    "`KERAS_BACKEND=jax`": {"KERAS_BACKEND": "jax"},
    "a proxy that leads nowhere, MNIST cached": DEAD | {"http_proxy": "http://127.0.0.1:9"},
    "`TMPDIR` is missing": {"TMPDIR": "{folder}/missing"},
    "`TMPDIR` with a blank and an accent": {"TMPDIR": "{folder}/a b é"},
    "`HOME` is missing": {"HOME": "{folder}/missing"},
    "`HOME` cannot be written to": {"HOME": "/proc/self"},
    "a broken numpy in the user's own packages": {"HOME": "{folder}"},
    "`LC_ALL=C` without UTF-8": {"LC_ALL": "C", "PYTHONUTF8": 0, "PYTHONCOERCECLOCALE": 0},
    "a Turkish locale": {"LC_ALL": "tr_TR.UTF-8"},
    "`MPLBACKEND=TkAgg`": {"MPLBACKEND": "TkAgg"},
    "`OMP_NUM_THREADS=1`": {"OMP_NUM_THREADS": 1},
    "`CUDA_VISIBLE_DEVICES` of no device": {"CUDA_VISIBLE_DEVICES": 7},
    "`PYTHONOPTIMIZE=2`": {"PYTHONOPTIMIZE": 2},
    "`TF_USE_LEGACY_KERAS=1`": {"TF_USE_LEGACY_KERAS": 1},
}


def trained(folder, output, **variables):
    """Return the digest of the weights that a small training gives under these variables."""
    settings = {name: str(value).format(folder=folder) for name, value in variables.items()}
    command = (sys.executable, "-c", TRAINING, str(output))
    return run(*command, folder=ROOT, PYTHONPATH=PATHS, **settings).stdout.split()[-1]


@pytest.fixture(scope="module")
def ordinary(mnist_file, tmp_path_factory):
    """The digest of the weights that the training gives where nothing is set."""
    folder = tmp_path_factory.mktemp("ordinary")
    return trained(folder, folder)


@pytest.fixture
def home(tmp_path):
    """A home whose user has a broken numpy, and a folder with a blank and an accent."""
    scheme = sysconfig.get_path("purelib", "posix_user", {"userbase": str(tmp_path / ".local")})
    broken = tmp_path / os.path.relpath(scheme, tmp_path) / "numpy"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('of another Python')")
    (tmp_path / "a b é").mkdir()
    return tmp_path


@pytest.mark.proof
@pytest.mark.parametrize("setting", VARIABLES)
@pytest.mark.setting("variables: {setting}", "nothing changes: a training gives the same weights")
def test_variables_change_nothing(ordinary, mnist_file, home, setting):
    variables = {"KERAS_HOME": mnist_file.parent.parent} | VARIABLES[setting]
    assert trained(home, home / "a b é", **variables) == ordinary


@pytest.mark.proof
@pytest.mark.parametrize("kind", KERAS)
@pytest.mark.setting("a keras.json {kind}", "nothing changes: a training gives the same weights")
def test_keras_s_own_settings_change_nothing(ordinary, mnist_file, tmp_path, kind):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mnist.npz").symlink_to(mnist_file)
    given = json.dumps(KERAS[kind]) if KERAS[kind] else '{"backend": '
    (tmp_path / "keras.json").write_text(given)
    assert trained(tmp_path, tmp_path, KERAS_HOME=tmp_path) == ordinary


@pytest.fixture
def clone(tmp_path):
    """A copy of the commands alone, in a folder with a blank and an accent, with a small lock."""
    folder = copy_of_project(tmp_path / "a b é", ("Makefile", "requirements.txt"))
    (folder / "requirements.txt").write_text("# nothing\n")
    return folder


def environment(clone, python, ready=False):
    """Make the clone's .venv with a shell script as its Python; ready: all is installed in it."""
    (clone / ".venv" / "bin").mkdir(parents=True)
    script = clone / ".venv" / "bin" / "python"
    script.write_text(f"#!/bin/sh\n{python}\n")
    script.chmod(0o755)
    if ready:
        shutil.copy(clone / "requirements.txt", clone / ".venv")


def of_version(number):
    """Return a shell script that is this Python, but says it is of another version."""
    pretends = f"import sys; sys.version_info = (3, {number}, 0); exec(sys.argv[1])"
    told = f'[ "$1" = --version ] && echo Python 3.{number}.0 && exit'
    return f'{told}\n[ "$1" = -c ] && exec {sys.executable} -c "{pretends}" "$2"\nexit 9'


def refused(*command, folder, **variables):
    """Return what a command that fails said at its end, without make's own line."""
    done = run(*command, folder=folder, check=False, **variables)
    said = [line for line in done.stderr.splitlines() if not line.startswith("make:")]
    assert done.returncode not in (0, 9) and "Traceback" not in done.stderr, done.stderr
    return "\n".join(said)


@pytest.mark.parametrize("number", [10, 14])
@pytest.mark.setting("Python 3.{number}", "is refused before anything is installed")
def test_an_unfit_python_is_refused_with_what_to_do(clone, number, record_property):
    python = clone / "python"
    python.write_text(f"#!/bin/sh\n{of_version(number)}\n")
    python.chmod(0o755)
    said = refused("make", "run", "PYTHON=./python", folder=clone)
    assert f"is Python 3.{number}.0" in said and "make run PYTHON=python3.12" in said
    assert not (clone / ".venv").exists()
    record_property("said", said)


@pytest.mark.setting("a `.venv` of Python 3.14", "is refused before anything is installed")
def test_an_environment_of_another_python_is_refused(clone, record_property):
    environment(clone, of_version(14))
    said = refused("make", "run", folder=clone)
    assert said.startswith(".venv has Python 3.14.0") and "remove .venv" in said
    record_property("said", said)


@pytest.mark.setting("a `.venv` that no pip can be put into", "is refused")
def test_an_environment_without_pip_is_refused(clone, record_property):
    environment(clone, f'[ "$1" = -m ] && exit 1\nexec {sys.executable} "$@"')
    said = refused("make", "run", folder=clone)
    assert said.startswith(".venv has no pip: remove .venv")
    record_property("said", said)


@pytest.mark.proof
@pytest.mark.setting("a `.venv` without pip, as uv makes it", "gets its pip from Python, and works")
def test_an_environment_without_pip_gets_it(clone):
    run(sys.executable, "-m", "venv", "--without-pip", ".venv", folder=clone)
    assert "Installing" in run("make", "install", folder=clone).stdout
    assert run("make", "install", folder=clone).stdout == ""
    assert (clone / ".venv" / "requirements.txt").exists()


@pytest.mark.setting("a `.venv` whose Python is gone", "is refused")
def test_an_environment_whose_python_is_gone_is_refused(clone, record_property):
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "pyvenv.cfg").write_text("home = /gone\n")
    (clone / ".venv" / "bin" / "python").symlink_to("/gone/python3.11")
    said = refused("make", "run", folder=clone)
    assert said.startswith(".venv has no Python") and "remove .venv" in said
    record_property("said", said)


@pytest.mark.setting("`make VENV=elsewhere`", "works there, and makes no `.venv`")
def test_an_environment_may_be_elsewhere(clone):
    environment(clone, 'echo "$@"', ready=True)
    (clone / ".venv").rename(clone / "elsewhere")
    said = run("make", "trainings", "VENV=elsewhere", folder=clone).stdout
    assert said.endswith("-m mnist_study trainings\n") and not (clone / ".venv").exists()


@pytest.mark.setting("a moved clone, its path with a blank and an accent", "works")
def test_a_clone_may_be_moved(tmp_path):
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "old" / ".venv", folder=tmp_path)
    copy_of_project(tmp_path / "old", ("Makefile", "requirements.txt", "mnist_study/"))
    copy_of_project(tmp_path / "old", ("mnist_model.ipynb", "docs/"))
    shutil.copy(tmp_path / "old" / "requirements.txt", tmp_path / "old" / ".venv")
    moved = (tmp_path / "old").rename(tmp_path / "a b é")
    (moved / "mnist_study" / "ship" / "report.py").write_text("def write(): print('at work')\n")
    assert run("make", "report", folder=moved).stdout == "at work\n"


FOREIGN = {
    "`PYTHONSAFEPATH=1`": {"PYTHONSAFEPATH": 1},
    "`PYTHONHOME` of another Python": {"PYTHONHOME": "/gone"},
    "`PYTHONPATH` with another Python's json": {"PYTHONPATH": "{folder}"},
    "`PYTHONWARNINGS=error`": {"PYTHONWARNINGS": "error"},
}


@pytest.mark.parametrize("setting", FOREIGN)
@pytest.mark.setting("make: {setting}", "make's commands do without it, and work")
def test_make_leaves_other_pythons_settings_out(clone, setting):
    (clone / "json.py").write_text("raise ImportError('of another Python')")
    (clone / "mnist_study").mkdir()
    main = "import warnings\nwarnings.warn('old', DeprecationWarning)\nprint('at work')\n"
    (clone / "mnist_study" / "__main__.py").write_text("import json\n" + main)
    environment(clone, f'exec {sys.executable} "$@"', ready=True)
    (clone / "other").mkdir()
    (clone / "json.py").rename(clone / "other" / "json.py")
    variables = {k: str(v).format(folder=clone / "other") for k, v in FOREIGN[setting].items()}
    assert run("make", "report", folder=clone, **variables).stdout == "at work\n"


@pytest.mark.skipif(not AS_ROOT, reason="root is refused")
@pytest.mark.setting("`make lab` as root, as in a container", "is refused, with how to allow it")
def test_lab_as_root_says_how(clone, record_property):
    environment(clone, 'echo "$@"', ready=True)
    said = refused("make", "lab", folder=clone)
    assert 'LAB="--allow-root --ip=0.0.0.0"' in said
    record_property("said", said)
    allowed = run("make", "lab", "LAB=--allow-root --ip=0.0.0.0", folder=clone).stdout
    assert allowed.endswith("-m jupyterlab --allow-root --ip=0.0.0.0 mnist_model.ipynb\n")


@pytest.mark.setting("a checkout by git with `core.autocrlf=true`", "keeps the ends of lines")
def test_a_checkout_keeps_the_ends_of_lines(tmp_path):
    project = copy_of_project(tmp_path / "public", (".ci/", ".gitattributes", "Makefile", "docs/"))
    for words in ("init -q", "add -A", "-c user.name=me -c user.email=me commit -qm copy"):
        run("git", *words.split(), folder=project)
    run("git", "clone", "-q", "-c", "core.autocrlf=true", "public", "windows", folder=tmp_path)
    for name in (".ci/run", "Makefile", "docs/USING.md"):
        assert b"\r" not in (tmp_path / "windows" / name).read_bytes()
    run("bash", "-n", ".ci/run", folder=tmp_path / "windows")


@pytest.mark.setting("a downloaded ZIP, without git: `make lint`", "says what to do")
def test_lint_without_git_says_what_to_do(clone, record_property):
    environment(clone, "exit 0", ready=True)
    (clone / "tests").mkdir()
    (clone / "tests" / "requirements.txt").write_text("")
    (clone / ".venv" / "tests-requirements.txt").write_text("")
    said = refused("make", "lint", folder=clone, GIT_CEILING_DIRECTORIES=clone.parent)
    assert "git init, then git add --all" in said
    record_property("said", said)


@pytest.mark.setting(
    "a downloaded ZIP, without git: `make test`", "works; only lint's test is left out"
)
def test_the_tests_need_no_git(tmp_path):
    names = ("tests/", "Makefile", ".gitignore", "pyproject.toml", "mnist_model.ipynb")
    folder = copy_of_project(tmp_path / "zip", names)
    code = "from support.project import files; print(*files(), sep='\\n')"
    settings = {"PYTHONPATH": folder / "tests", "PATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": 1}
    command = (sys.executable, "-c", code)
    found = run(*command, folder=folder, **settings).stdout
    assert "Makefile\n" in found and "tests/support/project.py\n" in found
    (folder / ".venv").mkdir()
    (folder / ".venv" / "code.py").write_text("")
    assert run(*command, folder=folder, **settings).stdout == found


MISTAKES = {
    "-p profil quick": "profil is no parameter: profile is one",
    "-p models '[\"cnn\"]'": "papermill takes -y 'models: [cnn]'",
    "-p models softmax_regression": "papermill takes -y 'models: [cnn]'",
    "-y 'models: [cnm]'": "models names 'cnm': choose from",
}


@pytest.mark.proof
@pytest.mark.parametrize("given", MISTAKES)
@pytest.mark.setting("papermill: `{given}`", "stops before it trains, without a traceback of ours")
def test_a_mistaken_parameter_is_refused_at_once(tmp_path, mnist_file, given, record_property):
    command = ("papermill", "mnist_model.ipynb", tmp_path / "out.ipynb", *shlex.split(given))
    done = run(*command, "-p", "output_folder", tmp_path, folder=ROOT, check=False)
    cells = code_cells(read_notebook(tmp_path / "out.ipynb"))
    [failed] = [out for cell in cells for out in cell.outputs if out.output_type == "error"]
    assert done.returncode and MISTAKES[given] in failed.evalue
    assert failed.traceback == [f"{failed.ename}: {failed.evalue}"]
    record_property("said", done.stderr.strip().splitlines()[-1])
