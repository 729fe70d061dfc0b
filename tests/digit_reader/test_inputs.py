"""Whatever people give, and what the command prints: files, stacks, scans, odd names, threads."""

import concurrent.futures
import csv
import io
import itertools
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
from support.pictures import encoded, five, in_formats, mutated
from support.project import ROOT, make, run

from digit_reader import Reader, Reading, annotate, read
from digit_reader import __main__ as command
from digit_reader.__main__ import SHOWN
from digit_reader.inputs import DOWNLOAD
from mnist_study import cli


def test_pictures_of_usual_formats_are_read_and_others_refused(reader):
    usual, unusual = in_formats()
    assert [reading.answer for reading in read(usual, reader)] == ["5"] * len(usual)
    assert all("no picture" in reading.problem for reading in read(unusual, reader))


def test_a_damaged_picture_costs_itself_alone(reader):
    generator, whole = np.random.default_rng(1), [*itertools.chain(*in_formats())]
    damaged = [mutated(content, generator) for content in 6 * whole]
    with warnings.catch_warnings(action="ignore"):
        readings = read([five(), *damaged, five()], reader)
    assert len(readings) == len(damaged) + 2 and readings[0].answer == readings[-1].answer == "5"
    assert all(r.digits or ": " in r.problem for r in readings)


@pytest.fixture
def folder(tmp_path):
    """A folder with two digits and two bad files."""
    five().save(tmp_path / "a five.png")
    PIL.ImageOps.invert(five()).save(tmp_path / "dark.jpg")
    (tmp_path / "empty.png").touch()
    (tmp_path / "letter.txt").write_text("Dear reader")
    return tmp_path


def test_a_bad_file_does_not_stop_the_others(reader, folder):
    mixed, progress = [folder, folder / "*.jpg", "none.png", five(), io.StringIO("5")], []
    readings = read(mixed, reader, lambda done, count: progress.append((done, count)))
    names = [str(folder / name) for name in ("a five.png", "dark.jpg", "empty.png", "letter.txt")]
    assert [r.image for r in readings] == [*names, names[1], "none.png", "image 4", "image 5"]
    assert [r.digit for r in readings] == [5, 5, None, None, 5, None, 5, None]
    assert [bool(r.problem) for r in readings] == [not r.digits for r in readings]
    assert progress == [(8, 8)]
    assert readings[0].prepared.shape == (28, 28) and np.argmax(readings[0].probabilities) == 5
    assert readings[0].probability == max(readings[0].probabilities) > 0.5


def test_open_files_stacks_and_scans_give_a_reading_each(reader, tmp_path):
    assert read(io.BytesIO(encoded(five())), reader)[0].answer == "5"
    rows = np.stack([np.asarray(five(28)).ravel()] * 3)
    assert [r.answer for r in read([rows, rows[0]], reader)] == ["5"] * 4
    stack = np.stack([np.asarray(five())] * 3)
    assert [r.image for r in read(stack, reader)] == ["image 1, 1", "image 1, 2", "image 1, 3"]
    path = tmp_path / "scan.tif"
    five().save(path, save_all=True, append_images=[PIL.Image.new("L", (200, 200), 255)])
    first, second = read(path, reader)
    assert first.answer == "5" and "blank" in second.problem
    assert first.image.endswith("scan.tif, page 1")


@pytest.mark.setting("`~`, `**`, URLs in the reader's arguments", "mean what they do in Python")
def test_names_mean_what_they_mean_in_python_and_in_a_shell(reader, tmp_path, monkeypatch):
    (tmp_path / "a" / "b.png").mkdir(parents=True)
    five().save(tmp_path / "a" / "b.png" / "c.png")
    five().save(tmp_path / "d.png")
    monkeypatch.setenv("HOME", str(tmp_path))
    names = [str(tmp_path / "a" / "b.png" / "c.png"), str(tmp_path / "d.png")]
    assert [r.image for r in read("~/**/*.png", reader) if r.answer == "5"] == names
    assert [r.image for r in read("~/d.png", reader) if r.answer == "5"] == names[1:]
    for url in ("https://example.com/5.png?x=1", "file:///5.png", "data:image/png;base64,aaaa"):
        assert read(url, reader)[0].problem == DOWNLOAD
    monkeypatch.setattr(sys, "stdin", None)
    assert read("-", reader)[0].problem == "standard input is closed: give the names of files"


def test_several_threads_share_a_reader(capfd):
    reader, before = Reader(), [*warnings.filters]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(lambda _: read(five(), reader)[0].answer, range(24))]
    assert answers == ["5"] * 24 and warnings.filters == before
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"


