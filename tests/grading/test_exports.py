"""Exports: what leaves the gradebook is what nbgrader says, in each system's own format.

The rosters are made up, after the files that Canvas and Moodle give out. What comes back is read
by the rules that the systems' documentation gives (see the docstrings of the exporters).
"""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from nbgrader.api import (
    Assignment,
    Base,
    BaseCell,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.apps import ExportApp
from nbgrader.plugins import CsvExportPlugin
from sqlalchemy import create_engine, event, insert
from sqlalchemy.exc import SAWarning
from typer.testing import CliRunner

from labkit.cli import app
from labkit.errors import InputError
from labkit.grading.exports import CanvasExport, MoodleExport
from labkit.grading.exports.marks import read
from labkit.grading.exports.run import export
from labkit.grading.exports.sheet import number, table, text

ROSTERS = Path(__file__).with_name("rosters")
CANVAS, MOODLE = ROSTERS / "canvas.csv", ROSTERS / "moodle.csv"
DUE = datetime(2026, 3, 2, 12)
FORMULA = '=HYPERLINK("http://example.org","mark")'
FIRST_LAB = {"lab_a": "First lab"}


def fill(gradebook):
    """Two labs, the first of two notebooks: 10 and 5 points; six students.

    ada has everything; bob is late, and more late than he has points in lab_b; the one with the
    formula has lab_b only; zoe has handed nothing in; carl's answer waits; old is in no roster.
    """
    gradebook.add_assignment("lab_a", duedate=DUE)
    for notebook in ("one", "two"):
        gradebook.add_notebook(notebook, "lab_a")
    gradebook.add_grade_cell("f", "one", "lab_a", max_score=2.5, cell_type="code")
    gradebook.add_grade_cell("why", "one", "lab_a", max_score=3, cell_type="markdown")
    gradebook.add_grade_cell("g", "two", "lab_a", max_score=3.5, cell_type="code")
    gradebook.add_task_cell("draw", "two", "lab_a", max_score=1, cell_type="markdown")
    gradebook.add_assignment("lab_b", duedate=DUE)
    gradebook.add_notebook("lab_b", "lab_b")
    gradebook.add_grade_cell("h", "lab_b", "lab_b", max_score=5, cell_type="code")
    gradebook.add_assignment("draft")  # no graded cell yet
    for student, first, last, email in (
        ("ada", "Ada", "Lovelace", "ada.l@example.org"),
        ("b0b", '"Bob"', "Babbage,\nJr", "Bob@Example.org"),
        ("eve", "Eve", FORMULA, "eve@example.org"),
        ("zoe", "Zoë", "Ångström", "zoe@example.org"),
        ("carl", None, None, "carl@example.org"),
        ("old", "Otto", "Gone", None),
    ):
        gradebook.add_student(student, first_name=first, last_name=last, email=email)
    grade(gradebook, "ada", "lab_a", f=2.5, why=(None, 2.25), g=0.1, draw=(None, 0.2, 0.5))
    grade(gradebook, "ada", "lab_b", h=5)
    grade(gradebook, "b0b", "lab_a", late=1, f=2.5, why=(0, 3), g=3.5, draw=(0, 1))
    grade(gradebook, "b0b", "lab_b", late=9, h=4)
    grade(gradebook, "eve", "lab_b", h=(1 / 3, None))
    grade(gradebook, "carl", "lab_a", f=2.5, why=None, g=3.5, draw=(None, 1))
    grade(gradebook, "old", "lab_b", h=1)
    gradebook.db.commit()


def grade(gradebook, student, lab, late=0, **cells):
    """Enter a submission: automatic score, then what a person gave, then extra credit."""
    submission = gradebook.add_submission(lab, student)
    submission.timestamp = DUE + timedelta(hours=late)
    for notebook in submission.notebooks:
        notebook.late_submission_penalty = late / len(submission.notebooks)
        for entry in notebook.grades:
            value = cells[entry.name]
            parts = value if isinstance(value, tuple) else (value,)
            entry.auto_score, entry.manual_score, entry.extra_credit = (*parts, None, None)[:3]
            entry.needs_manual_grade = value is None


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A folder of gradebooks to copy; made by nbgrader itself, each would take seconds."""
    folder = tmp_path_factory.mktemp("gradebooks")
    Base.metadata.create_all(create_engine(f"sqlite:///{folder / 'empty.db'}"))
    shutil.copy(folder / "empty.db", folder / "class.db")
    with Gradebook(f"sqlite:///{folder / 'class.db'}") as gradebook, warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader's own
        fill(gradebook)
    return folder


@pytest.fixture
def course(tmp_path, stored):
    folder = tmp_path / "a [course]"  # brackets mean something to glob
    folder.mkdir()
    shutil.copy(stored / "class.db", folder / "gradebook.db")
    return folder


@pytest.fixture
def marked(course):
    """The same course, with carl's answer marked."""
    with opened(course) as gradebook:
        entry = gradebook.find_grade("why", "one", "lab_a", "carl")
        entry.manual_score, entry.needs_manual_grade = 1.0, False
        gradebook.db.commit()
    return course


def opened(course):
    return Gradebook(f"sqlite:///{course / 'gradebook.db'}")


def roster(tmp_path, source=CANVAS, **changes):
    """A roster with some texts replaced."""
    content = source.read_text(encoding="utf-8")
    for old, new in changes.values():
        assert old in content
        content = content.replace(old, new)
    path = tmp_path / "roster.csv"
    path.write_text(content, encoding="utf-8")
    return path


def rows(path):
    content = path.read_bytes()
    assert not content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))


