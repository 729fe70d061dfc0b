"""The packages, installed elsewhere: a picture is read, and the study says where it works."""

import json

import numpy as np
import PIL.Image
import pytest
from support.images import five_thousand
from support.project import ROOT, copy_of_project, run

SOURCES = ("mnist_study", "digit_reader", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with a virtual environment env/ that holds a plain install of the wheel alone."""
    folder = tmp_path_factory.mktemp("elsewhere")
    copy_of_project(folder / "source", only=SOURCES)
    uv = ("python", "-m", "uv")
    run(*uv, "build", "--quiet", "--wheel", "-o", folder, folder / "source", folder=folder)
    [wheel] = folder.glob("*.whl")
    run(*uv, "venv", "--quiet", folder / "env", folder=folder)
    given = ("--python", folder / "env" / "bin" / "python", "-c", ROOT / "requirements.txt")
    run(*uv, "pip", "install", "--quiet", *given, wheel, folder=folder)
    return folder


def test_a_plain_install_reads_pictures_anywhere(installed):
    images, labels = five_thousand()[1]
    large = PIL.Image.fromarray(images[0]).resize((120, 120))
    PIL.Image.fromarray(255 - np.asarray(large)).save(installed / "digit.png")
    command = installed / "env" / "bin" / "digit_reader"
    said = run(command, "digit.png", "--format", "json", folder=installed, PYTHONPATH=None)
    [reading] = json.loads(said.stdout)
    assert reading["digit"] == labels[0] and said.stderr == ""


def test_a_plain_install_brings_no_more_than_reading_takes(installed):
    code = (
        "import importlib.metadata as m; print(*sorted(d.name.lower() for d in m.distributions()))"
    )
    python = installed / "env" / "bin" / "python"
    names = run(python, "-c", code, folder=installed, PYTHONPATH=None).stdout.split()
    assert {"numpy", "scipy", "pillow", "ai-edge-litert", "mnist-study"} <= {*names}
    assert not {"tensorflow", "keras", "matplotlib", "jaxtyping", "jupyterlab"} & {*names}


@pytest.mark.parametrize("command", ["run", "experiments"])
def test_an_installed_study_says_that_it_works_in_its_clone(installed, command):
    python = installed / "env" / "bin" / "python"
    call = (python, "-m", "mnist_study", command)
    refused = run(*call, folder=installed, check=False, PYTHONPATH=None)
    assert refused.returncode == 2 and "clone" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1 and refused.stdout == ""
