"""The reader's steps, each on a picture whose answer is known: ink, parts, MNIST's form, words."""

import dataclasses
import json
import sys

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest
from support.pictures import five

from digit_reader import Certainty, Digit, PictureError, Reader, Reading, annotate, read
from digit_reader import __main__ as command
from digit_reader.__main__ import SHOWN
from digit_reader.centre import centre_like_mnist
from digit_reader.cut import cuts_of
from digit_reader.ink import (
    desk_in,
    ink_of,
    is_bright,
    levelled,
    reduced,
    without_noise,
)
from digit_reader.lines import belongs, digits_in, gaps_in, lines_of
from digit_reader.parts import Ink, Part, left_out, overlap, parts_of
from digit_reader.picture import brightness, from_array
from digit_reader.prepare import ink_near
from digit_reader.ruled import without_rules


def part(left, top, right, bottom, *linked):
    """Return a part at that place."""
    return Part(top, bottom, left, right, (1,), frozenset(linked))


def test_a_digit_fills_twenty_pixels_and_its_mass_comes_to_the_middle():
    ink = np.zeros((90, 70), np.float32)
    ink[10:60, 20:40] = 1  # 50 high, 20 wide
    ink[50:60, 20:60] = 1  # and heavier to the lower right: 40 wide
    found = centre_like_mnist(ink)
    rows, columns = np.nonzero(found > 0.5)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (20, 16)
    middle = [(found.sum(axis) @ np.arange(28)) / found.sum() for axis in (1, 0)]
    assert middle == pytest.approx([14, 14], abs=0.5)
    assert found.max() == 1 and found.dtype == np.float32
    with pytest.raises(ValueError, match="no ink"):
        centre_like_mnist(np.zeros((5, 5)))


@pytest.mark.parametrize(
    ("ranges", "share"), [((0, 10, 5, 20), 0.5), ((0, 10, 0, 4), 1), ((0, 10, 12, 22), -0.2)]
)
def test_overlap_is_a_share_of_the_shorter_range(ranges, share):
    assert overlap(*ranges) == pytest.approx(share)


TALL = part(100, 100, 150, 200)  # 100 high
TOGETHER = {
    "linked by faint ink, 29 apart": (part(0, 100, 40, 200, 7), part(69, 100, 99, 200, 7), True),
    "linked by faint ink, 31 apart": (part(0, 100, 40, 200, 7), part(71, 100, 99, 200, 7), False),
    "two digits side by side": (TALL, part(155, 100, 205, 200), False),
    "a stroke beside, 11 apart": (TALL, part(161, 130, 190, 180), True),
    "a stroke beside, 13 apart": (TALL, part(163, 130, 190, 180), False),
    "as high as two thirds beside": (TALL, part(161, 130, 190, 196), False),
    "a bar above, 25 apart": (TALL, part(100, 65, 150, 75), True),
    "a bar above, 45 apart": (TALL, part(100, 45, 150, 55), False),
    "two halves, 9 apart": (part(0, 0, 50, 40), part(0, 49, 50, 89), True),
    "two halves, 20 apart": (part(0, 0, 50, 40), part(0, 60, 50, 100), False),
    "a bar above to one side": (TALL, part(140, 80, 240, 90), False),
    "two tall ones, one above the other": (part(0, 0, 50, 90), part(0, 95, 50, 185), False),
    "a 4's stem, half as low as its corner": (part(0, 0, 60, 80), part(75, 40, 90, 120), True),
    "a 1 after a 6 in a sloping line": (part(0, 0, 60, 80), part(75, 15, 90, 95), False),
    "a comma after a 6": (part(0, 0, 60, 80), part(75, 66, 86, 98), False),
    "a narrow digit of the line below": (part(0, 0, 60, 80), part(75, 75, 95, 155), False),
    "a digit and a lower one as wide": (part(0, 0, 60, 80), part(75, 40, 120, 120), False),
    "side by side, overlapping half across": (TALL, part(125, 110, 175, 210), True),
}