def canvas_import(path, assignments):
    """What Canvas takes from a file: points by title, and marks by Canvas ID and title.

    Args:
        path: the file.
        assignments: the titles that the course has, by number.
    """
    lines = rows(path)
    header = lines[0]
    assert header[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert all(len(line) == len(header) for line in lines)
    titles = {}
    for index, name in enumerate(header[5:], 5):
        numbered = re.fullmatch(r"(.*) \((\d+)\)", name)
        if numbered:
            assert assignments[int(numbered[2])] == numbered[1]
        titles[index] = numbered[1] if numbered else f"new: {name}"
    points, marks = {}, {}
    for line in lines[1:]:
        if "Points Possible" in line[0]:
            points |= {titles[i]: float(line[i]) for i in titles}
        else:
            assert re.fullmatch(r"\d+", line[1])
            assert line[1] not in marks
            marks[line[1]] = {
                titles[i]: float(line[i]) if re.fullmatch(r"\d+(\.\d+)?", line[i]) else line[i]
                for i in titles
            }
    return points, marks


def moodle_import(path, identify_by):
    """What Moodle takes from a file: marks by id and column; None is no grade."""
    header, *lines = rows(path)
    by, found = header.index(identify_by), {}
    for line in lines:
        assert len(line) == len(header)
        assert line[by]  # else Moodle gives the marks to the student above
        assert line[by] not in found
        found[line[by]] = {
            name: None if line[i] == "-" else float(line[i])
            for i, name in enumerate(header)
            if i != by and name not in ("First name", "Last name")
        }
    return found


# The marks are nbgrader's ---------------------------------------------------------------


def test_scores_and_points_are_those_of_nbgrader(course, tmp_path):
    stock = tmp_path / "stock.csv"
    with opened(course) as gradebook:
        for student in gradebook.students:
            student.last_name = "plain"  # nbgrader's own exporter quotes nothing
            student.first_name = "plain"
        CsvExportPlugin(to=str(stock)).export(gradebook)
        marks = read(gradebook)
        gradebook.db.rollback()
    points = {lab.name: lab.max_score for lab in marks.labs}
    assert points == {"lab_a": 10, "lab_b": 5}
    for line in csv.DictReader(stock.open()):
        if line["assignment"] in points:
            submission = marks.submissions.get((line["student_id"], line["assignment"]))
            assert float(line["score"]) == (submission.score if submission else 0)
            assert float(line["max_score"]) == points[line["assignment"]]


def test_scores_by_hand(course):
    with opened(course) as gradebook:
        marks = read(gradebook)
    assert {key: found.score for key, found in marks.submissions.items()} == pytest.approx(
        {
            ("ada", "lab_a"): 2.5 + 2.25 + 0.1 + 0.2 + 0.5,
            ("ada", "lab_b"): 5,
            ("b0b", "lab_a"): 10 - 1,
            ("b0b", "lab_b"): 0,  # 4 points, 9 late
            ("eve", "lab_b"): 1 / 3,
            ("carl", "lab_a"): 7,
            ("old", "lab_b"): 1,
        }
    )
    assert marks.unfinished() == {("carl", "lab_a"): "why"}


def test_a_cell_added_after_grading_and_one_without_a_score_wait(course):
    with opened(course) as gradebook:
        gradebook.add_grade_cell("late", "lab_b", "lab_b", max_score=1, cell_type="code")
        gradebook.find_grade("f", "one", "lab_a", "ada").auto_score = None
        gradebook.db.commit()
        marks = read(gradebook, students=["ada", "eve"])
    assert marks.unfinished() == {
        ("ada", "lab_a"): "f",
        ("ada", "lab_b"): "late",
        ("eve", "lab_b"): "late",
    }


# Tidy table -----------------------------------------------------------------------------


def test_tidy_table(course, tmp_path):
    sentences = export(course, "csv", tmp_path / "marks.csv")
    assert sentences[0] == "Not marked to the end (1): carl (lab_a: why)."
    found = pd.read_csv(tmp_path / "marks.csv", dtype={"student": str})
    assert len(found) == 6 * 5
    assert not found.duplicated(["student", "lab", "notebook", "cell"]).any()
    ada = found[(found.student == "ada") & (found.lab == "lab_a")].set_index("cell")
    assert ada.loc["draw", ["max_points", "points", "manual", "extra_credit"]].tolist() == [
        1,
        0.7,
        0.2,
        0.5,
    ]
    assert pd.isna(ada.loc["draw", "automatic"])
    assert ada.loc["f", "automatic"] == 2.5
    assert ada.loc["f", "submitted"] == "2026-03-02T12:00:00Z"
    waiting = found[found.needs_person == 1]
    assert waiting[["student", "lab", "cell"]].to_numpy().tolist() == [["carl", "lab_a", "why"]]
    assert waiting.points.isna().all()
    assert found[found.student == "zoe"][["points", "submitted"]].isna().all(axis=None)
    # a lab's mark, as the documentation says to compute it
    keys = ["student", "lab"]
    penalty = found.drop_duplicates([*keys, "notebook"]).groupby(keys).notebook_late_penalty.sum()
    computed = (found.groupby(keys).points.sum() - penalty).clip(lower=0)
    assert computed["b0b", "lab_a"] == 9
    assert computed["b0b", "lab_b"] == 0
    assert computed["ada", "lab_a"] == pytest.approx(5.55)


def test_tidy_table_runs_no_formula_and_keeps_one_line_a_name(course, tmp_path):
    export(course, "csv", tmp_path / "marks.csv", students=["b0b", "eve"])
    lines = rows(tmp_path / "marks.csv")
    assert {line[1] for line in lines[1:]} == {"'" + FORMULA, "Babbage, Jr"}


def test_what_was_not_handed_in_is_empty_or_0(course, tmp_path):
    export(course, "csv", tmp_path / "marks.csv", students=["zoe"], missing="zero")
    assert [line[9] for line in rows(tmp_path / "marks.csv")[1:]] == ["0"] * 5


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@a", " =1", "\t=1", "\r\n@a", "＝1"])
def test_formulas_become_text(value):
    assert text(value) == "'" + value.strip()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("\0=1", "'=1"),
        ("\x1b[31m-1\x07", "[31m-1"),
        ("\u200b=1", "'\u200b=1"),
        ("Ada;=1", "Ada;'=1"),
        ('Ada"; "@a', 'Ada"; "\'@a'),
        ("Ada,\t+1|-2", "Ada, '+1|'-2"),
        ("Ada\ud800", "Ada"),
    ],
)
def test_what_cannot_be_seen_and_other_separators_hide_no_formula(value, written):
    assert text(value) == written


