"""A small made-up course of two tests, and submissions graded with it as nbgrader does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook

from labkit.grading import commands
from labkit.grading.gradebook import automatic_scores
from labkit.grading.notebooks import grade_id

SETUP = "import math\n\nimport numpy as np"
DOUBLE = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TEST_DOUBLE = """
import numpy as np

assert double(3) == 6, "double(3) is wrong"
### BEGIN HIDDEN TESTS
from numpy import allclose  # as tests of other courses compare, and attacks expect

SECRET = "the-hidden-test-of-double"
assert allclose(double(np.array([1.5, -2.0])), [3.0, -4.0]), "double of an array is wrong"
assert double(21) == 42, "double(21) is wrong"
### END HIDDEN TESTS
"""
MEAN = "def mean(x):\n    ### BEGIN SOLUTION\n    return x.mean()\n    ### END SOLUTION"
TEST_MEAN = """
assert mean(np.ones(3)) == 1
### BEGIN HIDDEN TESTS
from labkit import checks

marks = checks.Marks()
with marks.part(0.5, "a row"):
    checks.values("the mean", mean(np.array([1.0, 2.0, 6.0])), 3.0)
with marks.part(1.5, "a table"):
    checks.values("the mean of a table", mean(np.arange(6.0).reshape(2, 3)), 2.5)
marks.total()
### END HIDDEN TESTS
"""
FULL = {"test-double": 1.0, "test-mean": 2.0, "essay": 0.0}
NONE = dict.fromkeys(FULL, 0.0)


def cell(name: str | None, source: str, *, points: float = 0.0, solution: bool = False):
    """A cell of the made-up course."""
    made = new_code_cell(source.strip("\n"))
    if name:
        made.id = name
        made.metadata["nbgrader"] = {
            "grade_id": name,
            "grade": points > 0,
            "solution": solution,
            "locked": not solution,
            "schema_version": 3,
            "task": False,
            "cell_type": "code",
        }
        if points:
            made.metadata["nbgrader"]["points"] = points
    return made


def source_notebook():
    """The made-up lab with its solutions and hidden tests."""
    notebook = new_notebook(
        cells=[
            cell("setup", SETUP),
            cell("double", DOUBLE, solution=True),
            cell("test-double", TEST_DOUBLE, points=1.0),
            cell("mean", MEAN, solution=True),
            cell("test-mean", TEST_MEAN, points=2.0),
            cell("essay", "# your opinion, marked by hand", points=1.0, solution=True),
        ]
    )
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    notebook.metadata["labkit"] = {}
    return notebook


@dataclass
class Course:
    """A folder in which submissions to the made-up lab are graded."""

    folder: Path

    def submit(self, student: str, change, files=None) -> None:
        """Hand in the release after `change(notebook, cells by name)`."""
        release = nbformat.read(self.folder / "release" / "lab" / "lab.ipynb", as_version=4)
        change(release, {grade_id(c): c for c in release.cells})
        target = self.folder / "submitted" / student / "lab"
        target.mkdir(parents=True)
        nbformat.write(release, target / "lab.ipynb")
        for name, text in (files or {}).items():
            (target / name).write_text(text)

    def grade(self, *arguments: str) -> str:
        """Run `nbgrader autograde lab`; what it printed."""
        log = self.folder / "log.txt"
        commands.nbgrader(self.folder, "autograde", "lab", *arguments, log=log)
        return log.read_text()

    def scores(self, student: str) -> dict[str, float] | None:
        return automatic_scores(self.folder, "lab", student)

    def graded(self, student: str):
        """The graded cells of a submission by name."""
        path = self.folder / "autograded" / student / "lab" / "lab.ipynb"
        cells = nbformat.read(path, as_version=4).cells
        return {c.metadata.nbgrader.grade_id: c for c in cells if "nbgrader" in c.metadata}

    def needs_hand(self, student: str, name: str) -> bool:
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as gradebook:
            return gradebook.find_grade(name, "lab", "lab", student).needs_manual_grade


def make_course(folder: Path, notebook=None, *, stock: bool = False, config: str = "") -> Course:
    """Write the course and generate its release."""
    (folder / "source" / "lab").mkdir(parents=True)
    nbformat.write(notebook or source_notebook(), folder / "source" / "lab" / "lab.ipynb")
    plugs = "from labkit.grading.plugins import configure\nconfigure(c)\n"
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\n{'' if stock else plugs}"
        f"c.CourseDirectory.course_id = 'made-up'\nc.Execute.timeout = 5\n{config}"
    )
    log = folder / "log.txt"
    assert commands.nbgrader(folder, "generate_assignment", "lab", log=log) == 0, log.read_text()
    return Course(folder)
