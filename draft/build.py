"""Build mnist_model.ipynb from cells here; numbers are placeholders, to be put right by CLAIMS of test_claims.py."""
import nbformat, re, sys
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
OLD = nbformat.read("/work/main/mnist_model.ipynb", 4)
cells = []
def md(id, text): cells.append(new_markdown_cell(text.strip("\n"), id=id))
def code(id, text, tags=()):
    c = new_code_cell(text.strip("\n"), id=id)
    if tags: c.metadata["tags"] = list(tags)
    cells.append(c)
def answers(*pairs):
    """Exercises with folded answers."""
    out = ["**Try this.** Guess first, then run."]
    for i, (task, answer) in enumerate(pairs, 1):
        out.append(f"{i}. {task}")
    out.append("\n<details><summary>Answers</summary>\n")
    for i, (task, answer) in enumerate(pairs, 1):
        out.append(f"{i}. {answer}")
    out.append("\n</details>")
    return "\n".join(out)
exec(open(__file__.replace("build.py", "story.py")).read())
nb = new_notebook(cells=cells, metadata=OLD.metadata)
nb.nbformat_minor = OLD.nbformat_minor
nbformat.validate(nb)
nbformat.write(nb, sys.argv[1] if len(sys.argv) > 1 else "/work/main/mnist_model.ipynb")
words = sum(len(c.source.split()) for c in cells if c.cell_type == "markdown")
import statistics
ln = [len([l for l in c.source.splitlines() if l.strip()]) for c in cells if c.cell_type == "code"]
print(len(cells), "cells", words, "words; code", len(ln), "median", statistics.median(ln), "max", max(ln), "sum", sum(ln))
