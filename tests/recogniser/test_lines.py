"""Simulated lines: they show the characters that they say; the network learns them with CTC."""

import numpy as np
import pytest
import scipy.ndimage
from support.still import digits

from digit_reader.characters import BLANK, CHARACTERS
from mnist_study.recogniser import hands, line_training, lines, surroundings, written_lines
from mnist_study.recogniser.hands import Hand, Sources
from mnist_study.recogniser.surroundings import KINDS, beside, taken

DRAWN, WIDE = 1, 0.5  # a hand that draws strokes, and leaves half a digit's height between them


@pytest.fixture(scope="module")
def sources():
    return Sources(*digits(40), seed=1, drawn=60)


def line_of(text, sources, monkeypatch):
    """Return a text in a steady hand, and its ink."""
    hand = Hand(DRAWN, 20.0, 0.7, 0.0, 1.0, WIDE)
    monkeypatch.setattr(hands, "some_hand", lambda generator: hand)
    line = written_lines.write(text, sources, np.random.default_rng(3))
    return line, written_lines.drawn(line.characters, line.hand, line.width)


def test_a_line_has_its_characters_in_their_order_and_its_gaps(sources, monkeypatch):
    line, ink = line_of("111 11", sources, monkeypatch)
    columns = (ink > 0.2).any(0)
    starts = np.flatnonzero(np.diff(columns.astype(int), prepend=0) == 1)
    assert len(starts) == len(line.characters) == 5 and ink.shape == (32, line.width)
    gaps = np.diff(starts)
    assert gaps[2] > 1.3 * np.delete(gaps, 2).max()
    assert all(0 <= c.left < c.right <= line.width for c in line.characters)


@pytest.mark.parametrize("sign", written_lines.SIGNS)
def test_signs_have_as_many_strokes_as_people_write(sign, sources, monkeypatch):
    _, ink = line_of(sign, sources, monkeypatch)
    parts = scipy.ndimage.label(ink > 0.3, np.ones((3, 3)))[1]
    assert parts == {"÷": 3, "=": 2, ":": 2}.get(sign, 1)


def test_what_is_beside_a_line_is_where_it_says(sources, monkeypatch):
    line, ink = line_of("2580", sources, monkeypatch)
    seen = {kind.__name__: kind(line, np.random.default_rng(1)) for kind in KINDS}
    assert all(picture.shape == ink.shape and picture.max() > 0.2 for picture in seen.values())
    below = np.flatnonzero(seen["underline"].max(1) > 0.2)
    assert below.min() > line.middle + 5
    assert (seen["rules"] > 0.1).any(0).all()  # from border to border
    inner = (ink > 0.3) & (seen["circle"] > 0.3)
    assert inner.sum() < 0.3 * (seen["circle"] > 0.3).sum()
    monkeypatch.setattr(surroundings, "KINDS", {})
    monkeypatch.setattr(surroundings, "OTHER_LINES", 0)
    monkeypatch.setattr(surroundings, "SPECKS", 0)
    assert not beside(line, sources, np.random.default_rng(1)).any()


def test_a_camera_leaves_the_line_where_it_is(sources, monkeypatch):
    _, ink = line_of("2580", sources, monkeypatch)
    for seed in range(8):
        picture = taken(ink, np.random.default_rng(seed))
        assert picture.shape == ink.shape and picture.dtype == np.uint8
        assert np.corrcoef(picture.ravel(), ink.ravel())[0, 1] > 0.6


def test_a_batch_has_lines_of_about_one_width_filled_up(sources):
    made = [*lines.batches(sources, 4, 3, np.random.default_rng(2))]
    assert len(made) == 3
    for images, text in made:
        assert images.shape[:2] == (4, 32) and images.shape[2] % 8 == 0
        assert ((text >= 0) & (text <= BLANK)).all() and (text[:, 0] < BLANK).all()
    again = next(lines.batches(sources, 4, 1, np.random.default_rng(2)))
    assert (again.images == made[0].images).all()
    narrow, wide = (np.zeros((32, width), np.uint8) for width in (20, 41))
    one = lines.batch([(narrow, [1]), (wide, [2, 3])])
    assert one.images.shape == (2, 32, 48) and one.characters.tolist() == [[1, BLANK], [2, 3]]


def test_ctc_is_low_where_the_path_shows_the_characters():
    text = np.array([[5, 5, BLANK]], np.int32)
    for path, is_low in (((5, BLANK, 5), True), ((5, 5, 5), False), ((5, BLANK, 6), False)):
        logits = 20 * np.eye(BLANK + 1, dtype=np.float32)[[path]][np.newaxis]
        assert (float(line_training.ctc(text, logits)[0]) < 0.01) == is_low
    model = line_training.line_reader()
    shapes = [model(np.zeros((2, 32, width, 1), np.float32)).shape for width in (16, 41, 200)]
    assert [tuple(shape) for shape in shapes] == [
        (2, 1, n, len(CHARACTERS) + 1) for n in (4, 10, 50)
    ]
