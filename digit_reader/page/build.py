"""Build the page to draw in: one HTML file that needs no server, modules and network in it."""

import html
import json
import pathlib
import re

from digit_reader import thresholds
from digit_reader.files import write_text

SOURCES = pathlib.Path(__file__).parent
STYLE = '<link rel="stylesheet" href="style.css">'
SCRIPT = '<script type="module" src="main.js"></script>'
# In the order of their imports; `make reader` writes model.js.
MODULES = ("model", "examples", "strokes", "centre", "lines", "network", "characters", "reading")
MODULES += ("main",)
LIMITS = ("lines", "reading")  # of the thresholds, the groups that the page uses


def source(name: str) -> str:
    """Return the text of one of the page's sources."""
    return (SOURCES / name).read_text(encoding="utf-8")


def page_text(measured: str = "") -> str:
    """Return the page as text; measured: a plain sentence on its error rates."""
    script = "\n".join(source(f"{name}.js") for name in MODULES)
    script = re.sub(r"(?m)^import [^;]*;\n|^export ", "", script)
    groups = json.loads(thresholds.FILE.read_text(encoding="utf-8"))
    limits = json.dumps({group: groups[group] for group in LIMITS})
    script = f"const THRESHOLDS = {limits};\n{script}"
    text = source("index.html").replace("<!-- measured -->", html.escape(measured))
    text = text.replace(STYLE, f"<style>\n{source('style.css')}</style>")
    return text.replace(SCRIPT, f'<script type="module">\n{script}</script>')


def write_page(path: pathlib.Path, measured: str = "") -> None:
    """Write the page to path; see page_text."""
    write_text(path, page_text(measured))