@pytest.fixture
def printed(monkeypatch, capsys):
    """A function that returns what the command prints for these words, and its status."""

    def printed(*words):
        monkeypatch.setattr(sys, "argv", ["digit_reader", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            command.main()
        return capsys.readouterr().out, ended.value.code

    return printed


def test_the_command_prints_tables_json_and_csv(printed, folder):
    table, status = printed(folder / "a five.png", "--probabilities")
    assert status == 0 and "5: " in table and "%, else " in table
    words = (folder / "a five.png", folder / "none.png", "--format")
    text, status = printed(*words, "json", "--annotate", folder)
    digit, missing = json.loads(text)
    assert status == 1 and missing["digits"] == [] and "check the path" in missing["problem"]
    keys = ["image", "answer", "sure", "digits", "problem", "digit", "probability", "runner_up"]
    assert list(digit) == [*keys, "certainty", "note"] and digit["answer"] == "5"
    assert list(digit["digits"][0]) == [*SHOWN, "box", "line", "place"]
    assert len([*folder.glob("*five read.png")]) == 1
    lines = printed(*words, "csv")[0].splitlines()
    assert lines[0] == "image,digit,probability,certainty,runner_up,problem,line,place,note"
    assert lines[1].split(",")[1] == "5" and len(lines) == 3


def test_the_command_refuses_wrong_arguments(printed, folder, tmp_path_factory):
    for wrong in (
        (),
        (folder, "--annotate", folder / "none"),
        (folder, "--annotate", "/proc/self"),
        (folder, "--annotate", 256 * "a"),
        ("--format", "xml", folder),
    ):
        assert printed(*wrong) == ("", 2)
    empty = tmp_path_factory.mktemp("empty")
    text, status = printed(empty, f"{empty}/*.png")
    assert status == 1 and "holds no files" in text and "no file fits this pattern" in text


def test_the_command_reads_standard_input_and_is_run_by_make(printed, folder, monkeypatch):
    with (folder / "dark.jpg").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        table = printed("--format", "csv", "--probabilities", "-")[0]
    [row] = csv.DictReader(table.splitlines())
    assert row["image"] == "standard input" and row["digit"] == "5"
    assert float(row["p5"]) == pytest.approx(float(row["probability"]))
    table = run(*make("read", f"IMAGES={folder / 'dark.jpg'}", "FORMAT=csv"), folder=ROOT)
    assert "dark.jpg,5," in table.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.setting("standard output in {encoding}", "shows escaped what it lacks, and goes on")
def test_standard_output_loses_characters_and_not_the_run(tmp_path, monkeypatch, encoding):
    five().save(tmp_path / "中→.png")
    for main, words in ((command.main, [str(tmp_path)]), (cli.main, ["--help"])):
        monkeypatch.setattr(sys, "argv", ["program", *words])
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))
        with pytest.raises(SystemExit, match=r"^(0|False)$"):
            main()
        sys.stdout.flush()
        shown = sys.stdout.buffer.getvalue().decode(encoding)
        expected = "中→.png" if main == command.main else "…"
        assert expected.encode(encoding, "backslashreplace").decode(encoding) in shown


@pytest.mark.fault("closed streams, a name of 255 bytes", "pictures are read and saved")
def test_closed_streams_and_the_longest_names_cost_no_picture(tmp_path):
    five().save(tmp_path / f"{'中' * 83}xx.png")
    given = f"{sys.executable} -m digit_reader {tmp_path} --annotate {tmp_path} <&- >&- 2>&-"
    run("sh", "-c", given, folder=ROOT)
    assert len([*tmp_path.glob("*xx read.png")]) == 1


@pytest.mark.fault("--annotate on a disk that is full", "the readings are whole, and it is said")
def test_a_picture_that_cannot_be_saved_costs_no_reading(printed, folder, monkeypatch):
    def full(*_):
        raise OSError("cannot write: make room")

    monkeypatch.setattr(annotate, "save_annotated", full)
    text, status = printed(folder, "--format", "json", "--annotate", folder)
    assert status == 1 and [reading["digit"] for reading in json.loads(text)][:2] == [5, 5]


def test_results_come_one_by_one_and_head_ends_them_quietly(tmp_path):
    for number in range(40):
        five(60).save(tmp_path / f"{number}.png")
    words = [sys.executable, "-m", "digit_reader", str(tmp_path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, cwd=ROOT, **pipes) as running:
        assert running.stdout.readline().startswith(str(tmp_path).encode())
        running.stdout.close()
        assert b"Error" not in running.stderr.read() and running.wait() == 0


def test_odd_names_are_shown_harmless(reader, printed, tmp_path, monkeypatch):
    five().save(tmp_path / "=1+1.png")
    five().save(tmp_path / "\x1b[31m\n.png")
    monkeypatch.chdir(tmp_path)
    table = csv.DictReader(printed(".", "--format", "csv")[0].splitlines())
    assert [row["image"] for row in table] == ["\\x1b[31m\\n.png", "'=1+1.png"]
    five().save(tmp_path / "-x.png")
    assert "'-x.png,5," in printed("--format", "csv", "--", "-x.png")[0]
    assert "no file ''" in read("", reader)[0].problem
    assert "may not be read" in read("a" * 300, reader)[0].problem


def test_annotated_pictures_have_boxes_and_stand_beside_what_is_there(reader, tmp_path):
    [reading] = read(five(), reader)
    reading = Reading("a/b.png", reading.digits)
    paths = [annotate.save_annotated(five(), reading, tmp_path) for _ in range(2)]
    assert [path.name for path in paths] == ["a_b read.png", "a_b read 2.png"]
    rows, columns = np.nonzero((np.asarray(PIL.Image.open(paths[0])) == (0, 0x72, 0xB2)).all(2))
    box = columns.min(), rows.min(), columns.max(), rows.max()
    assert np.abs(np.subtract(box, np.multiply(reading.digits[0].box, 120))).max() <= 1
    transparent = PIL.Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    transparent.paste((10, 10, 10, 255), (90, 40, 110, 160))
    shown = np.asarray(annotate.annotated(transparent, read(transparent, reader)[0]))
    assert (shown[5, 5] == 255).all()
    deep = PIL.Image.fromarray(np.asarray(five(), np.float32) * 1_000)
    assert np.asarray(annotate.annotated(deep, read(deep, reader)[0])).std() > 10
