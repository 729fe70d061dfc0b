"""What trains and measures the recogniser: strokes, variations, simulated photographs."""

import concurrent.futures
import itertools

import numpy as np
import pytest
import scipy.ndimage

from mnist_study.data import one_hot
from mnist_study.evaluate import uci
from mnist_study.recogniser import pens, photographs, pictures, strokes
from mnist_study.recogniser.photographs import Kind, photograph

SQUARE = np.zeros((112, 112), np.float32)
SQUARE[40:70, 45:65] = 1


def digits(count):
    """Return UCI's first digits as MNIST has them: uint8 (count, 28, 28), and their labels."""
    inputs, labels = uci.uci_digits(slice(count))
    return (255 * inputs[..., 0]).astype(np.uint8), labels


class Still(np.random.Generator):
    """A generator of random numbers that always draws the middle, or the values given."""

    def __init__(self, **values):
        super().__init__(np.random.PCG64(0))
        self.values = {name: itertools.cycle(given) for name, given in values.items()}

    def drawn(self, name, default, size=None):
        value = next(self.values[name]) if name in self.values else default
        return value if size is None else np.full(size, value)

    def uniform(self, low=0.0, high=1.0, size=None):
        return self.drawn("uniform", (low + high) / 2, size)

    def normal(self, mean=0.0, deviation=1.0, size=None):
        return np.full(size, float(mean))

    def integers(self, low, high=None, size=None, **how):
        return self.drawn("integers", low, size)

    def random(self):
        return self.drawn("random", 0.5)


def test_a_style_goes_through_its_points_and_lifts_the_pen():
    digit, bar = strokes.jittered_strokes("7 with a bar", Still())
    assert digit.shape == (100, 2) and bar.shape == (50, 2)
    assert digit[[0, -1]] == pytest.approx(np.array([[16, 10], [44, 95]]))
    assert digit[49] == pytest.approx([82, 8]) == digit[50]  # the sharp turn
    assert bar[[0, -1]] == pytest.approx(np.array([[30, 52], [78, 48]]))


def test_points_move_by_the_jitter_and_a_turn_moves_once():
    generator = np.random.default_rng(1)
    style = "1 with an upstroke"
    lines = np.array([strokes.jittered_strokes(style, generator)[0] for _ in range(150)])
    steady, hasty = 2.5, 7  # uniform between: the variance is the mean of the squares
    deviation = np.sqrt((hasty**3 - steady**3) / 3 / (hasty - steady))
    assert (lines[:, 0] - [30, 38]).std() == pytest.approx(deviation, rel=0.1)
    assert np.abs(lines[:, 49] - lines[:, 50]).max() < 1e-9


def test_a_hand_joins_near_strokes_and_lifts_between_far_ones():
    bar = np.array([[0.0, 0.0], [0.0, 50.0]])
    near, far = (bar[::-1] + np.array([x, 0]) for x in (20, 90))
    joined = strokes.join([bar, near], Still(random=[0.0]))
    assert len(joined) == 1 and joined[0].tolist() == [*bar.tolist(), *near.tolist()]
    assert len(strokes.join([bar, near], Still(random=[0.5]))) == 2
    assert len(strokes.join([bar, far], Still(random=[0.0]))) == 2


def test_a_stroke_s_end_falls_short_goes_on_or_hooks():
    line = strokes.resample(np.array([[0.0, 0], [60, 0]]))
    assert line.shape == (61, 2) and np.allclose(np.diff(line[:, 0]), 1)
    short = strokes.vary_end(line, Still(uniform=[-3], random=[0.5]))
    assert short[-1].tolist() == [57, 0]
    on = strokes.vary_end(line, Still(uniform=[5, 1], random=[0.5, 0.5]))
    assert on[-1] == pytest.approx([65, 0])
    hooked = strokes.vary_end(line, Still(uniform=[5, 1, 1], random=[0.1, 0.9]))
    assert hooked[-1] == pytest.approx([60 - 9, 0])  # it turns right back


def test_a_shaken_stroke_follows_its_way_and_rounds_its_corners():
    corner = strokes.resample(np.array([[0.0, 0], [50, 0], [50, 50]]))
    still = strokes.shake(corner, Still(uniform=[4.0, 0.0, 0.0], random=[0.1]))
    assert np.hypot(*(still - [50, 0]).T).min() > 1.5  # it no longer reaches the corner
    generator = np.random.default_rng(3)
    shifts = [strokes.shake(corner, generator) - corner for _ in range(100)]
    assert np.std(shifts) == pytest.approx(2.6, abs=0.4)  # hundredths of the height


