"""What instructors' notebooks and students' folders are like, graded by nbgrader's command."""

import copy
import json
import shutil
from datetime import datetime

import nbformat
import pytest
from grading import tiny_course as tiny
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook

from labkit.grading import commands
from labkit.grading.autograde import REPORT
from labkit.grading.gradebook import automatic_scores
from labkit.grading.notebooks import grade_id
from labkit.grading.sandbox import bubblewrap

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

FULL = {"test-f": 2.0, "test-g": 2.0, "why": 0.0}
ONLY_G = FULL | {"test-f": 0.0}
HEADER = "c.IncludeHeaderFooter.header = 'header.ipynb'\n"
ANSWERS = {"f": "def f(x):\n    return x + ONE", "g": tiny.ANSWERS["g"]}


def nbgrader(course, *words, code=0):
    log = course / "nbgrader.log"
    assert commands.nbgrader(course, *words, log=log) == code, log.read_text(errors="replace")
    return log.read_text(errors="replace")


@pytest.fixture
def course(tmp_path):
    """A lab that names no kernel, with a header that its tests need and a file beside it."""
    tiny.make(tmp_path)
    with (tmp_path / "nbgrader_config.py").open("a") as config:
        config.write(HEADER)
    header = tiny.cell("header", "ONE = 1", locked=True)
    nbformat.write(new_notebook(cells=[header]), tmp_path / "header.ipynb")
    source = tmp_path / "source" / tiny.LAB
    book = tiny.source()
    del book.metadata["kernelspec"]
    nbformat.write(book, source / "tiny.ipynb")
    (source / "data").mkdir()
    (source / "data" / "one.txt").write_text("1")
    nbgrader(tmp_path, "generate_assignment", tiny.LAB)
    return tmp_path


def hand_in(course, student, change=lambda cells, book: None, name="tiny"):
    """The release with right answers, changed; its folder."""
    book = nbformat.read(course / "release" / tiny.LAB / f"{name}.ipynb", as_version=4)
    cells = {grade_id(cell): cell for cell in book.cells}
    for name_of_cell, text in ANSWERS.items():
        cells[name_of_cell].source = text
    change(cells, book)
    folder = course / "submitted" / student / tiny.LAB
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.ipynb").write_text(json.dumps(book))
    return folder


def grade(course, *options, code=0):
    return nbgrader(course, "autograde", tiny.LAB, *bubblewrap.options(), *options, code=code)


def report(course):
    lines = (course / REPORT).read_text().splitlines()
    return {entry["student"]: entry for entry in map(json.loads, lines)}


def marks(course, notebook="tiny"):
    return {
        path.name: automatic_scores(course, tiny.LAB, path.name, notebook)
        for path in (course / "submitted").iterdir()
    }


def header_last(cells, book):
    book.cells.append(book.cells.pop(0))


def half_a_character(cells, book):
    book.cells.insert(1, new_code_cell('print("\\ud800", "\\0")\nraise ValueError("\\ud800")'))
    cells["f"].source = 'def f(x):\n    raise ValueError("\\udfff\\0")'


def other_order(cells, book):
    names = ["header", None, "about-g", "g", "test-g", "about-f", "f", "test-f", "why"]
    imports = next(cell for cell in book.cells if cell.source.startswith("import math"))
    book.cells = [imports if name is None else cells[name] for name in names]


