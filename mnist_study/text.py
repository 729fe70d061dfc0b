"""Texts whose numbers come from the recorded results: rendered in place, in the notebook and docs.

A number stands between two comments, which readers do not see; the first says where it comes from:

    **<!--=dense_dropout.accuracy.mean:.2%-->99.47%<!--/-->**   an expression, as in an f-string
    <!--?change(cnn, dense_dropout).low > 0-->                  a condition of the sentence
    <!--fact: Ciresan et al. 2010-->99.65%<!--/-->              what others measured, its source

Rendering replaces what stands between an expression and its end, and nothing else; it fails where a
condition does not hold. expressions.namespace() has the names.
"""

import json
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from digit_reader.files import write_text
from mnist_study import expressions, paths
from mnist_study.errors import TextError
from mnist_study.lock import check_outputs

NUMBER = re.compile(r"<!--=(.+?)-->(.*?)<!--/-->", re.DOTALL)
CONDITION = re.compile(r"<!--\?(.+?)-->")
FACT = re.compile(r"<!--fact: \S.*?-->.*?<!--/-->", re.DOTALL)
FORMAT = re.compile(r"[+]?,?(?:\.\d+)?[%fdg]?")
AT_THE_BEGINNING = re.compile(r"(?m)^ {0,3}(?:(?:[-*+]|\d+\.) +)?<!--[=?f].*")  # of a line
NO_PROSE = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)|<!--.*?-->|<[^>]*>|https?://\S+", re.DOTALL)
MEASURED = re.compile(r"[^\n]{0,40}(?:\d\.\d|\d ?%|± ?\d|\d times)[^\n]{0,20}")
SAFE: dict[str, Any] = {f.__name__: f for f in (abs, all, any, float, len, max, min, round, sum)}

Names = Mapping[str, Any]


def evaluated(expression: str, names: Names) -> Any:
    """Return the value of an expression; raise TextError, which names it, where it has none."""
    try:
        return eval(expression, {"__builtins__": SAFE, **names})
    except Exception as error:
        raise TextError(f"{expression} has no value ({type(error).__name__}: {error})") from error


def formatted(marked: str, names: Names) -> str:
    """Return the value of an expression, as text in the format after its last colon."""
    expression, _, form = marked.rpartition(":")
    if not expression or not FORMAT.fullmatch(form):
        expression, form = marked, ""
    return format(evaluated(expression, names), form).replace("-", "−")  # a real minus sign


def rendered(text: str, names: Names) -> str:
    """Return a text with its numbers as they are recorded.

    Raises TextError for a condition that does not hold, an expression without a value, and a
    comment at the beginning of a line, which Markdown would take for HTML.
    """
    if begins := AT_THE_BEGINNING.search(text):
        raise TextError(f"put a word before the comment that begins a line: {begins[0][:80]}")
    for condition in CONDITION.findall(text):
        if not evaluated(condition, names):
            raise TextError(f"the text says what does not hold: {condition}")
    return NUMBER.sub(lambda m: f"<!--={m[1]}-->{formatted(m[1], names)}<!--/-->", text)


def unsourced(text: str) -> list[str]:
    """Return the measured numbers in a text that no comment says the source of, with their places.

    Measured is what has a decimal point, a percent sign or "times"; code and links do not count.
    """
    for marked in (NUMBER, FACT, NO_PROSE):
        text = marked.sub(" ", text)
    return [place.strip() for place in MEASURED.findall(text)]


def cells_rendered(path: pathlib.Path, change: Callable[[str], str]) -> str:
    """Return the notebook at path as text, its Markdown cells changed and all else as it is."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = change("".join(cell["source"])).splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def files() -> list[pathlib.Path]:
    """Return the texts whose numbers are rendered: the notebook, README and the guides."""
    names = ("README.md", "docs/USING.md", "docs/MODEL_CARD.md", "docs/REPRODUCIBILITY.md")
    return [paths.NOTEBOOK, *(paths.ROOT / name for name in names)]


def markdown(path: pathlib.Path) -> str:
    """Return what people read of a file; of a notebook its Markdown cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
    return "\n\n".join("".join(cell["source"]) for cell in cells)


def changed(names: Names | None = None) -> Iterator[tuple[pathlib.Path, str]]:
    """Yield each file whose numbers are not those recorded, with its text as it should be."""
    names = names or expressions.namespace()
    for path in files():
        text = markdown(path)
        try:
            new = rendered(text, names)
        except TextError as error:
            raise TextError(f"{path.name}: {error}") from error
        if new != text and path.suffix == ".ipynb":
            yield path, cells_rendered(path, lambda source: rendered(source, names))
        elif new != text:
            yield path, new


def write() -> list[str]:
    """Render all texts in place, each whole or not at all; return the names of what changed."""
    check_outputs(*files())
    pages = [*changed()]  # all before one is written: a condition may fail
    for path, text in pages:
        write_text(path, text)
    return [path.name for path, _ in pages]
