"""Reading marks and labs from nbgrader's gradebook, and clearing marks that no longer stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    SourceCell,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.nbgraderformat import SCHEMA_VERSION
from nbgrader.preprocessors import NbGraderPreprocessor

from labkit.grading import kernelspecs
from labkit.grading.notebooks import grade_id
from labkit.grading.order import merged

_NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


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


def scores(submission: SubmittedAssignment) -> dict[str, dict[str, float | None]]:
    """The score of each graded cell by notebook and grade_id.

    What a person gave goes before what the tests gave; None waits for a person.
    """
    return {
        notebook.name: {
            grade.name: grade.auto_score if grade.manual_score is None else grade.manual_score
            for grade in notebook.grades
        }
        for notebook in submission.notebooks
    }


def master(
    notebook: Notebook,
    orders: Iterable[list[NotebookNode]],
    hide: Collection[NbGraderPreprocessor],
) -> NotebookNode:
    """A lab's notebook as students got it.

    What a cell is, what it is worth and what it says comes from the gradebook, which alone decides
    in nbgrader. It holds no solutions, and hidden tests are taken out here, so that triage never
    has anything in its hands that students must not see. The order of the cells and their ids,
    which the gradebook does not keep, come from what was released.

    Args:
        notebook: nbgrader's entry.
        orders: the lab's cells in each order that is known, the surest first; see `order`.
        hide: nbgrader's preprocessors that take out what students must not see.
    """
    known = {cell.name: _cell(notebook, cell) for cell in notebook.source_cells}
    for cell in known.values():
        for preprocessor in hide:
            preprocessor.preprocess_cell(cell, {}, 0)

    def name(cell: NotebookNode) -> str | None:
        found = grade_id(cell)
        return found if isinstance(found, str) and found in known else None

    surest, *others = [*orders, list(known.values())]
    for other in others:  # the last: nbgrader stores cells one after the other
        surest = merged(surest, other, name)
    made = new_notebook()
    for cell in surest:
        own = known.pop(name(cell) or "", None)
        if own is None:
            own = NotebookNode(cell_type=cell.cell_type, metadata=NotebookNode(), source="")
        if "id" in cell:
            own.id = cell.id
        made.cells.append(own)
    kernel = kernelspecs.of_lab(notebook.kernelspec)
    if kernel is not None:
        made.metadata["kernelspec"] = kernel
    return made


def _cell(notebook: Notebook, source: SourceCell) -> NotebookNode:
    """A cell of a lab with the metadata that `nbgrader generate_assignment` gave it."""
    points = {cell.name: cell.max_score for cell in [*notebook.grade_cells, *notebook.task_cells]}
    metadata = NotebookNode(
        schema_version=SCHEMA_VERSION,
        grade_id=source.name,
        grade=source.name in {cell.name for cell in notebook.grade_cells},
        solution=source.name in {cell.name for cell in notebook.solution_cells},
        task=source.name in {cell.name for cell in notebook.task_cells},
        locked=bool(source.locked),
        cell_type=source.cell_type,
    )
    if source.name in points:
        metadata.points = points[source.name]
    if source.checksum:
        metadata.checksum = source.checksum
    cell = _NEW[source.cell_type](source.source, metadata=NotebookNode(nbgrader=metadata))
    del cell["id"]
    return cell


def complete(submission: SubmittedAssignment) -> None:
    """Give a submission a place for each score and comment that its lab has now.

    nbgrader makes them when a submission is first seen, and never again: without this, a notebook
    that was added later has none, nor has a submission that stood for an extension before.
    """
    there = {notebook.notebook_id for notebook in submission.notebooks}
    for notebook in submission.assignment.notebooks:
        if notebook.id not in there:
            submission.notebooks.append(SubmittedNotebook(notebook=notebook))
    for submitted in submission.notebooks:
        cells = submitted.notebook
        graded = {grade.cell_id for grade in submitted.grades}
        noted = {comment.cell_id for comment in submitted.comments}
        for cell in [*cells.grade_cells, *cells.task_cells]:
            if cell.id not in graded:
                submitted.grades.append(Grade(cell_id=cell.id, needs_manual_grade=True))
        for cell in [*cells.solution_cells, *cells.task_cells]:
            if cell.id not in noted:
                submitted.comments.append(Comment(cell_id=cell.id))


def clear_automatic_scores(submission: SubmittedAssignment, notebooks: Collection[str]) -> None:
    """Take back what was scored automatically; what a person gave or wrote stays.

    A cell without a score waits for a person, so that nobody takes it for marked.
    """
    for notebook in _of(submission, notebooks):
        notebook.late_submission_penalty = None  # it was a share of the old score
        for grade in notebook.grades:
            grade.auto_score = None
            grade.needs_manual_grade = True
        for comment in notebook.comments:
            comment.auto_comment = None


def score_zero(submission: SubmittedAssignment, notebooks: Collection[str]) -> None:
    """Record 0 for each cell of notebooks that cannot be graded; what a person gave stays."""
    clear_automatic_scores(submission, notebooks)
    for notebook in _of(submission, notebooks):
        for grade in notebook.grades:
            grade.auto_score = 0.0
            # As nbgrader does: a score given by hand is to be looked at again.
            grade.needs_manual_grade = grade.manual_score is not None


def unfinished(submission: SubmittedAssignment) -> bool:
    """Whether a test has no score: grading was begun and did not come to its end."""
    for notebook in submission.notebooks:
        answers = {cell.name for cell in notebook.notebook.solution_cells}
        tests = {cell.name for cell in notebook.notebook.grade_cells} - answers
        if any(grade.auto_score is None for grade in notebook.grades if grade.name in tests):
            return True
    return False


def _of(submission: SubmittedAssignment, names: Collection[str]) -> list[SubmittedNotebook]:
    return [notebook for notebook in submission.notebooks if notebook.name in names]
