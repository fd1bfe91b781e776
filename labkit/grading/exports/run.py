"""`labkit export`: an exporter in any course folder."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import chdir
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.apps import ExportApp
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from labkit.errors import InputError
from labkit.grading.exports import CanvasExport, GradescopeExport, MoodleExport, TidyExport
from labkit.grading.exports.base import Export

EXPORTS: dict[str, type[Export]] = {
    "canvas": CanvasExport,
    "moodle": MoodleExport,
    "gradescope": GradescopeExport,
    "csv": TidyExport,
}


def export(
    course: Path,
    system: str,
    to: Path,
    *,
    labs: Sequence[str] = (),
    students: Sequence[str] = (),
    missing: str = "empty",
    roster: Path | None = None,
    unfinished: str = "refuse",
    columns: Mapping[str, str] | None = None,
) -> list[str]:
    """Write a course's marks for another system.

    Args:
        course: an nbgrader course folder.
        system: one of EXPORTS.
        to: the file to write, which is not there yet.
        labs: which labs; all if empty.
        students: whose marks; everybody's if empty.
        missing: "empty" or "zero", for what was not handed in.
        roster: the LMS's list of students.
        unfinished: "refuse", "empty" or "as-is", for what waits for a person.
        columns: what a lab is called in the LMS.

    Returns:
        What an instructor should know, a sentence each.

    Raises:
        InputError: there is no gradebook, or the exporter refuses. Nothing was written then.
    """
    options = {"missing": missing, "to": str(to.resolve())}
    if system != "csv":
        options["unfinished"] = unfinished
        options["roster"] = str(roster.resolve()) if roster else ""
    elif roster or columns or unfinished != "refuse":
        raise InputError("the tidy table takes no roster, no columns and no choice of unfinished")
    if not course.is_dir():
        raise InputError(f"there is no folder {course}")
    with chdir(course), warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader's own
        app = ExportApp()
        app.initialize([f"--Application.log_level={logging.CRITICAL}"])
        exporter = EXPORTS[system](parent=app, **options)
        exporter.assignment, exporter.student = list(labs), list(students)
        if columns:
            exporter.columns = dict(columns)
        _check_gradebook(app.coursedir.db_url, course)
        try:
            with Gradebook(app.coursedir.db_url, app.coursedir.course_id) as gradebook:
                return exporter.write(gradebook)
        except SQLAlchemyError as error:
            raise InputError(f"the gradebook of {course} cannot be read: {error}") from error


def _check_gradebook(address: str, course: Path) -> None:
    """Opening a SQLite gradebook that is not there would make an empty one."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise InputError(
            f"{course} has no gradebook ({url.database}): expected an nbgrader course folder in "
            "which submissions have been graded"
        )
