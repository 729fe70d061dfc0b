"""The notebook's figures: each function returns one with its title and alternative text.

softmax: what an image is to a computer. overfitting: learning curves and hidden units. dense: how
good a dense network gets. mistakes: its errors. limits: what test accuracy hides. use: other
people's digits, and one's own.
"""

from mnist_study.figures.dense import ablation, augmentations, network, time_to_accuracy
from mnist_study.figures.limits import calibration, corrupted, robustness, subgroups
from mnist_study.figures.mistakes import answers, confusion, label_errors, most_sampled, puzzle
from mnist_study.figures.overfitting import hidden_units, learning_curves
from mnist_study.figures.softmax import descent, mean_digits, one_step, samples, weights
from mnist_study.figures.style import Shown, gallery
from mnist_study.figures.use import recognition, transfer

__all__ = ["descent", "mean_digits", "one_step", "samples", "weights"]
__all__ += ["hidden_units", "learning_curves"]
__all__ += ["ablation", "augmentations", "network", "time_to_accuracy"]
__all__ += ["answers", "confusion", "label_errors", "most_sampled", "puzzle"]
__all__ += ["calibration", "corrupted", "robustness", "subgroups"]
__all__ += ["Shown", "gallery", "recognition", "transfer"]
