"""What a worker is given and what it gives back: plain data, as one line of JSON each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from nbformat import NotebookNode, from_dict

from labkit.grading.json_data import may_have_halves, without_halves
from labkit.grading.outputs import tidied
from labkit.grading.report import Run


@dataclass
class Task:
    """One notebook to run and judge.

    Args:
        notebook: as nbgrader has cleaned it.
        work: the folder of the files that were handed in beside it.
        lab: the lab's folder in source/; None if there is none.
        tests: the gradebook's text of each test by the position of its cell.
        imports: import statements of the instructor's notebook, by the name that each binds.
        modules: that it imports where cells run in the kernel.
        withheld: modules of labkit that the kernel is not to see.
        packages: the only ones that the kernel is to see, beside those of `modules` and what
            labkit needs; None for all that are installed.
        released: of tests that are to run in the kernel as well, what students were given of them.
        settings: of `Runner`.
        seconds: that it may take in all; whoever waits for it waits a little longer.
    """

    notebook: dict[str, Any]
    work: str
    lab: str | None
    tests: dict[int, str]
    imports: dict[str, str]
    modules: list[str]
    withheld: list[str]
    packages: list[str] | None
    released: dict[int, str]
    settings: dict[str, Any]
    seconds: float

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Task:
        """What `to_json` has written."""
        task = cls(**json.loads(text))
        task.tests, task.released = (
            {int(index): source for index, source in texts.items()}
            for texts in (task.tests, task.released)
        )
        return task


@dataclass
class Result:
    """What came of it.

    Args:
        notebook: with its outputs, the verdicts among them; None if it could not be run.
        run: what was seen meanwhile.
        error: why it could not be run, as a sentence.
        cold: why its kernel was started anew rather than forked, where that was wanted.
        lost: a process of it ended, and nobody knows why; it is worth another try.
        crowded: it may have lost marks to what ran beside it.
    """

    notebook: dict[str, Any] | None = None
    run: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    cold: str | None = None
    lost: bool = False
    crowded: bool = False

    def to_json(self) -> str:
        """One line, of nothing that could not be stored, whatever a kernel has said."""
        made = vars(self)
        if self.notebook is not None:
            notebook, flags = tidied(self.notebook)
            run = self.run | {"flags": [*self.run["flags"], *flags]}
            made = made | {"notebook": notebook, "run": run}
        text = json.dumps(made)
        return json.dumps(without_halves(made)[0]) if may_have_halves(text) else text

    @classmethod
    def from_json(cls, text: str) -> Result:
        """What `to_json` has written."""
        return cls(**json.loads(text))

    def notebook_and_run(self) -> tuple[NotebookNode, Run]:
        """Both, as nbgrader and the report want them."""
        return from_dict(self.notebook), Run(**self.run)
