"""Reading lab notebooks: nbgrader's cell metadata, solutions, and solved submissions."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader import utils

from labkit.errors import InputError

BEGIN_SOLUTION = "BEGIN SOLUTION"
END_SOLUTION = "END SOLUTION"
BEGIN_HIDDEN = "BEGIN HIDDEN TESTS"
END_HIDDEN = "END HIDDEN TESTS"
BEGIN_SCHEME = "BEGIN MARK SCHEME"
END_SCHEME = "END MARK SCHEME"
DELIMITERS = (
    (BEGIN_SOLUTION, END_SOLUTION),
    (BEGIN_HIDDEN, END_HIDDEN),
    (BEGIN_SCHEME, END_SCHEME),
)


def read(path: Path) -> NotebookNode:
    """Read a notebook as nbformat 4.

    Raises:
        InputError: there is no such file, or it is no notebook.
    """
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise InputError(f"there is no notebook {path}") from None
    except (ValueError, nbformat.ValidationError) as error:
        raise InputError(f"{path} is not a notebook: {error}") from error


def grade_id(cell: NotebookNode) -> str | None:
    """nbgrader's name of a cell; None for a cell that nbgrader knows nothing of."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def graded(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """The cells that carry points, both tests and written answers."""
    return (cell for cell in notebook.cells if utils.is_grade(cell))


def tests(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """The cells that carry points and are marked by running them."""
    return (cell for cell in graded(notebook) if not utils.is_solution(cell))


def points(notebook: NotebookNode) -> dict[str, float]:
    """The points of each graded cell by its grade_id."""
    return {
        cell.metadata.nbgrader["grade_id"]: float(cell.metadata.nbgrader["points"])
        for cell in graded(notebook)
    }


def automatic_points(notebook: NotebookNode) -> float:
    """The points that nobody has to give by hand."""
    return sum(float(cell.metadata.nbgrader["points"]) for cell in tests(notebook))


def solutions(notebook: NotebookNode) -> dict[str, str]:
    """The text of each solution cell by its grade_id, without the delimiters."""
    return {
        cell.metadata.nbgrader["grade_id"]: "\n".join(
            line
            for line in cell.source.split("\n")
            if BEGIN_SOLUTION not in line and END_SOLUTION not in line
        )
        for cell in notebook.cells
        if utils.is_solution(cell)
    }


def submission(
    release: NotebookNode, answers: dict[str, str], only: Collection[str] | None = None
) -> NotebookNode:
    """A release with some of its solution cells filled in, as a student would hand it in.

    Args:
        release: the notebook that students get.
        answers: texts by the grade_id of the solution cell.
        only: the cells to fill in; None for all of `answers`.
    """
    filled = nbformat.from_dict(release)
    for cell in filled.cells:
        name = grade_id(cell)
        if name in answers and (only is None or name in only):
            cell.source = answers[name]
    return filled
