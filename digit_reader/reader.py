"""Read digits in pictures with the network made for it, on LiteRT."""

import concurrent.futures
import dataclasses
import glob
import hashlib
import json
import os
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digit_reader.errors import NetworkError, PictureError, require
from digit_reader.picture import Picture
from digit_reader.prepare import Cutout, digits_of
from digit_reader.quiet import quietly
from digit_reader.reading import Certainty, Digit, Reading

FOLDER = pathlib.Path(__file__).parent
NETWORK, SETTINGS = FOLDER / "reader.tflite", FOLDER / "reader.json"
MOST = 99  # digits in one picture: with more it shows no number, but a pattern
BATCH = 500  # digits read at a time, which bounds the memory

Named = tuple[str, Any]  # a picture, or the PictureError in its place, by name
Progress = Callable[[int, int], object]  # told how many are prepared, and how many there are


@dataclasses.dataclass(frozen=True)
class Settings:
    """The network's temperature, the least probability of each level, and which network it is."""

    temperature: float
    sure: float
    probable: float
    network_sha256: str


class Reader:
    """The network with its settings.

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
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.output = self.interpreter.get_output_details()[0]["index"]

    def probabilities(self, images: Sequence[NDArray] | NDArray) -> NDArray[np.float64]:
        """Return calibrated probabilities (n, 10) of images (n, 28, 28) in MNIST's form."""
        starts = range(0, len(images), BATCH)
        with quietly():
            answers = [self.answers(images[start : start + BATCH]) for start in starts]
        powers = (np.concatenate(answers) + 1e-12) ** (1 / self.temperature)
        return powers / powers.sum(1, keepdims=True)

    def answers(self, images: Sequence[NDArray] | NDArray) -> NDArray[np.float64]:
        """Return the network's own probabilities (n, 10) of images (n, 28, 28)."""
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
        return Digit(first, probability, second, sure, shares.tolist(), cutout.box, cutout.prepared)


def named_pictures(images: Any) -> list[Named]:
    """Return what to read, each with its name: a picture, or what is wrong; see read."""
    found: list[Named] = []
    for place, image in enumerate(images if isinstance(images, (list, tuple)) else [images], 1):
        if not isinstance(image, (str, os.PathLike)):
            found.append((f"image {place}", image))
        elif os.fspath(image) == "-":
            found.append(("standard input", sys.stdin.buffer.read()))
        elif pathlib.Path(image).is_dir():
            files = [str(p) for p in sorted(pathlib.Path(image).glob("[!.]*")) if p.is_file()]
            empty = PictureError("the folder holds no files: put pictures there")
            found += [(path, path) for path in files] or [(str(image), empty)]
        elif glob.has_magic(str(image)) and not pathlib.Path(image).exists():
            none = PictureError("no file fits this pattern: check the path")
            paths = sorted(glob.glob(str(image)))  # noqa: PTH207  (absolute patterns, too)
            found += [(path, path) for path in paths] or [(str(image), none)]
        else:
            found.append((str(image), image))
    return found


def cutouts(picture: Picture | PictureError) -> list[Cutout] | Exception:
    """Return the digits of a picture, or the error that says what is wrong with it."""
    if isinstance(picture, PictureError):
        return picture
    try:
        found = digits_of(picture)
        require(len(found) <= MOST, f"{len(found)} pieces of ink are no number: crop the picture")
        return found
    except (ValueError, OSError, MemoryError) as error:
        return error


def read_pictures(
    pictures: Sequence[Named], reader: Reader | None = None, progress: Progress | None = None
) -> list[Reading]:
    """Read pictures given with their names; see read."""
    reader, all_found = reader or Reader(), []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(cutouts, [picture for _, picture in pictures]):
            all_found.append(found)
            if progress:
                progress(len(all_found), len(pictures))
    flat = [cutout.prepared for f in all_found if isinstance(f, list) for cutout in f]
    shares, readings = iter(reader.probabilities(flat) if flat else ()), []
    for (name, _), found in zip(pictures, all_found, strict=True):
        if isinstance(found, list):
            digits = [reader.read(cutout, next(shares)) for cutout in found]
            readings.append(Reading(name, digits))
        else:
            readings.append(Reading(name, [], str(found)))
    return readings


def read(
    images: Any, reader: Reader | None = None, progress: Progress | None = None
) -> list[Reading]:
    """Read the digits in pictures: return a Reading for each picture.

    images: a picture (path, bytes, PIL image, array of (h, w) or (h, w, 3)), a folder, a pattern
    such as "scans/*.png", "-" for standard input, or a list of these. reader: the package's own if
    not given. progress: called with how many are prepared, and how many there are.

    >>> read("digit.jpg")[0].answer
    '9'
    """
    return read_pictures(named_pictures(images), reader, progress)
