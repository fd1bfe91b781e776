"""nbgrader's `Autograde` with triage before it, and each submission on its own.

`bind` puts it in the place of nbgrader's class for `nbgrader autograde` and for the formgrader's
button. Each submission is examined into a private temporary folder, and nbgrader reads that one;
nothing of nbgrader reads `submitted/` itself.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any, NoReturn

import nbformat
import nbgrader.apps.api
import nbgrader.apps.autogradeapp
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme
from nbgrader.preprocessors.execute import UnresponsiveKernelError
from nbgrader.utils import parse_utc
from traitlets import Integer, List, Unicode

from labkit.grading import gradebook, report
from labkit.grading.files import Refused, copy_extras, quoted, read_regular
from labkit.grading.jail import why_not
from labkit.grading.judge.execute import Execute
from labkit.grading.report import REPORT, Entry
from labkit.grading.triage import MAX_BYTES, Triage, examine

_TIMESTAMP = "timestamp.txt"


class TriagedAutograde(Autograde):
    """Autogrades submissions one by one; none of them can stop another.

    `will_grade` and `graded` are called for each in turn, for subclasses that show progress.
    """

    max_notebook_bytes = Integer(MAX_BYTES, help="A larger notebook is rejected.").tag(config=True)
    max_extra_bytes = Integer(
        20_000_000, help="A larger file beside the notebook is left out."
    ).tag(config=True)
    students = List(
        Unicode(), help="Only these students' submissions are graded; all of them if empty."
    ).tag(config=True)

    # While a submission is graded: the folder that holds its clean copy. nbgrader asks
    # `_format_source` for every path that it reads from, and for nothing else.
    _clean: str | None = None
    _current: Entry
    _rejected: dict[str, str] = {}  # noqa: RUF012 (set anew for each submission)
    _begun = False  # whether the current submission is being graded, not skipped
    _error: Exception | None = None

    def start(self) -> None:
        """Grade, unless the settings would have the student's word taken for the marks.

        Raises:
            NbGraderException: there is no jail, or nothing is to be run; nothing was graded.
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
        super().start()

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
        handed_in = sorted(self.assignments)
        masters = self._masters()
        digests = self._reported_digests()
        bad = []
        for number, folder in enumerate(handed_in, 1):
            match = re.match(self._pattern(), folder)
            if match is None:
                self.log.error("Not the path of a submission: %s", folder)
                bad.append(folder)
                continue
            self._current = Entry(match["assignment_id"], match["student_id"])
            self.will_grade(self._current, number, len(handed_in))
            began = time.monotonic()
            try:
                self._one(Path(folder), masters, digests)
            except Exception as error:  # whatever one submission does, the next gets its turn
                if not isinstance(error, NbGraderException):  # which nbgrader has logged
                    self.log.exception("There was an error processing assignment: %s", folder)
                self._fail(error)
            if not self._begun and self._current.status != "failed":
                continue  # graded before, and unchanged
            self._current.seconds = round(time.monotonic() - began, 3)
            self.graded(self._current)
            if self._current.status != "graded":
                bad.append(self._current.student)
        if bad:
            msg = f"{len(bad)} of {len(handed_in)} submissions have no grade from their tests; see "
            msg += f"{REPORT}: {', '.join(map(quoted, bad))}"
            self.log.error(msg)
            raise NbGraderException(msg)

    def _one(
        self, folder: Path, masters: dict[str, NotebookNode], digests: dict[tuple[str, str], str]
    ) -> None:
        now = self._current
        self._begun, self._error = False, None
        with tempfile.TemporaryDirectory(prefix="labkit-") as private:
            copy = Path(private) / now.student / now.lab
            copy.mkdir(parents=True)
            self._rejected = rejected = self._triage(folder, copy, masters)
            accepted = [copy / f"{name}.ipynb" for name in masters if name not in rejected]
            before = digests.get((now.student, now.lab))
            changed = before is not None and now.digest not in ("", before)
            with self._reading(private, force=changed or self._unfinished() or not accepted):
                if accepted:
                    self.assignments = {str(copy): [str(path) for path in accepted]}
                    super().convert_notebooks()
                else:
                    self.notebooks = [str(copy / f"{name}.ipynb") for name in rejected]
                    if self.init_destination(now.lab, now.student):
                        self._record_zero(rejected)
            if rejected:
                now.status = "rejected"
                now.reason = " ".join(rejected.values())
                if self._begun:
                    self._stand_in(rejected, copy / _TIMESTAMP)
            self._note_scores()

    # -- for those who watch -------------------------------------------------------------------

    def will_grade(self, entry: Entry, number: int, of: int) -> None:
        """A submission is next, the `number`-th `of` those that were handed in."""

    def graded(self, entry: Entry) -> None:
        """A submission has been dealt with: put it into the report."""
        for sentence in [*entry.repairs, *entry.flags, *([entry.reason] if entry.reason else [])]:
            self.log.warning("%s: %s", quoted(entry.student), sentence)
        try:
            report.append(Path(self.coursedir.root), entry)
        except OSError as error:
            self.log.error("%s cannot be written: %s", REPORT, error)

    # -- what nbgrader calls -------------------------------------------------------------------

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """As nbgrader decides; if the submission is to be graded, its old scores go at once.

        Whatever happens from here on, a crash or a power cut included, no old score stands.
        """
        self._begun = super().init_destination(assignment_id, student_id)
        if self._begun:
            self._clear()
        return self._begun

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """As nbgrader does; notebooks that were rejected beside accepted ones get 0."""
        super().init_assignment(assignment_id, student_id)
        if self._rejected:
            with self._stored_submission() as submission:
                gradebook.score_zero(submission, self._rejected)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """As nbgrader does; remember why it failed, which nbgrader only logs."""
        try:
            super().convert_single_notebook(notebook_filename)
        except Exception as error:
            self._error = error
            raise

    def write_single_notebook(self, output: str, resources: Any) -> None:
        """As nbgrader does; keep what was seen while the notebook ran."""
        if "labkit" in resources:
            self._current.add(resources["labkit"])
        super().write_single_notebook(output, resources)

    def _format_source(self, assignment_id: str, student_id: str, escape: bool = False) -> str:
        if self._clean is None or not self._sanitizing:
            return super()._format_source(assignment_id, student_id, escape)
        quote = re.escape if escape else str
        return quote(os.sep).join([quote(self._clean), student_id, assignment_id])

    # -- triage --------------------------------------------------------------------------------

    def _triage(self, folder: Path, copy: Path, masters: dict[str, NotebookNode]) -> dict[str, str]:
        """Put what can be graded of a submission into `copy`; why the other notebooks cannot."""
        now = self._current
        digest = sha256()
        if reason := self._no_folder(folder):
            now.flags.append("Rejected: it counts 0 points.")
            now.digest = sha256(reason.encode()).hexdigest()
            return dict.fromkeys(masters, reason)
        # Before the notebooks: no file may take the place of one that was examined.
        extras = copy_extras(folder, copy, self.max_extra_bytes)
        rejected = {}
        for name, master in masters.items():
            path = self._candidate(folder, name, masters)
            triage = path if isinstance(path, Triage) else self._examine(path, master, digest)
            now.repairs += triage.repairs
            now.flags += triage.flags
            if triage.notebook is None:
                rejected[name] = triage.reason or ""
                continue
            text = nbformat.writes(triage.notebook)
            (copy / f"{name}.ipynb").write_text(text, encoding="utf-8")
        now.flags += extras.left_out
        digest.update(extras.digest.encode())
        if self.coursedir.notebook_id == "*":  # else it is the digest of a part
            now.digest = digest.hexdigest()
        self._check_timestamp(copy / _TIMESTAMP)
        return rejected

    def _examine(self, path: Path, master: NotebookNode, digest: Any) -> Triage:
        try:
            digest.update(read_regular(path, self.max_notebook_bytes))
        except Refused as refusal:
            digest.update(str(refusal).encode())
        try:
            return examine(path, master, self.max_notebook_bytes)
        except Exception as error:  # a mistake of ours; it must not stand in for a grade
            self.log.exception("Triage failed for %s", quoted(str(path)))
            flag = f"Triage itself failed ({type(error).__name__}): please look at this file."
            reason = "The notebook could not be read; your instructor has been told."
            return Triage(None, flags=[flag], reason=reason)

    def _no_folder(self, folder: Path) -> str | None:
        """Why a folder is not one. A link would lead to files that nobody handed in."""
        if any(part.is_symlink() for part in (folder, folder.parent)):
            return "The submission is a link to another folder: hand in the files themselves."
        if not folder.is_dir():
            return "The submission is not a folder: hand in a folder with the notebook in it."
        if not os.access(folder, os.R_OK | os.X_OK):
            return "The submission's folder cannot be opened: hand it in again."
        return None

    def _candidate(
        self, folder: Path, name: str, masters: dict[str, NotebookNode]
    ) -> Path | Triage:
        """The file of a notebook; one with another name if nothing else can be meant."""
        wanted = folder / f"{name}.ipynb"
        if os.path.lexists(wanted):
            return wanted
        others = [
            path
            for path in sorted(folder.iterdir())
            if path.name.lower().endswith((".ipynb", ".ipynb.txt", ".ipynb.json"))
            and path.stem not in masters
        ]
        missing = [other for other in masters if not os.path.lexists(folder / f"{other}.ipynb")]
        if len(others) == 1 and len(missing) == 1:
            self._current.repairs.append(
                f"The notebook was named {quoted(others[0].name)}; it was read as '{name}.ipynb'."
            )
            return others[0]
        there = ", ".join(quoted(path.name) for path in others[:5]) or "no notebook"
        reason = f"There is no '{name}.ipynb' in the submission, but {there}: hand in the notebook "
        reason += "under the name that it came with."
        return Triage(None, flags=["Rejected: it counts 0 points."], reason=reason)

    def _check_timestamp(self, path: Path) -> None:
        """nbgrader stops at a time that it cannot read; without one, nothing counts as late."""
        if not path.is_file():
            return
        try:
            parse_utc(path.read_text(encoding="utf-8").strip() or None)
        except Exception:  # dateutil raises many things
            path.unlink()
            self._current.flags.append(
                f"{_TIMESTAMP} holds no time: please check whether the submission is late."
            )

    # -- the gradebook -------------------------------------------------------------------------

    def _masters(self) -> dict[str, NotebookNode]:
        """The notebooks of the lab that are to be graded."""
        lab = self.coursedir.assignment_id
        hide = [ClearHiddenTests(parent=self), ClearMarkScheme(parent=self)]
        source = self.coursedir.format_path(self.coursedir.source_directory, ".", lab)
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as stored:
            try:
                notebooks = stored.find_assignment(lab).notebooks
            except MissingEntry:
                notebooks = []
            masters = {
                notebook.name: gradebook.master(
                    notebook, Path(source) / f"{notebook.name}.ipynb", hide
                )
                for notebook in notebooks
                if fnmatch.fnmatchcase(notebook.name, self.coursedir.notebook_id)
            }
        if not masters:
            msg = f"No notebook of '{lab}' is in the gradebook, did you run 'nbgrader "
            msg += f"generate_assignment {lab}'?"
            self.log.error(msg)
            raise NbGraderException(msg)
        return masters

    @contextmanager
    def _stored_submission(self) -> Iterator[SubmittedAssignment | None]:
        """The gradebook's entry of the current submission, if it has one; saved afterwards."""
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as stored:
            try:
                submission = stored.find_submission(self._current.lab, self._current.student)
            except MissingEntry:
                submission = None
            yield submission
            stored.db.commit()

    def _selected(self, submission: SubmittedAssignment) -> list[str]:
        """The notebooks that this run grades (`--notebook`)."""
        names = [notebook.name for notebook in submission.notebooks]
        return fnmatch.filter(names, self.coursedir.notebook_id)

    def _unfinished(self) -> bool:
        with self._stored_submission() as submission:
            return submission is not None and gradebook.unfinished(submission)

    def _note_scores(self) -> None:
        now = self._current
        with self._stored_submission() as submission:
            if submission is not None:
                now.scores = gradebook.scores(submission)
                now.score, now.max_score = submission.score, submission.max_score

    def _record_zero(self, notebooks: dict[str, str]) -> None:
        now = self._current
        time = self.coursedir.get_existing_timestamp(self._format_source(now.lab, now.student))
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as stored:
            if self.create_student:
                stored.update_or_create_student(now.student)
            given = {} if time is None else {"timestamp": time}
            submission = stored.update_or_create_submission(now.lab, now.student, **given)
            gradebook.score_zero(submission, notebooks)
            stored.db.commit()

    def _stand_in(self, rejected: dict[str, str], timestamp: Path) -> None:
        """Say in the place of notebooks that were rejected why, for the formgrader and feedback."""
        folder = Path(self._format_dest(self._current.lab, self._current.student))
        folder.mkdir(parents=True, exist_ok=True)
        for name, reason in rejected.items():
            text = "**This notebook could not be graded, and counts 0 points.**\n\n"
            cell = new_markdown_cell(f"{text}<p>{escape(reason)}</p>")
            nbformat.write(new_notebook(cells=[cell]), folder / f"{name}.ipynb")
        if timestamp.is_file():
            shutil.copy(timestamp, folder)
        self.set_permissions(self._current.lab, self._current.student)

    # -- one submission at a time --------------------------------------------------------------

    @contextmanager
    def _reading(self, folder: str, force: bool) -> Iterator[None]:
        """Let nbgrader read from `folder` instead of `submitted/`.

        With `force` it grades what it would skip, because it looks at timestamps only.
        """
        before = bool(self.force)
        self._clean = folder
        self.force: bool = before or force
        try:
            yield
        finally:  # also after an exception, which nbgrader's own `temp_attrs` does not do
            self._clean, self.force = None, before

    def _pattern(self) -> str:
        groups = ("(?P<assignment_id>.*)", "(?P<student_id>.*)")
        return self._format_source(*groups, escape=True)

    def _fail(self, error: Exception) -> None:
        """Note why grading ended early. The scores stay cleared until somebody looks."""
        now = self._current
        now.status = "failed"
        cause = self._error or error
        if isinstance(cause, DeadKernelError):
            now.reason = "The kernel died while the notebook ran: out of memory, or ended by it."
        elif isinstance(cause, UnresponsiveKernelError):
            now.reason = "The kernel no longer answered and could not be interrupted."
        elif isinstance(cause, RuntimeError) and str(cause).startswith("Kernel "):  # nbclient's
            now.reason = "The kernel did not start: is there a file beside the notebook in its way?"
        else:
            now.reason = f"Grading ended early ({type(cause).__name__})."
        if not self._begun:
            # For instance a full disk. It is not known whether this is a new submission.
            now.flags.append("Grading did not begin: please look at it; an older score may stand.")
            return
        now.flags.append("Not graded: please look at it; its tests have no score.")
        try:
            self._clear()  # once more, for what was recorded until it failed
        except Exception:
            self.log.exception("The gradebook cannot be written")

    def _clear(self) -> None:
        with self._stored_submission() as submission:
            if submission is not None:
                gradebook.clear_automatic_scores(submission, self._selected(submission))

    def _reported_digests(self) -> dict[tuple[str, str], str]:
        """What each submission was when it was graded last, to notice a new one."""
        return {
            (entry["student"], entry["lab"]): entry["digest"]
            for entry in report.read(Path(self.coursedir.root))
            if all(entry.get(key) for key in ("student", "lab", "digest"))
        }


def bind() -> None:
    """Let nbgrader's command and its formgrader use `TriagedAutograde`.

    nbgrader has no setting for the class that grades. Both places import it by name and look that
    name up when they grade, so the name is given the subclass there, and nowhere else; done twice
    (a configuration may be read again), it stays the same.
    """
    nbgrader.apps.autogradeapp.Autograde = TriagedAutograde  # `nbgrader autograde`
    nbgrader.apps.api.Autograde = TriagedAutograde  # the formgrader's button
