"""The recogniser's steps, each on a picture whose answer is known: ink, parts, MNIST's form."""

import dataclasses
import typing

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest
from support.pictures import TALL, TOGETHER, five, part

from digit_reader import Certainty, Digit, PictureError, Reader, Reading, read, thresholds
from digit_reader.agreement import Seen, agreed, signs_in, with_gaps
from digit_reader.centre import centre_like_mnist
from digit_reader.characters import BLANK, CHARACTERS, Character, decoded
from digit_reader.ink import desk_in, full_ink, ink_of, is_bright, without_noise
from digit_reader.line_image import line_image
from digit_reader.lines import belongs, digits_in, gaps_in, lines_of, without_frames
from digit_reader.parts import InkParts, is_missing, parts_of
from digit_reader.prepare import ink_near
from digit_reader.ruled import without_rules
from digit_reader.thresholds import THRESHOLDS


def inked(shape, *marks, paper=0.0):
    """Return float32 of that shape, a value everywhere but in marks: top, bottom, left, right."""
    ink = np.full(shape, paper, np.float32)
    for top, bottom, left, right, value in marks:
        ink[top:bottom, left:right] = value
    return ink


def page(*marks):
    """Return the brightness of a page with a broad stroke down its middle."""
    return inked((300, 400), (60, 240, 190, 214, 0.2), *marks, paper=0.9)


def test_a_digit_fills_twenty_pixels_and_its_mass_comes_to_the_middle():
    ink = inked((90, 70), (10, 60, 20, 40, 1), (50, 60, 20, 60, 1))  # 50 high, 40 wide, uneven
    image = centre_like_mnist(ink)
    rows, columns = np.nonzero(image > 0.5)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (20, 16)
    middle = [(image.sum(axis) @ np.arange(28)) / image.sum() for axis in (1, 0)]
    assert middle == pytest.approx([14, 14], abs=0.5)
    assert image.max() == 1 and image.dtype == np.float32
    with pytest.raises(ValueError, match="no ink"):
        centre_like_mnist(np.zeros((5, 5)))


def test_parts_belong_together_by_gap_height_and_overlap():
    for case, (one, other, together) in TOGETHER.items():
        assert belongs(one, other) == belongs(other, one) == together, case


def test_parts_are_read_by_lines_from_left_to_right():
    places = [(100, 10, 140, 60), (10, 0, 50, 50), (60, 100, 90, 150), (10, 110, 50, 160)]
    parts = [part(*place) for place in places]
    assert lines_of(parts) == [[parts[1], parts[0]], [parts[3], parts[2]]]
    sloping = [part(60 * n, 12 * n, 60 * n + 40, 12 * n + 50) for n in range(10)]
    assert lines_of(sloping[::-1]) == [sloping]  # the last stands below the first
    tall = [part(left, 0, left + 40, 100) for left in (0, 60, 180)]
    piece = part(120, 70, 140, 100)  # what is left of a digit
    assert lines_of([*tall, piece]) == [[tall[0], tall[1], piece, tall[2]]]


def test_a_digit_of_a_pen_that_ran_dry_is_one_and_a_rule_s_rest_is_none():
    ink = inked((200, 500), *((40, 140, left, left + 20, 1) for left in (30, 130, 330)))
    ink[42:142, 230:246] = 0.4
    ink[60:64, 235:240] = 0.9  # some of it is dark
    ink[30:140, 430] = 0.4  # a rule's rest
    parts = parts_of(ink)
    assert [part.left for part in digits_in(parts.strong)[0]] == [30, 130, 230, 330]
    dry = next(part for part in parts.strong if part.left == 230)
    assert np.count_nonzero(np.isin(parts.labels, dry.labels)) == 16 * 100
    assert ink_near(ink, parts.labels, dry).max() == 1


