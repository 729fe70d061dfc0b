"""What is recognised in a picture: lines of digits, each with a certainty, and the answer."""

import dataclasses
import enum
import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the picture


class Certainty(enum.StrEnum):
    """How far a digit can be believed."""

    SURE = "sure"
    PROBABLE = "probable"
    DOUBT = "doubt"


@dataclasses.dataclass(frozen=True)
class Digit:
    """One digit as it was classified."""

    digit: int
    probability: float
    runner_up: int  # the second most probable digit
    certainty: Certainty
    probabilities: list[float] = dataclasses.field(repr=False)  # of all ten
    box: Box
    prepared: NDArray[np.float32] = dataclasses.field(repr=False)  # (28, 28), in MNIST's form
    line: int = 1  # from above
    place: int = 1  # in its line, from the left
    gap: bool = False  # whether there is a gap before it

    @property
    def sure(self) -> bool:
        return self.certainty is Certainty.SURE

    @property
    def answer(self) -> str:
        """The digit as people say it: "9", "probably 9" or "9 or 3?"."""
        if self.certainty is Certainty.DOUBT:
            return f"{self.digit} or {self.runner_up}?"
        return f"probably {self.digit}" if self.certainty is Certainty.PROBABLE else f"{self.digit}"

    @property
    def in_number(self) -> str:
        """The digit within a number: "9", or "[9|3]" if it is not sure; a gap is a space."""
        answer = f"{self.digit}" if self.sure else f"[{self.digit}|{self.runner_up}]"
        return f" {answer}" if self.gap else answer


@dataclasses.dataclass(frozen=True)
class Reading:
    """What one picture holds; of a single digit it has what that digit has, else None."""

    image: str  # its name
    digits: list[Digit]  # in reading order
    problem: str = ""  # what is wrong with the picture and what to do
    note: str = ""  # what the picture holds that is not in the answer
    complete: bool = True  # whether all ink as high as a digit is in the answer

    @property
    def lines(self) -> list[list[Digit]]:
        """The digits by lines from above."""
        return [list(line) for _, line in itertools.groupby(self.digits, lambda d: d.line)]

    @property
    def sure(self) -> bool:
        """Whether every digit is sure, and none may be missing."""
        return bool(self.digits) and self.complete and all(digit.sure for digit in self.digits)

    @property
    def least(self) -> float:
        """The lowest probability of a digit; 0 where there is none."""
        return min((digit.probability for digit in self.digits), default=0)

    @property
    def answer(self) -> str:
        """The answer in words: "42", "probably 9", "9 or 3?", "12 [3|5]4", a line for each line."""
        if len(self.digits) == 1:
            return self.digits[0].answer
        return "\n".join("".join(digit.in_number for digit in line) for line in self.lines)

    def single(self, name: str) -> Any:
        """Return what the picture's only digit has by that name, None if there is not just one."""
        return getattr(self.digits[0], name) if len(self.digits) == 1 else None

    @property
    def digit(self) -> int | None:
        return self.single("digit")

    @property
    def certainty(self) -> Certainty | None:
        return self.single("certainty")

    @property
    def probability(self) -> float | None:
        return self.single("probability")

    @property
    def probabilities(self) -> list[float] | None:
        return self.single("probabilities")

    @property
    def prepared(self) -> NDArray[np.float32] | None:
        return self.single("prepared")
