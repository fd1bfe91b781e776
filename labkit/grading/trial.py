"""`labkit try`: is a lab fair, before anybody hands in?

Its own solution must get every automatic point, and its empty release none. In a course that was
written for nbgrader alone this tells which tests ask for what a submission cannot give from outside
(docs/other-courses.md).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode
from rich.console import Console

from labkit.errors import InputError
from labkit.grading import commands, notebooks
from labkit.grading.lint import Problem, source_folder
from labkit.grading.report import Entry
from labkit.grading.run import grade

_SOLUTION, _BLANK = "solution", "blank"
_FOLDERS = ("source", "release", "submitted", "autograded", "feedback")


def attempt(course: Path, lab: str, console: Console, sandbox: str = "auto") -> list[Problem]:
    """Grade the solution and the release in a folder of their own; the course is only read.

    Args:
        course: an nbgrader course folder, whose configuration holds.
        lab: the assignment, in `source/`.
        console: where progress is shown.
        sandbox: as for `labkit.grading.run.grade`.

    Returns:
        A problem for each test that gives the solution too little or the release anything, and for
        whatever was flagged.

    Raises:
        InputError: there is no such lab, no release can be made of it, or there is no sandbox.
    """
    source = source_folder(course, lab).absolute()
    with tempfile.TemporaryDirectory(prefix="labkit-") as private:
        copy = Path(private, "course")
        _copy(source, copy)
        with console.status(f"generating {lab}"):
            _generate(copy, lab)
        for student, folder in ((_SOLUTION, "source"), (_BLANK, "release")):
            shutil.copytree(copy / folder / lab, copy / "submitted" / student / lab)
        entries = grade(copy, lab, console, sandbox=sandbox).all()
        return [problem for entry in entries for problem in _problems(copy, lab, entry)]


def _copy(source: Path, copy: Path) -> None:
    """The lab, and a configuration that reads the course's own, but for where things lie."""
    shutil.copytree(source, copy / "source" / source.name)
    for path in source.parent.iterdir():
        if path.is_file():  # such as a header that nbgrader puts into every notebook
            shutil.copy(path, copy / "source")
    lines = ["c = get_config()"]
    config = source.parents[1] / "nbgrader_config.py"
    if config.is_file():
        lines.append(f"load_subconfig({str(config)!r})")
    lines += [
        f"c.CourseDirectory.root = {str(copy)!r}",
        f"c.CourseDirectory.db_url = {f'sqlite:///{copy}/gradebook.db'!r}",
        *(f"c.CourseDirectory.{name}_directory = {name!r}" for name in _FOLDERS),
        "c.CourseDirectory.directory_structure = '{nbgrader_step}/{student_id}/{assignment_id}'",
    ]
    (copy / "nbgrader_config.py").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _generate(course: Path, lab: str) -> None:
    log = course / "nbgrader.log"
    if commands.nbgrader(course, "generate_assignment", lab, log=log) != 0:
        raise InputError(f"nbgrader generate_assignment {lab} fails:\n{commands.end(log)}")


def _problems(course: Path, lab: str, entry: Entry) -> Iterator[Problem]:
    for sentence in [*filter(None, [entry.reason]), *entry.flags]:
        yield Problem(f"the {entry.student}", sentence)
    if entry.status != "graded":  # there are no scores, and perhaps no notebook
        return
    for name, scores in entry.scores.items():
        of = notebooks.points(notebooks.read(course / "source" / lab / f"{name}.ipynb"))
        book = notebooks.read(course / "autograded" / entry.student / lab / f"{name}.ipynb")
        for cell in notebooks.tests(book):
            test = cell.metadata.nbgrader["grade_id"]
            score = scores[test] or 0.0
            if score != (of[test] if entry.student == _SOLUTION else 0.0):
                found = f"the {entry.student} scores {score:g} of {of[test]:g}{_error(cell)}"
                yield Problem(f"{name}.ipynb, cell {test!r}", found)


def _error(cell: NotebookNode) -> str:
    """The error with which a test ended, in one line; nothing if it came to its end."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    return " ".join(f": {errors[0].ename}: {errors[0].evalue}".split()) if errors else ""
