"""The digit recogniser from outside: any picture is prepared, bad input gets a clear error."""

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest
from support.images import five_thousand
from support.pictures import encoded, five, huge, kinds, sheet, touching
from support.project import ROOT, run

from digit_reader import Certainty, Hints, Reader, prepare_digit, read
from digit_reader.errors import HintError, NetworkError, PictureError
from mnist_study.evaluate.uci import uci_pictures
from mnist_study.recogniser import pictures, rates
from mnist_study.recogniser.photographs import STRENGTHS, Kind, pasted, photograph

SQUARE = np.zeros((50, 50))
FAINT = np.pad(np.full((10, 10), 190, np.uint8), 20, constant_values=200)
BAD = {
    "missing file": ("no/such/file.png", "no file 'no/such/file.png': check the path"),
    "folder": (".", "give an image file"),
    "empty bytes": (b"", "empty"),
    "PDF": (b"%PDF-1.7 ...", "PDF"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
    "text": (b"Dear reader, this is no picture.", "no picture"),
    "cut PNG": (encoded(five(400))[:900], "cut off"),
    "decompression bomb": (huge(), "too many"),
    "too many pixels": (PIL.Image.new("1", (20_000, 10_000)), "too many"),
    "too small": (PIL.Image.new("L", (7, 7)), "too few: give at least 8×8"),
    "black page": (np.zeros((100, 100), np.uint8), "blank"),
    "nearly blank": (FAINT, "blank"),
    "one axis": (np.zeros(784), "shape"),
    "five channels": (np.zeros((28, 28, 5)), "shape"),
    "NaN": (SQUARE * np.nan, "NaN"),
    "negative": (SQUARE - 1, "from -1 to -1"),
    "complex": (SQUARE * 1j, "give numbers"),
    "nothing": (None, "NoneType"),
}


def test_bad_input_is_refused_and_the_message_says_what_is_wrong():
    for kind, (image, message) in BAD.items():
        with pytest.raises(PictureError) as caught:
            prepare_digit(image)
        assert message in str(caught.value), kind


def test_any_kind_of_image_becomes_the_same_digit(reader):
    expected = prepare_digit(five())
    assert expected.shape == (28, 28) and expected.dtype == np.float32
    assert expected.min() >= 0 and 0.9 < expected.max() <= 1
    for kind, image in kinds().items():
        prepared = prepare_digit(image)
        assert np.abs(prepared - expected).mean() < 0.05, kind
        assert reader.probabilities(prepared[np.newaxis]).argmax() == 5, kind


def test_digits_are_recognised_in_photographs(reader):
    """A few of each kind, the hardest, of test digits; reader.json has the rates of many more."""
    (images, labels), generator = five_thousand()[1], np.random.default_rng(1)
    rows = np.arange(0, len(images), len(images) // 15)[:15]
    pages = [
        photograph(images[row], kind, STRENGTHS[kind][-1], generator)[::2, ::2]
        for row, kind in zip(rows, 3 * [*Kind], strict=True)
    ]
    outcomes = [*zip(read(pages, reader), labels[rows], strict=True)]
    assert sum(reading.digit == label for reading, label in outcomes) >= 14
    assert not any(reading.sure and reading.digit != label for reading, label in outcomes)
    sheets = [photograph(None, Kind.SOFT, light, generator)[::2, ::2] for light in (0, 0.25, 0.4)]
    assert all("blank" in reading.problem for reading in read(sheets, reader))


def test_digits_of_others_and_pages(reader):
    uci, labels = uci_pictures(slice(1_000, 1_030))
    for images in (uci, [255 - image for image in uci], [image / 15 for image in uci]):
        assert np.mean([r.digit for r in read([*images], reader)] == labels) >= 0.96
    (images, labels), generator = five_thousand()[1], np.random.default_rng(3)
    pages = [pasted(image, generator) for image in images[::40]]
    assert np.mean([r.digit for r in read(pages, reader)] == labels[::40]) >= 0.96


def test_numbers_are_read_in_order_with_boxes(reader):
    places = [(20, 20), (20, 180), (20, 340), (160, 20), (160, 180), (160, 340)]
    page = sheet(places, (3, 1, 4, 1, 5, 9))
    [reading] = read(page, reader)
    assert reading.answer == "314\n159" and reading.digit is None
    assert len(repr(reading)) < 2_000, "shown at a prompt, its pictures would fill the screen"
    for digit, (top, left) in zip(reading.digits, places, strict=True):
        x1, y1, x2, y2 = np.array(digit.box) * (500, 300, 500, 300)
        assert left <= x1 < x2 <= left + 100 and top <= y1 < y2 <= top + 100
    with pytest.raises(ValueError, match="there are 6 digits in the picture: crop it to one"):
        prepare_digit(page)


def test_hints_are_followed(reader):
    page = sheet([(20, 10), (80, 110), (140, 210)], (3, 1, 4))
    assert "\n" in read(page, reader)[0].answer
    assert read(page, reader, hints=Hints(one_line=True))[0].answer == "314"
    assert len(read(page, reader, hints=Hints(count=1))[0].digits) == 1
    assert "3 digits were found, not 5" in read(page, reader, hints=Hints(count=5))[0].note
    [reading] = read(sheet([(20, 10)], [7]), reader, hints=Hints(only="01"))
    assert reading.digit in (0, 1) and sum(reading.probabilities) == pytest.approx(1)
    for wrong in ({"only": "x"}, {"only": ""}, {"count": 0}, {"count": 1.5}):
        with pytest.raises(HintError, match="give"):
            Hints(**wrong)


def test_digits_that_touch_are_read_in_their_line(reader):
    (images, labels), _ = five_thousand()
    pairs = np.random.default_rng(2).permutation(len(images))[:30].reshape(-1, 2)
    pages = [touching(images[one], images[other]) for one, other in pairs]
    readings = read(pages, reader)
    numbers = ["".join(str(digit.digit) for digit in reading.digits) for reading in readings]
    right = np.array(numbers) == [f"{labels[one]}{labels[other]}" for one, other in pairs]
    assert right.mean() > 0.6  # one by one: none
    assert sum(reading.sure for reading, ok in zip(readings, right, strict=True) if not ok) <= 1
    first, second = readings[right.argmax()].digits
    assert first.box[0] < second.box[0] and (first.place, second.place) == (1, 2)
    [reading] = read(pages[right.argmax()], reader, hints=Hints(count=1))
    assert len(reading.digits) == 1


def test_what_is_no_digit_is_uncertain(reader):
    generator, digits = np.random.default_rng(4), [*five_thousand()[1][0][::10]]
    for kind in (pictures.letter, pictures.scribble, pictures.pair):
        pages = [np.pad(kind(digits, generator), 40) for _ in range(8)]
        sure = [reading.certainty is Certainty.SURE for reading in read(pages, reader)]
        assert sum(sure) <= 1, kind.__name__
    asterisk = PIL.Image.new("L", (280, 280))
    for ends in ((60, 60, 220, 220), (220, 60, 60, 220), (140, 40, 140, 240)):
        PIL.ImageDraw.Draw(asterisk).line(ends, fill=255, width=24)
    [reading] = read(asterisk, reader)
    assert "there is no digit" in reading.problem or reading.certainty is Certainty.DOUBT
    salt = np.where(np.random.default_rng(1).random((400, 400)) < 0.04, 0, 255).astype(np.uint8)
    assert "pieces of ink are no number" in read(salt, reader)[0].problem


@pytest.mark.control("the reader's network is changed", "the reader, before it reads")
def test_a_tampered_reader_is_refused(tmp_path, record_property):
    from digit_reader.reader import NETWORK

    other = tmp_path / "reader.tflite"
    other.write_bytes(NETWORK.read_bytes()[:-1] + b"x")
    with pytest.raises(NetworkError, match="is not what reader") as refused:
        Reader(other)
    record_property("said", str(refused.value))


def test_the_rates_come_from_the_reader_as_it_is():
    assert rates.recorded()["digest"] == rates.digest(), "it has changed: make rates"


def test_imports_are_light():
    heavy = "{'mnist_study', 'keras', 'tensorflow', 'matplotlib', 'pandas'} & set(sys.modules)"
    code = f"import digit_reader.__main__, sys; digit_reader.Reader(); print({heavy})"
    assert run("python", "-c", code, folder=ROOT).stdout == "set()\n"
