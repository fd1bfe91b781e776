"""Grading one submission: nbgrader's `Autograde`, with triage before it.

The submission is examined into a private temporary folder, and nbgrader reads that one; nothing of
nbgrader reads `submitted/` itself. Running the notebook is left to a worker, and meanwhile another
submission gets its turn.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path, PurePath
from typing import Any

import nbformat
from dateutil.tz import gettz
from nbconvert.writers.files import FilesWriter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.preprocessors import OverwriteKernelspec

import labkit
from labkit.grading import gradebook, storage, timestamps
from labkit.grading.course import Folders
from labkit.grading.files import (
    Refused,
    copy_extras,
    files_below,
    names,
    put,
    quoted,
    read_regular,
)
from labkit.grading.judge.execute import Execute, NotRun
from labkit.grading.late import LatePenalty
from labkit.grading.report import Entry
from labkit.grading.task import Result, Task
from labkit.grading.triage import Triage, examine
from labkit.grading.workers import Stopped

_TIMESTAMP = "timestamp.txt"
# Lies beside the folder of a graded submission from the moment its old scores go until all is
# written: nbgrader stores scores before it writes the notebook that they came from. Not in that
# folder, where what was handed in may have any name; and hidden from nbgrader's patterns.
UNFINISHED = ".{}.unfinished"
_OVERWRITES_KERNEL = (OverwriteKernelspec, "nbgrader.preprocessors.OverwriteKernelspec")


class _Ended(BaseException):
    """Grading is being stopped; as `Stuck`, it passes through nbgrader."""


@dataclass(frozen=True)
class Lab:
    """What all submissions are held against.

    Args:
        masters: the notebooks as students got them, by name.
        digest: of everything that marks depend on; see `gradebook.digest`.
    """

    masters: Mapping[str, NotebookNode]
    digest: str


class Grader(Autograde):
    """Grades submissions, one after another.

    Args:
        lab: what they are held against.
        perform: runs a notebook.
        max_notebook_bytes, max_extra_bytes: larger files are rejected, and left out.
    """

    def __init__(
        self,
        lab: Lab,
        perform: Callable[[Task], Result],
        max_notebook_bytes: int,
        max_extra_bytes: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.lab, self._perform = lab, perform
        self.max_notebook_bytes, self.max_extra_bytes = max_notebook_bytes, max_extra_bytes
        self.writer = FilesWriter(parent=self, config=self.config)
        self.exporter = self.exporter_class(parent=self, config=self.config)
        # Triage has set the kernel; what the gradebook holds may be no kernel at all.
        self.sanitize_preprocessors: list[Any] = [
            step for step in self.sanitize_preprocessors if step not in _OVERWRITES_KERNEL
        ]
        self._labs_files = self._find_labs_files()
        # While a submission is graded: the folder that holds its clean copy. nbgrader asks
        # `_format_source` for every path that it reads from, and for nothing else.
        self._clean: str | None = None
        self._beside: Path  # and the folder with what was handed in beside the notebooks
        self._current: Entry
        self._rejected: dict[str, str] = {}
        self._begun = False  # whether the current submission is being graded, not skipped
        self._error: Exception | None = None

    def grade(self, folder: Path, entry: Entry, last: Entry | None) -> bool:
        """Grade a submission; what came of it is noted in its entry.

        Args:
            folder: what was handed in.
            entry: says whose it is.
            last: what came of it when it was graded before.

        Returns:
            Whether it was graded, and not skipped because nothing has changed.

        Raises:
            Stopped: grading is being stopped. The submission has no scores then.
            Stuck: nothing can be stored any more. It has none either, as far as that can be stored.
        """
        self._current, self._begun, self._error = entry, False, None
        began = time.monotonic()
        try:
            with self._noticing():
                self._one(folder, last)
        except storage.Stuck:
            with suppress(Exception):
                self._clear()
            raise
        except _Ended:
            raise Stopped from None
        except Exception as error:  # whatever one submission does, the next gets its turn
            if not isinstance(error, NbGraderException):  # which nbgrader has logged
                self.log.exception(
                    "There was an error processing assignment: %s", quoted(str(folder))
                )
            self._fail(error)
        entry.seconds = round(time.monotonic() - began, 3)
        return self._begun or entry.status == "failed"

    def _one(self, folder: Path, last: Entry | None) -> None:
        now, masters = self._current, self.lab.masters
        if now.student.encode(errors="replace") != now.student.encode(errors="surrogatepass"):
            raise NotRun(
                f"The name of the folder {quoted(now.student)} is no text in UTF-8: rename it as "
                "the gradebook calls the student."
            )
        with tempfile.TemporaryDirectory(prefix="labkit-") as private:
            clean, self._beside = Path(private, "notebooks"), Path(private, "beside")
            copy = clean / now.student / now.lab
            for folder_of_ours in (copy, self._beside):
                folder_of_ours.mkdir(parents=True)
            self._rejected = rejected = self._triage(folder, copy, masters)
            accepted = [copy / f"{name}.ipynb" for name in masters if name not in rejected]
            now.because = self._because(last)
            with self._reading(str(clean), force=now.because is not None):
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
            self._marker().unlink(missing_ok=True)

    def _because(self, last: Entry | None) -> str | None:
        """Why it is to be graded, whatever its timestamp; None if nothing has changed."""
        now = self._current
        now.lab_digest, now.labkit = self.lab.digest, labkit.__version__
        with self._stored_submission() as submission:
            now.due = submission and _due(submission)
            now.late = 0.0 if submission is None else self._late(submission)
            unfinished = submission is not None and (
                self._marker().exists() or gradebook.unfinished(submission)
            )
        if self.force:
            return "asked for"
        if submission is None or (last is None and now.digest):
            return "first"
        if unfinished:  # or a test is new, for which nobody has a score yet
            changed = last is not None and last.lab_digest != now.lab_digest
            return "the lab has changed" if changed else "was not finished"
        if not now.digest or last is None:  # a part of it: as nbgrader decides
            return None
        for name, sentence in (
            ("digest", "handed in again"),
            ("lab_digest", "the lab has changed"),
            ("labkit", "another labkit"),
            ("due", "another due date"),
            ("late", "another late penalty"),
        ):
            if getattr(last, name) != getattr(now, name):
                return sentence
        return None

    # -- what nbgrader calls -------------------------------------------------------------------

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """As nbgrader decides; if the submission is to be graded, its old scores go at once.

        Whatever happens from here on, a crash or a power cut included, no old score stands.
        """
        self._begun = super().init_destination(assignment_id, student_id)
        if self._begun:
            marker = self._marker()
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.touch()
            self._clear()
        return self._begun

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """As nbgrader does; notebooks that were rejected beside accepted ones get 0.

        Files beside the notebooks are put in place here: nbgrader takes a second for a thousand.
        """
        destination = Path(self._format_dest(assignment_id, student_id))
        with self._noticing():
            destination.mkdir(parents=True, exist_ok=True)
            put(self._beside, destination)
            super().init_assignment(assignment_id, student_id)
        if self._rejected:
            with self._stored_submission() as submission:
                gradebook.score_zero(submission, self._rejected)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """As nbgrader does; remember why it failed, which nbgrader only logs."""
        try:
            with self._noticing():
                super().convert_single_notebook(notebook_filename)
        except Stopped:
            raise _Ended from None
        except Exception as error:
            self._error = error
            raise

    def _noticing(self) -> AbstractContextManager[None]:
        """Where nbgrader would log an error of the disk or the gradebook, and go on."""
        return storage.noticing(Folders(self.coursedir, Path()))

    def _init_preprocessors(self) -> None:
        """As nbgrader does; notebooks are run by the worker."""
        super()._init_preprocessors()
        for step in self.exporter._preprocessors:
            if isinstance(step, Execute):
                step.perform = self._perform

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

    def _triage(
        self, folder: Path, copy: Path, masters: Mapping[str, NotebookNode]
    ) -> dict[str, str]:
        """Put what can be graded of a submission into `copy`; why the other notebooks cannot."""
        now = self._current
        digest = sha256()
        if reason := self._no_folder(folder):
            now.flags.append("Rejected: it counts 0 points.")
            now.digest = sha256(reason.encode()).hexdigest()
            return dict.fromkeys(masters, reason)
        # Before the notebooks: no file may take the place of one that was examined.
        extras = copy_extras(
            folder,
            self._beside,
            self.max_extra_bytes,
            self.coursedir.ignore,
            self._labs_files | {PurePath(_TIMESTAMP)},
        )
        rejected = {}
        for name, master in masters.items():
            path = self._candidate(folder, name, masters)
            triage = path if isinstance(path, Triage) else self._examine(path, master, digest)
            now.repairs += triage.repairs
            now.flags += triage.flags
            if triage.notebook is None:
                rejected[name] = triage.reason or ""
                continue
            text = json.dumps(triage.notebook, ensure_ascii=False)
            (copy / f"{name}.ipynb").write_text(text, encoding="utf-8")
        now.flags += extras.left_out
        digest.update(extras.digest.encode())
        if self.coursedir.notebook_id == "*":  # else it is the digest of a part
            now.digest = digest.hexdigest()
        if (self._beside / _TIMESTAMP).is_file():
            (self._beside / _TIMESTAMP).rename(copy / _TIMESTAMP)
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
        self, folder: Path, name: str, masters: Mapping[str, NotebookNode]
    ) -> Path | Triage:
        """The file of a notebook; one with another name if nothing else can be meant."""
        wanted = folder / f"{name}.ipynb"
        if os.path.lexists(wanted):
            return wanted
        others = [
            path
            for path in names(folder)
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
        """Have nbgrader read the time right; without one, nothing counts as late."""
        if not (text := timestamps.decoded(path.read_bytes())):
            return
        zone = self.config.Exchange.get("timezone", "UTC")
        reading = timestamps.read(text, gettz(zone))
        again = "as in '2026-03-02 17:00:00 UTC', and grade it again"
        if reading.time is None:
            path.unlink()
            self._current.flags.append(
                f"{_TIMESTAMP} holds no time ({quoted(text)}), so nothing counts as late: please "
                f"write the time into it, {again}."
            )
            return
        if timestamps.as_nbgrader(path) != reading.time:
            path.write_text(timestamps.written(reading.time), encoding="ascii")
        if reading.doubt:
            self._current.flags.append(
                f"{_TIMESTAMP} says {quoted(text)}, {reading.doubt}. It was read as {reading.time} "
                f"UTC. If that is wrong, please write the right time into it, {again}."
            )

    def _find_labs_files(self) -> frozenset[PurePath]:
        """What nbgrader puts beside each submission of the lab."""
        course, lab = self.coursedir, self.coursedir.assignment_id
        source = Path(course.format_path(course.source_directory, ".", lab))
        if not source.is_dir():
            return frozenset()
        found = {path.relative_to(source) for path in files_below(source, course.ignore) if path}
        return frozenset(found - set(map(PurePath, self.exclude_overwriting.get(lab, ()))))

    # -- the gradebook -------------------------------------------------------------------------

    def _marker(self) -> Path:
        folder = Path(self._format_dest(self._current.lab, self._current.student))
        return folder.with_name(UNFINISHED.format(folder.name))

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

    def _note_scores(self) -> None:
        now = self._current
        with self._stored_submission() as submission:
            if submission is not None:
                now.scores = gradebook.scores(submission)
                now.score, now.max_score = submission.score, submission.max_score
                now.due, now.late = _due(submission), self._late(submission)
                now.penalty = submission.late_submission_penalty or 0.0

    def _late(self, submission: SubmittedAssignment) -> float:
        return LatePenalty(parent=self).share(submission.total_seconds_late)

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

    def _fail(self, error: Exception) -> None:
        """Note why grading ended early. The scores stay cleared until somebody looks."""
        now = self._current
        now.status = "failed"
        cause = self._error or error
        known = isinstance(cause, NotRun)
        now.reason = str(cause) if known else f"Grading ended early ({type(cause).__name__})."
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
                gradebook.complete(submission)
                gradebook.clear_automatic_scores(submission, self._selected(submission))


def _due(submission: SubmittedAssignment) -> str | None:
    """When it was due, an extension included."""
    return None if submission.duedate is None else str(submission.duedate)
