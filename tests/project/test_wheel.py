"""The packages, installed elsewhere: a picture is read, and the study says where it works."""

import json
import sys

import numpy as np
import PIL.Image
import pytest
from support.images import five_thousand
from support.project import ROOT, copy_of_project, leave_hidden_files, run

NAMES = "import importlib.metadata as m; print(*(d.name.lower() for d in m.distributions()))"


def install(folder):
    """Put a virtual environment env/ into the folder that holds a plain install of the wheel."""
    copy_of_project(folder / "source")
    uv = ("python", "-m", "uv")
    run(*uv, "build", "--quiet", "--wheel", "-o", folder, folder / "source", folder=folder)
    run(*uv, "venv", "--quiet", "env", folder=folder)
    given = ("--python", "env/bin/python", "-c", ROOT / "requirements.txt", *folder.glob("*.whl"))
    run(*uv, "pip", "install", "--quiet", *given, folder=folder)


def test_the_packages_hold_their_own_files_and_nothing_that_lies_beside_them(tmp_path):
    copy_of_project(
        tmp_path, ("mnist_study/", "digit_reader/", "pyproject.toml", "README", "LICENSE")
    )
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/**/*")}
    leave_hidden_files(tmp_path)
    build = (
        "-c",
        "import setuptools; setuptools.setup()",
        "-q",
        "build_py",
        "--build-lib",
        "built",
    )
    run(sys.executable, *build, folder=tmp_path, PYTHONPATH=None)
    files = [path for path in (tmp_path / "built").rglob("*") if path.is_file()]
    built = {path.relative_to(tmp_path / "built").as_posix() for path in files}
    assert built <= names and {name for name in names if name.endswith(".py")} <= built
    own = {name for name in names if name.startswith("digit_reader/") and "." in name}
    assert own <= built


@pytest.mark.proof  # building and installing need the package index
def test_a_plain_install_reads_pictures_anywhere_and_brings_no_more(tmp_path):
    install(tmp_path)

    def called(program, *arguments, **settings):
        return run(f"env/bin/{program}", *arguments, folder=tmp_path, PYTHONPATH=None, **settings)

    images, labels = five_thousand()[1]
    large = PIL.Image.fromarray(images[0]).resize((120, 120))
    PIL.Image.fromarray(255 - np.asarray(large)).save(tmp_path / "digit.png")
    printed = called("digit_reader", "digit.png", "--format", "json").stdout
    assert [reading["digit"] for reading in json.loads(printed)] == [labels[0]]
    names = {*called("python", "-c", NAMES).stdout.split()}
    assert {"numpy", "scipy", "pillow", "ai-edge-litert", "mnist-study"} <= names
    assert not {"tensorflow", "keras", "matplotlib", "jaxtyping", "jupyterlab"} & names
    refused = called("python", "-m", "mnist_study", "run", check=False)
    assert refused.returncode == 2 and "clone" in refused.stderr and refused.stdout == ""