@pytest.mark.parametrize("case", TOGETHER)
def test_parts_belong_together_by_gap_height_and_overlap(case):
    one, other, together = TOGETHER[case]
    assert belongs(one, other) == belongs(other, one) == together


def test_parts_are_read_by_lines_from_left_to_right():
    places = [(100, 10, 140, 60), (10, 0, 50, 50), (60, 100, 90, 150), (10, 110, 50, 160)]
    parts = [part(*place) for place in places]
    assert lines_of(parts) == [[parts[1], parts[0]], [parts[3], parts[2]]]
    sloping = [part(60 * n, 12 * n, 60 * n + 40, 12 * n + 50) for n in range(10)]
    assert lines_of(sloping[::-1]) == [sloping]  # the last stands below the first


def test_a_line_goes_on_past_a_small_piece():
    tall = [part(left, 0, left + 40, 100) for left in (0, 60, 180)]
    piece = part(120, 70, 140, 100)  # what is left of a digit
    assert lines_of([*tall, piece]) == [[tall[0], tall[1], piece, tall[2]]]


def test_a_digit_of_a_pen_that_ran_dry_is_one_and_a_rule_s_rest_is_none():
    ink = np.zeros((200, 500), np.float32)
    for left in (30, 130, 330):
        ink[40:140, left : left + 20] = 1
    ink[42:142, 230:246] = 0.4
    ink[60:64, 235:240] = 0.9  # some of it is dark
    ink[30:140, 430] = 0.4  # a rule's rest
    found = parts_of(ink)
    assert [part.left for part in digits_in(found.strong)[0]] == [30, 130, 230, 330]
    dry = next(part for part in found.strong if part.left == 230)
    assert np.count_nonzero(np.isin(found.labels, dry.labels)) == 16 * 100
    assert ink_near(ink, found.labels, dry).max() == 1


def test_the_grains_of_a_stroke_are_one_part_and_digits_in_a_shadow_are_not():
    ink = np.zeros((100, 200), np.float32)
    ink[20:80, 20:26] = ink[20:80, 54:60] = ink[20:26, 20:60] = ink[74:80, 20:60] = 0.3
    grains = ink.copy()  # a 0 in pencil
    for top, left in ((20, 20), (44, 20), (68, 20), (20, 54), (44, 54), (68, 54)):
        grains[top : top + 12, left : left + 6] = 1
    assert len(parts_of(grains).strong) == 1
    two = np.full_like(ink, 0.2)  # two 1s in a shadow
    two[20:80, 60:66] = two[20:80, 100:106] = 1
    assert len(parts_of(two).strong) == 2
    two[:, :58] = two[:, 108:] = two[:18] = two[82:] = 0  # joined by a smear
    assert len(parts_of(two).strong) == 2


def test_specks_lines_and_weak_residue_are_no_digits():
    ink = np.zeros((200, 400), np.float32)
    ink[40:140, 30:60] = 1  # a digit
    ink[50:130, 100:150] = 0.6  # weak residue
    ink[10:13, 200:203] = 1  # a speck
    found = parts_of(ink)
    assert [(p.left, p.top, p.right, p.bottom) for p in found.strong] == [(30, 40, 60, 140)]
    assert found.labels.max() == 3 and len(found.weak) == len(found.specks) == 1
    line, low = part(0, 290, 390, 300), part(300, 100, 320, 120)
    digits = digits_in([TALL, line, low])
    assert digits == [[TALL]]  # the line is 39 times as wide as high, the other a fifth as high


def page(paper=0.9, ink=0.2):
    """Return a page with a broad stroke down its middle."""
    bright = np.full((300, 400), paper, np.float32)
    bright[60:240, 190:214] = ink
    return bright


def test_ink_is_what_differs_from_its_paper_whichever_is_darker():
    for bright in (page(), 1 - page()):
        found = ink_of(bright)
        assert found[150, 200] == 1 and found[150, 100] == 0 and found[20, 200] == 0
    assert not is_bright(page()) and is_bright(1 - page())


