"""How many processors a process may use: its own, not all that a container's machine has."""

import importlib
import os

import pytest

import mnist_study
from digit_reader import processors

GROUPS = {  # what limits them: /proc/self/cgroup, files below /sys/fs/cgroup, the number
    "nothing": ("0::/", {"cpu.max": "max 100000"}, 8),
    "version 2": ("0::/", {"cpu.max": "150000 100000"}, 2),
    "version 2, a group around": (
        "0::/a/b",
        {"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 9"},
        3,
    ),
    "version 1": (
        "1:cpu:/a",
        {"cpu/a/cpu.cfs_quota_us": "50000", "cpu/a/cpu.cfs_period_us": "100000"},
        1,
    ),
    "version 1, unlimited": (
        "1:cpu:/",
        {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "9"},
        8,
    ),
    "no control groups": ("", {}, 8),
}


@pytest.mark.parametrize("limit", GROUPS)
@pytest.mark.setting("processors a container grants, {limit}", "are all that are counted")
def test_a_container_s_quota_counts(limit, tmp_path, monkeypatch):
    own, files, number = GROUPS[limit]
    for name, text in {"own": own, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n" if text else "")
    monkeypatch.setattr(processors, "OWN", tmp_path / "own")
    monkeypatch.setattr(processors, "ALL", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8))
    monkeypatch.setattr(os, "process_cpu_count", lambda: 8, raising=False)
    assert processors.processors() == number


@pytest.mark.parametrize(("number", "told"), [(64, [None, "3"]), (2, ["2", "3"])])
@pytest.mark.setting("64 processors here, and fewer granted", "libraries start no more threads")
def test_libraries_are_told_where_they_would_count_too_many(number, told, monkeypatch):
    monkeypatch.setattr(processors, "processors", lambda: number)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "environ", {"OMP_NUM_THREADS": "3"})
    importlib.reload(mnist_study)
    names = "TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"
    assert [os.environ.get(name) for name in names] == told
