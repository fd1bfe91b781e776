"""What the judge costs: a question to a kernel, and a submission of a lab.

    python benchmarks/judge.py [--lab lab1_cam] [--submissions 5]

The same reference solution is graded by `labkit grade` and, in turn with it, run as one notebook
in a plain kernel, hidden tests included. The judge's cost is the time of the judged tests less the
time of the same tests in the kernel. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbformat import NotebookNode
from rich.console import Console

from labkit.grading import commands, notebooks, run
from labkit.grading.judge.namespace import Names
from labkit.grading.sample_class import Student, write_course
from labkit.grading.sandbox import bubblewrap

ROOT = Path(__file__).parents[1]
QUESTIONS = 300


def main() -> None:
    """Measure, and print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lab", default="lab1_cam")
    parser.add_argument("--submissions", type=int, default=5)
    options = parser.parse_args()
    with _kernel() as names:
        for what, arguments in {
            "a number": (1,),
            "an array of 32 x 32": (np.ones((32, 32)),),
            "a batch of 8 images, 64 x 64": (np.ones((8, 3, 64, 64), np.float32),),
        }.items():
            _show(f"question: {what} there and back, ms", _ask(names, *arguments))
    with tempfile.TemporaryDirectory() as folder:
        _submissions(Path(folder), options.lab, options.submissions)


def _show(what: str, values: list[float]) -> None:
    print(f"{what:<55}{statistics.median(values):8.2f}  ({min(values):.2f} to {max(values):.2f})")


@contextmanager
def _kernel() -> Iterator[Names]:
    """The names of a test, whose questions go to a kernel of their own."""
    manager, client = start_new_kernel(kernel_name="python3")
    client.execute_interactive("same = lambda value: value")
    connection = manager.get_connection_info()
    names = Names(connection | {"key": connection["key"].decode()}, 60.0, {})
    yield names
    names.link.close()
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def _ask(names: Names, *arguments: Any) -> list[float]:
    same = names["same"]
    found = []
    for _ in range(QUESTIONS):
        began = time.perf_counter()
        same(*arguments)
        found.append(1000 * (time.perf_counter() - began))
    return found


def _submissions(folder: Path, lab: str, number: int) -> None:
    source = notebooks.read(ROOT / "source" / lab / f"{lab}.ipynb")
    release = notebooks.read(ROOT / "release" / lab / f"{lab}.ipynb")
    answers = notebooks.solutions(source)
    text = nbformat.writes(notebooks.submission(release, answers))
    students = [f"student-{i}" for i in range(number + 1)]
    course = folder / "course"
    write_course(ROOT, course, {lab: [Student(name, text, {}) for name in students]})
    assert commands.nbgrader(course, "generate_assignment", lab, log=folder / "log") == 0
    sandbox = "none" if bubblewrap.why_not() else "auto"
    ours, plain = [], []
    for name in students:
        outcome = run.grade(course, lab, Console(quiet=True), students=[name], sandbox=sandbox)
        (entry,) = outcome.graded
        assert entry.score == notebooks.automatic_points(source), entry
        ours.append(entry)
        work = folder / "plain"
        shutil.copytree(ROOT / "source" / lab, work, dirs_exist_ok=True)
        plain.append(_in_a_kernel(notebooks.submission(source, answers), work))
    _show("submission: all of it, graded, s", [entry.seconds for entry in ours[1:]])
    _show("submission: its own cells, s", [entry.cells_seconds for entry in ours[1:]])
    _show("submission: its tests, judged, s", [entry.tests_seconds for entry in ours[1:]])
    _show("plain kernel: the same cells, s", [cells for cells, _ in plain[1:]])
    _show("plain kernel: the same tests, s", [tests for _, tests in plain[1:]])
    costs = [entry.tests_seconds - tests for entry, (_, tests) in zip(ours, plain, strict=True)]
    _show("the judge: judged tests less the same in a kernel, s", costs[1:])
    print(f"{'the first submission, which starts the judge, s':<55}{costs[0]:8.2f}")


def _in_a_kernel(book: NotebookNode, work: Path) -> tuple[float, float]:
    """Seconds of the ordinary cells and of the tests, in one kernel."""
    client = NotebookClient(book, timeout=600, kernel_name="python3")
    client.execute(cwd=str(work))
    tests = {cell.id for cell in notebooks.tests(book)}
    seconds = {cell.id: _took(cell) for cell in book.cells if cell.cell_type == "code"}
    of_tests = sum(value for name, value in seconds.items() if name in tests)
    return sum(seconds.values()) - of_tests, of_tests


def _took(cell: NotebookNode) -> float:
    times = cell.metadata["execution"]
    began, ended = (
        datetime.fromisoformat(times[name])
        for name in ("iopub.execute_input", "shell.execute_reply")
    )
    return (ended - began).total_seconds()


if __name__ == "__main__":
    main()
