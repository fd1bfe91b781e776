"""A table to compute with: one row for each student, lab, notebook and cell."""

from __future__ import annotations

from labkit.grading.exports.base import Export
from labkit.grading.exports.marks import Grade, Marks
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
        rows = [HEADER, *self._rows(marks)]
        unfinished = marks.unfinished()
        if not unfinished:
            return table(rows), []
        return table(rows), [
            f"{len(unfinished)} submissions are not marked to their end: "
            "needs_person is 1 in the rows that wait."
        ]

    def _rows(self, marks: Marks) -> list[tuple[str, ...]]:
        rows = []
        for student in marks.students:
            who = tuple(
                map(text, (student.id, student.last_name, student.first_name, student.email))
            )
            for lab in marks.labs:
                both = student.id, lab.name
                submission = marks.submissions.get(both)
                ungraded = both in marks.ungraded
                time = submission.timestamp if submission else None
                for (notebook, cell), points in lab.points.items():
                    grade = submission.grades.get((notebook, cell)) if submission else None
                    waits = submission.waits((notebook, cell)) if submission else ungraded
                    penalty = submission.penalties.get(notebook) if submission else None
                    rows.append(
                        (
                            *who,
                            text(lab.name),
                            f"{time.isoformat()}Z" if time else "",
                            text(notebook),
                            text(cell),
                            number(points),
                            *self._parts(grade, zero=submission is None and not ungraded),
                            str(int(waits)),
                            number(penalty),
                        )
                    )
        return rows

    def _parts(self, grade: Grade | None, zero: bool) -> tuple[str, str, str, str]:
        """Points, automatic, manual and extra credit."""
        if grade is None:
            return ("0" if zero and self.missing == "zero" else "", "", "", "")
        parts = grade.automatic, grade.manual, grade.extra_credit
        scored = grade.automatic is not None or grade.manual is not None
        return (
            number(grade.score if scored else None),
            number(parts[0]),
            number(parts[1]),
            number(parts[2]),
        )