@pytest.mark.parametrize(
    "value",
    ["a=1", "Ada", "", "O'Hara", "x-y@example.org", "Babbage, Jr", "علی\u200cرضا", "Ünal; B."],
)
def test_other_texts_stay(value):
    assert text(value) == value


def test_every_cell_is_in_quotation_marks():
    assert table([["a", 'b"c', ""], ["1", "2;3", "ä"]]) == (
        '"a","b""c",""\r\n"1","2;3","ä"\r\n'.encode()
    )


def test_numbers():
    values = (0.1 + 0.2, 10.0, 1 / 3, 1234567.5, 0.0, -0.0, 1e-7, None)
    written = ["0.3", "10", "0.33333", "1234567.5", "0", "0", "0", ""]
    assert [number(value) for value in values] == written


# Canvas ---------------------------------------------------------------------------------

TITLES = {901: "First lab", 902: "lab_b", 903: "Essay"}


def test_canvas(marked, tmp_path):
    to = tmp_path / "marks.csv"
    sentences = export(marked, "canvas", to, roster=CANVAS, columns=FIRST_LAB)
    points, found = canvas_import(to, TITLES)
    assert points == {"First lab": 10, "lab_b": 5}
    assert found == {
        "71001": {"First lab": 5.55, "lab_b": 5},
        "71002": {"First lab": 9, "lab_b": 0},
        # excused in lab_b there; carl is not assigned the first lab: both stay, so no row
        "71003": {"First lab": "", "lab_b": "EX"},
        "71005": {"First lab": "N/A", "lab_b": ""},
    }
    told = "\n".join(sentences)
    assert "Not in the roster, and so not in the file (1): old." in told
    assert "not in the gradebook (2): Newcomer, Nia, Student, Test." in told
    assert "left so (2): " in told
    assert "stays (3): Ångström, Zoë, Newcomer, Nia, Student, Test." in told
    assert "new assignment" not in told


