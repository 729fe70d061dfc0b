"""Reads anyone's handwritten digits: finds them in any picture, and says how sure it is of each."""

from digit_reader.prepare import prepare_digit
from digit_reader.reader import Reader, read

__all__ = ["Reader", "prepare_digit", "read"]
