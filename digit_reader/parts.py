"""Which ink belongs together: from a page's ink to its parts."""

import dataclasses
import functools

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from digit_reader.errors import require
from digit_reader.thresholds import THRESHOLDS

CORNERS_TOO = np.ones((3, 3))  # pixels are connected to all eight neighbours


@dataclasses.dataclass(frozen=True)
class Part:
    """Ink that belongs together: where it is, as slices of rows and columns, and its labels."""

    top: int
    bottom: int
    left: int
    right: int
    labels: tuple[int, ...]
    linked: frozenset[int]  # the numbers of the ink, faint links included, that it is part of

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def length(self) -> int:
        return max(self.height, self.width)

    def joined(self, other: "Part") -> "Part":
        """Return this part and another one as one."""
        return Part(
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
            self.labels + other.labels,
            self.linked | other.linked,
        )


def overlap(low: int, high: int, other_low: int, other_high: int) -> float:
    """Return how far two ranges overlap, as a share of the shorter one; below 0: their gap."""
    shorter = max(1, min(high - low, other_high - other_low))
    return (min(high, other_high) - max(low, other_low)) / shorter


@dataclasses.dataclass(frozen=True)
class InkParts:
    """The ink of a picture by its parts."""

    strong: list[Part]  # which are digits, or parts of them
    weak: list[Part]  # residue of rules and light, or a pale pen
    specks: list[Part]
    labels: NDArray  # (h, w), the number of the part that a pixel belongs to


def pieces_in(ink: NDArray[np.float32]) -> tuple[list[Part], NDArray, NDArray, NDArray]:
    """Return the connected pieces of ink, their areas and mean ink (n,), and labels (h, w)."""
    labels, count = scipy.ndimage.label(ink > THRESHOLDS.parts.ink, CORNERS_TOO)
    links, _ = scipy.ndimage.label(ink > THRESHOLDS.parts.link, CORNERS_TOO)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    means = np.bincount(labels.ravel(), ink.ravel(), count + 1)[1:] / np.maximum(areas, 1)
    places, pieces = scipy.ndimage.find_objects(labels), []
    largest = np.sort(np.argsort(-areas, kind="stable")[: THRESHOLDS.parts.max_pieces])
    for number in (largest + 1).tolist():
        rows, columns = places[number - 1]
        linked = frozenset(links[rows, columns][labels[rows, columns] == number][:1].tolist())
        pieces.append(Part(rows.start, rows.stop, columns.start, columns.stop, (number,), linked))
    return *whole_strokes(pieces, areas[largest], means[largest], links), labels


def whole_strokes(
    pieces: list[Part], areas: NDArray, means: NDArray, links: NDArray
) -> tuple[list[Part], NDArray, NDArray]:
    """Return pieces, their areas and mean ink, with the grains of a pencil's digit made one."""
    faint_areas, inks = np.bincount(links.ravel()), areas * means
    by_link: dict[frozenset[int], list[int]] = {}
    for n, piece in enumerate(pieces):
        by_link.setdefault(piece.linked, []).append(n)
    groups: list[list[int]] = []
    for linked, members in by_link.items():
        whole = functools.reduce(Part.joined, [pieces[n] for n in members])
        faint_area = faint_areas[[*linked]].sum()
        is_one = are_grains(whole, areas[members], float(inks[members].sum()), faint_area)
        groups += [members] if is_one else [[n] for n in members]
    groups.sort()
    parts = [functools.reduce(Part.joined, [pieces[n] for n in members]) for members in groups]
    total = np.array([areas[members].sum() for members in groups])
    ink = np.array([inks[members].sum() for members in groups])
    return parts, total, ink / np.maximum(total, 1)


def are_grains(whole: Part, areas: NDArray, ink: float, faint_area: int) -> bool:
    """Return whether pieces that together are a whole are the grains of a pencil's digit.

    areas: of the pieces. ink: their sum. faint_area: of the faint stroke that links them.
    """
    limits, area = THRESHOLDS.parts, areas.sum()
    many = area > limits.grains_share * faint_area and areas.max() < limits.largest_grain * area
    is_narrow = whole.width <= limits.max_aspect * whole.height
    return bool(many and ink >= limits.strong_mean * area and is_narrow)


def parts_of(ink: NDArray[np.float32]) -> InkParts:
    """Return the connected parts of ink: what may be digits, weak ones, and specks."""
    limits = THRESHOLDS.parts
    parts, areas, means, labels = pieces_in(ink)
    usual = [n for n in range(len(parts)) if means[n] >= limits.strong_mean]
    inner = without_surroundings(parts, usual, ink.shape)
    largest = max((areas[n] for n in inner), default=0)
    longest = max((parts[n].length for n in inner), default=0)
    strong, specks = [], []
    for n in inner:
        if is_blob(parts[n], areas[n]):
            continue
        is_large = areas[n] >= max(1, limits.speck_area * largest)
        is_long = parts[n].length >= limits.speck_length * longest
        (strong if is_large and is_long else specks).append(parts[n])
    many = f"{len(strong)} pieces of ink are no number: crop the picture"
    require(len(strong) <= limits.max_parts, many)
    weak = [p for p, mean in zip(parts, means, strict=True) if is_weak(mean)]
    strong += pale_digits(weak, strong)
    dry, faint = dry_digits(ink, labels, strong)
    weak = [part for part in weak if part not in strong]
    return InkParts(strong + dry, weak + faint, specks, labels)


