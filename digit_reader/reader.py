"""Recognise digits in pictures with the network trained for it, on LiteRT."""

import concurrent.futures
import dataclasses
import hashlib
import itertools
import json
import pathlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digit_reader.cut import Cut, cuts_of
from digit_reader.errors import NetworkError, PictureError, require
from digit_reader.hints import NONE, Hints
from digit_reader.inputs import Named, named_pictures
from digit_reader.picture import Picture, pages
from digit_reader.prepare import Crop, Segmentation, segment
from digit_reader.processors import processors
from digit_reader.quiet import quietly
from digit_reader.reading import Certainty, Digit, Reading
from digit_reader.thresholds import THRESHOLDS

FOLDER = pathlib.Path(__file__).parent
NETWORK, SETTINGS = FOLDER / "reader.tflite", FOLDER / "reader.json"
AT_ONCE = 32  # pictures
BATCH = 500  # digits classified at a time, which bounds the memory

Outcome = Segmentation | PictureError  # what a page holds, or what is wrong with it
Page = tuple[Picture, Outcome]
Progress = Callable[[int, int], object]  # gets how many are done, and how many there are


@dataclasses.dataclass(frozen=True)
class Settings:
    """The network's temperature, its confidence thresholds, and which network it is."""

    temperature: float
    sure: float  # minimum probability of a digit called sure
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
            message = f"{network.name} is not what {settings.name} describes: restore both"
            raise NetworkError(message)
        with quietly():
            self.interpreter = Interpreter(model_content=content, num_threads=processors())
            self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.output = self.interpreter.get_output_details()[0]["index"]
        self.one_at_a_time = threading.Lock()  # an interpreter holds one batch

    def probabilities(self, images: Sequence[NDArray] | NDArray) -> NDArray[np.float64]:
        """Return calibrated probabilities (n, 10) of images (n, 28, 28) in MNIST's form."""
        starts = range(0, len(images), BATCH)
        batches = [self.answers(images[start : start + BATCH]) for start in starts]
        powers = (np.concatenate(batches) + 1e-12) ** (1 / self.temperature)
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

    def digit(self, crop: Crop, probabilities: NDArray[np.float64]) -> Digit:
        """Return a crop as the digit that its probabilities (10,) say."""
        first, second = (int(digit) for digit in np.argsort(-probabilities)[:2])
        probability = float(probabilities[first])
        place = crop.box, crop.prepared, crop.line, 1, crop.gap
        certainty = self.certainty(probability)
        return Digit(first, probability, second, certainty, probabilities.tolist(), *place)

    def digits(self, crop: Crop, probabilities: NDArray[np.float64], hints: Hints) -> list[Digit]:
        """Return the digit of a crop; or two that touch, where they are likely and it is not."""
        whole = self.digit(crop, among(probabilities, hints.only))
        is_certain = whole.probability >= THRESHOLDS.cut.whole_probability
        if is_certain or crop.ink is None or hints.count == 1:
            return [whole]
        return self.halves(crop, cuts_of(crop.ink), hints) or [whole]

    def halves(self, crop: Crop, cuts: list[Cut], hints: Hints) -> list[Digit]:
        """Return the two digits that likely cuts give, none where no cut is likely.

        Their probabilities are the means over the likely cuts, which are low where those disagree.
        """
        if not cuts:
            return []
        images = [image for cut in cuts for image in cut.halves]
        probabilities = among(self.probabilities(images), hints.only).reshape(-1, 2, 10)
        of_cuts = probabilities.max(2).min(1)
        likely = of_cuts >= THRESHOLDS.cut.half_probability
        if not likely.any():
            return []
        best, means = cuts[of_cuts.argmax()], probabilities[likely].mean(0)
        left, top, right, bottom = crop.box
        middle = left + best.place * (right - left)
        first = Crop((left, top, middle, bottom), best.halves[0], crop.line, crop.gap)
        second = Crop((middle, top, right, bottom), best.halves[1], crop.line, False)
        return [self.digit(half, mean) for half, mean in zip((first, second), means, strict=True)]

    def readings(
        self, names: Sequence[str], outcomes: Sequence[Outcome], hints: Hints = NONE
    ) -> list[Reading]:
        """Return the Reading of each page, given the names of all pages."""
        crops = [c for page in outcomes if isinstance(page, Segmentation) for c in page.digits]
        images = [crop.prepared for crop in crops]
        probabilities = iter(self.probabilities(images) if images else ())

        def reading(name: str, page: Outcome) -> Reading:
            if isinstance(page, PictureError):
                return Reading(name, [], str(page))
            digits = [self.digits(crop, next(probabilities), hints) for crop in page.digits]
            return reading_of(name, page, numbered(itertools.chain(*digits)), hints)

        return [reading(name, page) for name, page in zip(names, outcomes, strict=True)]

    def with_second_look(
        self,
        names: Sequence[str],
        pages: Sequence[Page],
        pool: concurrent.futures.Executor,
        hints: Hints = NONE,
    ) -> list[Reading]:
        """Return the Reading of each page; where a digit is not sure, of a second look.

        That is at pale strokes; it counts where all digits are sure, or surer, and none is lost.
        """
        readings, sure = self.readings(names, [o for _, o in pages], hints), self.settings.sure
        unsure = [n for n, r in enumerate(readings) if r.least < sure and pages[n][0] is not None]
        outcomes = pool.map(lambda n: outcome(pages[n][0], True, hints), unsure)
        second = self.readings([names[n] for n in unsure], [*outcomes], hints)
        for n, reading in zip(unsure, second, strict=True):
            first = readings[n]
            is_surer = len(first.digits) > 1 and reading.least > first.least
            if (reading.least >= sure or is_surer) and len(reading.digits) >= len(first.digits):
                readings[n] = reading
        return readings


