"""`labkit grade`: nbgrader's grading with triage, judge and sandbox, in any course folder.

The course's own `nbgrader_config.py` is read as `nbgrader autograde` reads it; it need not know of
labkit. Scores go into its gradebook, graded notebooks into its `autograded/`.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from nbgrader.api import Gradebook
from nbgrader.apps import AutogradeApp
from nbgrader.converters import NbGraderException
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from labkit.errors import InputError, printable
from labkit.grading.autograde import TriagedAutograde
from labkit.grading.course import CONFIG, Folders, opened
from labkit.grading.exports.marks import read
from labkit.grading.files import quoted
from labkit.grading.plugins import configure
from labkit.grading.report import REPORT, Entry
from labkit.grading.sandbox.bubblewrap import why_not
from labkit.grading.storage import trouble

LOG = "grading.log"
UNPROTECTED = (
    "No sandbox: submissions run as you. They can read and change your files, the gradebook and "
    "the hidden tests among them, and use the network."
)


@dataclass
class Outcome:
    """What came of the submissions: of those that were graded, and of those whose scores stand.

    Args:
        graded, standing: an entry for each.
        waiting: answers of the lab that wait for a person.
        stopped: why not all was graded; None if it was.
        interrupted: whether it was somebody who stopped it.
        report: where a line for each is.
    """

    graded: list[Entry] = field(default_factory=list)
    standing: list[Entry] = field(default_factory=list)
    waiting: int = 0
    stopped: str | None = None
    interrupted: bool = False
    report: Path = Path(REPORT)

    def all(self) -> list[Entry]:
        """Of both, by student."""
        return sorted([*self.graded, *self.standing], key=lambda entry: entry.student)

    def exit_code(self) -> int:
        """0 if each submission has a score and none is flagged, 1 if some are to be looked at.

        2 if nothing could be graded, and 130 if somebody has interrupted it.
        """
        if self.interrupted:
            return 130
        if self.stopped and not self.graded:
            return 2
        doubtful = any(entry.flags or entry.status != "graded" for entry in self.all())
        return int(doubtful or self.stopped is not None)


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
    allow_shared: bool = False,
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
        allow_shared: grade also where others on this machine can write to the course.

    Raises:
        InputError: there is no sandbox, others can write to the course, its gradebook cannot be
            used, or the course, the lab or a submission is not there. Nothing was graded then.
    """
    folders = Folders.of(course)
    if not (course / CONFIG).is_file() and not folders.source(lab).is_dir():
        raise InputError(
            f"{course} is no course folder: expected {CONFIG} in it, or {folders.source(lab)}"
        )
    if sandbox == "none":
        console.print(UNPROTECTED, style="bold red")
    elif reason := why_not():
        raise InputError(
            f"{reason}. To run the submissions as you, with your files and your network, add "
            "--sandbox=none"
        )
    with _log(course, folders) as log, _application(course, log) as app, _progress(console) as bar:
        app.config.Execute.sandbox = sandbox
        app.config.Autograde.force = force
        if allow_shared:
            app.config.CourseAccess.allow_shared = True
        app.coursedir.assignment_id = lab
        grading = _WithProgress(
            bar,
            coursedir=app.coursedir,
            parent=app,
            students=list(students),
            jobs=jobs,
            scheduler=scheduler,
        )
        grading.worker_log, outcome = log, grading.outcome
        try:
            grading.start()
        except NbGraderException as error:
            if not outcome.graded and (outcome.stopped or not outcome.standing):
                raise InputError(str(error)) from error
        except SQLAlchemyError as error:
            app.log.exception("The gradebook refuses something")
            what = str(error).partition("\n")[0]
            grading.stopped(f"The gradebook refuses something ({what}): see {course / LOG}")
            if not outcome.graded:
                raise InputError(outcome.stopped or what) from error
        except SystemExit:
            outcome.interrupted = True
        outcome.waiting = _waiting(folders, lab)
    return outcome


@contextmanager
def _log(course: Path, folders: Folders) -> Iterator[IO[str]]:
    """The file in the course folder that says all, anew for each run.

    Raises:
        InputError: it cannot be written.
    """
    try:
        file = (course / LOG).open("w", encoding="utf-8", buffering=1)
    except OSError as error:
        why = trouble(error, folders) or f"{course / LOG} cannot be written: {error.strerror}"
        raise InputError(why) from error
    try:
        yield file
    finally:
        with suppress(OSError):  # the disk is full; the run says so
            file.close()


class _Quiet(logging.StreamHandler[IO[str]]):
    """Logs; what cannot be logged is no reason for a traceback."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Leave it."""


@contextmanager
def _application(course: Path, log: IO[str]) -> Iterator[AutogradeApp]:
    """nbgrader's application in the course folder, configured by the course and by us."""
    with opened(course, AutogradeApp.instance, logging.INFO) as app, warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader's own, a page of them a submission
        app.log.handlers = [_Quiet(log)]
        app.log.propagate = False
        configure(app.config)
        try:
            yield app
        finally:
            AutogradeApp.clear_instance()


def _waiting(folders: Folders, lab: str) -> int:
    """How many answers of a lab wait for a person, whoever was graded just now."""
    directory = folders.directory
    try:
        with Gradebook(directory.db_url, directory.course_id) as gradebook:
            answers = {
                (notebook.name, cell.name)
                for notebook in gradebook.find_assignment(lab).notebooks
                for cell in [*notebook.solution_cells, *notebook.task_cells]
            }
            found = read(gradebook, labs=[lab]).submissions.values()
    except (ValueError, SQLAlchemyError):  # said already, or no cell of it carries points
        return 0
    return sum(key in answers for submission in found for key in submission.waiting())


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

    to_allow = "--allow-shared-course"

    def __init__(self, progress: Progress, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.outcome = Outcome(report=Path(self.coursedir.root, REPORT))
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

    def note(self, sentence: str) -> None:
        """Say so above the bar."""
        super().note(sentence)
        self._progress.console.print(Text(sentence), soft_wrap=True)

    def starts_cold(self, reason: str) -> None:
        """Say so above the bar."""
        self.note(f"Each kernel is started anew, not forked: {reason}.")

    def stopped(self, sentence: str) -> None:
        """Remember why."""
        super().stopped(sentence)
        self.outcome.stopped = sentence

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


def summary(outcome: Outcome, console: Console) -> None:
    """Print what was graded, what that has changed, and what an instructor should look at."""
    if outcome.graded:
        console.print(_table(outcome))
        if any(True for entry in outcome.graded for _ in entry.changes()):
            console.print(_changes(outcome))
    elif not outcome.stopped:
        console.print("Nothing to grade: all submissions are graded, and none has changed.")
    if outcome.graded and outcome.standing:
        console.print(f"{len(outcome.standing)} more are graded already, and have not changed.")
    for entry in outcome.all():
        for sentence in [*filter(None, [entry.reason]), *entry.flags]:
            console.print(Text(f"{quoted(entry.student)[1:-1]}: {printable(sentence)}"))
    if outcome.waiting:
        answers = "1 answer waits" if outcome.waiting == 1 else f"{outcome.waiting} answers wait"
        console.print(f"{answers} to be marked by hand, in the formgrader.")
    console.print(Text(f"The report: {outcome.report}"), soft_wrap=True)
    if outcome.stopped:
        console.print(Text(outcome.stopped), style="bold red", soft_wrap=True)


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
                Text(printable(name)),
                "-" if before is None else f"{before:g}",
                "-" if now is None else f"{now:g}",
            )
    return table
