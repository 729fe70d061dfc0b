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

from digit_reader.agreement import (
    Seen,
    agreed,
    digits_of,
    is_sign,
    least_probable,
    signs_in,
    with_gaps,
)
from digit_reader.characters import Character
from digit_reader.errors import NetworkError, PictureError, require
from digit_reader.hints import NONE, Hints
from digit_reader.inputs import Named, named_pictures
from digit_reader.line_image import LineImage
from digit_reader.line_network import LineNetwork
from digit_reader.picture import Picture, pages
from digit_reader.prepare import Crop, Segmentation, segment
from digit_reader.processors import processors
from digit_reader.quiet import quietly
from digit_reader.reading import Certainty, Digit, Reading
from digit_reader.thresholds import THRESHOLDS

FOLDER = pathlib.Path(__file__).parent
NETWORK, SETTINGS = FOLDER / "reader.tflite", FOLDER / "reader.json"
LINES = FOLDER / "lines.tflite"  # the line network
AT_ONCE = 32  # pictures
BATCH = 500  # digits classified at a time, which bounds the memory

Outcome = Segmentation | PictureError  # what a page holds, or what is wrong with it
Page = tuple[Picture, Outcome]
Progress = Callable[[int, int], object]  # gets how many are done, and how many there are


@dataclasses.dataclass(frozen=True)
class Line:
    """What a line says: its digits, and itself as text if it has signs."""

    digits: list[Digit]
    alone: list[Digit]  # what its digits are one by one
    signs: str
    agreed: bool  # whether its digits one by one and the whole line say the same


@dataclasses.dataclass(frozen=True)
class Settings:
    """The network's temperature, its confidence thresholds, and which networks they are for."""

    temperature: float
    sure: float  # minimum probability of a digit called sure
    probable: float
    line_sure: float  # minimum probability in its line of a digit called sure
    network_sha256: str
    lines_sha256: str


class Reader:
    """The networks with their settings; several threads may share one.

    temperature: in place of the settings' own. Raises NetworkError unless its files belong
    together.
    """

    def __init__(
        self,
        network: pathlib.Path = NETWORK,
        settings: pathlib.Path = SETTINGS,
        temperature: float | None = None,
        lines: pathlib.Path = LINES,
    ):
        from ai_edge_litert.interpreter import Interpreter  # late: it takes a tenth of a second

        self.settings = Settings(**json.loads(settings.read_text(encoding="utf-8")))
        self.temperature = temperature or self.settings.temperature
        content = checked(network, self.settings.network_sha256, settings)
        self.lines = LineNetwork(checked(lines, self.settings.lines_sha256, settings))
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

    def digit_of(self, character: Character, image: LineImage, line: int) -> Digit:
        """Return a digit that the line network sees, in its line of that number."""
        first, second = (int(digit) for digit in np.argsort(-character.digits)[:2])
        seen = image.box(character.place), image.around(character.place), line
        certainty = self.certainty(character.probability)
        of_all = character.digits.tolist()
        return Digit(first, character.probability, second, certainty, of_all, *seen)

    def line(self, alone: list[Digit], images: Sequence[LineImage], hints: Hints) -> Line:
        """Return what a line says.

        alone: what its digits are one by one. images: the line, in the sizes in which to try it.
        """
        tried = [(image, self.lines.characters(image, hints.only)) for image in images]
        image, characters = max(tried, key=lambda one: least_probable(one[1]))
        number = alone[0].line if alone else 1
        if hints.count == 1:  # whatever else there is, it is one digit
            characters = digits_of(characters)[:1]
        digits, is_agreed = agreed(
            alone,
            [Seen(c, image.column(c.place), image.reach) for c in characters],
            lambda character: self.digit_of(character, image, number),
            self.settings.line_sure,
        )
        signs = [image.column(c.place) for c in characters if is_sign(c)]
        return Line(with_gaps(digits, signs), alone, signs_in(characters), is_agreed)

    def readings(
        self, names: Sequence[str], outcomes: Sequence[Outcome], hints: Hints = NONE
    ) -> list[Reading]:
        """Return the Reading of each page, given the names of all pages."""
        crops = [c for page in outcomes if isinstance(page, Segmentation) for c in page.digits]
        images = [crop.prepared for crop in crops]
        probabilities = iter(among(self.probabilities(images), hints.only) if images else ())

        def reading(name: str, page: Outcome) -> Reading:
            if isinstance(page, PictureError):
                return Reading(name, [], str(page))
            alone = [self.digit(crop, next(probabilities)) for crop in page.digits]
            by_line = [
                [digit for digit in alone if digit.line == n] for n in range(1, len(page.lines) + 1)
            ]
            lines = [self.line(*one, hints) for one in zip(by_line, page.lines, strict=True)]
            return reading_of(name, page, lines, hints)

        return [reading(name, page) for name, page in zip(names, outcomes, strict=True)]

    def with_second_look(
        self,
        names: Sequence[str],
        pages: Sequence[Page],
        pool: concurrent.futures.Executor,
        hints: Hints = NONE,
    ) -> list[Reading]:
        """Return the Reading of each page; where it is not sure, of a second look.

        That is at pale strokes; it counts where it is sure, or surer, no digit is lost, and it is
        complete if the first was.
        """
        readings = self.readings(names, [o for _, o in pages], hints)
        unsure = [n for n, r in enumerate(readings) if not r.sure and pages[n][0] is not None]
        outcomes = pool.map(lambda n: outcome(pages[n][0], True, hints), unsure)
        second = self.readings([names[n] for n in unsure], [*outcomes], hints)
        for n, reading in zip(unsure, second, strict=True):
            first = readings[n]
            is_surer = len(first.digits) > 1 and reading.least > first.least
            is_whole = len(reading.digits) >= len(first.digits)
            is_whole = is_whole and reading.complete >= first.complete
            if (reading.sure or is_surer) and is_whole:
                readings[n] = reading
        return readings


