"""What is written from the record: README's table of results and docs/MODEL_CARD.md."""

import json
import pathlib
import re
from typing import Any

from digit_reader.files import write_text
from mnist_study import paths
from mnist_study.records import summary
from mnist_study.story.parameters import STUDY

CARD = pathlib.Path(__file__).with_name("model_card.md")
BLOCK = re.compile(r"(<!-- results, by `make report` -->\n).*?(<!-- end of results -->)", re.DOTALL)
ROWS = {  # of README's table
    "softmax_regression": "softmax regression",
    "classic_mlp": "the plain recipe (512-512, dropout, RMSprop)",
    "dense_dropout": "**`dense_dropout`**",
    "cnn": "`cnn`",
}
HEAD = """\
| model | parameters | test accuracy, mean ± sd | 95% interval | training time |
|---|--:|--:|--:|--:|
"""
ROW = (
    "| {title} | {parameters:,} | {mean:.2%} ± {sd:.2%} | {low:.2%} to {high:.2%} | {times:.1f}× |"
)


def readme_table() -> str:
    """Return README's table of results as Markdown."""
    lines = []
    for name, title in ROWS.items():
        found = summary.test_accuracy(name)
        found |= {"low": found["ci95"][0], "high": found["ci95"][1], "title": title}
        found["times"] = summary.over_seeds(name)["classic_times"]["mean"]
        found["parameters"] = next(iter(summary.kept(name).values()))["parameters"]
        lines.append(ROW.format(**found))
    return HEAD + "\n".join(lines) + "\n"


def pages(record: dict[str, Any]) -> dict[pathlib.Path, str]:
    """Return the texts of the pages that are written from the notebook's record, by path."""
    readme, card = paths.ROOT / "README.md", paths.ROOT / "docs" / "MODEL_CARD.md"
    text = readme.read_text(encoding="utf-8")
    text = BLOCK.sub(lambda block: block[1] + readme_table() + block[2], text)
    return {readme: text, card: CARD.read_text(encoding="utf-8").format(**record)}


def write(metrics: pathlib.Path = paths.METRICS) -> None:
    """Write README's table and the model card, unless the record is not of the study."""
    record = json.loads(metrics.read_text(encoding="utf-8"))
    as_told = all(record["parameters"][name] == value for name, value in STUDY.items())
    if not as_told or record["dataset"]["name"] != "mnist":
        print("This run is not the study's: README's table and the model card stay as they are.")
        return
    for path, text in pages(record).items():
        write_text(path, text)
