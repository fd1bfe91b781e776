"""A course folder as its own configuration has it: where its labs and its gradebook are.

nbgrader lets a course name its folders and order them as it likes. This is the one place that asks.
"""

from __future__ import annotations

import glob
import itertools
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from nbgrader.apps import NbGraderApp
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from labkit.errors import InputError
from labkit.grading.files import MAX_DEPTH

CONFIG = "nbgrader_config.py"


@contextmanager
def opened(
    course: Path, make: Callable[[], Any] = NbGraderApp, level: int = logging.CRITICAL
) -> Iterator[Any]:
    """One of nbgrader's applications, configured by the course; work in the course's folder.

    Args:
        course: the folder in which nbgrader's commands are run.
        make: the application's class, or what else makes one.
        level: what it logs at least.

    Raises:
        InputError: there is no such folder, or its configuration cannot be read.
    """
    if not course.is_dir():
        raise InputError(f"there is no folder {course}")
    path = sys.path[:]  # to which nbgrader adds the working folder
    try:
        with chdir(course):
            app = make()
            # Else it logs what is wrong, and goes on with its own folders and its own gradebook.
            app.raise_config_file_errors = True
            try:
                app.initialize([f"--Application.log_level={level}"])
            except SystemExit:  # a setting of a wrong type: it says which, and ends
                raise InputError(
                    f"nbgrader refuses the configuration of {course}; above is what it says"
                ) from None
            except Exception as error:  # it is a program
                raise InputError(_cannot_be_read(error)) from error
            yield app
    finally:
        sys.path[:] = path


def _cannot_be_read(error: Exception) -> str:
    """Where a configuration ended, and in what."""
    said = "".join(traceback.format_exception_only(error)).strip().rpartition("\n")[2]
    frame = traceback.extract_tb(error.__traceback__)[-1]
    file, line = frame.filename, frame.lineno
    if isinstance(error, SyntaxError):
        file, line = error.filename or file, error.lineno
    return f"nbgrader's configuration cannot be read: {file}, line {line}: {said}"


