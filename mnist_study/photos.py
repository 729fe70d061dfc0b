"""Pictures of digits as people have them, made from MNIST's: photographs and pages."""

import math

import numpy as np
import PIL.Image
import scipy.ndimage

HIGH, WIDE, WHITE = 900, 1_200, 235  # a photograph's pixels, and the brightness of its paper
KINDS = {  # of photographs, and at which strengths: shares of light lost, greys of rules
    "soft light": (0.25, 0.4),
    "hard shadow": (0.2, 0.4),
    "rules": (210, 180, 150),
    "squared paper": (180, 150),
    "sheet on a desk": (40, 80),
}


def ruled(grey, squares, generator):
    """Return paper with rules of that grey, slightly tilted: float (900, 1200)."""
    page = np.full((HIGH, WIDE), float(WHITE))
    gap, thick = int(generator.integers(45, 80)), int(generator.integers(2, 5))
    for line in range(int(generator.integers(gap)), HIGH, gap):
        page[line : line + thick] = grey
    for line in range(int(generator.integers(gap)), WIDE, gap) if squares else ():
        page[:, line : line + thick] = grey
    tilt = generator.uniform(-1, 1)
    return scipy.ndimage.rotate(page, tilt, reshape=False, order=1, mode="nearest")


def light(kind, strength, generator):
    """Return the share of light at each place of a photograph: float (900, 1200)."""
    angle, (row, column) = (
        generator.uniform(0, 2 * math.pi),
        np.mgrid[-0.5:0.5:900j, -0.5:0.5:1200j],
    )
    along = math.cos(angle) * column + math.sin(angle) * row
    if kind == "hard shadow":
        return 1 - strength / (1 + np.exp(-300 * (along - generator.uniform(-0.15, 0.15))))
    return 1 - strength * (along - along.min()) / np.ptp(along)


def photograph(image, kind, strength, generator, side=None):
    """Return a photograph of a digit on paper: uint8 (900, 1200).

    image: uint8 (h, w), or None for a blank sheet; kind and strength: of KINDS. side: pixels that
    it is high, at random from 200 to 500 by default.
    """
    squares = kind == "squared paper"
    has_rules = squares or kind == "rules"
    page = ruled(strength, squares, generator) if has_rules else np.full((HIGH, WIDE), float(WHITE))
    if image is not None:
        side = side or int(generator.integers(200, 500))
        size = (round(side * image.shape[1] / image.shape[0]), side)
        digit = PIL.Image.fromarray(image).resize(size, PIL.Image.Resampling.BICUBIC)
        row = int(generator.integers(60, HIGH - size[1] - 60))
        column = int(generator.integers(60, WIDE - size[0] - 60))
        part, ink = page[row : row + size[1], column : column + size[0]], np.asarray(digit) / 255
        part += ink * (generator.uniform(40, 90) - part)
    if kind in ("soft light", "hard shadow"):
        page *= light(kind, strength, generator)
    if kind == "sheet on a desk":
        desk, edge = np.full(page.shape, float(strength)), 40
        desk[edge:-edge, edge:-edge] = page[edge:-edge, edge:-edge]
        page = desk
    page = scipy.ndimage.gaussian_filter(page, 1) + generator.normal(0, 4, page.shape)
    return np.clip(page, 0, 255).astype(np.uint8)


def pasted(image, generator):
    """Return a page, float32 (h, w) in [0, 1], with a digit at a random place, in random greys.

    image: uint8 (28, 28), enlarged to 28 to 400 pixels.
    """
    side = int(generator.integers(28, 401))
    digit = PIL.Image.fromarray(image).resize((side, side), PIL.Image.Resampling.BICUBIC)
    height, width = side + generator.integers(0, 400, 2)
    paper = generator.uniform(0, 1)
    ink = paper + generator.uniform(0.4, 0.5) * (1 if paper < 0.5 else -1)
    page = np.full((height, width), paper, np.float32)
    row, column = (int(generator.integers(0, size - side + 1)) for size in page.shape)
    page[row : row + side, column : column + side] += np.asarray(digit) / 255 * (ink - paper)
    return page
