"""In which order a lab's cells come out: as they were released, whatever has become of the lab."""

import copy
import json

import nbformat
import pytest
from grading import tiny_course as tiny
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import GradeCell, Notebook, SolutionCell, SourceCell
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import is_grade, is_locked, is_solution
from traitlets.config import Config

from labkit.grading.cells import mend
from labkit.grading.gradebook import master
from labkit.grading.notebooks import grade_id
from labkit.grading.order import known_orders, merged


def cells(*names):
    """By their first letter: an answer, a test, a header or other fixed cell, a cell without id."""
    made = []
    for name in names:
        kinds = {"a": {"solution": True}, "t": {"grade": True, "locked": True, "points": 1}}
        if name.startswith("x"):
            made.append(new_code_cell(name, id=name))
        else:
            made.append(tiny.cell(name, name, **kinds.get(name[0], {"locked": True})))
    return made


def order(book):
    return [grade_id(cell) or cell.get("id") for cell in getattr(book, "cells", book)]


def stored(book):
    """nbgrader's entry of a notebook."""
    made = Notebook(name="lab", kernelspec="{}")
    for cell in book:
        name = grade_id(cell)
        if name is None:
            continue
        SourceCell(
            name=name,
            notebook=made,
            cell_type=cell.cell_type,
            source=cell.source,
            locked=is_locked(cell),
        )
        if is_grade(cell):
            GradeCell(name=name, notebook=made, max_score=1, cell_type=cell.cell_type)
        if is_solution(cell):
            SolutionCell(name=name, notebook=made)
    return made


@pytest.mark.parametrize(
    ("first", "other", "together"),
    [
        ("abc", "abc", "abc"),
        ("abc", "xabycz", "xabycz"),
        ("bca", "axb", "bcax"),
        ("", "abc", "abc"),
        ("abc", "", "abc"),
        ("cab", "xyz", "xyzcab"),
    ],
)
def test_what_only_one_order_has_stands_behind_what_it_follows_there(first, other, together):
    assert "".join(merged(first, other, str)) == together


RELEASED = cells("header", "x", "a1", "t1", "helper", "a2", "t2", "footer")
WITHOUT = RELEASED[1:-1]  # the instructor's notebook, into which nbgrader puts header and footer


@pytest.fixture
def course(tmp_path):
    """A course folder; `write(step, cells)` puts a notebook into it."""

    def write(step, book):
        (folder := tmp_path / step / "lab").mkdir(parents=True, exist_ok=True)
        nbformat.write(new_notebook(cells=copy.deepcopy(book)), folder / "lab.ipynb")

    for name, cell in (("header", RELEASED[0]), ("footer", RELEASED[-1])):
        nbformat.write(new_notebook(cells=[cell]), tmp_path / f"{name}.ipynb")
    write.root = tmp_path
    return write


def ordered(course, book=RELEASED, **settings):
    """The order of the master, of a lab whose cells are in the gradebook."""
    root = course.root
    config = Config(CourseDirectory={"root": str(root), **settings.pop("directories", {})})
    config.IncludeHeaderFooter.header = settings.pop("header", "header.ipynb")
    config.IncludeHeaderFooter.footer = str(root / "footer.ipynb")
    assert not settings
    known = known_orders(CourseDirectory(config=config), "lab", "lab")
    return order(master(stored(book), known, []))


def test_the_release_is_what_students_have(course):
    course("release", RELEASED)
    course("source", WITHOUT[::-1])
    assert ordered(course) == order(RELEASED)


def test_a_release_folder_of_another_name(course):
    course("handout", RELEASED)
    course("release", WITHOUT[::-1])
    assert ordered(course, directories={"release_directory": "handout"}) == order(RELEASED)


def test_without_a_release_there_are_header_notebook_and_footer(course):
    course("source", WITHOUT)
    assert ordered(course) == order(RELEASED)


@pytest.mark.parametrize("broken", ["{", '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}'])
def test_a_release_that_cannot_be_read(course, broken):
    course("source", WITHOUT)
    course("release", RELEASED)
    (course.root / "release" / "lab" / "lab.ipynb").write_text(broken)
    assert ordered(course) == order(RELEASED)


