"""Control groups: real ones where this machine has some, and the layouts that others have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.grading.sandbox import cgroups
from labkit.grading.sandbox.limits import Limits
from labkit.grading.sandbox.monitor import Monitor

MEGABYTES = 1 << 20
needs_groups = pytest.mark.skipif(
    cgroups.available() is None, reason="control groups can be had as root, or from systemd"
)
# Memory that belongs to no process: it is shared, and mapped by nobody any more.
UNMAPPED = f"""
import mmap, time
keep = []
for _ in range(40):
    keep.append(mmap.mmap(-1, {10 * MEGABYTES}))
    keep[-1].write(b"x" * {10 * MEGABYTES})
    keep[-1].madvise(mmap.MADV_DONTNEED)
time.sleep(30)
"""


@pytest.fixture
def group():
    made = cgroups.create(Limits(memory=100 * MEGABYTES, processes=10))
    yield made
    made.close()


def start(group, code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*group.join_command(), sys.executable, "-c", code])


@needs_groups
class TestReal:
    def test_memory_of_no_process_ends_it(self, group):
        with start(group, UNMAPPED) as process:
            seen = Monitor(process, 100 * MEGABYTES, group=group)
            process.wait(20)
            seen.stop()
        assert group.ran_out_of_memory()
        assert seen.ended == "the submission took more than 0.1 GB of memory"

    def test_so_many_processes_and_no_more(self, group):
        code = (
            "import os, time\nn = 0\ntry:\n    while os.fork():\n        n += 1\nexcept OSError:\n"
        )
        code += "    print(n, flush=True)\ntime.sleep(1)"
        done = subprocess.run(
            [*group.join_command(), sys.executable, "-c", code], stdout=subprocess.PIPE
        )
        assert int(done.stdout.split()[0]) < 10

    def test_time_on_processors_is_known(self, group):
        with start(group, "sum(range(5_000_000))"):
            pass
        assert 0.01 < group.processor_seconds() < 5
        assert not group.ran_out_of_memory()

    def test_a_process_can_be_put_into_it(self, group):
        with subprocess.Popen(["sleep", "30"]) as process:
            group.add(process.pid)
            inside = (group._folders["pids"] / "cgroup.procs").read_text().split()
            process.kill()
        assert inside == [str(process.pid)]

    def test_it_is_gone_afterwards_and_so_are_those_of_processes_that_were_killed(self, group):
        place = group._folders["memory"].parent
        (left := place / "labkit-999999999-1").mkdir()
        other = cgroups.create(Limits())
        other.close()
        assert not left.exists() and not list(place.glob(f"{other._folders['memory'].name}"))


def lay_out(monkeypatch, folder: Path, mounts: str, own: str) -> None:
    """Let this machine say of its groups what another one says."""
    reads = {"/proc/self/mountinfo": mounts, "/proc/self/cgroup": own}
    plain = Path.read_text

    def read_text(path, *arguments, **keywords):
        text = reads.get(str(path))
        return plain(path, *arguments, **keywords) if text is None else text

    monkeypatch.setattr(Path, "read_text", read_text)


def mount(place: Path, kind: str, options: str) -> str:
    return f"30 23 0:26 / {place} rw,nosuid - {kind} cgroup {options}\n"


def test_of_version_2_it_is_the_nearest_that_has_the_controllers(tmp_path, monkeypatch):
    """As systemd lays out a user's session: the shell's own scope has processes."""
    slice_ = tmp_path / "user.slice" / "user@1000.service" / "app.slice"
    (scope := slice_ / "term.scope").mkdir(parents=True)
    for place in (tmp_path, slice_.parent.parent, slice_.parent, slice_, scope):
        (place / "cgroup.procs").touch()
        (place / "cgroup.subtree_control").write_text("memory pids\n")
    (slice_.parent / "cgroup.subtree_control").write_text("cpu memory pids\n")
    own = f"0::/{scope.relative_to(tmp_path)}\n"
    lay_out(monkeypatch, tmp_path, mount(tmp_path, "cgroup2", "rw,nsdelegate"), own)
    assert cgroups._version_2() == dict.fromkeys(("memory", "pids", "cpu"), slice_.parent)


def test_of_version_2_its_limits_are_written_and_its_figures_read(tmp_path, monkeypatch):
    for name in ("cgroup.procs", "memory.events", "memory.swap.max"):
        (tmp_path / name).touch()
    group = cgroups.Group(dict.fromkeys(("memory", "pids", "cpu"), tmp_path))
    written = {file.name: value for file, value in cgroups._settings(group, Limits(1000))}
    assert written.pop("pids.max") == str(Limits().processes)
    assert written == {"memory.max": "1000", "memory.oom.group": "1", "memory.swap.max": "0"}
    (tmp_path / "memory.events").write_text("low 0\nhigh 0\nmax 4\noom 1\noom_kill 1\n")
    (tmp_path / "memory.current").write_text("123456\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1000000\n")
    assert group.ran_out_of_memory()
    assert (group.version, group.memory(), group.processor_seconds()) == (2, 123456, 1.5)


@pytest.mark.parametrize(
    ("mounts", "own"),
    [
        ("", ""),
        ("30 23 0:26 / {} ro - cgroup2 cgroup2 rw\n", "0::/\n"),  # a container: nothing may be set
        ("30 23 0:26 / {} rw - cgroup cgroup rw,memory\n", "4:memory:/\n"),  # one controller
    ],
)
def test_elsewhere_there_is_none(tmp_path, monkeypatch, mounts, own):
    lay_out(monkeypatch, tmp_path, mounts.format(tmp_path), own)
    assert cgroups.create(Limits()) is None
    assert cgroups.available() is None


def test_nothing_is_left_when_a_limit_cannot_be_set(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroups, "_version_2", lambda: None)
    monkeypatch.setattr(
        cgroups, "_version_1", lambda: dict.fromkeys(("memory", "pids", "cpu"), tmp_path)
    )
    monkeypatch.setattr(
        cgroups, "_settings", lambda group, limits: iter([(tmp_path / "no" / "such", "1")])
    )
    assert cgroups.create(Limits()) is None
    assert os.listdir(tmp_path) == []  # noqa: PTH208
