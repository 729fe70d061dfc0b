"""What teaches and measures the reader: strokes, variations, simulated photographs."""

import itertools

import numpy as np
import pytest
import scipy.ndimage

from mnist_study.recogniser import pens, photographs, pictures, strokes
from mnist_study.evaluate import uci
from mnist_study.recogniser.photographs import Kind, photograph


class Still(np.random.Generator):
    """A generator of random numbers that always draws the middle, or what it is told."""

    def __init__(self, **told):
        super().__init__(np.random.PCG64(0))
        self.told = {name: itertools.cycle(values) for name, values in told.items()}

    def uniform(self, low=0.0, high=1.0, size=None):
        found = next(self.told["uniform"]) if "uniform" in self.told else (low + high) / 2
        return found if size is None else np.full(size, found)

    def normal(self, mean=0.0, deviation=1.0, size=None):
        return np.full(size, float(mean))

    def integers(self, low, high=None, size=None, **how):
        found = next(self.told["integers"]) if "integers" in self.told else low
        return found if size is None else np.full(size, found)

    def random(self):
        return next(self.told["random"]) if "random" in self.told else 0.5


def test_a_style_goes_through_its_points_and_lifts_the_pen():
    lines = strokes.strokes_of("7 with a bar", Still())
    assert len(lines) == 2  # the digit and its bar
    assert lines[0].shape == (100, 2) and lines[1].shape == (50, 2)
    digit, bar = lines
    assert digit[0] == pytest.approx([16, 10]) and digit[-1] == pytest.approx([44, 95])
    assert digit[49] == pytest.approx([82, 8]) == digit[50]  # the sharp turn
    assert bar[[0, -1]] == pytest.approx(np.array([[30, 52], [78, 48]]))


def test_points_move_by_the_jitter_and_a_turn_moves_once():
    generator = np.random.default_rng(1)
    found = np.array([strokes.strokes_of("1 with an upstroke", generator)[0] for _ in range(400)])
    moved = found[:, 0] - [30, 38]
    steady, hasty = 2.5, 7  # uniform between: the variance is the mean of the squares
    deviation = np.sqrt((hasty**3 - steady**3) / 3 / (hasty - steady))
    assert moved.std() == pytest.approx(deviation, rel=0.1)
    assert np.abs(found[:, 49] - found[:, 50]).max() < 1e-9


def test_a_hand_joins_near_strokes_and_lifts_between_far_ones():
    bar, near, far = (np.array([[x, 0.0], [x, 50.0]]) for x in (0, 20, 90))
    near, far = near[::-1], far[::-1]
    joined = strokes.without_lifting([bar, near], Still(random=[0.0]))
    assert len(joined) == 1 and joined[0].tolist() == [*bar.tolist(), *near.tolist()]
    assert len(strokes.without_lifting([bar, near], Still(random=[0.5]))) == 2
    assert len(strokes.without_lifting([bar, far], Still(random=[0.0]))) == 2


def test_a_stroke_s_end_falls_short_goes_on_or_hooks():
    line = strokes.even(np.array([[0.0, 0], [60, 0]]))
    assert line.shape == (61, 2) and np.allclose(np.diff(line[:, 0]), 1)
    short = strokes.ended(line, Still(uniform=[-3], random=[0.5]))
    assert short[-1].tolist() == [57, 0]
    on = strokes.ended(line, Still(uniform=[5, 1], random=[0.5, 0.5]))
    assert on[-1] == pytest.approx([65, 0])
    hooked = strokes.ended(line, Still(uniform=[5, 1, 1], random=[0.1, 0.9]))
    assert hooked[-1] == pytest.approx([60 - strokes.HOOK, 0])  # it turns right back


