"""Simulated pictures of digits to measure with: photographs, pages, made from MNIST's digits."""

import enum
import math

import numpy as np
import PIL.Image
import scipy.ndimage
from jaxtyping import Float, Float32, UInt8

HIGH, WIDE, WHITE = 900, 1_200, 235  # a photograph's pixels, and the brightness of its paper
EDGE = 60  # pixels that a digit keeps from the photograph's border
BLUR, GRAIN = 1, 4  # of a camera: pixels, and the standard deviation of its noise

Page = Float[np.ndarray, "900 1200"]
Generator = np.random.Generator


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


def ruled(grey: float, squares: bool, generator: Generator) -> Page:
    """Return paper with rules of that grey, slightly tilted."""
    page = np.full((HIGH, WIDE), float(WHITE))
    gap, thick = int(generator.integers(45, 80)), int(generator.integers(2, 5))
    for line in range(int(generator.integers(gap)), HIGH, gap):
        page[line : line + thick] = grey
    if squares:
        for line in range(int(generator.integers(gap)), WIDE, gap):
            page[:, line : line + thick] = grey
    tilt = generator.uniform(-1, 1)
    return scipy.ndimage.rotate(page, tilt, reshape=False, order=1, mode="nearest")


def light(kind: Kind, strength: float, generator: Generator) -> Page:
    """Return the share of light at each place of a photograph."""
    angle = generator.uniform(0, 2 * math.pi)
    row, column = np.ogrid[-0.5:0.5:900j, -0.5:0.5:1200j]
    along = math.cos(angle) * column + math.sin(angle) * row
    if kind is Kind.HARD:
        return 1 - strength / (1 + np.exp(-300 * (along - generator.uniform(-0.15, 0.15))))
    return 1 - strength * (along - along.min()) / np.ptp(along)


def write_digit(
    page: Page, image: UInt8[np.ndarray, "h w"], side: int | None, generator: Generator
) -> None:
    """Draw a digit in dark ink at a random place of the page, so many pixels high."""
    side = side or int(generator.integers(200, 500))
    size = (round(side * image.shape[1] / image.shape[0]), side)
    digit = PIL.Image.fromarray(image).resize(size, PIL.Image.Resampling.BICUBIC)
    row = int(generator.integers(EDGE, HIGH - size[1] - EDGE))
    column = int(generator.integers(EDGE, WIDE - size[0] - EDGE))
    part, ink = page[row : row + size[1], column : column + size[0]], np.asarray(digit) / 255
    part += ink * (generator.uniform(40, 90) - part)


def on_a_desk(page: Page, grey: float) -> Page:
    """Return the page as a sheet with a desk of that grey around it."""
    desk, edge = np.full(page.shape, float(grey)), 40
    desk[edge:-edge, edge:-edge] = page[edge:-edge, edge:-edge]
    return desk


def photograph(
    image: UInt8[np.ndarray, "h w"] | None,
    kind: Kind,
    strength: float,
    generator: Generator,
    side: int | None = None,
) -> UInt8[np.ndarray, "900 1200"]:
    """Return a simulated photograph of a digit on paper, or of a blank sheet without an image.

    strength: of STRENGTHS. side: pixels that the digit is high, at random from 200 to 500 if not
    given.
    """
    page = np.full((HIGH, WIDE), float(WHITE))
    if kind in (Kind.RULES, Kind.SQUARES):
        page = ruled(strength, kind is Kind.SQUARES, generator)
    if image is not None:
        write_digit(page, image, side, generator)
    if kind in (Kind.SOFT, Kind.HARD):
        page *= light(kind, strength, generator)
    if kind is Kind.DESK:
        page = on_a_desk(page, strength)
    page = scipy.ndimage.gaussian_filter(page, BLUR) + generator.normal(0, GRAIN, page.shape)
    return np.clip(page, 0, 255).astype(np.uint8)


def pasted(image: UInt8[np.ndarray, "28 28"], generator: Generator) -> Float32[np.ndarray, "h w"]:
    """Return a page from 0 to 1 with a digit, 28 to 400 pixels high, anywhere, in random greys."""
    side = int(generator.integers(28, 401))
    digit = PIL.Image.fromarray(image).resize((side, side), PIL.Image.Resampling.BICUBIC)
    height, width = side + generator.integers(0, 400, 2)
    paper = generator.uniform(0, 1)
    ink = paper + generator.uniform(0.4, 0.5) * (1 if paper < 0.5 else -1)
    page = np.full((height, width), paper, np.float32)
    row, column = (int(generator.integers(0, size - side + 1)) for size in page.shape)
    page[row : row + side, column : column + side] += np.asarray(digit) / 255 * (ink - paper)
    return page
