"""Settings and environments that are not ours: nothing changes, or it is said what to do."""

import functools
import hashlib
import re
import shutil
import sys
import zipfile

import pytest
from support.host import DEAD
from support.project import ROOT, copy_of_project, run

from tools import install

TRAINING = """
import sys
from mnist_study import data
from mnist_study.notebook import session

study = session.begin({"profile": "quick", "output_folder": sys.argv[1]})
(images, labels), _ = study.load(data.load)
examples = data.normalise(images[::10]), data.one_hot(labels[::10])
model = study.train("softmax_regression", *examples, examples).model
study.save(model)
print(data.digest(model.get_weights()))
"""
JSON = '{"backend": "torch", "floatx": "float16", "image_data_format": "channels_first"}'
WITHOUT_EFFECT = {  # {folder} is a folder of the test's
    "`KERAS_BACKEND=torch`": {"KERAS_BACKEND": "torch"},
    "a keras.json of another backend and precision": {"keras.json": JSON},
    "a keras.json that is cut off": {"keras.json": '{"backend": '},
    "a proxy that leads nowhere, MNIST cached": DEAD | {"http_proxy": "http://127.0.0.1:9"},
    "`TMPDIR` with a blank and an accent": {"TMPDIR": "{folder}/a b é"},
    "`HOME` cannot be written to": {"HOME": "/proc/self"},
    "`LC_ALL=C` without UTF-8": {"LC_ALL": "C", "PYTHONUTF8": 0, "PYTHONCOERCECLOCALE": 0},
    "`MPLBACKEND=TkAgg`": {"MPLBACKEND": "TkAgg"},
    "`OMP_NUM_THREADS=1`": {"OMP_NUM_THREADS": 1},
    "`PYTHONOPTIMIZE=2`": {"PYTHONOPTIMIZE": 2},
}


@pytest.fixture(scope="module")
def trained(mnist_file, tmp_path_factory):
    """A function from a setting's name to the digest of the weights of a small training."""

    @functools.cache
    def trained(what):
        settings, folder = WITHOUT_EFFECT.get(what, {}), tmp_path_factory.mktemp("home")
        (folder / "a b é").mkdir()
        (folder / "datasets").symlink_to(mnist_file.parent)
        (folder / "keras.json").write_text(settings.get("keras.json", "{}"))
        given = {k: v and str(v).replace("{folder}", str(folder)) for k, v in settings.items()}
        given |= {"KERAS_HOME": folder, "PYTHONPATH": ROOT}
        command = (sys.executable, "-c", TRAINING, str(folder / "a b é"))
        return run(*command, folder=ROOT, **given).stdout.split()[-1]

    return trained


@pytest.mark.proof
@pytest.mark.parametrize("what", WITHOUT_EFFECT)
@pytest.mark.setting("{what}", "nothing changes: a training gives the same weights")
def test_settings_change_nothing(trained, what):
    assert trained(what) == trained("nothing set")


@pytest.fixture
def clone(tmp_path):
    """A copy of the commands alone, in a folder with a blank and an accent, with small locks."""
    commands = ("Makefile", "tools/__init__", "tools/call", "tools/install")
    folder = copy_of_project(tmp_path / "a b é", commands)
    (folder / "tests").mkdir()
    for name in ("requirements.txt", "tests/requirements.txt"):
        (folder / name).write_text("# nothing\n")
    return folder


def environment(clone, shell="exit 0", folder=".venv/bin"):
    """Make the clone's .venv with a shell script as its Python, as if all were installed in it."""
    python = clone / folder / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f"#!/bin/sh\n{shell}\n")
    python.chmod(0o755)
    for name in ("requirements.txt", "tests-requirements.txt"):
        shutil.copy(clone / "requirements.txt", python.parent.parent / name)


def of_version(number, folder=".venv/bin"):
    """Return what makes an environment of this Python, but which says it is of another version."""
    pretends = f"import sys; sys.version_info = (3, {number}, 0); exec(sys.argv[1])"
    version = f'[ "$1" = --version ] && echo Python 3.{number}.0 && exit'
    shell = f'{version}\n[ "$1" = -c ] && exec {sys.executable} -c "{pretends}" "$2"\nexit 9'
    return lambda clone: environment(clone, shell, folder)


