"""From any picture, a path, bytes, PIL image or array, to its brightness."""

import contextlib
import io
import itertools
import os
import pathlib
import re
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.ImageOps
import pillow_heif
from numpy.typing import NDArray

from digit_reader.errors import PictureError, require
from digit_reader.thresholds import THRESHOLDS

Picture = Any  # a path, bytes, a PIL image, or an array (h, w) or (h, w, 1 to 4)

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "HEIF", "ICO")
OTHERS = {  # what people give that is none of these, by how it begins
    rb"^\s*%PDF": "this is a PDF: save its page as PNG, or take a screenshot",
    rb"<svg": "this is an SVG drawing: export it as PNG",
    rb"(?s)^....ftyp(hei|hev|mif|msf)": "this HEIC photograph cannot be opened: save it as JPEG",
}
FULL = (1, 16, 255, 4_095, 65_535)  # what an array has where it is brightest: shares, UCI, bytes …
NEARLY = 1.001  # times that: what arithmetic leaves of it
MOST_FILE = 100_000_000  # bytes of a file
MOST_PIXELS = 120_000_000
MOST_UNPACKED = 250_000_000  # bytes of a picture in memory: with more it could fill it
BIG = 40_000_000  # bytes from which on pictures are unpacked one after another
MUCH_TOO_LARGE = 2 * THRESHOLDS.picture.large_side  # pixels: a longer side is reduced early
unpacking = threading.Lock()
pillow_heif.register_heif_opener()


def content_of(file: str | os.PathLike | bytes) -> bytes:
    """Return what a file holds, a path or the bytes themselves; PictureError if it is too large."""
    if not isinstance(file, bytes):
        require(os.fspath(file), "there is no file '': give the name of one")
        path = pathlib.Path(file)
        require(path.exists(), f"there is no file {printable(path)!r}: check the path")
        require(path.is_file(), f"{printable(path)!r} is no file: give an image file")
        size = path.stat().st_size
        too_large = f"the file has {size / 1e6:,.0f} MB, too many: scale the picture down"
        require(size <= MOST_FILE, too_large)
        file = path.read_bytes()
    require(file, "the file is empty: save the picture again")
    return file


def printable(name: object) -> str:
    """Return a name with what would steer a terminal or break a line escaped."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(name))
    return "".join(shown)


def opened(file: str | os.PathLike | bytes) -> PIL.Image.Image:
    """Return an image file, a path or bytes, as PIL image; PictureError tells what is wrong."""
    content = content_of(file)
    try:
        image = PIL.Image.open(io.BytesIO(content), formats=FORMATS)
        image.draft(None, (MUCH_TOO_LARGE, MUCH_TOO_LARGE))  # a larger JPEG is unpacked smaller
        return image
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise PictureError("the picture has too many pixels: scale it down") from error
    except Exception as error:  # decoders raise whatever they like
        known = (name for mark, name in OTHERS.items() if re.search(mark, content[:1_000]))
        message = next(known, "this is no picture that Pillow can read: give PNG or JPEG")
        raise PictureError(message) from error


def from_array(array: NDArray) -> PIL.Image.Image:
    """Return an array (h, w) or (h, w, 1 to 4), from 0 to 1, 16 (UCI), 255 or 65,535, as PIL."""
    channels = array.shape[2] if array.ndim == 3 else 1
    fits = array.size and array.ndim in (2, 3) and channels <= 4
    require(fits, f"an array of shape {array.shape} is no image: give (h, w) or (h, w, 3)")
    require(array.dtype.kind in "buif", f"an array of {array.dtype} is no image: give numbers")
    require(np.isfinite(array).all(), "the array holds NaN or infinity: replace them")
    low, high = float(array.min()), float(array.max())
    require(
        low >= 0 and high <= NEARLY * FULL[-1],
        f"the array goes from {low:g} to {high:g}: give 0 to 255",
    )
    full = next(most for most in FULL if high <= NEARLY * most)
    array = np.minimum(array * (255 / full), 255).round().astype(np.uint8)
    return PIL.Image.fromarray(array[..., 0] if array.ndim == 3 and channels == 1 else array)


def as_image(picture: Picture) -> PIL.Image.Image:
    """Return any kind of picture as a PIL image of a sensible size; or PictureError."""
    image = picture
    if isinstance(image, np.ndarray):
        image = from_array(image)
    elif isinstance(image, (str, bytes, os.PathLike)):
        image = opened(image)
    kind, is_known = type(image).__name__, isinstance(image, PIL.Image.Image)
    require(is_known, f"{kind} is no image: give a path, bytes, image or array")
    width, height = image.size
    many = f"{width}×{height} pixels are too many: scale it down"
    require(width * height <= MOST_PIXELS and unpacked(image) <= MOST_UNPACKED, many)
    side = THRESHOLDS.picture.min_side
    few = f"{width}×{height} pixels are too few: give at least {side}×{side}"
    require(min(image.size) >= side, few)
    return image


def is_stack(array: NDArray) -> bool:
    """Return whether an array is a stack of images, (n, h, w) or (n, h, w, channels)."""
    side = THRESHOLDS.picture.min_side
    return array.ndim == 4 or (array.ndim == 3 and min(array.shape[1:]) >= side)


def pages(picture: Picture) -> Iterator[Picture | PictureError]:
    """Yield the pages of a scan, a TIFF file with several, each reduced; any other picture alone.

    Where the file ends within a page, the last is a PictureError that says after which.
    """
    image = as_image(opened(picture)) if isinstance(picture, (str, bytes, os.PathLike)) else None
    if image is None or image.format != "TIFF" or not has_pages(image):
        yield picture
        return
    for number in itertools.count():
        try:
            image.seek(number)
            page = upright(image.copy())
        except EOFError:
            return
        except Exception:  # decoders raise whatever they like
            after = f"after page {number}" if number else "in its first page"
            yield PictureError(f"the file is cut off or damaged {after}: save it again")
            return
        page = page.convert("L") if page.mode in ("1", "P") else page
        factor = max(page.size) // THRESHOLDS.picture.large_side
        yield page.reduce(factor) if factor > 1 else page


def has_pages(image: PIL.Image.Image) -> bool:
    """Return whether an image's file has more than one page, or a second one that is damaged."""
    try:
        image.seek(1)
    except EOFError:
        return False
    except Exception:  # decoders raise whatever they like
        return True
    return True


