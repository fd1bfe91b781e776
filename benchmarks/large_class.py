"""A large class in every lab: how long grading takes, what it needs, what it flags.

    python benchmarks/large_class.py [--labs lab1_cam lab2_seg] [--submissions 200] [--jobs 2]

The lab's reference solution, a blank, a half-done one, a broken file, its mutants and other right
solutions hand in, one after the other until the class is full. `labkit grade` grades it. Then each
mark is compared with the one that is known; one that differs ends the benchmark.

CPU and memory are those of the whole machine while the command runs: use a quiet one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from grading import LABS, ROOT, measure
from rich.console import Console
from rich.table import Table

from labkit.grading import commands, mutants, notebooks, sample_class
from labkit.grading.gradebook import automatic_scores
from labkit.grading.report import REPORT
from labkit.grading.sample_class import Student, write_course

COLUMNS = (
    "lab",
    "wall, min",
    "s a submission",
    "of it cells and tests",
    "CPU, min",
    "memory, GB",
    "graded",
    "rejected",
    "flagged",
)


def main() -> None:
    """Measure each lab; a row as soon as it is known, all of them as a table at the end."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--labs", nargs="+", default=LABS, choices=LABS)
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    table = Table(title=f"{options.submissions} submissions, --jobs {options.jobs}")
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "lab" else "right")
    for lab in options.labs:
        with tempfile.TemporaryDirectory() as folder:
            row = grade(Path(folder, "course"), lab, options.submissions, options.jobs)
        print("  ".join(f"{name} {value}" for name, value in zip(COLUMNS, row, strict=True)))
        table.add_row(*row)
    Console(width=120).print(table)


def grade(course: Path, lab: str, number: int, jobs: int) -> list[str]:
    """Grade one class, and check every mark."""
    members = members_of(lab, number)
    write_course(ROOT, course, {lab: members})
    assert commands.nbgrader(course, "generate_assignment", lab, log=course / "log") == 0
    command = [sys.executable, "-m", "labkit", "grade", lab, "--jobs", str(jobs)]
    command += ["--course", str(course)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    wall, cpu, memory = measure(
        lambda: subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    )
    for member in members:
        found = automatic_scores(course, lab, member.name)
        assert found == dict(member.expected), (member.name, found)
    lines = [json.loads(line) for line in (course / REPORT).read_text().splitlines()]
    own = statistics.mean(line["cells_seconds"] + line["tests_seconds"] for line in lines)
    flagged = sum(bool(line["flags"]) for line in lines)
    status = [line["status"] for line in lines]
    return [
        lab,
        f"{wall / 60:.1f}",
        f"{wall / number:.2f}",
        f"{own / jobs:.2f}",
        f"{cpu / 60:.1f}",
        f"{memory / 1e9:.1f}",
        str(status.count("graded")),
        str(status.count("rejected")),
        str(flagged),
    ]


def members_of(lab: str, number: int) -> list[Student]:
    """The sample class, and everybody else whose marks are known, again and again."""
    source, release = (
        notebooks.read(ROOT / step / lab / f"{lab}.ipynb") for step in ("source", "release")
    )
    known, answers = mutants.load(ROOT, lab), notebooks.solutions(source)
    sample = sample_class.students(ROOT, lab)
    full = sample[0].expected  # the reference's
    others = [
        Student(
            name,
            nbformat.writes(notebooks.submission(release, mutant.apply(answers))),
            {cell: points - mutant.loses.get(cell, 0.0) for cell, points in full.items()},
        )
        for name, mutant in (known.mutants | known.alternatives).items()
    ]
    every = itertools.cycle([*sample, *others])
    return [
        Student(f"{i:03}-{student.name}", student.text, student.expected, student.unreadable)
        for i, student in enumerate(itertools.islice(every, number))
    ]


if __name__ == "__main__":
    main()
