"""From any picture to its digits in MNIST's form: each one's ink, cropped, scaled and centred."""

import dataclasses

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from digit_reader.centre import centre_like_mnist
from digit_reader.errors import require
from digit_reader.hints import NONE, Hints
from digit_reader.ink import ink_of
from digit_reader.line_image import LineImage, line_image
from digit_reader.lines import digits_in, gaps_in, without_frames
from digit_reader.parts import InkParts, Part, is_missing, parts_of
from digit_reader.picture import Picture, brightness, upright
from digit_reader.reading import Box
from digit_reader.thresholds import THRESHOLDS


@dataclasses.dataclass(frozen=True)
class Crop:
    """One digit of a picture, not yet classified: where it is, and in MNIST's form (28, 28)."""

    box: Box
    prepared: NDArray[np.float32]
    line: int  # from above
    gap: bool  # whether there is a gap before it


def ink_near(ink: NDArray, labels: NDArray, part: Part) -> NDArray[np.float32]:
    """Return the ink of a part with its soft edges, cut to the part: (h, w)."""
    edge = max(2, round(THRESHOLDS.prepare.soft_edge * part.length))
    rows = slice(max(0, part.top - edge), part.bottom + edge)
    columns = slice(max(0, part.left - edge), part.right + edge)
    ink, own = ink[rows, columns], np.isin(labels[rows, columns], part.labels)
    near = scipy.ndimage.maximum_filter(own, 2 * edge + 1)
    ink = np.where(near & (ink > THRESHOLDS.prepare.trace), ink, 0)
    return ink / ink.max()  # of a pen that ran dry, too, some is full ink


def thick_enough(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a digit's ink (h, w) with strokes that would come out pale in 20×20 made thicker."""
    strong = np.pad(ink > THRESHOLDS.parts.ink, 2)
    edges = sum(int(np.diff(strong, axis=axis).sum()) for axis in (0, 1))
    rows, columns = np.nonzero(strong)
    side = max(np.ptp(rows), np.ptp(columns)) + 1
    missing = THRESHOLDS.prepare.stroke_width * side / 20 - 2 * len(rows) / max(edges, 1)
    wider = 1 + round(missing)
    return scipy.ndimage.grey_dilation(ink, (wider, wider)) if missing > 0.5 else ink


@dataclasses.dataclass(frozen=True)
class Segmentation:
    """A picture's digits in reading order, and in words what else it shows."""

    digits: list[Crop]
    lines: list[list[LineImage]]  # each line, in the sizes in which to try it
    complete: bool  # whether all ink as high as a digit is among them


def segment(image: Picture, pale: bool = False, hints: Hints = NONE) -> Segmentation:
    """Return the digits in a picture in reading order, and what else there is; pale: see ink_of.

    Raises PictureError, which says what is wrong, where there are none.
    """
    page = ink_of(brightness(upright(image)), pale)
    parts = parts_of(page.strokes)
    lines = hints.lines(digits_in(without_frames(parts.strong)))
    if not lines:
        return framed(page.grey, parts)
    height, width = page.grey.shape
    digits = [
        Crop(
            (part.left / width, part.top / height, part.right / width, part.bottom / height),
            centre_like_mnist(thick_enough(ink_near(page.strokes, parts.labels, part))),
            number,
            gap,
        )
        for number, line in enumerate(lines, 1)
        for part, gap in zip(line, gaps_in(line), strict=True)
    ]
    images = [[line_image(page.grey, line)] for line in lines]
    return Segmentation(digits, images, not is_missing(parts, lines))


def framed(grey: NDArray[np.float32], parts: InkParts) -> Segmentation:
    """Return what is in a frame that touches the digits in it: a line of them, if any."""
    frame = max(parts.strong, key=lambda part: part.length, default=None)
    only_lines = "there are only lines in the picture: crop it to a digit"
    require(
        frame is not None and frame.height >= THRESHOLDS.prepare.frame_height * len(grey),
        only_lines,
    )
    sizes = [line_image(grey, [frame], share) for share in THRESHOLDS.prepare.frame_shares]  # pyright: ignore[reportArgumentType]
    return Segmentation([], [sizes], False)


def prepare_digit(image: Picture) -> NDArray[np.float32]:
    """Return a picture of one digit in MNIST's form, (28, 28), 0 to 1; or raise PictureError."""
    digits = segment(image).digits
    require(len(digits) == 1, f"there are {len(digits)} digits in the picture: crop it to one")
    return digits[0].prepared