def unpacked(image: PIL.Image.Image) -> int:
    """Return how many bytes an image takes in memory."""
    wide = 4 if image.mode in ("I", "F") else len(image.getbands())
    return image.width * image.height * (4 if wide == 3 else wide)  # Pillow pads RGB


def upright(picture: Picture) -> PIL.Image.Image:
    """Return any kind of picture, loaded and turned as its EXIF says, as PIL; or PictureError."""
    image = as_image(picture)
    try:
        with unpacking if unpacked(image) > BIG else contextlib.nullcontext():
            image.load()
            turned = image.getexif().get(PIL.ExifTags.Base.Orientation, 1) != 1
            return PIL.ImageOps.exif_transpose(image) if turned else image
    except Exception as error:  # decoders raise whatever they like
        raise PictureError("the picture is cut off or damaged: save it again") from error


def reduced(image: PIL.Image.Image) -> PIL.Image.Image:
    """Return a much too large image smaller, to save memory in what follows."""
    factor = max(image.size) // MUCH_TOO_LARGE
    return image.reduce(factor) if factor > 1 and image.mode not in ("1", "P") else image


def on_paper(image: PIL.Image.Image) -> PIL.Image.Image:
    """Return a PIL image with transparent parts on paper: white for dark ink, black for bright."""
    image = reduced(image if image.mode == "RGBA" else image.convert("RGBA"))
    ink = np.asarray(image.convert("L"))[np.asarray(image.getchannel("A")) > 127]
    paper = 0 if len(ink) and ink.mean() > 127 else 255
    page = PIL.Image.new("RGBA", image.size, (paper, paper, paper, 255))
    return PIL.Image.alpha_composite(page, image)


def in_grey(image: PIL.Image.Image) -> PIL.Image.Image:
    """Return an image in shades of grey; of its colours, where the ink shows in one of them alone.

    Red ink on green or yellow paper may be as bright as the paper.
    """
    grey, limits = image.convert("L"), THRESHOLDS.picture
    if image.mode != "RGB":
        return grey
    channels = {spread(one): one for one in (*image.split(), grey)}
    widest = max(channels)
    is_hidden = spread(grey) < min(limits.hidden_spread, limits.hidden_share * widest)
    return channels[widest] if is_hidden else grey


def spread(channel: PIL.Image.Image) -> float:
    """Return the range of all but the outermost thousandths of a channel's pixels, 0 to 1."""
    small = channel.resize((256, 256), PIL.Image.Resampling.NEAREST)
    low, high = np.quantile(np.asarray(small), (0.001, 0.999))
    return float(high - low) / 255


def brightness(image: PIL.Image.Image) -> NDArray[np.float32]:
    """Return an image's brightness (h, w), 0 to 1, its longer side at most large_side pixels."""
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits or more for each pixel
        values = np.maximum(np.nan_to_num(np.asarray(image, np.float32)), 0)
        image = PIL.Image.fromarray(255 * values / max(values.max(), 1))
    else:
        image = in_grey(reduced(on_paper(image) if image.has_transparency_data else image))
    limits, shorter, longer = THRESHOLDS.picture, min(image.size), max(image.size)
    is_large = longer > limits.large_side
    scale = limits.large_side / longer if is_large else max(1, limits.small_side / shorter)
    size = [max(1, round(scale * side)) for side in image.size]
    resample = PIL.Image.Resampling.BOX if scale < 1 else PIL.Image.Resampling.BICUBIC
    return np.clip(np.asarray(image.resize(size, resample), np.float32) / 255, 0, 1).astype(
        np.float32, copy=False
    )
