"""The notebook's figures: each function returns one with its title and alternative text.

softmax: pixels and softmax regression. networks: backpropagation, a sliding filter. overfitting:
learning curves and hidden units. dense: the better network. mistakes: its errors. limits: what test
accuracy hides. use: other people's digits, and one's own.
"""

from mnist_study.figures.dense import ablation, augmentations, schedule
from mnist_study.figures.limits import (
    calibration,
    corrupted,
    families,
    mnist_c_errors,
    robustness,
    subgroups,
)
from mnist_study.figures.mistakes import answers, confusion, label_errors, most_sampled, puzzle
from mnist_study.figures.networks import backpropagation, sliding_filter
from mnist_study.figures.overfitting import hidden_units, learning_curves, one_curve
from mnist_study.figures.softmax import (
    descent,
    loss_curve,
    mean_digits,
    one_step,
    pixels,
    samples,
    weights,
)
from mnist_study.figures.style import Shown, gallery
from mnist_study.figures.use import recognition, transfer

__all__ = ["descent", "loss_curve", "mean_digits", "one_step", "pixels", "samples", "weights"]
__all__ += ["backpropagation", "hidden_units", "learning_curves", "one_curve", "sliding_filter"]
__all__ += ["ablation", "augmentations", "schedule"]
__all__ += ["answers", "confusion", "label_errors", "most_sampled", "puzzle"]
__all__ += ["calibration", "corrupted", "families", "mnist_c_errors", "robustness", "subgroups"]
__all__ += ["Shown", "gallery", "recognition", "transfer"]
