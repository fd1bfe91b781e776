"""nbgrader's `Autograde` for a whole class: several workers, and one process that writes.

`bind` puts it in the place of nbgrader's class for `nbgrader autograde` and for the formgrader's
button. Each worker has a thread here, with a `Grader` of its own; one thread has its turn at a
time, and gives it away only while its worker runs a notebook. So one process, and one thread of it
at a time, touches the gradebook and `autograded/`.
"""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import json
import os
import re
import signal
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

import nbgrader.apps.api
import nbgrader.apps.autogradeapp
from nbgrader.api import Gradebook, MissingEntry, Notebook
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import Exchange
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme
from traitlets import Integer, List, Unicode

from labkit.errors import InputError
from labkit.grading import access, gradebook, kernelspecs, late, order, report, storage
from labkit.grading.course import Folders
from labkit.grading.crowd import Crowd, compared
from labkit.grading.exports.sheet import names
from labkit.grading.files import quoted
from labkit.grading.judge.execute import Execute, about
from labkit.grading.report import REPORT, Entry
from labkit.grading.sandbox.bubblewrap import why_not
from labkit.grading.submission import Grader, Lab
from labkit.grading.task import Result, Task
from labkit.grading.triage import MAX_BYTES
from labkit.grading.workers import Stopped, Worker, workers

INTERRUPTED = "Interrupted. What was graded stays; the same command goes on where this one ended."


