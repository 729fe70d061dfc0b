"""Recognises handwritten digits: finds them in any picture, and gives the certainty of each.

Its names are loaded when first used (PEP 562): what needs no network starts at once.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digit_reader.errors import DigitReaderError, HintError, NetworkError, PictureError
    from digit_reader.hints import Hints
    from digit_reader.prepare import prepare_digit
    from digit_reader.reader import Reader, read
    from digit_reader.reading import Certainty, Digit, Reading

__all__ = [
    "Certainty",
    "Digit",
    "DigitReaderError",
    "HintError",
    "Hints",
    "NetworkError",
    "PictureError",
    "Reader",
    "Reading",
    "prepare_digit",
    "read",
]


def __getattr__(name: str) -> Any:
    """Return what is public, from the module that holds it."""
    modules = ("errors", "hints", "prepare", "reading", "reader") if name in __all__ else ()
    for module in modules:
        found = importlib.import_module(f"{__name__}.{module}")
        if hasattr(found, name):
            return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
