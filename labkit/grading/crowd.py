"""Several at a time, or one alone: who ran out of time beside others runs again by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from labkit.grading.task import Result, Task

DIFFERED = (
    "Beside other submissions it ran out of time or memory and scored otherwise. It was run again "
    "alone, and that counts: please look for the one that took so much."
)


class Crowd:
    """Counts who is running, and lets one run alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._want_to_be_alone = 0

    @contextmanager
    def among_others(self) -> Iterator[None]:
        """Run while others may run, too; not before those are done who must be alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._want_to_be_alone)
            self._running += 1
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Run when nobody else does, and keep the others waiting."""
        with self._changed:
            self._want_to_be_alone += 1
            self._changed.wait_for(lambda: self._running == 0)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._want_to_be_alone -= 1
            self._leave()

    def _leave(self) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify_all()


def compared(task: Task, beside: Result, alone: Result) -> Result:
    """The result of a run alone, flagged if a test came out otherwise beside others."""
    if _verdicts(task, beside) != _verdicts(task, alone):
        alone.run.setdefault("flags", []).append(DIFFERED)
    return alone


def _verdicts(task: Task, result: Result) -> list[Any]:
    """Which tests were passed, and with how many points; None if it was not run at all."""
    if result.notebook is None:
        return [None]
    outputs = [result.notebook["cells"][index]["outputs"] for index in task.tests]
    return [
        [(o.get("output_type"), o.get("data")) for o in shown if o.get("output_type") != "stream"]
        for shown in outputs
    ]
