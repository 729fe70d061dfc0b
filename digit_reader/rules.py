"""The rules by which ink is found and becomes digits: one file for the page and the package."""

import json
import pathlib
import re

FILE = pathlib.Path(__file__).with_name("page") / "rules.js"
of = json.loads(re.sub(r"(?s)^.*?= |;\s*$", "", FILE.read_text(encoding="utf-8")))
