"""The runners of models that are compared beyond the test digits, too."""

from mnist_study.evaluate import mnist_c
from mnist_study.evaluate.evaluation import MNIST_C, evaluation, some
from mnist_study.runners import Experiment, Result, train_and_measure
from mnist_study.train import Trained


def train_and_evaluate_fully(experiment: Experiment) -> tuple[Trained, Result]:
    """Train as the experiment says; return the trained model and the result with its evaluation."""
    measured = train_and_measure(experiment)
    model = measured.trained.model
    return measured.trained, measured.result | evaluation(model, measured.predicted, measured.parts)


def train_and_corrupt(experiment: Experiment) -> tuple[Trained, Result]:
    """Train as the experiment says; return the trained model and the result with MNIST-C's rates.

    The digits that are corrupted are those that the experiment is evaluated on.
    """
    measured = train_and_measure(experiment)
    digits = some(*measured.parts[experiment.evaluated_on], MNIST_C)
    return measured.trained, measured.result | mnist_c.error_rates(measured.trained.model, *digits)