def test_shadows_are_paper_and_a_desk_is_none():
    shaded = page() * np.linspace(1, 0.55, 400, dtype=np.float32)
    found = ink_of(shaded)
    assert found[150, 200] > 0.9 and found[:, 350].max() < 0.1
    desk = np.full((300, 400), 0.2, np.float32)
    desk[30:270, 40:360] = page()[30:270, 40:360]
    assert desk_in(desk)[5, 5] and not desk_in(desk)[150, 100]
    assert not desk_in(page()).any()
    assert ink_of(desk)[10, 10] == 0 and ink_of(desk)[150, 200] == 1


def test_rules_go_and_what_crosses_them_stays():
    ink = np.zeros((300, 400), np.float32)
    for row in (50, 110, 170, 230):
        ink[row : row + 3] = 0.3
    ink[60:240, 190:214] = 0.9
    found = without_rules(ink, 1)
    assert found[51, 100] == found[172, 350] == 0
    assert found[171, 200] == pytest.approx(0.9) and found[80, 200] == pytest.approx(0.9)
    alone = np.zeros((300, 400), np.float32)
    alone[20:280, 199:203] = 0.9  # a 1, and no rule
    assert (without_rules(alone, 1) == alone).all()
    broad = np.zeros((300, 400), np.float32)
    broad[40:55] = broad[200:215] = 0.9  # strokes of a picture cropped to a digit, no rules
    assert (without_rules(broad, 1) == broad).all()


@pytest.mark.parametrize(
    ("upper", "lower", "hang", "thick"), [(10, -6, 12, 1), (21, 9, 20, 1.5), (8, 0, 20, 1.5)]
)
def test_rules_and_squares_go_that_run_apart_and_hang(upper, lower, hang, thick):
    """As a camera from aslant sees a sheet that is not flat; a digit's strokes stay whole."""
    ink = np.zeros((300, 400), np.float32)
    row, column = np.mgrid[:300, :400]
    across, down = column / 400, row / 300
    for place in range(-25, 325, 30):
        fall = across * (upper + (lower - upper) * (2 * place / 300 - 0.5))
        ink[np.abs(row - place - fall - hang * across * (1 - across)) < thick] = 0.3
    for place in range(5, 400, 30):
        ink[np.abs(column - place + 12 * down * across) < thick] = 0.3
    ink[60:240, 190:214] = 0.9
    found = without_rules(ink, 1)
    stroke = found == np.float32(0.9)
    assert stroke.sum() == 180 * 24 and (found[~stroke] > 0).sum() < 0.05 * (ink > 0).sum()


@pytest.mark.parametrize(
    ("size", "pen", "strokes"),
    [
        ((600, 400), 7, [[(x, 0.06), (x - 0.08, 0.94)] for x in (0.2, 0.5, 0.8)]),
        ((800, 300), 9, [[(x, 0.06), (x - 0.06, 0.94)] for x in (0.2, 0.4, 0.6, 0.8)]),
        ((400, 400), 6, [[(0.08, 0.07), (0.92, 0.07), (0.45, 0.95)]]),
        ((300, 400), 6, [[(0.6, 0.05), (0.06, 0.6), (0.94, 0.64)], [(0.7, 0.3), (0.68, 0.95)]]),
    ],
    ids=["111", "1111", "7", "4"],
)
def test_strokes_right_across_a_picture_are_no_rules(size, pen, strokes):
    page = PIL.Image.new("L", size)
    for stroke in strokes:
        places = [(x * size[0], y * size[1]) for x, y in stroke]
        PIL.ImageDraw.Draw(page).line(places, 230, pen)
    ink = np.asarray(page, np.float32) / 255
    assert (without_rules(ink, 2) == ink).all()


def test_cuts_leave_two_halves_as_high_as_digits():
    ink = np.zeros((100, 120), np.float32)
    ink[:, 5:15] = ink[45:55, 15:60] = 1  # a stem with a bar
    assert not cuts_of(ink[:, :60])
    ink[:, 60:70] = 1  # and another stem at its end
    assert (places := [120 * cut.place for cut in cuts_of(ink)])
    assert min(places) >= 15 and max(places) <= 65


