"""`labkit export`: an exporter in any course folder."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.apps import ExportApp
from sqlalchemy.exc import SAWarning

from labkit.errors import InputError
from labkit.grading import storage
from labkit.grading.course import Folders, opened
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
    with opened(course, ExportApp) as app, warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader's own
        exporter = EXPORTS[system](parent=app, **options)
        exporter.assignment, exporter.student = list(labs), list(students)
        if columns:
            exporter.columns = dict(columns)
        folders = Folders(app.coursedir, Path())
        _check_gradebook(folders, course)
        storage.check(folders, write=False)
        with (
            storage.noticing(folders, InputError),
            Gradebook(app.coursedir.db_url, app.coursedir.course_id) as gradebook,
        ):
            return exporter.write(gradebook)


def _check_gradebook(folders: Folders, course: Path) -> None:
    """Opening a SQLite gradebook that is not there would make an empty one."""
    file = folders.gradebook()
    if file is not None and not file.is_file():
        raise InputError(
            f"{course} has no gradebook ({file}): expected an nbgrader course folder in "
            "which submissions have been graded"
        )
