"""The plug into nbgrader: time limits, dead kernels, and courses not written for a judge."""

import json
import shutil

import nbformat
import pytest
from grading.judge.course import FULL, NONE, cell, make_course, source_notebook
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from labkit.errors import InputError
from labkit.grading import commands, notebooks
from labkit.grading.gradebook import automatic_scores
from labkit.grading.judge.execute import about
from labkit.grading.judge.process import Judge
from labkit.grading.judge.run import judge
from labkit.grading.judge.verdict import Verdict

DOUBLE = "def double(x):\n    return 2 * x"
MEAN = "def mean(x):\n    return x.mean()"
LOOP = "def double(x):\n    while True:\n        pass"
STUBBORN = """
def double(x):
    while True:
        try:
            while True:
                pass
        except KeyboardInterrupt:
            pass
"""


def filled(double=DOUBLE, mean=MEAN, extra=""):
    def change(notebook, cells):
        cells["double"].source = double
        cells["mean"].source = mean
        cells["essay"].source = extra

    return change


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    course = make_course(tmp_path_factory.mktemp("execute"))
    course.submit("loops", filled(LOOP))
    course.submit("will-not-stop", filled(STUBBORN))
    course.submit("dies-between", filled(mean="import os\nos._exit(1)"))
    course.submit("honest", filled())
    course.grade()
    return course


def test_a_loop_costs_its_own_cell_only(course):
    assert course.scores("loops") == FULL | {"test-double": 0.0}
    (error,) = course.graded("loops")["test-double"].outputs
    assert "no answer in 5 seconds" in error.evalue


def test_a_kernel_that_cannot_be_interrupted_is_ended(course):
    assert course.scores("will-not-stop") == NONE
    (error,) = course.graded("will-not-stop")["test-mean"].outputs
    assert "did not stop when its time was over" in error.evalue


def test_what_was_earned_before_the_kernel_died_stays(course):
    assert course.scores("dies-between") == FULL | {"test-mean": 0.0}
    (error,) = course.graded("dies-between")["test-mean"].outputs
    assert "ended its kernel" in error.evalue


def test_the_next_submission_is_none_the_worse(course):
    assert course.scores("honest") == FULL


def foreign():
    """Tests that use imports and names of other cells, as courses of others do."""
    notebook = source_notebook()
    del notebook.metadata["labkit"]
    del notebook.cells[0].metadata["nbgrader"]
    notebook.cells[2].source = (
        "result = double(4)\nassert result == 8\n"
        "### BEGIN HIDDEN TESTS\nhidden_name = 1\n"
        "assert np.allclose(double(np.ones(2)), 2)\n### END HIDDEN TESTS"
    )
    notebook.cells[4].source = "assert result == 8\nassert mean(np.arange(3)) == 1\n1.25"
    notebook.cells.insert(3, cell(None, "print(result)\n'hidden_name' in globals()"))
    return notebook


# A display in the visible part of a test, which a later cell gives another text.
DISPLAYS = """
kernel = get_ipython().kernel

def publish(kind, **more):
    content = {"data": {"text/plain": "2.0"}, "metadata": {}, "transient": {"display_id": "d"}}
    kernel.send_response(kernel.iopub_socket, kind, content | more)

def mean(x):
    publish("execute_result", execution_count=1)
    return x.mean()
"""
UPDATES = "publish('update_display_data')"


@pytest.mark.slow
def test_a_course_that_was_not_written_for_a_judge(tmp_path):
    scores = {}
    for name in ("stock", "ours"):
        course = make_course(tmp_path / name, foreign(), stock=name == "stock")
        course.submit("right", filled())
        course.submit("wrong", filled("def double(x):\n    return x"))
        course.submit(
            "patches", filled("np.allclose = lambda *a: True\ndef double(x):\n    return 8")
        )
        course.submit("updates-a-display", filled(mean=DISPLAYS, extra=UPDATES))
        course.grade()
        scores[name] = {student: course.scores(student) for student in ("right", "wrong")}
        updated = course.scores("updates-a-display")["test-mean"]
        assert updated == (2.0 if name == "stock" else 1.25)
        patched = course.scores("patches")["test-double"]
        assert patched == (1.0 if name == "stock" else 0.0)
    assert scores["ours"] == scores["stock"]
    assert scores["ours"]["right"] == FULL | {"test-mean": 1.25}
    cells = nbformat.read(tmp_path / "ours/autograded/right/lab/lab.ipynb", 4).cells
    assert cells[3].outputs[0].text == "8\n"  # a later cell sees the name that a test binds,
    assert cells[3].outputs[1].data["text/plain"] == "False"  # and no hidden one


QUICKSTART = {
    "right": {},
    "blank": None,
    "own-sum": {"sum_of_squares": "def sum_of_squares(n):\n    return sum(range(n))"},
    "no-errors": {"squares": "def squares(n):\n    return [i**2 for i in range(1, n + 1)]"},
    "off-by-one": {"squares": "def squares(n):\n    return [i**2 for i in range(n)]"},
    "inlined": {
        "sum_of_squares": "def sum_of_squares(n):\n    return sum(i * i for i in range(n + 1))"
    },
}


