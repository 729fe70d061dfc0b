"""Read digits in pictures with the network made for it, on LiteRT."""

import concurrent.futures
import dataclasses
import hashlib
import itertools
import json
import os
import pathlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digit_reader.cut import Cut, cuts_of
from digit_reader.errors import NetworkError, PictureError, require
from digit_reader.hints import NONE, Hints
from digit_reader.inputs import Named, named_pictures
from digit_reader.picture import Picture, pages
from digit_reader.prepare import Cutout, Found, found_in
from digit_reader.quiet import quietly
from digit_reader.reading import Certainty, Digit, Reading
from digit_reader.rules import of

FOLDER = pathlib.Path(__file__).parent
NETWORK, SETTINGS = FOLDER / "reader.tflite", FOLDER / "reader.json"
MOST = of["most"]  # digits in one picture: with more it shows no number, but a pattern
AT_ONCE = 32  # pictures
NO_DIGIT = of["no_digit"]  # where no part of a picture is more probable, there is no digit
LIKELY = of["cut_likely"]  # the least probability of both halves with which a cut counts
UNLIKELY = of["cut_below"]  # what is less probably one digit is looked at for two that touch
BATCH = 500  # digits read at a time, which bounds the memory

Paged = tuple[Picture, Any]  # a page, and what it holds: a Found or a PictureError
Progress = Callable[[int, int], object]  # told how many are prepared, and how many there are


@dataclasses.dataclass(frozen=True)
class Settings:
    """The network's temperature, the least probability of each level, and which network it is."""

    temperature: float
    sure: float
    probable: float
    network_sha256: str


class Reader:
    """The network with its settings; several threads may share one.

    temperature: in place of the settings' own. Raises NetworkError unless its two files belong
    together.
    """

    def __init__(
        self,
        network: pathlib.Path = NETWORK,
        settings: pathlib.Path = SETTINGS,
        temperature: float | None = None,
    ):
        from ai_edge_litert.interpreter import Interpreter  # late: it takes a tenth of a second

        content = network.read_bytes()
        self.settings = Settings(**json.loads(settings.read_text(encoding="utf-8")))
        self.temperature = temperature or self.settings.temperature
        if hashlib.sha256(content).hexdigest() != self.settings.network_sha256:
            said = f"{network.name} is not what {settings.name} describes: restore both"
            raise NetworkError(said)
        with quietly():
            self.interpreter = Interpreter(model_content=content, num_threads=os.cpu_count())
            self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.output = self.interpreter.get_output_details()[0]["index"]
        self.one_at_a_time = threading.Lock()  # an interpreter holds one batch

    def probabilities(self, images: Sequence[NDArray] | NDArray) -> NDArray[np.float64]:
        """Return calibrated probabilities (n, 10) of images (n, 28, 28) in MNIST's form."""
        starts = range(0, len(images), BATCH)
        answers = [self.answers(images[start : start + BATCH]) for start in starts]
        powers = (np.concatenate(answers) + 1e-12) ** (1 / self.temperature)
        return powers / powers.sum(1, keepdims=True)

    def answers(self, images: Sequence[NDArray] | NDArray) -> NDArray[np.float64]:
        """Return the network's own probabilities (n, 10) of images (n, 28, 28)."""
        with self.one_at_a_time:
            self.interpreter.resize_tensor_input(self.input, (len(images), 28, 28, 1))
            self.interpreter.allocate_tensors()
            self.interpreter.set_tensor(self.input, np.asarray(images, np.float32)[..., None])
            self.interpreter.invoke()
            return self.interpreter.get_tensor(self.output).astype(float)

    def certainty(self, probability: float) -> Certainty:
        """Return how far a digit of that probability can be believed."""
        if probability >= self.settings.sure:
            return Certainty.SURE
        return Certainty.PROBABLE if probability >= self.settings.probable else Certainty.DOUBT

    def read(self, cutout: Cutout, shares: NDArray[np.float64]) -> Digit:
        """Return what is said of one digit with its probabilities (10,)."""
        first, second = (int(place) for place in np.argsort(-shares)[:2])
        probability = float(shares[first])
        sure = self.certainty(probability)
        seen = shares.tolist(), cutout.box, cutout.prepared, cutout.line, 1, cutout.gap
        return Digit(first, probability, second, sure, *seen)

    def digits(self, cutout: Cutout, shares: NDArray[np.float64], hints: Hints) -> list[Digit]:
        """Return the digit of a cutout; or two that touch, where they are likely and it is not."""
        whole = self.read(cutout, among(shares, hints.only))
        if whole.probability >= UNLIKELY or cutout.ink is None or hints.count == 1:
            return [whole]
        return self.halves(cutout, cuts_of(cutout.ink), hints) or [whole]

    def halves(self, cutout: Cutout, cuts: list[Cut], hints: Hints) -> list[Digit]:
        """Return the two digits that likely cuts give, none where no cut is likely.

        Their probabilities are the likely cuts' means: where those disagree they are in doubt.
        """
        images = [image for cut in cuts for image in cut.halves]
        shares = among(self.probabilities(images), hints.only).reshape(-1, 2, 10) if cuts else None
        if shares is None or (least := shares.max(2).min(1)).max() < LIKELY:
            return []
        best, means = cuts[least.argmax()], shares[least >= LIKELY].mean(0)
        left, top, right, bottom = cutout.box
        middle = left + best.place * (right - left)
        first = Cutout((left, top, middle, bottom), best.halves[0], cutout.line, cutout.gap)
        second = Cutout((middle, top, right, bottom), best.halves[1], cutout.line, False)
        return [self.read(half, mean) for half, mean in zip((first, second), means, strict=True)]

    def readings(
        self, names: Sequence[str], found: Sequence[Found | PictureError], hints: Hints = NONE
    ) -> list[Reading]:
        """Return the Reading of what each page of these names holds."""
        flat = [cutout.prepared for f in found if isinstance(f, Found) for cutout in f.digits]
        shares, readings = iter(self.probabilities(flat) if flat else ()), []
        for name, of_page in zip(names, found, strict=True):
            if isinstance(of_page, PictureError):
                readings.append(Reading(name, [], str(of_page)))
                continue
            digits = numbered(
                [d for c in of_page.digits for d in self.digits(c, next(shares), hints)]
            )
            note = "; ".join(filter(None, [hints.miscounted(len(digits)), of_page.note]))
            likely = max(digit.probability for digit in digits) >= NO_DIGIT
            reading = Reading(name, [], "there is no digit: crop the picture to one")
            if likely or hints.count is not None:  # who gives a count says that there are some
                reading = Reading(name, digits, note=note, complete=of_page.complete)
            readings.append(reading)
        return readings

    def look(
        self,
        names: Sequence[str],
        paged: Sequence[Paged],
        pool: concurrent.futures.Executor,
        hints: Hints = NONE,
    ) -> list[Reading]:
        """Return the Reading of each page; where a digit is not sure, of a second look.

        That is at pale strokes; it counts where all digits are sure, or surer, and none is lost.
        """
        readings, sure = self.readings(names, [f for _, f in paged], hints), self.settings.sure
        unsure = [n for n, r in enumerate(readings) if r.least < sure and paged[n][0] is not None]
        again = pool.map(lambda n: outcome(paged[n][0], True, hints), unsure)
        second = self.readings([names[n] for n in unsure], [*again], hints)
        for n, reading in zip(unsure, second, strict=True):
            first = readings[n]
            surer = len(first.digits) > 1 and reading.least > first.least
            if (reading.least >= sure or surer) and len(reading.digits) >= len(first.digits):
                readings[n] = reading
        return readings


