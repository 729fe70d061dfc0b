"""What the notebook mnist_model.ipynb runs on; all of it is loaded when first used (PEP 562)."""

import importlib
import os
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever a machine's settings name

MODULES = {
    "core": ("data", "deform", "evaluate", "initializers", "models", "sampling", "training"),
    "records": ("calibration", "intervals", "machine", "summary"),
    "reader": ("photographs", "pictures", "rates", "uci"),
    "trials": ("judging", "robustness"),
    "story": (
        "examined",
        "figures",
        "images",
        "judged",
        "live",
        "session",
        "sliders",
        "tables",
        "transfer",
        "units",
    ),
}
ROOMS = {module: room for room, modules in MODULES.items() for module in modules}


def __getattr__(name: str) -> Any:
    """Return what the story calls by that name: a module of a room, or `register` for models."""
    if name == "register":
        return importlib.import_module(f"{__name__}.core.models").register
    if name not in ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{ROOMS[name]}.{name}")


def __dir__() -> list[str]:
    return sorted([*globals(), *ROOMS, "register"])
