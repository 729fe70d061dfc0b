"""Call a module with the words that make was given: python -m tools.call VARIABLE MODULE WORD …

The variable holds the last words. Blanks separate them, but not within "…" or '…' or after \\. All
else means itself: a dollar, and the apostrophe in Anna's.png.
"""

import os
import re
import sys

QUOTED = r"""\"([^"]*)"|(?<![^\s=])'(.*?)'(?=[\s/]|$)|\\(.)"""
WORD = re.compile(rf"(?:{QUOTED}|\S)+", re.DOTALL)


def words(text: str) -> list[str]:
    """Return the words of a text, without what quotes them."""
    found = (match[0] for match in WORD.finditer(text))
    return [re.sub(QUOTED, lambda m: m[1] or m[2] or m[3] or "", w, flags=re.DOTALL) for w in found]


if __name__ == "__main__":
    _, variable, *command = sys.argv
    os.execv(sys.executable, [sys.executable, "-m", *command, *words(os.environ[variable])])