def test_a_shaken_stroke_keeps_its_way_and_rounds_its_corners():
    corner = strokes.even(np.array([[0.0, 0], [50, 0], [50, 50]]))
    still = strokes.shaken(corner, Still(uniform=[4.0, 0.0, 0.0], random=[0.1]))
    assert np.hypot(*(still - [50, 0]).T).min() > 1.5  # it no longer reaches the corner
    generator = np.random.default_rng(3)
    apart = [strokes.shaken(corner, generator) - corner for _ in range(50)]
    assert 1 < np.std(apart) < 4  # hundredths of the height


def test_strokes_are_drawn_where_they_go():
    line = np.array([[50.0, 10.0], [50.0, 90.0]])
    picture = strokes.drawn([line], Still())
    assert picture.shape == (112, 112) and picture.max() == 255
    rows, columns = np.nonzero(picture > 127)
    assert columns.mean() == pytest.approx(55.5, abs=1)
    assert np.ptp(rows) == pytest.approx(0.0082 * 80 * 112 + 6, abs=2)  # and the pen's ends
    width = np.count_nonzero(picture[56] > 127)
    assert width == pytest.approx(6, abs=1)  # between a thirtieth and a seventh, in the middle


def test_styles_come_in_turn_with_their_digits():
    digits = [style["digit"] for style in strokes.styles().values()]
    found, labels = strokes.pen_digits(len(digits) + 3, np.random.default_rng(1))
    assert labels.tolist() == digits + digits[:3] and len(found) == len(digits) + 3
    assert sorted(set(digits)) == list(range(10))


def test_thinning_leaves_lines_of_one_pixel_that_hang_together():
    ring = np.zeros((60, 60), bool)
    ring[10:50, 10:50] = True
    ring[20:40, 20:40] = False
    lines = pictures.thinned(ring)
    assert (lines <= ring).all() and scipy.ndimage.label(lines, np.ones((3, 3)))[1] == 1
    assert scipy.ndimage.label(~lines)[1] == 2  # its inside stays apart from its outside
    assert not scipy.ndimage.binary_erosion(lines, np.ones((2, 2))).any()
    assert (pictures.thinned(lines) == lines).all()


def test_a_digit_is_drawn_anew_with_a_pen_of_one_width(fallback):
    image = fallback[0][0][100]
    fine, wide = (pictures.penned(image, Still(uniform=[np.log(r)])) for r in (2.0, 5.0))
    assert fine.shape == (112, 112) and fine.dtype == np.uint8
    assert (fine > 127).sum() < 0.6 * (wide > 127).sum() and (wide >= fine).all()
    widest = scipy.ndimage.distance_transform_edt(wide > 127).max()
    assert widest == pytest.approx(5, abs=2.5)


SQUARE = np.zeros((112, 112), np.float32)
SQUARE[40:70, 45:65] = 1


def test_a_picture_is_bent_not_at_all_or_as_much_as_drawn():
    still = pictures.bent(SQUARE, Still())
    assert np.abs(still - SQUARE).max() < 1e-3
    sheared = pictures.bent(SQUARE, Still(uniform=[0, 0.3, 0, 0]))
    assert np.abs(sheared - SQUARE).max() > 0.5
    assert sheared.sum() == pytest.approx(SQUARE.sum(), rel=0.02)  # a shear keeps areas


@pytest.mark.parametrize(("pixels", "wider"), [(6, 6), (2, 2), (1, 0), (0, 0), (-1, -1), (-4, -4)])
def test_a_pen_may_be_wider_or_finer(pixels, wider):
    found = pictures.another_pen(SQUARE, Still(integers=[pixels]))
    rows, columns = np.nonzero(found)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (30 + wider, 20 + wider)


def test_a_pen_is_never_so_fine_that_the_digit_goes():
    thin = np.zeros((112, 112), np.float32)
    thin[20:90, 50:53] = 1
    assert (pictures.another_pen(thin, Still(integers=[-6])) == thin).all()


