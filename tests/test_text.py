"""Numbers in text come from the recorded results, and sentences that compare hold."""

import json
import types

import pytest
from support.project import ROOT

from mnist_study import expressions, text
from mnist_study.errors import TextError

NAMES = {"net": types.SimpleNamespace(mean=0.99468, errors=[46, 58], change=-0.14)}


@pytest.fixture(scope="module")
def names():
    return expressions.namespace()


def test_rendering_changes_nothing(names):
    stale = [path.name for path, _ in text.changed(names)]
    assert stale == [], f"make report, and commit {', '.join(stale)}"


@pytest.mark.parametrize("path", text.files(), ids=lambda path: path.name)
def test_no_measured_number_lacks_a_source(path):
    written = text.markdown(path)
    assert text.NUMBER.search(written), "nothing in it is rendered: the pattern is wrong"
    assert text.unsourced(written) == [], "write <!--=name:format--> or <!--fact: source--> before"


def test_a_number_is_rendered_where_it_stands():
    before = "It has **<!--=net.mean:.2%-->1%<!--/-->** (<!--=max(net.errors)--><!--/--> errors)."
    after = (
        "It has **<!--=net.mean:.2%-->99.47%<!--/-->** (<!--=max(net.errors)-->58<!--/--> errors)."
    )
    assert text.rendered(before, NAMES) == after == text.rendered(after, NAMES)
    assert text.formatted("net.change:+.0%", NAMES) == "\N{MINUS SIGN}14%"
    assert text.formatted("100 * 123.4:,.0f", NAMES) == "12,340"


def test_a_sentence_that_does_not_hold_fails():
    text.rendered("It is better.<!--?net.mean > 0.99-->", NAMES)
    with pytest.raises(TextError, match=r"net\.mean > 0\.999"):
        text.rendered("It is better.<!--?net.mean > 0.999-->", NAMES)


@pytest.mark.parametrize(
    "wrong",
    ["x <!--=net.median:.2%-->1%<!--/-->", "x <!--?other.mean > 0-->", "<!--=net.mean-->1<!--/-->"],
    ids=["an unknown number", "an unknown name", "a comment that Markdown takes for a block"],
)
def test_a_mistake_in_a_comment_is_named(wrong):
    with pytest.raises(TextError):
        text.rendered(wrong, NAMES)


@pytest.mark.parametrize("measured", ["98.7%", "2.3 GHz", "41 %", "16 times", "± 2"])
def test_a_measured_number_without_a_source_is_noticed(measured):
    assert text.unsourced(f"Two of 60,000 images: {measured} of them.")
    assert not text.unsourced(f"Of images <!--fact: a paper-->{measured}<!--/--> and `{measured}`.")
    assert not text.unsourced("Section 3 has 28×28 pixels and 128 images.")


def test_an_edit_in_the_notebook_stays_and_outputs_too(tmp_path):
    path = tmp_path / "a.ipynb"
    output = {"output_type": "stream", "name": "stdout", "text": ["<!--=net.mean-->1<!--/-->\n"]}
    code = {"cell_type": "code", "id": "b", "metadata": {}, "source": ["<!--=net.mean-->"]}
    code |= {"execution_count": 1, "outputs": [output]}
    source = "An **edited** line\nwith <!--=net.mean:.1%-->?<!--/--> — and ünïcode"
    prose = {"cell_type": "markdown", "id": "a", "metadata": {"tags": ["x"]}, "source": source}
    before = {"cells": [prose, code], "metadata": {"kernelspec": {}}, "nbformat": 4}
    path.write_text(json.dumps(before), encoding="utf-8")
    after = json.loads(text.cells_rendered(path, lambda cell: text.rendered(cell, NAMES)))
    rendered = "".join(after["cells"][0].pop("source"))
    assert rendered == source.replace("?", "99.5%")
    del prose["source"]
    assert after == before


def test_the_recorded_results_support_the_headline(names):
    assert len(names["dense_dropout"].errors) >= 2
    assert names["dense_dropout"].accuracy.mean >= 0.994
    assert names["dense_dropout"].mnist_c().max <= 0.03
    assert (ROOT / "results" / "durations.csv").exists()
