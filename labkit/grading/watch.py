"""Watching what the processes of a submission take together.

Limits of the operating system hold for one process each, and the number of processes not for root.
So a thread looks at the whole tree of processes ten times a second, remembers the most memory that
it took, and ends it when it takes too much. Linux only; elsewhere nothing is watched.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

_INTERVAL = 0.1  # seconds
_FIELD = re.compile(r"^(VmRSS|VmHWM|Threads|Pss):\s+(\d+)", re.MULTILINE)


class Watch:
    """Looks after a process and its descendants until `stop`.

    Args:
        process: ending it must end its descendants, if there are limits; None to watch nothing.
        memory: resident bytes that they may take together; None for no limit.
        processes: processes and threads that there may be; None for no limit.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes] | None,
        memory: int | None = None,
        processes: int | None = None,
    ) -> None:
        self.peak: int | None = None  # bytes; None as long as nothing could be seen
        self.ended: str | None = None  # why it was ended, as a sentence about the submission
        self._process, self._memory, self._processes = process, memory, processes
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

    def _run(self) -> None:
        while self.ended is None and not self._over.wait(_INTERVAL):
            if why := self._look():
                self.end(why)

    def _look(self) -> str | None:
        """Take one look; why they are to be ended."""
        assert self._process is not None
        pids = list(_descendants(self._process.pid))
        usage = [_usage(pid) for pid in pids]
        tasks = sum(threads for _, _, threads in usage)
        hidden = _nameless_files(pids)
        together = hidden + sum(resident for resident, _, _ in usage)
        if self._processes is not None and tasks > self._processes:
            return f"the submission started more than {self._processes} processes and threads"
        if tasks:
            self.peak = max(self.peak or 0, together, *(highest for _, highest, _ in usage))
        if self._memory is not None and together > self._memory < hidden + sum(map(_share, pids)):
            return f"the submission took more than {self._memory / 1e9:.2g} GB of memory"
        return None


def _descendants(pid: int) -> Iterator[int]:
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
