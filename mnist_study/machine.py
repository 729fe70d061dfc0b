"""The machine and the libraries that a result was made with."""

import os
import pathlib
import platform
import re
from importlib.metadata import version


def processor():
    """Return the processor's name, its family and model, and whether it has AVX-512, as text.

    Two of one name may round differently, so the name alone would not do.
    """
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    found = dict(re.findall(r"(?m)^(model name|cpu family|model)\s*: (.+)$", text))
    kind = ", ".join(f"{name} {found[name]}" for name in ("cpu family", "model") if name in found)
    wide = "with AVX-512" if "avx512f" in text else "without AVX-512"
    return f"{found.get('model name', platform.machine())} ({kind}, {wide})"


def versions(*packages):
    """Return the installed version of each package by name."""
    return {package: version(package) for package in packages}


def environment():
    """Return what a run's figures may depend on beside its code: machine, system, libraries."""
    machine = {"python": platform.python_version(), "system": platform.system()}
    machine |= {"machine": platform.machine(), "processor": processor(), "cores": os.cpu_count()}
    return machine | versions("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "mlxtend")
