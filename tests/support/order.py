"""Whether notebooks were executed whole, once, from top to bottom: order.py NOTEBOOK …"""

import json
import pathlib
import sys


def complaints(path):
    """Return what is wrong with a notebook's order of execution, as sentences.

    Blank cells, such as JupyterLab leaves at the end, do not count.
    """
    cells = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["cells"]
    cells = [c for c in cells if c["cell_type"] == "code" and "".join(c["source"]).strip()]
    wrong = [
        f"{path}: cell {c.get('id', place)} has count {c['execution_count']}, not {place}: make run"
        for place, c in enumerate(cells, 1)
        if c["execution_count"] != place
    ]
    return wrong[:1]


if __name__ == "__main__":
    all_complaints = [complaint for path in sys.argv[1:] for complaint in complaints(path)]
    sys.exit("\n".join(all_complaints) or None)
