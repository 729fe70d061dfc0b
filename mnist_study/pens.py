"""Pen strokes of digits in styles that MNIST's American writers hardly used, drawn at random."""

import math

import numpy as np
import PIL.Image
import PIL.ImageDraw
import scipy.interpolate

SIDE = 112  # pixels of a drawn picture
# Each style: its digit, then lines of points (x, y) from the upper left, 0 to 100. Lines in a row
# are one stroke with a sharp turn between them; None lifts the pen.
STYLES = {
    # Most of continental Europe writes 1 with an upstroke, German schools with a long one; a foot
    # keeps it apart from 7 in Latin America and in print.
    "1 with an upstroke": (1, [[(30, 38), (44, 26), (58, 5)], [(58, 5), (57, 50), (56, 95)]]),
    "1 with a long upstroke": (1, [[(16, 62), (40, 38), (62, 5)], [(62, 5), (61, 50), (59, 95)]]),
    "1 with a foot": (1, [[(34, 26), (52, 5)], [(52, 5), (52, 95)], None, [(26, 95), (80, 94)]]),
    # A 4 in one go, which ends at its stem instead of crossing it: pupils in Germany and Turkey
    # (the writers of UCI's digits) learn it so; the last form is that of a flash of lightning.
    "4 without crossing": (
        4,
        [[(26, 5), (22, 30), (20, 52)], [(20, 52), (74, 50)], None, [(76, 8), (73, 50), (70, 95)]],
    ),
    "4 in one stroke": (
        4,
        [
            [(56, 5), (36, 32), (14, 58)],
            [(14, 58), (78, 55)],
            [(78, 55), (66, 30)],
            [(66, 30), (60, 95)],
        ],
    ),
    "4 like lightning": (
        4,
        [[(52, 5), (32, 30), (14, 52)], [(14, 52), (80, 46)], [(80, 46), (48, 95)]],
    ),
    # Europe crosses its 7, so that it is not taken for a 1 with an upstroke; old schoolbooks begin
    # it with a loop or a wave.
    "7 with a bar": (
        7,
        [[(16, 10), (82, 8)], [(82, 8), (58, 48), (44, 95)], None, [(30, 52), (78, 48)]],
    ),
    "7 with a loop": (
        7,
        [[(24, 26), (14, 16), (22, 5), (34, 14), (56, 14), (84, 6)], [(84, 6), (60, 46), (46, 95)]],
    ),
    "7 with a loop and a bar": (
        7,
        [
            [(16, 24), (18, 8), (36, 14), (56, 12), (84, 6)],
            [(84, 6), (60, 46), (44, 95)],
            None,
            [(32, 54), (76, 49)],
        ],
    ),
    # A 9 drawn fast: the loop closes to a slit, or stays open, and the tail swings to the left.
    "9 with a pinched loop": (
        9,
        [
            [(70, 18), (46, 8), (26, 24), (38, 40), (62, 34), (72, 16)],
            [(72, 16), (70, 56), (62, 95)],
        ],
    ),
    "9 with a hooked tail": (
        9,
        [
            [(72, 20), (52, 5), (28, 20), (34, 44), (58, 42), (72, 22)],
            [(72, 22), (72, 62), (58, 92), (34, 93), (20, 80)],
        ],
    ),
    "9 with an open loop": (
        9,
        [[(66, 8), (38, 10), (26, 30), (42, 48), (70, 38)], [(74, 10), (71, 56), (60, 95)]],
    ),
}


def curve(points):
    """Return a smooth line through points (n, 2) as many points: float (50, 2)."""
    line, _ = scipy.interpolate.splprep(np.transpose(points), s=0, k=min(2, len(points) - 1))
    return np.transpose(scipy.interpolate.splev(np.linspace(0, 1, 50), line))


def strokes_of(style, generator):
    """Return a digit's strokes, jittered: a list of float arrays (n, 2), x and y from 0 to 100."""
    strokes, stroke = [], []
    shared = {}  # a corner belongs to both of its lines

    def moved(point):
        if point not in shared:
            shared[point] = np.add(point, generator.normal(0, 3.5, 2))
        return shared[point]

    for line in [*STYLES[style][1], None]:
        if line is None:
            strokes.append(np.concatenate(stroke))
            stroke = []
        else:
            stroke.append(curve([moved(point) for point in line]))
    return strokes


def drawn(strokes, generator):
    """Return strokes (n, 2) from 0 to 100 as a picture, stretched and slanted: uint8 (112, 112).

    Bright ink on black. The pen's width varies from a thirtieth to a seventh of the height.
    """
    wide, slant = generator.uniform(0.55, 1.1), generator.uniform(-0.25, 0.25)
    width = math.exp(generator.uniform(math.log(3), math.log(12)))
    page = PIL.Image.new("L", (2 * SIDE, 2 * SIDE))
    pen = PIL.ImageDraw.Draw(page)
    for stroke in strokes:
        x, y = np.transpose(stroke) - 50
        x = wide * x - slant * y
        places = np.stack([x, y], 1) * 0.0082 * 2 * SIDE + SIDE
        pen.line([tuple(place) for place in places], 255, round(2 * width), "curve")
        for place in (places[0], places[-1]):
            pen.ellipse([*(place - width), *(place + width)], 255)
    return np.asarray(page.resize((SIDE, SIDE), PIL.Image.Resampling.BOX))


def pen_digits(count, generator):
    """Return drawn digits of all styles in turn, and their labels: uint8 (n, 112, 112), (n,)."""
    styles = [list(STYLES)[number % len(STYLES)] for number in range(count)]
    pictures = [drawn(strokes_of(style, generator), generator) for style in styles]
    return np.stack(pictures), np.array([STYLES[style][0] for style in styles])
