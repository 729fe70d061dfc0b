"""The machine and the libraries that a result comes from."""

import os
import pathlib
import platform
import re
from importlib.metadata import version
from typing import Any

CPUINFO = pathlib.Path("/proc/cpuinfo")  # of Linux
# A run's figures may depend on their versions: they train, or make and show pictures.
LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "mlxtend")
LIBRARIES += ("pillow", "matplotlib", "ai-edge-litert")


def processor() -> str:
    """Return the processor's name, family and model, and whether it has AVX-512.

    Processors of one name may round differently, so the name alone does not identify one.
    """
    text = CPUINFO.read_text() if CPUINFO.exists() else ""
    fields = dict(re.findall(r"(?m)^(model name|cpu family|model)\s*: (.+)$", text))
    if len(fields) < 3:
        return platform.processor() or platform.machine()
    wide = "with" if "avx512f" in text else "without"
    kind = f"cpu family {fields['cpu family']}, model {fields['model']}, {wide} AVX-512"
    return f"{fields['model name']} ({kind})"


def versions(*packages: str) -> dict[str, str]:
    """Return the installed version of each package by name."""
    return {package: version(package) for package in packages}


def environment() -> dict[str, Any]:
    """Return what a run's results may depend on besides its code: machine, system, libraries."""
    machine = {"python": platform.python_version(), "system": platform.system()}
    machine |= {"machine": platform.machine(), "processor": processor(), "cores": os.cpu_count()}
    return machine | versions(*LIBRARIES)


def set_keras() -> None:
    """Set what results depend on, and what a machine's keras.json may have changed."""
    from mnist_study.backend import keras  # late: it takes seconds

    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
