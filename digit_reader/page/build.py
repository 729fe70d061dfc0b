"""Build the page to draw in: one HTML file that needs no server, the network's weights in it."""

import base64
import json
import pathlib
import re
import sys
import zlib

import numpy as np
import scipy.special

from digit_reader.files import write_atomically
from digit_reader.picture import require
from digit_reader.prepare import CONTRAST
from digit_reader.reader import load_reader, quiet_keras

SOURCES = pathlib.Path(__file__).parent
NAMES = ("index.html", "style.css", "network.js", "prepare.js", "draw.js")  # in imports' order


def normalised(weights, bias, layer):
    """Return a dense layer's weights and bias with the batch normalisation after it folded in."""
    scale = 1 / np.sqrt(layer.moving_variance.numpy() + layer.epsilon)
    scale = scale * layer.gamma.numpy() if layer.scale else scale
    bias = (bias - layer.moving_mean.numpy()) * scale + (layer.beta.numpy() if layer.center else 0)
    return weights * scale, bias


def uncropped(weights, border):
    """Return first weights for all 28×28 pixels; border: ((top, bottom), (left, right)) pixels."""
    (top, bottom), (left, right) = border
    weights = weights.reshape(28 - top - bottom, 28 - left - right, -1)
    return np.pad(weights, [*border, (0, 0)]).reshape(784, -1)


def computes(layers, model):
    """Say whether the layers, ReLU between them and softmax at the end, answer as the model."""
    images = values = np.random.default_rng(1).random((100, 784), np.float32)
    for weights, bias in layers:
        values = np.maximum(values, 0) @ weights + bias
    answers = model(images.reshape(100, 28, 28, 1), training=False)
    return np.allclose(scipy.special.softmax(values, axis=1), answers, atol=1e-3)


def folded(model):
    """Return a dense model as layers (weights (inputs, units), bias (units,)); or ValueError."""
    kinds, layers, border = quiet_keras().layers, [], ()
    others = (kinds.InputLayer, kinds.Flatten, kinds.ReLU, kinds.Activation, kinds.Dropout)
    for layer in model.layers:
        if isinstance(layer, kinds.Dense):
            bias = layer.bias.numpy() if layer.use_bias else np.zeros(layer.units)
            layers.append((layer.kernel.numpy(), bias))
        elif isinstance(layer, kinds.Cropping2D) and not layers:
            border = layer.cropping
        elif isinstance(layer, kinds.BatchNormalization) and layers:
            layers[-1] = normalised(*layers[-1], layer)
        else:
            require(isinstance(layer, others), f"the page has no {type(layer).__name__} layers")
    if border:
        layers[0] = (uncropped(layers[0][0], border), layers[0][1])
    require(computes(layers, model), "the page has dense layers, normalised before ReLU, alone")
    return layers


def packed(layers):
    """Return layers as a dictionary for JSON; the weights as 12 bits, compressed, in base64."""
    scales = [np.abs(weights).max(0).clip(1e-9) / 2047 for weights, _ in layers]
    whole = [np.rint(layer[0] / scale) for layer, scale in zip(layers, scales, strict=True)]
    data = np.concatenate(whole, axis=None).astype("<i2").view(np.uint8).reshape(-1, 2)
    data = zlib.compress(data.T.tobytes())  # all low bytes, then all high ones
    return {
        "sizes": [len(layers[0][0]), *(len(bias) for _, bias in layers)],
        "scales": [scale.tolist() for scale in scales],
        "biases": [bias.tolist() for _, bias in layers],
        "weights": base64.b64encode(data).decode(),
    }


def model_module(model, temperature, threshold):
    """Return model.js as text: what the page's modules take from Python."""
    network = packed(folded(model)) | {"temperature": temperature, "threshold": threshold}
    constants = {"MODEL": network, "CONTRAST": CONTRAST}
    return "".join(f"export const {name} = {json.dumps(constants[name])};\n" for name in constants)


def page_text(model, temperature, threshold):
    """Return the page as text, with its style and, as one script, its modules."""
    text, style, *modules = ((SOURCES / name).read_text(encoding="utf-8") for name in NAMES)
    script = "\n".join([model_module(model, temperature, threshold), *modules])
    script = re.sub(r"(?m)^import .*\n|^export ", "", script)
    text = text.replace('<link rel="stylesheet" href="style.css">', f"<style>\n{style}</style>")
    start, end = text.split(' type="module" src="draw.js">')
    return f'{start}>"use strict";\n{script}{end}'


def write_page(model, path, temperature, threshold):
    """Write the page to path; raises ValueError for a model that a page cannot compute."""
    text = page_text(model, temperature, threshold)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


if __name__ == "__main__":  # for debugging: with model.js, a server can show index.html unbuilt
    (SOURCES / "model.js").write_text(model_module(**vars(load_reader(sys.argv[1]))))
