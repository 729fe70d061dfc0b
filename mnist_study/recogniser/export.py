"""The files that digit_reader needs: its networks for LiteRT and the page, its thresholds."""

import base64
import hashlib
import json
import re
import zlib
from typing import Any, NamedTuple

import numpy as np

from digit_reader.files import write_atomically, write_text
from digit_reader.page.build import SOURCES
from digit_reader.reader import LINES, NETWORK, SETTINGS
from mnist_study.backend import keras, tf

PAGE = SOURCES / "model.js"


class Folded(NamedTuple):
    """A layer for the page: its weights, with the batch normalisation after it folded in."""

    stride: int  # of a convolution; 0 of a dense layer
    pool: tuple[int, int] | None  # rows and columns of a maximum before it
    valid: bool  # whether its kernel stays within the height of its input
    weights: np.ndarray
    bias: np.ndarray


def normalised(folded: Folded, layer: Any) -> Folded:
    """Return a layer with the batch normalisation (layer) after it folded in."""
    scale = 1 / np.sqrt(np.asarray(layer.moving_variance) + layer.epsilon)
    scale = scale * np.asarray(layer.gamma) if layer.scale else scale
    bias = (folded.bias - np.asarray(layer.moving_mean)) * scale
    bias = bias + np.asarray(layer.beta) if layer.center else bias
    return folded._replace(weights=folded.weights * scale, bias=bias)


def folded(model: keras.Model) -> list[Folded]:
    """Return a model's layers for the page."""
    layers: list[Folded] = []
    pool = None
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layers[-1] = normalised(layers[-1], layer)
        elif isinstance(layer, keras.layers.MaxPooling2D):
            pool = layer.pool_size
        elif isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            weights = np.asarray(layer.kernel)
            bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(weights.shape[-1])
            stride, valid = getattr(layer, "strides", (0,))[0], is_valid(layer)
            layers.append(Folded(stride, pool, valid, weights, bias))  # pyright: ignore[reportArgumentType]
            pool = None
    return layers


def is_valid(layer: keras.Layer) -> bool:
    """Return whether a layer is a convolution whose kernel stays within its input."""
    return getattr(layer, "padding", "same") == "valid" and layer.kernel_size != (1, 1)


def packed(layers: list[Folded]) -> dict[str, Any]:
    """Return layers fit for JSON, the weights in half precision, compressed, base64."""
    numbers = [part.ravel() for layer in layers for part in (layer.weights, layer.bias)]
    data = np.concatenate(numbers).astype("<f2").view(np.uint8).reshape(-1, 2)
    described = ("stride", "pool", "valid")
    shapes = [
        {name: getattr(folded, name) for name in described} | {"weights": folded.weights.shape}
        for folded in layers
    ]
    weights = base64.b64encode(zlib.compress(data.T.tobytes(), 9)).decode()  # low bytes, then high
    return {"layers": shapes, "weights": weights}


def litert(model: keras.Model) -> bytes:
    """Return a model for LiteRT, its weights in half precision."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def write_networks(digits: keras.Model, lines: keras.Model) -> None:
    """Write the networks for digit_reader and its page, each file whole or not at all.

    digits: classifies one digit. lines: reads a line. Until write_levels is called, everything
    counts as sure.
    """
    for path, model in ((NETWORK, digits), (LINES, lines)):
        content = litert(model)
        write_atomically(path, lambda path, content=content: path.write_bytes(content))
    text = "// Written by `make reader`: networks in half precision, confidence thresholds.\n"
    text += "export const LEVELS = {};\n"
    for name, model in (("NETWORK", digits), ("LINES", lines)):
        text += f"export const {name} = {json.dumps(packed(folded(model)))};\n"
    write_text(PAGE, text)
    write_levels({"temperature": 1.0, "sure": 0.0, "probable": 0.0, "line_sure": 0.0})


def write_levels(levels: dict[str, float]) -> None:
    """Write temperature and confidence thresholds for digit_reader and its page."""
    files = {"network_sha256": NETWORK, "lines_sha256": LINES}
    sums = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    write_text(SETTINGS, json.dumps(levels | sums, indent=1) + "\n")
    page = PAGE.read_text(encoding="utf-8")
    write_text(PAGE, re.sub(r"LEVELS = .*;", f"LEVELS = {json.dumps(levels)};", page))
