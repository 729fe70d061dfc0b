"""What is handed on: an HTML file that asks for nothing and works by itself, and a PDF."""

import re

import pytest
from browser import browser
from conftest import ROOT, make, read_notebook, run

from mnist_study import handout

NOTEBOOK = ROOT / "mnist_model.ipynb"
FACTS = """() => ({
    missing: [...document.querySelectorAll("a[href^='#']:not(.anchor-link)")]
        .map((a) => decodeURIComponent(a.getAttribute("href").slice(1)))
        .filter((anchor) => !document.getElementById(anchor)),
    dead: [...document.querySelectorAll("a[href]")].map((a) => a.getAttribute("href"))
        .filter((href) => !/^(#|https:)/.test(href)),
    blank: [...document.images].filter((image) => !image.naturalWidth || image.alt.length < 20)
        .map((image) => image.alt),
    pictures: document.images.length,
    contents: document.querySelectorAll("nav a").length,
    scripts: document.scripts.length,
    wide: document.documentElement.scrollWidth - innerWidth,
})"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The notebook as HTML, open in a browser, and what the browser asked for or complained of."""
    file = handout.html(NOTEBOOK, tmp_path_factory.mktemp("handout"))
    with browser() as started:
        page, noted = started.new_page(viewport={"width": 390, "height": 800}), []
        page.on("request", lambda request: noted.append(request.url))
        page.on("console", lambda message: noted.append(message.text))
        page.goto(file.as_uri())
        page.noted = {text for text in noted if not text.startswith("data:")}
        yield page


def test_the_html_asks_for_nothing_and_is_whole(page):
    assert page.noted == {page.url}
    facts = page.evaluate(FACTS)
    assert facts["missing"] == facts["dead"] == facts["blank"] == []
    assert facts["pictures"] >= 18 and facts["contents"] > 10
    assert facts["scripts"] == 0 and facts["wide"] <= 0


def test_code_is_folded_and_opens(page):
    code = page.locator("details").first
    assert not code.locator("pre").is_visible()
    code.locator("summary").click()
    assert 'profile = "full"' in code.locator("pre").inner_text()


def test_a_notebook_that_was_not_executed_is_refused(tmp_path):
    notebook = read_notebook()
    next(cell for cell in notebook.cells if cell.id == "fit").execution_count = None
    path = tmp_path / "mnist_model.ipynb"
    handout.nbformat.write(notebook, path)
    with pytest.raises(ValueError, match="cell fit was not executed: make run"):
        handout.html(path, tmp_path / "handout")
    assert not (tmp_path / "handout").exists()


@pytest.mark.proof
def test_make_writes_both():
    run(*make("html", "pdf"), folder=ROOT)
    printed = (ROOT / "handout" / "mnist_model.pdf").read_bytes()
    assert printed.startswith(b"%PDF") and len(re.findall(rb"/Type\s*/Page\b", printed)) > 8
    assert (ROOT / "handout" / "mnist_model.html").stat().st_size < 3_000_000