@pytest.mark.slow
@pytest.mark.sandbox
def test_header_kernel_order_names_and_times(course):
    for student, change in (
        ("header-last", header_last),
        ("half", half_a_character),
        ("other-order", other_order),
    ):
        hand_in(course, student, change)
    folder = hand_in(course, "names")
    (folder / "timestamp.txt").mkdir()
    (folder / ".unfinished").mkdir()
    for name in ("timestamp.txt/x", ".unfinished/x", ".tiny.unfinished", "data", "one.txt"):
        (folder / name).write_text("mine")
    (hand_in(course, "dated") / "timestamp.txt").write_text("Mon Mar  2 18:00:00 CET 2026\n")
    (hand_in(course, "moodle") / "timestamp.txt").write_text("Monday, 2 March 2026, 5:00 PM\n")
    honest = hand_in(course, "aa-honest")
    (honest / "data").mkdir()
    (honest / "data" / "mine.txt").write_text("2")

    grade(course)
    wanted = dict.fromkeys(marks(course), FULL) | {"half": ONLY_G}
    assert marks(course) == wanted
    found = report(course)
    for student in ("aa-honest", "dated", "half", "other-order"):
        assert (found[student]["repairs"], found[student]["flags"]) == ([], []), found[student]
    assert found["header-last"]["repairs"] == ["The cell 'header' had been moved; it was put back."]
    assert found["names"]["flags"] == [
        f"The file '{name}' was left out: it has a name that the lab's own files need."
        for name in ("data", "timestamp.txt/x")
    ]
    there = course / "autograded" / "names" / tiny.LAB
    assert sorted(path.name for path in there.iterdir()) == [
        *(".tiny.unfinished", ".unfinished", "data", "one.txt", "tiny.ipynb")
    ]
    assert (there / "data" / "one.txt").read_text() == "1"
    assert not list(course.glob("autograded/*/.*"))
    assert (
        "without a time zone. It was read as 2026-03-02 17:00:00 UTC"
        in (found["moodle"]["flags"][0])
    )
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        for student in ("dated", "moodle"):
            submission = gradebook.find_submission(tiny.LAB, student)
            assert submission.timestamp == datetime(2026, 3, 2, 17)
    test = next(
        cell
        for cell in nbformat.read(course / "autograded/half/tiny/tiny.ipynb", as_version=4).cells
        if grade_id(cell) == "test-f"
    )
    assert test.outputs[0].evalue == "?\0"

    # Neither a release that is gone, nor a source in another order, changes a mark.
    shutil.rmtree(course / "release")
    shutil.rmtree(course / "submitted" / "header-last")
    del wanted["header-last"]
    source = course / "source" / tiny.LAB / "tiny.ipynb"
    book = nbformat.read(source, as_version=4)
    book.cells = [*book.cells[5:9], *book.cells[:5], *book.cells[9:]]
    nbformat.write(book, source)
    grade(course, "--force")
    assert marks(course) == wanted
    assert report(course)["aa-honest"]["repairs"] == []


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_notebook_that_is_added_and_a_kernel_that_is_gone(course):
    hand_in(course, "ada")
    grade(course)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        gradebook.find_grade("why", "tiny", tiny.LAB, "ada").manual_score = 1.5
        gradebook.db.commit()
    second = copy.deepcopy(tiny.source())
    second.metadata["kernelspec"] = {"name": "gone", "display_name": "Mine", "language": "python"}
    path = course / "source" / tiny.LAB / "second.ipynb"
    nbformat.write(second, path)
    generate = ("generate_assignment", tiny.LAB, "--notebook=second", "--force")
    nbgrader(course, *generate)

    said = grade(course, code=1)  # once, before anybody's marks are touched
    assert said.count("'second' runs in the kernel 'gone', which is not installed here") == 1
    assert "python -m ipykernel install --sys-prefix --name gone" in said
    assert marks(course) == {"ada": FULL}
    second.metadata["kernelspec"] = tiny.KERNEL
    nbformat.write(second, path)
    nbgrader(course, *generate)  # although there are submissions, the kernel is another

    grade(course, code=1)
    assert marks(course) == {"ada": FULL}
    assert marks(course, "second") == {"ada": dict.fromkeys(FULL, 0.0)}
    entry = report(course)["ada"]
    assert (entry["because"], entry["scores"]["tiny"]["why"]) == ("the lab has changed", 1.5)
    assert "There is no 'second.ipynb' in the submission" in entry["reason"]
    hand_in(course, "ada", name="second")
    grade(course)
    assert (marks(course), marks(course, "second")) == ({"ada": FULL}, {"ada": FULL})
    assert report(course)["ada"]["scores"]["tiny"]["why"] == 1.5
