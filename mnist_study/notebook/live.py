"""Training to watch: a line for each epoch and a chart that grows; at the end one line stays."""

import time
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import DisplayHandle, Image, Markdown
from matplotlib.figure import Figure

from mnist_study.backend import keras
from mnist_study.errors import ParameterError
from mnist_study.figures.style import colour, png
from mnist_study.train import Clock, History, Trained

SECONDS = 6  # at least, between two drawings of the chart: one takes a fifth of a second


class LiveChart(Clock):
    """Shows a model's training under its name while it runs, the chart every few seconds."""

    def __init__(self, name: str):
        super().__init__()
        self.name, self.drawn = name, time.perf_counter()
        self.errors: dict[int, float] = {}  # on the validation images, by epoch
        self.line, self.chart = DisplayHandle(), DisplayHandle()
        self.line.display(Markdown(f"**{name}** starts"))
        self.chart.display(Markdown(""))

    def on_train_begin(self, logs: Any = None) -> None:
        if self.errors:  # a second fit would train on, and pass for the first
            again = "run the cell that makes it again before you train it again"
            raise ParameterError(f"{self.name} is trained already: {again}")
        self.epochs = self.params["epochs"]  # pyright: ignore[reportOptionalSubscript]  (is set)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        super().on_epoch_end(epoch, logs)
        if "val_accuracy" not in logs:
            return
        self.errors[epoch + 1] = 1 - logs["val_accuracy"]
        progress = f"epoch {epoch + 1} of {self.epochs}"
        accuracy = f"validation accuracy {logs['val_accuracy']:.2%}"
        self.line.update(Markdown(f"**{self.name}**, {progress}: {accuracy}"))
        if time.perf_counter() - self.drawn > SECONDS:
            self.chart.update(Image(png(self.figure())))
            self.drawn = time.perf_counter()

    def on_train_end(self, logs: Any = None) -> None:
        training = f"{self.epochs} epochs in {self.seconds:.0f} s"
        accuracy = f"validation accuracy {1 - self.errors[self.epochs]:.2%}"
        self.line.update(Markdown(f"**{self.name}**: {training}, {accuracy}"))
        self.chart.update(Markdown(""))

    def trained(
        self, model: keras.Model, history: History, losses: np.ndarray | None = None
    ) -> Trained:
        """Return the model that was watched, with its history and the seconds that it took.

        losses: of each training image, where training drew images by them.
        """
        return Trained(model, history, self.seconds, self.processor_seconds, losses)

    def figure(self) -> Figure:
        """Return a figure of the error rate on validation images by epoch."""
        figure, axis = plt.subplots(figsize=(6, 2))
        axis.plot([*self.errors], [*self.errors.values()], "o-", color=colour(self.name))
        axis.set(title=self.name, xlabel="epoch", ylabel="validation error", yscale="log")
        axis.set(xlim=(0.5, self.epochs + 0.5))
        return figure
