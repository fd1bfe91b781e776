"""What nbgrader runs of ours, and the one call that plugs it in.

In a course's `nbgrader_config.py`:

```
from labkit.grading.plugins import configure
configure(get_config())
```
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbgrader.apps.api
import nbgrader.apps.generateassignmentapp
from nbformat import NotebookNode
from nbgrader.converters import Autograde, GenerateAssignment, NbGraderException
from nbgrader.exchange.default import ExchangeCollect
from nbgrader.preprocessors import AssignLatePenalties as StockAssignLatePenalties
from nbgrader.preprocessors import Execute as StockExecute
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.preprocessors import SaveCells as StockSaveCells

from labkit.errors import InputError
from labkit.grading import access, autograde, feedback, storage
from labkit.grading.amend import SaveCells
from labkit.grading.course import Folders
from labkit.grading.judge.execute import Execute
from labkit.grading.late import AssignLatePenalties
from labkit.grading.lint import Problem, lint_release, lint_source
from labkit.grading.notebooks import read

_OURS = {
    StockExecute: Execute,
    "nbgrader.preprocessors.Execute": Execute,
    StockAssignLatePenalties: AssignLatePenalties,
    "nbgrader.preprocessors.AssignLatePenalties": AssignLatePenalties,
    StockSaveCells: SaveCells,
    "nbgrader.preprocessors.SaveCells": SaveCells,
}

_STOCK_COLLECT = (
    ExchangeCollect,
    "nbgrader.exchange.ExchangeCollect",
    "nbgrader.exchange.default.ExchangeCollect",
)


class LintFailed(Exception):
    """A lab is not fit to be released; the message lists what to mend."""

    def __init__(self, problems: list[Problem]) -> None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{len(problems)} problems stop the release of this lab:\n{lines}")


class CheckedGenerateAssignment(GenerateAssignment):
    """nbgrader's step, where the course and its gradebook can be used."""

    def start(self) -> None:
        """Generate, unless others can write to the course.

        Raises:
            NbGraderException: they can, or nothing can be stored.
        """
        folders = Folders(self.coursedir, Path())
        allow = access.CourseAccess(parent=self).allow_shared
        lab = self.coursedir.assignment_id
        try:
            if not self.no_database:
                storage.check(folders, write=True)
            access.guard(folders, lab, self.log.warning, allow=allow, option=access.ALLOWED)
            with storage.noticing(folders):
                super().start()
        except (InputError, storage.Stuck) as error:
            self.log.error(str(error))
            raise NbGraderException(str(error)) from error

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """As nbgrader does."""
        with storage.noticing(Folders(self.coursedir, Path())):
            super().init_assignment(assignment_id, student_id)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """As nbgrader does."""
        with storage.noticing(Folders(self.coursedir, Path())):
            super().convert_single_notebook(notebook_filename)


class LintSource(NbGraderPreprocessor):
    """Stops `generate_assignment` before it touches a lab that has problems."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Pass the notebook on unchanged, or raise LintFailed."""
        problems = lint_source(_path(resources))
        if problems:
            raise LintFailed(problems)
        return nb, resources


class LintRelease(NbGraderPreprocessor):
    """Stops `generate_assignment` when what students would get gives something away."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Pass the notebook on unchanged, or raise LintFailed."""
        problems = lint_release(nb, read(_path(resources)))
        if problems:
            raise LintFailed(problems)
        return nb, resources


def _path(resources: Any) -> Path:
    """The file that nbconvert is working on."""
    return Path(resources["metadata"]["path"]) / f"{resources['metadata']['name']}.ipynb"


def configure(config: Any) -> None:
    """Plug labkit into nbgrader: lint, triage, sandbox, judge and clean pages.

    What nbgrader collects from its exchange is closed to others.

    Preprocessors that the course has chosen itself stay; nbgrader's `Execute`, `SaveCells` and
    `AssignLatePenalties` among them become ours. Called twice, it changes nothing more. Kernels
    that nbgrader starts from then on compute with one thread, unless OMP_NUM_THREADS says
    otherwise.

    Args:
        config: what `get_config()` gives in an `nbgrader_config.py`.
    """
    made = config.GenerateAssignment.get(
        "preprocessors", GenerateAssignment.preprocessors.default()
    )
    config.GenerateAssignment.preprocessors = [
        LintSource,
        *(_OURS.get(step, step) for step in made if step not in (LintSource, LintRelease)),
        LintRelease,
    ]
    steps = config.Autograde.get(
        "autograde_preprocessors", Autograde.autograde_preprocessors.default()
    )
    config.Autograde.autograde_preprocessors = [_OURS.get(step, step) for step in steps]
    # A marking scheme stands in the locked cell of its question, above the student's answer, so
    # that whoever marks sees both; nbgrader expects it in a task cell unless told otherwise.
    config.ClearMarkScheme.enforce_metadata = False
    if config.ExchangeFactory.get("collect", ExchangeCollect) in _STOCK_COLLECT:
        config.ExchangeFactory.collect = access.ClosedCollect
    # As for grading (`autograde.bind`), nbgrader has no setting for it.
    nbgrader.apps.generateassignmentapp.GenerateAssignment = CheckedGenerateAssignment
    nbgrader.apps.api.GenerateAssignment = CheckedGenerateAssignment
    autograde.bind()
    feedback.bind()
    # Tests compute little; on a busy machine, threads that wait for each other cost ten times it.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
