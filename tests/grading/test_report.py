"""The report survives whatever happened to its file."""

import json
from dataclasses import asdict

import pytest

from labkit.grading import report
from labkit.grading.report import REPORT, Entry, append, last, read

ANN, BOB = Entry("lab", "ann", digest="a"), Entry("lab", "bob", digest="b")


def test_what_is_appended_after_a_cut_line_is_not_lost(tmp_path):
    append(tmp_path, ANN)
    path = tmp_path / REPORT
    path.write_bytes(path.read_bytes() + ANN.line().encode()[:20])  # the machine went down
    append(tmp_path, BOB)
    assert last(tmp_path) == {("ann", "lab"): ANN, ("bob", "lab"): BOB}
    assert path.read_text().count("\n") == 3


def test_whole_lines_are_appended_to_as_they_are(tmp_path):
    append(tmp_path, ANN)
    append(tmp_path, BOB)
    assert (tmp_path / REPORT).read_text() == f"{ANN.line()}\n{BOB.line()}\n"


@pytest.mark.parametrize(
    "line",
    ["", "{", "[1]", "null", "[" * 100_000, "9" * 5000, "\0", '{"a": ' * 50_000],
)
def test_lines_that_are_none_are_passed_over(tmp_path, line):
    (tmp_path / REPORT).write_text(f"{ANN.line()}\n{line}\n{BOB.line()}\n")
    assert list(read(tmp_path)) == [asdict(ANN), asdict(BOB)]


@pytest.mark.parametrize(
    "change",
    [
        {"student": ["ann"]},
        {"student": None},
        {"scores": "none"},
        {"scores": {"lab": {"f": "1"}}},
        {"before": [1]},
        {"flags": None},
        {"score": True},
    ],
)
def test_an_entry_with_other_types_is_as_if_it_were_not_there(tmp_path, change):
    lines = [json.dumps({**asdict(ANN), **change}), BOB.line()]
    (tmp_path / REPORT).write_text("\n".join(lines))
    assert last(tmp_path) == {("bob", "lab"): BOB}


def test_a_course_without_a_report(tmp_path):
    assert list(report.read(tmp_path)) == [] and last(tmp_path) == {}
