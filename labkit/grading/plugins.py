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

from nbformat import NotebookNode
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.preprocessors import AssignLatePenalties as StockAssignLatePenalties
from nbgrader.preprocessors import Execute as StockExecute
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.preprocessors import SaveCells as StockSaveCells

from labkit.grading import autograde, feedback
from labkit.grading.amend import SaveCells
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


class LintFailed(Exception):
    """A lab is not fit to be released; the message lists what to mend."""

    def __init__(self, problems: list[Problem]) -> None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{len(problems)} problems stop the release of this lab:\n{lines}")


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
    autograde.bind()
    feedback.bind()
    # Tests compute little; on a busy machine, threads that wait for each other cost ten times it.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
