"""Each rule of the lint finds its mistake and leaves a good notebook alone."""

import json
import time

import nbformat
import nbformat.warnings
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labkit.errors import InputError
from labkit.grading.lint import lint, lint_release, lint_source


def cell(name, source, kind="code", **nbgrader):
    make = new_code_cell if kind == "code" else new_markdown_cell
    metadata = {"grade": False, "solution": False, "locked": False, "schema_version": 3}
    metadata |= {"grade_id": name, "task": False, **nbgrader}
    return make(source, id=name, metadata={"nbgrader": metadata})


def answer(name="f", source="def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"):
    return cell(name, source, solution=True)


def graded(name="test-f", points=2, source="assert f() == 1"):
    return cell(name, source, grade=True, locked=True, points=points)


def notebook(*cells, tasks=({"name": "f", "points": 2, "cells": ["test-f"]},), **labkit):
    book = new_notebook(cells=list(cells) or [answer(), graded()])
    if tasks is not None:
        book.metadata["labkit"] = {"tasks": list(tasks), **labkit}
    return book


def problems(book, folder):
    (path := folder / "lab.ipynb").write_text(json.dumps(book))
    return [str(problem) for problem in lint_source(path)]


def test_a_good_notebook_has_no_problem(tmp_path):
    assert problems(notebook(), tmp_path) == []


def test_points_that_do_not_add_up(tmp_path):
    (problem,) = problems(notebook(answer(), graded(points=1.5)), tmp_path)
    assert problem == "task 'f': its cells carry 1.5 points, the lab's table says 2"


def test_a_graded_cell_outside_the_table_and_a_task_without_its_cell(tmp_path):
    book = notebook(answer(), graded("test-g"))
    assert problems(book, tmp_path) == [
        "task 'f': has no graded cells test-f",
        "cell 'test-g': stands in 0 tasks of the lab's table",
    ]


def test_a_course_without_a_table_is_left_alone(tmp_path):
    assert problems(notebook(answer(), graded(points=7), tasks=None), tmp_path) == []


@pytest.mark.parametrize(
    "line",
    [
        "### BEGIN HIDDEN TEST",
        "### BEGN HIDDEN TESTS",
        "### begin hidden tests",
        "# BEGIN_HIDDEN_TESTS",
        "### BEGIN HIDEN TESTS ###",
        "#BEGIN  HIDDEN  TESTS",
        "### BEGIN HIDDEN TEST CASES",
        "### BEGIN HIDDENTESTS",
    ],
)
def test_misspelt_delimiters(tmp_path, line):
    source = f"assert f() == 1\n{line}\nassert f() != 2\n### END HIDDEN TESTS"
    found = problems(notebook(answer(), graded(source=source)), tmp_path)
    assert f"cell 'test-f': {line!r} should be spelt '### BEGIN HIDDEN TESTS'" in found


@pytest.mark.parametrize(
    "line", ["# the hidden layer is tested", "# begin with the solution of x", "# no solution"]
)
def test_ordinary_comments_are_no_delimiters(tmp_path, line):
    assert problems(notebook(answer(), graded(source=f"{line}\nassert f()")), tmp_path) == []


@pytest.mark.parametrize(
    "body",
    [
        "### BEGIN HIDDEN TESTS\nassert f()",
        "assert f()\n### END HIDDEN TESTS",
        "### END HIDDEN TESTS\nassert f()\n### BEGIN HIDDEN TESTS",
        "### BEGIN HIDDEN TESTS\n### BEGIN HIDDEN TESTS\nassert f()\n### END HIDDEN TESTS",
    ],
)
def test_delimiters_that_do_not_pair_up(tmp_path, body):
    found = problems(notebook(answer(), graded(source=body)), tmp_path)
    assert found == ["cell 'test-f': BEGIN HIDDEN TESTS and END HIDDEN TESTS do not pair up"]


def test_hidden_tests_and_solutions_in_the_wrong_cells(tmp_path):
    hidden = "### BEGIN HIDDEN TESTS\nassert f()\n### END HIDDEN TESTS"
    solved = "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"
    book = notebook(cell("a", hidden, locked=True), cell("b", solved), answer(), graded())
    assert problems(book, tmp_path) == [
        "cell 'a': holds hidden tests but is not marked as a test cell",
        "cell 'b': holds a solution but is not marked as a solution cell",
    ]


