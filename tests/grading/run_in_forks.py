"""Run notebooks cell by cell, those that begin alike in one process as long as they do.

A quick stand-in for nbgrader's autograde: it skips the cells tagged "experiment", which train and
draw, and reports what each graded cell would score. Reads paths of notebooks from standard input,
one a line, and prints a JSON line for each, in any order: its number, counted from 0, and scores.
"""

import ast
import contextlib
import io
import json
import os
import sys
from collections.abc import Collection
from typing import Any

import cv2
import matplotlib
import nbformat
import torch
import torchvision  # noqa: F401 (imported once, for all forks)

import labkit.data
import labkit.widgets  # noqa: F401

Cell = tuple[str, str | None, float]  # source, grade_id, points


def cells(book: nbformat.NotebookNode) -> list[Cell]:
    """The code of a notebook that is to run."""
    return [
        (cell.source, nbgrader.get("grade_id"), nbgrader.get("points"))
        for cell in book.cells
        if cell.cell_type == "code" and "experiment" not in cell.metadata.get("tags", [])
        for nbgrader in [cell.metadata.get("nbgrader", {})]
    ]


class Forks:
    """Runs notebooks; tools/ has others, which stop early or look closer."""

    def follow(
        self, books: dict[int, list[Cell]], names: dict[str, Any], scores: dict[str, Any]
    ) -> None:
        """Run notebooks to their ends and report their scores; all of them have run alike so far.

        Args:
            books: the cells that each has left.
            names: what the cells before have bound.
            scores: of the cells before.
        """
        while len(together := by_next(books)) == 1 and None not in together:
            self.run(*together, names, scores)
            books = {number: left[1:] for number, left in books.items()}
            if self.is_settled(scores):
                together = {None: books}
                break
        if len(together) == 1:
            for number in books:
                self.report(number, scores)
            return
        for group in together.values():
            if os.fork() == 0:
                self.begin(group)
                self.follow(group, names, scores)
                sys.stdout.flush()
                os._exit(0)
            _, status = os.wait()
            self.end(group, status)

    def run(self, cell: Cell, names: dict[str, Any], scores: dict[str, Any]) -> None:
        """Run a cell; if it is graded, note its points, and the error in what students see."""
        source, name, points = cell
        visible, _, hidden = source.partition("### BEGIN HIDDEN TESTS")
        value, error = attempt(visible, names)
        seen = error
        if hidden and not error:
            value, error = attempt(hidden, names)
        if points is not None:
            partial = value if isinstance(value, int | float) else points
            scores[name] = (0.0 if error else float(partial), seen)

    def is_settled(self, scores: dict[str, Any]) -> bool:
        """Whether the cells that are left need not be run."""
        return False

    def report(self, number: int, scores: dict[str, Any]) -> None:
        """Tell what a notebook scores."""
        print(json.dumps([number, scores]))

    def begin(self, group: Collection[int]) -> None:
        """Called in a new process, with its notebooks."""

    def end(self, group: Collection[int], status: int) -> None:
        """Called in the old process when the new one has ended."""
        if status:
            sys.exit(f"a process ended with status {status}, of the notebooks {sorted(group)}")


def by_next(books: dict[int, list[Cell]]) -> dict[Cell | None, dict[int, list[Cell]]]:
    """Notebooks by the cell that is next; None at the end."""
    found: dict[Cell | None, dict[int, list[Cell]]] = {}
    for number, left in books.items():
        found.setdefault(left[0] if left else None, {})[number] = left
    return found


def attempt(source: str, names: dict[str, Any]) -> tuple[object, str]:
    """The value of code, and the error that it ended in, if it did."""
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            return run_source(source, names), ""
        except Exception as problem:
            return None, f"{type(problem).__name__}: {problem}"


def run_source(source: str, names: dict[str, Any]) -> object:
    """Execute code; the value of its last expression, if it ends in one."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None


def one_thread() -> None:
    """A fork has one thread, and would wait for the others."""
    matplotlib.use("Agg")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


if __name__ == "__main__":
    one_thread()
    paths = [line.strip() for line in sys.stdin]
    books = {i: cells(nbformat.read(path, as_version=4)) for i, path in enumerate(paths)}
    Forks().follow(books, {"__name__": "__main__"}, {})
