"""A lab of two tasks and a question that needs no torch, for tests of grading itself."""

import copy
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

LAB = "tiny"
ANSWERS = {"f": "def f(x):\n    return x + 1", "g": "def g(x):\n    return 2 * x"}
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
CONFIG = "from labkit.grading.plugins import configure\n\nc = get_config()\nconfigure(c)\n"


def cell(name, text, kind="code", **nbgrader):
    make = new_code_cell if kind == "code" else new_markdown_cell
    metadata = {"grade_id": name, "grade": False, "solution": False, "locked": False}
    metadata |= {"task": False, "schema_version": 3, **nbgrader}
    return make(text, id=name, metadata={"nbgrader": metadata})


def task(name, visible, hidden):
    body = f"    ### BEGIN SOLUTION\n{ANSWERS[name].split(chr(10))[1]}\n    ### END SOLUTION"
    hide = f"### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    return [
        new_markdown_cell(f"## Task {name}", id=f"title-{name}"),
        cell(f"about-{name}", f"Write `{name}`.", "markdown", locked=True),
        cell(name, f"def {name}(x):\n{body}", solution=True),
        cell(f"test-{name}", f"{visible}\n{hide}", grade=True, locked=True, points=2),
    ]


def source() -> NotebookNode:
    """What the instructor has written."""
    cells = [
        new_code_cell("import math", id="imports"),
        *task("f", "assert f(1) == 2", "assert f(5) == 6"),
        *task("g", "assert g(1) == 2", "assert g(5) == 10"),
        cell("why", "*Your answer*", "markdown", grade=True, solution=True, points=3),
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": dict(KERNEL)})


def handed_in(f=ANSWERS["f"], g=ANSWERS["g"], why="Because.") -> NotebookNode:
    """What an honest student hands in; the hidden tests were never in it."""
    book = copy.deepcopy(source())
    texts = {"f": f, "g": g, "why": why}
    for each in book.cells:
        each.source = texts.get(each.id, each.source.split("\n### BEGIN HIDDEN")[0])
    return book


def make(course: Path) -> None:
    """Write the configuration and the lab's source into an existing folder."""
    (course / "nbgrader_config.py").write_text(CONFIG)
    (folder := course / "source" / LAB).mkdir(parents=True)
    nbformat.write(source(), folder / f"{LAB}.ipynb")


def hand_in(course: Path, student: str, book: NotebookNode | str | bytes) -> Path:
    """Put a submission where nbgrader collects them; the path of its notebook."""
    folder = course / "submitted" / student / LAB
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{LAB}.ipynb"
    text = nbformat.writes(book) if isinstance(book, NotebookNode) else book
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
