"""A table to compute with: one row for each student, lab, notebook and cell."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.grading.exports.base import Export, whose
from labkit.grading.exports.marks import Grade, Lab, Marks, Student
from labkit.grading.exports.sheet import number, table, text

HEADER = (
    "student",
    "last_name",
    "first_name",
    "email",
    "lab",
    "submitted",
    "notebook",
    "cell",
    "max_points",
    "points",
    "automatic",
    "manual",
    "extra_credit",
    "needs_person",
    "notebook_late_penalty",
)


class TidyExport(Export):
    """CSV for pandas, R or a spreadsheet.

    `points` is what counts for the cell: `manual` where a person has given it, else `automatic`,
    and `extra_credit` on top. `notebook_late_penalty` belongs to the notebook and stands in each
    of its rows: a lab's mark is the sum of its points less the penalty of each of its notebooks
    once, and at least 0. Without a submission the row is there, and its points are empty, or 0
    with `missing=zero`. What was handed in and not graded has needs_person 1 and no points.
    """

    default_name = "marks.csv"

    def content(self, marks: Marks) -> tuple[bytes, list[str]]:
        """All rows; cells that wait for a person are in it, with needs_person 1."""
        rows = [
            row
            for student in marks.students
            for lab in marks.labs
            for row in self._rows(marks, student, lab)
        ]
        unfinished = marks.unfinished()
        sentences = [f"Not marked to the end {whose(unfinished)}."] if unfinished else []
        return table([HEADER, *rows]), sentences

    def _rows(self, marks: Marks, student: Student, lab: Lab) -> Iterator[tuple[str, ...]]:
        """A row for each cell of a lab."""
        both = student.id, lab.name
        submission = marks.submissions.get(both)
        handed_in = submission is not None or both in marks.ungraded
        time = submission.timestamp if submission else None
        for (notebook, cell), points in lab.points.items():
            grade = submission.grades.get((notebook, cell)) if submission else None
            waits = submission.waits((notebook, cell)) if submission else handed_in
            yield (
                text(student.id),
                text(student.last_name),
                text(student.first_name),
                text(student.email),
                text(lab.name),
                f"{time.isoformat()}Z" if time else "",
                text(notebook),
                text(cell),
                number(points),
                number(self._points(grade, handed_in)),
                number(grade.automatic if grade else None),
                number(grade.manual if grade else None),
                number(grade.extra_credit if grade else None),
                str(int(waits)),
                number(submission.penalties.get(notebook) if submission else None),
            )

    def _points(self, grade: Grade | None, handed_in: bool) -> float | None:
        """What counts for a cell; None if nobody has scored it."""
        if grade is not None and (grade.automatic, grade.manual) != (None, None):
            return grade.score
        return 0.0 if self.missing == "zero" and not handed_in else None
