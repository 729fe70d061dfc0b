"""MNIST-C: fifteen corruptions of digits at fixed strength, by the definitions of its paper.

Source: Mu and Gilmer 2019, arXiv 1906.02337. Written anew; the draws differ from the published
arrays, which `make mnist-c MNIST_C=FOLDER` evaluates. Images are float32, 0 to 1.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.ndimage as ndimage
from jaxtyping import Bool, Float, Float32

from mnist_study.arrays import Images, Labels
from mnist_study.backend import keras
from mnist_study.evaluate.accuracy import accuracy
from mnist_study.evaluate.batch_statistics import normalisations, reestimated

Pictures = Float32[np.ndarray, "n 28 28"]
Draws = np.random.Generator
Drawn = Float[np.ndarray, "n"]
Points = Float[np.ndarray, "n 2"]
SIDE, CENTRE = 28, 13.5
PLACES = np.arange(SIDE)
CLOUD, CLOUDS, DECAY = 256, 100, 1.4  # pixels on a side, clouds at a time, roughness by scale
SMOOTHED, LOW, HIGH = 1.0, 0.1, 0.2  # Canny's Gaussian in pixels, and his thresholds
NEIGHBOURS = np.zeros((3, 3, 3), bool)  # within each image, diagonals too
NEIGHBOURS[1] = True


def gaussian(pictures: np.ndarray, deviation: float, mode: Any = "nearest") -> np.ndarray:
    """Return each picture blurred by a Gaussian of that standard deviation, in pixels."""
    return ndimage.gaussian_filter(pictures, (0, deviation, deviation), mode=mode)


def signs(count: int, draws: Draws) -> Drawn:
    """Return as many random signs, 1 or -1."""
    return draws.choice([-1.0, 1.0], count)


def shot_noise(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return Poisson noise: three counts for the brightest pixel."""
    return draws.poisson(3 * pictures.astype(float)) / 3


