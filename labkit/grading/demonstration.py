"""`labkit course`: generate every lab, grade a sample class, and compare its marks."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from labkit.errors import InputError
from labkit.grading import commands, notebooks, report, sample_class
from labkit.grading.access import ALLOWED
from labkit.grading.course import Folders
from labkit.grading.gradebook import automatic_scores
from labkit.grading.sample_class import Student
from labkit.grading.sandbox import bubblewrap

_GRADING = re.compile(r"Autograding .*[/\\]autograded[/\\](?P<student>[^/\\]+)[/\\]")


def demonstrate(root: Path, course: Path, console: Console) -> bool:
    """Generate every lab of the repository, and grade a sample class in a folder of its own.

    Args:
        root: the course repository.
        course: where the sample class is graded; an earlier one there is replaced.
        console: where progress and the table of grades are printed.

    Returns:
        Whether every submission got exactly the marks that it should.

    Raises:
        InputError: there is no lab in `root`, or one of nbgrader's commands fails as a whole.
    """
    folders = Folders.of(root)
    labs = folders.labs()
    if not labs:
        raise InputError(
            f"there is no lab in {folders.source('LAB').parent}: run this in the course repository"
        )
    log = root / ".nbgrader.log"
    log.unlink(missing_ok=True)
    for lab in labs:
        with console.status(f"generating {lab}"):
            # Without the database: a real class may be graded in this folder.
            _must_work(root, "generate_assignment", lab, "--force", "--no-db", ALLOWED, log=log)
        console.print(f"generated {os.path.relpath(folders.release(lab), folders.root)}")
    classes = {lab: sample_class.students(root, lab) for lab in labs}
    sample = sample_class.write_course(root, course, classes)
    log = course / "nbgrader.log"
    if reason := bubblewrap.why_not():
        console.print(f"Graded without a sandbox: {reason}.")
    right = True
    for lab, members in classes.items():
        _grade(course, lab, members, log, console)
        right &= _report(folders, sample, lab, members, console)
    console.print(_what_to_open(course, sample, labs[0]), highlight=False)
    return right


def _must_work(course: Path, *arguments: str, log: Path) -> None:
    if commands.nbgrader(course, *arguments, log=log) != 0:
        print(commands.end(log), file=sys.stderr)
        raise InputError(f"nbgrader {' '.join(arguments)} failed; above is the end of {log}")


def _grade(course: Path, lab: str, members: list[Student], log: Path, console: Console) -> None:
    """Run the three commands of an instructor. A broken file makes autograde's exit code 1."""
    with console.status(f"{lab}: preparing") as status:
        _must_work(course, "generate_assignment", lab, ALLOWED, log=log)
        done = 0

        def on_line(line: str) -> None:
            nonlocal done
            if match := _GRADING.search(line):
                done += 1
                status.update(f"{lab}: autograding {match['student']} ({done} of {len(members)})")

        arguments = ("autograde", lab, ALLOWED, *bubblewrap.options())
        commands.nbgrader(course, *arguments, log=log, on_line=on_line)
        status.update(f"{lab}: writing feedback")
        _must_work(course, "generate_feedback", lab, log=log)


def _report(
    folders: Folders, sample: Folders, lab: str, members: list[Student], console: Console
) -> bool:
    source = notebooks.read(folders.source(lab) / f"{lab}.ipynb")
    tasks = source.metadata["labkit"]["tasks"]
    console.print(f"\n{lab}, automatic marks:", style="bold")
    for number, task in enumerate(tasks, 1):
        console.print(f"  {number}  {task['name']}, {task['points']:g} points", highlight=False)
    by_hand = set(notebooks.points(source)) - {
        cell.metadata.nbgrader["grade_id"] for cell in notebooks.tests(source)
    }
    columns = {
        str(number): task["cells"]
        for number, task in enumerate(tasks, 1)
        if not by_hand.issuperset(task["cells"])
    }
    table = Table(padding=(0, 1, 0, 0))  # narrow: some labs have ten tasks
    table.add_column("submission", no_wrap=True)
    for name in [*columns, "total"]:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("right", no_wrap=True)
    right = True
    wrong = []
    for student in members:
        scores = automatic_scores(sample.root, lab, student.name)
        as_expected = (
            scores == dict(student.expected)
            and _graded(sample.root, lab, student)
            and not (student.name == sample_class.REFERENCE and _failed(sample, lab))
        )
        right &= as_expected
        if not as_expected:
            wrong.append(student)
        verdict = "yes" if as_expected else "[red]no[/red]"
        table.add_row(student.name, *_marks(columns, scores), verdict)
    console.print(table)
    for student in wrong:
        wanted = ", ".join(f"{cell} {points:g}" for cell, points in student.expected.items())
        console.print(f"[red]{student.name}: expected {wanted}[/red]")
    for student in members:
        if student.unreadable:
            console.print(f"{student.name} is no notebook: nbgrader reported it and went on.")
    waiting = sum(notebooks.points(source).values()) - notebooks.automatic_points(source)
    console.print(
        f"{notebooks.automatic_points(source):g} points are given automatically, {waiting:g} more "
        "by hand, in the formgrader."
    )
    return right


def _graded(course: Path, lab: str, student: Student) -> bool:
    """Whether the report says "rejected" exactly of a submission that cannot be read."""
    status = None
    for entry in report.read(course):
        if (entry.get("lab"), entry.get("student")) == (lab, student.name):
            status = entry.get("status")
    return status == ("rejected" if student.unreadable else "graded")


def _failed(sample: Folders, lab: str) -> bool:
    """Whether the reference fails a test: one of 0 points takes no marks."""
    book = notebooks.read(sample.autograded(sample_class.REFERENCE, lab) / f"{lab}.ipynb")
    return any(map(notebooks.error, notebooks.tests(book)))


def _marks(columns: Mapping[str, Sequence[str]], scores: dict[str, float] | None) -> Iterator[str]:
    if scores is None:
        yield from ["-"] * (len(columns) + 1)
        return
    for cells in columns.values():
        yield f"{sum(scores[cell] for cell in cells):g}"
    yield f"{sum(scores.values()):g}"


def _what_to_open(course: Path, sample: Folders, lab: str) -> str:
    page = sample.feedback("half-done", lab) / f"{lab}.html"
    return (
        f"\nA student's feedback, to open in a browser:\n  {page}\n"
        "The class as an instructor sees it:\n"
        f"  cd {course}; jupyter lab; then the menu Nbgrader > Formgrader\n"
        f"What nbgrader printed:\n  {course / 'nbgrader.log'}"
    )
