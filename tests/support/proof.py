"""The tables in docs/REPRODUCIBILITY.md, made from what tests found: make proof.

Tests are marked with what they try: @pytest.mark.fault("the disk is full", "what then happens"), or
control, load and setting alike. What a program said goes into the table by
record_property("said", …).
"""

import pathlib
import re

from digit_reader.files import write_text

PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "REPRODUCIBILITY.md"
HEADS = {
    "fault": "| fault | what happens, and what it says | test |\n|---|---|---|\n",
    "control": "| what is wrong | what notices it | test |\n|---|---|---|\n",
    "load": "| load | measured | test |\n|---|---|---|\n",
    "setting": "| setting | what happens, and what it says | test |\n|---|---|---|\n",
}


def block(name):
    """Return the pattern of a block of the page: its beginning, its content, its end."""
    return re.compile(rf"(<!-- {name}, by .*?-->\n).*?(<!-- end of {name} -->)", re.DOTALL)


def write_block(name, text):
    """Put the text into the page's block of that name."""
    page, found = block(name).subn(lambda m: m[1] + text + m[2], PAGE.read_text("utf-8"))
    assert found == 1, f"{PAGE.name} has no block {name}"
    write_text(PAGE, page)


def kind_of(item):
    """Return which table a test belongs to, what it tries and what is expected; None without."""
    marks = (item.get_closest_marker(kind) for kind in HEADS)
    mark = next(filter(None, marks), None)
    what = getattr(item, "callspec", None)
    return mark and (mark.name, *(text.format(**what.params if what else {}) for text in mark.args))


def plain(said):
    """Return what a program said on one line, fit for a table, without this machine's folders."""
    said = re.sub(r"(/[\w.-]+){3,}(?=/)", "…", re.sub(r"\s+", " ", str(said)))
    return said.replace("|", "\\|").replace("<", "&lt;")[:300]


def rows_of(name):
    """Return the rows of a table of the page by what they try."""
    table = block(name).search(PAGE.read_text("utf-8"))[0]
    return {row[1]: row[0] for row in re.finditer(r"(?m)^\| (.*?) \| .*\.py\) \|$", table)}


class Tables:
    """Collects what marked tests found and writes the tables, in which other rows stay."""

    def __init__(self):
        self.rows = {kind: rows_of(kind) for kind in HEADS}

    def pytest_runtest_logreport(self, report):
        found = dict(report.user_properties)
        if "kind" not in found or (report.when != "call" and report.passed):
            return
        kind, what, then = found["kind"]
        said = "; ".join(plain(text) for name, text in report.user_properties if name == "said")
        name, test = report.nodeid.partition("[")[0].split("::")
        then = then if report.passed else f"**{report.outcome.upper()}**"
        link = f"[{test.removeprefix('test_').replace('_', ' ')}](../{name})"
        self.rows[kind][what] = f"| {what} | {then}{said and f': {said}'} | {link} |"

    def pytest_sessionfinish(self):
        for kind, rows in self.rows.items():
            write_block(kind, HEADS[kind] + "\n".join(rows[what] for what in sorted(rows)) + "\n")