def is_blob(part: Part, area: int) -> bool:
    """Return whether a part is all ink and not narrow: a hole of a punched sheet, a stain."""
    limits = THRESHOLDS.parts
    is_narrow = part.width < limits.blob_aspect * part.height
    return not is_narrow and area > limits.blob_fill * part.width * part.height


def is_weak(mean: float) -> bool:
    """Return whether a part of that mean ink may be a pale pen's, or residue."""
    return THRESHOLDS.parts.pale_mean <= mean < THRESHOLDS.parts.strong_mean


def dry_digits(
    ink: NDArray[np.float32], labels: NDArray, strong: list[Part]
) -> tuple[list[Part], list[Part]]:
    """Return parts of fainter ink, where the pen ran dry, that are like the digits beside them.

    labels (h, w) gets theirs where it has none. Then others as long as digits, elsewhere.
    """
    limits, candidates = THRESHOLDS.parts, []
    if len(strong) < limits.min_neighbours:
        return [], []
    lengths = np.array([part.length for part in strong])
    taken = np.isin(labels, [number for part in strong for number in part.labels])
    faint, count = scipy.ndimage.label(ink > limits.dry, CORNERS_TOO)
    areas = np.bincount(faint.ravel(), minlength=count + 1)
    areas[np.unique(faint[taken])] = 0
    for number, (rows, columns) in enumerate(scipy.ndimage.find_objects(faint), 1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if width > limits.max_aspect * height or areas[number] < limits.min_fill * height**2:
            continue  # a rule's rest is thin
        if not are_as_long(max(height, width), lengths).any():
            continue
        inside = np.unique(labels[rows, columns][faint[rows, columns] == number])
        numbers = faint.size + number, *inside[inside > 0].tolist()
        part = Part(rows.start, rows.stop, columns.start, columns.stop, numbers, frozenset())
        if all(apart(part, other) for other in strong):
            candidates.append(part)
    dry = pale_digits(candidates, strong)
    for part in dry:
        own = part.labels[0]
        labels[(faint == own - faint.size) & (labels == 0)] = own
    return dry, [part for part in candidates if part not in dry]


def are_as_long(length: int, others: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of other lengths (n,) a length is about as long as."""
    low, high = THRESHOLDS.parts.similar_length
    return (low * others <= length) & (length <= high * others)


def apart(part: Part, other: Part) -> bool:
    """Return whether a part stands beside another one, or in another line."""
    across = overlap(part.left, part.right, other.left, other.right)
    down = overlap(part.top, part.bottom, other.top, other.bottom)
    return min(across, down) < THRESHOLDS.parts.apart_overlap


def without_surroundings(parts: list[Part], usual: list[int], shape: tuple[int, ...]) -> list[int]:
    """Return the numbers of parts without what reaches in from the border, a thumb or the desk.

    It is longer than all that does not, and says nothing of how large the digits are.
    """
    inner = [parts[n] for n in usual if not at_border(parts[n], shape)]
    longest = max((part.length for part in inner), default=0)
    if sum(part.length > THRESHOLDS.parts.inner_length * longest for part in inner) < 2:
        return usual  # one digit that fills the picture has small parts, too
    return [n for n in usual if not surrounds(parts[n], shape, longest)]


def surrounds(part: Part, shape: tuple[int, ...], longest: int) -> bool:
    """Return whether a part is a strip along the border, or reaches in and is much longer."""
    limits, along, deep = THRESHOLDS.parts, part.width, part.height
    if at_side(part, shape):
        along, deep = deep, along
    is_long = part.length > limits.surroundings_length * longest
    return at_border(part, shape) and (is_long or deep < limits.strip_aspect * along)


def at_side(part: Part, shape: tuple[int, ...]) -> bool:
    """Return whether a part touches the left or right border of such a picture, or nearly."""
    near = round(THRESHOLDS.parts.border * min(shape))
    return part.left <= near or part.right >= shape[1] - near


def at_border(part: Part, shape: tuple[int, ...]) -> bool:
    """Return whether a part touches the border of a picture of that shape, or nearly."""
    near = round(THRESHOLDS.parts.border * min(shape))
    return at_side(part, shape) or part.top <= near or part.bottom >= shape[0] - near


def pale_digits(weak: list[Part], strong: list[Part]) -> list[Part]:
    """Return those of the weak parts that stand beside strong ones and are about as long."""

    lengths = np.array([part.length for part in strong])

    def neighbours(part: Part) -> int:
        alike = [strong[n] for n in np.flatnonzero(are_as_long(part.length, lengths))]
        beside = (overlap(part.top, part.bottom, other.top, other.bottom) for other in alike)
        return sum(share > THRESHOLDS.parts.line_overlap for share in beside)

    return [part for part in weak if neighbours(part) >= THRESHOLDS.parts.min_neighbours]


def is_missing(ink: InkParts, lines: list[list[Part]]) -> bool:
    """Return whether there is ink beside the digits that is as high as they are."""
    digits = [part for line in lines for part in line]
    taken = {label for part in digits for label in part.labels}
    least = THRESHOLDS.parts.missed_height * float(np.median([part.height for part in digits]))
    others = [*ink.strong, *ink.specks, *ink.weak]
    return any(p.height > least and taken.isdisjoint(p.labels) for p in others)
