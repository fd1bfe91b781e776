"""What grading a class costs, stock nbgrader beside ours, in one run.

    python benchmarks/grading.py [--labs lab1_cam lab2_seg] [--submissions 40] [--stock 10]
                                 [--jobs 1 2]

The reference solution of each lab, handed in many times, is graded by nbgrader with a bare
configuration and by `labkit grade` with one and with two workers. The overhead of a submission is

    wall time x workers / submissions - the cells' own time

CPU and memory are those of the whole machine while the command runs: use a quiet one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.console import Console
from rich.table import Table

from labkit.grading import commands, notebooks
from labkit.grading.gradebook import automatic_scores
from labkit.grading.report import REPORT
from labkit.grading.sample_class import Student, write_course
from labkit.grading.sandbox import bubblewrap

ROOT = Path(__file__).parents[1]
LABS = sorted(path.parent.name for path in ROOT.glob("source/*/*.ipynb"))
BARE = """
c = get_config()
c.CourseDirectory.course_id = "labkit"
c.ClearMarkScheme.enforce_metadata = False  # the labs have marking schemes in locked cells
c.Execute.timeout = 120
"""


@dataclass(frozen=True)
class Cost:
    """Of grading a class once; seconds and bytes."""

    number: int  # of submissions
    wall: float
    cpu: float
    memory: float
    workers: int
    cells: float  # of one submission: its cells and the tests
    parts: dict[str, float]  # of one submission, where that is known


def main() -> None:
    """Measure, and print one table for each lab."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--labs", nargs="+", default=LABS, choices=LABS)
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--jobs", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--stock", type=int, help="submissions that nbgrader grades, if not all")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for lab in options.labs:
        with tempfile.TemporaryDirectory() as folder:
            costs = {}
            number = options.submissions if options.stock is None else options.stock
            if number:
                costs["nbgrader"] = stock(Path(folder, "stock"), lab, number)
            for jobs in options.jobs:
                course = Path(folder, f"ours-{jobs}")
                costs[f"labkit --jobs {jobs}"] = ours(course, lab, options.submissions, jobs)
        show(lab, costs)


def stock(course: Path, lab: str, number: int) -> Cost:
    """nbgrader with a bare configuration."""
    make_class(course, lab, number)
    (course / "nbgrader_config.py").write_text(BARE)
    wall, cpu, memory = measure(lambda: autograde(course, lab))
    check(course, lab, number)
    books = [notebooks.read(path) for path in course.glob(f"autograded/*/{lab}/{lab}.ipynb")]
    cells = statistics.median(sum(map(took, book.cells)) for book in books)
    return Cost(number, wall, cpu, memory, 1, cells, {})


def ours(course: Path, lab: str, number: int, jobs: int) -> Cost:
    """`labkit grade`, with the configuration of this course."""
    make_class(course, lab, number)
    sandbox = "none" if bubblewrap.why_not() else "auto"
    command = [sys.executable, "-m", "labkit", "grade", lab, "--jobs", str(jobs)]
    command += ["--course", str(course), "--sandbox", sandbox]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    wall, cpu, memory = measure(
        lambda: subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    )
    check(course, lab, number)
    lines = [json.loads(line) for line in (course / REPORT).read_text().splitlines()]

    def median(*names: str) -> float:
        return statistics.median(sum(line[name] for name in names) for line in lines)

    known = ("cells_seconds", "tests_seconds", "kernel_seconds")
    rest = [line["seconds"] - sum(line[name] for name in known) for line in lines]
    parts = {
        "kernel": median("kernel_seconds"),
        "triage, files, gradebook": statistics.median(rest),
        "starting and ending": sum(
            max(0.0, line["seconds"] - median("seconds")) for line in lines[:jobs]
        )
        / number,
    }
    return Cost(number, wall, cpu, memory, jobs, median("cells_seconds", "tests_seconds"), parts)


def make_class(course: Path, lab: str, number: int) -> None:
    """A course in which the reference solution is handed in by everybody."""
    source = notebooks.read(ROOT / "source" / lab / f"{lab}.ipynb")
    release = notebooks.read(ROOT / "release" / lab / f"{lab}.ipynb")
    text = nbformat.writes(notebooks.submission(release, notebooks.solutions(source)))
    write_course(ROOT, course, {lab: [Student(name, text, {}) for name in members(number)]})
    assert commands.nbgrader(course, "generate_assignment", lab, log=course / "log") == 0


def members(number: int) -> list[str]:
    """Names of students."""
    return [f"student-{i:03}" for i in range(number)]


def autograde(course: Path, lab: str) -> None:
    """Run `nbgrader autograde`."""
    assert commands.nbgrader(course, "autograde", lab, log=course / "log") == 0


def check(course: Path, lab: str, number: int) -> None:
    """Everybody has full marks, or the times say nothing."""
    source = notebooks.read(ROOT / "source" / lab / f"{lab}.ipynb")
    for name in members(number):
        scores = automatic_scores(course, lab, name)
        assert scores and sum(scores.values()) == notebooks.automatic_points(source), (name, scores)
    shutil.rmtree(course / "submitted")


def took(cell: NotebookNode) -> float:
    """Seconds that a cell ran, as the kernel says."""
    times = cell.metadata.get("execution", {})
    if "shell.execute_reply" not in times or "iopub.execute_input" not in times:
        return 0.0
    began, ended = (
        datetime.fromisoformat(times[name])
        for name in ("iopub.execute_input", "shell.execute_reply")
    )
    return (ended - began).total_seconds()


def measure(work: Callable[[], object]) -> tuple[float, float, float]:
    """Wall time, CPU time and the most memory, the machine's own before it taken off."""
    free = available()
    least = [free]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            least[0] = min(least[0], available())

    watch = threading.Thread(target=look)
    watch.start()
    busy, began = cpu(), time.perf_counter()
    try:
        work()
    finally:
        over.set()
        watch.join()
    return time.perf_counter() - began, cpu() - busy, free - least[0]


def available() -> float:
    """Bytes of memory that are free or can be freed."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return 1024.0 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1])


def cpu() -> float:
    """Seconds that all cores together have been busy."""
    user, nice, system, *_ = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def show(lab: str, costs: dict[str, Cost]) -> None:
    """One table."""
    table = Table(title=lab)
    for name in (
        "",
        "submissions",
        "wall, s",
        "CPU, s",
        "memory, GB",
        "cells' own, s",
        "overhead, s",
    ):
        table.add_column(name, justify="left" if not name else "right")
    for name, cost in costs.items():
        overhead = cost.wall * cost.workers / cost.number - cost.cells
        figures = (cost.wall, cost.cpu, cost.memory / 1e9, cost.cells, overhead)
        table.add_row(name, str(cost.number), *(f"{figure:.2f}" for figure in figures))
    console = Console(width=110)
    console.print(table)
    for name, cost in costs.items():
        if cost.parts:
            parts = ", ".join(f"{part} {seconds:.2f}" for part, seconds in cost.parts.items())
            console.print(f"{name}, seconds of a submission besides its cells: {parts}")


if __name__ == "__main__":
    main()
