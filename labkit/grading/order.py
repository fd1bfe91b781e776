"""In which order the cells of a lab stand: what was released decides.

nbgrader's gradebook keeps the cells of a lab, and not their order. Triage needs it to put a deleted
or moved test back where it belongs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import IncludeHeaderFooter

from labkit.errors import InputError
from labkit.grading.notebooks import read_leniently

T = TypeVar("T")


def known_orders(course: CourseDirectory, lab: str, notebook: str) -> Iterator[list[NotebookNode]]:
    """The cells of a lab's notebook, in each order that is known, the surest first.

    The release is what students were given. Where it is not kept, or cannot be read, there is what
    nbgrader makes of the instructor's notebook as it is now.

    Args:
        course: where the course's folders are, and what the configuration calls them.
        lab: the assignment.
        notebook: its name, without the suffix.
    """
    with suppress(InputError):
        yield _cells(read_leniently(_path(course, course.release_directory, lab, notebook)))
    with suppress(InputError):
        yield _cells(with_header_and_footer(course, lab, notebook))


def with_header_and_footer(course: CourseDirectory, lab: str, notebook: str) -> NotebookNode:
    """The instructor's notebook with the cells that nbgrader puts around it; nothing is run.

    Raises:
        InputError: there is no such notebook, or it cannot be read.
    """
    source = read_leniently(_path(course, course.source_directory, lab, notebook))
    step = _header_and_footer(course)
    # A header that is gone: the gradebook has its cells, and the notebook's own order is known.
    with suppress(Exception):
        source, _ = step.preprocess(source, {})
    return source


def header_and_footer(course: CourseDirectory) -> list[Path]:
    """The files with the cells that nbgrader puts around each notebook, if there are any."""
    step = _header_and_footer(course)
    return [Path(file) for file in (step.header, step.footer) if file]


def _header_and_footer(course: CourseDirectory) -> IncludeHeaderFooter:
    step = IncludeHeaderFooter(parent=course)
    for part in ("header", "footer"):  # as nbgrader has them, relative to the course's folder
        setattr(step, part, getattr(step, part) and str(Path(course.root, getattr(step, part))))
    return step


def _path(course: CourseDirectory, step: str, lab: str, notebook: str) -> Path:
    return Path(course.format_path(step, ".", lab), f"{notebook}.ipynb")


def _cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Of a notebook that may be damaged, what are cells."""
    return [
        cell
        for cell in notebook.get("cells", ())
        if isinstance(cell, NotebookNode)
        and "cell_type" in cell
        and isinstance(cell.get("metadata"), NotebookNode)
    ]


def merged(order: Sequence[T], other: Sequence[T], name: Callable[[T], Hashable | None]) -> list[T]:
    """`order`, and what only `other` has, each behind what it follows in `other`.

    Args:
        order: it stays as it is.
        other: another order of some of the same things, and of more.
        name: what tells that two of them are the same; None for what is not to be added.
    """
    there = {name(each) for each in order}
    behind: dict[Any, list[T]] = defaultdict(list)
    last: Hashable | None = None
    for each in other:
        if (own := name(each)) is None:
            continue
        if own in there:
            last = own
        else:
            behind[last].append(each)
    found = list(behind.pop(None, ()))
    for each in order:
        found.append(each)
        found += behind.pop(name(each), ())
    return found
