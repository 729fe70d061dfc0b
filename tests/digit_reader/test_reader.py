"""Own digits: any picture is prepared, bad input gets a clear error, folders are read."""

import csv
import json

import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.ImageDraw
import PIL.ImageOps
import pytest
import scipy.ndimage
from support.images import five_thousand
from support.pictures import encoded, five, huge
from support.project import ROOT, make, run

from digit_reader import Certainty, Hints, NetworkError, PictureError, Reader, prepare_digit, read
from digit_reader.files import write_atomically
from mnist_study.recogniser import pictures, rates
from mnist_study.recogniser.photographs import STRENGTHS, Kind, pasted, photograph
from mnist_study.evaluate.uci import CALIBRATION, uci_pictures

SQUARE = np.zeros((50, 50))
FAINT = np.full((50, 50), 200, np.uint8)
FAINT[20:30, 20:30] = 190
BAD = {
    "missing file": ("no/such/file.png", "no file 'no/such/file.png': check the path"),
    "folder": (".", "is no file"),
    "empty bytes": (b"", "the file is empty"),
    "PDF": (b"%PDF-1.7 ...", "this is a PDF: save its page as PNG"),
    "SVG": (b'<?xml version="1.0"?><svg/>', "this is an SVG drawing: export it as PNG"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0", "this HEIC photograph cannot be opened"),
    "text": (b"Dear reader, this is no picture.", "no picture that Pillow can read"),
    "cut PNG": (encoded(five(400))[:900], "cut off or damaged"),
    "cut JPEG": (encoded(five(400), format="JPEG")[:900], "cut off or damaged"),
    "PNG signature only": (b"\x89PNG\r\n\x1a\n", "no picture that Pillow can read"),
    "decompression bomb": (huge(), "too many pixels"),
    "too many pixels": (PIL.Image.new("1", (20_000, 10_000)), "too many: scale it down"),
    "too small": (PIL.Image.new("L", (7, 7)), "too few: give at least 8×8"),
    "white page": (PIL.Image.new("L", (100, 100), 255), "the page is blank"),
    "black page": (np.zeros((100, 100), np.uint8), "the page is blank"),
    "nearly blank": (FAINT, "the page is blank"),
    "transparent page": (PIL.Image.new("RGBA", (100, 100)), "the page is blank"),
    "one axis": (np.zeros(784), "shape (784,) is no image"),
    "four axes": (np.zeros((1, 28, 28, 1)), "shape (1, 28, 28, 1) is no image"),
    "five channels": (np.zeros((28, 28, 5)), "shape (28, 28, 5) is no image"),
    "no pixels": (np.zeros((0, 28)), "shape (0, 28) is no image"),
    "NaN": (np.where(SQUARE == 0, np.nan, 0), "NaN or infinity"),
    "infinity": (SQUARE + np.inf, "NaN or infinity"),
    "negative": (SQUARE - 1, "goes from -1 to -1: give 0 to 255"),
    "too bright": (SQUARE + 1e6, "give 0 to 255"),
    "complex": (SQUARE * 1j, "complex128 is no image"),
    "words": (np.full((50, 50), "ink"), "is no image: give numbers"),
    "nothing": (None, "NoneType is no image"),
    "number": (5, "int is no image: give a path, bytes, image or array"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_named(kind):
    image, message = BAD[kind]
    with pytest.raises(PictureError) as caught:
        prepare_digit(image)
    assert message in str(caught.value)


def kinds():
    """Return the same digit in many kinds of images."""
    plain = five()
    array = np.asarray(plain)
    clear = PIL.Image.new("RGBA", plain.size, (0, 0, 120, 0))
    clear.putalpha(plain)
    light = PIL.Image.new("LA", plain.size, (255, 0))
    light.putalpha(plain)
    turned = PIL.Image.Exif()
    turned[PIL.ExifTags.Base.Orientation] = 6
    sideways = encoded(plain.rotate(90, expand=True), exif=turned)
    margin = PIL.Image.new("L", (500, 300), 0)
    margin.paste(plain, (350, 20))
    return {
        "RGB": plain.convert("RGB"),
        "palette": plain.convert("RGB").quantize(64),
        "1 bit": plain.point(lambda value: 255 * (value > 127), mode="1"),
        "transparent, dark": clear,
        "transparent, light": light,
        "16 bits": array.astype(np.uint16) * 257,
        "16 bits, PNG": encoded(PIL.Image.fromarray(array.astype(np.uint16) * 257)),
        "32 bits": PIL.Image.fromarray(array.astype(np.int32) * 1_000),
        "floats to 1": array / 255,
        "floats to 255": array.astype(float),
        "channels last": array[..., np.newaxis],
        "dark on light": 255 - array,
        "grey on grey": (90 + array * 0.4).astype(np.uint8),
        "off-centre": margin,
        "EXIF-rotated": sideways,
        "JPEG": encoded(plain, format="JPEG"),
        "large": plain.resize((4_000, 4_000)),
        "very wide": PIL.ImageOps.expand(plain.resize((900, 900)), (4_500, 50, 4_600, 50)),
        "28×28": plain.resize((28, 28)),
    }


def test_any_kind_of_image_becomes_the_same_digit(reader):
    expected = prepare_digit(five())
    assert expected.shape == (28, 28) and expected.dtype == np.float32
    assert expected.min() >= 0 and 0.9 < expected.max() <= 1
    for kind, image in kinds().items():
        prepared = prepare_digit(image)
        assert np.abs(prepared - expected).mean() < 0.05, kind
        assert reader.probabilities(prepared[np.newaxis]).argmax() == 5, kind


@pytest.mark.parametrize(("kind", "strength"), [(k, s) for k in STRENGTHS for s in STRENGTHS[k]])
def test_photographs(reader, kind, strength):
    """Twelve photographs, of digits that taught nothing; reader.json has the rates of many more."""
    images, labels = five_thousand()[1]
    generator, rows = np.random.default_rng(1), np.arange(0, len(images), len(images) // 12)[:12]
    pages = [photograph(images[row], kind, strength, generator) for row in rows]
    readings = read(pages, reader)
    assert sum(r.digit == label for r, label in zip(readings, labels[rows], strict=True)) >= 11
    assert not any(
        r.sure and r.digit != label for r, label in zip(readings, labels[rows], strict=True)
    )


@pytest.mark.parametrize("light", [0, 0.25, 0.4])
def test_blank_sheets_are_refused(reader, light):
    generator = np.random.default_rng(2)
    sheets = [photograph(None, Kind.SOFT, light, generator) for _ in range(5)]
    assert [r.problem[:17] for r in read(sheets, reader)] == ["the page is blank"] * 5


def test_digits_of_others_and_pages(reader):
    uci, labels = uci_pictures(CALIBRATION)
    generator = np.random.default_rng(3)
    for shown in (uci, [255 - image for image in uci], [image / 15 for image in uci]):
        right = [r.digit for r in read(list(shown[:100]), reader)] == labels[:100]
        assert np.mean(right) >= 0.96
    images, labels = five_thousand()[1]
    pages = [pasted(image, generator) for image in images[::10]]
    assert np.mean([r.digit for r in read(pages, reader)] == labels[::10]) >= 0.97


def test_numbers_are_read_in_order_with_boxes(reader):
    page = np.full((300, 500), 250, np.uint8)
    digits, labels = five_thousand()[1]
    rows = [int(np.flatnonzero(labels == digit)[1]) for digit in (3, 1, 4, 1, 5, 9)]
    places = [(20, 20), (20, 180), (20, 340), (160, 20), (160, 180), (160, 340)]
    for row, (top, left) in zip(rows, places, strict=True):
        large = PIL.Image.fromarray(digits[row]).resize((120, 120))
        page[top : top + 120, left : left + 120] -= (np.asarray(large) * 0.8).astype(np.uint8)
    [found] = read(page, reader)
    assert found.answer == "314\n159" and found.digit is None
    for digit, (top, left) in zip(found.digits, places, strict=True):
        x1, y1, x2, y2 = np.array(digit.box) * (500, 300, 500, 300)
        assert left <= x1 < x2 <= left + 120 and top <= y1 < y2 <= top + 120
    with pytest.raises(ValueError, match="there are 6 digits in the picture: crop it to one"):
        prepare_digit(page)


def touching(one, other):
    """Return two digits side by side, moved together until they touch: dark ink on white paper."""
    one, other = (image[:, image.any(0)] for image in (one, other))
    for over in range(min(one.shape[1], other.shape[1])):
        page = np.zeros((28, one.shape[1] + other.shape[1] - over), np.uint8)
        page[:, : one.shape[1]] = one
        part = page[:, one.shape[1] - over :]
        np.maximum(part, other, out=part)
        if scipy.ndimage.label(page > 127, np.ones((3, 3)))[1] == 1:
            break
    large = PIL.Image.fromarray(page).resize((8 * page.shape[1], 224))
    return 255 - np.pad(np.asarray(large), 60)


def test_digits_that_touch_are_cut_where_both_halves_are_likely(reader):
    (images, labels), _ = five_thousand()
    rows = np.random.default_rng(2).permutation(len(images))[:80]
    pairs = [*zip(rows[::2], rows[1::2], strict=True)]
    found = read([touching(images[one], images[other]) for one, other in pairs], reader)
    said = ["".join(str(digit.digit) for digit in reading.digits) for reading in found]
    right = np.array(said) == [f"{labels[one]}{labels[other]}" for one, other in pairs]
    assert right.mean() > 0.6  # without cutting: none
    assert sum(reading.sure for reading, ok in zip(found, right, strict=True) if not ok) <= 1
    first, second = next(r for r, ok in zip(found, right, strict=True) if ok).digits
    assert first.box[2] == second.box[0] and (first.place, second.place) == (1, 2)
    known = read(touching(images[rows[0]], images[rows[1]]), reader, hints=Hints(count=1))
    assert len(known[0].digits) < 2  # one, or none


def test_what_is_no_digit_is_doubted(reader):
    generator, digits = np.random.default_rng(4), five_thousand()[1][0]
    for make_one in (pictures.letter, pictures.scribble, pictures.pair):
        pages = [np.pad(make_one([*digits], generator), 40) for _ in range(40)]
        readings = read(pages, reader)
        assert sum(r.certainty is Certainty.SURE for r in readings) <= 4, make_one.__name__
    asterisk = PIL.Image.new("L", (280, 280))
    for ends in ((60, 60, 220, 220), (220, 60, 60, 220), (140, 40, 140, 240)):
        PIL.ImageDraw.Draw(asterisk).line(ends, fill=255, width=24)
    [found] = read(asterisk, reader)
    assert "there is no digit" in found.problem or found.certainty is Certainty.DOUBT


@pytest.fixture
def folder(tmp_path):
    """A folder with two digits and two bad files."""
    five().save(tmp_path / "a five.png")
    PIL.ImageOps.invert(five()).save(tmp_path / "dark.jpg")
    (tmp_path / "empty.png").touch()
    (tmp_path / "letter.txt").write_text("Dear reader")
    return tmp_path


def test_a_bad_file_does_not_stop_the_others(reader, folder):
    found = read([folder, folder / "*.jpg", "none.png", five()], reader)
    names = [str(folder / name) for name in ("a five.png", "dark.jpg", "empty.png", "letter.txt")]
    assert [r.image for r in found] == [*names, names[1], "none.png", "image 4"]
    assert [r.digit for r in found] == [5, 5, None, None, 5, None, 5]
    assert [bool(r.problem) for r in found] == [not r.digits for r in found]
    assert found[5].problem == "there is no file 'none.png': check the path"
    for r in found[:2]:
        [digit] = r.digits
        assert r.sure == (digit.certainty is Certainty.SURE) and 0.1 < r.probability <= 1
        assert r.prepared.shape == (28, 28) and np.argmax(r.probabilities) == r.digit
        assert sum(r.probabilities) == pytest.approx(1)


COMMAND = ("python", "-m", "digit_reader")


def test_command_line(folder):
    table = run(*COMMAND, folder / "a five.png", folder, folder=ROOT, check=False)
    assert table.stdout.count("a five.png") == 2 and "the file is empty" in table.stdout
    assert table.returncode == 1 and table.stderr == ""
    found = run(*make("read", f"IMAGES={folder / 'dark.jpg'}", "FORMAT=json"), folder=ROOT)
    [answer] = json.loads(found.stdout)
    assert answer["digit"] == 5 and "probabilities" not in answer["digits"][0]
    options = ("--format", "csv", folder / "*ive.png", "--probabilities")
    [row] = csv.DictReader(run(*COMMAND, *options, folder=ROOT).stdout.splitlines())
    assert row["digit"] == "5" and float(row["p5"]) == pytest.approx(float(row["probability"]))
    given = run("sh", "-c", f"python -m digit_reader - < '{folder}/dark.jpg'", folder=ROOT)
    assert given.stdout.startswith("standard input  5")


def test_wrong_arguments_are_told_before_anything_loads(folder, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    found = run(*COMMAND, empty, f"{empty}/*.png", folder=ROOT, check=False)
    assert found.returncode == 1 and "holds no files" in found.stdout
    assert "no file fits this pattern" in found.stdout
    for wrong in ((), ("--annotate", "no/such", folder), ("--format", "xml", folder)):
        refused = run(*COMMAND, *wrong, folder=ROOT, check=False)
        assert refused.returncode == 2 and "usage:" in refused.stderr and not refused.stdout


def test_annotated_pictures_are_saved(folder, tmp_path_factory):
    target = tmp_path_factory.mktemp("annotated")
    run(*COMMAND, folder / "dark.jpg", "--annotate", target, folder=ROOT)
    [path] = target.iterdir()
    before, after = (
        np.asarray(PIL.Image.open(p).convert("RGB")) for p in (folder / "dark.jpg", path)
    )
    blue = (after == (0, 0x72, 0xB2)).all(2)
    assert path.name.endswith("dark read.png") and after.shape == before.shape and blue.sum() > 100


@pytest.mark.control("the reader's network is changed", "the reader, before it reads")
def test_a_tampered_reader_is_refused(tmp_path, record_property):
    from digit_reader.reader import NETWORK

    other = tmp_path / "reader.tflite"
    other.write_bytes(NETWORK.read_bytes()[:-1] + b"x")
    with pytest.raises(NetworkError, match="is not what reader") as refused:
        Reader(other)
    record_property("said", str(refused.value))


def test_the_rates_come_from_the_reader_as_it_is():
    assert rates.kept()["digest"] == rates.digest(), "it has changed: make rates"


def test_files_are_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    write_atomically(path, lambda temporary: temporary.write_text("first"))

    def killed(temporary):
        temporary.write_text("sec")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        write_atomically(str(path), killed)
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]


def test_imports_are_light_and_know_nothing_of_the_study():
    heavy = "{'keras', 'tensorflow', 'matplotlib', 'pandas', 'IPython'} & set(sys.modules)"
    assert run(
        "python",
        "-c",
        f"import digit_reader.__main__, sys; digit_reader.Reader(); print({heavy})",
        folder=ROOT,
    ).stdout == ("set()\n")
    for file in (ROOT / "digit_reader").rglob("*.py"):
        assert "mnist_study" not in file.read_text(encoding="utf-8")
