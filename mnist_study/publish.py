"""The executed notebook as one self-contained HTML file, and as a PDF."""

import functools
import html
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from typing import Any

import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter

from digit_reader.files import write_atomically, write_text
from mnist_study import paths
from mnist_study.errors import NotExecutedError
from mnist_study.lock import check_outputs

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = paths.ROOT / "handout"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
START_SECONDS = 120  # for which a browser may take to open a blank page
LINKS = ("https://", "http://", "#")  # others lead to files that are not published


@functools.cache
def opens_pages(program: str) -> bool:
    """Return whether a program is a browser that runs here; some only say how to install one."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}"]
        command = [program, *options, "--dump-dom", "about:blank"]
        try:
            done = subprocess.run(
                command, capture_output=True, stdin=subprocess.DEVNULL, timeout=START_SECONDS
            )
        except subprocess.TimeoutExpired:
            return True  # this machine is slow: what is no browser ends at once
        except OSError:
            return False
    return b"<body>" in done.stdout


def browser_here() -> str | None:
    """Return the path of the machine's own browser, None when it has none that opens a page."""
    return next(filter(opens_pages, filter(None, map(shutil.which, BROWSERS))), None)


def exported(path: pathlib.Path) -> Any:
    """Return the notebook at path as nbconvert's HTML in handout_template, parsed."""
    exporter = HTMLExporter(
        template_name="handout_template", extra_template_basedirs=[str(HERE)], embed_images=True
    )
    notebook = nbformat.read(path, as_version=4)
    if any(c.cell_type == "code" and c.source and not c.execution_count for c in notebook.cells):
        raise NotExecutedError(f"{path.name} has cells that were not executed: make run")
    place = {"metadata": {"path": str(path.parent)}}  # of the pictures that the text links
    return BeautifulSoup(exporter.from_notebook_node(notebook, place)[0], "html.parser")


def contents(headings: Iterable) -> str:
    """Return links to the headings as HTML."""
    items = [
        f'<li class="{heading.name}"><a href="#{html.escape(heading["id"])}">'
        f"{html.escape(heading.text)}</a></li>"
        for heading in headings
    ]
    return f'<nav aria-label="Contents"><ul>{"".join(items)}</ul></nav>'


def add_contents(page: Any) -> None:
    """Put links to all sections in the place of the notebook's own list, or below the title."""
    for link in page.select(".anchor-link"):
        link.decompose()
    page.title.string = page.h1.text
    links = BeautifulSoup(contents(page.select("h2, h3")), "html.parser")
    own = page.select_one("ol:has(a[href^='#'])")
    own.replace_with(links) if own else page.h1.insert_after(links)


def make_self_contained(page: Any) -> None:
    """Turn links to files that are not published into plain text; remove the tables' own styles.

    Raises NotExecutedError when a picture is missing.
    """
    for link in page.select("a"):
        if not link["href"].startswith(LINKS):
            link.unwrap()
    for style in page.select("body style"):
        style.decompose()
    for picture in page.select("img:not([src^='data:'])"):
        raise NotExecutedError(f"{picture['src']} is missing: make run draws the figures")


def page_text(path: pathlib.Path = paths.NOTEBOOK) -> str:
    """Return the notebook at path as an HTML page without scripts that loads nothing else.

    Raises NotExecutedError when the notebook has not been executed or a picture is missing.
    """
    page = exported(path)
    add_contents(page)
    make_self_contained(page)
    return str(page)


def write_page(path: pathlib.Path = FOLDER / "mnist_model.html") -> pathlib.Path:
    """Write the page to path and return path."""
    check_outputs(path)
    write_text(path, page_text())
    return path


def write_pdf(path: pathlib.Path = FOLDER / "mnist_model.pdf") -> pathlib.Path:
    """Print the page to path with the machine's Chromium, or Playwright's own; return path.

    nbconvert's own WebPDFExporter takes neither a browser nor a paper size.
    """
    from playwright.sync_api import sync_playwright  # only `make install-dev` brings it

    check_outputs(path)
    text = page_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_here())
        page = browser.new_page()
        page.set_content(text)
        pdf = page.pdf(print_background=True, prefer_css_page_size=True, outline=True, tagged=True)
        browser.close()
    write_atomically(path, lambda temporary: temporary.write_bytes(pdf))
    return path
