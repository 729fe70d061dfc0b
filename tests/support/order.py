"""Whether notebooks were executed whole, once, from top to bottom: order.py NOTEBOOK …"""

import json
import pathlib
import sys


def complaints(path):
    """Return what is wrong with a notebook's order of execution, as sentences."""
    cells = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["cells"]
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    wrong = [
        f"{path}: cell {cell['id']} has count {cell['execution_count']}, not {place}: make run"
        for place, cell in enumerate(cells, 1)
        if cell["execution_count"] != place
    ]
    return wrong[:1]


if __name__ == "__main__":
    found = [complaint for path in sys.argv[1:] for complaint in complaints(path)]
    sys.exit("\n".join(found) or None)
