"""A lab's cells change after submissions were graded: nbgrader refuses that, and this does it.

The gradebook gets the cells that the lab has now, and the kernel that it names. Each submission
gets a place for the scores of new cells and notebooks, which the next grading fills in, and loses
those of cells that are gone. What a person gave for cells that stay is not touched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    GradeCell,
    MissingEntry,
    Notebook,
    SolutionCell,
    SourceCell,
    TaskCell,
)
from nbgrader.preprocessors import SaveCells as StockSaveCells
from traitlets import Bool

from labkit.grading.gradebook import complete


class MarkedByHand(Exception):
    """A cell is to go for which a person has given points or written a comment."""


class SaveCells(StockSaveCells):
    """nbgrader's step, also where there are submissions."""

    remove_marked = Bool(
        False, help="Remove cells from the gradebook even if somebody has marked them by hand."
    ).tag(config=True)

    def _create_notebook(self, nb: NotebookNode) -> None:
        """Bring the gradebook's cells up to date; nbgrader then finds none added or removed."""
        try:
            notebook = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        except MissingEntry:
            notebook = None
        graded = notebook is not None and bool(notebook.submissions)
        if graded:
            self._amend(notebook)
            notebook.kernelspec = json.dumps(nb.metadata.get("kernelspec", {}))
        super()._create_notebook(nb)
        for submission in self.gradebook.find_assignment(self.assignment_id).submissions:
            complete(submission)
        self.gradebook.db.commit()
        if graded:
            self._say_what_is_above(notebook)

    def _amend(self, notebook: Notebook) -> None:
        """In one transaction: all of it, or nothing."""
        with self.gradebook.db.no_autoflush:
            for kind, now in (
                (GradeCell, self.new_grade_cells),
                (TaskCell, self.new_task_cells),
                (SolutionCell, self.new_solution_cells),
                (SourceCell, self.new_source_cells),
            ):
                cells = self.gradebook.db.query(kind).filter_by(notebook_id=notebook.id).all()
                self._remove(notebook, [cell for cell in cells if cell.name not in now])
                known = {cell.name for cell in cells}
                self._add(notebook, kind, {n: about for n, about in now.items() if n not in known})
        self.gradebook.db.commit()

    def _remove(self, notebook: Notebook, cells: Iterable[BaseCell | SourceCell]) -> None:
        session = self.gradebook.db
        for cell in cells:
            if not isinstance(cell, SourceCell):
                grades = session.query(Grade).filter_by(cell_id=cell.id).all()
                comments = session.query(Comment).filter_by(cell_id=cell.id).all()
                marked = {row.notebook.student.id for row in [*grades, *comments] if _by_hand(row)}
                if marked and not self.remove_marked:
                    session.rollback()
                    raise MarkedByHand(
                        f"the cell '{cell.name}' of '{notebook.name}' is gone, but was marked by "
                        f"hand for {', '.join(sorted(marked))}: leave it in, or add "
                        "--SaveCells.remove_marked=True to give up these marks"
                    )
                for row in [*grades, *comments]:
                    session.delete(row)
                session.flush()
                self.log.warning(
                    "'%s' is no longer in '%s': its scores are gone", cell.name, notebook.name
                )
            session.delete(cell)
        session.flush()

    def _add(
        self,
        notebook: Notebook,
        kind: type[BaseCell | SourceCell],
        new: Mapping[str, Mapping[str, Any]],
    ) -> None:
        session = self.gradebook.db
        for name, about in new.items():
            session.add(kind(name=name, notebook=notebook, **about))
            if kind is not SourceCell:
                self.log.warning("'%s' is new in '%s': grade it again", name, notebook.name)

    def _say_what_is_above(self, notebook: Notebook) -> None:
        """Name the marks of a person that are more than a cell is worth now; they stay."""
        for submitted in notebook.submissions:
            for grade in submitted.grades:
                if (grade.manual_score or 0) > grade.cell.max_score:
                    self.log.warning(
                        "%s has %g points by hand for '%s', which is worth %g now",
                        submitted.student.id,
                        grade.manual_score,
                        grade.cell.name,
                        grade.cell.max_score,
                    )


def _by_hand(row: Grade | Comment) -> bool:
    if isinstance(row, Grade):
        return row.manual_score is not None or bool(row.extra_credit)
    return bool(row.manual_comment)
