"""The page to draw in, in a real browser: it reads drawings as digit_reader would read them."""

import base64
import re
import shutil
import zlib

import keras
import numpy as np
import pytest
from browser import STROKES, browser, draw
from conftest import ROOT, load_fallback

from digit_reader import prepare_digit
from digit_reader.page import build
from digit_reader.reader import scaled

COMMITTED = ROOT / "visualizations" / "draw_a_digit.html"


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def built(reader, tmp_path_factory):
    """The page, built from the committed model."""
    path = tmp_path_factory.mktemp("page") / "draw_a_digit.html"
    build.write_page(reader.model, path, reader.temperature, reader.threshold)
    return path


@pytest.fixture
def page(chromium, built):
    """The open page; whatever it fetches or complains about fails the test."""
    complaints = []
    page = chromium.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url))
    page.goto(built.as_uri())
    page.evaluate("ready")
    yield page
    assert [text for text in complaints if not text.startswith(("file:", "data:", "blob:"))] == []
    assert complaints.count(built.as_uri()) == 1
    page.close()


def canvas(page):
    """Return the drawing as PNG bytes."""
    address = page.evaluate("document.getElementById('page').toDataURL()")
    return base64.b64decode(address.split(",")[1])


def seen(page):
    """Return the page's own 28×28 image of the drawing."""
    pixels = page.evaluate("Array.from(prepared(inkDrawn(), 280))")
    return np.array(pixels, np.float32).reshape(28, 28)


def wait_for(page, text):
    """Wait until the page gives the answer."""
    page.wait_for_function("text => document.getElementById('answer').innerText === text", arg=text)


@pytest.mark.parametrize("digit", range(10))
def test_reads_what_is_drawn(page, digit):
    draw(page, STROKES[digit])
    assert page.locator("#answer").inner_text() == f"This is a {digit}."


@pytest.mark.parametrize("size", [1.0, 0.6, 0.35])
def test_prepares_a_drawing_as_python_does(page, size):
    for digit, strokes in STROKES.items():
        page.get_by_role("button", name="Clear").click()
        speck = [[(10, 10), (11, 10)]] if digit % 2 else []
        smaller = [[(40 + size * x, 30 + size * y) for x, y in points] for points in strokes]
        draw(page, [*(smaller if size < 1 else strokes), *speck])
        expected = prepare_digit(canvas(page))
        assert expected.max() > 0.9
        assert np.abs(seen(page) - expected).max() < 8 / 255


def test_probabilities_are_keras_s(page, reader):
    try:
        images = keras.datasets.mnist.load_data()[1][0][:200]
    except Exception:  # no network: images from the training set
        images = load_fallback()[0][0][::20]
    images = images.astype(np.float32) / 255
    answers = np.asarray(reader.model(images[..., np.newaxis], training=False), float)
    found = page.evaluate(
        "images => images.map((image) => probabilities(layers, image, MODEL.temperature))",
        images.reshape(200, 784).tolist(),
    )
    assert np.abs(np.array(found) - scaled(answers, reader.temperature)).max() < 1e-3
    assert page.evaluate("MODEL.threshold") == reader.threshold


def test_scribbles_are_not_sure(page):
    draw(page, [[(60, 60), (220, 220)], [(220, 60), (60, 220)], [(140, 40), (140, 240)]])
    assert page.locator("#answer").inner_text().startswith("Not sure")


def test_undo_and_clear(page):
    draw(page, STROKES[1])
    one = page.locator("#answer").inner_text()
    draw(page, [[(60, 60), (220, 220)]])
    page.keyboard.press("Control+z")
    wait_for(page, one)
    draw(page, STROKES[1])
    page.get_by_role("button", name="Undo").click()
    wait_for(page, one)
    page.keyboard.press("Escape")
    wait_for(page, "Draw a digit.")


@pytest.mark.parametrize(("key", "left"), [("Control+z", "This is a 1."), ("Escape", None)])
def test_undo_and_clear_end_the_stroke_in_hand(page, key, left):
    draw(page, STROKES[1])
    drawing = page.locator("#page")
    drawing.hover(position={"x": 60, "y": 60})
    page.mouse.down()
    drawing.hover(position={"x": 220, "y": 220})
    assert page.evaluate("strokes.length") == 2
    page.keyboard.press(key)
    drawing.hover(position={"x": 60, "y": 220})  # the pen is down, but draws no more
    page.mouse.up()
    wait_for(page, left or "Draw a digit.")
    draw(page, [] if left else STROKES[7])
    assert page.locator("#answer").inner_text() == (left or "This is a 7.")


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


def test_sources_run_unbuilt(chromium, reader, tmp_path):
    """The modules import what they use: as real modules, from a server, they read a digit."""
    folder = shutil.copytree(build.SOURCES, tmp_path / "page")
    (folder / "model.js").write_text(build.model_module(**vars(reader)))
    page, errors = chromium.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route("**/*", lambda route: route.fulfill(path=folder / route.request.url.split("/")[-1]))
    page.goto("http://page.test/index.html")
    page.evaluate("import('/draw.js').then((module) => module.ready)")
    draw(page, STROKES[3])
    assert page.locator("#answer").inner_text() == "This is a 3." and errors == []
    page.close()


def network(*layers, border=0):
    crop = [keras.layers.Cropping2D(border)] * bool(border)
    return keras.Sequential([keras.Input((28, 28, 1)), *crop, keras.layers.Flatten(), *layers])


@pytest.mark.parametrize(("scale", "border"), [(True, 0), (False, ((1, 2), (3, 0)))])
def test_networks_a_page_can_compute(scale, border):
    kinds = keras.layers
    random = keras.initializers.RandomUniform(0.5, 1.5, seed=1)
    normalisation = kinds.BatchNormalization(
        scale=scale, moving_mean_initializer=random, moving_variance_initializer=random
    )
    output = kinds.Dense(10, activation="softmax")
    layers = (kinds.Dense(20, activation="relu"), kinds.Dense(15), normalisation, kinds.ReLU())
    sizes = [weights.shape for weights, _ in build.folded(network(*layers, output, border=border))]
    assert sizes == [(784, 20), (20, 15), (15, 10)]


@pytest.mark.parametrize("kind", ["convolution", "tanh", "normalised after ReLU"])
def test_networks_a_page_cannot_compute(kind):
    kinds = keras.layers
    layers = {
        "convolution": [kinds.Reshape((28, 28, 1)), kinds.Conv2D(2, 3), kinds.Flatten()],
        "tanh": [kinds.Dense(20, activation="tanh")],
        "normalised after ReLU": [
            kinds.Dense(20, activation="relu"),
            kinds.BatchNormalization(beta_initializer="ones"),
        ],
    }
    with pytest.raises(ValueError, match="the page has"):
        build.folded(network(*layers[kind], kinds.Dense(10, activation="softmax")))


def parts(text):
    """Return a page's text without its weights, and the weights unpacked."""
    before, weights, after = re.split(r'"weights": "([^"]+)"', text)
    return before + after, zlib.decompress(base64.b64decode(weights))


def test_committed_page_comes_from_the_committed_model(built):
    assert parts(COMMITTED.read_text(encoding="utf-8")) == parts(built.read_text(encoding="utf-8"))


def test_is_small(built):
    assert built.stat().st_size < 5_000_000
