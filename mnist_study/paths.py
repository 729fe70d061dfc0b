"""Where the clone keeps what: the notebook, the records, the figures."""

import pathlib

PACKAGE = pathlib.Path(__file__).resolve().parent
ROOT = PACKAGE.parent
NOTEBOOK = ROOT / "mnist_model.ipynb"
MODEL = ROOT / "mnist_model.h5"
RESULTS = ROOT / "results"
METRICS = RESULTS / "metrics.json"  # of the notebook's last run here
VISUALIZATIONS = ROOT / "visualizations"
