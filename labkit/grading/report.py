"""The report: one line of JSON for each submission that was graded, in the course folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labkit.plain import misfits

REPORT = "grading-report.jsonl"


@dataclass
class Run:
    """What was seen while a notebook ran.

    Args:
        sandbox: "bubblewrap", or "none" if the student's code ran unprotected.
        flags: what the instructor should look at.
        cells_seconds: of the student's cells.
        tests_seconds: of the tests, the student's functions that they call included.
        kernel_seconds: until the kernel answered first, and until it was gone.
        peak_memory: resident bytes of all its processes together, at their highest, what they share
            counted for each; None where that cannot be seen.
    """

    sandbox: str
    flags: list[str] = field(default_factory=list)
    cells_seconds: float = 0.0
    tests_seconds: float = 0.0
    kernel_seconds: float = 0.0
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
        lab_digest, labkit: of the lab's tests, and the version that graded; whether it is to be
            graded again hangs on them, and on `due`.
        due: when it was due, an extension included.
        late: the share of the points that being late costs by the course's rule, 0 to 1.
        penalty: the points that it costs; `score` and `scores` are without it.
        because: why it was graded.
        before: the scores of the grading before.

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
    kernel_seconds: float = 0.0
    peak_memory: int | None = None
    sandbox: str | None = None
    digest: str = ""
    lab_digest: str = ""
    labkit: str = ""
    due: str | None = None
    late: float = 0.0
    penalty: float = 0.0
    because: str | None = None
    before: dict[str, dict[str, float | None]] | None = None
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def add(self, run: Run) -> None:
        """Take in what was seen of one of its notebooks."""
        self.sandbox = run.sandbox
        self.flags += run.flags
        self.cells_seconds = round(self.cells_seconds + run.cells_seconds, 3)
        self.tests_seconds = round(self.tests_seconds + run.tests_seconds, 3)
        self.kernel_seconds = round(self.kernel_seconds + run.kernel_seconds, 3)
        if run.peak_memory is not None:
            self.peak_memory = max(self.peak_memory or 0, run.peak_memory)

    def changes(self) -> Iterator[tuple[str, float | None, float | None]]:
        """The cells whose scores the tests have changed: name, score before and now.

        None: it has no score; for a new cell before, and now for one that is gone.
        """
        for notebook, cells in (self.before or {}).items():
            for name, was in cells.items():
                now = self.scores.get(notebook, {}).get(name)
                if was is not None and now != was:
                    yield name, was, now
            for name, now in self.scores.get(notebook, {}).items():
                if name not in cells and now is not None:
                    yield name, None, now

    def line(self) -> str:
        """One line of JSON. Everything outside ASCII is escaped, so that it is one line."""
        return json.dumps(asdict(self))


def append(folder: Path, entry: Entry) -> None:
    """Add a line to a course's report.

    Raises:
        OSError: the file cannot be written.
    """
    with (folder / REPORT).open("a+b") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read() != b"\n":  # cut when the machine went down; not to be continued
                file.write(b"\n")
        file.write(f"{entry.line()}\n".encode("ascii"))


def last(folder: Path) -> dict[tuple[str, str], Entry]:
    """What came of each submission when all of it was graded last, by student and lab."""
    names = {known.name for known in fields(Entry)}
    found = {}
    for line in read(folder):
        if line.get("digest") and names >= line.keys() >= {"student", "lab"}:
            entry = Entry(**line)
            if not misfits(vars(entry), Entry):  # else as if it had never been graded
                found[entry.student, entry.lab] = entry
    return found


def read(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of a course's report, oldest first."""
    path = folder / REPORT
    if not path.is_file():
        return
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue  # a line that was cut when the machine went down, or is none of ours
        if isinstance(entry, dict):
            yield entry
