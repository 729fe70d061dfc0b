"""What all figures share: colours, galleries, scales, and how one is shown."""

import dataclasses
import io
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = {"softmax_regression": "#CC79A7", "classic_mlp": "#D55E00"}
COLOURS |= {"dense_dropout": "#0072B2", "cnn": "#009E73", "digit_reader": "#E69F00"}
OTHERS = ("#56B4E9", "#000000", "#999999")  # of models of one's own, as they come
GREY, DARK_GREY = "#999999", "#555555"  # of what is no finding, and of what others measured
own_colours: dict[str, str] = {}
MARKS = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005)  # of a scale of errors
NEARLY_NONE = 1e-5  # added to errors, since a logarithm has no zero
SHADES = 64  # of a stored picture: hardly to be told from all of them, at a third of the bytes


@dataclasses.dataclass(frozen=True)
class Shown:
    """A figure with what goes with it wherever it is shown."""

    figure: Figure
    title: str  # what it shows, as a sentence
    alt: str  # what is to be seen in it, for those who cannot see it
    name: str  # of its file in visualizations/
    kept: bool = False  # whether it shows kept trainings, which are of the full study in any run


def colour(name: str) -> str:
    """Return a model's colour, the same in every figure; one of one's own gets the next free."""
    if name in COLOURS:
        return COLOURS[name]
    return own_colours.setdefault(name, OTHERS[len(own_colours) % len(OTHERS)])


def png(figure: Figure) -> bytes:
    """Return the figure as PNG bytes of SHADES colours, and close it."""
    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png")
    plt.close(figure)
    picture = PIL.Image.open(full).convert("RGB")
    picture.quantize(SHADES, PIL.Image.Quantize.MAXCOVERAGE).save(small, "png", optimize=True)
    return small.getvalue()


def bare(axis: Axes) -> None:
    """Take ticks, frame and grid off the axis, which shows a picture."""
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    axis.spines[:].set_visible(False)


def gallery(
    images: Sequence[np.ndarray] | np.ndarray,
    titles: Sequence[str] = (),
    columns: int = 10,
    size: float = 0.8,
    row_names: Iterable[str] = (),
    **settings: Any,
) -> Figure:
    """Return a figure of images (h, w) in rows, each under its title; settings go to imshow.

    size: of an image, in inches.
    """
    rows = -(-len(images) // columns)
    lines = max((title.count("\n") + 1 for title in titles), default=0)
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * size, rows * (size + 0.17 * lines) + 0.3), squeeze=False
    )
    for axis in axes.flat:
        bare(axis)
    for axis, image in zip(axes.flat, images, strict=False):
        axis.imshow(image, **{"cmap": "gray_r"} | settings)
    for axis, title in zip(axes.flat, titles, strict=False):
        axis.set_title(title, fontsize=8)
    for axis, name in zip(axes[:, 0], row_names, strict=False):
        axis.set_ylabel(name)
    return figure


def error_scale(axis: Axes, low: float, high: float, which: Literal["x", "y"] = "y") -> None:
    """Give the axis a logarithmic scale of errors from high down to low, labelled as accuracies."""
    marks = [error for error in MARKS if low <= error <= high]
    axis.set(**{f"{which}scale": "log", f"{which}lim": (high, low), f"{which}ticks": marks})
    getattr(axis, f"{which}axis").set_major_formatter(lambda error, _: f"{100 * (1 - error):.4g}%")
    axis.minorticks_off()
