"""The files that digit_reader needs: its network for LiteRT and for the page, its thresholds."""

import base64
import hashlib
import json
import re
import zlib
from typing import Any, NamedTuple

import numpy as np

from digit_reader.files import write_atomically, write_text
from digit_reader.page.build import SOURCES
from digit_reader.reader import NETWORK, SETTINGS
from mnist_study.backend import keras, tf

PAGE = SOURCES / "model.js"


class Folded(NamedTuple):
    """A layer for the page: its weights, with the batch normalisation after it folded in."""

    stride: int  # of a convolution; 0 of a dense layer
    pool: bool  # whether a maximum over 2×2 comes before it
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
    pool = False
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layers[-1] = normalised(layers[-1], layer)
        elif isinstance(layer, keras.layers.MaxPooling2D):
            pool = True
        elif isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            weights = np.asarray(layer.kernel)
            bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(weights.shape[-1])
            layers.append(Folded(getattr(layer, "strides", (0,))[0], pool, weights, bias))
            pool = False
    return layers


def packed(layers: list[Folded]) -> dict[str, Any]:
    """Return layers fit for JSON, the weights in half precision, compressed, base64."""
    numbers = [part.ravel() for layer in layers for part in (layer.weights, layer.bias)]
    data = np.concatenate(numbers).astype("<f2").view(np.uint8).reshape(-1, 2)
    shapes = [{"stride": f.stride, "pool": f.pool, "weights": f.weights.shape} for f in layers]
    weights = base64.b64encode(zlib.compress(data.T.tobytes(), 9)).decode()  # low bytes, then high
    return {"layers": shapes, "weights": weights}


def litert(model: keras.Model) -> bytes:
    """Return a model for LiteRT, its weights in half precision."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def write_network(model: keras.Model) -> None:
    """Write the network for digit_reader and its page, each file whole or not at all.

    Until write_levels is called, everything counts as sure.
    """
    network = litert(model)
    write_atomically(NETWORK, lambda path: path.write_bytes(network))
    head = "// Written by `make reader`: the network in half precision, its confidence thresholds."
    layers = json.dumps(packed(folded(model)))
    write_text(PAGE, f"{head}\nexport const LEVELS = {{}};\nexport const NETWORK = {layers};\n")
    write_levels({"temperature": 1.0, "sure": 0.0, "probable": 0.0})


def write_levels(levels: dict[str, float]) -> None:
    """Write temperature and confidence thresholds, sure and probable, for digit_reader and page."""
    sha256 = hashlib.sha256(NETWORK.read_bytes()).hexdigest()
    write_text(SETTINGS, json.dumps(levels | {"network_sha256": sha256}, indent=1) + "\n")
    page = PAGE.read_text(encoding="utf-8")
    write_text(PAGE, re.sub(r"LEVELS = .*;", f"LEVELS = {json.dumps(levels)};", page))
