"""The notebook's exercises, worked out: what their answers say is measured here and kept."""

import dataclasses
import functools
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from digit_reader.files import write_text
from mnist_study import paths
from mnist_study.arrays import Examples, Images
from mnist_study.core import data, evaluate
from mnist_study.core.backend import keras
from mnist_study.core.experiment import load_mnist
from mnist_study.core.models import Recipe, registry
from mnist_study.core.training import train
from mnist_study.records import experiments, saved_model
from mnist_study.story import transfer

KEPT = paths.RESULTS / "exercises.json"
SEED = 1  # one training each: a student sees one, too
Numbers = dict[str, float]


@functools.cache
def parts() -> dict[str, Examples]:
    """Return the study's images and labels: train, validation, test."""
    (images, labels), (test_images, test_labels) = load_mnist()
    rows, held = data.split(data.training_writers())
    inputs = data.normalise(images)
    found = {"train": (inputs[rows], labels[rows]), "validation": (inputs[held], labels[held])}
    return found | {"test": (data.normalise(test_images), test_labels)}


@functools.cache
def saved() -> keras.Model:
    """Return the committed network."""
    return saved_model.load(paths.MODEL)


def learnt(recipe: Recipe, taught: Examples | None = None) -> Numbers:
    """Return training and validation accuracy of a recipe; taught: in place of the study's."""
    inputs, labels = taught or parts()["train"]
    model = train(recipe, inputs, data.one_hot(labels), seed=SEED).model
    of = {"train": (inputs, labels), "validation": parts()["validation"]}
    return {part: evaluate.accuracy(model, *examples) for part, examples in of.items()}


def plain(**options: Any) -> Recipe:
    """Return the plain recipe with some options of its network changed."""
    return dataclasses.replace(registry["classic_mlp"], options=options)


def softmax_steps(rate: float) -> tuple[list[float], np.ndarray]:
    """Return a hundred losses of the notebook's softmax regression, and its test readings."""
    (images, labels), (test_images, _) = load_mnist()
    x, y = images.reshape(-1, 784).astype("float32") / 255, data.one_hot(labels)
    weights, bias, losses = np.zeros((784, 10), "float32"), np.zeros(10, "float32"), []
    for _ in range(100):
        scores = x @ weights + bias
        powers = np.exp(scores - scores.max(1, keepdims=True))
        shares = powers / powers.sum(1, keepdims=True)
        losses.append(float(-np.log(shares[y == 1] + 1e-30).mean()))
        error = shares - y
        weights, bias = weights - rate * (x.T @ error / len(x)), bias - rate * error.mean(0)
    return losses, (test_images.reshape(-1, 784) / 255 @ weights + bias).argmax(1)


def confused() -> Numbers:
    """Return the commonest mistake of softmax regression, and its accuracy."""
    labels, readings = parts()["test"][1], softmax_steps(0.5)[1]
    pairs = 10 * labels[readings != labels].astype(int) + readings[readings != labels]
    counts = np.bincount(pairs, minlength=100)
    label, reading = divmod(int(counts.argmax()), 10)
    found = {"label": label, "reading": reading, "times": int(counts.max())}
    return found | {"test": float(np.mean(readings == labels))}


def rates() -> Numbers:
    """Return the loss after a hundred steps at three learning rates."""
    return {f"{rate:g}": softmax_steps(rate)[0][-1] for rate in (0.05, 0.5, 5)}


def hidden_32() -> Numbers:
    """Return what one hidden layer of 32 units comes to."""

    def small() -> keras.Model:
        layers = [keras.Input((28, 28, 1)), keras.layers.Flatten()]
        layers += [keras.layers.Dense(32, activation="relu"), keras.layers.Dropout(0.2)]
        return keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])

    recipe = dataclasses.replace(plain(), network=small)
    return learnt(recipe) | {"parameters": small().count_params()}


def nonsense_labels() -> Numbers:
    """Return what the plain recipe learns of shuffled labels."""
    inputs, labels = parts()["train"]
    return learnt(plain(), (inputs, np.random.default_rng(SEED).permutation(labels)))


def turned() -> Numbers:
    """Return how much of the test digits is read lying on their side, and the digit read best."""
    inputs, labels = parts()["test"]
    sideways = np.ascontiguousarray(np.rot90(inputs, axes=(1, 2)))
    right = evaluate.probabilities(saved(), sideways).argmax(1) == labels
    by_digit = [right[labels == digit].mean() for digit in range(10)]
    return {"test": float(right.mean()), "best": int(np.argmax(by_digit)), "of": max(by_digit)}