def test_a_marking_scheme_in_a_cell_that_students_edit(tmp_path):
    text = "Why?\n### BEGIN MARK SCHEME\n1 point\n### END MARK SCHEME"
    book = notebook(answer(), graded(), cell("q", text, kind="markdown"))
    assert problems(book, tmp_path) == ["cell 'q': holds a marking scheme but is not locked"]


def test_outputs(tmp_path):
    book = notebook(answer(), graded(), new_code_cell("1 + 1", id="z"))
    book.cells[2]["outputs"] = [nbformat.v4.new_output("display_data", {"text/plain": "2"})]
    assert problems(book, tmp_path) == [
        "cell 'z': has outputs: clear them, they can give answers away"
    ]


def test_double_and_missing_cell_ids(tmp_path):
    book = notebook(answer(), graded(), *(new_code_cell("1 + 1", id=name) for name in "xyz"))
    for place in (2, 3):
        del book.cells[place]["id"]
    book.cells[4]["id"] = "f"
    with pytest.warns((nbformat.warnings.MissingIDFieldWarning, nbformat.warnings.DuplicateCellId)):
        found = problems(book, tmp_path)
    assert found == [
        "cell 'f': 2 cells have this id",
        "lab.ipynb: 2 cells have no id: save it as nbformat 4.5",
    ]


def test_double_grade_ids(tmp_path):
    again = graded()
    again["id"] = "again"
    book = notebook(answer(), graded(), again)
    assert "cell 'test-f': 2 cells have this grade_id" in problems(book, tmp_path)


def test_names_without_a_part_in_grading_may_be_there_twice(tmp_path):
    book = notebook(answer(), graded(), cell("cell-1", "1"), cell("cell-1", "2"), tasks=None)
    book.cells[3]["id"] = "again"
    assert problems(book, tmp_path) == []
    book.cells[2].metadata.nbgrader["locked"] = True
    assert problems(book, tmp_path) == []
    book.cells[3].metadata.nbgrader["task"] = True
    assert problems(book, tmp_path) == ["cell 'cell-1': 2 cells have this grade_id"]


def test_code_to_write_that_nothing_tests(tmp_path):
    book = notebook(answer(), graded(), answer("g"))
    assert problems(book, tmp_path) == ["cell 'g': is followed by no test cell"]
    book = notebook(answer("g"), answer(), graded())
    assert problems(book, tmp_path) == ["cell 'g': is followed by no test cell"]


def test_names_handed_from_a_test_to_a_later_cell(tmp_path):
    book = notebook(
        answer(), graded(source="result = f()\nassert result"), new_code_cell("result", id="z")
    )
    assert problems(book, tmp_path) == ["cell 'z': uses 'result', which only cell 'test-f' defines"]
    shared = new_code_cell("result = 2\nresult", id="z")
    assert problems(notebook(answer(), graded(source="result = f()"), shared), tmp_path) == []


PROBE = """
def drawn(n):
    return torch.randn(n)

class Net:
    def forward(self):
        return drawn(2)

def probe(values):
    return f(Net(), values)

def seeds(values):
    return f(values)
"""


def test_inputs_that_a_given_function_draws_in_the_kernel(tmp_path):
    given = cell("given", PROBE, locked=True)
    found = problems(notebook(answer(), given, graded(source="assert probe(3) == 1")), tmp_path)
    assert found == [
        "cell 'test-f': uses 'probe', which draws numbers in the student's kernel, where they can "
        "be known: draw them in the test"
    ]
    in_the_test = graded(source="assert seeds(torch.randn(3)) == 1")
    assert problems(notebook(answer(), given, in_the_test), tmp_path) == []


def test_comparisons_that_broadcast(tmp_path):
    (problem,) = problems(
        notebook(answer(), graded(source="assert np.allclose(f(), [1, 1])")), tmp_path
    )
    assert problem == (
        "cell 'test-f': compares by allclose, which broadcasts: use checks.values instead"
    )


def test_stray_files_are_found_and_listed_ones_allowed(tmp_path):
    (tmp_path / "notes.txt").write_text("answers")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "cat.png").write_text("")
    found = problems(notebook(), tmp_path)
    assert [problem.split(":")[0] for problem in found] == ["images/cat.png", "notes.txt"]
    found = problems(notebook(files=["images/cat.png"]), tmp_path)
    assert [problem.split(":")[0] for problem in found] == ["notes.txt"]


