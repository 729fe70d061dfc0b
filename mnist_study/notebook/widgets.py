"""Sliders for a live Jupyter: corrupt a digit as strongly as you like, and see the prediction."""

import matplotlib.pyplot as plt
import numpy as np
import scipy.special

from mnist_study.arrays import Images
from mnist_study.augment import SHARED
from mnist_study.backend import keras
from mnist_study.evaluate.accuracy import predict
from mnist_study.evaluate.robustness import CORRUPTIONS
from mnist_study.figures.style import bare, colour
from mnist_study.notebook.session import is_live


def show_prediction(model: keras.Model, image: Images, name: str, share: float) -> None:
    """Draw an image (28, 28, 1) under a share of a corruption's full strength, and what follows."""
    [corruption] = [c for c in CORRUPTIONS if c.name == name]
    strength = share * corruption.strengths[-1]
    strength = round(strength) if all(s == int(s) for s in corruption.strengths) else strength
    copies = np.repeat(image[np.newaxis], SHARED, axis=0)
    corrupted = np.asarray(corruption.apply(copies, strength), np.float32) if strength else copies
    _, (left, right) = plt.subplots(1, 2, figsize=(6, 2.2), width_ratios=(1, 2))
    bare(left)
    left.imshow(corrupted[0, ..., 0], cmap="gray_r", vmin=0, vmax=1)
    left.set_title(f"{name}: {strength:.2g}", fontsize=9)
    right.bar(range(10), predict(model, corrupted[:1])[0], color=colour("dense_dropout"))
    right.set(xticks=range(10), ylim=(0, 1), xlabel="digit", ylabel="probability")
    plt.show()


def losses_at(rate: float, x: np.ndarray, y: np.ndarray, steps: int = 50) -> list[float]:
    """Return the loss of softmax regression before each step of gradient descent from zero weights.

    x: float32 (n, 784); y: one-hot (n, 10).
    """
    weights, losses = np.zeros((x.shape[1], 10)), []
    for _ in range(steps):
        predicted = scipy.special.softmax(x @ weights, axis=1)
        losses.append(float(-np.log((predicted * y).sum(1) + 1e-12).mean()))
        weights -= rate * (x.T @ (predicted - y)) / len(x)
    return losses


def learning_rate(x: np.ndarray, y: np.ndarray) -> None:
    """Offer a slider for the learning rate, in Jupyter; elsewhere nothing is shown."""
    if not is_live():
        return
    import ipywidgets

    def show(rate: float) -> None:
        _, axis = plt.subplots(figsize=(5, 2))
        axis.plot(losses_at(rate, x[:5_000], y[:5_000]), color=colour("softmax_regression"))
        axis.set(xlabel="step", ylabel="mean loss", ylim=(0, 4), title=f"learning rate {rate:.2f}")
        plt.show()

    slider = ipywidgets.FloatLogSlider(value=0.5, min=-2, max=1, continuous_update=False)
    ipywidgets.interact(show, rate=slider)


def corruption(model: keras.Model, inputs: Images) -> None:
    """Offer sliders for digit, corruption and strength, in Jupyter; elsewhere nothing is shown."""
    if not is_live():
        return
    import ipywidgets

    ipywidgets.interact(
        lambda digit, kind, strength: show_prediction(model, inputs[digit], kind, strength),
        digit=ipywidgets.IntSlider(value=0, max=len(inputs) - 1, continuous_update=False),
        kind=[corruption.name for corruption in CORRUPTIONS],
        strength=ipywidgets.FloatSlider(value=0.3, max=1, step=0.05, continuous_update=False),
    )
