"""The digit reader's training, from its description to its result, in a process of its own.

    python -m mnist_study.reader_trial [model.keras] < description.json > result.json

With a path it also keeps the trained model there.
"""

import contextlib
import json
import sys

import keras
import tensorflow as tf

from mnist_study import data, machine, people, training, trial

PENS = 1_200  # strokes drawn anew for the test


def run(description, path=None):
    """Train the reader as described and return the result, a dictionary fit for JSON.

    Raises ValueError when Keras's MNIST has other images than the description names.
    """
    tf.config.experimental.enable_op_determinism()
    train, test = keras.datasets.mnist.load_data()
    if data.identify(train, test)["sha256"] != description["data"]:
        raise ValueError("Keras's MNIST holds other images than this experiment is about")
    (images, labels), seed = train, description["seed"]
    rows, held = data.split(labels)
    inputs, shares = people.training_set(images[rows], labels[rows], seed)
    recipe = trial.recipe_of(description["recipe"])
    trained = training.train(recipe, inputs, shares, seed=seed)
    if path:
        trained.model.save(path)
    part = {"validation": (data.prepare(images[held]), labels[held])}
    part["uci_validation"] = people.uci_prepared(people.UCI_CALIBRATES)
    part["pens"] = people.pens_prepared(PENS, [seed, 12])
    part["uci_test"] = people.uci_prepared(people.UCI_TESTS)
    part["test"] = (data.prepare(test[0]), test[1])
    record, _ = trial.measure(trained, **part)
    return record | {"training_pictures": len(inputs), "machine": machine.environment()}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # standard output carries the result alone
        result = run(json.load(sys.stdin), *sys.argv[1:])
    json.dump(result, sys.stdout)