@pytest.mark.parametrize("module", ["labkit.maps", "labkit", "labkit.no_such", "torch.nn"])
def test_what_is_withheld_must_be_a_module_file(tmp_path, module):
    source = notebook(withheld=["labkit.metrics", "labkit.maps.cam", module])
    assert problems(source, tmp_path) == [
        f"the notebook's labkit.withheld: {module} is no module file of labkit; of a package, "
        "name the modules"
    ]


HIDDEN = """assert f() == 1
### BEGIN HIDDEN TESTS
assert f() is not True, 'a bool'
### END HIDDEN TESTS"""


def test_a_clean_release_has_no_problem():
    source = notebook(answer(), graded(source=HIDDEN))
    release = notebook(answer(source="def f():\n    raise NotImplementedError"), graded())
    assert list(lint_release(release, source)) == []


def test_hidden_lines_and_delimiters_of_any_spelling_in_a_release():
    source = notebook(answer(), graded(source=HIDDEN))
    leak = "### BEGIN hidden test\n  assert f() is not True, 'a bool'"
    found = [
        str(p) for p in lint_release(notebook(answer(source="pass"), graded(source=leak)), source)
    ]
    assert found == [
        "cell 'test-f': an authoring delimiter is released: '### BEGIN hidden test'",
        "cell 'test-f': a hidden line is released: \"assert f() is not True, 'a bool'\"",
    ]


@pytest.mark.parametrize(
    "line", ["# Begin solutions with care", "## End solution of it all", "We begin solution now."]
)
def test_prose_is_no_delimiter(tmp_path, line):
    text = new_markdown_cell(line, id="text")
    book = notebook(text, answer(source="pass"), graded(), tasks=None)
    assert problems(book, tmp_path) == []
    assert lint_release(book, book) == []
    in_code = notebook(answer(source=line), graded(), tasks=None)
    assert len(lint_release(in_code, in_code)) == 1


@pytest.mark.parametrize(
    "line", ["### begin solution", "BEGIN HIDDEN TESTS", "<!-- End solutoin -->"]
)
def test_a_delimiter_in_a_text_is_one(line):
    book = notebook(new_markdown_cell(line, id="text"), tasks=None)
    assert len(lint_release(book, book)) == 1


def test_what_other_courses_release_on_purpose():
    shown = [nbformat.v4.new_output("display_data", {"text/plain": "2"})]
    stub = "from matplotlib import pyplot\nraise NotImplementedError()"
    hidden = f"### BEGIN SOLUTION\n{stub}\n### END SOLUTION"
    source = notebook(answer(source=hidden), graded(), tasks=None)
    release = notebook(cell("given", "f(1)"), answer(source=stub), graded(), tasks=None)
    release.cells[0].outputs = shown
    assert lint_release(release, source) == []
    release.cells[1].outputs = shown
    (problem,) = lint_release(release, source)
    assert str(problem) == "cell 'f': has outputs: clear them, they can give answers away"

    source.metadata["labkit"] = {}  # a lab of ours has neither
    assert len(lint_release(release, source)) == 3


def test_hidden_lines_after_a_delimiter_behind_code():
    body = "x = f()  ### BEGIN HIDDEN TESTS\nassert x is not True, 'a bool'\n### END HIDDEN TESTS"
    source = notebook(answer(), graded(source=body))
    release = notebook(answer(source="pass"), graded(source="assert x is not True, 'a bool'"))
    (problem,) = lint_release(release, source)
    assert "a hidden line is released" in str(problem)


def test_a_line_that_students_see_anyway_is_no_leak():
    shown = "assert f() is not True, 'a bool'\n" + HIDDEN
    source = notebook(answer(), graded(source=shown))
    release = notebook(answer(source="pass"), graded(source=shown.split("###")[0]))
    assert list(lint_release(release, source)) == []


def test_a_whole_lab_in_a_course(tmp_path):
    folder = tmp_path / "source" / "lab"
    folder.mkdir(parents=True)
    nbformat.write(notebook(answer(), graded(points=1)), folder / "lab.ipynb")
    (released := tmp_path / "release" / "lab").mkdir(parents=True)
    nbformat.write(notebook(), released / "lab.ipynb")
    found = [str(problem) for problem in lint(tmp_path, "lab")]
    assert found[0].startswith("task 'f': its cells carry 1 points")
    assert "an authoring delimiter is released" in found[1]