def test_a_camera_blurs_reduces_and_changes_contrast_each_by_chance():
    grey = SQUARE * 0.5
    plain = pictures.taken(grey, Still(random=[0.9, 0.9, 0.9]))
    assert plain == pytest.approx(SQUARE)  # brightened to 1, contrast as it is
    cut = pictures.taken(
        grey * np.linspace(0.2, 1, 112, dtype=np.float32), Still(random=[0.9, 0.1, 0.9])
    )
    assert set(np.unique(cut)) == {0, 1}
    small = pictures.taken(grey, Still(random=[0.9, 0.9, 0.1], integers=[10]))
    assert np.mean((small > 0.05) & (small < 0.95)) > 0.05
    blurred = pictures.taken(grey, Still(random=[0.1, 0.9, 0.9]))
    assert 0.03 < np.mean((blurred > 0.05) & (blurred < 0.95)) < 0.2


def test_variations_are_in_mnist_s_form():
    digit = np.uint8(255 * SQUARE[28:84, 28:84])
    found = pictures.variation(digit, np.random.default_rng(2))
    assert found.shape == (28, 28) and found.dtype == np.float32
    assert found.min() >= 0 and 0.9 < found.max() <= 1
    rows, columns = np.nonzero(found)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
    middle = [(found.sum(axis) @ np.arange(28)) / found.sum() for axis in (1, 0)]
    assert middle == pytest.approx([14, 14], abs=0.75)


def test_what_shows_no_digit_is_ink_all_the_same(fallback):
    generator, digits = np.random.default_rng(3), [*fallback[0][0]]
    for make in (pictures.scribble, pictures.letter):
        assert 100 < np.count_nonzero(make(digits, generator) > 127) < 6_000
    joined = pictures.pair(digits, Still(integers=[7, 14]))
    assert joined.shape == (42, 42)
    assert (joined[7:35, :14] == digits[7][:, :14]).all()
    assert (joined[7:35, 28:] == digits[7][:, 14:]).all()  # the other, 14 pixels to the right


def test_every_ninth_picture_of_a_chunk_shows_no_digit(fallback):
    (images, labels), _ = fallback
    shown = [*images[:16]]
    of_mnist = np.ones(16, bool)
    inputs, targets = pictures.chunk(shown, labels[:16], of_mnist, [1, 2])
    assert inputs.shape == (18, 28, 28) and targets.shape == (18, 10)
    assert (targets[:16].argmax(1) == labels[:16]).all() and targets[:16].max(1).min() == 1
    assert (targets[16:] == np.float32(0.1)).all()
    again, _ = pictures.chunk(shown, labels[:16], of_mnist, [1, 2])
    assert (inputs == again).all()


def test_the_reader_learns_from_mnist_its_variations_uci_and_strokes(fallback, monkeypatch):
    (images, labels), told = fallback[0], {}

    def noted(shown, known, of_mnist, seed):
        told.update(shown=shown, known=known, of_mnist=of_mnist)
        return np.zeros((1, 28, 28, 1), np.float32), np.zeros((1, 10), np.float32)

    monkeypatch.setattr(pictures, "variations", noted)
    monkeypatch.setattr(pictures, "TRAINING", slice(3))
    drawn = [[np.zeros((9, 2))]], np.array([7])
    monkeypatch.setattr(pens, "strokes_taught", lambda: drawn)
    inputs, targets = pictures.training_set(images[:8], labels[:8], seed=1)
    assert len(inputs) == len(targets) == 3 * 8 + 1
    assert (targets[:8].argmax(1) == labels[:8]).all() and (inputs[8:16] == inputs[:8]).all()
    sizes = [len(picture) for picture in told["shown"]]
    styles = list(strokes.styles())[:4]  # drawn when they are needed
    assert sizes[:166] == [28] * 16 + [8] * 150 and told["shown"][166:170] == styles
    assert told["shown"][170:] == drawn[0] * 4 and told["known"][170:].tolist() == [7] * 4
    assert told["of_mnist"].sum() == 16 and len(told["known"]) == 174


