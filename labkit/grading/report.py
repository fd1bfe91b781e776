"""The report: one line of JSON for each submission that was graded, in the course folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REPORT = "grading-report.jsonl"


@dataclass
class Run:
    """What was seen while a notebook ran.

    Args:
        sandbox: "bubblewrap", or "none" if the student's code ran unprotected.
        flags: what the instructor should look at.
        cells_seconds: of the student's cells.
        tests_seconds: of the tests, the student's functions that they call included.
        peak_memory: resident bytes of all its processes together, at their highest, what they share
            counted for each; None where that cannot be seen.
    """

    sandbox: str
    flags: list[str] = field(default_factory=list)
    cells_seconds: float = 0.0
    tests_seconds: float = 0.0
    peak_memory: int | None = None


@dataclass
class Entry:
    """What is known of one submission, and becomes one line of the report.

    Args:
        status: "graded"; "failed", if it has no score; "rejected", if nothing of it could be run.
        scores: of each graded cell by notebook and grade_id; None waits for a person.
        score: the sum, what a person gave included.
        max_score: that can be had for the lab.
        seconds: that grading took in all.
        repairs: what triage put right, as sentences for the student.
        flags: what the instructor should look at.
        reason: why there is no score.
        digest: of what was handed in.

    The rest is as in `Run`, of all notebooks together.
    """

    lab: str
    student: str
    status: str = "graded"
    score: float | None = None
    max_score: float | None = None
    scores: dict[str, dict[str, float | None]] = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    reason: str | None = None
    seconds: float = 0.0
    cells_seconds: float = 0.0
    tests_seconds: float = 0.0
    peak_memory: int | None = None
    sandbox: str | None = None
    digest: str = ""
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def add(self, run: Run) -> None:
        """Take in what was seen of one of its notebooks."""
        self.sandbox = run.sandbox
        self.flags += run.flags
        self.cells_seconds = round(self.cells_seconds + run.cells_seconds, 3)
        self.tests_seconds = round(self.tests_seconds + run.tests_seconds, 3)
        if run.peak_memory is not None:
            self.peak_memory = max(self.peak_memory or 0, run.peak_memory)

    def line(self) -> str:
        """One line of JSON. Everything outside ASCII is escaped, so that it is one line."""
        return json.dumps(asdict(self))


def append(folder: Path, entry: Entry) -> None:
    """Add a line to a course's report.

    Raises:
        OSError: the file cannot be written.
    """
    with (folder / REPORT).open("a", encoding="ascii") as file:
        file.write(entry.line() + "\n")


def read(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of a course's report, oldest first."""
    path = folder / REPORT
    if not path.is_file():
        return
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # a line that was cut when the machine went down
        if isinstance(entry, dict):
            yield entry
