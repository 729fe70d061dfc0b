"""One experiment, from its description to its result, in a process of its own.

    python -m mnist_study.trial < description.json > result.json

A process for each training keeps seeds exact, memory small and imports fresh.
"""

import contextlib
import json
import sys

import keras
import numpy as np
import tensorflow as tf

from mnist_study import data, machine, models, training


def judge(model, inputs, labels):
    """Return a model's answers to float32 images, float32 (n, 10), and how far they agree.

    The second is a dictionary: accuracy, and the mean cross-entropy as loss.
    """
    answers = training.probabilities(model, inputs)
    loss = keras.losses.categorical_crossentropy(data.one_hot(labels), answers)
    accuracy = float(np.mean(answers.argmax(1) == labels))
    return answers, {"accuracy": accuracy, "loss": float(np.mean(loss))}


def measure(trained, **parts):
    """Return the record of a trained model, and its answers to each part by name.

    parts: pairs of float32 images (n, 28, 28, 1) and labels (n,), such as validation=…
    """
    record = {"parameters": trained.model.count_params(), "fit_seconds": trained.fit_seconds}
    record["weights_sha256"] = data.digest(trained.model.get_weights())
    answers = {}
    for part, (inputs, labels) in parts.items():
        answers[part], found = judge(trained.model, inputs, labels)
        record |= {f"{part}_{name}": value for name, value in found.items()}
    return record, answers


def noisy(inputs, deviation, seed):
    """Return float32 images with Gaussian noise of that standard deviation, within [0, 1]."""
    noise = np.random.default_rng(seed).normal(0, deviation, inputs.shape)
    return np.clip(inputs + noise, 0, 1).astype("float32")


def recipe_of(settings):
    """Return the Recipe of settings in which the network is named; see results.describe."""
    network = models.registry[settings["network"]].network
    return models.Recipe(**settings | {"network": network})


def run(description):
    """Train as described and return the result, a dictionary fit for JSON.

    Raises ValueError when Keras's MNIST has other images than the description names.
    """
    tf.config.experimental.enable_op_determinism()
    train, test = keras.datasets.mnist.load_data()
    if data.identify(train, test)["sha256"] != description["data"]:
        raise ValueError("Keras's MNIST holds other images than this experiment is about")
    images, labels = data.prepare(train[0]), train[1]
    rows, held = data.split(labels, kind=description["rows"], seed=description["seed"])
    part = {"train": (images[rows], labels[rows]), "validation": (images[held], labels[held])}
    part["noisy"] = (noisy(images[held], 0.15, description["seed"]), labels[held])
    pairs = {name: (inputs, data.one_hot(labels)) for name, (inputs, labels) in part.items()}
    validation = pairs["validation"] if description["watch"] else None
    recipe = recipe_of(description["recipe"])
    trained = training.train_nets(recipe, *pairs["train"], validation, description["seed"])
    if description["judged_on"] == "test":
        part["test"] = (data.prepare(test[0]), test[1])
    record, answers = measure(trained, **part)
    if "test" in part:
        read = answers["test"].argmax(1)
        record["misread"] = np.flatnonzero(read != test[1]).tolist()
        record["read_as"] = read[record["misread"]].tolist()
    return record | {"history": trained.history, "machine": machine.environment()}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # standard output carries the result alone
        result = run(json.load(sys.stdin))
    json.dump(result, sys.stdout)
