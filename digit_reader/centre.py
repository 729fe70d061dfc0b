"""MNIST's own form: one digit's ink cropped, scaled into 20×20 and centred in 28×28."""

import numpy as np
import PIL.Image
from numpy.typing import NDArray


def centre_like_mnist(ink: NDArray) -> NDArray[np.float32]:
    """Return ink (h, w), bright on zero, cropped into 20×20 and centred: float32 (28, 28).

    The centre of mass comes to the middle. Source: LeCun et al. 1998, doi 10.1109/5.726791. Raises
    ValueError where there is no ink.
    """
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    if not len(rows):
        raise ValueError("there is no ink in the image")
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    height, width = (max(1, round(20 * side / max(ink.shape))) for side in ink.shape)
    scaled = PIL.Image.fromarray(ink).resize((width, height), PIL.Image.Resampling.BICUBIC)
    page = np.zeros((60, 60), np.float32)
    page[20 : 20 + height, 20 : 20 + width] = np.clip(np.asarray(scaled) / ink.max(), 0, 1)
    places, total = np.arange(60), page.sum()
    row, column = (round(float((page.sum(axis) @ places) / total)) for axis in (1, 0))
    return page[row - 14 : row + 14, column - 14 : column + 14]
