"""Transfer: what a network taught by MNIST knows of other people's digits, with few labels."""

import itertools
import math

import keras
import numpy as np
import sklearn.datasets
import sklearn.linear_model
import tensorflow as tf

from digit_reader.centre import centre_like_mnist
from mnist_study.data import one_hot
from mnist_study.deform import deform
from mnist_study.training import probabilities

WAYS = ("as it is", "frozen features", "fine-tuned", "from scratch")
POOL = 1_000  # UCI's first digits, of which some are given labels; the others are the test


def uci_digits():
    """Return UCI's digits of 13 other writers: float32 (1797, 28, 28, 1), labels (1797,).

    scikit-learn carries them as 8x8 pixels; they are enlarged and centred as MNIST's were.
    """
    uci = sklearn.datasets.load_digits()
    inputs = np.stack([centre_like_mnist(image) for image in uci.images])
    return inputs[..., np.newaxis], uci.target


def accuracy(model, inputs, labels):
    """Return the share of float32 images (n, 28, 28, 1) that the model reads right."""
    return float(np.mean(probabilities(model, inputs).argmax(1) == labels))


class Learner:
    """Learns UCI's digits from few labels, with the help of a teacher trained on MNIST."""

    def __init__(self, teacher, recipe, seed, share=1.0):
        """share: of the training steps, less for a quick run."""
        self.inputs, self.labels = uci_digits()
        self.seed, self.share, self.teacher, self.student = seed, share, teacher, recipe.build()
        self.fresh = self.student.get_weights()
        self.student.compile("adam", "categorical_crossentropy", steps_per_execution=20)
        body = keras.Model(teacher.inputs[0], teacher.layers[-1].input)
        self.features = body(self.inputs, training=False).numpy()

    def score(self, way, rows):
        """Return the accuracy on UCI's test digits after learning the labelled rows in that way."""
        test = slice(POOL, None)
        if way == "frozen features":
            softmax = sklearn.linear_model.LogisticRegression(max_iter=1_000)
            softmax.fit(self.features[rows], self.labels[rows])
            return softmax.score(self.features[test], self.labels[test])
        model = self.teacher
        if way == "fine-tuned":
            model = self.learn(self.teacher.get_weights(), rows, 0.0003, batch_size=32, steps=40)
        elif way == "from scratch":
            model = self.learn(self.fresh, rows, 0.003, batch_size=64, steps=50)
        return accuracy(model, self.inputs[test], self.labels[test])

    def learn(self, weights, rows, rate, batch_size, steps):
        """Return the student, trained from the weights on the labelled rows, deformed."""
        self.student.set_weights(weights)
        for variable in self.student.optimizer.variables:  # forget the training before
            variable.assign(tf.zeros_like(variable))
        self.student.optimizer.learning_rate = rate
        count = math.ceil(steps * self.share) * batch_size
        some = np.random.default_rng(self.seed).choice(rows, count)
        inputs = deform(self.inputs[some], np.array([self.seed, 0]))
        targets = one_hot(self.labels[some])
        self.student.fit(inputs, targets, batch_size=batch_size, shuffle=False, verbose=0)
        return self.student

    def draw(self, size, number):
        """Return size rows of each digit from the pool: equal numbers give equal draws."""
        generator = np.random.default_rng([self.seed, size, number])
        pool = [np.flatnonzero(self.labels[:POOL] == digit) for digit in range(10)]
        return np.concatenate([generator.choice(rows, size, replace=False) for rows in pool])

    def compare(self, sizes, draws):
        """Return a list of records: each way with so many examples of each digit, over draws."""
        found = []
        for size, way in itertools.product(sizes, WAYS):
            scores = [self.score(way, self.draw(size, number)) for number in range(draws)]
            entry = {"method": way, "examples_per_class": size}
            spread = {"accuracy_mean": np.mean(scores), "accuracy_sd": np.std(scores, ddof=1)}
            found.append(entry | spread)
        return found