def test_a_lab_that_is_not_there_and_a_file_that_is_no_notebook(tmp_path):
    folder = tmp_path / "source" / "lab"
    folder.mkdir(parents=True)
    with pytest.raises(InputError, match=r"there is no lab 'lab', .* course: there is none"):
        lint(tmp_path, "lab")
    (folder / "lab.ipynb").write_text(json.dumps({"cells": "?"}))
    with pytest.raises(InputError, match=r"there is no lab 'nope', .*source/nope.* course: lab"):
        lint(tmp_path, "nope")
    with pytest.raises(InputError, match=r"lab\.ipynb is not a notebook"):
        lint(tmp_path, "lab")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda book: [book], "is not a notebook"),
        (lambda book: {**book, "cells": None}, "is not a notebook"),
        (lambda book: {**book, "cells": [{"cell_type": "code"}]}, "is not a notebook"),
        (lambda book: {**book, "metadata": []}, "is not a notebook"),
        (lambda book: {**book, "nbformat": "4"}, "is not a notebook"),
        (lambda book: {**book, "metadata": {"labkit": 1}}, "labkit is 1, expected names"),
    ],
)
def test_what_is_no_notebook_is_refused_by_name(tmp_path, spoil, message):
    (path := tmp_path / "lab.ipynb").write_text(json.dumps(spoil(notebook())))
    with pytest.raises(InputError, match=message) as refusal:
        lint_source(path)
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("text", "metadata of nbgrader are 'text', expected names with values"),
        ({"grade": True, "grade_id": "x"}, "points is missing, expected a number"),
        ({"grade": True, "grade_id": "x", "points": "2"}, "points is '2', expected a number"),
        ({"solution": True, "grade_id": ["x"]}, r"grade_id is \['x'\], expected a text"),
        ({"locked": True}, "grade_id is missing, expected a text"),
    ],
)
def test_metadata_of_nbgrader_that_cannot_be(tmp_path, given, message):
    book = notebook()
    book.cells[1].metadata["nbgrader"] = given
    with pytest.raises(InputError, match=f"cell 2: .*{message}"):
        problems(book, tmp_path)


@pytest.mark.parametrize(
    "labkit",
    [
        {"tasks": None},
        {"tasks": ["f"]},
        {"tasks": [{"name": "f", "points": 2}]},
        {"tasks": [{"name": "f", "points": "2", "cells": []}]},
        {"files": "data.txt"},
        {"withheld": [1]},
    ],
)
def test_metadata_of_labkit_that_cannot_be(tmp_path, labkit):
    book = notebook()
    book.metadata["labkit"] = labkit
    with pytest.raises(InputError, match=f"labkit.*: {next(iter(labkit))}|labkit, task 1: "):
        problems(book, tmp_path)


def test_a_lab_in_an_old_format(tmp_path):
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"labkit": {}}, "worksheets": []}
    assert problems(old, tmp_path) == []


def test_functions_that_all_call_each_other_take_no_time(tmp_path):
    knot = [f"def f{i}(): {'; '.join(f'f{j}()' for j in range(25))}" for i in range(25)]
    given = cell("given", "\n".join([*knot, "def g(): f0(); torch.rand(1)"]), locked=True)
    (problem,) = problems(notebook(given, answer(), graded(source="f0(); g()")), tmp_path)
    assert "uses 'g', which draws numbers" in problem


def test_functions_that_call_one_another_in_a_long_chain(tmp_path):
    chain = [f"def f{i}(): f{i + 1}()" for i in range(2000)]
    given = cell("given", "\n".join([*chain, "def f2000(): torch.rand(1)"]), locked=True)
    (problem,) = problems(notebook(given, answer(), graded(source="f0()")), tmp_path)
    assert "uses 'f0', which draws numbers" in problem


def test_a_comment_of_many_blanks_takes_no_time(tmp_path):
    began = time.monotonic()
    assert problems(notebook(answer(), graded(source="#" + " " * 5000 + "!")), tmp_path) == []
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("source", ["(" * 5000, "a\0b", "-" * 100_000 + "1"])
def test_code_that_python_cannot_parse_is_for_the_notebooks_run_to_judge(tmp_path, source):
    assert problems(notebook(answer(), graded(source=source)), tmp_path) == []
