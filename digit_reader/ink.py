"""From a picture's brightness to its ink alone: find the sheet, even the light, take lines out."""

from typing import Literal

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from digit_reader.errors import require
from digit_reader.ruled import Ink, without_rules
from digit_reader.rules import of

Places = NDArray[np.bool_]  # (h, w)

SMALL = of["reduced"]  # longer side, in pixels, at which sheet and light are looked for
PAPER = of["paper"]  # the quantile of the brightness that is paper
DESK = of["desk"]  # what is darker than this share of the paper is a desk, and no paper in shadow
DESK_BORDER = of["desk_border"]  # share of the border that a desk takes at least
FRINGE = of["fringe"]  # a desk is wider than this share of the picture; strokes are not
SHEET = of["sheet"]  # share of the picture that the sheet takes at least
SHEET_FILLS = of["sheet_fills"]  # share of its own rectangle: a sheet has four corners
SHEET_DARK = of["sheet_dark"]  # share of the sheet that may be dark: more is no writing
DARKEST = of["darkest"]  # brightness that paper has at least
# Of the picture: no stroke is so wide, and hardly one so.
STROKE, STROKE_STRICT = of["stroke"], of["stroke_strict"]
# What only the strict window calls light, and how dark it then is.
SHADOW, SHADOW_INK = of["shadow"], of["shadow_ink"]
# Dark places are darker than this share of the bright ones: ink and paper differ.
PARTED = of["parted"]
# Bright strokes: how lopsided brightness is, and how far they rise.
SKEW, STANDS_OUT = of["skew"], of["stands_out"]
EVEN = of["even"]  # of light along the border: darkest over brightest tenth
GROUND = of["ground"]  # the quantile of ink that is nothing but paper
AROUND = of["around"]  # of the picture: what counts as around a stroke
STRONG = of["strong"]  # of the darkest ink: a stroke's middle
NOISE = of["noise"]  # times the paper's noise that ink stands out
# What ink must reach to be read, and stand out to be there at all.
FAINT, BLANK = of["too_faint"], of["blank"]
# Times as wide as the widest stroke: where the paper near strokes is looked for.
CLOSE = of["close"]
# Of the picture: how far pale strokes compare; how pale they are at most.
NEARBY, PALE = of["nearby"], of["pale_level"]
# A picture is noisy from here; over so many pixels it is evened out.
GRAIN, SMOOTHED = of["grain"], of["smoothed"]
CLEAR = of["clear"]  # ink that is there however softly it ends


