"""Run notebooks cell by cell, each in a fork of a process that has imported torch.

A quick stand-in for nbgrader's autograde: it skips the cells tagged "experiment", which train and
draw, and reports what each graded cell would score. Reads paths of notebooks from standard input,
one a line, and prints a JSON line for each.
"""

import ast
import contextlib
import io
import json
import os
import sys
from pathlib import Path

import matplotlib
import nbformat
import torch
import torchvision  # noqa: F401 (imported once, for all forks)

import labkit.data
import labkit.widgets  # noqa: F401


def run_cell(source: str, names: dict) -> object:
    """Execute a cell; the value of its last expression, if it ends in one."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None


def scores(path: Path) -> dict[str, tuple[float, str]]:
    """The points of each graded code cell, and the error that it ended in, if it did."""
    names: dict = {"__name__": "__main__"}
    found = {}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code" or "experiment" in cell.metadata.get("tags", []):
            continue
        nbgrader = cell.metadata.get("nbgrader", {})
        error = ""
        value = None
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                value = run_cell(cell.source, names)
            except Exception as problem:
                error = f"{type(problem).__name__}: {problem}"
        if "points" in nbgrader:
            partial = value if isinstance(value, int | float) else nbgrader["points"]
            found[nbgrader["grade_id"]] = (0.0 if error else float(partial), error)
    return found


def in_fork(path: Path) -> dict[str, tuple[float, str]]:
    """The scores of a notebook that cannot change this process."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        with os.fdopen(writing, "w") as answer:
            json.dump(scores(path), answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.wait()
    return json.loads(text)


if __name__ == "__main__":
    matplotlib.use("Agg")
    torch.set_num_threads(1)  # a fork has one thread; OpenMP would wait for the others
    for line in sys.stdin:
        print(json.dumps(in_fork(Path(line.strip()))), flush=True)