def deformed_more() -> Numbers:
    """Return validation accuracies of the brief recipe as it is and deformed twice as strongly."""
    brief = experiments.BRIEF
    twice = dataclasses.replace(brief, affine=2, elastic=2)
    return {"as it is": learnt(brief)["validation"], "twice": learnt(twice)["validation"]}


def fooled(count: int = 200) -> Numbers:
    """Return how many of the first test digits one pixel of ink makes misread."""
    inputs, labels = (part[:count] for part in parts()["test"])
    turned_by = 0
    for image, label in zip(inputs, labels, strict=True):
        tries = np.repeat(image.reshape(1, 784), 784, axis=0)
        np.fill_diagonal(tries, 1)
        readings = evaluate.probabilities(saved(), tries.reshape(-1, 28, 28, 1)).argmax(1)
        turned_by += bool((readings != label).any())
    return {"fooled": turned_by, "of": count}


def inverted() -> Numbers:
    """Return the accuracy on test digits with black and white swapped."""
    inputs, labels = parts()["test"]
    return {"test": evaluate.accuracy(saved(), 1 - inputs, labels)}


def handed_over(sure: float = 0.9) -> Numbers:
    """Return the share of test digits less sure than that, and the errors among the others."""
    inputs, labels = parts()["test"]
    answers = evaluate.probabilities(saved(), inputs)
    kept = answers.max(1) >= sure
    wrong = answers.argmax(1) != labels
    return {"share": float(1 - kept.mean()), "error": float(wrong[kept].mean())}


def under_noise(deviation: float = 0.15) -> Numbers:
    """Return validation errors under noise of the wide net, taught by clean and noisy digits."""
    wide, (inputs, labels) = experiments.LADDER["step_wide"], parts()["train"]
    held, held_labels = parts()["validation"]
    judged: Images = evaluate.noisy(held, deviation, SEED)
    found = {}
    for name, taught in {"clean": inputs, "noisy": evaluate.noisy(inputs, deviation, 0)}.items():
        model = train(wide, taught, data.one_hot(labels), seed=SEED).model
        found[name] = 1 - evaluate.accuracy(model, judged, held_labels)
    return found


def own_model() -> Numbers:
    """Return validation accuracies of the notebook's own model after 2 and 20 epochs."""

    def my_model() -> keras.Model:
        layers = [keras.Input((28, 28, 1)), keras.layers.Flatten()]
        layers += [keras.layers.Dense(300, activation="relu")]
        return keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])

    of = {str(n): Recipe(my_model, epochs=n, learning_rate=0.01) for n in (2, 20)}
    return {epochs: learnt(recipe)["validation"] for epochs, recipe in of.items()}


def with_cnn() -> Numbers:
    """Return mistakes of dense_dropout, of cnn, and of both averaged; and of frozen features."""
    inputs, labels = parts()["test"]
    recipe, (taught, digits) = registry["cnn"], parts()["train"]
    cnn = train(recipe, taught, data.one_hot(digits), seed=SEED).model
    answers = {
        name: evaluate.probabilities(m, inputs) for name, m in (("dense", saved()), ("cnn", cnn))
    }
    answers["both"] = answers["dense"] + answers["cnn"]
    found = {name: int((a.argmax(1) != labels).sum()) for name, a in answers.items()}
    learner = transfer.Learner(cnn, recipe, SEED)
    rows = [learner.draw(2, number) for number in range(2)]
    scores = [learner.score(transfer.Way.FROZEN, some) for some in rows]
    return found | {"frozen, two labels": float(np.mean(scores))}


ANSWERS: dict[str, Callable[[], Numbers]] = {
    "confused": confused,
    "rates": rates,
    "no_dropout": lambda: learnt(plain(dropout=0)),
    "half_dropout": lambda: learnt(plain(dropout=0.5)),
    "hidden_32": hidden_32,
    "nonsense_labels": nonsense_labels,
    "turned": turned,
    "deformed_more": deformed_more,
    "fooled": fooled,
    "inverted": inverted,
    "handed_over": handed_over,
    "under_noise": under_noise,
    "own_model": own_model,
    "with_cnn": with_cnn,
}


def write() -> None:
    """Work all exercises out, some ten minutes, and keep their numbers."""
    found = {}
    for name, work in ANSWERS.items():
        found[name] = work()
        print(name, found[name], flush=True)
    write_text(KEPT, json.dumps(found, indent=1) + "\n")