def test_strokes_are_drawn_where_they_go_in_a_pen_of_its_width():
    picture = strokes.draw([np.array([[50.0, 10.0], [50.0, 90.0]])], Still())
    rows, columns = np.nonzero(picture > 127)
    assert picture.shape == (112, 112) and columns.mean() == pytest.approx(55.5, abs=1)
    assert np.ptp(rows) == pytest.approx(0.0082 * 80 * 112 + 6, abs=2)  # and the pen's ends
    assert np.count_nonzero(picture[56] > 127) == pytest.approx(6, abs=1)  # 3 to 12, in the middle


def test_styles_come_in_turn_with_their_digits():
    digits = [style["digit"] for style in strokes.styles().values()]
    names, labels = strokes.pen_styles(len(digits) + 3)
    assert labels.tolist() == digits + digits[:3] and names[-3:] == names[:3]
    assert sorted(set(digits)) == list(range(10))
    drawn, known = strokes.pen_digits(3, np.random.default_rng(1))
    assert known.tolist() == digits[:3] and all(0.02 < np.mean(one > 127) < 0.4 for one in drawn)


def test_thinning_leaves_connected_lines_of_one_pixel():
    ring = np.zeros((60, 60), bool)
    ring[10:50, 10:50] = True
    ring[20:40, 20:40] = False
    lines = pictures.thin(ring)
    assert (lines <= ring).all() and scipy.ndimage.label(lines, np.ones((3, 3)))[1] == 1
    assert scipy.ndimage.label(~lines)[1] == 2  # its inside stays apart from its outside
    assert not scipy.ndimage.binary_erosion(lines, np.ones((2, 2))).any()
    assert (pictures.thin(lines) == lines).all()


def test_a_digit_is_redrawn_in_a_pen_of_one_width():
    bar = np.zeros((28, 28), np.uint8)
    bar[4:24, 12:16] = 255
    for given, radius in (
        ({"uniform": [np.log(2.0)]}, 2),
        ({"uniform": [np.log(5.0)]}, 5),
        ({}, 3),
    ):
        redrawn = pictures.redraw(bar, Still(**given))
        assert redrawn.shape == (112, 112) and redrawn.dtype == np.uint8
        width = np.count_nonzero(redrawn[40:70] > 127) / 30
        assert width == pytest.approx(2 * radius, abs=1.1)  # by default from 1.5 to 6


def test_a_picture_is_warped_not_at_all_or_as_much_as_drawn():
    assert np.abs(pictures.warp(SQUARE, Still()) - SQUARE).max() < 1e-3
    sheared = pictures.warp(SQUARE, Still(uniform=[0, 0.3, 0, 0]))
    assert np.abs(sheared - SQUARE).max() > 0.5
    assert sheared.sum() == pytest.approx(SQUARE.sum(), rel=0.02)  # a shear preserves areas


@pytest.mark.parametrize(("pixels", "wider"), [(6, 6), (2, 2), (1, 0), (0, 0), (-1, -1), (-4, -4)])
def test_a_pen_becomes_wider_or_finer(pixels, wider):
    rows, columns = np.nonzero(pictures.change_pen(SQUARE, Still(integers=[pixels])))
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (30 + wider, 20 + wider)


def test_a_pen_is_never_so_fine_that_the_digit_disappears():
    thin = np.zeros((112, 112), np.float32)
    thin[20:90, 50:53] = 1
    assert (pictures.change_pen(thin, Still(integers=[-6])) == thin).all()


def test_a_camera_blurs_reduces_and_changes_contrast_each_by_chance():
    grey = SQUARE * 0.5

    def between(picture):
        return np.mean((picture > 0.05) & (picture < 0.95))

    plain = pictures.take(grey, Still(random=[0.9, 0.9, 0.9]))
    assert plain == pytest.approx(SQUARE)  # brightened to 1, contrast as it is
    ramp = grey * np.linspace(0.2, 1, 112, dtype=np.float32)
    assert set(np.unique(pictures.take(ramp, Still(random=[0.9, 0.1, 0.9])))) == {0, 1}
    small = pictures.take(grey, Still(random=[0.9, 0.9, 0.1], integers=[10]))
    blurred = pictures.take(grey, Still(random=[0.1, 0.9, 0.9]))
    assert between(small) > 0.05 and 0.03 < between(blurred) < 0.2


def test_variations_and_uci_s_digits_are_in_mnist_s_form():
    digit = np.uint8(255 * SQUARE[28:84, 28:84])
    varied = pictures.variation(digit, np.random.default_rng(2))
    inputs, labels = uci.uci_digits(slice(2, 12))
    assert labels[:4].tolist() == [2, 3, 4, 5] and inputs.shape == (10, 28, 28, 1)
    for image in (varied, *inputs[..., 0]):
        assert image.shape == (28, 28) and image.dtype == np.float32
        assert image.min() >= 0 and 0.9 < image.max() <= 1
        rows, columns = np.nonzero(image)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
        centre = [(image.sum(axis) @ np.arange(28)) / image.sum() for axis in (1, 0)]
        assert centre == pytest.approx([14, 14], abs=0.75)


