"""Reading marks from nbgrader's gradebook."""

from __future__ import annotations

from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry


def automatic_scores(
    course: Path, lab: str, student: str, notebook: str | None = None
) -> dict[str, float] | None:
    """The automatic score of each graded cell of one submission, by grade_id.

    A cell that nothing has scored yet counts 0, as nbgrader's own total has it.

    Args:
        course: the course folder, which holds `gradebook.db`.
        lab: the assignment.
        student: nbgrader's student id.
        notebook: which notebook of the assignment; None for the one named like it.

    Returns:
        The scores, or None if the gradebook knows of no such submission.
    """
    with Gradebook(f"sqlite:///{course.resolve() / 'gradebook.db'}") as gradebook:
        try:
            found = gradebook.find_submission_notebook(notebook or lab, lab, student)
        except MissingEntry:
            return None
        return {grade.cell.name: grade.auto_score or 0.0 for grade in found.grades}
