"""The machine and the libraries that a result comes from, and whether they are enough."""

import contextlib
import ctypes
import functools
import hashlib
import os
import pathlib
import platform
import re
import signal
from importlib.metadata import version
from typing import Any

from mnist_study.errors import BackendError

CPUINFO = pathlib.Path("/proc/cpuinfo")  # of Linux
PROC, CGROUPS = pathlib.Path("/proc/self/cgroup"), pathlib.Path("/sys/fs/cgroup")  # containers'
MNIST = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"  # Keras's mnist.npz
LIMITS = ("memory.max", "memory.limit_in_bytes")  # in their second version, and in the first
# glibc's M_MMAP_THRESHOLD and M_TRIM_THRESHOLD, in bytes. With the first alone it would give back
# small memory, too, after each step, and a training would take a tenth longer.
GIVEN_BACK = {-3: 10_000_000, -1: 32_000_000}
PEAKS = "the full notebook takes up to 3 GB of memory, profile = 'quick' 2 GB"
NO_AVX = "TensorFlow needs a processor with AVX"
ELSEWHERE = "run the study on another machine, or let this virtual one have its host's processor"
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


@functools.cache
def check_processor() -> None:
    """Raise BackendError, with advice, on a processor that TensorFlow's packages do not run on."""
    text = CPUINFO.read_text() if CPUINFO.exists() else ""
    flags = re.search(r"(?m)^flags\s*:(.*)$", text)  # of Intel's and AMD's
    if flags and "avx" not in flags[1].split():
        raise BackendError(f"{NO_AVX}, and {processor()} has none: {ELSEWHERE}")


def memory() -> float:
    """Return how many gigabytes of memory this machine or its container has; 0: unknown."""
    posix = os.name == "posix"
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")] if posix else []
    lines = PROC.read_text().splitlines() if PROC.exists() else []
    for controllers, group in (line.split(":", 2)[1:] for line in lines):
        place = CGROUPS / ("memory" if controllers else "") / group.strip("/")
        for folder in (place, *place.parents):
            texts = [(folder / name).read_text() for name in LIMITS if (folder / name).is_file()]
            sizes += [int(text) for text in texts if text.strip().isdigit()]
    return min(sizes, default=0) / 1e9


def free_large_arrays() -> None:
    """Let the memory of large arrays go back to the system once they are freed, as others do.

    By itself glibc keeps what arrays of up to 32 MB have left, for later ones.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # musl, macOS, Windows
        for option, size in GIVEN_BACK.items():
            ctypes.CDLL(None).mallopt(option, size)


def why_ended(status: int) -> str:
    """Return which signal ended a process, and what to do; nothing if its status names none.

    status: negative for a signal, as Python has it, or above 128, as shells have it.
    """
    number = -status if status < 0 else status - 128
    if number not in {*signal.Signals}:
        return ""
    name = signal.Signals(number).name
    if name == "SIGILL":
        return f"it met an instruction that this processor lacks ({name}): {NO_AVX}; {ELSEWHERE}"
    if name in ("SIGKILL", "SIGABRT", "SIGSEGV", "SIGBUS"):
        here = f"{memory():.1f} GB are here, and " if memory() else ""
        return f"it was ended by {name}, as happens when memory runs out: {here}{PEAKS}"
    return f"it was ended by {name}, from outside"


def versions(*packages: str) -> dict[str, str]:
    """Return the installed version of each package by name."""
    return {package: version(package) for package in packages}


def environment() -> dict[str, Any]:
    """Return what a run's results may depend on besides its code: machine, system, libraries."""
    machine = {"python": platform.python_version(), "system": platform.system()}
    machine |= {"machine": platform.machine(), "processor": processor(), "cores": os.cpu_count()}
    return machine | versions(*LIBRARIES)


def set_keras() -> None:
    """Set what results depend on, and what a machine's keras.json may have changed.

    MNIST is read where it is, also from a home that cannot be written to.
    """
    from mnist_study.backend import keras  # late: it takes seconds

    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    home = pathlib.Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    file = home / "datasets" / "mnist.npz"
    writable = all(os.access(folder, os.W_OK) for folder in (home, home.parent))
    if not writable and os.access(file, os.R_OK):
        keras.datasets.mnist.load_data = functools.partial(read_mnist, file)


def read_mnist(path: pathlib.Path) -> Any:
    """Return what Keras's load_data does, from a file in a folder that Keras cannot write to.

    Keras itself passes over such a folder, and downloads. Raises OSError for another file.
    """
    import numpy as np

    if hashlib.sha256(path.read_bytes()).hexdigest() != MNIST:
        raise OSError(f"{path} is not Keras's: bring it here anew")
    with np.load(path) as arrays:
        return tuple((arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test"))
