"""The picture of a whole line that the line network reads: straightened, and of its height."""

import dataclasses

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from digit_reader.characters import HEIGHT
from digit_reader.parts import Part
from digit_reader.reading import Box
from digit_reader.thresholds import THRESHOLDS

ROOM = 1.6  # heights of a digit in a line's picture: the line above and below stay out
BESIDE = 0.5  # heights of a digit that are seen before the first and after the last one
LEAST_WIDTH = 16  # pixels


@dataclasses.dataclass(frozen=True)
class Course:
    """How a line runs: through (column, row), by slope rows a column, its digits so high."""

    column: float
    row: float
    slope: float
    height: float


@dataclasses.dataclass(frozen=True)
class LineImage:
    """A line's ink (32, w) from 0 to 1, float32, and which columns of the page (h, w) it shows."""

    image: NDArray[np.float32]
    course: Course
    columns: tuple[int, int]
    shape: tuple[int, int]

    def column(self, place: float) -> float:
        """Return where a share of the line's width is, as share of the page's."""
        start, end = self.columns
        return (start + place * (end - start)) / self.shape[1]

    @property
    def reach(self) -> float:
        """Half a digit's width, as share of the page's."""
        return self.course.height / 3 / self.shape[1]

    def around(self, place: float) -> NDArray[np.float32]:
        """Return what is seen around a share of the line's width: (28, 28)."""
        wide = np.pad(self.image, ((0, 0), (14, 14)))
        left = min(round(place * self.image.shape[1]), self.image.shape[1])
        return wide[2:30, left : left + 28]

    def box(self, place: float) -> Box:
        """Return the box of a digit whose middle is at that share of the line's width."""
        (high, wide), course = self.shape, self.course
        column = self.column(place) * wide
        row = course.row + course.slope * (column - course.column)
        across, down = course.height / 3, course.height / 2
        sides = column - across, row - down, column + across, row + down
        left, top, right, bottom = np.clip(np.divide(sides, (wide, high, wide, high)), 0, 1)
        return float(left), float(top), float(right), float(bottom)


def course_of(line: list[Part]) -> Course:
    """Return how a line of digits runs, by those that are about as high as the highest."""
    heights = np.array([part.height for part in line])
    high = [part for part in line if part.height >= THRESHOLDS.lines.as_high * heights.max()]
    columns = np.array([(part.left + part.right) / 2 for part in high])
    rows = np.array([(part.top + part.bottom) / 2 for part in high])
    steepest, slope = THRESHOLDS.lines.max_slope, 0.0
    if len(high) > 2:
        slope = float(np.clip(np.polyfit(columns, rows, 1)[0], -steepest, steepest))
    row = float(np.median(rows - slope * (columns - columns.mean())))
    height = float(np.median([part.height for part in high]))
    return Course(float(columns.mean()), row, slope, height)


def line_image(grey: NDArray[np.float32], line: list[Part], scale: float = 1) -> LineImage:
    """Return a line of digits as the line network takes it.

    grey: a page's ink (h, w), rules included. scale: how high its digits are, in heights of line's
    parts.
    """
    course = course_of(line)
    course = dataclasses.replace(course, height=max(2.0, scale * course.height))
    beside = BESIDE * course.height
    start = max(0, int(min(part.left for part in line) - beside))
    end = min(grey.shape[1], int(max(part.right for part in line) + beside) + 1)
    half = max(2, round(ROOM / 2 * course.height))
    columns, down = np.arange(start, end), np.arange(-half, half)[:, np.newaxis]
    rows = np.rint(course.row + down + course.slope * (columns - course.column)).astype(int)
    strip = np.where(
        (rows >= 0) & (rows < len(grey)), grey[rows.clip(0, len(grey) - 1), columns], 0
    )
    width = max(LEAST_WIDTH, round(HEIGHT * strip.shape[1] / len(strip)))
    method = PIL.Image.Resampling.BOX if len(strip) > HEIGHT else PIL.Image.Resampling.BICUBIC
    small = PIL.Image.fromarray(strip.astype(np.float32)).resize((width, HEIGHT), method)
    return LineImage(np.asarray(small).clip(0, 1), course, (start, end), grey.shape)
