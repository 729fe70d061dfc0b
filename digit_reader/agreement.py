"""What a line says: its digits read one by one, and read as a whole by the line network."""

import dataclasses
import difflib
from collections.abc import Callable, Sequence

from digit_reader.characters import GAP, OTHER, Character
from digit_reader.reading import Certainty, Digit
from digit_reader.thresholds import THRESHOLDS

Made = Callable[[Character], Digit]


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
    alone: list[Digit], line: Sequence[Character], made: Made, sure: float
) -> tuple[list[Digit], bool]:
    """Return a line's digits, and whether both ways of reading it say the same.

    alone: what its digits are one by one. line: the whole as the line network reads it; made: makes
    a Digit of a digit in it. sure: minimum probability there of a digit that is to stay sure.
    """
    seen = digits_of(line)
    if text_of(alone) == "".join(character.text for character in seen):
        pairs = zip(alone, seen, strict=True)
        return [d if c.probability >= sure else less_certain(d) for d, c in pairs], True
    is_one = len(alone) == 1 and alone[0].probability >= THRESHOLDS.reading.one_probability
    if is_one or not line:
        return [less_certain(digit) for digit in alone], False
    return merged(alone, [c for c in line if c.text != GAP], made), False


def merged(alone: list[Digit], line: Sequence[Character], made: Made) -> list[Digit]:
    """Return a line's digits: each as it is alone where that is the same digit.

    Where the line network sees another digit, that one counts; where it sees a sign, none; and
    where it sees neither, the digit that is sure alone.
    """
    texts, digits = "".join(character.text for character in line), list[Digit]()
    same = difflib.SequenceMatcher(None, text_of(alone), texts, autojunk=False)
    for kind, start, end, first, last in same.get_opcodes():
        own, seen = alone[start:end], line[first:last]
        if kind == "equal":
            digits += own
        elif digits_of(seen) or any(c.text != OTHER for c in seen):
            digits += [less_certain(made(character)) for character in digits_of(seen)]
        else:
            digits += [less_certain(d) for d in own if d.certainty is Certainty.SURE]
    return digits


def with_gaps(digits: list[Digit], gaps: Sequence[float]) -> list[Digit]:
    """Return a line's digits; a gap is before those with one of these places before them."""
    result, last = [], 0.0
    for digit in digits:
        middle = (digit.box[0] + digit.box[2]) / 2
        is_after = bool(result) and any(last < gap < middle for gap in gaps)
        result.append(dataclasses.replace(digit, gap=digit.gap or is_after))
        last = middle
    return result
