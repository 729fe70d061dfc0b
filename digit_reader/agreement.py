"""What a line says: its digits read one by one, and read as a whole by the line network."""

import dataclasses
import difflib
from collections.abc import Sequence

from digit_reader.characters import GAP, OTHER, Character
from digit_reader.reading import Certainty, Digit
from digit_reader.thresholds import THRESHOLDS


def digits_of(characters: Sequence[Character]) -> list[Character]:
    """Return the digits among a line's characters."""
    return [character for character in characters if character.text.isdigit()]


def signs_in(characters: Sequence[Character]) -> str:
    """Return a line with its signs, such as "12×34", or "" where it has none."""
    signs = [c for c in characters if not c.text.isdigit() and c.text not in (GAP, OTHER)]
    return "".join(character.text for character in characters) if signs else ""


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
    alone: list[Digit], seen: Sequence[Character], together: list[Digit], sure: float
) -> list[Digit]:
    """Return the digits of a line, given what they are alone, and what is seen in the whole line.

    together: what is seen, as Digit. sure: minimum probability in the line of a digit that is to
    stay sure. Only what both say is sure.
    """
    if text_of(alone) == "".join(character.text for character in seen):
        return [
            digit if character.probability >= sure else less_certain(digit)
            for digit, character in zip(alone, seen, strict=True)
        ]
    is_one = len(alone) == 1 and alone[0].probability >= THRESHOLDS.reading.one_probability
    if (len(together) < 2 and len(alone) < 2) or is_one or not together:
        return [less_certain(digit) for digit in alone or together]
    return merged(alone, together)


def merged(alone: list[Digit], together: list[Digit]) -> list[Digit]:
    """Return a line's digits, each as it was read alone where that is the same digit."""
    same = difflib.SequenceMatcher(None, text_of(alone), text_of(together), autojunk=False)
    result = [less_certain(digit) for digit in together]
    for start, other, count in same.get_matching_blocks():
        result[other : other + count] = alone[start : start + count]
    return result


def with_gaps(digits: list[Digit], gaps: Sequence[float]) -> list[Digit]:
    """Return a line's digits; a gap is before those with one of these places before them."""
    result, last = [], 0.0
    for digit in digits:
        middle = (digit.box[0] + digit.box[2]) / 2
        is_after = bool(result) and any(last < gap < middle for gap in gaps)
        result.append(dataclasses.replace(digit, gap=digit.gap or is_after))
        last = middle
    return result
