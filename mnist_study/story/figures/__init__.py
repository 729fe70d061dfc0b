"""The notebook's figures: each function returns one as it is shown, with title and text.

first: what a digit is to a computer. learning: what a network learns. far: how far a dense net
goes. mistakes: where it fails. limits: what the benchmark hides. use: what can be done with it.
"""

from mnist_study.story.figures.far import deformations, ladder, network, time_to_accuracy
from mnist_study.story.figures.first import descent, mean_digits, one_step, samples, weights
from mnist_study.story.figures.learning import hidden_units, learning_curves
from mnist_study.story.figures.limits import damage, damage_table, trust, who
from mnist_study.story.figures.mistakes import answers, confusion, contested, hard_rows, puzzle
from mnist_study.story.figures.style import Shown, gallery
from mnist_study.story.figures.use import reading, transfer

__all__ = [
    "Shown",
    "answers",
    "confusion",
    "contested",
    "damage",
    "damage_table",
    "deformations",
    "descent",
    "gallery",
    "hard_rows",
    "hidden_units",
    "ladder",
    "learning_curves",
    "mean_digits",
    "network",
    "one_step",
    "puzzle",
    "reading",
    "samples",
    "time_to_accuracy",
    "transfer",
    "trust",
    "weights",
    "who",
]
