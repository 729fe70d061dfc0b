"""Install a lock into this environment, however pip is configured: python -m tools.install LOCK

Of pip's settings, in variables and in files, those count that say where packages come from. With
another, such as target or dry-run, pip would end well and leave this environment as it was.
"""

import argparse
import ast
import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

PIP = (sys.executable, "-m", "pip")
# The locks name every package, so pip has nothing to resolve (before 23.3 it would refuse extras).
INSTALL = "install --no-user --quiet --disable-pip-version-check --require-hashes --no-deps -r"
KEPT = ("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "proxy", "cert")
KEPT += ("client-cert", "keyring-provider", "timeout", "default-timeout", "retries")
KEPT += ("cache-dir", "no-cache-dir")
ADVICE = "remove the environment, then make again"


def variable(name: str) -> str:
    """Return the variable that stands for one of pip's settings."""
    return f"PIP_{name.upper().replace('-', '_')}"


def settings(listed: str) -> dict[str, str]:
    """Return what is kept of the settings that `pip config list` prints, as variables."""
    kept: dict[str, str] = {}
    for section in ("global", "install", ":env:"):  # the last one counts, as for pip
        setting = rf"(?m)^{section}\.({'|'.join(KEPT)})=(.*)$"
        for name, value in re.findall(setting, listed):
            kept[variable(name)] = " ".join(ast.literal_eval(value).split())
    return kept


def environment() -> dict[str, str]:
    """Return the variables for pip: those of this process, and of pip's settings what is kept."""
    files = ("PIP_CONFIG_FILE", *map(variable, KEPT))
    own = {k: v for k, v in os.environ.items() if not k.startswith("PIP_") or k in files}
    options = {"env": own | {"PIP_QUIET": "0"}, "stdout": subprocess.PIPE, "text": True}
    listed = subprocess.run([*PIP, "config", "list"], check=False, **options).stdout
    return own | settings(listed) | {"PIP_CONFIG_FILE": os.devnull}


def missing(lock: str) -> Iterator[str]:
    """Yield each package of a lock that this Python does not find in that very version."""
    from pip._vendor.packaging.requirements import Requirement

    for line in re.findall(r"(?m)^\w.*==[^\\\n]*", pathlib.Path(lock).read_text("utf-8")):
        package = Requirement(line)
        found = [d.version for d in importlib.metadata.distributions(name=package.name)]
        is_needed = package.marker is None or package.marker.evaluate()
        if is_needed and not any(map(package.specifier.contains, found)):
            yield package.name


def main(lock: str) -> None:
    """Install a lock; end with status 1, and what to do, unless all of it is then found."""
    print(f"Installing what {lock} names ...", file=sys.stderr)  # standard output may carry JSON
    pip = [*PIP, *INSTALL.split(), lock]
    if status := subprocess.run(pip, env=environment(), stdout=sys.stderr).returncode:
        sys.exit(status)
    if left_out := [*missing(lock)]:
        sys.exit(f"pip ended well, but {sys.prefix} lacks {', '.join(left_out)}: {ADVICE}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock")
    main(parser.parse_args().lock)
