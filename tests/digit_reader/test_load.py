"""Much at once: ten thousand pictures, a thousand strokes, and pictures that would fill memory."""

import json
import time

import PIL.Image
import pytest
from support.browser import POINT, STROKES, VISUALIZATIONS, answer, browser, draw
from support.pictures import huge
from support.project import ROOT, run

pytestmark = pytest.mark.proof
# A small process starts the command, since one that pytest starts inherits pytest's own peak.
WATCHED = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(json.dumps([done.returncode, done.stdout, done.stderr, peak]))
"""
READ = """
import json, resource, sys, time
import numpy as np, PIL.Image
from digit_reader import Reader, read

def page(image):  # a digit somewhere on white paper
    large = np.asarray(PIL.Image.fromarray(image).resize((56, 56), PIL.Image.Resampling.BICUBIC))
    return 255 - np.pad(large, generator.integers(0, 60, (2, 2)))

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

generator, mnist = np.random.default_rng(1), np.load(sys.argv[1])
pages, reader = [page(image) for image in mnist["x_test"]], Reader()
before, start = megabytes(), time.perf_counter()
digits = [reading.digit for reading in read(pages, reader)]
seconds = time.perf_counter() - start
right = sum(digit == label for digit, label in zip(digits, mnist["y_test"], strict=True))
print(json.dumps([len(digits), int(right), seconds, megabytes() - before]))
"""


def watched(*command):
    """Run a command here; return its status, what it said and complained, its peak megabytes."""
    return json.loads(run("python", "-c", WATCHED, *map(str, command), folder=ROOT).stdout)


@pytest.mark.load("10,000 pictures in one call of the reader", "read")
def test_ten_thousand_pictures_are_read_in_one_call(mnist_file, record_property):
    status, said, complaint, _ = watched("python", "-c", READ, mnist_file)
    assert status == 0, complaint
    count, right, seconds, megabytes = json.loads(said)
    record_property("said", f"{seconds:.0f} s, {megabytes:.0f} MB more")
    assert count == 10_000 and right >= 9_900
    assert megabytes < 500


def bomb(path):
    """Write a PNG of a hundred bytes that promises 2,500 megapixels."""
    path.write_bytes(huge())


def large(path):
    """Write a true PNG of 200 megapixels, all black, in a bit each."""
    PIL.Image.new("1", (20_000, 10_000)).save(path)


WRITERS = {"a PNG of 100 bytes that promises 2,500 megapixels": bomb, "200 megapixels": large}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.load("{kind}", "refused")
def test_pictures_that_would_fill_the_memory_are_refused(tmp_path, kind, record_property):
    WRITERS[kind](tmp_path / "picture.png")
    start = time.perf_counter()
    found = watched("python", "-m", "digit_reader", tmp_path / "picture.png")
    status, said, complaint, megabytes = found
    seconds = time.perf_counter() - start
    record_property("said", f"{seconds:.1f} s, {megabytes:.0f} MB in all")
    assert status == 1 and "too many pixels: scale it down" in said and complaint == ""
    assert megabytes < 400


@pytest.fixture
def page():
    """The committed page in a browser, ready to draw in."""
    with browser() as started:
        page = started.new_page(viewport={"width": 900, "height": 720})
        page.goto((VISUALIZATIONS / "draw_a_digit.html").as_uri())
        answer(page, "Draw a digit.")
        yield page


def heap(page):
    """Return the megabytes that the page's script holds on to."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize") / 2**20


def half(strokes, right):
    """Return strokes at half their size, so many points to the right."""
    return [[(right + x / 2, 70 + y / 2) for x, y in points] for points in strokes]


@pytest.mark.load("1,000 strokes in the page", "read, undone, kept over a reload")
def test_a_thousand_strokes_are_drawn_read_undone_and_kept(page, record_property):
    """A 1 that is gone over a thousand times, and then a 7 beside it."""
    strokes = [half(STROKES[1], 10 + number % 13 / 2)[0] for number in range(1_000)]
    page.evaluate(POINT, [strokes[:900], "mouse"])
    start = time.perf_counter()
    page.evaluate(POINT, [strokes[900:], "mouse"])
    seconds, megabytes = (time.perf_counter() - start) / 100, heap(page)
    record_property("said", f"{1_000 * seconds:.0f} ms for the last ones, {megabytes:.0f} MB")
    answer(page, "1")
    draw(page, half(STROKES[7], 130))
    answer(page, "17")
    page.keyboard.press("Control+z")
    answer(page, "1")
    page.keyboard.press("Control+y")
    answer(page, "17")
    page.reload()
    answer(page, "17")
    assert megabytes < 200


@pytest.mark.load("150,000 points in the page", "read")
def test_a_drawing_of_many_points_is_read(page):
    """A thousand strokes of 150 points, as a quick mouse gives them."""
    points = [[0.45 + 0.1 * (step % 2), 0.2 + 0.6 * step / 150] for step in range(150)]
    keep = "(strokes) => localStorage.setItem('digit-reader-strokes', JSON.stringify(strokes))"
    page.evaluate(keep, [points] * 1_000)
    page.reload()
    answer(page, "1")
