"""What trains and measures the recogniser: strokes, variations, simulated photographs."""

from concurrent import futures

import numpy as np
import pytest
import scipy.ndimage
from support.still import Still, digits

from mnist_study.data import one_hot
from mnist_study.evaluate import uci
from mnist_study.recogniser import pens, photographs, pictures, strokes
from mnist_study.recogniser.photographs import Kind, photograph

SMALL = np.full((8, 8), 255, np.uint8)
SQUARE = np.pad(np.ones((30, 20), np.float32), ((40, 42), (45, 47)))
LINE = np.array([[50.0, 10.0], [50.0, 90.0]])


def size(ink):
    """Return how high and wide ink (h, w) is."""
    return [np.ptp(places) + 1 for places in np.nonzero(ink)]


def test_a_style_goes_through_its_points_each_moved_once_by_the_jitter():
    digit, _ = strokes.jittered_strokes("7 with a bar", Still())
    assert digit[[0, -1]] == pytest.approx(np.array([[16, 10], [44, 95]]))
    assert digit[49] == pytest.approx([82, 8]) == digit[50]  # the sharp turn
    generator = np.random.default_rng(1)
    lines = [strokes.jittered_strokes("1 with an upstroke", generator)[0] for _ in range(150)]
    deviation = np.sqrt((7**3 - 2.5**3) / 3 / (7 - 2.5))  # of 2.5 to 7: of the mean square
    assert np.std([line[0] - [30, 38] for line in lines]) == pytest.approx(deviation, rel=0.1)
    assert max(np.abs(line[49] - line[50]).max() for line in lines) < 1e-9


def test_strokes_of_all_styles_are_drawn_where_they_go_in_a_pen_of_its_width():
    ink = strokes.draw([LINE], Still()) > 127
    assert size(ink) == pytest.approx([0.0082 * 80 * 112 + 6, 6], abs=1)  # 3 to 12, in the middle
    known = [style["digit"] for style in strokes.styles().values()]
    assert strokes.pen_styles(len(known) + 3)[1].tolist() == known + known[:3]


def test_thinning_leaves_connected_lines_of_one_pixel_to_redraw():
    ring = np.pad(~np.pad(np.ones((20, 20), bool), 10), 10)
    lines = pictures.thin(ring)
    assert (lines <= ring).all() and scipy.ndimage.label(lines, np.ones((3, 3)))[1] == 1
    assert scipy.ndimage.label(~lines)[1] == 2  # its inside stays apart from its outside
    assert not scipy.ndimage.binary_erosion(lines, np.ones((2, 2))).any()
    bar = np.pad(np.full((20, 4), 255, np.uint8), ((4, 4), (12, 12)))
    redrawn = pictures.redraw(bar, Still())  # in a pen of 1.5 to 6 pixels each side: in the middle
    assert size(redrawn > 127)[1] == pytest.approx(2 * 3, abs=1)


def test_random_pictures_are_those_that_the_records_rest_on():
    digit = digits(1)[0][0]
    for make, given, mean in (
        (pictures.warp, SQUARE, 0.055235),
        (pictures.change_pen, SQUARE, 0.056853),
        (pictures.take, SQUARE, 0.04644),
        (pictures.redraw, digit, 18.288),
        (pictures.variation, digit, 0.14725),
        (photographs.pasted, digit, 0.55666),
        (pictures.scribble, [], 50.123),
        (pictures.pair, [digit] * 3, 32.588),
        (strokes.pen_digit, "4 closed", 27.447),
        (lambda grey, chance: photographs.ruled(grey, True, chance), 100, 223.169),
    ):
        means = [make(given, np.random.default_rng(seed)).mean() for seed in range(12)]
        assert np.mean(means) == pytest.approx(mean, rel=2e-3), make


def test_variations_and_uci_s_digits_are_in_mnist_s_form():
    varied = pictures.variation(np.uint8(255 * SQUARE[28:84, 28:84]), np.random.default_rng(2))
    for image in (varied, *uci.uci_digits(slice(10))[0][..., 0]):
        assert image.min() >= 0 and 0.9 < image.max() <= 1 and max(size(image)) <= 20
        centre = [(image.sum(axis) @ np.arange(28)) / image.sum() for axis in (1, 0)]
        assert centre == pytest.approx([14, 14], abs=0.75)


def test_a_chunk_varies_digits_and_every_ninth_of_its_pictures_shows_none():
    images, labels = digits(16)
    inputs, targets = pictures.chunk([*images], labels, [1, 2])
    assert inputs.shape == (18, 28, 28, 1) and (targets[16:] == np.float32(0.1)).all()
    assert (targets[:16] == one_hot(labels)).all()
    for source, chance, side in ((images[0], 0.2, 112), (images[0], 0.3, 28), (SMALL, 0.2, 8)):
        assert len(pictures.picture_of(source, Still(random=[chance]))) == side  # if redrawn: 112


