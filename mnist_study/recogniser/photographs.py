"""Simulated pictures of digits to measure with: photographs, pages, made from MNIST's digits."""

import enum
import math

import numpy as np
from jaxtyping import Float, Float32, UInt8
from numpy.random import Generator
from scipy import ndimage

from mnist_study.recogniser.strokes import Picture, resize

HEIGHT, WIDTH, WHITE = 900, 1_200, 235  # a photograph's pixels, and the brightness of its paper
MARGIN = 60  # pixels that a digit keeps from the photograph's border
DESK = 40  # pixels of desk around a sheet
BLUR, GRAIN = 1, 4  # of a camera: pixels, and the standard deviation of its noise

Page = Float[np.ndarray, "900 1200"]
Photograph = UInt8[np.ndarray, "900 1200"]


class Kind(enum.StrEnum):
    """What makes a photograph hard."""

    SOFT = "soft light"
    HARD = "hard shadow"
    RULES = "rules"
    SQUARES = "squared paper"
    DESK = "sheet on a desk"


STRENGTHS: dict[Kind, tuple[float, ...]] = {  # shares of light lost, greys of rules and desks
    Kind.SOFT: (0.25, 0.4),
    Kind.HARD: (0.2, 0.4),
    Kind.RULES: (210, 180, 150),
    Kind.SQUARES: (180, 150),
    Kind.DESK: (40, 80),
}


def ramp(angle: float) -> Page:
    """Return how far each pixel is from the page's middle in that direction, in page sides."""
    row, column = np.ogrid[-0.5:0.5:900j, -0.5:0.5:1200j]
    return math.cos(angle) * column + math.sin(angle) * row


def ruled(grey: float, squares: bool, generator: Generator) -> Page:
    """Return paper with rules of that grey, slightly tilted."""
    page = np.full((HEIGHT, WIDTH), float(WHITE))
    gap, thick = int(generator.integers(45, 80)), int(generator.integers(2, 5))
    for lines in (page, page.T) if squares else (page,):
        for line in range(int(generator.integers(gap)), len(lines), gap):
            lines[line : line + thick] = grey
    tilt = generator.uniform(-1, 1)
    return ndimage.rotate(page, tilt, reshape=False, order=1, mode="nearest")


def light(kind: Kind, strength: float, generator: Generator) -> Page:
    """Return the share of light at each place of a photograph."""
    along = ramp(generator.uniform(0, 2 * math.pi))
    if kind is Kind.HARD:
        return 1 - strength / (1 + np.exp(-300 * (along - generator.uniform(-0.15, 0.15))))
    return 1 - strength * (along - along.min()) / np.ptp(along)


def write_digit(page: Page, image: Picture, side: int, generator: Generator) -> None:
    """Draw a digit in dark ink at a random place of the page; side: see photograph."""
    height = side or int(generator.integers(200, 500))
    width = round(height * image.shape[1] / image.shape[0])
    ink = resize(image, height, width) / 255
    row = int(generator.integers(MARGIN, HEIGHT - height - MARGIN))
    column = int(generator.integers(MARGIN, WIDTH - width - MARGIN))
    part = page[row : row + height, column : column + width]
    part += ink * (generator.uniform(40, 90) - part)


def expose(page: Page, blur: float, noise: float, generator: Generator) -> Photograph:
    """Return the page as a camera takes it, with a blur in pixels and noise of that deviation."""
    page = ndimage.gaussian_filter(page, blur) + generator.normal(0, noise, page.shape)
    return np.clip(page, 0, 255).astype(np.uint8)


def photograph(
    image: Picture | None, kind: Kind, strength: float, generator: Generator, side: int = 0
) -> Photograph:
    """Return a simulated photograph of a digit on paper, or of a blank sheet without an image.

    image: bright ink on black. strength: of STRENGTHS. side: height of the digit in pixels; with 0
    at random from 200 to 500.
    """
    page = np.full((HEIGHT, WIDTH), float(WHITE))
    if kind in (Kind.RULES, Kind.SQUARES):
        page = ruled(strength, kind is Kind.SQUARES, generator)
    if image is not None:
        write_digit(page, image, side, generator)
    if kind in (Kind.SOFT, Kind.HARD):
        page *= light(kind, strength, generator)
    if kind is Kind.DESK:
        page = np.pad(page[DESK:-DESK, DESK:-DESK], DESK, constant_values=strength)
    return expose(page, BLUR, GRAIN, generator)


def pasted(image: UInt8[np.ndarray, "28 28"], generator: Generator) -> Float32[np.ndarray, "h w"]:
    """Return a page from 0 to 1 with a digit, 28 to 400 pixels high, anywhere, in random greys."""
    side = int(generator.integers(28, 401))
    height, width = side + generator.integers(0, 400, 2)
    paper = generator.uniform(0, 1)
    ink = paper + generator.uniform(0.4, 0.5) * (1 if paper < 0.5 else -1)
    page = np.full((height, width), paper, np.float32)
    row, column = (int(generator.integers(0, size - side + 1)) for size in page.shape)
    digit = resize(image, side, side) / 255
    page[row : row + side, column : column + side] += digit * (ink - paper)
    return page
