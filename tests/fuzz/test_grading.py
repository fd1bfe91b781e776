"""What grading reads besides submissions: its report, times, and the labs themselves."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from fuzz.inputs import (
    ODD_TEXT,
    altered,
    damaged,
    folder,
    json_files,
    json_values,
    result_or_refusal,
    text_files,
    within,
)
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.coursedir import CourseDirectory

from labkit.grading import report
from labkit.grading.exports import roster
from labkit.grading.gradebook import master
from labkit.grading.lint import Problem, lint, lint_release
from labkit.grading.notebooks import automatic_points, points, read, solutions
from labkit.grading.order import known_orders
from labkit.grading.timestamps import decoded, written
from labkit.grading.timestamps import read as read_time

# Damaged input may make other libraries warn; what counts is what comes of it.
pytestmark = pytest.mark.filterwarnings("ignore")

ROOT = Path(__file__).parents[2]
ENTRY = report.Entry(
    "lab", "ann", score=1.5, max_score=2.0, scores={"lab": {"f": 1.0, "why": None}},
    repairs=["It was repaired."], flags=["Look."], digest="d", before={"lab": {"f": 0.0}},
)  # fmt: skip
LINE = asdict(ENTRY)


@st.composite
def reports(draw):
    """Files of a report whose lines were altered, damaged or cut."""
    lines = []
    for _ in range(draw(st.integers(0, 3))):
        line = json.dumps(draw(st.one_of(st.just(LINE), altered(LINE, 2), json_values())))
        line = line.encode("utf-8", "replace")
        lines.append(draw(damaged(line, 2)) if draw(st.integers(0, 3)) == 0 else line)
    lines += draw(st.lists(st.sampled_from([t.encode("utf-8", "replace") for t in ODD_TEXT])))
    return b"\n".join(lines) + draw(st.sampled_from([b"\n", b"", b'{"lab": "la']))


@given(reports())
def test_a_report(content):
    with folder() as course, within():
        (path := course / report.REPORT).write_bytes(content)
        before = list(report.read(course))
        assert all(isinstance(line, dict) for line in before)
        for (student, lab), entry in report.last(course).items():
            assert (entry.student, entry.lab) == (student, lab)
            assert isinstance(entry.line(), str) and list(entry.changes()) is not None
            entry.add(report.Run("none", ["flag"], peak_memory=3))
        added = report.Entry("lab", "bob", digest="e")
        report.append(course, added)
        assert path.read_bytes().startswith(content)
        assert list(report.read(course)) == [*before, asdict(added)]  # also after a cut line
        assert report.last(course)["bob", "lab"] == added


TIMES = ["2024-01-31 23:59:59.123456 UTC", "2024-01-31T12:00:00+02:00", "2024-01-31 10:00:00 +0100"]


@given(
    st.sampled_from(TIMES).flatmap(lambda time: text_files([time]))
    | st.sampled_from(TIMES).map(str.encode).flatmap(damaged)
    | st.tuples(st.sampled_from(TIMES), st.sampled_from(ODD_TEXT)).map(
        lambda both: " ".join([*both[0].split()[:2], both[1]]).encode("utf-8", "replace")
    )
    | st.sampled_from([b"1" * 10**6, b"0001-01-01 00:00 +9999", b"9999-12-31 23:59 -2300"])
)
def test_times(content):
    """Whatever is written in the place of a time, nbgrader reads as that."""
    with folder() as place, within():
        text = decoded(content)
        reading = read_time(text)
        if reading.time is not None:
            (place / "timestamp.txt").write_text(written(reading.time))
            assert CourseDirectory().get_existing_timestamp(str(place)) == reading.time
        assert "\n" not in text


ROSTER = [
    "Student,ID,SIS Login ID,Section",
    "Points Possible,,,",
    "Ada A,1,ada,S1",
    '"B, Bo",2,bo,S1',
]


@given(text_files(ROSTER) | text_files([line.replace(",", ";") for line in ROSTER]))
def test_a_roster(content):
    with folder() as place:
        (path := place / "roster.csv").write_bytes(content)
        found = result_or_refusal(lambda: roster.read(path), path)
    if found is not None:
        assert found.rows and {len(row) for row in found.rows} == {len(found.header)}


def labs(name):
    return json.loads((ROOT / "source" / name / f"{name}.ipynb").read_text("utf-8"))


LAB = labs("lab1_cam")
SMALL = {**LAB, "cells": [c for c in LAB["cells"] if "nbgrader" in c["metadata"]][:8]}
METADATA = [cell["metadata"] for cell in SMALL["cells"]]


@st.composite
def sources(draw):
    """A lab's notebook whose metadata, text or bytes are spoilt."""
    book = dict(SMALL)
    kind = draw(st.sampled_from(["metadata", "labkit", "tree", "cells", "text", "file"]))
    if kind == "metadata":
        changed = draw(altered(METADATA))
        pairs = zip(SMALL["cells"], changed, strict=False)
        book["cells"] = [{**cell, "metadata": metadata} for cell, metadata in pairs]
    elif kind == "labkit":
        book["metadata"] = draw(altered(SMALL["metadata"]))
    elif kind == "tree":
        book = draw(altered(draw(st.sampled_from([SMALL, SMALL, SMALL, LAB]))))
    elif kind == "cells":
        book["cells"] = draw(st.lists(st.sampled_from(SMALL["cells"]), max_size=8))
    elif kind == "text":
        text = draw(st.sampled_from(ODD_TEXT) | st.text() | code())
        book["cells"] = [{**cell, "source": text} for cell in SMALL["cells"][:3]]
    else:
        return draw(json_files(draw(st.sampled_from([SMALL, SMALL, SMALL, LAB]))))
    return json.dumps(book).encode("utf-8", "replace")