def test_the_grains_of_a_stroke_are_one_part_and_digits_in_a_shadow_are_not():
    sides = (20, 80, 20, 26), (20, 80, 54, 60), (20, 26, 20, 60), (74, 80, 20, 60)
    grains = ((top, top + 12, left, left + 6, 1) for left in (20, 54) for top in (20, 44, 68))
    pencil = inked((100, 200), *((*side, 0.3) for side in sides), *grains)
    assert len(parts_of(pencil).strong) == 1  # a 0
    ones = (20, 80, 60, 66, 1), (20, 80, 100, 106, 1)
    assert len(parts_of(inked((100, 200), *ones, paper=0.2)).strong) == 2
    assert len(parts_of(inked((100, 200), (18, 82, 58, 108, 0.2), *ones)).strong) == 2


def test_specks_lines_and_weak_residue_are_no_digits():
    weak, speck = (50, 130, 100, 140, 0.6), (10, 13, 200, 203, 1)
    parts = parts_of(inked((200, 400), (40, 140, 30, 60, 1), weak, speck))
    assert [(p.left, p.top, p.right, p.bottom) for p in parts.strong] == [(30, 40, 60, 140)]
    assert parts.labels.max() == 3 and len(parts.weak) == 1
    line, low = part(0, 290, 390, 300), part(300, 100, 320, 120)
    digits = digits_in([TALL, line, low])
    assert digits == [[TALL]]  # the line is 39 times as wide as high, the other a fifth as high


def test_what_reaches_in_from_the_border_sets_no_scale():
    ink = inked((400, 500), (0, 400, 0, 30, 1), (100, 160, 100, 130, 1), (100, 160, 200, 230, 1))
    assert len(parts_of(ink).strong) == 2
    ink[100:160, 200:230] = 0  # one digit and its surroundings may be a digit that fills it
    assert len(parts_of(ink).strong) == 2


def test_ink_is_what_differs_from_its_paper_whichever_is_darker():
    for bright in (page(), 1 - page()):
        ink = ink_of(bright).strokes
        assert ink[150, 200] == 1 and ink[150, 100] == 0 and ink[20, 200] == 0
    assert not is_bright(page()) and is_bright(1 - page())


def test_shadows_are_paper_and_a_desk_is_none():
    ink = ink_of(page() * np.linspace(1, 0.55, 400, dtype=np.float32)).strokes
    assert ink[150, 200] > 0.9 and ink[:, 350].max() < 0.1
    desk = np.pad(page()[30:270, 40:360], ((30, 30), (40, 40)), constant_values=0.2)
    assert desk_in(desk)[5, 5] and not desk_in(desk)[150, 100]
    assert not desk_in(page()).any()
    ink = ink_of(desk).strokes
    assert ink[10, 10] == 0 and ink[150, 200] == 1


STROKE = (60, 240, 190, 214, 0.9)


def test_rules_go_and_what_crosses_them_stays():
    rules = ((row, row + 3, 0, 400, 0.3) for row in (50, 110, 170, 230))
    ink = without_rules(inked((300, 400), *rules, STROKE), 1)
    assert ink[51, 100] == ink[172, 350] == 0
    assert ink[171, 200] == pytest.approx(0.9) and ink[80, 200] == pytest.approx(0.9)
    one = inked((300, 400), (20, 280, 199, 203, 0.9))
    broad = inked((300, 400), (40, 55, 0, 400, 0.9), (200, 215, 0, 400, 0.9))
    for strokes in (one, broad):  # the latter of a picture cropped to a digit
        assert (without_rules(strokes, 1) == strokes).all()


@pytest.mark.parametrize(
    ("upper", "lower", "sag", "thick"), [(10, -6, 12, 1), (21, 9, 20, 1.5), (8, 0, 20, 1.5)]
)
def test_rules_and_squares_go_that_run_apart_and_sag(upper, lower, sag, thick):
    """As a tilted camera sees a sheet that is not flat; a digit's strokes stay whole."""
    ink, (row, column) = inked((300, 400)), np.mgrid[:300, :400]
    across, down = column / 400, row / 300
    for place in range(-25, 325, 30):
        fall = across * (upper + (lower - upper) * (2 * place / 300 - 0.5))
        ink[np.abs(row - place - fall - sag * across * (1 - across)) < thick] = 0.3
    for place in range(5, 400, 30):
        ink[np.abs(column - place + 12 * down * across) < thick] = 0.3
    ink[60:240, 190:214] = 0.9
    rest = without_rules(ink, 1)
    stroke = rest == np.float32(0.9)
    assert stroke.sum() == 180 * 24 and (rest[~stroke] > 0).sum() < 0.05 * (ink > 0).sum()


