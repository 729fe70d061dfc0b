"""The thresholds by which ink is found and becomes digits: thresholds.json, typed, by step.

The page to draw in takes them from the same file. Brightness and ink go from 0 to 1. A share of the
picture is one of its shorter side. An aspect is width over height.
"""

import dataclasses
import json
import pathlib
import typing
from typing import Any, TypeVar

FILE = pathlib.Path(__file__).with_suffix(".json")
Range = tuple[float, float]  # from, to
Group = TypeVar("Group")


@dataclasses.dataclass(frozen=True)
class PictureThresholds:
    """From a picture to its brightness."""

    min_side: int  # pixels; a smaller picture is refused
    small_side: int  # pixels to which a shorter side is enlarged
    large_side: int  # pixels to which a longer side is reduced
    hidden_spread: float  # of brightness: with less, ink may show in one colour alone
    hidden_share: float  # maximum share of that of a colour in which it shows


@dataclasses.dataclass(frozen=True)
class InkThresholds:
    """From brightness to ink."""

    reduced_side: int  # pixels of the longer side at which sheet and light are looked for
    edge_width: float  # share of the picture: a thin frame around it is at most so wide
    edge_range: float  # maximum range of the brightness of such a frame
    edge_contrast: float  # minimum difference in brightness between it and what is inside
    paper_quantile: float  # of the brightness: that of paper
    desk_brightness: float  # share of the paper's; what is darker is a desk, no paper in shadow
    desk_border: float  # minimum share of the border that a desk takes
    desk_width: float  # share of the picture: a desk is wider, strokes are not
    sheet_area: float  # minimum share of the picture's area that a sheet takes
    sheet_fill: float  # minimum share of its bounding box: a sheet has four corners
    sheet_dark: float  # maximum share of the sheet that is dark: more is no writing
    min_paper: float  # minimum brightness of paper
    stroke_width: float  # share of the picture: no stroke is wider
    usual_stroke_width: float  # share of the picture: hardly any stroke is wider
    shadow_difference: float  # of the ink that the two widths give: more is broad stroke or shadow
    shadow_depth: float  # share of the darkest ink: a shadow is paler
    dark_to_bright: float  # maximum ratio of mean brightness where ink and paper differ clearly
    skewness: float  # of brightness: more of it if strokes are the brighter part
    bright_rise: float  # minimum brightness by which bright strokes exceed what is around them
    even_light: float  # minimum ratio of the border's 10% and 90% quantiles in even light
    ground_quantile: float  # of the ink: that of blank paper
    surroundings: float  # share of the picture: window of what is around a stroke
    core: float  # share of the darkest ink: more is the middle of a stroke
    noise_factor: float  # times the paper's noise: ink stands out further
    faint: float  # ink: a picture with no more than this anywhere is too faint
    blank: float  # ink: a picture where nothing stands out further is blank
    clear: float  # ink that is no paper, however softly it ends
    near_widths: float  # widths of the widest stroke: the window for paper near strokes
    pale_window: float  # share of the picture: window in which pale strokes are compared
    pale_level: float  # minimum level of pale strokes, as share of the page's
    noisy: float  # median difference of a pixel from its neighbours above which noise is smoothed
    noise_blur: float  # pixels: standard deviation of the Gaussian filter that smooths it


@dataclasses.dataclass(frozen=True)
class RuledThresholds:
    """The rules of ruled and squared paper, which are taken out."""

    quantile: float  # of a row's ink: the row is as dark as three quarters of its pixels
    thickness: float  # maximum, as share of the picture's height
    columns: int  # number of them in which the course of rules is searched
    min_darkest: float  # ink of a page's darkest rule
    min_ink: float  # of any rule
    min_coarse: float  # ink of the darkest rule in the first step of the search
    crossing_factor: float  # times a rule's ink, plus the offset: darker ink crosses the rule
    crossing_offset: float  # ink; see crossing_factor
    max_fall: float  # share of the width: fall of rules where the search begins
    max_difference: float  # share of the width: between the falls above and below
    first_step: float  # of the search, as share of the width
    last_step: float  # of the search, as share of the width
    deviation: float  # share of the width by which a rule may leave its course
    paler: float  # share of the darkest ink: rules are paler, or reach the border
    border: float  # share of the width: the ends of rows that are at the border