def among(probabilities: NDArray[np.float64], only: str) -> NDArray[np.float64]:
    """Return the probabilities (..., 10) when only these digits are possible."""
    possible = probabilities * [str(digit) in only for digit in range(10)]
    return possible / np.maximum(possible.sum(-1, keepdims=True), 1e-12)


def numbered(digits: Iterable[Digit]) -> list[Digit]:
    """Return digits in reading order with each one's place in its line."""
    by_line = itertools.groupby(digits, lambda digit: digit.line)
    return [dataclasses.replace(d, place=n) for _, line in by_line for n, d in enumerate(line, 1)]


def reading_of(name: str, page: Segmentation, digits: list[Digit], hints: Hints) -> Reading:
    """Return the Reading of a page with these digits: none where not one of them is likely."""
    likely = max(digit.probability for digit in digits) >= THRESHOLDS.reading.min_probability
    if not likely and hints.count is None:  # who gives a count says that there are some
        return Reading(name, [], "there is no digit: crop the picture to one")
    note = "; ".join(filter(None, [hints.miscounted(len(digits)), page.note]))
    return Reading(name, digits, note=note, complete=page.complete)


def outcomes(picture: Picture | PictureError, hints: Hints = NONE) -> list[Page]:
    """Return each page of a picture with what it holds, or with what is wrong with it.

    Whatever a decoder raises concerns this picture alone.
    """
    if isinstance(picture, PictureError):
        return [(None, picture)]
    try:
        return [(page, outcome(page, False, hints)) for page in pages(picture)]
    except PictureError as error:
        return [(picture, error)]


def outcome(page: Picture, pale: bool = False, hints: Hints = NONE) -> Outcome:
    """Return what a page holds, or what is wrong with it; pale: see ink_of."""
    try:
        segmentation = segment(page, pale, hints)
        count = len(segmentation.digits)
        many = f"{count} pieces of ink are no number: crop the picture"
        require(count <= THRESHOLDS.reading.max_digits, many)
        return segmentation
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
    with concurrent.futures.ThreadPoolExecutor(processors()) as pool:
        for start in range(0, len(pictures), AT_ONCE):
            some = pictures[start : start + AT_ONCE]
            per_picture = [*pool.map(lambda named: outcomes(named[1], hints), some)]
            names = [
                name if len(its_pages) == 1 else f"{name}, page {number}"
                for (name, _), its_pages in zip(some, per_picture, strict=True)
                for number in range(1, len(its_pages) + 1)
            ]
            flat = [*itertools.chain(*per_picture)]
            readings = reader.with_second_look(names, flat, pool, hints)
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
    """Recognise the digits in pictures: return a Reading for each picture.

    images: a picture (path, bytes, open file, PIL image, array of (h, w) or (h, w, 3)), a stack of
    arrays (n, h, w), MNIST's rows (n, 784), a folder, a pattern such as "~/scans/**/*.png", "-" for
    standard input, or a list of these. reader: the package's own if not given. progress: called
    with how many pictures are done, and how many there are. hints: what is known of the pictures
    beforehand.

    >>> read("digit.jpg")[0].answer
    '9'
    """
    return [reading for _, reading in each_reading(named_pictures(images), reader, progress, hints)]
