"""Whether a machine is enough for the study, and what is said where it is not."""

import sys

import numpy as np
import psutil
import pytest
from support.project import ROOT, run

from mnist_study import cli, machine

SAID = {-4: "AVX", 132: "AVX", -9: "2.1 GB are here", 137: "2.1 GB are here", -6: "2.1 GB are here"}
SAID |= {-15: "SIGTERM", 1: "", 128: ""}
LIMITS = {"0::/a/b\n": "a/memory.max", "4:memory:/a\n2:cpu:/\n": "memory/a/memory.limit_in_bytes"}


@pytest.mark.parametrize("groups", LIMITS)
def test_the_end_of_a_process_is_explained(tmp_path, monkeypatch, groups):
    (tmp_path / "cgroup").write_text(groups)
    limit = tmp_path / LIMITS[groups]
    limit.parent.mkdir(parents=True)
    limit.write_text(f"{2**31}\n")
    monkeypatch.setattr(machine, "PROC", tmp_path / "cgroup")
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    for status, said in SAID.items():
        assert said in machine.why_ended(status) and bool(said) == bool(machine.why_ended(status))
    limit.write_text("max\n")
    assert machine.memory() > 0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' libraries keep nothing")
def test_the_memory_of_large_arrays_goes_back_when_they_are_freed():
    machine.free_large_arrays()
    np.ones(30_000_000, np.uint8)  # once such a one is freed, glibc by itself keeps smaller ones
    arrays = [np.ones(size, np.uint8) for size in [15_000_000] * 5 + [100_000]]
    full = psutil.Process().memory_info().rss
    del arrays[:5]
    assert full - psutil.Process().memory_info().rss > 60_000_000


@pytest.fixture
def old_processor(tmp_path, monkeypatch):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("model name : Celeron\ncpu family : 6\nmodel : 1\nflags : fpu sse4_2\n")
    monkeypatch.setattr(machine, "CPUINFO", cpuinfo)
    machine.check_processor.cache_clear()
    yield
    machine.check_processor.cache_clear()


@pytest.mark.fault("the processor has no AVX", "stops at once, with what to do")
def test_a_processor_without_avx_is_said(old_processor, record_property):
    with pytest.raises(SystemExit, match=r"^TensorFlow needs .* AVX, and Celeron") as refused:
        cli.main(["experiments"])
    record_property("said", str(refused.value))


@pytest.mark.setting("`HOME` cannot be written to, in a notebook", "no cell shows a warning")
def test_a_home_that_cannot_be_written_to_is_no_matter():
    code = "import mnist_study, matplotlib; print(matplotlib.get_cachedir())"
    home = {"HOME": "/proc/self", "MPLCONFIGDIR": None, "XDG_CACHE_HOME": None}
    done = run(sys.executable, "-c", code, folder=ROOT, XDG_CONFIG_HOME=None, **home)
    assert (done.returncode, done.stderr) == (0, "") and "proc" not in done.stdout