def test_canvas_keeps_the_ids_and_neutralises_names(marked, tmp_path):
    to = tmp_path / "marks.csv"
    source = roster(tmp_path, name=('"Müller, Carl"', "Points Possible"))
    export(marked, "canvas", to, roster=source, columns=FIRST_LAB, missing="zero")
    lines = {line[1]: line for line in rows(to)}
    assert lines["71001"][:5] == ["Lovelace, Ada", "71001", "S-1", "ada", "Monday, early"]
    assert lines["71002"][0] == 'Babbage, "Bob"'
    assert lines["71003"][0] == "'" + FORMULA
    assert lines["71004"][:5] == ["Ångström, Zoë", "71004", "S-4", "zoe", "'=1+1"]
    assert lines["71005"][0] == "points possible"  # not the row that sets everybody's points
    assert sum("Points Possible" in line[0] for line in rows(to)) == 1
    assert not any(cell.startswith(("=", "+", "-", "@")) for line in rows(to) for cell in line)


def test_canvas_with_zeros(marked, tmp_path):
    to = tmp_path / "marks.csv"
    export(marked, "canvas", to, roster=CANVAS, columns=FIRST_LAB, missing="zero")
    _, found = canvas_import(to, TITLES)
    assert found["71004"] == {"First lab": 0, "lab_b": 0}
    assert found["71006"] == {"First lab": 0, "lab_b": 0}  # never seen by nbgrader
    assert found["71003"]["lab_b"] == "EX"


def test_canvas_keeps_marks_where_there_is_none(marked, tmp_path):
    """An empty cell would take them away."""
    given = roster(tmp_path, mark=("eve,Tuesday,,,EX", "eve,Tuesday,,7.5,4.0"))
    export(marked, "canvas", tmp_path / "marks.csv", roster=given, columns=FIRST_LAB)
    assert canvas_import(tmp_path / "marks.csv", TITLES)[1]["71003"] == {
        "First lab": 7.5,
        "lab_b": 0.33333,
    }


def test_canvas_makes_new_columns_and_says_so(marked, tmp_path):
    to = tmp_path / "marks.csv"
    sentences = export(marked, "canvas", to, roster=CANVAS, labs=["lab_a"])
    points, found = canvas_import(to, TITLES)
    assert points == {"new: lab_a": 10}
    assert found["71005"] == {"new: lab_a": 8}
    assert any("Canvas has no column for lab_a" in sentence for sentence in sentences)


def test_canvas_with_semicolons_a_byte_order_mark_and_two_columns_of_names(marked, tmp_path):
    lines = rows(CANVAS)
    for line in lines:
        last, _, first = line[0].partition(", ")
        line[:1] = ["LastName", "FirstName"] if line[0] == "Student" else [last, first]
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(lines)
    given = tmp_path / "roster.csv"
    given.write_text(out.getvalue().replace("10.00", "10,00"), encoding="utf-8-sig")
    export(marked, "canvas", tmp_path / "marks.csv", roster=given, columns=FIRST_LAB)
    found = rows(tmp_path / "marks.csv")
    assert found[0][:3] == ["LastName", "FirstName", "ID"]
    assert found[2][:3] + found[2][6:] == ["Lovelace", "Ada", "71001", "5.55", "5"]


