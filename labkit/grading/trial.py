"""`labkit try`: is a lab fair, before anybody hands in?

Its own solution must pass every test, and its empty release must get no points. In a course that
was written for nbgrader alone this tells which tests ask for what a submission cannot give from
outside (docs/other-courses.md).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from labkit.errors import InputError
from labkit.grading import commands, notebooks
from labkit.grading.access import ALLOWED
from labkit.grading.course import Folders, stand_in
from labkit.grading.lint import Problem
from labkit.grading.report import Entry
from labkit.grading.run import grade

_SOLUTION, _BLANK = "solution", "blank"


@dataclass(frozen=True)
class Tried:
    """What came of a lab.

    Args:
        tests: how many cells are marked by running them.
        points: that these cells carry together.
        problems: one for each test that gives the solution too little or the release anything, and
            for whatever was flagged.
    """

    tests: int
    points: float
    problems: list[Problem]


def attempt(course: Path, lab: str, console: Console, sandbox: str = "auto") -> Tried:
    """Grade the solution and the release in a folder of their own; the course is only read.

    Args:
        course: an nbgrader course folder, whose configuration holds.
        lab: the assignment.
        console: where progress is shown.
        sandbox: as for `labkit.grading.run.grade`.

    Raises:
        InputError: there is no such lab, no release can be made of it, or there is no sandbox.
    """
    source = Folders.of(course).existing_source(lab)
    with tempfile.TemporaryDirectory(prefix="labkit-") as private:
        copy = Path(private, "course")
        copy.mkdir()
        folders = stand_in(course, copy)
        shutil.copytree(source, folders.source(lab))
        for path in source.parent.iterdir():
            if path.is_file():  # such as a header that nbgrader puts into every notebook
                shutil.copy(path, folders.source(lab).parent)
        with console.status(f"generating {lab}"):
            _generate(copy, lab)
        for student, folder in (
            (_SOLUTION, folders.source(lab)),
            (_BLANK, folders.release(lab)),
        ):
            shutil.copytree(folder, folders.submitted(student, lab))
        entries = grade(copy, lab, console, sandbox=sandbox, allow_shared=True).all()
        books = [notebooks.read(path) for path in sorted(folders.source(lab).glob("*.ipynb"))]
        return Tried(
            sum(1 for book in books for _ in notebooks.tests(book)),
            sum(map(notebooks.automatic_points, books)),
            [problem for entry in entries for problem in _problems(folders, lab, entry)],
        )


def _generate(course: Path, lab: str) -> None:
    log = course / "nbgrader.log"
    if commands.nbgrader(course, "generate_assignment", lab, ALLOWED, log=log) != 0:
        raise InputError(f"nbgrader generate_assignment {lab} fails:\n{commands.end(log)}")


def _problems(folders: Folders, lab: str, entry: Entry) -> Iterator[Problem]:
    for sentence in [*filter(None, [entry.reason]), *entry.flags]:
        yield Problem(f"the {entry.student}", sentence)
    if entry.status != "graded":  # there are no scores, and perhaps no notebook
        return
    for name, scores in entry.scores.items():
        of = notebooks.points(notebooks.read(folders.source(lab) / f"{name}.ipynb"))
        book = notebooks.read(folders.autograded(entry.student, lab) / f"{name}.ipynb")
        for cell in notebooks.tests(book):
            test = cell.metadata.nbgrader["grade_id"]
            score, error = scores[test] or 0.0, notebooks.error(cell)
            # A test of 0 points says by its error alone that it failed.
            right = score == of[test] and not error if entry.student == _SOLUTION else score == 0.0
            if not right:
                why = f": {error}" if error else ""
                found = f"the {entry.student} scores {score:g} of {of[test]:g}{why}"
                yield Problem(f"{name}.ipynb, cell {test!r}", found)
