"""Read digits in pictures with the network made for it, on LiteRT."""

import concurrent.futures
import contextlib
import glob
import hashlib
import json
import os
import pathlib
import sys

import numpy as np

from digit_reader.picture import require
from digit_reader.prepare import digits_of

FOLDER = pathlib.Path(__file__).parent
NETWORK, SETTINGS = FOLDER / "reader.tflite", FOLDER / "reader.json"
MOST = 99  # digits in one picture: with more it shows no number, but a pattern
BATCH = 500  # digits read at a time, which bounds the memory


class Reader:
    """The network with its temperature and the least probability of each level of doubt.

    Raises ValueError unless its two files belong together.
    """

    def __init__(self, network=NETWORK, settings=SETTINGS):
        from ai_edge_litert.interpreter import Interpreter  # late: it takes a tenth of a second

        content = network.read_bytes()
        self.settings = json.loads(settings.read_text(encoding="utf-8"))
        same = hashlib.sha256(content).hexdigest() == self.settings["network_sha256"]
        require(same, f"{network.name} is not what {settings.name} describes: restore both")
        with quietly():
            self.interpreter = Interpreter(model_content=content, num_threads=os.cpu_count())
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.output = self.interpreter.get_output_details()[0]["index"]

    def probabilities(self, images):
        """Return calibrated probabilities, float (n, 10), of float32 images (n, 28, 28)."""
        starts = range(0, len(images), BATCH)
        with quietly():
            answers = [self.answers(images[start : start + BATCH]) for start in starts]
        powers = (np.concatenate(answers) + 1e-12) ** (1 / self.settings["temperature"])
        return powers / powers.sum(1, keepdims=True)

    def answers(self, images):
        """Return the network's own probabilities, float (n, 10), of images (n, 28, 28)."""
        self.interpreter.resize_tensor_input(self.input, (len(images), 28, 28, 1))
        self.interpreter.allocate_tensors()
        self.interpreter.set_tensor(self.input, np.asarray(images, np.float32)[..., None])
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.output).astype(float)

    def certainty(self, probability):
        """Return "sure", "probable" or "doubt"."""
        levels = ("sure", "probable")
        return next((level for level in levels if probability >= self.settings[level]), "doubt")


@contextlib.contextmanager
def quietly():
    """Let nothing of what LiteRT says through to the terminal."""
    with pathlib.Path(os.devnull).open("wb") as nowhere, os.fdopen(os.dup(2), "wb") as terminal:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal.fileno(), 2)


def in_words(digit):
    """Return an answer as people say it: "9", "probably 9" or "9 or 3?"."""
    if digit["certainty"] == "doubt":
        return f"{digit['digit']} or {digit['runner_up']}?"
    return f"{'probably ' * (digit['certainty'] == 'probable')}{digit['digit']}"


def pictures_of(images):
    """Return what to read as a list of (name, picture or ValueError); see read."""
    found = []
    for place, image in enumerate(images if isinstance(images, (list, tuple)) else [images], 1):
        if not isinstance(image, (str, os.PathLike)):
            found.append((f"image {place}", image))
        elif os.fspath(image) == "-":
            found.append(("standard input", sys.stdin.buffer.read()))
        elif pathlib.Path(image).is_dir():
            files = [str(p) for p in sorted(pathlib.Path(image).glob("[!.]*")) if p.is_file()]
            empty = ValueError("the folder holds no files: put pictures there")
            found += [(path, path) for path in files] or [(str(image), empty)]
        elif glob.has_magic(str(image)) and not pathlib.Path(image).exists():
            none = ValueError("no file fits this pattern: check the path")
            paths = sorted(glob.glob(str(image)))  # noqa: PTH207  (absolute patterns, too)
            found += [(path, path) for path in paths] or [(str(image), none)]
        else:
            found.append((str(image), image))
    return found


def prepared(picture):
    """Return the Digits of a picture, or the error that says what is wrong with it."""
    if isinstance(picture, ValueError):
        return picture
    try:
        digits = digits_of(picture)
        require(len(digits) <= MOST, f"{len(digits)} pieces of ink are no number: crop the picture")
        return digits
    except (ValueError, OSError, MemoryError) as error:
        return error


def entry(digit, shares, reader):
    """Return what is said of one digit with its probabilities (10,), a dictionary."""
    first, second = (int(place) for place in np.argsort(-shares)[:2])
    found = {"digit": first, "probability": float(shares[first]), "runner_up": second}
    found |= {"certainty": reader.certainty(shares[first]), "probabilities": shares.tolist()}
    return found | {"box": digit.box, "prepared": digit.prepared}


def reading(name, found, problem):
    """Return what is said of one picture with its digits' entries; see read."""
    sure = bool(found) and all(digit["certainty"] == "sure" for digit in found)
    words = ("" if sure else ", ").join(map(in_words, found))
    keys = ("digit", "probability", "runner_up", "certainty", "probabilities", "prepared")
    single = found[0] if len(found) == 1 else {}
    return {"image": name, "answer": words, "sure": sure, "digits": found, "problem": problem} | {
        key: single.get(key) for key in keys
    }


def read_pictures(pictures, reader=None, progress=None):
    """Read pictures given as pairs (name, picture); see read."""
    reader, all_digits = reader or Reader(), []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for digits in pool.map(prepared, [picture for _, picture in pictures]):
            all_digits.append(digits)
            if progress:
                progress(len(all_digits), len(pictures))
    flat = [digit.prepared for digits in all_digits if isinstance(digits, list) for digit in digits]
    shares, readings = iter(reader.probabilities(flat) if flat else ()), []
    for (name, _), digits in zip(pictures, all_digits, strict=True):
        known = digits if isinstance(digits, list) else []
        found = [entry(digit, next(shares), reader) for digit in known]
        readings.append(reading(name, found, "" if found else str(digits)))
    return readings


def read(images, reader=None, progress=None):
    """Read the digits in pictures: return a list of dictionaries, one for each picture.

    images: a picture (path, bytes, PIL image, array of (h, w) or (h, w, 3)), a folder, a pattern
    such as "scans/*.png", "-" for standard input, or a list of these. reader: a Reader, by default
    the package's own. progress: called with how many are prepared, and how many there are.

    Keys: image (its name), answer ("9", "probably 9", "9 or 3?", "42"), sure (of every digit),
    problem (what is wrong with the picture and what to do, or ""), digits (in reading order; each a
    dictionary of digit, probability, runner_up, certainty ("sure", "probable" or "doubt"),
    probabilities (of all ten), box (left, top, right, bottom as shares of the picture), prepared
    (float32 (28, 28))), and the same keys of the digit where there is just one, else None.

    >>> read("digit.jpg")[0]["answer"]
    '9'
    """
    return read_pictures(pictures_of(images), reader, progress)