class TriagedAutograde(Autograde):
    """Autogrades submissions one by one; none of them can stop another.

    `will_grade`, `cell_done`, `graded` and `stands` say how it goes, for subclasses that show it.
    """

    max_notebook_bytes = Integer(MAX_BYTES, help="A larger notebook is rejected.").tag(config=True)
    max_extra_bytes = Integer(
        20_000_000, help="A larger file beside the notebook is left out."
    ).tag(config=True)
    jobs = Integer(1, min=1, help="Submissions that are run at the same time.").tag(config=True)
    scheduler = Unicode(
        None, allow_none=True, help="Address of a dask cluster that runs the submissions."
    ).tag(config=True)
    students = List(
        Unicode(), help="Only these students' submissions are graded; all of them if empty."
    ).tag(config=True)

    to_allow = access.ALLOWED  # the option that grades in a course that is open to others
    worker_log: IO[Any] | None = None  # where the workers' own log goes
    _cold = False  # whether it was said that kernels start cold

    def start(self) -> None:
        """Grade, unless the settings would have the student's word taken for the marks.

        Raises:
            NbGraderException: there is no sandbox, nothing is to be run, the rule for late work
                makes no sense, others can write to the course, or its gradebook cannot be used;
                nothing was graded. Or nothing more can be stored.
            SystemExit: somebody has interrupted it.
        """
        execute = Execute(parent=self)
        if not execute.enabled:
            self._refuse(
                "without running the notebooks, the outputs that students sent would be their "
                "marks: leave out --no-execute"
            )
        if execute.sandbox == "auto" and (reason := why_not()):
            self._refuse(
                f"{reason}. To run the submissions as you, with your files and your network, add "
                "--Execute.sandbox=none"
            )
        if wrong := late.problem(self):
            self._refuse(wrong)
        folders = Folders(self.coursedir, Path())
        try:
            self._see_to_others(folders)
            if (file := folders.gradebook()) is not None and not file.exists():
                self._refuse(self._unknown())  # nbgrader would make an empty one
            storage.check(folders, write=True)
        except InputError as error:
            self._refuse(str(error))
        try:
            with storage.noticing(folders):
                super().start()
        except storage.Stuck as stuck:
            self.stopped(str(stuck))
            raise NbGraderException(str(stuck)) from stuck
        except KeyboardInterrupt:
            self.stopped(INTERRUPTED)
            raise SystemExit(130) from None

    def _see_to_others(self, folders: Folders) -> None:
        """Close what was collected to others on this machine, and say what else is open to them.

        Raises:
            InputError: others can write to it.
        """
        lab = self.coursedir.assignment_id
        allow = access.CourseAccess(parent=self).allow_shared
        if not allow and (written := access.close_what_is_open(folders, lab)):
            self.note(
                "Others on this machine could write to what was collected of "
                f"{names(written)}. It is closed now; if in doubt, collect it again."
            )
        access.guard(folders, lab, self.note, allow=allow, option=self.to_allow)

    def _refuse(self, message: str) -> NoReturn:
        self.log.error(message)
        raise NbGraderException(message)

    def init_notebooks(self) -> None:
        """Find everything that was handed in, also folders in which there is no notebook."""
        self.assignments: dict[str, list[str]] = {}
        for student in self.students or [self.coursedir.student_id]:
            pattern = self._format_source(self.coursedir.assignment_id, student)
            # A name is taken literally first: it may hold characters that glob gives a meaning to.
            found = [pattern] if os.path.lexists(pattern) else glob.glob(pattern)  # noqa: PTH207
            if not found and self.students:
                self._refuse(f"there is no submission {pattern}")
            self.assignments |= {path: [] for path in found}
        if not self.assignments:
            super().init_notebooks()  # says what was looked for, and raises

    def convert_notebooks(self) -> None:
        """Grade each submission; raise at the end if any was rejected or failed."""
        with self._only_one():
            self._lab = self._what_to_grade_against()
            self._last = report.last(Path(self.coursedir.root))
            self._waiting = deque(enumerate(sorted(self.assignments), 1))
            self._bad: list[str] = []
            self._problem: BaseException | None = None
            self._grade_all()
        if self._problem is not None:
            raise self._problem
        if self._bad:
            msg = f"{len(self._bad)} of {len(self.assignments)} submissions have no grade from "
            msg += f"their tests; see {REPORT}: {', '.join(map(quoted, sorted(self._bad)))}"
            self.log.error(msg)
            raise NbGraderException(msg)

    def _grade_all(self) -> None:
        """Run a thread for each worker until no submission is left."""
        crew = workers(self.jobs, self.scheduler, self.worker_log)[: len(self.assignments)]
        turn = threading.Lock()
        crowd = Crowd() if len(crew) > 1 and self.scheduler is None else None
        started: list[threading.Event] = []
        try:
            for worker in crew:
                started.append(over := threading.Event())
                threading.Thread(target=self._serve, args=(worker, turn, crowd, over)).start()
            # Not `join`: when it is interrupted, it takes a thread that goes on for ended.
            for over in started:
                over.wait()
        finally:  # also when it is interrupted: what is being graded then has no scores
            with _uninterrupted():
                self._waiting.clear()
                for worker in crew:
                    worker.close()
                for over in started:
                    over.wait()

    def _serve(
        self, worker: Worker, turn: threading.Lock, crowd: Crowd | None, over: threading.Event
    ) -> None:
        """Grade what waits, with one worker."""
        try:
            self._grade_with(worker, turn, crowd)
        finally:
            over.set()

    def _grade_with(self, worker: Worker, turn: threading.Lock, crowd: Crowd | None) -> None:

        def perform(task: Task) -> Result:
            turn.release()
            try:
                result = self._run_one(worker, task, crowd)
            finally:
                turn.acquire()
                # nbgrader sets this around each submission, and fails if another took it away.
                os.environ["NBGRADER_EXECUTION"] = "autograde"
            if result.cold and not self._cold:
                self._cold = True
                self.starts_cold(result.cold)
            return result

        with turn:
            try:
                grader = Grader(
                    self._lab,
                    perform,
                    self.max_notebook_bytes,
                    self.max_extra_bytes,
                    coursedir=self.coursedir,
                    parent=self,
                )
                grader.force, grader.create_student = self.force, self.create_student
                while self._waiting:
                    self._next(grader, *self._waiting.popleft())
            except Stopped:
                pass
            # Of ours, or of the disk: no submission makes the grader raise.
            except (Exception, storage.Stuck) as error:
                self._problem = self._problem or error
                self._waiting.clear()

    def _run_one(self, worker: Worker, task: Task, crowd: Crowd | None) -> Result:
        """Run a notebook; alone once more if others of the class may have cost it marks."""
        if crowd is None:
            return worker.perform(task, self.cell_done)
        with crowd.among_others():
            result = worker.perform(task, self.cell_done)
        if not result.crowded:
            return result
        with crowd.alone():
            return compared(task, result, worker.perform(task, lambda: None))

    def _next(self, grader: Grader, number: int, folder: str) -> None:
        match = re.match(self._pattern(), folder, re.DOTALL)  # a name may hold a line break
        if match is None:
            self.log.error("Not the path of a submission: %s", quoted(folder))
            self._bad.append(folder)
            return
        entry = Entry(match["assignment_id"], match["student_id"])
        exchange = Path(Exchange(parent=self).root)
        entry.flags += access.strangers(
            Folders(self.coursedir, Path()), Path(folder), entry.student, exchange
        )
        last = self._last.get((entry.student, entry.lab))
        entry.before = None if last is None else last.scores
        self.will_grade(entry, number, len(self.assignments))
        if grader.grade(Path(folder), entry, last):
            self.graded(entry)
            if entry.status != "graded":
                self._bad.append(entry.student)
        elif last is not None:
            self.stands(last)

    # -- for those who watch -------------------------------------------------------------------

    def will_grade(self, entry: Entry, number: int, of: int) -> None:
        """A submission is next, the `number`-th `of` those that were handed in."""

    def graded(self, entry: Entry) -> None:
        """A submission has been dealt with: put it into the report."""
        for sentence in [*entry.repairs, *entry.flags, *([entry.reason] if entry.reason else [])]:
            self.log.warning("%s: %s", quoted(entry.student), sentence)
        try:
            with storage.noticing(Folders(self.coursedir, Path())):
                report.append(Path(self.coursedir.root), entry)
        except OSError as error:
            self.log.error("%s cannot be written: %s", REPORT, error)

    def cell_done(self) -> None:
        """A worker has run a cell. Called from its thread, at any time."""

    def stands(self, entry: Entry) -> None:
        """A submission has not changed since it was graded, which came to this."""

    def note(self, sentence: str) -> None:
        """Something that an instructor should know of the course."""
        self.log.warning(sentence)

    def stopped(self, sentence: str) -> None:
        """Grading ends before all is graded."""
        self.log.error(sentence)

    def starts_cold(self, reason: str) -> None:
        """Kernels are started one by one, since they cannot be forked."""
        self.log.warning("Each kernel is started anew, which takes longer: %s", reason)

    # -- the course ----------------------------------------------------------------------------

    def _what_to_grade_against(self) -> Lab:
        """The notebooks of the lab that are to be graded, and a digest of all that marks hang on.

        Raises:
            NbGraderException: the gradebook does not know the lab, its source cannot be read, or
                the kernel that it runs in is not installed.
        """
        lab = self.coursedir.assignment_id
        hide = [ClearHiddenTests(parent=self), ClearMarkScheme(parent=self)]
        source = Path(self.coursedir.format_path(self.coursedir.source_directory, ".", lab))
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as stored:
            try:
                notebooks = stored.find_assignment(lab).notebooks
            except MissingEntry:
                notebooks = []
            masters = {
                notebook.name: gradebook.master(
                    notebook, order.known_orders(self.coursedir, lab, notebook.name), hide
                )
                for notebook in notebooks
                if fnmatch.fnmatchcase(notebook.name, self.coursedir.notebook_id)
            }
            try:
                digest = _digest(notebooks, source, self.coursedir)
            except InputError as error:
                self._refuse(str(error))
        if not masters:
            self._refuse(self._unknown())
        if wrong := kernelspecs.missing(masters, Execute(parent=self).kernel_name):
            self._refuse(wrong)
        return Lab(masters, digest)

    def _unknown(self) -> str:
        lab = self.coursedir.assignment_id
        return (
            f"No notebook of '{lab}' is in the gradebook, did you run 'nbgrader "
            f"generate_assignment {lab}'?"
        )

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        """Keep others out of this course for a while; the report, which all write, is the lock.

        Raises:
            NbGraderException: others are at work.
        """
        try:
            import fcntl  # not on Windows

            file = Path(self.coursedir.root, REPORT).open("a")  # noqa: SIM115
        except (ImportError, OSError):  # `graded` will say that it cannot be written
            yield
            return
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._refuse("submissions of this course are being graded already: let that end")
            yield

    def _pattern(self) -> str:
        groups = ("(?P<assignment_id>.*)", "(?P<student_id>.*)")
        return self._format_source(*groups, escape=True)


