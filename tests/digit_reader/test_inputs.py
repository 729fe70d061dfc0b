"""Whatever people give: open files, stacks, scans, odd names, damaged files, several threads."""

import concurrent.futures
import csv
import io
import os
import subprocess
import sys
import warnings

import numpy as np
import PIL.Image
import pillow_heif
import pytest
from support.images import five_thousand
from support.pictures import encoded, five
from support.project import ROOT

from digit_reader import HintError, Hints, Reader, annotate, read
from digit_reader import __main__ as command

USUAL = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF")
UNUSUAL = ("TGA", "PCX", "SGI", "DDS", "ICNS", "EPS", "JPEG2000", "IM")


def heic():
    file = io.BytesIO()
    pillow_heif.from_pillow(five().convert("RGB")).save(file)
    return file.getvalue()


def test_pictures_of_usual_formats_are_read_and_others_refused(reader):
    usual = [encoded(five(), format=kind) for kind in USUAL] + [heic()]
    assert [r.answer for r in read(usual, reader)] == ["5"] * len(usual)
    for found in read([encoded(five(), format=kind) for kind in UNUSUAL], reader):
        assert "no picture that Pillow can read" in found.problem


def mutated(content, generator):
    """Return a file with some bytes changed, now and then cut."""
    changed = bytearray(content)
    for place in generator.integers(0, min(len(changed), 600), generator.integers(1, 12)):
        changed[place] = generator.integers(0, 256)
    return bytes(
        changed[: generator.integers(1, len(changed))] if generator.random() < 0.2 else changed
    )


def test_a_damaged_picture_costs_itself_alone(reader):
    generator = np.random.default_rng(1)
    whole = [encoded(five(), format=kind) for kind in (*USUAL, *UNUSUAL)] + [heic()]
    damaged = [mutated(content, generator) for content in whole for _ in range(20)]
    with warnings.catch_warnings(action="ignore"):
        readings = read([five(), *damaged, five()], reader)
    assert len(readings) == len(damaged) + 2 and readings[0].answer == readings[-1].answer == "5"
    assert all(r.digits or ": " in r.problem for r in readings)


@pytest.mark.parametrize("scale", [1, 1 / 255, 257, 4_095 / 255, 1.0000001])
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.uint16, np.int64])
def test_arrays_of_any_range_are_the_same_digit(reader, scale, kind):
    array = np.asarray(five(), float) * scale
    if scale >= 1 or np.issubdtype(kind, np.floating):
        assert read(array.astype(kind), reader)[0].answer == "5"


def test_open_files_stacks_and_scans_give_a_reading_each(reader, tmp_path):
    assert read(io.BytesIO(encoded(five())), reader)[0].answer == "5"
    assert "binary mode" in read(io.StringIO("5"), reader)[0].problem
    stack = np.stack([np.asarray(five())] * 3)
    assert [r.image for r in read(stack, reader)] == ["image 1, 1", "image 1, 2", "image 1, 3"]
    path = tmp_path / "scan.tif"
    five().save(path, save_all=True, append_images=[PIL.Image.new("L", (200, 200), 255)])
    first, second = read(path, reader)
    assert (first.answer, second.problem[:17]) == ("5", "the page is blank")
    assert first.image.endswith("scan.tif, page 1")


def number(*digits, gap=0, slope=0):
    """Return a page with these digits of other people, side by side."""
    images, labels = five_thousand()[1]
    page = np.full((300, 20 + len(digits) * (100 + gap)), 250, np.uint8)
    for place, digit in enumerate(digits):
        image = PIL.Image.fromarray(images[np.flatnonzero(labels == digit)[1]]).resize((100, 100))
        top, left = 20 + slope * place, 10 + place * (100 + gap)
        page[top : top + 100, left : left + 100] -= (np.asarray(image) * 0.8).astype(np.uint8)
    return page


def test_hints_are_followed(reader):
    page = number(3, 1, 4, slope=60)
    assert "\n" in read(page, reader)[0].answer
    assert read(page, reader, hints=Hints(one_line=True))[0].answer == "314"
    assert len(read(page, reader, hints=Hints(count=1))[0].digits) == 1
    assert "3 digits were found, not 5" in read(page, reader, hints=Hints(count=5))[0].note
    found = read(number(7), reader, hints=Hints(only="01"))[0]
    assert found.digit in (0, 1) and sum(found.probabilities) == pytest.approx(1)
    for wrong in ({"only": "x"}, {"only": ""}, {"count": 0}, {"count": 1.5}):
        with pytest.raises(HintError, match="give"):
            Hints(**wrong)


def test_odd_names_are_shown_harmless(reader, tmp_path, monkeypatch, capsys):
    five().save(tmp_path / "=1+1.png")
    five().save(tmp_path / "\x1b[31m\n.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["digit_reader", ".", "--format", "csv"])
    with pytest.raises(SystemExit):
        command.main()
    names = [row["image"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))]
    assert names == ["\\x1b[31m\\n.png", "'=1+1.png"]
    five().save(tmp_path / "-x.png")
    monkeypatch.setattr(sys, "argv", ["digit_reader", "--format", "csv", "--", "-x.png"])
    with pytest.raises(SystemExit):
        command.main()
    assert "'-x.png,5," in capsys.readouterr().out
    assert "no file ''" in read("", reader)[0].problem
    assert "may not be read" in read("a" * 300, reader)[0].problem


def test_annotated_pictures_stand_beside_what_is_there(reader, tmp_path):
    transparent = PIL.Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    transparent.paste((10, 10, 10, 255), (90, 40, 110, 160))
    readings = [read(five(), reader)[0]] * 2
    paths = [annotate.save_annotated(five(), reading, tmp_path) for reading in readings]
    assert [path.name for path in paths] == ["image 1 read.png", "image 1 read 2.png"]
    shown = np.asarray(annotate.annotated(transparent, read(transparent, reader)[0]))
    assert (shown[5, 5] == 255).all()
    deep = PIL.Image.fromarray(np.asarray(five(), np.float32) * 1_000)
    assert np.asarray(annotate.annotated(deep, read(deep, reader)[0])).std() > 10


def test_several_threads_share_a_reader(capfd):
    reader = Reader()
    before = [*warnings.filters]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = [*pool.map(lambda _: read(five(), reader)[0].answer, range(80))]
    assert found == ["5"] * 80 and warnings.filters == before
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"


def test_results_come_one_by_one_and_head_ends_them_quietly(tmp_path):
    images = five_thousand()[1][0]
    for number in range(70):
        PIL.Image.fromarray(images[number]).resize((120, 120)).save(tmp_path / f"{number}.png")
    words = [sys.executable, "-m", "digit_reader", str(tmp_path)]
    running = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout.readline().startswith(str(tmp_path).encode())
    running.stdout.close()
    running.wait(60)
    assert running.stderr.read() == b""


def test_a_photograph_of_salt_is_refused_at_once(reader):
    salt = np.where(np.random.default_rng(1).random((800, 800)) < 0.04, 0, 255).astype(np.uint8)
    assert "pieces of ink are no number" in read(salt, reader)[0].problem