def test_canvas_finds_students_by_the_id_that_nbgrader_has_for_an_lms(marked, tmp_path):
    with opened(marked) as gradebook:
        gradebook.find_student("old").lms_user_id = "71006"
        gradebook.db.commit()
    to = tmp_path / "marks.csv"
    export(marked, "canvas", to, roster=CANVAS, columns=FIRST_LAB)
    assert canvas_import(to, TITLES)[1]["71006"] == {"First lab": "", "lab_b": 1}


@pytest.mark.parametrize(
    ("changes", "options", "sentence"),
    [
        ({"a": ("10.00", "12.00")}, {}, "has 12 points in Canvas, lab_a has 10"),
        ({"a": ("10.00", "(read only)")}, {}, "'First lab (901)' cannot be written"),
        ({"a": ("71002", "")}, {}, "has no Canvas ID"),
        ({"a": ("Student,ID", "Name,Mail")}, {}, "no export of Canvas's gradebook"),
        ({"a": (",eve,", ",ADA,")}, {}, "'ada' fits several rows"),
        ({"a": ("bob@example.org,", "x,")}, {"students": ["b0b"]}, "nobody of the gradebook"),
        ({"a": ("Essay", "First lab")}, {}, "2 columns of"),
        ({}, {"columns": {"lab_a": "Third lab"}}, "0 columns of"),
        ({}, {"columns": {"lab_z": "First lab"}}, "which is not exported"),
        ({}, {"columns": {"lab_a": "lab_b"}}, "two labs cannot go into"),
        ({}, {"columns": {"lab_a": "Final Score"}}, "Canvas ignores a column"),
        ({}, {"labs": ["lab_z"]}, "knows of no lab 'lab_z'"),
        ({}, {"labs": ["draft"]}, "draft has no graded cells"),
        ({}, {"students": ["zoe"]}, "there is no mark to write"),
        ({}, {"students": ["nobody"]}, "knows of no student 'nobody'"),
    ],
)
def test_canvas_refuses(marked, tmp_path, changes, options, sentence):
    given = roster(tmp_path, **changes)
    with pytest.raises(InputError, match=re.escape(sentence)):
        export(
            marked, "canvas", tmp_path / "no.csv", roster=given, **{"columns": FIRST_LAB} | options
        )
    assert not (tmp_path / "no.csv").exists()


def test_two_students_in_one_row(marked, tmp_path):
    with opened(marked) as gradebook:
        gradebook.find_student("old").email = "BOB@example.org"
        gradebook.db.commit()
    with pytest.raises(InputError, match="fits several students of the gradebook: 'b0b', 'old'"):
        export(marked, "canvas", tmp_path / "no.csv", roster=CANVAS)


# Moodle ---------------------------------------------------------------------------------


def test_moodle(marked, tmp_path):
    to = tmp_path / "marks.csv"
    sentences = export(marked, "moodle", to, roster=MOODLE, columns=FIRST_LAB)
    assert moodle_import(to, "ID number") == {
        # carl and ada are found by e-mail, since nbgrader's ids are not in the file
        "S-1": {"First lab": 5.55, "lab_b": 5},
        "S-2": {"First lab": 9, "lab_b": 0},
        "S-3": {"First lab": None, "lab_b": 0.33333},
        "S-5": {"First lab": 8, "lab_b": None},
    }
    lines = rows(to)
    assert lines[0] == ["ID number", "First name", "Last name", "First lab", "lab_b"]
    assert lines[3][1] == "'" + FORMULA
    told = "\n".join(sentences)
    assert "identify users by ID number" in told
    assert "First lab 10, lab_b 5" in told
    assert "takes a grade away" in told
    assert "stays (2): Zoë Ångström, Nia Newcomer" in told


