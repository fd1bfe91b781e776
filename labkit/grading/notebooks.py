"""Reading lab notebooks: nbgrader's cell metadata, solutions, and solved submissions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils

from labkit.errors import InputError
from labkit.plain import fits

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


# What labkit and nbgrader read of a lab's metadata; more may be there.
_LABKIT = {
    "tasks": list[dict[str, Any]],
    "files": list[str],
    "withheld": list[str],
    "packages": list[str],
}
_TASK = {"name": str, "points": float, "cells": list[str]}


def read(path: Path) -> NotebookNode:
    """Read a notebook as nbformat 4, with metadata that can be relied on.

    Raises:
        InputError: there is no such file, it is no notebook, or metadata of nbgrader's or labkit's
            are nothing that they can be; names the cell.
    """
    notebook = read_leniently(path)
    check(notebook, path)
    return notebook


def read_leniently(path: Path) -> NotebookNode:
    """Read a notebook as nbgrader does, which only logs what is not as it should be in one.

    Raises:
        InputError: there is no such file, or it is no notebook at all.
    """
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise InputError(f"there is no notebook {path}") from None
    except OSError as error:
        raise InputError(f"the notebook {path} cannot be read: {error.strerror}") from error
    except Exception as error:  # nbformat's readers of odd files fail in every possible way
        raise InputError(f"{path} is not a notebook: {error}") from error


def check(notebook: NotebookNode, path: Path) -> None:
    """Refuse a notebook that is not as its format wants it, or metadata that nobody can use.

    Raises:
        InputError: names the file, and the cell whose metadata are wrong.
    """
    try:
        nbformat.validate(notebook, relax_add_props=True)
    except nbformat.ValidationError as error:
        raise InputError(f"{path} is not a notebook: {error.message}") from error
    except Exception as error:
        raise InputError(f"{path} is not a notebook: {error}") from error
    for number, cell in enumerate(notebook.cells, 1):
        own = cell.metadata.get("nbgrader", {})
        where = f"{path}, cell {number}: the metadata of nbgrader"
        if not isinstance(own, dict):
            raise InputError(f"{where} are {own!r}, expected names with values")
        counts = any(own.get(kind) for kind in ("grade", "solution", "locked", "task"))
        wanted: dict[str, Any] = {"grade_id": str} if counts or "grade_id" in own else {}
        if own.get("grade"):
            wanted["points"] = float
        _check_types(own, wanted, where)
    own = notebook.metadata.get("labkit", {})
    where = f"{path}, the notebook's metadata: labkit"
    if not isinstance(own, dict):
        raise InputError(f"{where} is {own!r}, expected names with values")
    _check_types(own, {name: _LABKIT[name] for name in _LABKIT if name in own}, where)
    for number, task in enumerate(own.get("tasks", []), 1):
        _check_types(task, _TASK, f"{where}, task {number}")


def _check_types(values: Mapping[str, Any], kinds: Mapping[str, Any], where: str) -> None:
    for name, kind in kinds.items():
        if not fits(values.get(name), kind):
            given = repr(values[name]) if name in values else "missing"
            what = {str: "a text", float: "a number"}.get(kind, "a list, as other labs have it")
            raise InputError(f"{where}: {name} is {given}, expected {what}")


def grade_id(cell: NotebookNode) -> str | None:
    """nbgrader's name of a cell; None for a cell that nbgrader knows nothing of."""
    own = cell.metadata.get("nbgrader")
    return own.get("grade_id") if isinstance(own, dict) else None


def graded(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """The cells that carry points, both tests and written answers."""
    return (cell for cell in notebook.cells if utils.is_grade(cell))


def tests(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """The cells that carry points and are marked by running them."""
    return (cell for cell in graded(notebook) if not utils.is_solution(cell))


def error(cell: NotebookNode) -> str:
    """The error with which a code cell ended, in one line; empty if it came to its end."""
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    return " ".join(f"{errors[0].ename}: {errors[0].evalue}".split()) if errors else ""


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
