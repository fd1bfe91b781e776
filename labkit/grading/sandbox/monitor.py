"""Watching what the processes of a submission take together.

Where there is a control group, Linux holds them to their limits, and the monitor says what
happened. Elsewhere limits of the operating system hold for one process each, so a thread looks at
the whole tree of processes ten times a second, remembers the most memory that it took, and ends it
when it takes too much. What belongs to no process (the buffers of a socket, shared memory that
nobody has mapped) it sees only when the whole machine runs low. Linux only; elsewhere nothing is
watched.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from labkit.grading.sandbox.cgroups import Group

_INTERVAL = 0.1  # seconds
_FIELD = re.compile(r"^(VmRSS|VmHWM|Threads|Pss):\s+(\d+)", re.MULTILINE)
_AVAILABLE = re.compile(r"^(MemTotal|MemAvailable):\s+(\d+)", re.MULTILINE)
_LOW = 0.04  # of the machine's memory that must stay available, and no more than a gigabyte


class Process(Protocol):
    """What is watched of it."""

    pid: int

    def kill(self) -> None:
        """End it, and all that it started."""


class Monitor:
    """Looks after a process and its descendants until `stop`.

    Args:
        process: ending it must end its descendants, if there are limits; None to watch nothing.
        memory: bytes that they may take together; None for no limit.
        processes: processes and threads that there may be; None for no limit.
        group: a control group that holds them to the same limits.
    """

    def __init__(
        self,
        process: Process | None,
        memory: int | None = None,
        processes: int | None = None,
        group: Group | None = None,
    ) -> None:
        self.peak: int | None = None  # bytes; None as long as nothing could be seen
        self.ended: str | None = None  # why it was ended, as a sentence about the submission
        self.crowded = False  # whether others may be to blame for its end
        self._process, self._memory, self._processes = process, memory, processes
        self._group = group
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        if process is not None and Path("/proc/self/status").exists():
            self._thread.start()

    def end(self, why: str) -> None:
        """End the process."""
        self.ended = self.ended or why
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        """Look no longer."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._process is not None and self.ended is None:
            self.ended = self._killed_by_linux()  # just before its end

    def _run(self) -> None:
        while self.ended is None and not self._over.wait(_INTERVAL):
            if why := self._killed_by_linux() or self._look() or self._machine_runs_low():
                self.end(why)

    def _killed_by_linux(self) -> str | None:
        if self._group is not None and self._group.ran_out_of_memory():
            return self._too_much_memory()
        return None

    def _machine_runs_low(self) -> str | None:
        if self._memory is None or not _memory_is_low():
            return None
        self.crowded = True
        return "the machine had no more memory while the submission ran"

    def _look(self) -> str | None:
        """Take one look; why they are to be ended."""
        assert self._process is not None
        pids = list(descendants(self._process.pid))
        usage = [_usage(pid) for pid in pids]
        tasks = sum(threads for _, _, threads in usage)
        hidden = _nameless_files(pids)
        together = hidden + sum(resident for resident, _, _ in usage)
        if self._processes is not None and tasks > self._processes:
            return f"the submission started more than {self._processes} processes and threads"
        if tasks:
            self.peak = max(self.peak or 0, together, *(highest for _, highest, _ in usage))
        if self._memory is not None and together > self._memory < hidden + sum(map(_share, pids)):
            return self._too_much_memory()
        return None

    def _too_much_memory(self) -> str:
        return f"the submission took more than {(self._memory or 0) / 1e9:.2g} GB of memory"


def descendants(pid: int) -> Iterator[int]:
    """A process and everything that it started and that is still there."""
    waiting = [pid]
    while waiting:
        pid = waiting.pop()
        yield pid
        with contextlib.suppress(OSError):  # it has ended meanwhile
            for task in os.scandir(f"/proc/{pid}/task"):
                waiting += map(int, Path(task.path, "children").read_text("ascii").split())


def _usage(pid: int) -> tuple[int, int, int]:
    """Resident bytes now, at their highest, and the number of threads; zeros if it has ended."""
    try:
        found = dict(_FIELD.findall(Path(f"/proc/{pid}/status").read_text("utf-8", "replace")))
    except OSError:
        return 0, 0, 0
    number = {name: int(found.get(name, 0)) for name in ("VmRSS", "VmHWM", "Threads")}
    return 1024 * number["VmRSS"], 1024 * number["VmHWM"], number["Threads"]


def _nameless_files(pids: Iterable[int]) -> int:
    """Bytes of files in memory that are open and in no folder; they count for no process."""
    sizes = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for entry in os.scandir(f"/proc/{pid}/fd"):
                if os.readlink(entry.path).startswith("/memfd:"):  # noqa: PTH115
                    status = entry.stat()
                    sizes[status.st_ino] = 512 * status.st_blocks
    return sum(sizes.values())


def _share(pid: int) -> int:
    """Resident bytes, those that it shares with n others counted for an n-th.

    Processes that fork share almost everything. Adding this up takes the kernel milliseconds, so
    it is asked only when the plain sum is too much.
    """
    try:
        found = dict(_FIELD.findall(Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")))
    except OSError:
        return _usage(pid)[0]
    return 1024 * int(found.get("Pss", 0))


def _memory_is_low() -> bool:
    """Whether the machine has little memory left that could be given to anybody."""
    found = dict(_AVAILABLE.findall(Path("/proc/meminfo").read_text("ascii")))
    if len(found) < 2:
        return False
    least = min(_LOW * int(found["MemTotal"]), 1 << 20)  # kilobytes, as is what is read
    return int(found["MemAvailable"]) < least
