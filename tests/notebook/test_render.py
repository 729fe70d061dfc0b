"""The committed notebook as GitHub shows it: without scripts, styles and frames, and whole."""

import re

import nbconvert
import pytest
from support.browser import browser
from support.notebook import read_notebook
from support.project import ROOT
from support.record import own_run

from mnist_study import results

CLEAN = """() => {
    document.querySelectorAll("script, style, link, iframe, form").forEach((one) => one.remove());
    document.querySelectorAll("[style]").forEach((one) => one.removeAttribute("style"));
    document.querySelectorAll("details").forEach((one) => { one.open = true; });
}"""
# A heading's anchor is its text with dashes for spaces, as GitHub and Jupyter make it.
FACTS = """() => ({
    title: document.querySelector("h1").innerText,
    anchors: [...document.querySelectorAll("h1, h2, h3")]
        .map((heading) => heading.textContent.replace("¶", "").trim().replaceAll(" ", "-")),
    links: [...document.querySelectorAll("a[href^='#']")]
        .map((link) => decodeURIComponent(link.getAttribute("href").slice(1))),
    contents: document.querySelectorAll("ol a[href^='#']").length,
    blank: [...document.images].filter((image) => !image.naturalWidth).map((image) => image.src),
    alts: [...document.images].map((image) => image.alt),
    tables: document.querySelectorAll("table").length,
    text: document.body.innerText,
})"""
FOR_PROGRAMS = r"<IPython|<Figure|\x1b|Traceback|\$\$|\\\(|<!--|-->|=dense_dropout"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """What a browser finds in the notebook, its HTML cleaned as GitHub cleans it."""
    exporter = nbconvert.HTMLExporter(embed_images=True, template_name="basic")
    html, _ = exporter.from_notebook_node(read_notebook(), {"metadata": {"path": str(ROOT)}})
    file = tmp_path_factory.mktemp("rendered") / "notebook.html"
    file.write_text(f"<!doctype html><meta charset='utf-8'><body>{html}", encoding="utf-8")
    with browser() as started:
        page = started.new_page(viewport={"width": 900, "height": 800})
        page.goto(file.as_uri())
        page.evaluate(CLEAN)
        yield page.evaluate(FACTS)


def test_links_pictures_and_tables_are_whole(rendered):
    assert {*rendered["links"]} <= {*rendered["anchors"]} and rendered["contents"] >= 6
    assert rendered["blank"] == [] and min(map(len, rendered["alts"])) >= 20
    assert len(rendered["alts"]) >= 18 and rendered["tables"] >= 6


def test_numbers_stand_plainly_in_the_text_and_nothing_for_programs(rendered):
    accuracy = f"{results.accuracy('dense_dropout')['mean']:.2%}"
    assert rendered["title"].startswith(f"{accuracy} on MNIST")
    assert f"Dense layers reach {accuracy}, the convolutional" in rendered["text"]
    assert not re.search(FOR_PROGRAMS, "\n".join([rendered["text"], *rendered["alts"]]))
    assert own_run() or "⚠" not in rendered["text"]  # which a run of one's own shows