def test_people_s_strokes_are_of_thirty_writers_and_of_fourteen_others():
    trained_on, labels = pens.points_of(pens.TAUGHT)
    tests, _ = pens.points_of(pens.TESTS)
    assert trained_on.shape == (6_728, 8, 2) and tests.shape == (3_164, 8, 2)
    assert trained_on[0, 0].tolist() == [47, 0] and labels[0] == 8  # as UCI's first, upside down
    assert not {*map(bytes, trained_on)} & {*map(bytes, tests)}


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
    begins, end = lines[0][0], lines[-1][-1]
    assert np.allclose(begins, points[0]) and np.allclose(end, points[-1])
    if ends == 2:  # the pen was lifted in the lower half, and set down above it
        assert lines[0][-1][1] > lines[1][0][1] + pens.RISES


def test_nines_whose_loop_stays_open_do_not_teach():
    kept, labels = pens.training_strokes()
    assert len(kept) == len(labels) == 6_578 and np.count_nonzero(labels == 9) == 490
    for nine in (lines for lines, label in zip(kept, labels, strict=True) if label == 9):
        assert np.hypot(*(nine[0][20:] - nine[0][0]).T).min() <= pens.CLOSED


def test_uci_s_digits_are_13_other_people_s():
    inputs, labels = uci.uci_digits()
    assert inputs.shape == (1_797, 28, 28, 1) and labels[:5].tolist() == [0, 1, 2, 3, 4]
    some, known = uci.uci_digits(slice(2, 4))
    assert (some == inputs[2:4]).all() and known.tolist() == [2, 3]


def test_blank_sheets_have_their_light():
    generator = np.random.default_rng(1)
    plain = photograph(None, Kind.SOFT, 0, generator)
    assert plain.shape == (900, 1200) and plain.mean() == pytest.approx(235, abs=1)
    assert plain.std() == pytest.approx(photographs.GRAIN, rel=0.1)
    soft = photograph(None, Kind.SOFT, 0.4, generator).astype(float)
    dark, bright = np.quantile(soft, [0.001, 0.999])
    assert dark / bright == pytest.approx(0.6, abs=0.05)
    hard = photograph(None, Kind.HARD, 0.4, generator).astype(float)
    assert {round(np.quantile(hard, q) / 235, 1) for q in (0.1, 0.9)} == {0.6, 1.0}


@pytest.mark.parametrize(("kind", "lines"), [(Kind.RULES, 1), (Kind.SQUARES, 2)])
def test_rules_run_across_and_squares_down_too(kind, lines):
    page = photograph(None, kind, 100, np.random.default_rng(2)).astype(float)
    rows, columns = page.mean(1), page.mean(0)
    assert np.ptp(rows) > 15 and (np.ptp(columns) > 15) == (lines == 2)
    assert page.min() < 130


def test_a_digit_lies_on_the_sheet_in_dark_ink_so_high_as_asked():
    digit = np.full((28, 28), 255, np.uint8)
    page = photograph(digit, Kind.SOFT, 0, np.random.default_rng(3), side=300)
    rows, columns = np.nonzero(page < 150)
    assert (
        np.ptp(rows) + 1 == pytest.approx(300, abs=3) == pytest.approx(np.ptp(columns) + 1, abs=3)
    )
    assert 40 - 5 < page[page < 150].mean() < 90 + 5
    assert min(rows.min(), columns.min()) >= photographs.EDGE - 2
    wide = photograph(np.hstack([digit] * 3), Kind.DESK, 40, np.random.default_rng(3), side=100)
    assert wide[:30].mean() == pytest.approx(40, abs=2)


def test_pasted_digits_differ_from_their_paper_by_at_least_two_fifths(fallback):
    image, generator = fallback[0][0][100], np.random.default_rng(5)
    for _ in range(20):
        page = photographs.pasted(image, generator)
        paper = np.median(page)
        assert 0.35 < np.abs(page - paper).max() <= 0.65 and page.dtype == np.float32
        assert page.min() >= -0.2 and page.max() <= 1.2
