"""The notebook, executed headless: the terminal says which cell runs and how its training goes."""

import collections
import pathlib
import re
import sys
import time
from collections.abc import Iterable
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from digit_reader.files import write_atomically
from mnist_study import errors, machine, paths
from mnist_study.errors import NotExecutedError
from mnist_study.lock import check_outputs

LONGEST = 5  # sections whose seconds are printed
STOPPED = "The run stopped; what stood here before is as it was."


class Client(NotebookClient):
    """nbclient's, which has hooks for cells, but none for what a running cell's display becomes."""

    started = 0.0
    status: int | None = None  # of the kernel, at the end of a notebook that failed

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        text = msg["content"].get("data", {}).get("text/markdown")
        if msg["msg_type"] == "update_display_data" and text:
            say(self.started, "  " + text.replace("**", ""))
        return super().process_message(msg, cell, cell_index)


class OwnKernel(AsyncKernelManager):
    """Starts this interpreter's kernel, whatever else is called python3 on this machine."""

    @property
    def kernel_spec(self) -> KernelSpec:
        quiet = "--IPKernelApp.log_level=ERROR"  # it warns of TCP, which stays on this machine
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", quiet]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


def say(since: float, text: str) -> None:
    """Print a text after the seconds since the beginning."""
    print(f"{time.monotonic() - since:6.0f} s  {text}", flush=True)


def sections(notebook: Any) -> list[str]:
    """Return the heading that each cell stands under."""
    headings = [""]
    for cell in notebook.cells:
        heading = re.match(r"#+ (.+)", cell.source) if cell.cell_type == "markdown" else None
        headings.append(heading[1] if heading else headings[-1])
    return headings[1:]


def message(error: CellExecutionError) -> str:
    """Return what the terminal says of a cell's error; of the study's own its message alone."""
    if hasattr(errors, error.ename):
        return error.evalue
    return re.sub("\x1b\\[[0-9;]*m", "", str(error))  # without IPython's colours


def execute(notebook: Any, folder: pathlib.Path = paths.ROOT) -> None:
    """Execute a notebook in a folder, and say what runs and where the seconds went.

    Raises NotExecutedError with the error of a cell that fails, or with why the kernel died.
    """
    names, start = sections(notebook), time.monotonic()
    seconds: dict[str, float] = collections.defaultdict(float)
    began: dict[int, float] = {}

    def starts(cell: Any, cell_index: int) -> None:
        began[cell_index] = time.monotonic()
        say(start, f"cell {cell_index + 1} of {len(names)}: {names[cell_index]}")

    def ends(cell: Any, cell_index: int, execute_reply: Any) -> None:
        seconds[names[cell_index]] += time.monotonic() - began[cell_index]

    def fails(notebook: Any) -> None:
        client.status = client.km.provisioner.process.poll()  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue]

    hooks = {"on_cell_execute": starts, "on_cell_executed": ends, "on_notebook_error": fails}
    settings = {"timeout": None, "record_timing": False, "kernel_manager_class": OwnKernel}
    client = Client(notebook, resources={"metadata": {"path": str(folder)}}, **settings, **hooks)
    client.started = start
    try:
        client.execute()
    except CellExecutionError as error:
        raise NotExecutedError(f"{message(error)}\n{STOPPED}") from None
    except DeadKernelError:
        place = f"The kernel died in cell {max(began, default=0) + 1} of {len(names)}"
        why = machine.why_ended(client.status or 0) or f"its status was {client.status}"
        raise NotExecutedError(f"{place}: {why}.\n{STOPPED}") from None
    for section in sorted(seconds, key=lambda name: -seconds[name])[:LONGEST]:
        print(f"{seconds[section]:6.0f} s in {section}")


def in_place(path: pathlib.Path = paths.NOTEBOOK) -> None:
    """Execute the notebook at path and save it there, whole or not at all."""
    notebook = nbformat.read(path, as_version=4)
    check_outputs(path)
    execute(notebook, path.parent)
    write_atomically(path, lambda temporary: nbformat.write(notebook, temporary))


def tag_parameters(notebook: Any, given: Iterable[str], name: str) -> None:
    """Tag the cell that sets parameters, and papermill's, where another program lost the tags."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        if cell.source.startswith("# Parameters\n"):
            cell.metadata.tags = ["injected-parameters"]
    if any("parameters" in cell.metadata.tags for cell in code):
        return
    sets = re.compile(rf"(?m)^({'|'.join(given)})\s*=")
    setting = next((cell for cell in code if sets.match(cell.source)), None)
    if setting is None:
        raise NotExecutedError(f"{name} has no cell of parameters: bring it back as it was")
    setting.metadata.tags = ["parameters"]


def with_parameters(given: dict[str, Any], path: pathlib.Path = paths.NOTEBOOK) -> Any:
    """Return the notebook at path, executed there with these parameters in place of its own.

    Raises NotExecutedError, before it runs, when no cell sets them. Tags may be lost, and whatever
    kernel is named, it is Python's.
    """
    notebook = load_notebook_node(str(path))
    tag_parameters(notebook, given, path.name)
    notebook = parameterize_notebook(notebook, given, kernel_name="python3", language="python")
    execute(notebook, path.parent)
    return notebook
