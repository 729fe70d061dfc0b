"""Recognises handwritten digits: finds them in any picture, and gives the certainty of each."""

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
