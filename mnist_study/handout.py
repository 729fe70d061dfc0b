"""Forms of the executed notebook to hand on: one HTML file that asks for nothing, and a PDF."""

import pathlib
import re
import shutil

import nbconvert
import nbformat
from pygments.formatters import HtmlFormatter

from digit_reader.files import write_atomically, write_text

TEMPLATES = pathlib.Path(__file__).parent
TEMPLATE = "handout_template"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# A link to a file of the repository, which a file that is passed on does not have beside it.
FILE_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)[^)]+\)")


def browser_here():
    """Return the path of the machine's own browser, None when it has none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def executed(path):
    """Return the notebook at path; raise ValueError when it was not executed."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.execution_count is None:
            raise ValueError(f"{path}: cell {cell.id} was not executed: make run")
    return notebook


def without_file_links(notebook):
    """Turn the links to the repository's files into their words, in text and in outputs."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = FILE_LINK.sub(r"\1", cell.source)
        for output in cell.get("outputs", ()):
            shown = output.get("data", {})
            if "text/markdown" in shown:
                shown["text/markdown"] = FILE_LINK.sub(r"\1", shown["text/markdown"])
    return notebook


def headings(notebook):
    """Return level, text and anchor of each heading below the title, as dictionaries."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = re.findall(r"(?m)^(##+) (.+)$", re.sub(r"(?s)```.*?```", "", text))
    return [{"level": len(h), "text": t, "anchor": t.replace(" ", "-")} for h, t in found]


def exporter(kind, notebook):
    """Return an exporter of nbconvert of that kind, with this package's template."""
    style = (TEMPLATES / TEMPLATE / "style.css").read_text(encoding="utf-8")
    made = kind(
        template_name=TEMPLATE,
        extra_template_basedirs=[str(TEMPLATES)],
        embed_images=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    title = re.search(r"(?m)^# (.+)$", notebook.cells[0].source)[1]
    globals_ = {"title": title, "headings": headings(notebook)}
    globals_["style"] = style + HtmlFormatter(style="friendly").get_style_defs(".highlight")
    made.environment.globals |= globals_
    return made


class Printed(nbconvert.WebPDFExporter):
    """nbconvert's PDF by way of a browser: the machine's own, which nbconvert does not look for."""

    def run_playwright(self, html):
        from playwright.sync_api import sync_playwright  # late: only `make install-dev` has it

        with sync_playwright() as playwright:
            launch = playwright.chromium.launch
            browser = launch(executable_path=browser_here(), args=["--no-sandbox"])
            page = browser.new_page()
            page.set_content(html, wait_until="load")
            printed = page.pdf(prefer_css_page_size=True, outline=True, tagged=True)
            browser.close()
        return printed


def convert(kind, path, target):
    """Write the executed notebook at path to target by an exporter of that kind."""
    notebook = without_file_links(executed(path))
    resources = {"metadata": {"path": str(path.parent)}}
    body, _ = exporter(kind, notebook).from_notebook_node(notebook, resources)
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(body, bytes):
        write_atomically(target, lambda temporary: temporary.write_bytes(body))
    else:
        write_text(target, body)


def html(path, folder):
    """Write the notebook at path to folder as HTML in one file; return where."""
    target = folder / f"{path.stem}.html"
    convert(nbconvert.HTMLExporter, path, target)
    return target


def pdf(path, folder):
    """Write the notebook at path to folder as PDF; return where. It takes Playwright."""
    target = folder / f"{path.stem}.pdf"
    convert(Printed, path, target)
    return target
