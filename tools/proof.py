"""Write the tables of docs/PROOF.md from what marked tests found: make proof.

Tests are marked with what they try: @pytest.mark.fault("the disk is full", "what then happens"), or
control, load and setting alike. What a program said goes into the table by
record_property("said", …).
"""

import functools
import pathlib
import re
from typing import Any

import pytest

from digit_reader.files import write_text

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "PROOF.md"
HEADS = {
    "fault": "| fault | what happens, and what it says | test |\n|---|---|---|\n",
    "control": "| what is wrong | what notices it | test |\n|---|---|---|\n",
    "load": "| load | measured | test |\n|---|---|---|\n",
    "setting": "| setting | what happens, and what it says | test |\n|---|---|---|\n",
}
ROW = re.compile(r"(?m)^\| (?P<what>.*?) \| .* \| \[(?P<test>.*)\]\(\.\./(?P<file>.*\.py)\) \|$")


def block(name: str) -> re.Pattern[str]:
    """Return the pattern of a block of the page: its beginning, its content, its end."""
    return re.compile(rf"(<!-- {name}, by .*?-->\n).*?(<!-- end of {name} -->)", re.DOTALL)


def write_block(name: str, text: str) -> None:
    """Put the text into the page's block of that name."""
    page, count = block(name).subn(lambda m: m[1] + text + m[2], PAGE.read_text("utf-8"))
    assert count == 1, f"{PAGE.name} has no block {name}"
    write_text(PAGE, page)


def kind_of(item: pytest.Item) -> tuple[str, ...] | None:
    """Return a test's table, what it tries and what is expected; None for a test without marks."""
    marks = (item.get_closest_marker(kind) for kind in HEADS)
    mark = next(filter(None, marks), None)
    call = getattr(item, "callspec", None)
    parameters = call.params if call else {}
    return mark and (mark.name, *(text.format(**parameters) for text in mark.args))


def plain(said: object) -> str:
    """Return what a program said on one line, fit for a table, without this machine's folders."""
    line = re.sub(r"\s+", " ", str(said).strip().replace(str(PAGE.parent.parent), "…"))
    line = re.sub(r"(/[\w.-]+){3,}(?=/)", "…", line)
    return line.replace("|", "\\|").replace("<", "&lt;")[:300]


@functools.cache
def tests_of(file: str) -> frozenset[str]:
    """Return the tests in a file of the project, with blanks, none if it is gone."""
    path = PAGE.parent.parent / file
    source = path.read_text("utf-8") if path.exists() else ""
    return frozenset(name.replace("_", " ") for name in re.findall(r"def test_(\w+)", source))


def rows_of(name: str) -> dict[str, str]:
    """Return the rows of a table of the page by what they try, those whose tests are still here."""
    table = block(name).search(PAGE.read_text("utf-8"))
    rows = ROW.finditer(table[0] if table else "")
    return {row["what"]: row[0] for row in rows if row["test"] in tests_of(row["file"])}


def link_of(row: str) -> str:
    """Return a row's last column, the link to its test."""
    return row.rpartition(" | ")[2]


class Tables:
    """Collects what marked tests report and writes the tables; rows of tests not run stay."""

    def __init__(self):
        self.rows: dict[str, dict[str, str]] = {kind: {} for kind in HEADS}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note the row of a marked test that was called, or that failed before."""
        properties = dict(report.user_properties)
        if "kind" not in properties or (report.when != "call" and report.passed):
            return
        kind, what, then = properties["kind"]
        said = "; ".join(plain(text) for name, text in report.user_properties if name == "said")
        file, test = report.nodeid.partition("[")[0].split("::")
        then = then if report.passed else f"**{report.outcome.upper()}**"
        link = f"[{test.removeprefix('test_').replace('_', ' ')}](../{file})"
        self.rows[kind][what] = f"| {what} | {then}{said and f': {said}'} | {link} |"

    def pytest_sessionfinish(self) -> None:
        """Write the tables, sorted by what was tried."""
        for kind, new in self.rows.items():
            links = {link_of(row) for row in new.values()}
            old = {w: row for w, row in rows_of(kind).items() if link_of(row) not in links}
            lines = [row for _, row in sorted((old | new).items())]
            write_block(kind, HEADS[kind] + "\n".join(lines) + "\n")
