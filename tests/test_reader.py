"""Own digits: any picture is prepared, bad input gets a clear error, folders are read."""

import io
import json
import runpy
import struct
import zlib

import h5py
import keras
import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.ImageDraw
import PIL.ImageOps
import pytest
import sklearn.datasets
from conftest import ROOT, load_fallback, make, run

from digit_reader import load_reader, prepare_digit, read
from digit_reader.files import write_atomically
from digit_reader.reader import answer, save_reader


def five(side=120):
    """Return a 5 as MNIST has them, bright on black, enlarged: PIL image."""
    image = load_fallback()[0][0][2_060]
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
def test_bad_input_is_named(kind):
    image, message = BAD[kind]
    with pytest.raises(ValueError) as caught:
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
        assert np.abs(prepared - expected).mean() < 0.04, kind
        assert reader.model(prepared[np.newaxis, ..., np.newaxis]).numpy().argmax() == 5, kind


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


def test_uci_digits_on_paper(reader):
    uci, generator = sklearn.datasets.load_digits(), np.random.default_rng(1)
    pictures = []
    for image in uci.images[:300]:
        large = PIL.Image.fromarray(image.astype(np.float32) / 16).resize((80, 80))
        pictures.append(prepare_digit(on_paper(np.asarray(large).clip(0, 1), generator)))
    assert accuracy(reader.model, pictures, uci.target[:300]) > 0.89


def test_mnist_digits_in_larger_pages(reader):
    images, labels = load_fallback()[1]
    generator, pictures = np.random.default_rng(2), []
    for image in images[::4]:
        side = int(generator.integers(28, 300))
        large = PIL.Image.fromarray(image.astype(np.float32) / 255).resize((side, side))
        pictures.append(prepare_digit(on_paper(np.asarray(large).clip(0, 1), generator)))
    assert accuracy(reader.model, pictures, labels[::4]) > 0.97


@pytest.fixture
def folder(tmp_path):
    """A folder with two digits and two bad files."""
    five().save(tmp_path / "a five.png")
    PIL.ImageOps.invert(five()).save(tmp_path / "dark.jpg")
    (tmp_path / "empty.png").touch()
    (tmp_path / "letter.txt").write_text("Dear reader")
    return tmp_path


def test_a_bad_file_does_not_stop_the_others(reader, folder):
    found = read(folder, reader)
    names = ["a five.png", "dark.jpg", "empty.png", "letter.txt"]
    assert [r["image"] for r in found] == names
    assert [r["digit"] for r in found] == [5, 5, None, None]
    assert [bool(r["problem"]) for r in found] == [False, False, True, True]
    for r in found[:2]:
        assert r["sure"] == (r["probability"] >= reader.threshold) and 0.1 < r["probability"] <= 1
        assert r["prepared"].shape == (28, 28) and np.argmax(r["probabilities"]) == r["digit"]
        assert sum(r["probabilities"]) == pytest.approx(1)
    asterisk = PIL.Image.new("L", (280, 280))
    for ends in ((60, 60, 220, 220), (220, 60, 60, 220), (140, 40, 140, 240)):
        PIL.ImageDraw.Draw(asterisk).line(ends, fill=255, width=24)
    unsure = read([asterisk, five()], reader)
    assert [r["image"] for r in unsure] == ["image 1", "image 2"]
    assert [r["sure"] for r in unsure] == [False, True]
    assert answer(unsure[0]).startswith("not sure") and answer(unsure[1]) == "5"
    alone = read(five(), reader)[0]["probabilities"]
    assert np.allclose(alone, unsure[1]["probabilities"], atol=1e-5)


def test_files_and_folders_in_one_list(reader, folder, tmp_path_factory):
    found = read([folder / "dark.jpg", folder, "none.png"], reader)
    assert [r["image"] for r in found][1:3] == ["a five.png", "dark.jpg"] and len(found) == 6
    assert found[-1]["problem"] == "there is no file 'none.png': check the path"
    with pytest.raises(ValueError, match="holds no files: put pictures there"):
        read([five(), tmp_path_factory.mktemp("empty")], reader)


def test_command_line(folder, model_file, monkeypatch, capsys):
    command = ("python", "-m", "digit_reader", "--model", model_file)
    table = run(*command, folder / "a five.png", folder, folder=ROOT)
    assert table.stdout.count("a five.png") == 2 and "the file is empty" in table.stdout
    answers = run(*make("read", f"IMAGES={folder / 'dark.jpg'}", "FORMAT=json"), folder=ROOT)
    [found] = json.loads(answers.stdout)
    assert found["digit"] == 5 and found["sure"] and answers.stderr == ""
    with monkeypatch.context() as patch, pytest.raises(SystemExit, match="True"):
        patch.setattr("sys.argv", ["digit_reader", "none.png", "--model", str(model_file)])
        runpy.run_module("digit_reader", run_name="__main__")
    assert "there is no file 'none.png'" in capsys.readouterr().out
    nothing = run(*command, folder=ROOT, check=False)
    assert nothing.returncode and "PICTURES" in nothing.stderr
    model = run(*command[:3], "--model", "no.h5", "x.png", folder=ROOT, check=False)
    assert model.returncode and model.stderr == "there is no model 'no.h5': check the path\n"


def test_other_models_are_refused(tmp_path, reader):
    (tmp_path / "text.h5").write_text("Dear reader")
    keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()]).save(tmp_path / "bare.h5")
    wide = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10)])
    save_reader(wide, tmp_path / "wide.h5", 1, 0.9)
    with h5py.File(tmp_path / "no model.h5", "w") as file:
        file.attrs.update(temperature=1.0, threshold=0.9)
    messages = {
        "none.h5": "there is no model .*none.h5': check the path",
        "text.h5": "holds no reader of digits: .*file signature not found",
        "bare.h5": "holds no reader of digits: .*temperature",
        "wide.h5": "its model is not from 28×28×1 to 10 numbers",
        "no model.h5": "No model config found",
    }
    for name, message in messages.items():
        with pytest.raises(ValueError, match=message):
            load_reader(tmp_path / name)


def test_a_reader_is_saved_whole_and_quietly(tmp_path, reader, caplog):
    path = tmp_path / "model.h5"
    save_reader(reader.model, path, 0.5, 0.25)
    assert caplog.text == "" and [file.name for file in tmp_path.iterdir()] == ["model.h5"]
    loaded = load_reader(path)
    assert (loaded.temperature, loaded.threshold) == (0.5, 0.25)
    same = zip(loaded.model.get_weights(), reader.model.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in same)
    with h5py.File(path) as file:
        assert "optimizer_weights" not in file
    before = path.read_bytes()
    with pytest.raises(ValueError):  # the model is written, then its temperature is no number
        save_reader(reader.model, path, "warm", 0.25)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


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
    heavy = "{'keras', 'tensorflow', 'matplotlib', 'pandas'} & set(sys.modules)"
    assert run("python", "-c", f"import digit_reader, sys; print({heavy})", folder=ROOT).stdout == (
        "set()\n"
    )
    for file in (ROOT / "digit_reader").rglob("*.py"):
        assert "mnist_study" not in file.read_text(encoding="utf-8")