def python_that_is_gone(clone):
    environment(clone)
    (clone / ".venv" / "pyvenv.cfg").write_text("home = /gone\n")
    (clone / ".venv" / "bin" / "python").unlink()


def without_pip(clone):
    environment(clone, f'[ "$1" = -m ] && exit 1\nexec {sys.executable} "$@"')
    (clone / ".venv" / "requirements.txt").unlink()


def of_another_user(clone):
    environment(clone)
    run("git", "init", "--quiet", folder=clone)


REFUSED = {  # what is unfit: what makes it so, the command, and what the message says to do
    "Python 3.10": (of_version(10, "other/bin"), "run", "python3.12"),
    "Python 3.14": (of_version(14, "other/bin"), "run", "python3.12"),
    "a `.venv` of Python 3.14": (of_version(14), "run", "remove .venv"),
    "a `.venv` whose Python is gone": (python_that_is_gone, "run", "remove .venv"),
    "a `.venv` that no pip can be put into": (without_pip, "run", "remove .venv"),
    "`make read` without pictures": (environment, "read", "IMAGES="),
    "`make lint` without git": (environment, "lint", "git init"),
    "`make lint` in another user's clone": (of_another_user, "lint", "safe.directory"),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.setting("{what}", "is refused, with what to do")
def test_what_is_unfit_is_refused_with_what_to_do(clone, what, record_property):
    prepare, target, advice = REFUSED[what]
    prepare(clone)
    command = ("make", target, "PYTHON=other/bin/python")
    git = {"GIT_CEILING_DIRECTORIES": clone.parent, "GIT_TEST_ASSUME_DIFFERENT_OWNER": 1}
    done = run(*command, folder=clone, check=False, **git)
    said = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("make:"))
    assert done.returncode not in (0, 9) and advice in said and "Traceback" not in said
    record_property("said", said)


@pytest.mark.proof
@pytest.mark.setting("a `.venv` without pip, as uv makes it", "gets its pip from Python, and works")
def test_an_environment_without_pip_gets_it(clone):
    run(sys.executable, "-m", "venv", "--without-pip", ".venv", folder=clone)
    assert "Installing" in run("make", "install", folder=clone).stderr
    assert run("make", "install", folder=clone).stderr == ""


