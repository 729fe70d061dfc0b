"""From any picture, a path, bytes, PIL image or array, to its brightness."""

import io
import os
import pathlib
import re
import struct
import warnings
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from digit_reader.errors import PictureError, require

Picture = Any  # a path, bytes, a PIL image, or an array (h, w) or (h, w, 1 to 4)

OTHERS = {  # what people give that Pillow does not open, by how it begins
    rb"^\s*%PDF": "this is a PDF: save its page as PNG, or take a screenshot",
    rb"<svg": "this is an SVG drawing: export it as PNG",
    rb"(?s)^....ftyp(hei|hev|mif|msf)": "this is a HEIC photograph: save it as JPEG",
}
FULL = (1, 16, 255, 65_535)  # what an array has where it is brightest: shares, UCI, bytes, words
LEAST_SIDE = 8
LARGE, SMALL = 800, 100  # pixels: a longer side is reduced to, a shorter one enlarged to
MOST_PIXELS = 120_000_000  # a picture with more is refused: unpacked it could fill the memory


def opened(file: str | os.PathLike | bytes) -> PIL.Image.Image:
    """Return an image file, a path or bytes, as PIL image; PictureError tells what is wrong."""
    if not isinstance(file, bytes):
        path = pathlib.Path(file)
        require(path.exists(), f"there is no file {str(path)!r}: check the path")
        require(path.is_file(), f"{str(path)!r} is no file: give an image file")
        file = path.read_bytes()
    require(file, "the file is empty: save the picture again")
    try:
        with warnings.catch_warnings(action="error", category=PIL.Image.DecompressionBombWarning):
            return PIL.Image.open(io.BytesIO(file))
    except PIL.UnidentifiedImageError as error:
        known = (said for mark, said in OTHERS.items() if re.search(mark, file[:1_000]))
        message = next(known, "this is no picture that Pillow can read: give PNG or JPEG")
        raise PictureError(message) from error
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise PictureError("the picture has too many pixels: scale it down") from error


def from_array(array: NDArray) -> PIL.Image.Image:
    """Return an array (h, w) or (h, w, 1 to 4), from 0 to 1, 16 (UCI), 255 or 65,535, as PIL."""
    channels = array.shape[2] if array.ndim == 3 else 1
    fits = array.size and array.ndim in (2, 3) and channels <= 4
    require(fits, f"an array of shape {array.shape} is no image: give (h, w) or (h, w, 3)")
    require(array.dtype.kind in "buif", f"an array of {array.dtype} is no image: give numbers")
    require(np.isfinite(array).all(), "the array holds NaN or infinity: replace them")
    low, high = float(array.min()), float(array.max())
    require(low >= 0 and high <= 65_535, f"the array goes from {low:g} to {high:g}: give 0 to 255")
    full = next(most for most in FULL if high <= most)
    array = (array * (255 / full)).round().astype(np.uint8)
    return PIL.Image.fromarray(array[..., 0] if array.ndim == 3 and channels == 1 else array)


def upright(image: Any) -> PIL.Image.Image:
    """Return any kind of image as a loaded PIL image, turned as its EXIF says; or PictureError."""
    if isinstance(image, np.ndarray):
        image = from_array(image)
    elif isinstance(image, (str, bytes, os.PathLike)):
        image = opened(image)
    kind, known = type(image).__name__, isinstance(image, PIL.Image.Image)
    require(known, f"{kind} is no image: give a path, bytes, image or array")
    width, height = image.size
    require(width * height <= MOST_PIXELS, f"{width}×{height} pixels are too many: scale it down")
    few = f"{width}×{height} pixels are too few: give at least {LEAST_SIDE}×{LEAST_SIDE}"
    require(min(image.size) >= LEAST_SIDE, few)
    try:
        image.load()
        return PIL.ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise PictureError(f"the picture is cut off or damaged ({error}): save it again") from error


def on_paper(image: PIL.Image.Image) -> PIL.Image.Image:
    """Return a PIL image with transparent parts on paper: white for dark ink, black for bright."""
    image = image.convert("RGBA")
    ink = np.asarray(image.convert("L"))[np.asarray(image.getchannel("A")) > 127]
    paper = 0 if len(ink) and ink.mean() > 127 else 255
    page = PIL.Image.new("RGBA", image.size, (paper, paper, paper, 255))
    return PIL.Image.alpha_composite(page, image)


def brightness(image: PIL.Image.Image) -> NDArray[np.float32]:
    """Return an image's brightness (h, w), 0 to 1, its longer side at most LARGE pixels."""
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits or more for each pixel
        values = np.asarray(image, np.float32)
        image = PIL.Image.fromarray(255 * values / max(values.max(), 1))
    else:
        image = (on_paper(image) if image.has_transparency_data else image).convert("L")
    small, large = min(image.size), max(image.size)
    scale = LARGE / large if large > LARGE else max(1, SMALL / small)
    size = [max(1, round(scale * side)) for side in image.size]
    resample = PIL.Image.Resampling.BOX if scale < 1 else PIL.Image.Resampling.BICUBIC
    return np.clip(np.asarray(image.resize(size, resample), np.float32) / 255, 0, 1).astype(
        np.float32, copy=False
    )
