"""Much at once: ten thousand pictures, a thousand strokes, a picture too large to unpack."""

import json
import sys
import time

import PIL.Image
import pytest
from browser import STROKES, VISUALIZATIONS, answer, browser, draw
from conftest import ROOT, run
from test_reader import huge

pytestmark = pytest.mark.proof
READ = """
import json, resource, time
import numpy as np
from conftest import load_fallback
from digit_reader import read

images, labels = load_fallback()[0]
rows = np.arange(10_000) % len(images)
pictures = [np.pad(np.kron(images[row], np.ones((4, 4), np.uint8)), 20) for row in rows]
memory = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
before, start = memory(), time.perf_counter()
found = [reading["digit"] for reading in read(pictures)]
seconds = time.perf_counter() - start
right = float(np.mean([digit == label for digit, label in zip(found, labels[rows])]))
print(json.dumps({"right": right, "seconds": seconds, "megabytes": memory() - before}))
"""


@pytest.mark.load("10,000 pictures of 152×152 in one call of the reader", "read")
def test_ten_thousand_pictures_in_one_call(record_property):
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    found = json.loads(run(sys.executable, "-c", READ, folder=ROOT, **paths).stdout)
    assert found["right"] > 0.99 and found["megabytes"] < 1_000
    record_property("said", "{seconds:.0f} s, {megabytes:.0f} MB more".format(**found))


SCRIBBLE = """() => {
    const canvas = document.getElementById("page"), box = canvas.getBoundingClientRect();
    canvas.setPointerCapture = () => {};
    const send = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
        pointerType: "pen", pointerId: 7, button: 0, bubbles: true, isPrimary: true,
        clientX: box.left + x * box.width, clientY: box.top + y * box.width }));
    const start = performance.now();
    for (let i = 0; i < 1000; i++) {
        send("pointerdown", (i % 40) / 41 + 0.01, Math.floor(i / 40) / 26 + 0.01);
        send("pointermove", (i % 40) / 41 + 0.02, Math.floor(i / 40) / 26 + 0.02);
        send("pointerup", (i % 40) / 41 + 0.02, Math.floor(i / 40) / 26 + 0.02);
    }
    return (performance.now() - start) / 1000;
}"""


@pytest.mark.load("1,000 strokes in the page", "drawn, undone and redrawn")
def test_a_thousand_strokes_in_the_page(record_property):
    with browser() as started:
        page = started.new_page()
        page.goto((VISUALIZATIONS / "draw_a_digit.html").as_uri())
        answer(page, "Draw a digit.")
        milliseconds = page.evaluate(SCRIBBLE)
        start = time.perf_counter()
        page.keyboard.press("Control+z")
        draw(page, STROKES[1])
        page.wait_for_function("document.getElementById('answer').innerText")
        seconds = time.perf_counter() - start
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        metrics = session.send("Performance.getMetrics")["metrics"]
        heap = next(m["value"] for m in metrics if m["name"] == "JSHeapUsedSize") / 2**20
        assert answer(page) != "Draw a digit." and seconds < 10 and heap < 200
        page.keyboard.press("Escape")
        draw(page, STROKES[7])
        answer(page, "7")
    said = f"{milliseconds:.1f} ms each, one more {seconds:.1f} s, {heap:.0f} MB of heap"
    record_property("said", said)


LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_DATA, (600 * 2**20,) * 2)
sys.argv = ["digit_reader", sys.argv[1]]
runpy.run_module("digit_reader", run_name="__main__")
"""


@pytest.mark.parametrize("kind", ["a picture of 200 megapixels", "a decompression bomb"])
@pytest.mark.load("{kind}", "refused, within 600 MB")
def test_a_picture_too_large_is_refused(tmp_path, kind, record_property):
    path = tmp_path / "large.png"
    if kind == "a decompression bomb":
        path.write_bytes(huge())
    else:
        PIL.Image.new("1", (20_000, 10_000)).save(path)
    refused = run(sys.executable, "-c", LIMITED, str(path), folder=ROOT, check=False)
    assert refused.returncode == 1 and "scale it down" in refused.stdout, refused.stderr
    record_property("said", refused.stdout.replace(str(path), "").strip())
