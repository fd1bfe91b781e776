"""A whole gradebook in a handful of queries: labs, students, and the marks of each submission.

Going through nbgrader's objects costs several queries a cell, minutes for a large class.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from nbgrader.api import (
    Assignment,
    BaseCell,
    Gradebook,
    GradeCell,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from nbgrader.api import Grade as StoredGrade
from nbgrader.api import Student as StoredStudent
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import select

from labkit.errors import InputError
from labkit.grading.course import Folders

Key = tuple[str, str]  # of a cell: notebook and grade_id


@dataclass(frozen=True)
class Lab:
    """An assignment, and the points of each of its graded cells."""

    name: str
    points: dict[Key, float] = field(default_factory=dict)

    @property
    def max_score(self) -> float:
        """The points that can be had, extra credit aside."""
        return sum(self.points.values())


@dataclass(frozen=True)
class Student:
    """What the gradebook knows of a student; empty where it knows nothing."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""


@dataclass(frozen=True)
class Grade:
    """The parts of a cell's score; None where nothing was given."""

    automatic: float | None
    manual: float | None
    extra_credit: float | None
    needs_person: bool

    @property
    def score(self) -> float:
        """As nbgrader has it: what a person gave goes first; extra credit adds to either."""
        given = self.automatic if self.manual is None else self.manual
        return 0.0 if given is None else given + (self.extra_credit or 0.0)


