"""Transfer learning: what a network trained on MNIST helps with UCI's digits, with few labels."""

import enum
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sklearn.linear_model

from mnist_study.arrays import Indices
from mnist_study.augment import augment
from mnist_study.backend import keras, tf
from mnist_study.data import one_hot
from mnist_study.evaluate.accuracy import accuracy
from mnist_study.evaluate.uci import TEST, uci_digits
from mnist_study.models import Configuration


class Way(enum.StrEnum):
    """How the trained network helps."""

    AS_IT_IS = "as it is"  # it classifies the digits itself
    FROZEN = "frozen features"  # softmax regression on the output of its last but one layer
    TUNED = "fine-tuned"  # training goes on from its weights
    SCRATCH = "from scratch"  # not at all


class Learner:
    """Learns UCI's digits from few labels, with the help of a network trained on MNIST."""

    def __init__(
        self, network: keras.Model, configuration: Configuration, seed: int, share: float = 1.0
    ):
        """configuration: of the network; share: of the training steps, less for a quick run."""
        self.inputs, self.labels = uci_digits()
        self.seed, self.share, self.network = seed, share, network
        self.copy = configuration.build()
        self.fresh = self.copy.get_weights()
        self.copy.compile("adam", "categorical_crossentropy", steps_per_execution=20)
        self.as_it_is = accuracy(network, self.inputs[TEST], self.labels[TEST])
        body = keras.Model(network.inputs[0], network.layers[-1].input)
        self.features = body(self.inputs, training=False).numpy()

    def score(self, way: Way, indices: Indices) -> float:
        """Return the accuracy on UCI's test digits after learning the labelled ones in that way."""
        if way is Way.AS_IT_IS:
            return self.as_it_is
        if way is Way.FROZEN:
            softmax = sklearn.linear_model.LogisticRegression(max_iter=1_000)
            softmax.fit(self.features[indices], self.labels[indices])
            return float(softmax.score(self.features[TEST], self.labels[TEST]))
        if way is Way.TUNED:
            weights = self.network.get_weights()
            model = self.learn(weights, indices, 0.0003, batch_size=32, steps=40)
        else:
            model = self.learn(self.fresh, indices, 0.003, batch_size=64, steps=50)
        return accuracy(model, self.inputs[TEST], self.labels[TEST])

    def learn(
        self, weights: list[np.ndarray], indices: Indices, rate: float, batch_size: int, steps: int
    ) -> keras.Model:
        """Return a copy of the network, trained from the weights on augmented labelled digits."""
        self.copy.set_weights(weights)
        for variable in self.copy.optimizer.variables:  # forget the training before
            variable.assign(tf.zeros_like(variable))
        self.copy.optimizer.learning_rate = rate
        count = math.ceil(steps * self.share) * batch_size
        some = np.random.default_rng(self.seed).choice(indices, count)
        inputs = augment(self.inputs[some], np.array([self.seed, 0]))
        targets = one_hot(self.labels[some])
        settings: dict[str, Any] = {"shuffle": False, "verbose": 0}  # Keras's stubs know no 0
        self.copy.fit(inputs, targets, batch_size=batch_size, **settings)
        return self.copy

    def draw(self, size: int, number: int) -> Indices:
        """Return the indices of size labelled digits each; equal numbers give equal draws."""
        generator = np.random.default_rng([self.seed, size, number])
        pool = [np.flatnonzero(self.labels[: TEST.start] == digit) for digit in range(10)]
        return np.concatenate([generator.choice(some, size, replace=False) for some in pool])

    def compare(self, sizes: Sequence[int], draws: int) -> list[dict[str, Any]]:
        """Return a list of records: each way with so many labels of each digit, over draws."""
        records = []
        for size, way in itertools.product(sizes, Way):
            scores = [self.score(way, self.draw(size, number)) for number in range(draws)]
            spread = {"accuracy_mean": np.mean(scores), "accuracy_sd": np.std(scores, ddof=1)}
            records.append({"method": way, "examples_per_class": size} | spread)
        return records
