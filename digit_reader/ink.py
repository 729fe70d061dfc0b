"""From a picture's brightness to its ink alone: find the sheet, even the light, take rules out."""

import dataclasses
from typing import Literal

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from digit_reader.errors import require
from digit_reader.ruled import Ink, without_rules
from digit_reader.thresholds import THRESHOLDS

Mask = NDArray[np.bool_]  # (h, w)


@dataclasses.dataclass(frozen=True)
class PageInk:
    """A page's ink, float32 (h, w) from 0 to 1 in its darkest strokes: without rules, and all."""

    strokes: Ink
    grey: Ink  # with rules and squares


def reduced(bright: Ink) -> tuple[Ink, int]:
    """Return brightness (h, w) averaged in squares to few pixels, and the side of a square."""
    factor = -(-max(bright.shape) // THRESHOLDS.ink.reduced_side)
    height, width = (factor * (side // factor) for side in bright.shape)
    squares = bright[:height, :width].reshape(height // factor, factor, width // factor, factor)
    return squares.mean((1, 3)), factor


def border(array: NDArray) -> NDArray:
    """Return the values along the border of an array (h, w)."""
    return np.concatenate([array[0], array[-1], array[1:-1, 0], array[1:-1, -1]])


def desk_in(small: Ink) -> Mask:
    """Return where a desk is seen around a sheet: bool (h, w), all False where there is none.

    A desk is dark, makes up a good part of the border, and leaves a sheet, about a rectangle.
    """
    limits = THRESHOLDS.ink
    nowhere, wide = np.zeros(small.shape, bool), max(3, round(limits.desk_width * min(small.shape)))
    darkest_paper = limits.desk_brightness * np.quantile(small, limits.paper_quantile)
    dark = scipy.ndimage.uniform_filter(small, 3) < darkest_paper
    if border(dark).mean() < limits.desk_border:
        return nowhere
    thick = scipy.ndimage.binary_opening(np.pad(dark, wide, "edge"), np.ones((wide, wide), bool))
    parts, _ = scipy.ndimage.label(thick[wide:-wide, wide:-wide])
    desk = np.isin(parts, np.unique(border(parts))) & (parts > 0)
    sheets, count = scipy.ndimage.label(~desk)
    if border(desk).mean() < limits.desk_border or not count:
        return nowhere
    sheet = scipy.ndimage.binary_fill_holes(sheets == np.bincount(sheets[~desk]).argmax())
    if not is_sheet(sheet, dark):
        return nowhere
    return ~scipy.ndimage.binary_erosion(sheet, iterations=wide // 2 + 2)


def is_sheet(sheet: Mask, dark: Mask) -> bool:
    """Return whether a part of a picture is large, about a rectangle, and mostly bright."""
    rows, columns = scipy.ndimage.find_objects(sheet.astype(int))[0]
    is_large = sheet.mean() >= THRESHOLDS.ink.sheet_area
    is_rectangle = sheet[rows, columns].mean() >= THRESHOLDS.ink.sheet_fill
    return is_large and is_rectangle and dark[sheet].mean() <= THRESHOLDS.ink.sheet_dark


def without_desk(small: Ink, desk: Mask) -> Ink:
    """Return brightness where the desk has that of the nearest paper."""
    nearest = scipy.ndimage.distance_transform_edt(
        desk, return_distances=False, return_indices=True
    )
    return small[tuple(nearest)]


def to_size(small: Ink, shape: tuple[int, ...], factor: int, order: Literal[0, 1] = 1) -> Ink:
    """Return a reduced picture enlarged again to the shape that it came from."""
    large = scipy.ndimage.zoom(small, factor, order=order, grid_mode=True, mode="nearest")
    missing = [(0, side - other) for side, other in zip(shape, large.shape, strict=True)]
    return np.pad(large, missing, "edge")


def closed(small: Ink, share: float) -> Ink:
    """Return brightness with dark places filled that are narrower than a share of the picture.

    Beyond the border the light goes on as before.
    """
    window = max(3, round(share * min(small.shape)))
    beyond = [(min(window, side - 1),) * 2 for side in small.shape]
    wide = np.pad(small, beyond, "reflect", reflect_type="odd")
    filled = scipy.ndimage.grey_closing(wide, (window, window))
    (top, _), (left, _) = beyond
    inner = filled[top : top + small.shape[0], left : left + small.shape[1]]
    return np.maximum(inner, THRESHOLDS.ink.min_paper)


def lit_paper(small: Ink) -> Ink:
    """Return how bright the paper is everywhere, shadows included: float32 (h, w), as small."""
    limits = THRESHOLDS.ink
    paper, strict = closed(small, limits.stroke_width), closed(small, limits.usual_stroke_width)
    ink = 1 - small / paper
    broad = ink > 1 - small / strict + limits.shadow_difference  # a broad stroke, or a shadow
    is_shadow = broad.any() and np.median(ink[broad]) < limits.shadow_depth * ink.max()
    return strict if is_shadow else paper


def otsu_threshold(small: Ink) -> float:
    """Return the brightness that separates dark places from bright ones; source: Otsu 1979."""
    counts, edges = np.histogram(small, 64)
    share = np.cumsum(counts) / small.size
    middles = (edges[1:] + edges[:-1]) / 2
    sums = np.cumsum(counts * middles) / small.size
    between_classes = (sums[-1] * share - sums) ** 2 / np.maximum(share * (1 - share), 1e-9)
    return float(edges[1 + between_classes.argmax()])


def dark_places(small: Ink) -> Mask | None:
    """Return where a picture is dark, bool (h, w), if dark and bright differ clearly; else None."""
    dark = small <= otsu_threshold(small)
    if not dark.any() or dark.all():
        return None
    ratio = THRESHOLDS.ink.dark_to_bright
    return dark if small[dark].mean() < ratio * small[~dark].mean() else None


def is_bright(small: Ink) -> bool:
    """Return whether the ink is brighter than its paper.

    Where dark and bright differ clearly, paper is what makes up the border; else strokes stand out
    to one side of what is around them.
    """
    dark = dark_places(small)
    if dark is not None:
        return border(dark).mean() > 0.5
    window = max(3, round(THRESHOLDS.ink.stroke_width * min(small.shape)))
    rise = small - scipy.ndimage.uniform_filter(small, window, mode="nearest")
    centred = rise - rise.mean()
    skewed = np.mean(centred**3) > THRESHOLDS.ink.skewness * np.mean(centred**2) ** 1.5
    return skewed and centred.max() > THRESHOLDS.ink.bright_rise


def paper_in(small: Ink) -> Ink:
    """Return how bright the paper is: one number in even light, else everywhere, as small."""
    edge, dark = border(small), dark_places(small)
    edge = edge[~border(dark)] if dark is not None and not border(dark).all() else edge
    if np.quantile(edge, 0.1) > THRESHOLDS.ink.even_light * np.quantile(edge, 0.9):
        return np.full(small.shape, max(THRESHOLDS.ink.min_paper, np.median(edge)), np.float32)
    return lit_paper(small)


def without_noise(bright: Ink) -> Ink:
    """Return brightness (h, w) smoothed, if most pixels differ much from their neighbours."""
    smooth = scipy.ndimage.uniform_filter(bright, 3)
    is_noisy = np.median(np.abs(bright - smooth)[::2, ::2]) > THRESHOLDS.ink.noisy
    return scipy.ndimage.gaussian_filter(bright, THRESHOLDS.ink.noise_blur) if is_noisy else bright


def without_edge(bright: Ink) -> Ink:
    """Return brightness (h, w) where a thin frame of one brightness around it has what is inside.

    Else the frame would pass for paper, and the paper for ink.
    """
    limits, deepest = THRESHOLDS.ink, round(THRESHOLDS.ink.edge_width * min(bright.shape))
    inner = next((n for n in range(1, deepest + 1) if differs(bright, n)), 0)
    if not inner or np.ptp(border(bright)) > limits.edge_range:
        return bright
    inside = bright[inner + 1 : -inner - 1, inner + 1 : -inner - 1]
    return np.pad(inside, inner + 1, "edge") if min(inside.shape) > deepest else bright


def differs(bright: Ink, depth: int) -> bool:
    """Return whether nearly all pixels at that depth are unlike those along the border."""
    away = np.abs(border(bright[depth:-depth, depth:-depth]) - np.median(border(bright)))
    return bool(np.quantile(away, 0.1) > THRESHOLDS.ink.edge_contrast)


def ink_of(bright: Ink, pale: bool = False) -> PageInk:
    """Return the ink in a page of that brightness, both float32 (h, w) in [0, 1].

    pale: whether strokes are to be as dark as the darkest nearby, not as on the whole page. Raises
    PictureError where there is none, or too little to read.
    """
    bright = without_noise(bright)
    bright = without_edge(bright)
    small, factor = reduced(bright)
    desk = desk_in(small)
    small = without_desk(small, desk) if desk.any() else small
    if is_bright(small):
        bright, small = 1 - bright, 1 - small
    paper = paper_in(small)
    ink = ink_on(paper, bright, desk, factor, pale)
    if np.ptp(paper) == 0:  # the light is even
        return ink
    closer = paper_near(small, reduced(ink.strokes)[0] > THRESHOLDS.ink.clear)
    return ink if closer is None else ink_on(closer, bright, desk, factor, pale)


def ink_on(paper: Ink, bright: Ink, desk: Mask, factor: int, pale: bool) -> PageInk:
    """Return the ink on paper that is so bright, without the desk; see ink_of."""
    ink = 1 - bright / to_size(paper, bright.shape, factor)
    if desk.any():
        ink = np.where(to_size(desk.astype(np.float32), ink.shape, factor, 0) > 0, 0, ink)
    ground = np.quantile(ink[::factor, ::factor], THRESHOLDS.ink.ground_quantile)
    grey = np.clip(ink - ground, 0, 1)
    strokes = without_rules(grey, factor)
    level = full_ink(strokes, factor, pale)
    both = (np.minimum(some / level, 1).astype(np.float32) for some in (strokes, grey))
    return PageInk(*both)


def paper_near(small: Ink, strokes: Mask) -> Ink | None:
    """Return how bright the paper is close to strokes, as small; None where strokes are broad.

    The thinner the strokes, the closer to them is paper, and the less its light differs.
    """
    width = 2 * float(scipy.ndimage.distance_transform_edt(strokes).max())
    near = THRESHOLDS.ink.near_widths * width
    share = (near + 3) / min(small.shape)
    if share > THRESHOLDS.ink.usual_stroke_width / 2:
        return None
    return scipy.ndimage.uniform_filter(closed(small, share), max(3, round(near)))


def full_ink(ink: Ink, factor: int, pale: bool = False) -> Ink | float:
    """Return how dark the darkest strokes of ink (h, w) are, everywhere; raises what ink_of does.

    Strokes end sharply, shadows do not: what counts is how far ink exceeds what is around it.
    """
    limits, smooth = THRESHOLDS.ink, scipy.ndimage.uniform_filter(ink, 3)
    window = max(5, round(limits.surroundings * min(ink.shape)))
    noise = np.quantile(np.abs(ink - smooth)[::factor, ::factor], 0.25)
    peak, rise = smooth.max(), np.max(smooth - scipy.ndimage.uniform_filter(ink, window))
    blank = "the page is blank: write on it, or crop the picture to the digit"
    require(peak > limits.clear or rise > max(limits.blank, limits.noise_factor * noise), blank)
    require(peak > limits.faint, "the ink is too faint: write darker, or with more light")
    level = float(np.median(ink[ink > limits.core * peak]))
    if pale:
        window = max(5, round(limits.pale_window * min(ink.shape)))
        darkest = scipy.ndimage.maximum_filter(smooth, window)
        nearby = scipy.ndimage.uniform_filter(darkest, window)
        return np.clip(nearby, limits.pale_level * level, level)
    return level
