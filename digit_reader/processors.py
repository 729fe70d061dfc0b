"""How many processors this process may use: fewer than the machine has, in many a container."""

import math
import os
import pathlib
from collections.abc import Iterator

OWN, ALL = pathlib.Path("/proc/self/cgroup"), pathlib.Path("/sys/fs/cgroup")  # of Linux


def groups() -> Iterator[pathlib.Path]:
    """Yield the folders of this process's control groups, and of those around them."""
    for line in OWN.read_text().splitlines() if OWN.exists() else ():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue  # in the first version of control groups each has its own
        folder = ALL / controllers / path.lstrip("/")
        yield from (folder, *folder.parents)


def granted(group: pathlib.Path) -> float:
    """Return how many processors' time a control group may take; infinity where all of it."""
    both, apart = group / "cpu.max", [group / f"cpu.cfs_{n}_us" for n in ("quota", "period")]
    try:
        texts = both.read_text().split() if both.exists() else [f.read_text() for f in apart]
        time, period = map(int, texts)
    except (OSError, ValueError):  # no such limit, or "max"
        return math.inf
    return time / period if time > 0 else math.inf


def processors() -> int:
    """Return how many processors this process may use, by its affinity and its quota."""
    count = getattr(os, "process_cpu_count", os.cpu_count)() or 1  # from Python 3.13 on
    affinity = getattr(os, "sched_getaffinity", lambda _: range(count))  # not on macOS and Windows
    limits = [math.ceil(limit) for limit in map(granted, groups()) if limit < count]
    return max(1, min(count, len(affinity(0)), *limits))
