"""Sliders for a live Jupyter: damage a digit as far as one likes, and see what the net says."""

import os

import matplotlib.pyplot as plt
import numpy as np

from mnist_study.arrays import Images
from mnist_study.core.backend import keras
from mnist_study.core.deform import SHARED
from mnist_study.core.evaluate import probabilities
from mnist_study.story.figures.style import bare, colour
from mnist_study.trials.robustness import DAMAGES


def answer(model: keras.Model, image: Images, kind: str, share: float) -> None:
    """Draw an image (28, 28, 1) under a share of a damage's full strength, and the answer to it."""
    [damage] = [damage for damage in DAMAGES if damage.name == kind]
    strength = share * damage.strengths[-1]
    strength = round(strength) if all(s == int(s) for s in damage.strengths) else strength
    copies = np.repeat(image[np.newaxis], SHARED, axis=0)
    spoilt = np.asarray(damage.spoil(copies, strength), np.float32) if strength else copies
    _, (left, right) = plt.subplots(1, 2, figsize=(6, 2.2), width_ratios=(1, 2))
    bare(left)
    left.imshow(spoilt[0, ..., 0], cmap="gray_r", vmin=0, vmax=1)
    left.set_title(f"{kind}: {strength:.2g}", fontsize=9)
    right.bar(range(10), probabilities(model, spoilt[:1])[0], color=colour("dense_dropout"))
    right.set(xticks=range(10), ylim=(0, 1), xlabel="digit", ylabel="probability")
    plt.show()


def damage(model: keras.Model, inputs: Images) -> None:
    """Offer sliders for digit, damage and strength, in Jupyter; elsewhere nothing is shown."""
    if "JPY_SESSION_NAME" not in os.environ:  # a Jupyter server sets it, nbconvert does not
        return
    import ipywidgets

    ipywidgets.interact(
        lambda digit, kind, strength: answer(model, inputs[digit], kind, strength),
        digit=ipywidgets.IntSlider(value=0, max=len(inputs) - 1, continuous_update=False),
        kind=[damage.name for damage in DAMAGES],
        strength=ipywidgets.FloatSlider(value=0.3, max=1, step=0.05, continuous_update=False),
    )