def wheel(folder):
    """Put a wheel of a package called tiny into folder; return the line of a lock that names it."""
    about = {"METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n", "RECORD": ""}
    about["WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as file:
        file.writestr("tiny.py", "")
        for name, text in about.items():
            file.writestr(f"tiny-1.0.dist-info/{name}", text)
    digest = hashlib.sha256((folder / "tiny-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    return f"tiny==1.0 ; python_version > '3' \\\n    --hash=sha256:{digest}\n"


MISLEADING = {f"PIP_{name}": "{folder}/x" for name in ("TARGET", "PREFIX", "ROOT", "SRC")}
MISLEADING |= {
    f"PIP_{name}": 1 for name in ("DRY_RUN", "USER", "VERSION", "REQUIRE_HASHES", "QUIET")
}
MISLEADING |= {"PIP_PYTHON": "/gone", "PIP_CONSTRAINT": "/gone", "PIP_NO_BINARY": ":all:"}
CONFIGURED = """
[global]
no-index = true
find-links =
    {folder}
    /gone
quiet = 1
[install]
target = {folder}/x
prefix = {folder}/x
dry-run = true
user = true
"""


def pip_settings(folder):
    """Return variables that mislead pip, and name a file of settings that do, but for two."""
    (folder / "pip.conf").write_text(CONFIGURED.replace("{folder}", str(folder)))
    given = {
        name: str(value).replace("{folder}", str(folder)) for name, value in MISLEADING.items()
    }
    return given | {"PIP_CONFIG_FILE": str(folder / "pip.conf")}


@pytest.mark.setting("pip's variables and pip.conf", "only index, cache and access count")
def test_of_pip_s_settings_those_count_that_say_where_packages_come_from(tmp_path, monkeypatch):
    for name, value in pip_settings(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://example.com/simple")
    kept = install.environment()
    assert not {*MISLEADING} & {*kept} and kept["PIP_CONFIG_FILE"] == "/dev/null"
    assert kept["PIP_INDEX_URL"] == "https://example.com/simple" and kept["PIP_NO_INDEX"] == "true"
    assert kept["PIP_FIND_LINKS"] == f"{tmp_path} /gone"


@pytest.mark.fault("pip installs into another place", "nothing is stamped, with what to do")
def test_a_lock_that_pip_did_not_install_here_is_not_taken_for_installed(tmp_path, monkeypatch):
    lock = tmp_path / "lock.txt"
    lock.write_text("pytest==0.1 \\\n    --hash=x\nnone==1 ; sys_platform == 'x'\n# pip==1\n")
    monkeypatch.setattr(install, "PIP", (sys.executable, "-c", ""))
    with pytest.raises(SystemExit, match=r"lacks pytest: remove"):
        install.main(str(lock))


@pytest.mark.proof
@pytest.mark.setting("pip is set to install elsewhere, or not at all", "it installs into `.venv`")
def test_however_pip_is_set_packages_come_into_the_environment(clone):
    (clone / "requirements.txt").write_text(wheel(clone.parent))
    given = pip_settings(clone.parent)
    done = run("make", "install", folder=clone, PIP_FIND_LINKS=None, **given)
    assert done.stdout == "" and "Installing" in done.stderr
    run(".venv/bin/python", "-c", "import tiny", folder=clone)
    assert run("make", "-B", "install", folder=clone, **given).stderr == ""


FOREIGN = {"PYTHONSAFEPATH": 1, "PYTHONHOME": "/gone", "PYTHONPATH": "other"}
MAIN = "import json, sys, warnings\nwarnings.warn('old')\nprint(*sys.argv[1:])\n"


@pytest.mark.setting(f"make: {', '.join(FOREIGN)} of another Python; VENV=elsewhere", "it works")
def test_make_calls_its_own_python_and_leaves_other_pythons_settings_out(clone):
    broken = "raise ImportError('of another Python')"
    for name, code in {"other/json.py": broken, "mnist_study/__main__.py": MAIN}.items():
        (clone / name).parent.mkdir()
        (clone / name).write_text(code)
    environment(clone, f'exec {sys.executable} "$@"', "elsewhere/bin")
    command = ("make", "trainings", "VENV=elsewhere", "ONLY=cnn*")
    done = run(*command, folder=clone, PYTHONWARNINGS="error", **FOREIGN)
    assert done.stdout == "trainings --only cnn*\n" and not (clone / ".venv").exists()


GIVEN = ("Anna's.png", "$HOME.png", "`x`.png", "$(shell y).png", "a b.png", '"', "*.png", "#")
TYPED = "Anna's.png $HOME.png `x`.png $(shell y).png 'a b.png' \" *.png #"


@pytest.mark.setting(
    "make: dollars, quotes and apostrophes in IMAGES, LAB, ONLY", "mean themselves"
)
@pytest.mark.parametrize(
    ("module", "call", "printed"),
    [
        ("digit_reader", ("read", "IMAGES={}", "FORMAT=json"), "--format json {}"),
        ("jupyterlab", ("lab", "LAB=--allow-root {}"), "mnist_model.ipynb --allow-root {}"),
        ("mnist_study", ("trainings", "ONLY=Anna's $x"), "trainings --only Anna's $x"),
    ],
)
def test_what_make_is_given_reaches_the_program_as_it_is(clone, module, call, printed):
    (clone / module).mkdir()
    (clone / module / "__init__.py").touch()  # it comes before an installed one
    (clone / module / "__main__.py").write_text(MAIN)
    environment(clone, f'exec {sys.executable} "$@"')
    done = run("make", *(word.replace("{}", TYPED) for word in call), folder=clone)
    assert done.stdout == printed.replace("{}", " ".join(GIVEN)) + "\n"


@pytest.mark.setting("`make lint VENV=elsewhere`", "types are checked with its Python")
def test_the_types_are_checked_with_the_environment_s_own_python(clone):
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    [entry] = re.findall("entry: (.*basedpyright.*)", hooks)
    environment(clone, 'echo "$@"', "elsewhere/bin")
    said = run("sh", "-c", entry, folder=clone, VENV="elsewhere").stdout
    assert said.endswith("--pythonpath elsewhere/bin/python\n")