def test_a_page_is_blank_up_to_its_noise_and_faint_up_to_an_eighth():
    noise = np.abs(np.random.default_rng(1).normal(0, 0.01, (300, 400))).astype(np.float32)
    for spots in (noise, 8 * noise):
        with pytest.raises(PictureError, match="blank"):
            levelled(spots, 1)
    line = np.zeros((300, 400), np.float32)
    line[60:240, 198:204] = 0.11
    with pytest.raises(PictureError, match="too faint"):
        levelled(line, 1)
    assert levelled(line * 3, 1).max() == 1
    weak = levelled(np.clip(noise + line * 1.6, 0, 1), 1)  # 0.18 over a noise of 0.006
    assert weak[150, 200] > 0.8


def test_large_pictures_are_averaged_in_squares():
    small, factor = reduced(np.tile(np.float32([[0, 1], [1, 0]]), (400, 500)))
    assert factor == 4 and small.shape == (200, 250) and (small == 0.5).all()


@pytest.mark.parametrize(("most", "full"), [(1.0, 1), (16, 16), (200, 255), (60_000, 65_535)])
def test_an_array_s_range_is_told_by_its_brightest(most, full):
    image = from_array(np.array([[0, most], [most, 0]]))
    assert np.asarray(image).max() == pytest.approx(255 * most / full, abs=0.5)


def test_transparent_ink_gets_paper_of_the_other_kind():
    clear = PIL.Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    clear.paste((10, 10, 10, 255), (80, 40, 120, 160))
    bright = brightness(clear)
    assert bright[100, 100] < 0.1 and bright[10, 10] > 0.9 and bright.dtype == np.float32
    assert brightness(PIL.Image.new("L", (1_600, 400), 128)).shape == (200, 800)
    assert brightness(PIL.Image.new("L", (50, 80), 128)).shape == (160, 100)


def digit(value, certainty, **where):
    box, image = (0.1, 0.2, 0.3, 0.4), np.zeros((28, 28), np.float32)
    return Digit(value, 0.9, 3, Certainty(certainty), [0.1] * 10, box, image, **where)


@pytest.mark.parametrize(
    ("digits", "answer", "sure"),
    [
        ([digit(9, "sure")], "9", True),
        ([digit(9, "probable")], "probably 9", False),
        ([digit(9, "doubt")], "9 or 3?", False),
        ([digit(4, "sure"), digit(2, "sure")], "42", True),
        ([digit(4, "sure"), digit(2, "doubt")], "4[2|3]", False),
        ([digit(4, "sure"), digit(2, "sure", line=2)], "4\n2", True),
        ([digit(4, "sure"), digit(2, "sure", gap=True)], "4 2", True),
        ([], "", False),
    ],
)
def test_answers_are_said_as_people_do(digits, answer, sure):
    reading = Reading("a picture", digits)
    assert not Reading("a picture", digits, complete=False).sure
    assert (reading.answer, reading.sure) == (answer, sure)
    single = digits[0] if len(digits) == 1 else None
    assert reading.digit == (single and single.digit) and reading.single("runner_up") == (
        single and 3
    )
    assert reading.certainty == (single and single.certainty)


BORDER = [part(0, 0, 30, 400), part(100, 100, 130, 160), part(200, 100, 240, 160)]


def test_what_reaches_in_from_the_border_sets_no_scale():
    ink = np.zeros((400, 500), np.float32)
    for box in BORDER:
        ink[box.top : box.bottom, box.left : box.right] = 1
    assert len(parts_of(ink).strong) == 2
    ink[100:160, 200:240] = 0  # one digit and its surroundings may be a digit that fills it
    assert len(parts_of(ink).strong) == 2


def test_gaps_points_and_signs_are_told():
    lefts = [100, 160, 300, 360]
    numbers = [part(left, 20, left + 40, 80) for left in lefts]
    assert gaps_in(numbers) == [False, False, True, False]
    assert gaps_in([part(150 * n, 0, 150 * n + 40, 60) for n in range(4)]) == [False] * 4
    others = {
        "a point or comma": part(146, 72, 154, 80),
        "a sign": part(40, 45, 80, 53),
        "ink as high as a digit": part(600, 20, 640, 90),
    }
    for name, other in others.items():
        other = dataclasses.replace(other, labels=(7,))
        strong, specks = ([], [other]) if "point" in name else ([other], [])
        found = Ink([*numbers, *strong], [], specks, np.zeros((400, 800)))
        assert left_out(found, [numbers]) == [name]


