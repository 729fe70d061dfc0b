"""The notebook as people use it in JupyterLab: change it, run it, watch it, draw in it."""

import json
import re
import socket

import pytest
from support.browser import STROKES, browser, draw
from support.notebook import NAME, code_cells, read_notebook, source
from support.project import clean_copy, ended, kill, start, wait_until

pytestmark = pytest.mark.proof
SETTINGS = {  # all cells are on the page at once, and nothing pops up
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}
LAB = "jupyter lab --no-browser --allow-root --IdentityProvider.token= --ServerApp.ip=127.0.0.1"
PARAMETERS = 'profile = "quick"\nepochs = 400'  # quick makes 26 of them
OWN = source("own-model") + '\n\nmodels.append("my_model")'
FAILED = ".jp-Dialog, [data-mime-type$='jupyter.stderr'], [data-mime-type$='jupyter.error']"


@pytest.fixture
def lab(mnist_file, tmp_path):
    """The address of a JupyterLab in a clean copy of the project, and its log."""
    project, log = clean_copy(tmp_path / "project"), tmp_path / "log.txt"
    (tmp_path / "overrides.json").write_text(json.dumps(SETTINGS))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*LAB.split(), f"--ServerApp.port={port}", f"--LabApp.app_settings_dir={tmp_path}"]
    places = {"HOME": tmp_path, "KERAS_HOME": mnist_file.parent.parent, "JPY_SESSION_NAME": None}
    running = start(*command, folder=project, log=log, **places)
    try:
        wait_until(lambda: "is running at" in log.read_text(), ended(running), log)
        yield f"http://127.0.0.1:{port}/lab/tree/{NAME}?reset", log
    finally:
        kill(running)


def add_cell(page, cell, text):
    """Add a cell with that text below a cell."""
    cell.locator(".cm-content").click()
    for key in ("Escape", "b", "Enter"):
        page.keyboard.press(key)
    page.keyboard.insert_text(text)


def watch(page):
    """Return the lines and the charts that training shows until the last cell has run."""
    lines, charts = set(), set()
    training = page.locator(".jp-CodeCell", has_text="study.train(").locator("img")
    last = page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output")
    while not last.count():
        lines |= {*re.findall(r"\w+, epoch \d+ of .*", page.locator(".jp-Notebook").inner_text())}
        charts |= {*training.evaluate_all("(images) => images.map(({ src }) => src)")}
        assert not page.locator(FAILED).count()
        page.wait_for_timeout(100)
    return lines, charts


def test_people_change_run_watch_and_draw(lab, tmp_path):
    address, log = lab
    with browser() as started:
        page = started.new_page(viewport={"width": 1_300, "height": 1_000})
        page.set_default_timeout(900_000)  # a step that takes so long hangs
        page.goto(address)
        cells = page.locator(".jp-CodeCell")
        try:
            cells.nth(len(code_cells(read_notebook())) - 1).wait_for()
            add_cell(page, cells.nth(1), OWN)
            add_cell(page, cells.nth(0), PARAMETERS)
            for name in ("Run", "Run All Cells"):
                page.get_by_role("menuitem", name=name, exact=True).click()
            lines, charts = watch(page)
            assert len(lines) > 5 and len(charts) > 1, "what training shows does not move"
            table = page.locator("table", has_text="test (95% over images)")
            assert "my_model" in table.inner_text()
            frame = page.frame_locator("iframe")
            frame.locator("#page").scroll_into_view_if_needed()
            draw(page, STROKES[4], frame.locator("#page"))
            frame.locator("output", has_text=re.compile("^4$")).first.wait_for()
        except Exception as error:
            page.screenshot(path=tmp_path / "lab.png")
            raise AssertionError(f"see {tmp_path}/lab.png\n{log.read_text()[-3_000:]}") from error
