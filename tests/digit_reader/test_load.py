"""Much at once: ten thousand pictures, a thousand strokes, and pictures that would fill memory."""

import json
import time

import PIL.Image
import pytest
from support.browser import PATIENCE, POINT, STROKES, VISUALIZATIONS, answer, browser, draw, placed
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

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

generator, mnist = np.random.default_rng(1), np.load(sys.argv[1])
large = (PIL.Image.fromarray(image).resize((56, 56), 3) for image in mnist["x_test"])
pages = [255 - np.pad(image, generator.integers(0, 60, (2, 2))) for image in large]
reader, before, start = Reader(), megabytes(), time.perf_counter()
digits = [reading.digit for reading in read(pages, reader)]
right = np.sum(np.equal(digits, mnist["y_test"]))
print(json.dumps([len(digits), int(right), time.perf_counter() - start, megabytes() - before]))
"""


def watched(*command):
    """Run a command here; return its status, its output, its error output, its peak megabytes."""
    return json.loads(run("python", "-c", WATCHED, *map(str, command), folder=ROOT).stdout)


@pytest.mark.load("10,000 pictures in one call of the reader", "read")
def test_ten_thousand_pictures_are_read_in_one_call(mnist_file, record_property):
    output = run("python", "-c", READ, mnist_file, folder=ROOT).stdout
    count, right, seconds, megabytes = json.loads(output)
    record_property("said", f"{seconds:.0f} s, {megabytes:.0f} MB more")
    assert count == 10_000 and right >= 9_900 and megabytes < 500


PICTURES = {
    "a PNG of 100 bytes that promises 2,500 megapixels": lambda path: path.write_bytes(huge()),
    "200 megapixels": lambda path: PIL.Image.new("1", (20_000, 10_000)).save(path),
}


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.load("{kind}", "refused")
def test_pictures_that_would_fill_the_memory_are_refused(tmp_path, kind, record_property):
    PICTURES[kind](tmp_path / "picture.png")
    status, output, _, megabytes = watched("python", "-m", "digit_reader", tmp_path / "picture.png")
    record_property("said", f"{megabytes:.0f} MB in all")
    assert status == 1 and "too many pixels: scale it down" in output and megabytes < 400


@pytest.fixture
def page():
    """The committed page in a browser, ready to draw in."""
    with browser() as started:
        page = started.new_page(viewport={"width": 900, "height": 720})
        page.set_default_timeout(PATIENCE)
        page.goto((VISUALIZATIONS / "draw_a_digit.html").as_uri())
        answer(page, "Draw a digit.")
        yield page


@pytest.mark.load("1,000 strokes in the page", "read, undone, kept over a reload")
def test_a_thousand_strokes_are_drawn_read_undone_and_kept(page, record_property):
    """A 1 that is gone over a thousand times, and then a 7 beside it."""
    strokes = [placed(STROKES[1], 10 + number % 13 / 2, 70, 0.5)[0] for number in range(1_000)]
    page.evaluate(POINT, [strokes[:900], "mouse"])
    start = time.perf_counter()
    page.evaluate(POINT, [strokes[900:], "mouse"])
    seconds = (time.perf_counter() - start) / 100
    megabytes = page.evaluate("performance.memory.usedJSHeapSize") / 2**20
    record_property("said", f"{1_000 * seconds:.0f} ms for the last ones, {megabytes:.0f} MB")
    answer(page, "1")
    draw(page, placed(STROKES[7], 130, 70, 0.5))
    answer(page, "17")
    for key, shown in (("Control+z", "1"), ("Control+y", "17")):
        page.keyboard.press(key)
        answer(page, shown)
    page.reload()
    answer(page, "17")
    assert megabytes < 200


@pytest.mark.load("150,000 points in the page", "read")
def test_a_drawing_of_many_points_is_read(page):
    """A thousand strokes of 150 points, as a quick mouse gives them."""
    points = [[0.45 + 0.1 * (step % 2), 0.2 + 0.6 * step / 150] for step in range(150)]
    store = "(strokes) => localStorage.setItem('digit-reader-strokes', JSON.stringify(strokes))"
    page.evaluate(store, [points] * 1_000)
    page.reload()
    answer(page, "1")
