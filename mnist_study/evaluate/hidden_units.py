"""What the units of a first hidden layer do: what excites each, and for which digits it votes."""

import dataclasses

import numpy as np
from jaxtyping import Float

from mnist_study.arrays import Images
from mnist_study.backend import keras
from mnist_study.evaluate.accuracy import BATCH

ACTIVATING = 9  # images shown of each unit


@dataclasses.dataclass(frozen=True)
class Unit:
    """A hidden unit: its weights, the images that activate it most, and its effect on logits."""

    weights: Float[np.ndarray, "28 28"]
    activating: Float[np.ndarray, "9 28 28"]
    votes: int  # the digit whose logit falls most when it is switched off
    opposes: int  # the digit whose logit rises most


def logits(
    model: keras.Model, activations: Float[np.ndarray, "n units"], first: int
) -> Float[np.ndarray, "n 10"]:
    """Return log-probabilities less their mean, from the activations of layer number first on."""
    values = activations
    for layer in model.layers[first + 1 :]:
        values = layer(values, training=False)
    logarithms = np.log(np.asarray(values) + 1e-9)
    return logarithms - logarithms.mean(1, keepdims=True)


def strongest(model: keras.Model, inputs: Images, count: int = 6) -> list[Unit]:
    """Return the units of the first dense layer with the largest outgoing weights.

    model: a keras.Sequential with two dense layers or more. Each unit is switched off once, on all
    inputs, to see for which digit it votes.
    """
    dense = [i for i, layer in enumerate(model.layers) if isinstance(layer, keras.layers.Dense)]
    first, after = (model.layers[i] for i in dense[:2])
    order = np.argsort(-np.linalg.norm(after.kernel.numpy(), axis=1), kind="stable")[:count]
    body = keras.Model(model.inputs[0], first.output)
    activations = body.predict(inputs, batch_size=BATCH, verbose=0)  # pyright: ignore[reportArgumentType]
    whole = logits(model, activations, dense[0])
    units = []
    for unit in order:
        off = activations.copy()
        off[:, unit] = 0
        moved = (whole - logits(model, off, dense[0])).mean(0)
        top = np.argsort(-activations[:, unit], kind="stable")[:ACTIVATING]
        weights = first.kernel.numpy()[:, unit].reshape(28, 28)
        moves = int(moved.argmax()), int(moved.argmin())
        units.append(Unit(weights, inputs[top, ..., 0], *moves))
    return units
