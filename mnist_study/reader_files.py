"""The files that digit_reader reads with: its network for LiteRT, for the page, and its levels."""

import base64
import hashlib
import json
import re
import zlib

import keras
import numpy as np
import tensorflow as tf

from digit_reader.files import write_atomically, write_text
from digit_reader.page.build import SOURCES
from digit_reader.reader import NETWORK, SETTINGS

PAGE = SOURCES / "model.js"
HEAD = "// Written by `make reader`: the network in half precision, and its levels of doubt.\n"


def normalised(entry, layer):
    """Return a layer's entry with the batch normalisation after it folded in."""
    scale = 1 / np.sqrt(layer.moving_variance.numpy() + layer.epsilon)
    scale = scale * layer.gamma.numpy() if layer.scale else scale
    bias = (entry["bias"] - layer.moving_mean.numpy()) * scale
    bias = bias + layer.beta.numpy() if layer.center else bias
    return entry | {"values": entry["values"] * scale, "bias": bias}


def folded(model):
    """Return a model's layers for the page: a list of dictionaries with values and bias."""
    layers, pool = [], False
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layers[-1] = normalised(layers[-1], layer)
        elif isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            values = layer.kernel.numpy()
            bias = layer.bias.numpy() if layer.use_bias else np.zeros(values.shape[-1])
            strides = getattr(layer, "strides", (0,))
            layers.append({"stride": strides[0], "pool": pool, "values": values, "bias": bias})
        pool = isinstance(layer, keras.layers.MaxPooling2D) or (
            pool and isinstance(layer, keras.layers.Flatten)
        )
    return layers


def packed(layers):
    """Return layers as a dictionary for JSON, the weights in half precision, compressed, base64."""
    numbers = [np.concatenate([layer["values"].ravel(), layer["bias"]]) for layer in layers]
    data = np.concatenate(numbers).astype("<f2").view(np.uint8).reshape(-1, 2)
    shapes = [
        {"stride": layer["stride"], "pool": layer["pool"], "weights": layer["values"].shape}
        for layer in layers
    ]
    weights = base64.b64encode(zlib.compress(data.T.tobytes(), 9)).decode()  # low bytes, then high
    return {"layers": shapes, "weights": weights}


def litert(model):
    """Return a model as bytes for LiteRT, its weights in half precision."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def write_network(model):
    """Write the network for digit_reader and its page, each file whole or not at all.

    Until write_levels is called it believes everything.
    """
    network = litert(model)
    write_atomically(NETWORK, lambda path: path.write_bytes(network))
    layers = json.dumps(packed(folded(model)))
    write_text(PAGE, f"{HEAD}export const LEVELS = {{}};\nexport const NETWORK = {layers};\n")
    write_levels({"temperature": 1, "sure": 0, "probable": 0})


def write_levels(levels):
    """Write temperature, sure and probable, a dictionary, for digit_reader and its page."""
    sha256 = hashlib.sha256(NETWORK.read_bytes()).hexdigest()
    write_text(SETTINGS, json.dumps(levels | {"network_sha256": sha256}, indent=1) + "\n")
    page = PAGE.read_text(encoding="utf-8")
    write_text(PAGE, re.sub(r"LEVELS = .*;", f"LEVELS = {json.dumps(levels)};", page))
