"""`labkit try`, and what docs/other-courses.md says of tests that were written for nbgrader."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from grading import tiny_course
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_notebook, new_output
from rich.console import Console

from labkit.errors import InputError
from labkit.grading.course import Folders
from labkit.grading.report import Entry
from labkit.grading.trial import _problems, attempt

ANSWER = """
import random

import pandas as pd

### BEGIN SOLUTION
class Refused(ValueError): ...


class Account:
    def __init__(self, balance):
        self.balance = balance

    def pay(self, amount):
        if amount > self.balance:
            raise Refused("too much")
        self.balance -= amount


def table(n):
    return pd.DataFrame({"a": range(n)})


def total(frame):
    return frame["a"].sum()


def greet(name):
    print(f"Hello {name}")


def extend(items):
    items.append(1)


def save():
    with open("out.txt", "w") as file:
        file.write("saved")


def roll():
    return random.random()


def twice(function, x):
    return function(function(x))


def ask():
    return input("name? ")
### END SOLUTION
"""
# What the page names as a way out, for each test below that has none of its own.
GIVEN = """
import contextlib, io, random
from pathlib import Path
from unittest import mock

import pandas as pd


def probe_total(columns):
    return total(pd.DataFrame(columns))


def probe_greet(name):
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        greet(name)
    return printed.getvalue()


def probe_extend(items):
    extend(items)
    return items


def probe_save():
    save()
    return Path("out.txt").read_text()


def probe_roll(seed):
    random.seed(seed)
    return roll()


def probe_twice(x):
    return twice(lambda v: v + 1, x)


def probe_ask(answer):
    with mock.patch("builtins.input", return_value=answer):
        return ask()
"""
# By what they do: a test that works in a kernel alone, and one that works here as well.
TESTS = {
    "compare": (
        "import pandas as pd\npd.testing.assert_frame_equal(table(2), pd.DataFrame({'a': [0, 1]}))",
        "assert table(2).to_dict('list') == {'a': [0, 1]}\nassert table(3)['a'].sum() == 3",
    ),
    "give": (
        "import pandas as pd\nassert total(pd.DataFrame({'a': [1, 2]})) == 3",
        "assert probe_total({'a': [1, 2]}) == 3",
    ),
    "function": ("assert twice(lambda v: v + 1, 2) == 4", "assert probe_twice(2) == 4"),
    "print": (
        "import contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()) as printed:\n"
        "    greet('Ada')\n"
        "assert printed.getvalue() == 'Hello Ada\\n'",
        "assert probe_greet('Ada') == 'Hello Ada\\n'",
    ),
    "in-place": (
        "items = []\nextend(items)\nassert items == [1]",
        "assert probe_extend([]) == [1]",
    ),
    "file": (
        "save()\nassert open('out.txt').read() == 'saved'",
        "assert probe_save() == 'saved'",
    ),
    "seed": (
        "import random\nrandom.seed(1)\nfirst = roll()\nrandom.seed(1)\nassert roll() == first",
        "import random\nassert probe_roll(1) == random.Random(1).random()",
    ),
    "patch": (
        "from unittest import mock\n"
        "with mock.patch('builtins.input', return_value='Ada'):\n    assert ask() == 'Ada'",
        "assert probe_ask('Ada') == 'Ada'",
    ),
    "instance": (
        "assert isinstance(Account(3), Account)",
        "account = Account(3)\naccount.pay(1)\nassert account.balance == 2",
    ),
    "own-error": (
        "try:\n    Account(3).pay(4)\nexcept Refused:\n    pass\nelse:\n    assert False",
        "try:\n    Account(3).pay(4)\nexcept ValueError:\n    pass\nelse:\n    assert False",
    ),
    "text": (
        "import inspect\nassert 'random' in inspect.getsource(roll)",
        "assert callable(roll) and 0 <= roll() < 1",
    ),
    "name": ("assert roll.__name__ == 'roll'", "assert 0 <= roll() < 1"),
    "globals": (
        "assert 'roll' in globals() and 'unroll' not in globals()",
        "roll\ntry:\n    unroll\nexcept NameError:\n    pass\nelse:\n    assert False",
    ),
    "magic": (
        "%timeit -n1 -r1 roll()",
        "import time\nbegan = time.perf_counter()\nroll()\nassert time.perf_counter() - began < 9",
    ),
}
PLAIN = """
import unittest


class Accounts(unittest.TestCase):
    def test_pay(self):
        account = Account(3)
        with self.assertRaises(ValueError):
            account.pay(4)
        account.pay(1)
        self.assertEqual([account.balance, table(3)["a"].tolist()], [2, [0, 1, 2]])