def test_a_header_that_is_gone(course):
    """It is in the gradebook, in front of what it was in front of."""
    course("source", WITHOUT)
    assert ordered(course, header="nowhere.ipynb") == order(RELEASED)


def test_neither_release_nor_source(course):
    """The gradebook's order is left; it knows nothing of cells without a name."""
    assert ordered(course) == [name for name in order(RELEASED) if name != "x"]


def test_a_cell_that_the_instructor_has_inserted_since(course):
    now = [*RELEASED[:4], *cells("t1b"), *RELEASED[4:]]
    course("release", RELEASED)
    course("source", now[1:-1])
    assert ordered(course, now) == order(now)


def test_a_header_of_old_format_whose_cells_have_no_ids(course):
    """Each time that nbgrader generates the lab, they are given others."""
    book = new_notebook(cells=copy.deepcopy([new_code_cell("1"), RELEASED[0]]))
    for cell in book.cells:
        del cell["id"]
    (course.root / "header.ipynb").write_text(json.dumps(book | {"nbformat_minor": 4}))
    course("source", WITHOUT)
    assert ordered(course) == [None, *order(RELEASED)]


# -- submissions that follow one order or another --------------------------------------------------


def handed_in(names):
    return cells(*names.split())


@pytest.mark.parametrize(
    ("lab", "given", "comes_out"),
    [
        # As it was released, answers in order: tests and helpers are where the lab has them.
        ("h a1 t1 k a2 t2", "h a1 t1 k a2 t2", "h a1 t1 k a2 t2"),
        ("h a1 t1 k a2 t2", "a1 t1 k a2 t2 h", "h a1 t1 k a2 t2"),
        ("h a1 t1 k a2 t2", "h t1 a1 t2 k a2", "h a1 t1 k a2 t2"),
        ("h a1 t1 k a2 t2", "a1 a2", "h a1 t1 k a2 t2"),
        # The tasks were in another order when this student got them: they stay together.
        ("k2 a2 t2 k1 a1 t1", "k1 a1 t1 k2 a2 t2", "k1 a1 t1 k2 a2 t2"),
        ("h k2 a2 t2 k1 a1 t1", "h k1 a1 t1 k2 a2 t2", "h k1 a1 t1 k2 a2 t2"),
        ("h k2 a2 t2 k1 a1 t1 z", "k1 a1 t1 k2 a2 z", "h k1 a1 t1 k2 a2 t2 z"),
        ("a3 t3 a2 t2 a1 t1", "a1 t1 a2 t2 a3 t3", "a1 t1 a2 t2 a3 t3"),
        ("a3 t3 a2 t2 a1 t1", "a1 a2 t2 a3", "a1 t1 a2 t2 a3 t3"),
        # An answer was moved: a test never runs before the answer that it follows.
        ("h a1 t1 a2 t2", "h t1 a2 t2 a1", "h a2 t2 a1 t1"),
        ("h a1 t1 a2 t2", "t2 t1 a2 a1 h", "a2 t2 a1 t1 h"),
        ("h a1 s1 t1 a2 t2", "h t1 s1 a2 t2 a1", "h s1 a2 t2 a1 t1"),
    ],
)
def test_the_order_of_a_submission(lab, given, comes_out):
    found = mend(handed_in(given), handed_in(lab))
    assert " ".join(order(found.cells)) == comes_out
    assert found.flags == []
    whole = set(given.split()) == set(lab.split()) and given == comes_out
    assert (found.repairs == []) is whole


def test_an_old_order_with_the_students_own_cells_between():
    mine = new_code_cell("mine", id="mine")
    given = handed_in("k1 a1 t1 k2 a2")
    given.insert(2, mine)
    given.append(mine.copy() | {"id": "last"})
    found = mend([nbformat.from_dict(cell) for cell in given], handed_in("k2 a2 t2 k1 a1 t1"))
    assert order(found.cells) == ["k1", "a1", "mine", "t1", "k2", "a2", "last", "t2"]
    assert found.repairs == ["The cell 't2' was not in the notebook; it was put in."]