def reduced(bright: Ink) -> tuple[Ink, int]:
    """Return brightness (h, w) averaged in squares to at most SMALL pixels, and their side."""
    factor = -(-max(bright.shape) // SMALL)
    height, width = (factor * (side // factor) for side in bright.shape)
    squares = bright[:height, :width].reshape(height // factor, factor, width // factor, factor)
    return squares.mean((1, 3)), factor


def border(places: NDArray) -> NDArray:
    """Return the values along the border of an array (h, w)."""
    return np.concatenate([places[0], places[-1], places[1:-1, 0], places[1:-1, -1]])


def desk_in(small: Ink) -> Places:
    """Return where a desk is seen around a sheet: bool (h, w), all False where there is none.

    A desk is dark, makes up a good part of the border, and leaves a sheet, about a rectangle.
    """
    nothing, wide = np.zeros(small.shape, bool), max(3, round(FRINGE * min(small.shape)))
    dark = scipy.ndimage.uniform_filter(small, 3) < DESK * np.quantile(small, PAPER)
    if border(dark).mean() < DESK_BORDER:
        return nothing
    thick = scipy.ndimage.binary_opening(np.pad(dark, wide, "edge"), np.ones((wide, wide), bool))
    parts, _ = scipy.ndimage.label(thick[wide:-wide, wide:-wide])
    desk = np.isin(parts, np.unique(border(parts))) & (parts > 0)
    sheets, count = scipy.ndimage.label(~desk)
    if border(desk).mean() < DESK_BORDER or not count:
        return nothing
    sheet = scipy.ndimage.binary_fill_holes(sheets == np.bincount(sheets[~desk]).argmax())
    rows, columns = scipy.ndimage.find_objects(sheet.astype(int))[0]
    fills = sheet.mean() >= SHEET and sheet[rows, columns].mean() >= SHEET_FILLS
    if not fills or dark[sheet].mean() > SHEET_DARK:
        return nothing
    return ~scipy.ndimage.binary_erosion(sheet, iterations=wide // 2 + 2)


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
    return np.maximum(filled[top : top + small.shape[0], left : left + small.shape[1]], DARKEST)


def lit_paper(small: Ink) -> Ink:
    """Return how bright the paper is everywhere, shadows included: float32 (h, w), as small."""
    paper, strict = closed(small, STROKE), closed(small, STROKE_STRICT)
    ink = 1 - small / paper
    broad = ink > 1 - small / strict + SHADOW  # a broad stroke's inside, or a shadow
    is_shadow = broad.any() and np.median(ink[broad]) < SHADOW_INK * ink.max()
    return strict if is_shadow else paper


def between(small: Ink) -> float:
    """Return the brightness that parts the dark places from the bright ones; source: Otsu 1979."""
    counts, edges = np.histogram(small, 64)
    share = np.cumsum(counts) / small.size
    middles = (edges[1:] + edges[:-1]) / 2
    sums = np.cumsum(counts * middles) / small.size
    spread = (sums[-1] * share - sums) ** 2 / np.maximum(share * (1 - share), 1e-9)
    return float(edges[1 + spread.argmax()])


def parted(small: Ink) -> Places | None:
    """Return where a picture is dark, bool (h, w), if dark and bright differ clearly; else None."""
    dark = small <= between(small)
    clear = dark.any() and not dark.all() and small[dark].mean() < PARTED * small[~dark].mean()
    return dark if clear else None


def is_bright(small: Ink) -> bool:
    """Say whether the ink is brighter than its paper.

    Where dark and bright differ clearly, paper is what makes up the border; else strokes stand out
    to one side of what is around them.
    """
    dark = parted(small)
    if dark is not None:
        return border(dark).mean() > 0.5
    window = max(3, round(STROKE * min(small.shape)))
    stands_out = small - scipy.ndimage.uniform_filter(small, window, mode="nearest")
    centred = stands_out - stands_out.mean()
    skewed = np.mean(centred**3) > SKEW * np.mean(centred**2) ** 1.5
    return skewed and centred.max() > STANDS_OUT


def paper_in(small: Ink) -> Ink:
    """Return how bright the paper is: one number in even light, else everywhere, as small."""
    edge, dark = border(small), parted(small)
    edge = edge[~border(dark)] if dark is not None and not border(dark).all() else edge
    if np.quantile(edge, 0.1) > EVEN * np.quantile(edge, 0.9):
        return np.full(small.shape, max(DARKEST, np.median(edge)), np.float32)
    return lit_paper(small)


def without_noise(bright: Ink) -> Ink:
    """Return brightness (h, w) smoothed, if most pixels differ much from their neighbours."""
    smooth = scipy.ndimage.uniform_filter(bright, 3)
    noisy = np.median(np.abs(bright - smooth)[::2, ::2]) > GRAIN
    return scipy.ndimage.gaussian_filter(bright, SMOOTHED) if noisy else bright


def ink_of(bright: Ink, pale: bool = False) -> Ink:
    """Return the ink in a page of that brightness, both float32 (h, w) in [0, 1].

    pale: whether strokes are to be as dark as the darkest nearby, not as on the whole page. Raises
    ValueError where there is none, or too little to read.
    """
    bright = without_noise(bright)
    small, factor = reduced(bright)
    desk = desk_in(small)
    if desk.any():  # the desk gets the brightness of the nearest paper
        nearest = scipy.ndimage.distance_transform_edt(
            desk, return_distances=False, return_indices=True
        )
        small = small[tuple(nearest)]
    if is_bright(small):
        bright, small = 1 - bright, 1 - small
    paper = paper_in(small)
    ink = ink_on(paper, bright, desk, factor, pale)
    if np.ptp(paper) == 0:  # the light is even
        return ink
    closer = paper_near(small, reduced(ink)[0] > CLEAR)
    return ink if closer is None else ink_on(closer, bright, desk, factor, pale)


def ink_on(paper: Ink, bright: Ink, desk: Places, factor: int, pale: bool) -> Ink:
    """Return the ink on paper that is so bright, without desk and rules; see ink_of."""
    ink = 1 - bright / to_size(paper, bright.shape, factor)
    if desk.any():
        ink = np.where(to_size(desk.astype(np.float32), ink.shape, factor, 0) > 0, 0, ink)
    ink = np.clip(ink - np.quantile(ink[::factor, ::factor], GROUND), 0, 1)
    return levelled(without_rules(ink, factor), factor, pale)


def paper_near(small: Ink, strokes: Places) -> Ink | None:
    """Return how bright the paper is close to strokes, as small; None where strokes are broad.

    The thinner the strokes, the closer to them is paper, and the less its light differs.
    """
    wide = 2 * float(scipy.ndimage.distance_transform_edt(strokes).max())
    share = (CLOSE * wide + 3) / min(small.shape)
    if share > STROKE_STRICT / 2:
        return None
    return scipy.ndimage.uniform_filter(closed(small, share), max(3, round(CLOSE * wide)))


def levelled(ink: Ink, factor: int, pale: bool = False) -> Ink:
    """Return ink, float32 (h, w), from 0 to 1 in its darkest strokes; raises what ink_of does.

    Strokes end sharply, shadows do not: what counts is how far ink stands out from what is around.
    """
    smooth = scipy.ndimage.uniform_filter(ink, 3)
    around = scipy.ndimage.uniform_filter(ink, max(5, round(AROUND * min(ink.shape))))
    noise = np.quantile(np.abs(ink - smooth)[::factor, ::factor], 0.25)
    peak, stands_out = smooth.max(), np.max(smooth - around)
    blank = "the page is blank: write on it, or crop the picture to the digit"
    require(peak > CLEAR or stands_out > max(BLANK, NOISE * noise), blank)
    require(peak > FAINT, "the ink is too faint: write darker, or with more light")
    level = np.median(ink[ink > STRONG * peak])
    if pale:
        window = max(5, round(NEARBY * min(ink.shape)))
        darkest = scipy.ndimage.maximum_filter(smooth, window)
        level = np.clip(scipy.ndimage.uniform_filter(darkest, window), PALE * level, level)
    return np.minimum(ink / level, 1).astype(np.float32)
