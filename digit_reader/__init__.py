"""Reads anyone's handwritten digits: any picture of one becomes MNIST's 28×28, then an answer."""

from digit_reader.prepare import prepare_digit
from digit_reader.reader import load_reader, read

__all__ = ["load_reader", "prepare_digit", "read"]