@dataclass
class Submission:
    """A lab that a student has handed in and that nbgrader has graded."""

    lab: Lab
    timestamp: datetime | None
    grades: dict[Key, Grade] = field(default_factory=dict)
    penalties: dict[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """The mark: all cells, less the late penalties of all notebooks, and never below 0."""
        points = sum(grade.score for grade in self.grades.values())
        return max(0.0, points - sum(self.penalties.values()))

    def waiting(self) -> list[Key]:
        """The cells that still wait for a person, or that were added after it was graded."""
        return [key for key in self.lab.points if self.waits(key)]

    def waits(self, key: Key) -> bool:
        """Whether a cell still waits for a person."""
        grade = self.grades.get(key)
        return grade is None or grade.needs_person


@dataclass
class Marks:
    """What a gradebook holds.

    Args:
        labs: those with graded cells, by name.
        students: by last name, first name and id.
        submissions: by student and lab.
        ungraded: students and labs that were handed in and are not in the gradebook.
    """

    labs: list[Lab]
    students: list[Student]
    submissions: dict[tuple[str, str], Submission]
    ungraded: set[tuple[str, str]] = field(default_factory=set)

    def unfinished(self) -> dict[tuple[str, str], str]:
        """What is not marked to its end, and why, by student and lab."""
        found = {}
        for lab in self.labs:
            for student in self.students:
                both = student.id, lab.name
                submission = self.submissions.get(both)
                if both in self.ungraded:
                    found[both] = "handed in, not graded"
                elif submission is not None and (cells := submission.waiting()):
                    found[both] = ", ".join(name for _, name in cells)
        return found


def read(
    gradebook: Gradebook,
    labs: Collection[str] = (),
    students: Collection[str] = (),
    course: CourseDirectory | None = None,
) -> Marks:
    """Read a gradebook.

    Args:
        gradebook: nbgrader's, open.
        labs: which labs; all that have graded cells if empty.
        students: whose marks; everybody's if empty.
        course: where to look for submissions that the gradebook does not know of.

    Raises:
        InputError: a lab or a student is not there, or no lab has a graded cell.
    """
    stored = _labs(gradebook)
    _known("lab", labs, stored)
    chosen = [lab for lab in stored.values() if (lab.name in labs if labs else lab.points)]
    if empty := [lab.name for lab in chosen if not lab.points]:
        raise InputError(f"{', '.join(empty)} has no graded cells in the gradebook")
    if not chosen:
        raise InputError(
            "the gradebook holds no lab with graded cells: "
            "nbgrader generate_assignment and labkit grade put them there"
        )
    submissions = _submissions(gradebook, {lab.name: lab for lab in chosen})
    names = [lab.name for lab in chosen]
    ungraded = _handed_in(course, names) - submissions.keys() if course else set()
    people = {
        row.id: Student(*(value or "" for value in row))
        for row in gradebook.db.execute(
            select(
                StoredStudent.id,
                StoredStudent.first_name,
                StoredStudent.last_name,
                StoredStudent.email,
                StoredStudent.lms_user_id,
            )
        )
    }
    for student, _ in ungraded:
        people.setdefault(student, Student(student))
    _known("student", students, people)
    return Marks(
        labs=chosen,
        students=sorted(
            (one for one in people.values() if not students or one.id in students),
            key=lambda one: (one.last_name, one.first_name, one.id),
        ),
        submissions=submissions,
        ungraded=ungraded,
    )


def _handed_in(course: CourseDirectory, labs: Collection[str]) -> set[tuple[str, str]]:
    """Students and labs for which there is a folder where submissions are collected."""
    folders = Folders(course, Path())
    return {(student, lab) for lab in labs for student in folders.handed_in(lab)}


def _known(what: str, asked: Collection[str], there: Collection[str]) -> None:
    if missing := sorted(set(asked) - set(there)):
        raise InputError(f"the gradebook knows of no {what} {', '.join(map(repr, missing))}")


def _labs(gradebook: Gradebook) -> dict[str, Lab]:
    """All labs by name, with their cells by notebook and name."""
    names = gradebook.db.scalars(select(Assignment.name).order_by(Assignment.name))
    labs = {name: Lab(name) for name in names}
    cells: list[tuple[str, str, str, float]] = []
    for kind in (GradeCell, TaskCell):
        query = (
            select(Assignment.name, Notebook.name, kind.name, kind.max_score)
            .join(Notebook, kind.notebook_id == Notebook.id)
            .join(Assignment, Notebook.assignment_id == Assignment.id)
        )
        cells += [tuple(row) for row in gradebook.db.execute(query)]
    for lab, notebook, cell, points in sorted(cells):
        labs[lab].points[notebook, cell] = points
    return labs


def _submissions(gradebook: Gradebook, labs: dict[str, Lab]) -> dict[tuple[str, str], Submission]:
    """The submissions of some labs, by student and lab."""
    found: dict[tuple[str, str], Submission] = {}
    by_id: dict[str, Submission] = {}
    query = select(
        SubmittedAssignment.id,
        SubmittedAssignment.student_id,
        Assignment.name,
        SubmittedAssignment.timestamp,
    ).join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    for number, student, lab, timestamp in gradebook.db.execute(query):
        if lab in labs:
            by_id[number] = found[student, lab] = Submission(labs[lab], timestamp)

    notebooks: dict[str, tuple[Submission, str]] = {}
    query = select(
        SubmittedNotebook.id,
        SubmittedNotebook.assignment_id,
        Notebook.name,
        SubmittedNotebook.late_submission_penalty,
    ).join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
    for number, submission, notebook, penalty in gradebook.db.execute(query):
        if submission in by_id:
            by_id[submission].penalties[notebook] = penalty or 0.0
            notebooks[number] = by_id[submission], notebook

    query = select(
        StoredGrade.notebook_id,
        BaseCell.name,
        StoredGrade.auto_score,
        StoredGrade.manual_score,
        StoredGrade.extra_credit,
        StoredGrade.needs_manual_grade,
    ).join(BaseCell, StoredGrade.cell_id == BaseCell.id)
    for number, cell, automatic, manual, extra, needs in gradebook.db.execute(query):
        if number in notebooks:
            graded, notebook = notebooks[number]
            # A cell that nobody has scored waits, whatever its flag says.
            waits = needs or (automatic is None and manual is None)
            graded.grades[notebook, cell] = Grade(automatic, manual, extra, waits)
    return found