class Folders:
    """Where a course keeps what.

    Args:
        directory: what nbgrader makes of the configuration.
        at: the folder in which its commands are run; relative addresses of a gradebook begin there.
    """

    def __init__(self, directory: CourseDirectory, at: Path) -> None:
        self.directory = directory
        self.at = at.absolute()
        self.root = Path(directory.root)

    @classmethod
    def of(cls, course: Path) -> Folders:
        """Those of a course folder.

        Raises:
            InputError: there is no such folder, or its configuration cannot be read.
        """
        with opened(course) as app:
            return cls(app.coursedir, Path())

    def source(self, lab: str) -> Path:
        """Where a lab's notebooks with solutions are."""
        return self._of_lab(self.directory.source_directory, lab)

    def release(self, lab: str) -> Path:
        """Where a lab's notebooks for students are."""
        return self._of_lab(self.directory.release_directory, lab)

    def submitted(self, student: str, lab: str) -> Path:
        """Where a submission is collected."""
        return Path(self.directory.format_path(self.directory.submitted_directory, student, lab))

    def autograded(self, student: str, lab: str) -> Path:
        """Where a submission is once it is graded."""
        return Path(self.directory.format_path(self.directory.autograded_directory, student, lab))

    def feedback(self, student: str, lab: str) -> Path:
        """Where the pages are that a student gets back."""
        return Path(self.directory.format_path(self.directory.feedback_directory, student, lab))

    def labs(self) -> list[str]:
        """The names of the labs of which there are notebooks with solutions."""
        found = self._find(self.directory.source_directory, ".", "*")
        return sorted(lab for path, _, lab in found if any(path.glob("*.ipynb")))

    def handed_in(self, lab: str) -> dict[str, Path]:
        """The folders of a lab's submissions, by student."""
        found = self._find(self.directory.submitted_directory, "*", lab)
        return {student: path for path, student, _ in sorted(found)}

    def of_step(self, step: str, lab: str = "*") -> list[Path]:
        """The folders of a step ("source", "submitted", ...) of a lab, or of all labs."""
        student = "." if step in ("source", "release") else "*"
        found = self._find(getattr(self.directory, f"{step}_directory"), student, lab)
        return sorted(path for path, _, _ in found)

    def top(self, step: str) -> Path:
        """The folder that holds all of a step; the course itself where no folder does."""
        parts = Path(self.directory.directory_structure).parts
        names = ("{student_id}", "{assignment_id}")
        fixed = itertools.takewhile(lambda part: not any(name in part for name in names), parts)
        named = getattr(self.directory, f"{step}_directory")
        return self.root.joinpath(*(part.format(nbgrader_step=named) for part in fixed))

    def depth(self) -> int:
        """How many names of a submission's path come after the step's."""
        parts = Path(self.directory.directory_structure).parts
        return len(parts) - 1 - next(n for n, part in enumerate(parts) if "nbgrader_step" in part)

    def existing_source(self, lab: str) -> Path:
        """Where a lab's notebooks with solutions are.

        Raises:
            InputError: the course has no such lab; names those that it has.
        """
        folder = self.source(lab)
        if not any(folder.glob("*.ipynb")):
            known = ", ".join(self.labs()) or "there is none"
            raise InputError(
                f"there is no lab {lab!r}, which would be a notebook in {folder}. The labs of this "
                f"course: {known}"
            )
        return folder

    def gradebook(self) -> Path | None:
        """The file of the gradebook; None if it is in a database server.

        Raises:
            InputError: its address is none, or leads elsewhere.
        """
        try:
            url = make_url(self.directory.db_url)
        except ArgumentError as error:
            raise InputError(
                f"c.CourseDirectory.db_url is no address of a database: {error}"
            ) from None
        if url.get_backend_name() != "sqlite" or not url.database:
            return None
        usual = self.root / "gradebook.db"
        if self.directory.db_url == f"sqlite:///{usual}" and url.database != str(usual):
            # nbgrader puts the path into an address as it is.
            raise InputError(
                f"nbgrader can keep no gradebook in {self.root}, since '?' and '%' with two digits "
                "mean something else in the address of a database: rename that folder"
            )
        return self.at / url.database

    def _of_lab(self, step: str, lab: str) -> Path:
        return Path(self.directory.format_path(step, ".", lab))

    def _find(self, step: str, student: str, lab: str) -> Iterator[tuple[Path, str, str]]:
        """The paths of a step with whose they are and of which lab; "*" stands for any."""
        names = {"student_id": student, "assignment_id": lab}
        pattern = self.directory.directory_structure.format(
            nbgrader_step=glob.escape(step),
            **{
                name: value if value == "*" else glob.escape(value) for name, value in names.items()
            },
        )
        groups = {
            name: rf"(?P<{name}>[^/\\]+)" if value == "*" else rf"(?P<{name}>{re.escape(value)})"
            for name, value in names.items()
        }
        expression = re.compile(
            self.directory.format_path(re.escape(step), *groups.values(), escape=True)
        )
        for path in glob.glob(os.path.join(glob.escape(str(self.root)), pattern)):  # noqa: PTH118, PTH207
            if match := expression.fullmatch(path):
                yield Path(path), match["student_id"], match["assignment_id"]


def tree(folder: Path) -> Iterator[Path]:
    """A folder and what is in it, as deep as grading looks; links are not followed."""
    if not os.path.lexists(folder):
        return
    yield folder
    if folder.is_symlink() or not folder.is_dir():
        return
    for above, inner, files in os.walk(folder):
        yield from (Path(above, name) for name in sorted([*inner, *files]))
        if len(Path(above).relative_to(folder).parts) >= MAX_DEPTH:
            inner.clear()


def stand_in(course: Path, copy: Path) -> Folders:
    """Configure another folder as the course is, but with all that it holds in itself.

    No setting of the course's can lead out of it: neither to its gradebook nor to its submissions.

    Args:
        course: the course folder; it is only read.
        copy: an existing folder.

    Returns:
        The folders of the copy, yet to be made. That of the sources has the name that it has in
        the course, since settings such as the one of a header go by it.
    """
    name = Path(Folders.of(course).directory.source_directory)
    source = str(name) if not name.is_absolute() and ".." not in name.parts else "source"
    steps = ("release", "submitted", "autograded", "feedback", "solution", "source_with_tests")
    lines = ["from pathlib import Path", "", "c = get_config()"]
    if (config := course.absolute() / CONFIG).is_file():
        lines.append(f"load_subconfig({str(config)!r})")
    lines += [
        "here = str(Path(__file__).absolute().parent)",
        "c.CourseDirectory.root = here",
        "c.CourseDirectory.db_url = f'sqlite:///{here}/gradebook.db'",
        f"c.CourseDirectory.source_directory = {source!r}",
        *(f"c.CourseDirectory.{step}_directory = {step!r}" for step in steps),
        "c.CourseDirectory.directory_structure = '{nbgrader_step}/{student_id}/{assignment_id}'",
    ]
    (copy / CONFIG).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Folders.of(copy)
