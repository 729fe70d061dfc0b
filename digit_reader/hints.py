"""What is known of pictures beforehand: how many digits they hold, in one line, of which kinds."""

import dataclasses
import functools

from digit_reader.errors import HintError
from digit_reader.parts import Part

TEN = "0123456789"


@dataclasses.dataclass(frozen=True)
class Hints:
    """What is known of each picture; raises HintError where that makes no sense.

    only: the digits that it may hold. count: how many it holds; with 1 all its ink is one digit.
    one_line: whether they stand in one line, however they slope.
    """

    only: str = TEN
    count: int | None = None
    one_line: bool = False

    def __post_init__(self) -> None:
        if not self.only or not set(self.only) <= set(TEN):
            raise HintError(f"only is {self.only!r}: give digits, such as '0123'")
        if self.count is not None and not (type(self.count) is int and self.count > 0):
            raise HintError(f"count is {self.count!r}: give a whole number from 1")

    def lines(self, lines: list[list[Part]]) -> list[list[Part]]:
        """Return lines of digits as they are known to be."""
        parts = sorted((part for line in lines for part in line), key=lambda part: part.left)
        if self.count == 1 and parts:
            return [[functools.reduce(Part.joined, parts)]]
        return [parts] if self.one_line and parts else lines

    def miscounted(self, number: int) -> str:
        """Return in words that so many digits are not as many as there should be; else ""."""
        wrong = self.count is not None and number != self.count
        return f"{number} digits were found, not {self.count}" if wrong else ""


NONE = Hints()