def _digest(notebooks: list[Notebook], source: Path, course: CourseDirectory) -> str:
    """Of a lab's tests, their points, its kernel, and what lies beside its notebooks in source/."""
    digest = hashlib.sha256()
    for notebook in sorted(notebooks, key=lambda notebook: notebook.name):
        points = {cell.name: cell.max_score for cell in notebook.grade_cells}
        cells = sorted(
            (cell.name, cell.cell_type, cell.source, points.get(cell.name))
            for cell in notebook.source_cells
            if cell.locked or cell.name in points
        )
        known = about(course, course.assignment_id, notebook.name)
        of_source = [known.imports, known.withheld, known.packages, notebook.kernelspec]
        digest.update(json.dumps([notebook.name, cells, of_source]).encode())
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix != ".ipynb" and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(source)).encode() + path.read_bytes())
    return digest.hexdigest()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let nobody who presses Ctrl-C twice leave processes behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def bind() -> None:
    """Let nbgrader's command and its formgrader use `TriagedAutograde`.

    nbgrader has no setting for the class that grades. Both places import it by name and look that
    name up when they grade, so the name is given the subclass there, and nowhere else; done twice
    (a configuration may be read again), it stays the same.
    """
    nbgrader.apps.autogradeapp.Autograde = TriagedAutograde  # `nbgrader autograde`
    nbgrader.apps.api.Autograde = TriagedAutograde  # the formgrader's button
