"""The machine and the libraries that a result was made with."""

import os
import pathlib
import platform
import re
from importlib.metadata import version
from typing import Any

CPUINFO = pathlib.Path("/proc/cpuinfo")  # of Linux
# Whose versions a run's figures may depend on: what trains, and what makes and shows pictures.
LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "mlxtend")
LIBRARIES += ("pillow", "matplotlib", "ai-edge-litert")


def processor() -> str:
    """Return the processor's name, family and model, and whether it has AVX-512.

    Two of one name may round differently, so the name alone would not do.
    """
    text = CPUINFO.read_text() if CPUINFO.exists() else ""
    found = dict(re.findall(r"(?m)^(model name|cpu family|model)\s*: (.+)$", text))
    if len(found) < 3:
        return platform.processor() or platform.machine()
    wide = "with" if "avx512f" in text else "without"
    kind = f"cpu family {found['cpu family']}, model {found['model']}, {wide} AVX-512"
    return f"{found['model name']} ({kind})"


def versions(*packages: str) -> dict[str, str]:
    """Return the installed version of each package by name."""
    return {package: version(package) for package in packages}


def environment() -> dict[str, Any]:
    """Return what a run's figures may depend on beside its code: machine, system, libraries."""
    machine = {"python": platform.python_version(), "system": platform.system()}
    machine |= {"machine": platform.machine(), "processor": processor(), "cores": os.cpu_count()}
    return machine | versions(*LIBRARIES)


def set_keras() -> None:
    """Set what a machine's keras.json may have changed, and what results depend on."""
    from mnist_study.core.backend import keras  # late: it takes seconds

    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
