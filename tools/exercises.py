"""Work the notebook's exercises out and record their numbers: make exercises.

results/exercises.json holds what the exercises' answers quote. Each network is trained once, with
one seed, since a student sees one training, too.
"""

import argparse
import dataclasses
import functools
import json
from collections.abc import Callable

import numpy as np

from digit_reader.files import write_text
from mnist_study import data, paths, saved_model
from mnist_study.arrays import Labels
from mnist_study.backend import keras
from mnist_study.cli import in_own_words
from mnist_study.evaluate.accuracy import accuracy, predict
from mnist_study.lock import check_outputs
from mnist_study.models import registry
from mnist_study.train import train

RECORD = paths.RESULTS / "exercises.json"
SEED = 1
STEPS = 100  # of gradient descent in the notebook's softmax regression
Numbers = dict[str, float]

parts = functools.cache(data.examples)  # by name: train, validation, test


@functools.cache
def saved() -> keras.Model:
    """Return the committed network."""
    return saved_model.load(paths.MODEL)


def one_hidden_layer(units: int, dropout: float) -> keras.Model:
    """Return a network of one hidden layer of ReLUs."""
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten()]
    layers += [keras.layers.Dense(units, activation="relu"), keras.layers.Dropout(dropout)]
    return keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])


@functools.cache  # two exercises look at the same training
def softmax_regression(learning_rate: float) -> tuple[list[float], Labels]:
    """Return the losses of softmax regression in NumPy as in the notebook, and what it predicts."""
    inputs, labels = parts()["train"]
    x, y = inputs.reshape(-1, 784), data.one_hot(labels)
    weights, bias, losses = np.zeros((784, 10), "float32"), np.zeros(10, "float32"), []
    for _ in range(STEPS):
        logits = x @ weights + bias
        powers = np.exp(logits - logits.max(1, keepdims=True))  # shifted, so that none overflows
        predicted = powers / powers.sum(1, keepdims=True)
        losses.append(float(-np.log(predicted[y == 1] + 1e-30).mean()))
        error = predicted - y
        weights -= learning_rate * (x.T @ error / len(x))
        bias -= learning_rate * error.mean(0)
    return losses, (parts()["validation"][0].reshape(-1, 784) @ weights + bias).argmax(1)


def confused() -> Numbers:
    """Return the most frequent error of softmax regression on validation digits."""
    labels, predicted = parts()["validation"][1], softmax_regression(0.5)[1]
    wrong = predicted != labels
    pairs = 10 * labels[wrong].astype(int) + predicted[wrong]
    counts = np.bincount(pairs, minlength=100)
    label, prediction = divmod(int(counts.argmax()), 10)
    return {"label": label, "predicted": prediction, "times": int(counts.max())}


def rates() -> Numbers:
    """Return the last loss of softmax regression at three learning rates."""
    return {f"{rate:g}": softmax_regression(rate)[0][-1] for rate in (0.05, 0.5, 5)}


def means() -> Numbers:
    """Return the validation accuracy of the nearest mean, by two distances."""
    (inputs, labels), (others, targets) = parts()["train"], parts()["validation"]
    of_digits = [inputs[labels == digit].mean(0) for digit in range(10)]
    distances = {"squared": np.square, "absolute": np.abs}
    return {
        name: float(
            np.mean(
                np.argmin([of(others - mean).sum((1, 2, 3)) for mean in of_digits], 0) == targets
            )
        )
        for name, of in distances.items()
    }


def hidden_32() -> Numbers:
    """Return the accuracies of one hidden layer of 32 units, and its number of parameters."""
    small = functools.partial(one_hidden_layer, 32, dropout=0.2)
    configuration = dataclasses.replace(registry["baseline_mlp"], network=small)
    inputs, labels = parts()["train"]
    model = train(configuration, inputs, data.one_hot(labels), seed=SEED).model
    measured = {part: accuracy(model, *parts()[part]) for part in ("train", "validation")}
    return measured | {"parameters": model.count_params()}


def rotated() -> Numbers:
    """Return the accuracy on test digits turned by 90 degrees, and the most accurate digit's."""
    inputs, labels = parts()["test"]
    correct = predict(saved(), np.rot90(inputs, axes=(1, 2)).copy()).argmax(1) == labels
    by_digit = [correct[labels == digit].mean() for digit in range(10)]
    return {"test": float(correct.mean()), "best": int(np.argmax(by_digit)), "of": max(by_digit)}


def abstention(threshold: float = 0.9) -> Numbers:
    """Return the share of test digits below a confidence, and the error rate of the others."""
    inputs, labels = parts()["test"]
    predicted = predict(saved(), inputs)
    confident = predicted.max(1) >= threshold
    wrong = predicted.argmax(1) != labels
    return {"share": float(1 - confident.mean()), "error": float(wrong[confident].mean())}


EXERCISES: dict[str, Callable[[], Numbers]] = {
    "means": means,
    "confused": confused,
    "rates": rates,
    "hidden_32": hidden_32,
    "rotated": rotated,
    "abstention": abstention,
}


@in_own_words()
def main(names: list[str]) -> None:
    """Work these exercises out and write their numbers; those of the others stay."""
    check_outputs(RECORD)
    record = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    for name in names:
        record[name] = EXERCISES[name]()
        print(name, record[name], flush=True)
    record = {name: record[name] for name in EXERCISES if name in record}
    write_text(RECORD, json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    help_text = f"all by default: {', '.join(EXERCISES)}"
    parser.add_argument("exercises", nargs="*", metavar="exercise", help=help_text)
    given = parser.parse_args()
    if unknown := {*given.exercises} - {*EXERCISES}:
        parser.error(f"no exercise is called {', '.join(unknown)}")
    main(given.exercises or [*EXERCISES])