def test_moodle_takes_an_id_that_everybody_has(marked, tmp_path):
    """Nia has no ID number; addresses are written as Moodle has them, since case matters."""
    to = tmp_path / "marks.csv"
    export(marked, "moodle", to, roster=MOODLE, missing="zero")
    found = moodle_import(to, "Email address")
    assert found["Ada.L@Example.org"] == {"lab_a": 5.55, "lab_b": 5}
    assert found["nia@example.org"] == {"lab_a": 0, "lab_b": 0}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"a": ("nia@example.org", "")}, "tells everybody apart: .* (Nia Newcomer)"),
        ({"a": ("nia@example.org", "=1+1@example.org")}, "tells everybody apart"),
        ({"a": ("Newcomer,,,nia@example.org", "Newcomer,S-4,,")}, "tells everybody apart"),
        ({"a": ("ID number", "Matrikel"), "b": ("Email address", "Mail")}, "none of the columns"),
    ],
)
def test_moodle_refuses_ids_that_cannot_be_used(marked, tmp_path, changes, sentence):
    given = roster(tmp_path, MOODLE, **changes)
    with pytest.raises(InputError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        export(marked, "moodle", tmp_path / "no.csv", roster=given, missing="zero")


def test_moodle_warns_of_marks_above_100(marked, tmp_path):
    with opened(marked) as gradebook:
        gradebook.find_grade("h", "lab_b", "lab_b", "ada").extra_credit = 100
        gradebook.db.commit()
    told = export(marked, "moodle", tmp_path / "marks.csv", roster=MOODLE)
    assert any("unlimitedgrades" in sentence for sentence in told)


# Gradescope -----------------------------------------------------------------------------


def test_gradescope(marked, tmp_path):
    to = tmp_path / "marks.zip"
    told = export(marked, "gradescope", to, labs=["lab_a"])
    with zipfile.ZipFile(to) as archive:
        assert set(archive.namelist()) == {"setup.sh", "run_autograder", "marks.json"}
        assert archive.getinfo("run_autograder").external_attr >> 16 & 0o111
        assert archive.read("run_autograder").startswith(b"#!/usr/bin/env python3\n")
        archive.extractall(tmp_path / "autograder" / "source")
    assert any("10 points" in sentence for sentence in told)
    result = gradescope_run(tmp_path / "autograder", "BOB@example.org")
    assert result["score"] == 9
    assert result["visibility"] == "after_published"
    assert "late: 1 points less" in result["output"]
    assert {test["name"]: (test["score"], test["max_score"]) for test in result["tests"]} == {
        "one: f": (2.5, 2.5),
        "one: why": (3, 3),
        "two: g": (3.5, 3.5),
        "two: draw": (1, 1),
    }
    assert gradescope_run(tmp_path / "autograder", "zoe@example.org") is None  # no mark, no 0
    both = gradescope_run(tmp_path / "autograder", "ada.l@example.org", "bob@example.org")
    assert both is None  # a group of two marks


def gradescope_run(folder, *addresses):
    """Run the autograder as Gradescope does: in its folder, beside what it is given."""
    (folder / "results").mkdir(exist_ok=True)
    results = folder / "results" / "results.json"
    results.unlink(missing_ok=True)
    (folder / "run_autograder").write_bytes((folder / "source" / "run_autograder").read_bytes())
    users = [{"email": address, "id": 1, "name": "A Student"} for address in addresses]
    (folder / "submission_metadata.json").write_text(json.dumps({"users": users}))
    done = subprocess.run(
        [sys.executable, "-I", folder / "run_autograder"], cwd=folder, capture_output=True
    )
    assert (done.returncode == 0) == results.exists()
    return json.loads(results.read_text()) if results.exists() else None


def test_gradescope_names_who_has_no_address(marked, tmp_path):
    told = export(marked, "gradescope", tmp_path / "marks.zip", labs=["lab_b"], missing="zero")
    assert any("not in the file (1): old" in sentence for sentence in told)
    with zipfile.ZipFile(tmp_path / "marks.zip") as archive:
        found = json.loads(archive.read("marks.json"))
    assert found["zoe@example.org"]["score"] == 0
    assert found["eve@example.org"]["score"] == 0.33333


def test_gradescope_takes_one_lab(marked, tmp_path):
    with pytest.raises(InputError, match="one lab; choose one of lab_a, lab_b"):
        export(marked, "gradescope", tmp_path / "no.zip")


# Half-graded work -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "given"), [("canvas", CANVAS), ("moodle", MOODLE), ("gradescope", None)]
)
def test_half_graded_marks_are_refused_and_named(course, tmp_path, system, given):
    with pytest.raises(InputError, match=r"to the end \(1\): carl \(lab_a: why\)"):
        export(course, system, tmp_path / "no", roster=given, labs=["lab_a"])
    assert not (tmp_path / "no").exists()


