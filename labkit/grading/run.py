"""`labkit grade`: nbgrader's grading with triage, judge and sandbox, in any course folder.

The course's own `nbgrader_config.py` is read as `nbgrader autograde` reads it; it need not know of
labkit. Scores go into its gradebook, graded notebooks into its `autograded/`.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.apps import AutogradeApp
from nbgrader.converters import NbGraderException
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from labkit.errors import InputError
from labkit.grading.autograde import TriagedAutograde
from labkit.grading.files import quoted
from labkit.grading.plugins import configure
from labkit.grading.report import REPORT, Entry
from labkit.grading.sandbox.bubblewrap import why_not

LOG = "grading.log"
UNPROTECTED = (
    "No sandbox: submissions run as you. They can read and change your files, the gradebook and "
    "the hidden tests among them, and use the network."
)


@dataclass
class Outcome:
    """What came of the submissions: of those that were graded, and of those whose scores stand."""

    graded: list[Entry] = field(default_factory=list)
    standing: list[Entry] = field(default_factory=list)

    def all(self) -> list[Entry]:
        """Of both, by student."""
        return sorted([*self.graded, *self.standing], key=lambda entry: entry.student)

    def exit_code(self) -> int:
        """0 if each submission has a score and none is flagged, 1 if some are to be looked at."""
        return int(any(entry.flags or entry.status != "graded" for entry in self.all()))


def grade(
    course: Path,
    lab: str,
    console: Console,
    *,
    students: Sequence[str] = (),
    sandbox: str = "auto",
    force: bool = False,
    jobs: int = 1,
    scheduler: str | None = None,
) -> Outcome:
    """Grade the submissions of a lab, and show how it goes.

    Args:
        course: an nbgrader course folder; the lab is in its gradebook.
        lab: the assignment.
        console: where progress is shown.
        students: whose submissions; everybody's if empty.
        sandbox: "auto" runs the students' code in a sandbox, "none" unprotected.
        force: grade also what has been graded and has not changed since.
        jobs: submissions that are run at the same time.
        scheduler: address of a dask cluster that runs them.

    Raises:
        InputError: there is no sandbox, or the course, the lab or a submission is not there.
            Nothing was graded then.
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
            progress,
            coursedir=app.coursedir,
            parent=app,
            students=list(students),
            jobs=jobs,
            scheduler=scheduler,
        )
        try:
            with open(LOG, "a", encoding="utf-8") as grading.worker_log:  # noqa: PTH123
                grading.start()
        except (NbGraderException, SQLAlchemyError) as error:
            if not grading.outcome.all():
                raise InputError(f"{error}; the whole story is in {course / LOG}") from error
        finally:
            AutogradeApp.clear_instance()
    return grading.outcome


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
        TextColumn("{task.completed:.0f} of {task.total:.0f} cells"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


class _WithProgress(TriagedAutograde):
    """Grades, and moves a bar."""

    def __init__(self, progress: Progress, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.outcome = Outcome()
        self._progress = progress
        self._task = progress.add_task("reading the course", total=1)

    def will_grade(self, entry: Entry, number: int, of: int) -> None:
        """Say how many there are."""
        super().will_grade(entry, number, of)
        self._show()

    def cell_done(self) -> None:
        """Move the bar."""
        self._progress.advance(self._task)

    def graded(self, entry: Entry) -> None:
        """Remember what came of it."""
        super().graded(entry)
        self.outcome.graded.append(entry)
        self._show()

    def stands(self, entry: Entry) -> None:
        """Remember what came of it before."""
        self.outcome.standing.append(entry)
        self._show()

    def starts_cold(self, reason: str) -> None:
        """Say so above the bar."""
        super().starts_cold(reason)
        self._progress.console.print(Text(f"Each kernel is started anew, not forked: {reason}."))

    def _show(self) -> None:
        """Count cells of what is done as they are, and of what is left as the lab has them."""
        done = len(self.outcome.all())
        each = sum(len(master.cells) for master in self._lab.masters.values())
        left = len(self.assignments) - done
        self._progress.update(
            self._task,
            description=f"{done} of {len(self.assignments)} submissions",
            total=each * (left + len(self.outcome.graded)),
        )


def summary(outcome: Outcome, course: Path, console: Console) -> None:
    """Print what was graded, what that has changed, and what an instructor should look at."""
    if not outcome.graded:
        console.print("Nothing to grade: all submissions are graded, and none has changed.")
    else:
        console.print(_table(outcome))
        if any(True for entry in outcome.graded for _ in entry.changes()):
            console.print(_changes(outcome))
    if outcome.graded and outcome.standing:
        console.print(f"{len(outcome.standing)} more are graded already, and have not changed.")
    for entry in outcome.all():
        for sentence in [*filter(None, [entry.reason]), *entry.flags]:
            console.print(Text(f"{quoted(entry.student)[1:-1]}: {sentence}"))
    waiting = sum(
        score is None for e in outcome.graded for n in e.scores.values() for score in n.values()
    )
    if waiting:
        console.print(f"{waiting} answers wait to be marked by hand, in the formgrader.")
    console.print(Text(f"The report: {course / REPORT}"))


def _table(outcome: Outcome) -> Table:
    table = Table()
    table.add_column("student", overflow="fold")
    table.add_column("graded because")
    table.add_column("status")
    for name in ("score", "seconds", "memory"):
        table.add_column(name, justify="right")
    table.add_column("to look at", justify="right")
    for entry in sorted(outcome.graded, key=lambda entry: entry.student):
        table.add_row(
            Text(quoted(entry.student)[1:-1]),
            entry.because,
            entry.status,
            _score(entry),
            f"{entry.seconds:.1f}",
            "-" if entry.peak_memory is None else f"{entry.peak_memory / 1e9:.1f} GB",
            str(len(entry.flags) or ""),
        )
    return table


def _score(entry: Entry) -> str:
    if entry.score is None:
        return "-"
    late = f", late: -{entry.penalty:g}" if entry.penalty else ""
    return f"{entry.score:g} of {entry.max_score:g}{late}"


def _changes(outcome: Outcome) -> Table:
    """Whose scores are others than before."""
    table = Table(title="Changed since the last grading")
    table.add_column("student", overflow="fold")
    table.add_column("test", overflow="fold")
    table.add_column("before", justify="right")
    table.add_column("now", justify="right")
    for entry in sorted(outcome.graded, key=lambda entry: entry.student):
        for name, before, now in entry.changes():
            table.add_row(
                Text(quoted(entry.student)[1:-1]),
                name,
                "-" if before is None else f"{before:g}",
                "-" if now is None else f"{now:g}",
            )
    return table
