"""What all figures share: colours, galleries, labels, scales, and how a figure is shown."""

import dataclasses
import io
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = {"softmax_regression": "#CC79A7", "baseline_mlp": "#D55E00", "dense_clean": "#56B4E9"}
COLOURS |= {"dense_dropout": "#0072B2", "cnn": "#009E73", "digit_reader": "#E69F00"}
OTHERS = ("#000000", "#999999", "#8B6914")  # of models of one's own, as they come
GREY, DARK_GREY = "#999999", "#555555"  # of uncertain changes, and of what is in the background
own_colours: dict[str, str] = {}
NEARLY_NONE = 1e-5  # added to errors, since a logarithmic scale has no zero
SHADES = 64  # of a stored picture: they look like all colours, at a third of the bytes
WIDTH, SMALL = 5.2, 9.5  # inches, and letters in points: legible on a phone of 390 pixels
Point = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Shown:
    """A figure with its texts wherever it is shown."""

    figure: Figure
    title: str  # its finding, as a sentence
    alt: str  # the alternative text, for those who cannot see the figure
    name: str  # of its file in visualizations/
    recorded: bool = False  # whether it shows recorded results: the full study's in any run


def colour(name: str) -> str:
    """Return a model's colour, the same in every figure; a new model gets the next free one."""
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
    """Remove ticks, frame and grid from an axis that shows a picture."""
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    axis.spines[:].set_visible(False)


def gallery(
    images: Sequence[np.ndarray] | np.ndarray,
    titles: Sequence[str] = (),
    columns: int = 10,
    note: str = "",
    **settings: Any,
) -> Figure:
    """Return a figure of images (h, w), each under its title; settings go to imshow.

    note: lines below them all.
    """
    rows, size = -(-len(images) // columns), WIDTH / columns
    lines = max((title.count("\n") + 1 for title in titles), default=0)
    height = rows * (size + 0.19 * lines) + 0.3 + 0.2 * len(note.splitlines())
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, height), squeeze=False)
    for axis in axes.flat:
        bare(axis)
    for axis, image in zip(axes.flat, images, strict=False):
        axis.imshow(image, **{"cmap": "gray_r"} | settings)
    for axis, title in zip(axes.flat, titles, strict=False):
        axis.set_title(title, fontsize=SMALL)
    figure.supxlabel(note, fontsize=SMALL)
    return figure


def label_point(axis: Axes, text: str, point: Point, offset: Point, shade: str) -> None:
    """Write a text beside a point; offset: in typographic points, to the left if negative."""
    settings: dict[str, Any] = {"fontsize": SMALL, "color": shade, "va": "center"}
    settings["ha"] = "left" if offset[0] > 0 else "right"
    axis.annotate(text, point, offset, textcoords="offset points", **settings)