def test_the_recogniser_is_trained_on_mnist_its_variations_uci_and_strokes(monkeypatch):
    def chunk(sources, labels, seed):
        asked.extend(zip(map(len, sources), labels.tolist(), strict=True))
        return np.zeros((len(labels), 28, 28, 1), np.float32), one_hot(labels)

    (images, labels), asked = digits(8), []
    monkeypatch.setattr(futures, "ProcessPoolExecutor", lambda **how: futures.ThreadPoolExecutor(1))
    monkeypatch.setattr(pictures, "chunk", chunk)
    monkeypatch.setattr(pictures, "uci_pictures", lambda part: ([SMALL], np.array([7])))
    monkeypatch.setattr(pens, "training_strokes", lambda: ([[LINE] * 5], np.array([8])))
    inputs, targets = pictures.training_set(images, labels, seed=1)
    assert (targets[:24].argmax(1) == [*labels] * 3).all() and (inputs[8:16] == inputs[:8]).all()
    expected = [(28, label) for label in labels] * 2 + [(8, 7)] * 50 + [(5, 8)] * 4
    expected += [(len(name), 0) for name in [*strokes.styles()][:4]]
    assert sorted(asked) == sorted(expected) and asked != expected
    assert targets[24:].argmax(1).tolist() == [label for _, label in asked]


def test_the_way_of_a_lifted_pen_is_left_out():
    for label, points, count in (
        (4, [(20, 0), (0, 50), (95, 50), (90, 20), (80, 0), (80, 30), (80, 70), (80, 100)], 2),
        (4, [(50, 0), (30, 20), (0, 45), (30, 50), (70, 45), (70, 60), (65, 80), (60, 100)], 1),
        (5, [(20, 5), (15, 40), (70, 50), (70, 95), (5, 90), (10, 50), (40, 5), (100, 0)], 2),
        (7, [(0, 5), (50, 0), (100, 5), (70, 50), (50, 100), (20, 70), (60, 50), (95, 50)], 2),
    ):
        lines = pens.lines_of(np.array(points, np.uint8), label)
        assert np.allclose(lines[0][0], points[0]) and np.allclose(lines[-1][-1], points[-1])
        assert len(lines) == count and (count == 1 or lines[0][-1][1] > lines[1][0][1] + 15)


def test_open_nines_are_not_trained_on_and_the_test_is_drawn_in_one_pen(monkeypatch):
    closed, opened = (np.linspace([0, 0], [100, 0], 40) for _ in range(2))
    closed[30], opened[20:] = [19, 0], [21, 0]
    drawn = [[closed], [opened], [opened]], np.array([9, 9, 5])
    monkeypatch.setattr(pens, "strokes_by", lambda part: drawn)
    training, labels = pens.training_strokes()
    assert labels.tolist() == [9, 5] and training[0][0] is closed
    assert size(pens.pictures_by(pens.TEST)[0][0] > 127) == pytest.approx([8, 67.7], abs=1)


def test_a_sheet_has_its_light_grain_and_rules():
    plain, soft, hard = (
        photograph(None, kind, strength, np.random.default_rng(1)) / 235
        for kind, strength in ((Kind.SOFT, 0), (Kind.SOFT, 0.4), (Kind.HARD, 0.4))
    )
    assert [plain.mean(), 235 * plain.std()] == pytest.approx([1, 4], rel=0.05)
    assert np.quantile(soft, [0.001, 0.999]) == pytest.approx([0.6, 1], abs=0.03)
    assert np.quantile(hard, [0.1, 0.9]) == pytest.approx([0.6, 1], abs=0.03)
    for squares in (False, True):  # rules run across, squares down, too
        page = photographs.ruled(100, squares, Still(integers=[45, 3, 10, 10]))
        for line, count in ((page[:, 0], 900), (page[0], 1200 * squares)):
            dark = [at + row for at in range(10, count, 45) for row in range(3) if at + row < count]
            assert np.flatnonzero(line < 105).tolist() == dark


def test_a_digit_lies_on_the_sheet_in_dark_ink_of_the_height_asked_for():
    digit = np.full((28, 28), 255, np.uint8)
    page = photograph(digit, Kind.SOFT, 0, np.random.default_rng(3), side=300)
    assert size(page < 150) == pytest.approx([300, 300], abs=3)
    assert 40 - 5 < page[page < 150].mean() < 90 + 5
    wide = photograph(np.hstack([digit] * 3), Kind.DESK, 40, np.random.default_rng(3), side=100)
    assert wide[:30].mean() == pytest.approx(40, abs=2) and wide[45:50].mean() > 200
