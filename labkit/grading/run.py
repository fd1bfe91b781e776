"""`labkit grade`: nbgrader's grading with triage, judge and jail, in any course folder.

The course's own `nbgrader_config.py` is read as `nbgrader autograde` reads it; it need not know of
labkit. Scores go into its gradebook, graded notebooks into its `autograded/`.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

from nbgrader.apps import AutogradeApp
from nbgrader.converters import NbGraderException
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from labkit.errors import InputError
from labkit.grading.autograde import TriagedAutograde
from labkit.grading.files import quoted
from labkit.grading.jail import why_not
from labkit.grading.plugins import configure
from labkit.grading.report import REPORT, Entry

LOG = "grading.log"
UNPROTECTED = (
    "No sandbox: submissions run as you. They can read and change your files, the gradebook and "
    "the hidden tests among them, and use the network."
)


def grade(
    course: Path,
    lab: str,
    console: Console,
    *,
    students: Sequence[str] = (),
    sandbox: str = "auto",
    force: bool = False,
) -> list[Entry]:
    """Grade the submissions of a lab, and show how it goes.

    Args:
        course: an nbgrader course folder; the lab is in its gradebook.
        lab: the assignment.
        console: where progress is shown.
        students: whose submissions; everybody's if empty.
        sandbox: "auto" runs the students' code in a jail, "none" unprotected.
        force: grade also what has been graded and has not changed since.

    Returns:
        What came of each submission; nothing of those that are graded already.

    Raises:
        InputError: no jail can be had, or the course, the lab or a submission is not there. Nothing
            was graded then.
    """
    if not (course / "nbgrader_config.py").is_file() and not (course / "source" / lab).is_dir():
        raise InputError(
            f"{course} is no course folder: expected an nbgrader_config.py or source/{lab} in it"
        )
    if sandbox == "none":
        console.print(UNPROTECTED, style="bold red")
    elif reason := why_not():
        raise InputError(
            f"{reason}. To run the submissions as you, with your files and your network, add "
            "--sandbox=none"
        )
    with chdir(course), warnings.catch_warnings(), _progress(console) as progress:
        warnings.simplefilter("ignore", SAWarning)  # nbgrader's own, a page of them a submission
        app = _application(lab, sandbox, force)
        grading = _WithProgress(
            progress, coursedir=app.coursedir, parent=app, students=list(students)
        )
        try:
            grading.start()
        except (NbGraderException, SQLAlchemyError) as error:
            if not grading.entries:
                raise InputError(f"{error}; the whole story is in {course / LOG}") from error
        finally:
            AutogradeApp.clear_instance()
    return grading.entries


def _application(lab: str, sandbox: str, force: bool) -> AutogradeApp:
    """nbgrader's application in the working folder, configured by the course and by us."""
    app = AutogradeApp.instance()
    app.initialize([f"--Application.log_level={logging.INFO}"])
    app.log.handlers = [logging.FileHandler(LOG, mode="w", encoding="utf-8")]
    app.log.propagate = False
    configure(app.config)
    app.config.Execute.sandbox = sandbox
    app.config.Autograde.force = force
    app.coursedir.assignment_id = lab
    return app


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


class _WithProgress(TriagedAutograde):
    """Grades, and moves a bar."""

    def __init__(self, progress: Progress, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entries: list[Entry] = []
        self._progress = progress
        self._task = progress.add_task("reading the course", total=None)

    def will_grade(self, entry: Entry, number: int, of: int) -> None:
        """Say who is next."""
        super().will_grade(entry, number, of)
        self._progress.update(
            self._task, description=quoted(entry.student), completed=number - 1, total=of
        )

    def graded(self, entry: Entry) -> None:
        """Remember what came of it."""
        super().graded(entry)
        self.entries.append(entry)


def summary(entries: Sequence[Entry], course: Path, console: Console) -> None:
    """Print a table of what was graded, and below it what an instructor should look at."""
    if not entries:
        console.print("Nothing to grade: all submissions are graded, and none has changed.")
        return
    table = Table()
    table.add_column("student", overflow="fold")
    table.add_column("status")
    for name in ("score", "seconds", "memory"):
        table.add_column(name, justify="right")
    table.add_column("to look at", justify="right")
    for entry in entries:
        table.add_row(
            Text(quoted(entry.student)[1:-1]),
            entry.status,
            "-" if entry.score is None else f"{entry.score:g} of {entry.max_score:g}",
            f"{entry.seconds:.1f}",
            "-" if entry.peak_memory is None else f"{entry.peak_memory / 1e9:.1f} GB",
            str(len(entry.flags) or ""),
        )
    console.print(table)
    for entry in entries:
        for sentence in [*filter(None, [entry.reason]), *entry.flags]:
            console.print(Text(f"{quoted(entry.student)[1:-1]}: {sentence}"))
    waiting = sum(score is None for e in entries for n in e.scores.values() for score in n.values())
    if waiting:
        console.print(f"{waiting} answers wait to be marked by hand, in the formgrader.")
    console.print(Text(f"The report: {course / REPORT}"))


def exit_code(entries: Sequence[Entry]) -> int:
    """0 if each submission has a score and none is flagged, 1 if some are to be looked at."""
    return int(any(entry.flags or entry.status != "graded" for entry in entries))