def impulse_noise(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return pictures in which 17% of the pixels are black or white."""
    hit, white = draws.random(pictures.shape) < 0.17, draws.random(pictures.shape) < 0.5
    return np.where(hit, white, pictures)


def glass_blur(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return pictures, half of whose pixels swap with a neighbour, between two slight blurs."""
    blurred, every = gaussian(pictures, 0.7), np.arange(len(pictures))
    for _ in range(2):
        for row in range(SIDE - 1, 1, -1):
            for column in range(SIDE - 1, 1, -1):
                swaps = draws.random(len(pictures)) < 0.5
                down, right = draws.integers(-1, 1, (2, len(pictures))) * swaps
                other = every, row + down, column + right
                here = blurred[:, row, column].copy()
                blurred[:, row, column] = blurred[other]
                blurred[other] = here
    return gaussian(blurred, 0.7)


def motion_blur(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return pictures smeared to one side, 21 pixels with Gaussian weights, at up to 45 degrees."""
    angle = np.radians(draws.uniform(-45, 45, len(pictures)))[:, np.newaxis]
    every = np.arange(len(pictures))[:, np.newaxis, np.newaxis]
    weights = np.exp(-(np.arange(21) ** 2) / (2 * 3.0**2))
    smeared = np.zeros(pictures.shape)
    for step, weight in enumerate(weights / weights.sum()):
        rows = PLACES + np.round(step * np.sin(angle)).astype(int)
        columns = PLACES + np.round(step * np.cos(angle)).astype(int)
        rows, columns = (np.clip(at, 0, SIDE - 1) for at in (rows, columns))
        smeared += weight * pictures[every, rows[:, :, np.newaxis], columns[:, np.newaxis]]
    return smeared


def mapped(
    pictures: Pictures, turn: Float[np.ndarray, "n 2 2"], shift: Float[np.ndarray, "n 2"]
) -> np.ndarray:
    """Return pictures whose pixels come from turn times their position, plus shift; 0 beyond.

    Positions are (row, column) from the centre, in pixels.
    """
    result = np.empty_like(pictures)
    for picture, matrix, by, into in zip(pictures, turn, shift, result, strict=True):
        offset = CENTRE - matrix @ np.full(2, CENTRE) + by
        ndimage.affine_transform(picture, matrix, offset, output=into, order=1)
    return result


def linear(pictures: Pictures, matrices: np.ndarray) -> np.ndarray:
    """Return pictures whose pixels come from a matrix times their position."""
    return mapped(pictures, matrices, np.zeros((len(pictures), 2)))


def shear(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return pictures sheared by 0.4 radians, to either side."""
    slope = math.tan(0.4)
    to = signs(len(pictures), draws)
    return linear(pictures, np.array([[[1, 0], [slope * side, 1]] for side in to]))


def scale(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return pictures at 0.7 of their size."""
    return linear(pictures, np.tile(np.eye(2) / 0.7, (len(pictures), 1, 1)))


def rotate(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return pictures rotated by 0.4 radians, either way."""
    sine, cosine = math.sin(0.4), math.cos(0.4)
    turns = [[[cosine, sine * to], [-sine * to, cosine]] for to in signs(len(pictures), draws)]
    return linear(pictures, np.array(turns))


def translate(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return pictures shifted by three pixels, up or down and left or right."""
    by = np.stack([3 * signs(len(pictures), draws), 3 * signs(len(pictures), draws)], 1)
    return mapped(pictures, np.tile(np.eye(2), (len(pictures), 1, 1)), by)


def brightness(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return pictures with half of full scale added."""
    return pictures + 0.5


def stripe(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return pictures with seven columns inverted on either side."""
    columns = np.arange(SIDE)
    return np.where((columns < 7) | (columns >= 21), 1 - pictures, pictures)


def clouds(count: int, draws: Draws) -> Float[np.ndarray, "n 28 28"]:
    """Return corners of fractal clouds of CLOUD pixels a side, from 0 to 1, wrapped at the edges.

    They are made by the diamond-square algorithm, some at a time to bound the memory.
    """
    parts = [min(CLOUDS, count - done) for done in range(0, count, CLOUDS)]
    return np.concatenate([cloud(part, draws)[:, :SIDE, :SIDE] for part in parts])


def cloud(count: int, draws: Draws) -> np.ndarray:
    """Return whole clouds, (count, CLOUD, CLOUD)."""
    sky, step, rough = np.zeros((count, CLOUD, CLOUD), np.float32), CLOUD, 1.0
    while step >= 2:
        half = step // 2

        def means(sums, rough=rough):
            return sums / 4 + rough * (2 * draws.random(sums.shape, np.float32) - 1)

        corners = sky[:, ::step, ::step]
        pairs = corners + np.roll(corners, -1, 1)
        middles = means(pairs + np.roll(pairs, -1, 2))
        sky[:, half::step, half::step] = middles
        across, along = corners + np.roll(corners, -1, 2), middles + np.roll(middles, 1, 1)
        sky[:, ::step, half::step] = means(across + along)
        across, along = middles + np.roll(middles, 1, 2), corners + np.roll(corners, -1, 1)
        sky[:, half::step, ::step] = means(across + along)
        step, rough = half, rough / DECAY**2
    sky -= sky.min((1, 2), keepdims=True)
    return sky / sky.max((1, 2), keepdims=True)


def fog(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return pictures behind clouds three times as bright as they."""
    brightest = pictures.max((1, 2), keepdims=True)
    return (pictures + 3 * clouds(len(pictures), draws)) * brightest / (brightest + 3)


def spatter(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return pictures with dark grey blots of mud."""
    wet = gaussian(draws.normal(0.65, 0.3, pictures.shape), 1) > 0.65
    mud = gaussian(wet.astype(float), 1.5)
    mud[mud < 0.8] = 0
    return pictures * (1 - mud) + 63 / 255 * mud


def lines(first: Points, last: Points) -> Float[np.ndarray, "n 28 28"]:
    """Return a line from each first point to the last, some three pixels wide; both (row, column).

    It runs from left to right; its ink falls with the vertical distance.
    """
    (row, column), (end_row, end_column) = (part.T[:, :, np.newaxis] for part in (first, last))
    slope = (end_row - row) / (end_column - column)
    line = row + slope * (PLACES - column)
    distance = np.abs(PLACES[:, np.newaxis] - line[:, np.newaxis])
    ink = np.clip(1 + np.log(1 - np.minimum(distance, 2) / 2.3), 0, 1)
    within = (np.floor(column) <= PLACES) & (np.ceil(end_column) > PLACES)
    return ink * within[:, np.newaxis]


def dotted_line(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return pictures with a line from edge to edge, every other two columns of it left out."""
    rows = draws.integers(0, 27, (len(pictures), 2)).astype(float)
    first, last = (np.insert(rows[:, [end]], 1, 27 * end, axis=1) for end in (0, 1))
    return pictures + lines(first, last) * (PLACES % 4 >= 2)


def zigzag(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return pictures with a zigzag line across, two pixels to either side, eight from top to top.

    It begins in column 2 and ends in column 25, up to five rows higher or lower.
    """
    start, rise = draws.integers(0, 27, len(pictures)), draws.integers(-5, 5, len(pictures))
    angle = np.arctan2(rise, 23)
    turned, first = pictures.astype(float), None
    for along, across in ((0, 0), (2, 2), (6, -2), (10, 2), (14, -2), (18, 2), (22, -2), (23, -1)):
        row = start + along * np.sin(angle) + across * np.cos(angle)
        last = np.stack([row, 2 + along * np.cos(angle) - across * np.sin(angle)], 1)
        if first is not None:
            turned = np.minimum(turned + lines(first, last), 1)
        first = last
    return turned


def steepest(magnitude: np.ndarray, down: np.ndarray, right: np.ndarray) -> Bool[np.ndarray, "..."]:
    """Return where no neighbour along the gradient (down, right) has a larger magnitude.

    The neighbours are interpolated between pixels.
    """
    tall = np.abs(down) > np.abs(right)
    share = np.minimum(np.abs(down), np.abs(right)) / np.maximum(
        np.maximum(np.abs(down), np.abs(right)), 1e-12
    )
    least = np.ones(magnitude.shape, bool)
    padded = np.pad(magnitude, ((0, 0), (1, 1), (1, 1)))
    image, row, column = np.indices(magnitude.shape)
    vertical, horizontal = np.where(down >= 0, 1, -1), np.where(right >= 0, 1, -1)
    for to in (1, -1):
        straight = padded[
            image, row + 1 + to * tall * vertical, column + 1 + to * ~tall * horizontal
        ]
        diagonal = padded[image, row + 1 + to * vertical, column + 1 + to * horizontal]
        least &= (1 - share) * straight + share * diagonal <= magnitude
    return least


def canny_edges(pictures: Pictures, draws: Draws) -> np.ndarray:
    """Return the edges (Canny 1986, doi 10.1109/TPAMI.1986.4767851) in white, one pixel wide."""
    inside = gaussian(np.ones_like(pictures[:1]), SMOOTHED, "constant")
    smooth = gaussian(pictures.astype(float), SMOOTHED, "constant") / inside
    down, right = (  # Sobel's slopes
        ndimage.correlate1d(ndimage.correlate1d(smooth, [-1, 0, 1], axis), [1, 2, 1], 3 - axis)
        for axis in (1, 2)
    )
    magnitude = np.hypot(down, right)
    edges = steepest(magnitude, down, right) & (magnitude >= LOW)
    edges[:, [0, -1]] = edges[:, :, [0, -1]] = False
    parts, count = ndimage.label(edges, NEIGHBOURS)
    strong = np.zeros(count + 1, bool)
    strong[np.unique(parts[edges & (magnitude >= HIGH)])] = True
    return strong[parts] & edges


def corrupted(name: str, images: Images, seed: int = 0) -> Images:
    """Return the images under a corruption of CORRUPTIONS; equal seeds give equal results.

    As in the published arrays, pixels are rounded to 256 grey values.
    """
    draws = np.random.default_rng([seed, list(CORRUPTIONS).index(name)])
    changed = CORRUPTIONS[name](images[..., 0], draws)
    grey = np.floor(255 * np.clip(changed, 0, 1) + 1e-4)  # what conversion to uint8 leaves
    return (grey[..., np.newaxis] / 255).astype("float32")


CORRUPTIONS: dict[str, Callable[[Pictures, Draws], np.ndarray]] = {
    f.__name__: f
    for f in (
        *(shot_noise, impulse_noise, glass_blur, motion_blur, shear, scale, rotate, brightness),
        *(translate, stripe, fog, spatter, dotted_line, zigzag, canny_edges),
    )
}


# What each family of augmentation (corrupt.Family, and geometry) foresees of the fifteen.
FAMILIES = {
    "noise": ("shot_noise", "impulse_noise"),
    "blur": ("glass_blur", "motion_blur"),
    "contrast": ("brightness", "fog"),
    "occlusion": ("stripe", "spatter", "dotted_line", "zigzag"),
    "geometry": ("shear", "scale", "rotate", "translate"),
    "outlines": ("canny_edges",),
}


@functools.lru_cache(2)
def corrupted_sets(content: bytes) -> dict[str, np.ndarray]:
    """Return images, given by their bytes, under each corruption, uint8 (n, 28, 28, 1)."""
    images = np.frombuffer(content, np.float32).reshape(-1, SIDE, SIDE, 1)
    return {name: (255 * corrupted(name, images)).round().astype(np.uint8) for name in CORRUPTIONS}


def error_rates(model: keras.Model, images: Images, labels: Labels) -> dict[str, dict[str, float]]:
    """Return the model's error rate under each corruption, by its name, as "mnist_c".

    With batch normalisation also as "mnist_c_reestimated": with its statistics estimated anew on
    the corrupted images of each kind.
    """
    rates: dict[str, dict[str, float]] = {"mnist_c": {}}
    for name, grey in corrupted_sets(images.tobytes()).items():
        changed = grey.astype(np.float32) / 255
        rates["mnist_c"][name] = 1 - accuracy(model, changed, labels)
        if normalisations(model):
            of = rates.setdefault("mnist_c_reestimated", {})
            of[name] = 1 - accuracy(reestimated(model, changed), changed, labels)
    return rates
