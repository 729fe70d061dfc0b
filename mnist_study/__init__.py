"""What the notebook mnist_model.ipynb runs on; its names are loaded when first used (PEP 562)."""

import importlib
import logging
import os
import re
from typing import Any

from digit_reader.processors import processors

# Where HOME cannot be written to, matplotlib says so, and that it looks for fonts anew: in a cell.
for _name in ("matplotlib", "matplotlib.font_manager"):
    logging.getLogger(_name).addFilter(
        lambda record: not re.search("mkdir -p|writable|temporary|font cache", str(record.msg))
    )
os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever a machine's settings name
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
if processors() < (os.cpu_count() or 1):  # libraries count all that a container's machine has
    os.environ.update(dict.fromkeys(THREADS, str(processors())) | {**os.environ})

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
    """Return the module that the notebook calls by that name.

    Raises BackendError where TensorFlow would end the process without a word.
    """
    importlib.import_module(f"{__name__}.machine").check_processor()
    place = LAZY.get(f"{__name__}.{name}")
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(place)


def __dir__() -> list[str]:
    return sorted([*globals(), *(name.rpartition(".")[2] for name in LAZY)])