def test_pictures_without_a_digit_have_ink_all_the_same():
    generator = np.random.default_rng(3)
    for make in (pictures.scribble, pictures.letter):
        assert 100 < np.count_nonzero(make([], generator) > 127) < 6_000
    digits = [np.full((28, 28), 10 * number, np.uint8) for number in range(9)]
    joined = pictures.pair(digits, Still(integers=[7, 14]))
    assert joined.shape == (42, 42) and (joined[7:35] == 70).all()  # 14 pixels to the right
    assert not joined[:7].any() and not joined[35:].any()


def test_every_ninth_picture_of_a_chunk_shows_no_digit():
    images, labels = digits(16)
    inputs, targets = pictures.chunk([*images[:16]], labels[:16], [1, 2])
    assert inputs.shape == (18, 28, 28, 1) and targets.shape == (18, 10)
    assert (targets[:16] == one_hot(labels[:16])).all() and (targets[16:] == np.float32(0.1)).all()
    assert (inputs == pictures.chunk([*images[:16]], labels[:16], [1, 2])[0]).all()


def test_strokes_are_drawn_and_some_digits_of_mnist_redrawn(monkeypatch):
    digit, uci_digit = np.full((28, 28), 9, np.uint8), np.full((8, 8), 9, np.uint8)
    redrawn = np.zeros((112, 112), np.uint8)
    monkeypatch.setattr(pictures, "redraw", lambda picture, generator: redrawn)
    assert pictures.picture_of(digit, Still(random=[0.2])) is redrawn
    assert pictures.picture_of(digit, Still(random=[0.3])) is digit
    assert pictures.picture_of(uci_digit, Still(random=[0.2])) is uci_digit
    line = [np.array([[50.0, 10.0], [50.0, 90.0]])]
    for source in (line, "1 with an upstroke"):
        assert pictures.picture_of(source, np.random.default_rng(1)).max() == 255


def test_all_sources_are_varied_in_chunks_of_their_own_seeds(monkeypatch):
    def chunk(sources, labels, seed):
        seeds.append(seed)
        return np.float32(sources).reshape(-1, 1, 1, 1), one_hot(labels)

    seeds, threads = [], concurrent.futures.ThreadPoolExecutor
    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", lambda mp_context: threads(1))
    monkeypatch.setattr(pictures, "chunk", chunk)
    monkeypatch.setattr(pictures, "CHUNK", 4)
    inputs, targets = pictures.variations.__wrapped__([*range(10)], np.arange(10), 7)
    assert inputs.ravel().tolist() == targets.argmax(1).tolist() != sorted(inputs.ravel())
    assert sorted(inputs.ravel()) == [*range(10)] and seeds == [[7, 0], [7, 1], [7, 2]]


def test_the_recogniser_is_trained_on_mnist_its_variations_uci_and_strokes(monkeypatch):
    (images, labels), asked = digits(8), []

    def variations(*given):
        asked.extend(given)
        return np.zeros((1, 28, 28, 1), np.float32), np.zeros((1, 10), np.float32)

    monkeypatch.setattr(pictures, "variations", variations)
    monkeypatch.setattr(pictures, "TRAINING", slice(3))
    drawn = [[np.zeros((9, 2))]], np.array([7])
    monkeypatch.setattr(pens, "training_strokes", lambda: drawn)
    inputs, targets = pictures.training_set(images[:8], labels[:8], seed=1)
    assert len(inputs) == len(targets) == 3 * 8 + 1
    assert (targets[:8].argmax(1) == labels[:8]).all() and (inputs[8:16] == inputs[:8]).all()
    sources, known, seed = asked
    assert [len(source) for source in sources[:166]] == [28] * 16 + [8] * 150 and seed == 1
    assert sources[166:] == [*strokes.styles()][:4] + drawn[0] * 4 and len(known) == 174
    assert known[:8].tolist() == labels[:8].tolist() and known[170:].tolist() == [7] * 4


def test_people_s_strokes_are_of_thirty_writers_and_of_fourteen_others():
    with np.load(pens.__file__.replace(".py", ".npz")) as arrays:
        training, test = (arrays[f"{part}_points"] for part in (pens.TRAINING, pens.TEST))
    assert training.shape == (6_728, 8, 2) and test.shape == (3_164, 8, 2)
    assert not {*map(bytes, training)} & {*map(bytes, test)}