def code():
    """Cells that are hard to parse, or to search."""
    deep = st.sampled_from(["(", "[", "-", "not ", "a.", "lambda:", "f(", "{0:", "x if y else "])
    words = st.sampled_from(["#", " ", "BEGIN", "SOLUTION", "<!--", "-->", "_", "%", "a", "-"])
    return (
        st.tuples(deep, st.sampled_from([10, 150, 5000])).map(lambda both: both[0] * both[1] + "0")
        | st.lists(words, max_size=60).map("".join)
        | words.map(lambda word: "# " + word * 3000 + "!")
        | st.sampled_from([CHAIN, KNOT])
    )


CHAIN = "\n".join(f"def f{i}(): return f{i + 1}()" for i in range(1500))
KNOT = "\n".join(f"def f{i}(): {'; '.join(f'f{j}()' for j in range(30))}" for i in range(30))


@given(sources())
def test_lint(content):
    with folder() as course:
        (place := course / "source" / "lab").mkdir(parents=True)
        (path := place / "lab.ipynb").write_bytes(content)
        for problem in result_or_refusal(lambda: lint(course, "lab"), path) or []:
            assert isinstance(problem, Problem) and str(problem).strip()
        if (book := result_or_refusal(lambda: read(path), path)) is not None:
            assert isinstance(lint_release(book, book), list)
            assert {type(value) for value in points(book).values()} <= {float}
            assert isinstance(automatic_points(book), float | int)
            assert all(isinstance(text, str) for text in solutions(book).values())


class Lab:
    """Of a gradebook: a lab that has no cells."""

    source_cells = grade_cells = task_cells = solution_cells = ()
    kernelspec = None


@given(sources())
def test_the_order_of_cells(content):
    with folder() as place, within():
        for step in ("source", "release"):
            (path := place / step / "lab" / "lab.ipynb").parent.mkdir(parents=True)
            path.write_bytes(content)
        for cell in master(
            Lab, known_orders(CourseDirectory(root=str(place)), "lab", "lab"), []
        ).cells:
            assert cell.source == "" and "nbgrader" not in cell.metadata