tests = unittest.defaultTestLoader.loadTestsFromTestCase(Accounts)
assert unittest.TextTestRunner().run(tests).wasSuccessful()
float(table(2).shape == (2, 1))
"""


def notebook(tests: dict[str, str]) -> NotebookNode:
    """The lab with these tests."""
    cells = [
        tiny_course.cell("given", GIVEN.strip(), locked=True),
        tiny_course.cell("answer", ANSWER.strip(), solution=True),
        *(
            tiny_course.cell(name, text, grade=True, locked=True, points=1)
            for name, text in tests.items()
        ),
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": dict(tiny_course.KERNEL)})


def write(course: Path, tests: dict[str, str]) -> None:
    """A course that knows nothing of labkit."""
    (course / "all" / "lab" / "teacher").mkdir(parents=True)
    nbformat.write(notebook(tests), course / "all" / "lab" / "teacher" / "lab.ipynb")
    (course / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        f"c.CourseDirectory.root = {str(course / 'all')!r}\n"
        "c.CourseDirectory.db_url = 'sqlite:////nowhere/at/all.db'\n"
        "c.CourseDirectory.source_directory = 'teacher'\n"
        "c.CourseDirectory.directory_structure = '{assignment_id}/{nbgrader_step}/{student_id}'\n"
    )


def test_in_the_students_kernel_all_of_them_pass(tmp_path):
    both = {f"{name}-{i}": text for name, two in TESTS.items() for i, text in enumerate(two)}
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook(both | {"plain": PLAIN}), resources=resources).execute()


@pytest.mark.sandbox
def test_tests_that_ask_for_more_than_values_are_named_and_the_others_are_not(tmp_path):
    broken = {name: test for name, (test, _) in TESTS.items()}
    works = {f"{name}-mended": test for name, (_, test) in TESTS.items()} | {"plain": PLAIN}
    write(tmp_path, {**broken, **works, "given-away": "assert callable(probe_extend)"})
    before = sorted(tmp_path.rglob("*"))
    tried = attempt(tmp_path, "lab", Console(quiet=True))
    found = list(map(str, tried.problems))
    assert (tried.tests, tried.points) == (len(broken) + len(works) + 1,) * 2
    assert sorted(tmp_path.rglob("*")) == before  # neither a gradebook nor a release
    named = {line.partition("cell '")[2].partition("'")[0]: line for line in found}
    assert named.keys() == {*broken, "given-away"} and len(found) == len(named)
    assert named["in-place"] == (
        "lab.ipynb, cell 'in-place': the solution scores 0 of 1: "
        "AssertionError: a check of this cell failed"
    )
    assert "DataFrame> cannot be tested for its type, being no plain value" in named["compare"]
    assert named["given-away"] == "lab.ipynb, cell 'given-away': the blank scores 1 of 1"


def test_of_a_solution_that_has_no_scores_the_reason_is_told(tmp_path):
    entry = Entry("lab", "solution", "failed", scores={"lab": {"f": None}}, reason="Ended early.")
    folders = Folders.of(tmp_path)
    assert list(map(str, _problems(folders, "lab", entry))) == ["the solution: Ended early."]


def test_a_test_of_0_points_that_fails_is_named_and_one_that_passes_is_not(tmp_path):
    cells = [
        tiny_course.cell(name, "", grade=True, locked=True, points=0) for name in ("fails", "works")
    ]
    book = new_notebook(cells=cells)
    for folder in (tmp_path / "source", tmp_path / "autograded" / "solution"):
        (folder / "lab").mkdir(parents=True)
        nbformat.write(book, folder / "lab" / "lab.ipynb")
        cells[0].outputs = [new_output("error", ename="AssertionError", evalue="no\nsuch")]
    scores: dict[str, float | None] = {"fails": 0.0, "works": 0.0}
    found = _problems(Folders.of(tmp_path), "lab", Entry("lab", "solution", scores={"lab": scores}))
    assert list(map(str, found)) == [
        "lab.ipynb, cell 'fails': the solution scores 0 of 0: AssertionError: no such"
    ]


@pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId")
def test_a_lab_that_cannot_be_generated_is_refused_with_the_reason(tmp_path):
    write(tmp_path, {"answer": "assert True"})  # a grade_id that is there already
    with pytest.raises(InputError, match=r"there is no lab 'other', .*course: lab"):
        attempt(tmp_path, "other", Console(quiet=True))
    with pytest.raises(InputError, match=r"(?s)generate_assignment lab fails:.*failed to validate"):
        attempt(tmp_path, "lab", Console(quiet=True))


def test_grading_needs_nothing_but_nbgrader_rich_and_typer():
    """What the page's two lines install, and what comes with nbgrader."""
    blocked = ("torch", "torchvision", "numpy", "pandas", "cv2", "matplotlib", "sklearn", "scipy")
    code = f"""
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys({blocked!r}))
import labkit.cli, labkit.grading
for module in pkgutil.walk_packages(labkit.grading.__path__, "labkit.grading."):
    if not module.name.endswith(".kernel_side"):  # which wants a kernel around it
        importlib.import_module(module.name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
