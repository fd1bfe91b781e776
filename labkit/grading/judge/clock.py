"""Time that counts for a submission: what it had a processor for, or waited for of its own will.

On a machine that others keep busy, a cell of a second takes three by the clock. Linux tells how
long the main thread of a process was ready to run and did not get a processor; that time is not
held against a submission, up to twice of what it may take.
"""

from __future__ import annotations

import time
from pathlib import Path

PATIENCE = 2.0  # times its limit that a submission may wait for a processor beside it


class Clock:
    """Measures from when it is made.

    Args:
        pid: of the process whose main thread runs the submission's code; None if not known.
        limit: seconds that count; None for no limit.
    """

    def __init__(self, pid: int | None, limit: float | None) -> None:
        self._pid, self.limit = pid, limit
        self._began, self._waited = time.monotonic(), waited(pid)

    def starved(self) -> float:
        """Seconds that it had to wait for a processor, as far as they are not held against it."""
        most = float("inf") if self.limit is None else PATIENCE * self.limit
        return min(waited(self._pid) - self._waited, most)

    def left(self) -> float:
        """Seconds that are left, for now; below 0 when they are over."""
        if self.limit is None:
            return float("inf")
        return self.limit + self.starved() - (time.monotonic() - self._began)


def waited(pid: int | None) -> float:
    """Seconds that a process's main thread was ready and did not run; 0 where that is not known."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[1]) / 1e9
    except (OSError, LookupError, ValueError):
        return 0.0
