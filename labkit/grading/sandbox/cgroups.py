"""Control groups: Linux itself holds the processes of a submission to its limits.

What is sampled can be outrun; what the kernel counts cannot. A group bounds memory (shared memory,
files in memory and socket buffers included) and the number of processes, gives each submission its
fair part of the processors, and knows how much time on them it took.

Groups can be had where this process may make them: version 2, below a slice that a user's systemd
has delegated or as root; version 1 as root. `create` returns None anywhere else, and `monitor`
then does what sampling can. See https://docs.kernel.org/admin-guide/cgroup-v2.html.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from labkit.grading.sandbox.limits import Limits

_PREFIX = "labkit-"
_CONTROLLERS = ("memory", "pids", "cpu")
_LAST_WORDS = 2.0  # seconds in which processes that were killed leave their group
_numbers = itertools.count(1)


class Group:
    """One control group.

    Args:
        folders: of the group, by controller; in version 2 the same for all.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = dict(folders)

    @property
    def version(self) -> int:
        """Of the kernel's interface, 1 or 2."""
        return 2 if "cpuacct" not in self._folders else 1

    def join_command(self) -> list[str]:
        """What to put in front of a command, so that it runs in this group from its start."""
        files = " ".join(str(folder / "cgroup.procs") for folder in self._unique())
        script = f'for group in {files}; do echo $$ > "$group" || exit 1; done; exec "$@"'
        return ["/bin/sh", "-c", script, "sh"]

    def add(self, pid: int) -> None:
        """Move a process into the group; what it starts from then on is in it, too.

        Raises:
            OSError: the process has ended, or may not be moved.
        """
        for folder in self._unique():
            (folder / "cgroup.procs").write_text(str(pid), "ascii")

    def memory(self) -> int:
        """Bytes that the group holds now."""
        name = "memory.current" if self.version == 2 else "memory.usage_in_bytes"
        return int(self._read("memory", name) or 0)

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel has killed a process of the group, since it wanted too much."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        counts = dict(line.split() for line in self._read("memory", name).splitlines())
        return int(counts.get("oom_kill", 0)) > 0

    def processor_seconds(self) -> float:
        """Time on a processor that its processes took together."""
        if self.version == 1:
            return int(self._read("cpuacct", "cpuacct.usage") or 0) / 1e9
        counts = dict(line.split() for line in self._read("cpu", "cpu.stat").splitlines())
        return int(counts.get("usage_usec", 0)) / 1e6

    def close(self) -> None:
        """Remove the group, whose processes have been killed."""
        deadline = time.monotonic() + _LAST_WORDS
        for folder in self._unique():
            while folder.exists():
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        return  # the next group that is made removes it
                    time.sleep(0.01)

    def _unique(self) -> list[Path]:
        return list(dict.fromkeys(self._folders.values()))

    def _read(self, controller: str, name: str) -> str:
        try:
            return (self._folders[controller] / name).read_text("ascii")
        except OSError:  # the group is gone
            return ""


def create(limits: Limits) -> Group | None:
    """A group that holds its processes to the limits; None where none can be had."""
    for places in (_version_2(), _version_1()):
        if places is None:
            continue
        with contextlib.suppress(OSError):
            return _make(places, limits)
    return None


def available() -> int | None:
    """Which version of groups can be had here, found out by making one; None if none can."""
    group = create(Limits())
    if group is None:
        return None
    try:
        return group.version
    finally:
        group.close()


def _make(places: Mapping[str, Path], limits: Limits) -> Group:
    name = f"{_PREFIX}{os.getpid()}-{next(_numbers)}"
    group = Group({controller: place / name for controller, place in places.items()})
    for place in dict.fromkeys(places.values()):
        _remove_left_over(place)
    try:
        for folder in group._unique():
            folder.mkdir()
        for file, value in _settings(group, limits):
            file.write_text(value, "ascii")
    except OSError:
        group.close()
        raise
    return group


def _settings(group: Group, limits: Limits) -> Iterator[tuple[Path, str]]:
    memory, pids = group._folders["memory"], group._folders["pids"]
    yield pids / "pids.max", str(limits.processes)
    if group.version == 2:
        yield memory / "memory.max", str(limits.memory)
        yield memory / "memory.oom.group", "1"
        swap = memory / "memory.swap.max", "0"
    else:
        yield memory / "memory.limit_in_bytes", str(limits.memory)
        swap = memory / "memory.memsw.limit_in_bytes", str(limits.memory)
    if swap[0].exists():  # not where the kernel does not count swap
        yield swap


def _remove_left_over(place: Path) -> None:
    """Remove the empty groups of processes that were killed."""
    for folder in place.glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", owner).exists():
            with contextlib.suppress(OSError):
                folder.rmdir()


def _version_2() -> dict[str, Path] | None:
    """The nearest group above this process in which groups with all controllers can be made.

    Not the own one: a group that has processes has no controllers for groups below it.
    """
    mounted = {kinds: place for place, kinds in _mounts("cgroup2")}
    own = _own_groups().get("")
    if not mounted or own is None:
        return None
    top = next(iter(mounted.values()))
    here = top / own.lstrip("/")
    for place in (here, *here.parents):
        try:
            enabled = (place / "cgroup.subtree_control").read_text("ascii").split()
        except OSError:
            return None
        if set(_CONTROLLERS) <= set(enabled) and os.access(place / "cgroup.procs", os.W_OK):
            return dict.fromkeys(_CONTROLLERS, place)
        if place == top:
            break
    return None


def _version_1() -> dict[str, Path] | None:
    """The groups of this process, one for each controller."""
    own = _own_groups()
    found: dict[str, Path] = {}
    for place, kinds in _mounts("cgroup"):
        for controller in (*_CONTROLLERS, "cpuacct"):
            if controller in kinds.split(",") and controller in own:
                found[controller] = place / own[controller].lstrip("/")
    usable = len(found) == len(_CONTROLLERS) + 1 and all(
        os.access(folder, os.W_OK) for folder in found.values()
    )
    return found if usable else None


def _mounts(kind: str) -> Iterator[tuple[Path, str]]:
    """Where file systems of a kind are mounted, each with its options."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text("utf-8").splitlines():
            mount, _, about = line.partition(" - ")
            system, _, options = about.split(" ", 2)
            if system == kind:
                yield Path(mount.split()[4].replace("\\040", " ")), options


def _own_groups() -> dict[str, str]:
    """The paths of this process's groups by controller; in version 2 the controller is ""."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            found |= dict.fromkeys(controllers.split(","), path)
    return found