@pytest.mark.parametrize(
    ("label", "points", "ends"),
    [
        (4, [(20, 0), (0, 50), (95, 50), (90, 20), (80, 0), (80, 30), (80, 70), (80, 100)], 2),
        (4, [(50, 0), (30, 20), (0, 45), (30, 50), (70, 45), (70, 60), (65, 80), (60, 100)], 1),
        (5, [(20, 5), (15, 40), (70, 50), (70, 95), (5, 90), (10, 50), (40, 5), (100, 0)], 2),
        (5, [(100, 0), (40, 5), (20, 10), (15, 45), (70, 50), (80, 80), (50, 100), (0, 95)], 1),
        (7, [(0, 5), (50, 0), (100, 5), (70, 50), (50, 100), (20, 70), (60, 50), (95, 50)], 2),
        (7, [(0, 5), (30, 0), (60, 0), (100, 5), (80, 30), (70, 50), (60, 80), (50, 100)], 1),
        (9, [(90, 20), (50, 0), (0, 25), (50, 50), (90, 20), (85, 50), (75, 80), (50, 100)], 1),
    ],
)
def test_the_way_of_a_lifted_pen_is_left_out(label, points, ends):
    lines = pens.lines_of(np.array(points, np.uint8), label)
    assert len(lines) == ends
    assert np.allclose(lines[0][0], points[0]) and np.allclose(lines[-1][-1], points[-1])
    if ends == 2:  # the pen was lifted in the lower half, and set down above it
        assert lines[0][-1][1] > lines[1][0][1] + 15


def test_open_nines_are_not_trained_on_and_the_test_is_drawn_in_one_pen(monkeypatch):
    closed, opened = (np.linspace([0, 0], [100, 0], 40) for _ in range(2))
    closed[30], opened[20:] = [19, 0], [21, 0]
    digits = [[closed], [opened], [opened]], np.array([9, 9, 5])
    monkeypatch.setattr(pens, "strokes_by", lambda part: digits)
    training, labels = pens.training_strokes()
    assert labels.tolist() == [9, 5] and training[0][0] is closed
    (picture, *_), _ = pens.pictures_by(pens.TEST)
    rows, columns = np.nonzero(picture > 127)
    assert np.ptp(rows) + 1 == pytest.approx(8, abs=1)
    assert np.ptp(columns) + 1 == pytest.approx(0.0082 * 65 * 112 + 8, abs=2)


def test_a_blank_sheet_has_its_light_and_its_grain():
    generator = np.random.default_rng(1)
    plain, soft, hard = (
        photograph(None, kind, strength, generator).astype(float)
        for kind, strength in ((Kind.SOFT, 0), (Kind.SOFT, 0.4), (Kind.HARD, 0.4))
    )
    assert plain.shape == (900, 1200) and plain.mean() == pytest.approx(234.5, abs=0.5)
    assert plain.std() == pytest.approx(4, rel=0.05)
    dark, bright = np.quantile(soft, [0.001, 0.999])
    assert dark / bright == pytest.approx(0.6, abs=0.05)
    assert {round(np.quantile(hard, q) / 235, 1) for q in (0.1, 0.9)} == {0.6, 1.0}


def test_rules_run_across_and_squares_down_too_in_their_thickness_and_grey():
    for squares in (False, True):
        page = photographs.ruled(100, squares, Still(integers=[45, 3, 10, 10]))
        for line, count in ((page[:, 0], 900), (page[0], 1200 * squares)):
            dark = [at + row for at in range(10, count, 45) for row in range(3) if at + row < count]
            assert np.flatnonzero(line < 105).tolist() == dark
    assert page.max() == 235 and page.min() == 100


def test_a_digit_lies_on_the_sheet_in_dark_ink_of_the_height_asked_for():
    digit = np.full((28, 28), 255, np.uint8)
    page = photograph(digit, Kind.SOFT, 0, np.random.default_rng(3), side=300)
    rows, columns = np.nonzero(page < 150)
    assert [np.ptp(rows) + 1, np.ptp(columns) + 1] == pytest.approx([300, 300], abs=3)
    assert 40 - 5 < page[page < 150].mean() < 90 + 5
    assert min(rows.min(), columns.min()) >= 60 - 2
    wide = photograph(np.hstack([digit] * 3), Kind.DESK, 40, np.random.default_rng(3), side=100)
    assert wide[:30].mean() == pytest.approx(40, abs=2) and wide[45:50].mean() > 200


def test_pasted_digits_differ_from_their_paper_by_at_least_two_fifths():
    image = np.pad(np.full((20, 8), 255, np.uint8), ((4, 4), (10, 10)))
    generator = np.random.default_rng(5)
    for _ in range(20):
        page = photographs.pasted(image, generator)
        contrast = np.abs(page - np.median(page)).max()
        assert 0.35 < contrast <= 0.65 and page.dtype == np.float32
        assert page.min() >= -0.2 and page.max() <= 1.2