FOUR = [[(0.6, 0.05), (0.06, 0.6), (0.94, 0.64)], [(0.7, 0.3), (0.68, 0.95)]]
ONES = [[(x, 0.06), (x - 0.06, 0.94)] for x in (0.2, 0.4, 0.6, 0.8)]


@pytest.mark.parametrize(
    ("size", "pen", "strokes"),
    [
        ((800, 300), 9, ONES),
        ((600, 400), 7, ONES[::2]),
        ((400, 400), 6, [[(0.08, 0.07), (0.92, 0.07), (0.45, 0.95)]]),  # a 7
        ((300, 400), 6, FOUR),
    ],
)
def test_strokes_right_across_a_picture_are_no_rules(size, pen, strokes):
    image = PIL.Image.new("L", size)
    for stroke in strokes:
        places = [(x * size[0], y * size[1]) for x, y in stroke]
        PIL.ImageDraw.Draw(image).line(places, 230, pen)
    ink = np.asarray(image, np.float32) / 255
    assert (without_rules(ink, 2) == ink).all()


def test_a_page_is_blank_up_to_its_noise_and_faint_up_to_an_eighth():
    noise = np.abs(np.random.default_rng(1).normal(0, 0.01, (300, 400))).astype(np.float32)
    line = inked((300, 400), (60, 240, 198, 204, 0.11))
    for ink, problem in ((noise, "blank"), (8 * noise, "blank"), (line, "too faint")):
        with pytest.raises(PictureError, match=problem):
            full_ink(ink, 1)
    assert full_ink(line * 3, 1) == pytest.approx(0.33)
    weak = np.clip(noise + line * 1.6, 0, 1)  # 0.18 over a noise of 0.006
    assert weak[150, 200] > 0.8 * full_ink(weak, 1)


def test_noise_is_evened_out_and_sharp_pictures_stay_as_they_are():
    noise = np.random.default_rng(1).normal(0, 0.12, (300, 400)).astype(np.float32)
    assert (without_noise(page()) == page()).all()
    assert without_noise(page() + noise).std() < (page() + noise).std() * 0.8


def test_pale_strokes_become_dark_where_nothing_near_is_darker():
    bright = page((60, 240, 40, 46, 0.72))  # a stroke a quarter as dark as the other
    usual, pale = (ink_of(bright, pale=pale).strokes[150, 43] for pale in (False, True))
    assert usual < 0.5 < pale


def test_gaps_and_what_is_left_out_are_noticed():
    numbers = [part(left, 20, left + 40, 80) for left in (100, 160, 300, 360)]
    assert gaps_in(numbers) == [False, False, True, False]
    assert gaps_in([part(150 * n, 0, 150 * n + 40, 60) for n in range(4)]) == [False] * 4
    point, high = part(146, 72, 154, 80, labels=(7,)), part(600, 20, 640, 90, labels=(7,))
    for other, missing in ((point, False), (high, True)):
        ink = InkParts([*numbers, other], [], [], np.zeros((400, 800)))
        assert is_missing(ink, [numbers]) == missing
    assert is_missing(InkParts(numbers, [high], [], np.zeros((400, 800))), [numbers])  # pale


def digit(value, certainty="sure", box=(0.1, 0.2, 0.3, 0.4), **where):
    image = np.zeros((28, 28), np.float32)
    return Digit(value, 0.9, 3, Certainty(certainty), [0.1] * 10, box, image, **where)


