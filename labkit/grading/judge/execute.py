"""nbgrader's `Execute`, which hands a submission to a worker that runs and judges it.

Everything that the gradebook and the instructor's notebook know of it goes with it, so that the
worker reads neither.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests

from labkit.grading import notebooks, order
from labkit.grading.judge.runner import Settings, perform
from labkit.grading.task import Result, Task


class NotRun(Exception):
    """A notebook could not be run; the message is a sentence that says why."""


class Execute(Settings):
    """Has a submission run; what was seen of the run is left in `resources["labkit"]`, a `Run`."""

    perform: Callable[[Task], Result] = staticmethod(perform)

    def preprocess(
        self, nb: NotebookNode, resources: Any, km: Any = None
    ) -> tuple[NotebookNode, Any]:
        """Run all cells, tests in a judge's process.

        Raises:
            NotRun: there is no kernel for it, or it took its worker down.
        """
        result = self.perform(self._task(nb, resources))
        if result.error is not None:
            raise NotRun(result.error)
        done, resources["labkit"] = result.notebook_and_run()
        return done, resources

    def _task(self, nb: NotebookNode, resources: Any) -> Task:
        tests = _tests_of(nb, resources)
        lab = self._folder(resources)
        course = CourseDirectory(parent=self)
        known = about(course, resources["nbgrader"]["assignment"], resources["unique_key"])
        return Task(
            notebook=nb,
            work=resources["metadata"]["path"],
            lab=None if lab is None else str(lab),
            tests=tests,
            imports=known.imports,
            modules=known.modules,
            withheld=known.withheld,
            packages=known.packages,
            released={} if known.ours else self._released(tests, resources),
            settings=self._settings(),
            seconds=self.total_timeout,
        )

    def _released(self, tests: dict[int, str], resources: Any) -> dict[int, str]:
        """What students were given of the tests.

        The later cells of a course not written for a judge may use names of its tests.
        """
        found = {}
        for index, test in tests.items():
            shown = new_code_cell(test, metadata={"nbgrader": {"grade": True}})
            # Delimiters that do not pair up: what is hidden cannot be told.
            with contextlib.suppress(RuntimeError):
                ClearHiddenTests(parent=self).preprocess_cell(shown, resources, index)
                found[index] = shown.source
        return found

    def _settings(self) -> dict[str, Any]:
        """What was set for this class or those above it, as far as it is plain data."""
        names = self.trait_names(config=True)
        values = {name: getattr(self, name) for name in names if self.trait_has_value(name)}
        return {
            name: value
            for name, value in values.items()
            if isinstance(value, str | int | float | list | dict | None)
        }

    def _folder(self, resources: Any) -> Path | None:
        """The lab's folder in source/, which no student has written to."""
        course = CourseDirectory(parent=self)
        lab = resources["nbgrader"]["assignment"]
        folder = Path(course.format_path(course.source_directory, ".", lab)).resolve()
        return folder if folder.is_dir() else None


def _tests_of(nb: NotebookNode, resources: Any) -> dict[int, str]:
    """The tests of a submission: the gradebook's text by the position of the cell.

    Flags in the notebook that say otherwise than the gradebook are mended on the way: a student
    who declares a written answer to be a test would have it run as one.
    """
    names = resources["nbgrader"]
    with Gradebook(names["db_url"]) as gradebook:
        known = gradebook.find_notebook(names["notebook"], names["assignment"])
        points = {cell.name: cell.max_score for cell in known.grade_cells}
        sources = {cell.name: cell for cell in known.source_cells}
        tests, seen = {}, set()
        for index, cell in enumerate(nb.cells):
            if "nbgrader" not in cell.metadata:
                continue
            name = notebooks.grade_id(cell)
            if name not in sources or name in seen:
                del cell.metadata["nbgrader"]  # nothing that this course knows of
                continue
            seen.add(name)
            flags, source = cell.metadata.nbgrader, sources[name]
            flags["grade"] = name in points
            if flags["grade"]:
                # Of the cells with points, the locked ones are tests, and the rest are answers.
                flags["solution"] = not source.locked
                flags["points"] = points[name]
            if flags["grade"] and source.locked and source.cell_type == "code":
                tests[index] = source.source
    return tests


@dataclass
class Source:
    """What the instructor's notebook says of a lab: the student's says anything."""

    imports: dict[str, str] = field(default_factory=dict)  # statements by the name that each binds
    modules: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    packages: list[str] | None = None  # the only ones that students may import; None for all
    ours: bool = False


_read: dict[tuple[Any, ...], Source] = {}  # by the files that it was read from, and their times


def about(course: CourseDirectory, lab: str, name: str) -> Source:
    """What an instructor's notebook says, with the header and footer that students get around it.

    Args:
        course: where the course's folders are.
        lab: the assignment.
        name: of its notebook, without the suffix.

    Returns:
        What it says; nothing if it is not there.

    Raises:
        InputError: it cannot be read, so that nobody knows what it withholds.
    """
    path = Path(course.format_path(course.source_directory, ".", lab), f"{name}.ipynb").resolve()
    if not path.is_file():
        return Source()
    files = [path, *order.header_and_footer(course)]
    key = tuple((file, file.stat().st_mtime_ns) for file in files if file.is_file())
    if key not in _read:
        _read[key] = _source(order.with_header_and_footer(course, lab, name), path)
    return _read[key]


def _source(notebook: NotebookNode, path: Path) -> Source:
    ours = "labkit" in notebook.metadata
    if ours:
        notebooks.check(notebook, path)
    imports, modules = _imports_of(notebook)
    own = notebook.metadata.get("labkit", {})
    packages = list(own.get("packages", [])) if ours else None
    return Source(imports, modules, list(own.get("withheld", [])), packages, ours)


def _imports_of(notebook: NotebookNode) -> tuple[dict[str, str], list[str]]:
    """Import statements, by the name that each binds, and the modules that a kernel imports.

    Tests in other courses use `np` that a cell further up has imported. Names that the notebook
    binds in another way too are left out: those may be the student's to write.
    """
    found: dict[str, str] = {}
    bound: set[str] = set()
    modules: set[str] = set()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for statement in _statements(cell.source):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                if not utils.is_grade(cell):  # tests do not run in the kernel
                    modules.update(_modules(statement))
                if not utils.is_solution(cell):
                    found |= _bindings(statement)
            else:
                bound.update(_names_bound(statement))
    return {name: line for name, line in found.items() if name not in bound}, sorted(modules)


def _modules(statement: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(statement, ast.ImportFrom):
        return [statement.module] if statement.module else []
    return [alias.name for alias in statement.names]


def _statements(source: str) -> list[ast.stmt]:
    lines = ["" if line.startswith(("%", "!")) else line for line in source.split("\n")]
    try:
        return ast.parse("\n".join(lines)).body
    except SyntaxError:
        return []


def _bindings(statement: ast.Import | ast.ImportFrom) -> dict[str, str]:
    found = {}
    for alias in statement.names:
        one = (
            ast.Import([alias])
            if isinstance(statement, ast.Import)
            else ast.ImportFrom(statement.module, [alias], statement.level)
        )
        if alias.name != "*":
            found[alias.asname or alias.name.partition(".")[0]] = ast.unparse(one)
    return found


def _names_bound(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
