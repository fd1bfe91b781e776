"""A lab's cells change after its submissions were graded."""

import re
import subprocess
import sys

import nbformat
import pandas as pd
import pytest
from grading.judge.course import cell, make_course, source_notebook
from nbgrader.api import Gradebook

from labkit.grading import commands, report
from labkit.grading.gradebook import complete
from labkit.grading.report import Entry

# nbgrader's own gradebook makes SQLAlchemy warn.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
NEW = """
assert callable(double)
### BEGIN HIDDEN TESTS
assert double(-1) == -2, "double(-1) is wrong"
### END HIDDEN TESTS
"""


def test_what_a_grading_has_changed():
    before = {"lab": {"same": 1.0, "less": 2.0, "gone": 1.0, "waits": None}}
    now = {"lab": {"same": 1.0, "less": 0.0, "waits": 2.0, "new": 3.0, "new-waits": None}}
    entry = Entry("lab", "ada", scores=now, before=before)
    assert list(entry.changes()) == [("less", 2, 0), ("gone", 1, None), ("new", None, 3)]


def test_whoever_was_there_before_the_notebook_gets_a_place_for_each_score(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", commands.environment()["PATH"])  # nbgrader calls alembic by its name
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as gradebook:
        gradebook.add_assignment("lab", duedate="2026-03-02 17:00:00 UTC")
        gradebook.add_student("ada")
        gradebook.add_submission("lab", "ada")
        gradebook.grant_extension("lab", "ada", days=1)
        gradebook.add_notebook("one", "lab")
        gradebook.add_grade_cell("test", "one", "lab", max_score=2, cell_type="code")
        gradebook.add_solution_cell("answer", "one", "lab")
        gradebook.add_task_cell("task", "one", "lab", max_score=3, cell_type="markdown")
        submission = gradebook.find_submission("lab", "ada")
        for _ in range(2):
            complete(submission)
            gradebook.db.commit()
            (notebook,) = submission.notebooks
            assert sorted(grade.name for grade in notebook.grades) == ["task", "test"]
            assert sorted(comment.name for comment in notebook.comments) == ["answer", "task"]
        assert all(grade.needs_manual_grade for grade in notebook.grades)
        assert (submission.score, submission.max_score) == (0, 5)
        gradebook.find_grade("test", "one", "lab", "ada").auto_score = 2
        gradebook.db.commit()
        assert gradebook.find_submission("lab", "ada").score == 2


@pytest.mark.slow
@pytest.mark.sandbox
def test_tests_that_are_new_worth_more_or_gone(tmp_path):
    course = make_course(tmp_path)
    positive = "def double(x):\n    return abs(2 * x) if isinstance(x, int) else 2 * x"
    for student, double in {"ada": "def double(x):\n    return 2 * x", "bob": positive}.items():

        def fill(notebook, cells, double=double):
            cells["double"].source = double
            cells["mean"].source = "def mean(x):\n    return x.mean()"

        course.submit(student, fill)

    def run(*command):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True
        )
        return done.returncode, " ".join(re.sub(r"[│┃]", " ", done.stdout + done.stderr).split())

    def generate(change, *options):
        notebook = source_notebook()
        change(notebook)
        nbformat.write(notebook, tmp_path / "source" / "lab" / "lab.ipynb")
        return run("nbgrader", "generate_assignment", "lab", "--force", *options)

    def amend(notebook):
        notebook.cells.insert(3, cell("test-negative", NEW, points=2.0))
        notebook.cells[2].metadata.nbgrader["points"] = 3.0  # test-double, 1 before
        notebook.cells = [each for each in notebook.cells if each.id != "test-mean"]

    def without_essay(notebook):
        amend(notebook)
        notebook.cells = [each for each in notebook.cells if each.id not in ("mean", "essay")]

    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    assert run("labkit", "grade", "lab", "--jobs", "2")[0] == 0
    with Gradebook(url) as gradebook:
        gradebook.find_grade("essay", "lab", "lab", "ada").manual_score = 0.75
        gradebook.find_comment("essay", "lab", "lab", "ada").manual_comment = "Well put."
        gradebook.db.commit()

    code, said = generate(amend)
    assert code == 0, said
    code, said = run("labkit", "export", "csv", "--to", "before.csv")
    table = pd.read_csv(tmp_path / "before.csv").set_index(["student", "cell"])
    assert table.needs_person["ada", "test-negative"]
    assert not table.needs_person["bob", "test-double"]

    code, said = run("labkit", "grade", "lab", "--jobs", "2")
    assert code == 0, said
    last = {student: entry for (student, _), entry in report.last(tmp_path).items()}
    assert {entry.because for entry in last.values()} == {"the lab has changed"}
    assert last["ada"].scores == {"lab": {"test-double": 3, "test-negative": 2, "essay": 0.75}}
    assert last["bob"].scores == {"lab": {"test-double": 3, "test-negative": 0, "essay": 0}}
    assert {entry.max_score for entry in last.values()} == {6}
    for row in (
        "ada test-double 1 3",
        "ada test-mean 2 -",
        "ada test-negative - 2",
        "bob test-negative - 0",
    ):
        assert row in said
    code, said = run("labkit", "export", "csv", "--to", "after.csv")
    table = pd.read_csv(tmp_path / "after.csv").groupby("student")
    assert table.points.sum().to_dict() == {"ada": 5.75, "bob": 3}
    assert set(pd.read_csv(tmp_path / "after.csv").cell) == {
        "test-double",
        "test-negative",
        "essay",
    }
    assert run("labkit", "grade", "lab")[1].startswith("Nothing to grade")

    code, said = generate(without_essay)
    assert code != 0
    assert "the cell 'essay' of 'lab' is gone, but was marked by hand for ada" in said
    with Gradebook(url) as gradebook:
        assert gradebook.find_assignment("lab").max_score == 6
        assert gradebook.find_comment("essay", "lab", "lab", "ada").manual_comment == "Well put."
    assert generate(without_essay, "--SaveCells.remove_marked=True")[0] == 0
    with Gradebook(url) as gradebook:
        assert gradebook.find_assignment("lab").max_score == 5
        assert gradebook.find_submission("lab", "ada").score == 5
