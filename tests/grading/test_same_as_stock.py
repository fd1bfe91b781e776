"""Marks of honest work are those of stock nbgrader, cell by cell, in this course's labs."""

import shutil
from pathlib import Path

import nbformat
import pytest

from labkit.grading import commands, mutants, notebooks, sample_class
from labkit.grading.gradebook import automatic_scores
from labkit.grading.sample_class import Student, write_course
from labkit.grading.sandbox import bubblewrap

ROOT = Path(__file__).parents[2]
STOCK = """
c = get_config()
c.CourseDirectory.course_id = "labkit"
c.ClearMarkScheme.enforce_metadata = False  # the labs have marking schemes in locked cells
c.Execute.timeout = 120
"""
OTHERS = 5  # mutants besides those of the sample class
# Cells that train and draw, for no test; half of the time of a submission.
SKIPPED = "--Execute.skip_cells_with_tag=experiment"


def members(lab: str) -> list[Student]:
    """The sample class, what cannot be read aside, and mutants of other cells than theirs."""
    release = notebooks.read(ROOT / "release" / lab / f"{lab}.ipynb")
    answers = notebooks.solutions(notebooks.read(ROOT / "source" / lab / f"{lab}.ipynb"))
    known = mutants.load(ROOT, lab)
    found = [student for student in sample_class.students(ROOT, lab) if not student.unreadable]
    seen = {known.mutants[name].cell for name in known.sample_class.mistakes}
    for mutant in known.mutants.values():
        if len(seen) < OTHERS + len(known.sample_class.mistakes) and mutant.cell not in seen:
            seen.add(mutant.cell)
            book = notebooks.submission(release, mutant.apply(answers))
            found.append(Student(mutant.name, nbformat.writes(book), {}))
    return found


def grade(course: Path, lab: str, students: list[Student], *, stock: bool) -> dict:
    """The automatic score of each cell, by student."""
    write_course(ROOT, course, {lab: students})
    if stock:
        (course / "nbgrader_config.py").write_text(STOCK)
    log = course / "nbgrader.log"
    assert commands.nbgrader(course, "generate_assignment", lab, log=log) == 0, log.read_text()
    options = [] if stock else bubblewrap.options()
    command = ("autograde", lab, SKIPPED, *options)
    assert commands.nbgrader(course, *command, log=log) == 0, log.read_text()
    found = {student.name: automatic_scores(course, lab, student.name) for student in students}
    shutil.rmtree(course)
    return found


@pytest.mark.slow
def test_marks_of_lab_1_are_those_of_stock(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_PRESET", "grade")
    students = members("lab1_cam")
    assert len(students) >= 5 + OTHERS
    stock = grade(tmp_path / "stock", "lab1_cam", students, stock=True)
    ours = grade(tmp_path / "ours", "lab1_cam", students, stock=False)
    assert ours == stock
    assert sum(stock["reference"].values()) > 0
    assert len({tuple(scores.values()) for scores in stock.values()}) >= 8