def test_nobody_with_a_mark(marked, tmp_path):
    with pytest.raises(InputError, match="there is no mark to write"):
        export(marked, "moodle", tmp_path / "no.csv", roster=MOODLE, students=["zoe"])


@pytest.mark.parametrize(("unfinished", "mark"), [("empty", None), ("as-is", 7)])
def test_half_graded_marks_are_left_out_or_told(course, tmp_path, unfinished, mark):
    to = tmp_path / "marks.csv"
    told = export(course, "moodle", to, roster=MOODLE, labs=["lab_a"], unfinished=unfinished)
    assert "carl (lab_a: why)" in "\n".join(told)
    assert moodle_import(to, "ID number").get("S-5", {"lab_a": None}) == {"lab_a": mark}


def test_a_finished_lab_beside_an_unfinished_one(course, tmp_path):
    export(course, "moodle", tmp_path / "marks.csv", roster=MOODLE, labs=["lab_b"])
    found = moodle_import(tmp_path / "marks.csv", "ID number")
    assert found == {"S-1": {"lab_b": 5}, "S-2": {"lab_b": 0}, "S-3": {"lab_b": 0.33333}}


def test_work_that_was_never_graded_is_no_0(marked, tmp_path):
    """zoe's folder is there, the gradebook has no submission; nia is not even in the gradebook."""
    for student, lab in (("zoe", "lab_a"), ("NIA", "lab_b"), ("ada", "lab_a"), ("zoe", "notes")):
        (marked / "submitted" / student / lab).mkdir(parents=True)
    with pytest.raises(
        InputError, match=r"to the end \(2\): .*NIA \(lab_b: handed in, not graded\)"
    ):
        export(marked, "canvas", tmp_path / "no.csv", roster=CANVAS, columns=FIRST_LAB)
    to = tmp_path / "marks.csv"
    options = {"roster": CANVAS, "columns": FIRST_LAB, "missing": "zero", "unfinished": "as-is"}
    export(marked, "canvas", to, **options)
    _, found = canvas_import(to, TITLES)
    assert found["71004"] == {"First lab": "", "lab_b": 0}
    assert found["71006"] == {"First lab": 0, "lab_b": ""}
    export(marked, "csv", tmp_path / "table.csv", students=["NIA"], missing="zero")
    found = pd.read_csv(tmp_path / "table.csv").set_index("cell")
    assert found.loc["h", "needs_person"] == 1
    assert pd.isna(found.loc["h", "points"])
    assert found.loc["f", "points"] == 0


# Commands -------------------------------------------------------------------------------


def test_the_command(marked, tmp_path):
    to = tmp_path / "marks.csv"
    arguments = ["export", "canvas", "--course", str(marked), "--to", str(to)]
    arguments += ["--roster", str(CANVAS), "--column", "lab_a=First lab", "--lab", "lab_a"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert f"Written: {to}" in done.output
    assert canvas_import(to, TITLES)[0] == {"First lab": 10}
    before = to.read_bytes()
    again = CliRunner().invoke(app, arguments)
    assert isinstance(again.exception, InputError)
    assert "is there already" in str(again.exception)
    assert to.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["moodle"], "the students' ids in the LMS are needed"),
        (["moodle", "--roster", "nowhere.csv"], "cannot read the roster"),
        (["canvas", "--column", "lab_a"], "expected --column LAB=TITLE"),
        (["csv", "--roster", "x.csv"], "takes no roster"),
        (["csv", "--to", "nowhere/marks.csv"], "cannot write"),
        (["csv", "--course", "empty"], "has no gradebook"),
        (["csv", "--course", "nowhere"], "there is no folder"),
    ],
)
def test_what_is_wrong_is_a_sentence(marked, tmp_path, options, sentence):
    (tmp_path / "empty").mkdir()
    with chdir(tmp_path):
        done = CliRunner().invoke(
            app, ["export", "--course", str(marked), "--to", "marks.csv", *options]
        )
    assert isinstance(done.exception, InputError)
    assert sentence in str(done.exception)
    assert not (tmp_path / "empty" / "gradebook.db").exists()
    assert not (tmp_path / "marks.csv").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("Müller".encode("latin-1"), "not in UTF-8"),
        (b"Student,ID,Section\n", "has no rows"),
        (b"Student,ID,Section\na,1,b,c\n", "more cells than columns"),
    ],
)
def test_rosters_that_cannot_be_read(marked, tmp_path, content, sentence):
    (tmp_path / "roster.csv").write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        export(marked, "canvas", tmp_path / "no.csv", roster=tmp_path / "roster.csv")