def among(shares: NDArray[np.float64], only: str) -> NDArray[np.float64]:
    """Return the probabilities (..., 10) when only these digits are possible."""
    possible = shares * [str(digit) in only for digit in range(10)]
    return possible / np.maximum(possible.sum(-1, keepdims=True), 1e-12)


def numbered(digits: list[Digit]) -> list[Digit]:
    """Return digits in reading order with each one's place in its line."""
    by_line = itertools.groupby(digits, lambda digit: digit.line)
    return [dataclasses.replace(d, place=n) for _, line in by_line for n, d in enumerate(line, 1)]


def outcomes(
    picture: Picture | PictureError, hints: Hints = NONE
) -> list[tuple[Picture, Found | PictureError]]:
    """Return each page of a picture with what it holds, or with what is wrong with it.

    Whatever a decoder raises costs this picture alone.
    """
    if isinstance(picture, PictureError):
        return [(None, picture)]
    try:
        return [(page, outcome(page, False, hints)) for page in pages(picture)]
    except PictureError as error:
        return [(picture, error)]


def outcome(page: Picture, pale: bool = False, hints: Hints = NONE) -> Found | PictureError:
    """Return what a page holds, or what is wrong with it; pale: see ink_of."""
    try:
        found = found_in(page, pale, hints)
        many = f"{len(found.digits)} pieces of ink are no number: crop the picture"
        require(len(found.digits) <= MOST, many)
        return found
    except PictureError as error:
        return error
    except MemoryError:
        return PictureError("the picture does not fit into the memory: scale it down")
    except Exception:  # decoders raise whatever they like
        return PictureError("this picture cannot be read: save it again, as PNG or JPEG")


def each_reading(
    pictures: Sequence[Named],
    reader: Reader | None = None,
    progress: Progress | None = None,
    hints: Hints = NONE,
) -> Iterator[tuple[Picture, Reading]]:
    """Yield each page of pictures given with their names, and its Reading, as they come."""
    reader, done = reader or Reader(), 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(pictures), AT_ONCE):
            some = pictures[start : start + AT_ONCE]
            paged = [*pool.map(lambda named: outcomes(named[1], hints), some)]
            names = [
                name if len(pages) == 1 else f"{name}, page {number}"
                for (name, _), pages in zip(some, paged, strict=True)
                for number in range(1, len(pages) + 1)
            ]
            flat = [of_page for pages in paged for of_page in pages]
            readings = reader.look(names, flat, pool, hints)
            yield from zip([page for page, _ in flat], readings, strict=True)
            done += len(some)
            if progress:
                progress(done, len(pictures))


def read(
    images: Any,
    reader: Reader | None = None,
    progress: Progress | None = None,
    hints: Hints = NONE,
) -> list[Reading]:
    """Read the digits in pictures: return a Reading for each picture.

    images: a picture (path, bytes, open file, PIL image, array of (h, w) or (h, w, 3)), a stack of
    arrays (n, h, w), a folder, a pattern such as "scans/*.png", "-" for standard input, or a list
    of these. reader: the package's own if not given. progress: called with how many pictures are
    read, and how many there are. hints: what is known of the pictures beforehand.

    >>> read("digit.jpg")[0].answer
    '9'
    """
    return [reading for _, reading in each_reading(named_pictures(images), reader, progress, hints)]