def test_noise_is_evened_out_and_sharp_pictures_stay_as_they_are():
    noise = np.random.default_rng(1).normal(0, 0.12, (300, 400)).astype(np.float32)
    assert without_noise(page()) is not None and (without_noise(page()) == page()).all()
    assert without_noise(page() + noise).std() < (page() + noise).std() * 0.8


def test_pale_strokes_become_dark_where_nothing_near_is_darker():
    bright = page()
    bright[60:240, 40:46] = 0.72  # a stroke a quarter as dark as the other
    assert ink_of(bright)[150, 43] < 0.5 < ink_of(bright, pale=True)[150, 43]


def test_a_temperature_takes_the_root_of_the_probabilities(reader):
    image = read(five(), reader)[0].prepared
    cold, plain = Reader(temperature=0.5), Reader(temperature=1.0)
    shares = plain.probabilities(image[np.newaxis])[0]
    assert cold.probabilities(image[np.newaxis])[0] == pytest.approx(
        shares**2 / (shares**2).sum(), abs=1e-6
    )
    settings = reader.settings
    levels = [reader.certainty(p) for p in (settings.sure, settings.sure - 1e-9, 0)]
    assert levels == [Certainty.SURE, Certainty.PROBABLE, Certainty.DOUBT]


def test_a_box_stands_around_the_digit(tmp_path):
    picture = PIL.Image.new("L", (200, 100), 255)
    path = annotate.save_annotated(picture, Reading("a/b.png", [digit(9, "sure")]), tmp_path)
    assert path.name == "a_b read.png"
    blue = (np.asarray(PIL.Image.open(path)) == (0, 0x72, 0xB2)).all(2)
    rows, columns = np.nonzero(blue)
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (20, 20, 60, 40)


def said(monkeypatch, capsys, *words):
    """Return what the command prints for these words, and its status."""
    monkeypatch.setattr(sys, "argv", ["digit_reader", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        command.main()
    return capsys.readouterr().out, ended.value.code


def test_the_command_prints_tables_json_and_csv(monkeypatch, capsys, tmp_path):
    five().save(tmp_path / "five.png")
    table, status = said(monkeypatch, capsys, tmp_path / "five.png", "--probabilities")
    assert status == 0 and "5: " in table and "%, else " in table
    words = (tmp_path / "five.png", tmp_path / "none.png", "--format")
    text, status = said(monkeypatch, capsys, *words, "json", "--annotate", tmp_path)
    found, missing = json.loads(text)
    assert status == 1 and missing["digits"] == [] and "check the path" in missing["problem"]
    keys = ["image", "answer", "sure", "digits", "problem", "digit", "probability", "runner_up"]
    assert list(found) == [*keys, "certainty", "note"] and found["answer"] == "5"
    assert list(found["digits"][0]) == [*SHOWN, "box", "line", "place"]
    assert len([*tmp_path.glob("*five read.png")]) == 1
    lines = said(monkeypatch, capsys, *words, "csv")[0].splitlines()
    assert lines[0] == "image,digit,probability,certainty,runner_up,problem,line,place,note"
    assert lines[1].split(",")[1] == "5" and len(lines) == 3
    assert said(monkeypatch, capsys, tmp_path, "--annotate", tmp_path / "none")[1] == 2


def test_progress_is_told_every_other_second(monkeypatch, capsys):
    times = iter([0.0, 1.9, 2.1, 3.0])
    monkeypatch.setattr(command.time, "monotonic", lambda: next(times))
    progress = command.Progress()
    for done in (1, 2, 3):
        progress(done, 9)
    assert capsys.readouterr().err == "2 of 9 pictures, 7 s left\n"