def nbgrader_export(*arguments):
    """`nbgrader export`, in this process."""
    application = ExportApp()
    application.initialize(list(arguments))
    application.start()


def test_nbgraders_own_command(marked, tmp_path):
    name = f"--exporter={MoodleExport.__module__.rsplit('.', 1)[0]}.MoodleExport"
    with chdir(marked):
        nbgrader_export(name, f"--MoodleExport.roster={MOODLE}", "--to", "m.csv")
        assert moodle_import(Path("m.csv"), "ID number")["S-1"] == {"lab_a": 5.55, "lab_b": 5}
        with pytest.raises(SystemExit) as refused:
            nbgrader_export(name, f"--MoodleExport.roster={MOODLE}", "--to", "m.csv")
    assert refused.value.code == 2


# A large class --------------------------------------------------------------------------


def large(path, students, labs=7, cells=12):
    """A gradebook as grading would have left it, entered row by row."""
    with Gradebook(f"sqlite:///{path}") as gradebook:
        db, course = gradebook.db, gradebook.course_id
        entries = {kind: [] for kind in (SubmittedAssignment, SubmittedNotebook, Grade)}
        people = [{"id": f"s{n:03}", "email": f"s{n:03}@example.org"} for n in range(students)]
        db.execute(insert(Student), people)
        for lab in range(labs):
            db.execute(
                insert(Assignment), [{"id": f"a{lab}", "name": f"lab{lab}", "course_id": course}]
            )
            db.execute(
                insert(Notebook),
                [{"id": f"n{lab}", "name": f"lab{lab}", "assignment_id": f"a{lab}"}],
            )
            for cell in range(cells):
                common = {"id": f"c{lab}-{cell}", "name": f"test-{cell}", "type": "GradeCell"}
                db.execute(insert(BaseCell.__table__), [common | {"notebook_id": f"n{lab}"}])
                points = {"id": common["id"], "max_score": 2.0, "cell_type": "code"}
                db.execute(insert(GradeCell.__table__), [points])
            for person in people:
                key = f"{lab}-{person['id']}"
                entries[SubmittedAssignment].append(
                    {"id": key, "assignment_id": f"a{lab}", "student_id": person["id"]}
                    | {"timestamp": datetime.now(UTC).replace(tzinfo=None)}
                )
                entries[SubmittedNotebook].append(
                    {"id": key, "assignment_id": key, "notebook_id": f"n{lab}"}
                )
                entries[Grade] += [
                    {"id": f"{key}-{cell}", "notebook_id": key, "cell_id": f"c{lab}-{cell}"}
                    | {"auto_score": float(cell % 3), "needs_manual_grade": False}
                    for cell in range(cells)
                ]
        for kind, values in entries.items():
            db.execute(insert(kind.__table__), values)
        db.commit()


@pytest.mark.parametrize("students", [3, 300])
def test_the_number_of_queries_does_not_grow_with_the_class(tmp_path, stored, students):
    shutil.copy(stored / "empty.db", tmp_path / "gradebook.db")
    large(tmp_path / "gradebook.db", students)
    given = tmp_path / "roster.csv"
    lines = [f"Student {n},{n + 1},s{n:03},,Monday" for n in range(students)]
    header = "Student,ID,SIS User ID,SIS Login ID,Section"
    given.write_text("\n".join([header, *lines]) + "\n")
    with opened(tmp_path) as gradebook:
        queries = []
        event.listen(
            gradebook.engine, "before_cursor_execute", lambda *args: queries.append(args[2])
        )
        CanvasExport(to=str(tmp_path / "marks.csv"), roster=str(given)).write(gradebook)
    assert len(queries) <= 8
    points, found = canvas_import(tmp_path / "marks.csv", {})
    assert points == {f"new: lab{lab}": 24 for lab in range(7)}
    assert len(found) == students
    assert all(set(marks.values()) == {12.0} for marks in found.values())
