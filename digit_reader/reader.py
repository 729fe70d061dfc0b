"""A saved network with what makes its answers honest: load it, save it, read pictures with it."""

import dataclasses
import logging
import os
import pathlib

import h5py
import numpy as np
import scipy.special

from digit_reader.files import write_atomically
from digit_reader.picture import require
from digit_reader.prepare import prepare_digit

# Keras calls HDF5 legacy whenever it saves a model in it, which is done here on purpose.
logging.getLogger("absl").addFilter(lambda record: "HDF5 file via" not in record.getMessage())


@dataclasses.dataclass(frozen=True)
class Reader:
    """A Keras model (n, 28, 28, 1) to (n, 10), its temperature, and the least sure probability."""

    model: object
    temperature: float
    threshold: float


def quiet_keras():
    """Return Keras on TensorFlow, imported without what TensorFlow writes to the terminal."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with pathlib.Path(os.devnull).open("wb") as nowhere, os.fdopen(os.dup(2), "wb") as terminal:
        os.dup2(nowhere.fileno(), 2)
        try:
            import keras
        finally:
            os.dup2(terminal.fileno(), 2)
    return keras


def load_reader(path):
    """Return the Reader in an .h5 file of save_reader; ValueError says what else the file is."""
    require(pathlib.Path(path).is_file(), f"there is no model {str(path)!r}: check the path")
    try:
        with h5py.File(path) as file:
            settings = [float(file.attrs[name]) for name in ("temperature", "threshold")]
        model = quiet_keras().models.load_model(path, compile=False)
        shapes = (model.input_shape[1:], model.output_shape[1:])
        require(shapes == ((28, 28, 1), (10,)), "its model is not from 28×28×1 to 10 numbers")
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{str(path)!r} holds no reader of digits: {error}") from error
    return Reader(model, *settings)


def save_reader(model, path, temperature, threshold):
    """Write the model without its optimiser, its temperature and threshold to path, an .h5 file."""

    def write(temporary):
        model.save(temporary, include_optimizer=False)
        with h5py.File(temporary, "a") as file:
            file.attrs.update(temperature=float(temperature), threshold=float(threshold))

    write_atomically(path, write)


def scaled(probabilities, temperature):
    """Return probabilities (n, 10) with their logarithms divided by the temperature, normalised."""
    return scipy.special.softmax(np.log(probabilities + 1e-12) / temperature, axis=1)


def named(images):
    """Return a picture or a folder, or a list of such, as a list of (name, picture)."""
    found = []
    for place, image in enumerate(images if isinstance(images, (list, tuple)) else [images], 1):
        is_path = isinstance(image, (str, os.PathLike))
        if is_path and (folder := pathlib.Path(image)).is_dir():
            files = [path for path in sorted(folder.glob("[!.]*")) if path.is_file()]
            require(files, f"the folder {str(folder)!r} holds no files: put pictures there")
            found += [(path.name, path) for path in files]
        else:
            found.append((os.fspath(image) if is_path else f"image {place}", image))
    return found


def prepared(name, image):
    """Return the reading of a picture that is not yet read: prepared, or with its problem."""
    reading = dict.fromkeys(("image", "prepared", "digit", "probability", "probabilities"))
    reading |= {"image": name, "sure": False, "problem": ""}
    try:
        return reading | {"prepared": prepare_digit(image)}
    except (ValueError, OSError) as error:
        return reading | {"problem": str(error)}


def read(images, reader):
    """Return what the reader reads in pictures of one digit each: a list of dictionaries.

    images: a picture as prepare_digit takes it, a folder, or a list of these. Keys: image (name),
    prepared (float32 (28, 28)), digit, probability (calibrated), probabilities (of all ten), sure
    (from the threshold on), problem (text, "" if there is none; with one the others are None).
    """
    readings = [prepared(name, image) for name, image in named(images)]
    readable = [reading for reading in readings if not reading["problem"]]
    if readable:
        inputs = np.stack([reading["prepared"] for reading in readable])[..., np.newaxis]
        answers = np.asarray(reader.model(inputs, training=False), float)
        for reading, shares in zip(readable, scaled(answers, reader.temperature), strict=True):
            reading |= {"digit": int(shares.argmax()), "probability": float(shares.max())}
            reading["probabilities"] = shares.tolist()
            reading["sure"] = reading["probability"] >= reader.threshold
    return readings


def answer(reading):
    """Return a reading's digit as text, "not sure: 4?" under the threshold, or its problem."""
    if reading["problem"]:
        return reading["problem"]
    return str(reading["digit"]) if reading["sure"] else f"not sure: {reading['digit']}?"
