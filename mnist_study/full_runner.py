"""The runner of models that are compared beyond the test digits, too."""

from mnist_study.evaluate.evaluation import evaluation
from mnist_study.runners import Experiment, Result, train_and_measure
from mnist_study.train import Trained


def train_and_evaluate_fully(experiment: Experiment) -> tuple[Trained, Result]:
    """Train as the experiment says; return the trained model and the result with its evaluation."""
    measured = train_and_measure(experiment)
    model = measured.trained.model
    return measured.trained, measured.result | evaluation(model, measured.predicted, measured.parts)
