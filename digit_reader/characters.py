"""The characters of a line, and how they are decoded from the line network's logits.

The network is trained with CTC; source: Graves et al. 2006, doi 10.1145/1143844.1143891.
"""

import dataclasses
import itertools

import numpy as np
from numpy.typing import NDArray

HEIGHT = 32  # pixels of a line's picture
GAP, OTHER = " ", "?"
CHARACTERS = "0123456789" + GAP + "+-×÷/()=.,:" + OTHER  # a sign is told and is no digit
BLANK = len(CHARACTERS)  # CTC's sign for what is between characters


@dataclasses.dataclass(frozen=True)
class Character:
    """A character of a line, and where it is, as share of the line's width."""

    text: str
    probability: float
    place: float
    digits: NDArray[np.float64]  # (10,) the probability there of each digit


def softmax(logits: NDArray) -> NDArray[np.float64]:
    """Return the probabilities (n, k) that logits (n, k) say."""
    powers = np.exp(logits.astype(float) - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def decoded(probabilities: NDArray[np.float64]) -> list[Character]:
    """Return the characters of the most probable path through steps (n, 24), without blanks.

    A character that is repeated without a blank between is one; its probability is its highest.
    """
    path, steps, characters = probabilities.argmax(-1).tolist(), len(probabilities), []
    for number, run in itertools.groupby(range(steps), path.__getitem__):
        if number != BLANK:
            places = [*run]
            best = max(places, key=lambda step: probabilities[step, number])
            middle, of_all = (float(np.mean(places)) + 0.5) / steps, probabilities[best]
            text = CHARACTERS[number]
            characters.append(Character(text, float(of_all[number]), middle, of_all[:10]))
    return characters
