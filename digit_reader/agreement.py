"""What a line says: its digits read one by one, and read as a whole by the line network."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from digit_reader.characters import GAP, OTHER, Character
from digit_reader.reading import Certainty, Digit
from digit_reader.thresholds import THRESHOLDS

Made = Callable[[Character], Digit]


@dataclasses.dataclass(frozen=True)
class Seen:
    """A character of a line, its column and half a digit's width, as shares of the page's."""

    character: Character
    column: float
    reach: float


def digits_of(characters: Sequence[Character]) -> list[Character]:
    """Return the digits among a line's characters."""
    return [character for character in characters if character.text.isdigit()]


def is_sign(character: Character) -> bool:
    """Return whether a character is a sign, such as a minus."""
    return not character.text.isdigit() and character.text not in (GAP, OTHER)


def signs_in(characters: Sequence[Character]) -> str:
    """Return a line with its signs, such as "12×34", or "" where it has none."""
    has_signs = any(map(is_sign, characters))
    return "".join(character.text for character in characters) if has_signs else ""


def text_of(digits: Sequence[Digit]) -> str:
    """Return digits as they are written together."""
    return "".join(str(digit.digit) for digit in digits)


def less_certain(digit: Digit) -> Digit:
    """Return a digit that is not sure."""
    sure = digit.certainty is Certainty.SURE
    return dataclasses.replace(digit, certainty=Certainty.PROBABLE) if sure else digit


def least_probable(characters: Sequence[Character]) -> float:
    """Return the lowest probability of a line's characters, 0 where it has no digit."""
    return min((c.probability for c in characters), default=0) if digits_of(characters) else 0


def agreed(
    alone: list[Digit], line: Sequence[Seen], made: Made, sure: float
) -> tuple[list[Digit], bool]:
    """Return a line's digits, and whether both ways of reading it say the same.

    alone: what its digits are one by one. line: the whole as the line network reads it; made: makes
    a Digit of a digit in it. sure: minimum probability there of a digit that is to stay sure.
    """
    line = [seen for seen in line if seen.character.text != GAP]
    seen = digits_of([seen.character for seen in line])
    if text_of(alone) == "".join(character.text for character in seen):
        pairs = zip(alone, seen, strict=True)
        return [d if c.probability >= sure else less_certain(d) for d, c in pairs], True
    is_one = len(alone) == 1 and alone[0].probability >= THRESHOLDS.reading.one_probability
    if is_one or not line:
        return [less_certain(digit) for digit in alone], False
    return merged(alone, line, made), False


def merged(alone: list[Digit], line: Sequence[Seen], made: Made) -> list[Digit]:
    """Return a line's digits from left to right, where its two readings differ; see agreed.

    Each character of the line decides about the digits that are nearest to it alone. A digit that
    is sure alone stays where the line shows nothing.
    """
    near = nearest(alone, line)
    found = [less_certain(d) for d, n in zip(alone, near, strict=True) if n is None and d.sure]
    for number, seen in enumerate(line):
        found += decided([d for d, n in zip(alone, near, strict=True) if n == number], seen, made)
    return sorted(found, key=lambda digit: digit.box[0] + digit.box[2])


def decided(own: list[Digit], seen: Seen, made: Made) -> list[Digit]:
    """Return the digits that a character of a line leaves; own: those nearest to it alone.

    That is the one of them that it is, or all if each is more probable; a sign leaves none, other
    ink those that are sure, and a digit where there is none alone has to be likely. Only what is
    the same both ways may be sure.
    """
    text, probability = seen.character.text, seen.character.probability
    same = [digit for digit in own if str(digit.digit) == text]
    if same:
        return [max(same, key=lambda digit: digit.probability)]
    if is_sign(seen.character):
        return []
    if own and min(digit.probability for digit in own) > probability:
        return [less_certain(digit) for digit in own]
    if text == OTHER:
        return [less_certain(digit) for digit in own if digit.sure]
    if not own and probability < THRESHOLDS.reading.min_probability:
        return []
    return [less_certain(made(seen.character))]


def nearest(alone: list[Digit], line: Sequence[Seen]) -> list[int | None]:
    """Return for each digit the number of the character nearest to it; None: none is near."""
    numbers: list[int | None] = []
    for digit in alone:
        left, _, right, _ = digit.box
        away = [abs(seen.column - (left + right) / 2) for seen in line]
        closest = int(np.argmin(away)) if away else None
        is_near = closest is not None and away[closest] <= max(
            line[closest].reach, (right - left) / 2
        )
        numbers.append(closest if is_near else None)
    return numbers


def with_gaps(digits: list[Digit], signs: Sequence[float]) -> list[Digit]:
    """Return a line's digits; a gap is before those with a sign, at these columns, before them."""
    result, last = [], 0.0
    for digit in digits:
        middle = (digit.box[0] + digit.box[2]) / 2
        is_after = bool(result) and any(last < sign < middle for sign in signs)
        result.append(dataclasses.replace(digit, gap=digit.gap or is_after))
        last = middle
    return result
