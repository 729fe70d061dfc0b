"""Training to watch: a line for each epoch and a chart that grows; at the end one line stays."""

import time

import matplotlib.pyplot as plt
from IPython.display import Image, Markdown, display

from mnist_study.figures import colour, png
from mnist_study.training import Clock


class LiveChart(Clock):
    """Shows a model's training under its name while it runs, the chart every other second."""

    def __init__(self, name):
        super().__init__()
        self.name, self.errors, self.drawn = name, [], time.perf_counter()
        self.line = display(Markdown(f"**{name}** starts"), display_id=True)
        self.chart = display(Markdown(""), display_id=True)

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        self.errors.append(1 - logs["val_accuracy"])
        progress = f"epoch {epoch + 1} of {self.params['epochs']}"
        accuracy = f"validation accuracy {logs['val_accuracy']:.2%}"
        self.line.update(Markdown(f"**{self.name}**, {progress}: {accuracy}"))
        if time.perf_counter() - self.drawn > 2:
            self.chart.update(Image(png(self.figure())))
            self.drawn = time.perf_counter()

    def on_train_end(self, logs=None):
        said = f"{len(self.errors)} epochs in {self.seconds:.0f} s"
        accuracy = f"validation accuracy {1 - self.errors[-1]:.2%}"
        self.line.update(Markdown(f"**{self.name}**: {said}, {accuracy}"))
        self.chart.update(Markdown(""))

    def figure(self):
        """Return a figure of the share of validation images misread by epoch."""
        figure, axis = plt.subplots(figsize=(6, 2))
        epochs = range(1, len(self.errors) + 1)
        axis.plot(epochs, self.errors, "o-", color=colour(self.name))
        axis.set(title=self.name, xlabel="epoch", ylabel="validation error", yscale="log")
        axis.set(xlim=(0.5, self.params["epochs"] + 0.5))
        return figure