@dataclasses.dataclass(frozen=True)
class PartsThresholds:
    """Connected parts of ink, of which digits consist."""

    ink: float  # more is part of a digit
    link: float  # more ink links parts
    dry: float  # more ink is of a digit, too, if the pen ran dry
    strong_mean: float  # minimum mean ink of a part that is no residue of rules or light
    pale_mean: float  # minimum mean ink of a part by a pale pen
    speck_area: float  # share of the largest part's area: a smaller part is a speck
    speck_length: float  # share of the longest part's length: a shorter part is a speck
    max_pieces: int  # number of connected pieces that are looked at, the largest ones
    max_parts: int  # number of parts: with more a picture shows no writing
    similar_length: Range  # lengths of a pale part, as shares of those of its neighbours
    line_overlap: float  # share of the shorter part: two parts of a line overlap more in height
    min_neighbours: int  # number of strong parts beside a pale one
    apart_overlap: float  # share of the shorter part: parts that overlap less are apart
    max_aspect: float  # of a single digit
    min_fill: float  # minimum area of a digit's ink, as share of its squared height
    grains_share: float  # minimum share of the faint stroke that a pencil's grains take
    largest_grain: float  # maximum share of all grains that one of them takes
    surroundings_length: float  # times the longest inner part: what is longer is no digit
    inner_length: float  # share of the longest inner part: digits are longer
    blob_fill: float  # minimum share of its box that a hole or stain fills
    blob_aspect: float  # minimum, of a hole or stain: a 1 is narrower
    strip_aspect: float  # maximum thickness of a strip along the border, as share of its length
    border: float  # share of the picture: closer is at the border
    missed_height: float  # share of the digits' height: what is higher may be one, left out


@dataclasses.dataclass(frozen=True)
class LinesThresholds:
    """Which parts make a digit, and which digits a line. Gaps are shares of the taller height."""

    frame_edge: float  # share of a part's height by which a frame reaches beyond it at least
    framed_height: float  # minimum height of what is in a frame, as share of the frame's
    as_high: float  # share of the highest digit's height: such digits say how a line runs
    max_slope: float  # of a line: rows a column
    min_height: float  # share of the longest digit's length: a lower part is a speck
    max_aspect: float  # of a digit: what is wider is a line or a sign
    link_gap: float  # maximum between parts that faint ink links
    beside_gap: float  # maximum between a part and a stroke beside it
    beside_height: float  # maximum height of a stroke beside a part, as share of the part's
    beside_overlap: float  # minimum overlap in width of parts beside each other in any case
    stacked_gap: float  # maximum between stacked halves, as share of both heights and the gap
    stacked_overlap: float  # minimum overlap in width of stacked parts
    bar_gap: float  # maximum between a part and a bar above it, as stacked_gap
    bar_height: float  # maximum height of a bar, as share of the part's
    bar_overlap: float  # minimum overlap in width of a part and its bar
    stem_gap: float  # maximum between the corner of a 4 and its stem
    stem_aspect: float  # maximum, of a stem
    stem_height: float  # minimum height of a stem, as share of the corner's
    stem_drop: Range  # by how much a stem stands lower than its corner, as share of its height
    number_gap: float  # minimum between two numbers, as share of the digits' height
    number_gap_usual: float  # minimum between two numbers, as multiple of the usual gap
    number_gap_of_two: float  # minimum between two numbers of a digit each, as share of the height


@dataclasses.dataclass(frozen=True)
class PrepareThresholds:
    """From a digit's ink to MNIST's form."""

    soft_edge: float  # share of the longer side: how far soft edges reach beyond a digit
    stroke_width: float  # minimum, in pixels when the digit is 20 pixels long
    trace: float  # maximum ink of paper
    frame_height: float  # minimum height of a frame with digits, as share of the picture's
    frame_shares: tuple[float, ...]  # of a frame's height that the digits in it may take


@dataclasses.dataclass(frozen=True)
class ReadingThresholds:
    """What counts as a number."""

    max_digits: int  # in a picture: with more it shows a pattern
    min_probability: float  # of a digit: else there is none
    one_probability: float  # a part that is a digit with this probability is not two that touch
    min_in_frame: float  # minimum probability of each digit that is read in a frame


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """All thresholds, grouped by step."""

    picture: PictureThresholds
    ink: InkThresholds
    ruled: RuledThresholds
    parts: PartsThresholds
    lines: LinesThresholds
    prepare: PrepareThresholds
    reading: ReadingThresholds


def of_json(kind: type[Group], values: dict[str, Any]) -> Group:
    """Return a dataclass of that kind from a JSON object of the same names; lists become tuples.

    Raises ValueError, which names them, where keys are missing or unknown.
    """
    kinds = typing.get_type_hints(kind)
    missing, unknown = sorted(kinds.keys() - values.keys()), sorted(values.keys() - kinds.keys())
    if missing or unknown:
        names = f"{FILE.name}, {kind.__name__}: missing {missing}, unknown {unknown}"
        raise ValueError(f"{names}: give each threshold once, by its name in {__name__}")

    def typed(name: str, value: Any) -> Any:
        if dataclasses.is_dataclass(kinds[name]):
            return of_json(kinds[name], value)
        return tuple(value) if isinstance(value, list) else value

    return kind(**{name: typed(name, value) for name, value in values.items()})


THRESHOLDS = of_json(Thresholds, json.loads(FILE.read_text(encoding="utf-8")))