@pytest.mark.slow
def test_marks_of_nbgraders_own_course_are_the_same(tmp_path):
    """`nbgrader quickstart` knows nothing of a judge: cell by cell, ours gives stock's marks."""
    found = {}
    for name in ("stock", "ours"):
        course, log = tmp_path / name, tmp_path / f"{name}.txt"
        assert commands.nbgrader(tmp_path, "quickstart", name, log=log) == 0, log.read_text()
        if name == "ours":
            with (course / "nbgrader_config.py").open("a") as config:
                config.write(
                    "\nfrom labkit.grading.plugins import configure\nconfigure(c)\n"
                    "c.GenerateAssignment.preprocessors = "
                )
        assert commands.nbgrader(course, "generate_assignment", "ps1", log=log) == 0
        source = notebooks.read(course / "source/ps1/problem1.ipynb")
        for student, changes in QUICKSTART.items():
            shutil.copytree(course / "release/ps1", course / "submitted" / student / "ps1")
            path = course / "submitted" / student / "ps1" / "problem1.ipynb"
            answers = {} if changes is None else notebooks.solutions(source) | changes
            nbformat.write(notebooks.submission(notebooks.read(path), answers), path)
        assert commands.nbgrader(course, "autograde", "ps1", log=log) == 0, log.read_text()
        found[name] = {
            student: automatic_scores(course, "ps1", student, "problem1") for student in QUICKSTART
        }
    assert found["ours"] == found["stock"]
    assert len({tuple(scores.values()) for scores in found["ours"].values()}) >= 4


@pytest.mark.parametrize(
    ("last", "points", "error"),
    [
        *(("0.5", 0.5, None), ("1", 1.0, None), ("7", 7.0, None), ("0", 0.0, None)),
        *(("float('nan')", None, "last value is nan"), ("-1", None, "last value is -1")),
        *(("float('inf')", None, "last value is inf"), ("True", None, None)),
        *(("'0.5'", None, None), ("[0.5]", None, None), ("None", None, None)),
        *(("0.5;", None, None), ("raise SystemExit(0)", None, "0"), ("assert 0", None, "a check")),
        *(("1 +", None, "the test itself is wrong"), ("no_such_name", None, "is not defined")),
    ],
)
def test_the_last_value_of_a_test(kernel, last, points, error):
    info = kernel[0].get_connection_info()
    info["key"] = info["key"].decode() if isinstance(info["key"], bytes) else info["key"]
    verdict = judge(f"print('said')\n{last}", info, 20)
    assert verdict.points == points
    assert (verdict.error is None) is (error is None)
    if error:
        assert error in verdict.error[1]


def test_imports_of_a_source_that_nbformat_finds_fault_with(tmp_path):
    """As nbgrader, which logs it and goes on: the tests of such a lab need its imports, too."""
    notebook = source_notebook()
    del notebook.metadata["labkit"], notebook.cells[0]["outputs"]
    (path := tmp_path / "source" / "lab" / "lab.ipynb").parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook))
    with pytest.raises(InputError, match="is not a notebook"):
        notebooks.read(path)
    course = CourseDirectory(root=str(tmp_path))
    assert about(course, "lab", "lab").imports["np"] == "import numpy as np"


def test_imports_of_a_header_are_the_instructors_too(tmp_path):
    """Else `np` in a test is the student's, whose `allclose` says that everything is right."""
    notebook = source_notebook()
    (folder := tmp_path / "source" / "lab").mkdir(parents=True)
    nbformat.write(notebook, folder / "lab.ipynb")
    header = new_notebook(cells=[new_code_cell("import statistics as st")])
    nbformat.write(header, tmp_path / "header.ipynb")
    config = Config(IncludeHeaderFooter={"header": "header.ipynb"})
    plain, headed = CourseDirectory(root=str(tmp_path)), CourseDirectory(config=config)
    headed.root = str(tmp_path)
    assert "st" not in about(plain, "lab", "lab").imports
    assert about(headed, "lab", "lab").imports["st"] == "import statistics as st"


def test_outputs_of_verdicts():
    assert Verdict().outputs(2.0) == []
    (result,) = Verdict(points=7.0).outputs(2.0)
    assert result.data["text/plain"] == "2.0"
    printed, failed = Verdict(error=("CheckFailed", "no"), printed="a part").outputs(2.0)
    assert (printed.name, printed.text) == ("stdout", "a part")
    assert (failed.ename, failed.evalue, failed.traceback) == (
        *("CheckFailed", "no"),
        ["CheckFailed: no"],
    )
    assert Verdict.from_json(Verdict(error=("A", "b")).to_json()) == Verdict(error=("A", "b"))


def test_an_error_meanwhile_leaves_no_verdict_for_the_next_test(kernel):
    def fail():
        raise ValueError

    info = kernel[0].get_connection_info()
    judging = Judge(None)
    with pytest.raises(ValueError):
        judging.judge("import time\ntime.sleep(0.5)", info, 20, {}, meanwhile=fail)
    verdict = judging.judge("assert False, 'the second'", info, 20, {})
    judging.close()
    assert verdict.error == ("AssertionError", "the second")


def test_what_a_test_prints_is_bounded(kernel):
    info = kernel[0].get_connection_info()
    info["key"] = info["key"].decode() if isinstance(info["key"], bytes) else info["key"]
    assert len(judge("print('x' * 10**6)", info, 20).printed) == 20_000
