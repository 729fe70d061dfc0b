"""Transfer: what a network taught by MNIST knows of other people's digits, with few labels."""

import enum
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sklearn.linear_model

from mnist_study.arrays import Rows
from mnist_study.core.backend import keras, tf
from mnist_study.core.data import one_hot
from mnist_study.core.deform import deform
from mnist_study.core.evaluate import accuracy
from mnist_study.core.models import Recipe
from mnist_study.reader.uci import TESTS, uci_digits


class Way(enum.StrEnum):
    """How the teacher helps."""

    AS_IT_IS = "as it is"  # it reads the digits itself
    FROZEN = "frozen features"  # a softmax learns on what comes out of its last but one layer
    TUNED = "fine-tuned"  # a student begins with its weights
    SCRATCH = "from scratch"  # not at all


class Learner:
    """Learns UCI's digits from few labels, with the help of a teacher trained on MNIST."""

    def __init__(self, teacher: keras.Model, recipe: Recipe, seed: int, share: float = 1.0):
        """recipe: of the teacher; share: of the training steps, less for a quick run."""
        self.inputs, self.labels = uci_digits()
        self.seed, self.share, self.teacher, self.student = seed, share, teacher, recipe.build()
        self.fresh = self.student.get_weights()
        self.student.compile("adam", "categorical_crossentropy", steps_per_execution=20)
        self.as_it_is = accuracy(teacher, self.inputs[TESTS], self.labels[TESTS])
        body = keras.Model(teacher.inputs[0], teacher.layers[-1].input)
        self.features = body(self.inputs, training=False).numpy()

    def score(self, way: Way, rows: Rows) -> float:
        """Return the accuracy on UCI's test digits after learning the labelled rows in that way."""
        if way is Way.AS_IT_IS:
            return self.as_it_is
        if way is Way.FROZEN:
            softmax = sklearn.linear_model.LogisticRegression(max_iter=1_000)
            softmax.fit(self.features[rows], self.labels[rows])
            return float(softmax.score(self.features[TESTS], self.labels[TESTS]))
        if way is Way.TUNED:
            model = self.learn(self.teacher.get_weights(), rows, 0.0003, batch_size=32, steps=40)
        else:
            model = self.learn(self.fresh, rows, 0.003, batch_size=64, steps=50)
        return accuracy(model, self.inputs[TESTS], self.labels[TESTS])

    def learn(
        self, weights: list[np.ndarray], rows: Rows, rate: float, batch_size: int, steps: int
    ) -> keras.Model:
        """Return the student, trained from the weights on the labelled rows, deformed."""
        self.student.set_weights(weights)
        for variable in self.student.optimizer.variables:  # forget the training before
            variable.assign(tf.zeros_like(variable))
        self.student.optimizer.learning_rate = rate
        count = math.ceil(steps * self.share) * batch_size
        some = np.random.default_rng(self.seed).choice(rows, count)
        inputs = deform(self.inputs[some], np.array([self.seed, 0]))
        targets = one_hot(self.labels[some])
        settings: dict[str, Any] = {"shuffle": False, "verbose": 0}  # Keras's stubs know no 0
        self.student.fit(inputs, targets, batch_size=batch_size, **settings)
        return self.student

    def draw(self, size: int, number: int) -> Rows:
        """Return size rows of each digit from the pool: equal numbers give equal draws."""
        generator = np.random.default_rng([self.seed, size, number])
        pool = [np.flatnonzero(self.labels[: TESTS.start] == digit) for digit in range(10)]
        return np.concatenate([generator.choice(rows, size, replace=False) for rows in pool])

    def compare(self, sizes: Sequence[int], draws: int) -> list[dict[str, Any]]:
        """Return a list of records: each way with so many examples of each digit, over draws."""
        found = []
        for size, way in itertools.product(sizes, Way):
            scores = [self.score(way, self.draw(size, number)) for number in range(draws)]
            entry = {"method": way, "examples_per_class": size}
            spread = {"accuracy_mean": np.mean(scores), "accuracy_sd": np.std(scores, ddof=1)}
            found.append(entry | spread)
        return found
