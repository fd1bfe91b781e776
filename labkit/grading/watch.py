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
from collections.abc import Iterator
from pathlib import Path

_INTERVAL = 0.1  # seconds
_MEMORY = re.compile(r"^Vm(HWM|RSS):\s+(\d+) kB$", re.MULTILINE)


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
        together = tasks = most = 0
        assert self._process is not None
        for pid in _descendants(self._process.pid):
            resident, highest, threads = _usage(pid)
            together += resident
            most = max(most, highest)
            tasks += threads
        if tasks:
            self.peak = max(self.peak or 0, together, most)
        if self._memory is not None and together > self._memory:
            return f"the submission took more than {self._memory / 1e9:.2g} GB of memory"
        if self._processes is not None and tasks > self._processes:
            return f"the submission started more than {self._processes} processes"
        return None


def _descendants(pid: int) -> Iterator[int]:
    """A process and everything that it started and that is still there."""
    waiting = [pid]
    while waiting:
        pid = waiting.pop()
        yield pid
        with contextlib.suppress(OSError):  # it has ended meanwhile
            for task in os.scandir(f"/proc/{pid}/task"):
                text = Path(task.path, "children").read_text("ascii")
                waiting += map(int, text.split())


def _usage(pid: int) -> tuple[int, int, int]:
    """Resident bytes now, at their highest, and the number of threads; zeros if it has ended."""
    try:
        found = dict(_MEMORY.findall(Path(f"/proc/{pid}/status").read_text("utf-8", "replace")))
        threads = len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 (ten times a second)
    except OSError:
        return 0, 0, 0
    return 1024 * int(found.get("RSS", 0)), 1024 * int(found.get("HWM", 0)), threads
