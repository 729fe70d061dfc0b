"""The published notebook, in a real browser: whole, folded, and alone in its file."""

import re
import shutil

import nbformat
import pytest
import yaml
from support.browser import browser
from support.notebook import code_cells, read_notebook
from support.project import ROOT, make, run

from mnist_study import publish
from mnist_study.errors import NotExecutedError


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return publish.write_page(tmp_path_factory.mktemp("handout") / "mnist_model.html")


@pytest.fixture(scope="module")
def page(path):
    """The page, opened; a request or complaint of it fails the tests."""
    complaints = []
    with browser() as started:
        page = started.new_page(viewport={"width": 390, "height": 844})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto(path.as_uri())
        yield page
    assert [text for text in complaints if not text.startswith("data:")] == [path.as_uri()]


def test_is_one_file_with_all_its_pictures_described_and_fits_a_phone(path, page):
    assert "<script" not in path.read_text(encoding="utf-8")
    links = page.eval_on_selector_all("[href]", "all => all.map(one => one.getAttribute('href'))")
    assert len(links) > 20
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    drawn = page.eval_on_selector_all("img", "all => all.map(one => [one.alt, one.naturalWidth])")
    shown = [o for c in code_cells(read_notebook()) for o in c.outputs if "image/png" in str(o)]
    assert len(drawn) >= len(shown)  # the text links more
    assert all(len(alt) > 20 and width > 300 for alt, width in drawn)
    assert not any(alt.startswith("No description") for alt, _ in drawn)


def test_contents_lead_to_every_section(page):
    cells = [cell.source for cell in read_notebook().cells if cell.cell_type == "markdown"]
    cells = [re.sub("<!--.*?-->", "", text) for text in cells]
    headings = [name for text in cells for name in re.findall(r"(?m)^##+ (.+)$", text)]
    assert page.locator("nav a").all_inner_texts() == headings
    for link in page.locator("nav a").all()[::5]:
        link.click()
        reached = page.locator(":target")
        assert reached.inner_text() == link.inner_text()
        assert reached.bounding_box()["y"] < 844, "the page did not move there"
    assert page.title() == page.locator("h1").inner_text() == cells[0].splitlines()[0][2:]


def test_ideas_stand_open_and_what_only_shows_them_is_folded(page):
    cells = [cell for cell in code_cells(read_notebook()) if cell.source]
    assert page.locator("details.code").count() == len(cells)
    opened = page.locator("details.code[open] pre").all_inner_texts()
    assert [text.strip() for text in opened] == [c.source for c in cells if "\n" in c.source]
    one_line = next(n for n, cell in enumerate(cells) if "\n" not in cell.source)
    folded = page.locator("details.code").nth(one_line)
    assert not folded.locator("pre").is_visible()
    folded.locator("summary").click()
    assert folded.locator("pre").is_visible() and folded.locator("pre").inner_text()


def test_the_site_leads_from_the_handout_to_the_page_beside_it(path, tmp_path):
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "pages.yml").read_text("utf-8"))
    shutil.copytree(path.parent, tmp_path / "handout")
    (tmp_path / "visualizations").mkdir()
    shutil.copy(ROOT / "visualizations" / "draw_a_digit.html", tmp_path / "visualizations")
    *_, gather = [step["run"] for step in workflow["jobs"]["publish"]["steps"] if "run" in step]
    run("bash", "-e", "-c", gather, folder=tmp_path)
    site = {file.name: file.read_text("utf-8") for file in (tmp_path / "site").iterdir()}
    assert sorted(site) == ["draw_a_digit.html", "index.html"]
    assert site["index.html"].count('href="draw_a_digit.html"') == 1


def test_a_notebook_that_was_not_executed_is_refused(tmp_path):
    notebook = read_notebook()
    code_cells(notebook)[-1].update(execution_count=None, outputs=[])
    nbformat.write(notebook, tmp_path / "other.ipynb")
    with pytest.raises(NotExecutedError, match=r"other.ipynb has cells .* make run"):
        publish.page_text(tmp_path / "other.ipynb")


@pytest.mark.parametrize("command", ["echo Chromium 99", "echo install the snap; exit 1"])
@pytest.mark.setting("a stub in the place of Chromium", "is asked, and not taken for a browser")
def test_a_program_with_a_browsers_name_that_opens_no_page_is_none(tmp_path, monkeypatch, command):
    for name in publish.BROWSERS:
        (tmp_path / name).write_text(f"#!/bin/sh\n{command}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert publish.browser_here() is None


@pytest.mark.proof
def test_make_writes_both():
    run(*make("html", "pdf"), folder=ROOT)
    printed = (ROOT / "handout" / "mnist_model.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert 10 < len(re.findall(rb"/Type /Page\b", printed)) < 25