def checked(network: pathlib.Path, sha256: str, settings: pathlib.Path) -> bytes:
    """Return a network's file, or raise NetworkError where it is not the one of that SHA-256."""
    content = network.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        message = f"{network.name} is not what {settings.name} describes: restore both"
        raise NetworkError(message)
    return content


def among(probabilities: NDArray[np.float64], only: str) -> NDArray[np.float64]:
    """Return the probabilities (..., 10) when only these digits are possible."""
    possible = probabilities * [str(digit) in only for digit in range(10)]
    return possible / np.maximum(possible.sum(-1, keepdims=True), 1e-12)


def numbered(digits: Iterable[Digit]) -> list[Digit]:
    """Return digits in reading order with each one's place in its line."""
    by_line = itertools.groupby(digits, lambda digit: digit.line)
    return [dataclasses.replace(d, place=n) for _, line in by_line for n, d in enumerate(line, 1)]


def reading_of(name: str, page: Segmentation, lines: list[Line], hints: Hints) -> Reading:
    """Return the Reading of a page with these lines: none where not one digit is likely."""
    some = any(line.digits for line in lines)
    digits = numbered(itertools.chain(*(line.digits if some else line.alone for line in lines)))
    highest = max((digit.probability for digit in digits), default=0)
    likely = highest >= THRESHOLDS.reading.min_probability
    if (
        not page.digits
        and min((d.probability for d in digits), default=0) < THRESHOLDS.reading.min_in_frame
    ):
        return Reading(name, [], "there are only lines in the picture: crop it to a digit")
    if not likely and hints.count is None:  # who gives a count says that there are some
        return Reading(name, [], "there is no digit: crop the picture to one")
    signs = " / ".join(line.signs for line in lines if line.signs)
    complete = page.complete and all(line.agreed for line in lines)
    notes = (
        hints.miscounted(len(digits)),
        signs and f"with signs: {signs}",
        "" if page.complete else "left out: ink as high as a digit",
    )
    return Reading(name, digits, note="; ".join(filter(None, notes)), complete=complete)


def outcomes(picture: Picture | PictureError, hints: Hints = NONE) -> list[Page]:
    """Return each page of a picture with what it holds, or with what is wrong with it.

    Whatever a decoder raises concerns this picture alone.
    """
    if isinstance(picture, PictureError):
        return [(None, picture)]
    try:
        return [
            (page, page if isinstance(page, PictureError) else outcome(page, False, hints))
            for page in pages(picture)
        ]
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
