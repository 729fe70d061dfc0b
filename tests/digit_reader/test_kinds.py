"""Pictures as people take them: what is beside digits is not read; nothing is sure and wrong.

Each is drawn here, with the strokes of one hand; results/reader.json has the rates of many more.
"""

import PIL.Image
import pytest
from support import written
from support.pictures import encoded

from digit_reader import read

READ = {
    "boxes of a form": (written.boxes("30517"), "30517"),
    "pale boxes": (written.boxes("30517", (190, 190, 190)), "30517"),
    "a comb": (written.boxes("30517", top=120), "30517"),
    "a box": (written.framed("2468"), "2468"),
    "an underline": (written.underlined("2468"), "2468"),
    "a box's corner": (written.cornered("2468"), "2468"),
    "a circle": (written.circled("3"), "3"),
    "a punched sheet": (written.punched("2468"), "2468"),
    "red on green": (written.number("2468", (230, 60, 60), (90, 130, 90)), "2468"),
    "red on yellow": (written.number("2468", (250, 80, 60), (140, 130, 60)), "2468"),
    "a small sheet": (written.on_a_dark_desk("2468"), "2468"),
    "a white frame": (written.inverted_in_a_frame("2468"), "2468"),
    "pale pencil below ink": (written.pale_below("91", "468"), "91468"),
    "a small zero": (written.with_a_small_zero("7"), "70"),
    "a slash": (written.number("3/4"), "34"),
    "120 digits": (written.rows("1234567890", 12), 12 * "1234567890"),
}
NOT_READ = {  # and not sure
    "a slash": written.number("7/8"),
    "another slash": written.number("1/2"),
    "a circled one": written.circled("1"),
    "a circled seven": written.circled("7"),
    "a display": written.displayed("15"),
    "another display": written.displayed("23"),
    "a turned sheet": written.number("2468").rotate(90, expand=True),
}


@pytest.mark.parametrize("kind", READ)
def test_digits_are_read_whatever_is_beside_them(kind, reader):
    image, shows = READ[kind]
    [reading] = read(image, reader)
    assert "".join(str(digit.digit) for digit in reading.digits) == shows, reading


@pytest.mark.parametrize("kind", NOT_READ)
def test_what_may_be_misread_is_not_sure(kind, reader):
    assert not read(NOT_READ[kind], reader)[0].sure


def test_signs_are_told_and_are_no_digits(reader):
    [reading] = read(written.number("3/4"), reader)
    assert "with signs: 3/4" in reading.note and reading.answer.replace("\n", " ") == "3 4"


def test_a_scan_that_is_cut_off_says_after_which_page(reader):
    pages = [written.number(text) for text in ("12", "34", "56")]
    whole = encoded(pages[0], format="TIFF", save_all=True, append_images=pages[1:])
    assert [reading.answer for reading in read(whole, reader)] == ["12", "34", "56"]
    readings = read(whole[: len(whole) // 2 - 500], reader)
    assert readings[0].answer == "12" and "after page 1" in readings[-1].problem
    assert len(readings) == 2 and readings[0].image.endswith("page 1")


def test_of_a_scan_s_pages_only_reduced_ones_are_kept():
    from digit_reader.picture import pages

    large = [PIL.Image.new("L", (3_000, 4_000), grey) for grey in (200, 220)]
    kept = [*pages(encoded(large[0], format="TIFF", save_all=True, append_images=large[1:]))]
    assert [max(page.size) for page in kept] == [800, 800]
