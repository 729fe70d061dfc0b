"""What the notebook mnist_model.ipynb runs on; its names are loaded when first used (PEP 562)."""

import importlib
import os
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever a machine's settings name

LAZY = {  # what the notebook imports from here, and where it is
    f"{__name__}.{name.rpartition('.')[2]}": f"{__name__}.{name}"
    for name in (
        "evaluate.accuracy",
        "evaluate.batch_statistics",
        "evaluate.calibration",
        "evaluate.robustness",
        "evaluate.hidden_units",
        "notebook.live",
        "notebook.saved_network",
        "notebook.session",
        "notebook.tables",
        "notebook.transfer",
        "notebook.widgets",
        "recogniser.photographs",
    )
}


def __getattr__(name: str) -> Any:
    """Return the module that the notebook calls by that name."""
    place = LAZY.get(f"{__name__}.{name}")
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(place)


def __dir__() -> list[str]:
    return sorted([*globals(), *(name.rpartition(".")[2] for name in LAZY)])