def test_a_frame_around_digits_is_none_and_an_underline_sets_no_scale():
    digits = [part(left, 20, left + 30, 80) for left in (40, 100, 160)]
    frame, underline = part(10, 0, 220, 100), part(0, 90, 700, 94)
    for other in (frame, underline):
        assert digits_in(without_frames([*digits, other])) == [digits]
    zero, speck = part(40, 20, 90, 100), part(60, 50, 66, 58)
    assert without_frames([zero, speck]) == [zero, speck]


def test_a_line_is_straightened_and_its_digits_are_twenty_pixels_high():
    ink = inked((400, 800))
    parts = [part(left, 100 + left // 8, left + 40, 200 + left // 8) for left in (100, 300, 500)]
    for one in parts:
        ink[one.top : one.bottom, one.left : one.right] = 1
    line = line_image(ink, parts)
    rows = np.flatnonzero(line.image.max(1) > 0.5)
    assert line.image.shape[0] == 32 and (np.ptp(rows) + 1, rows.mean()) == (
        pytest.approx(20, abs=2),
        pytest.approx(15.5, abs=1),
    )
    for one in parts:
        share = ((one.left + one.right) / 2 - line.columns[0]) / np.diff(line.columns)[0]
        left, top, right, bottom = np.multiply(line.box(share), (800, 400, 800, 400))
        assert (left + right, top + bottom) == (
            pytest.approx(one.left + one.right, abs=4),
            pytest.approx(one.top + one.bottom, abs=12),
        )
        assert line.around(share)[14, 14] > 0.9


def test_logits_are_decoded_by_their_best_path():
    steps = np.full((9, BLANK + 1), 0.01)
    for step, text in enumerate(("1", "1", None, "1", "+", "+", None, None, "5")):
        steps[step, BLANK if text is None else CHARACTERS.index(text)] = 0.6 + step / 100
    read = decoded(steps)
    assert "".join(character.text for character in read) == "11+5"
    assert [c.place for c in read] == pytest.approx([1 / 9, 3.5 / 9, 5 / 9, 8.5 / 9])
    assert read[0].probability == pytest.approx(0.61) and read[0].digits[1] == read[0].probability


def characters(text, probability=0.9):
    """Return a line's characters, at even places."""
    places = (np.arange(len(text)) + 0.5) / max(1, len(text))
    return [Character(c, probability, p, np.zeros(10)) for c, p in zip(text, places, strict=True)]


def seen_in(text, probability=0.9):
    """Return what is seen in a line, a character in each tenth of the page."""
    places, line = [n / 10 + 0.05 for n in range(len(text))], characters(text, probability)
    placed = [dataclasses.replace(c, place=p) for c, p in zip(line, places, strict=True)]
    return [Seen(one, one.place, 0.03) for one in placed]


# What the digits are one by one, what the whole line is, what follows, and which of it is sure.
AGREED = {
    "both say the same": ("123", "123", "123", "111"),
    "another digit": ("173", "123", "173", "101"),  # alone it has 0.95
    "digits that touched": ("1 3", "123", "123", "101"),
    "a slash is no 1": ("314", "3/4", "34", "11"),
    "a sure digit on a rule": ("123", "1?3", "123", "101"),
    "one digit is not cut": ("4", "11", "4", "0"),
    "one digit and a circle": ("0", "1", "0", "0"),
    "nothing in the line": ("7", "", "7", "0"),
    "in a frame": ("", "42", "42", "00"),
    "two signs": ("11", "+-", "", ""),
}


@pytest.mark.parametrize("case", AGREED)
def test_only_what_both_say_is_sure(case):
    alone, line, answer, sure = AGREED[case]
    places = [(n / 10 + 0.02, 0.2, n / 10 + 0.08, 0.4) for n in range(len(alone))]
    ones = [digit(int(c), box=box) for c, box in zip(alone, places, strict=True) if c != " "]
    ones = [dataclasses.replace(one, probability=0.95) for one in ones]
    digits, both = agreed(
        ones, seen_in(line), lambda c: digit(int(c.text), box=(c.place, 0, c.place, 0)), 0.5
    )
    assert "".join(str(one.digit) for one in digits) == answer
    assert "".join(str(int(one.sure)) for one in digits) == sure
    assert both == (alone == line)


def test_a_digit_that_the_line_hardly_shows_is_not_sure_and_signs_are_told():
    digits, both = agreed([digit(4)], seen_in("4", 0.4), digit, 0.5)
    assert both and digits[0].certainty is Certainty.PROBABLE
    assert signs_in(characters("12×3")) == "12×3" and not signs_in(characters("1 2?"))
    boxes = [(left, 0.2, left + 0.1, 0.4) for left in (0.1, 0.3, 0.5)]
    apart = with_gaps([digit(1, box=box) for box in boxes], [0.05, 0.45, 0.9])
    assert [one.gap for one in apart] == [False, False, True]
    unsure = dataclasses.replace(digit(7, box=(0.12, 0.2, 0.18, 0.4)), probability=0.6)
    ones = [digit(1, box=(0.02, 0.2, 0.08, 0.4)), unsure]
    digits, _ = agreed(ones, seen_in("12"), lambda c: digit(int(c.text), box=unsure.box), 0.5)
    assert [(one.digit, one.sure) for one in digits] == [(1, True), (2, False)]


@pytest.mark.parametrize(
    ("alone", "line", "probability", "answer"),
    [
        ("18", "1?", 0.5, "18"),
        ("18", "1?", 0.9, "1"),
        ("18", "183", 0.2, "18"),
        ("18", "183", 0.3, "183"),
    ],
)
def test_only_likely_characters_of_a_line_add_or_take_away_a_digit(
    alone, line, probability, answer
):
    boxes = [(n / 10 + 0.02, 0.2, n / 10 + 0.08, 0.4) for n in range(len(alone))]
    ones = [digit(int(text), box=box) for text, box in zip(alone, boxes, strict=True)]
    ones[1:] = [dataclasses.replace(o, probability=0.8, certainty="probable") for o in ones[1:]]
    seen = seen_in(line, probability)
    digits, _ = agreed(ones, seen, lambda c: digit(int(c.text), box=(c.place, 0, c.place, 0)), 0.5)
    assert "".join(str(one.digit) for one in digits) == answer


def test_answers_are_worded_as_people_do():
    four, two, doubt = digit(4), digit(2), digit(2, "doubt")
    sure = {"4": [four], "42": [four, two], "4\n2": [four, digit(2, line=2)]}
    sure |= {"4 2": [four, digit(2, gap=True)]}
    unsure = {"probably 9": [digit(9, "probable")], "2 or 3?": [doubt], "4[2|3]": [four, doubt]}
    for answer, digits in (sure | unsure | {"": []}).items():
        reading, single = Reading("a picture", digits), digits[0] if len(digits) == 1 else None
        assert (reading.answer, reading.sure) == (answer, answer in sure)
        assert reading.digit == (single and single.digit)
        assert not Reading("a picture", digits, complete=False).sure


def test_a_temperature_takes_the_root_of_the_probabilities(reader):
    images = read(five(), reader)[0].prepared[np.newaxis]
    powers = Reader(temperature=1.0).probabilities(images)[0] ** 2
    cold = Reader(temperature=0.5).probabilities(images)[0]
    assert cold == pytest.approx(powers / powers.sum(), abs=1e-6)
    sure = reader.settings.sure
    levels = [reader.certainty(p) for p in (sure, sure - 1e-9, 0)]
    assert levels == [Certainty.SURE, Certainty.PROBABLE, Certainty.DOUBT]


def test_thresholds_have_their_types_and_a_wrong_name_is_refused():
    for group in vars(THRESHOLDS).values():
        for name, kind in typing.get_type_hints(type(group)).items():
            values = np.ravel(getattr(group, name)).tolist()
            assert all(isinstance(value, int if kind is int else int | float) for value in values)
    with pytest.raises(ValueError, match=r"missing \['soft_edge'\], unknown \['soft'\]"):
        given = {"soft": 0.1} | vars(THRESHOLDS.prepare)
        del given["soft_edge"]
        thresholds.of_json(thresholds.PrepareThresholds, given)
