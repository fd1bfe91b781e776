"""`labkit course`: right marks pass, and a wrong one is shown and fails."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from rich.console import Console

from labkit.grading import demonstration, report
from labkit.grading.course import Folders
from labkit.grading.sample_class import Student

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path):
    """A course with one lab of one task, worth two points."""
    metadata = {"grade_id": "test-f", "grade": True, "solution": False, "points": 2}
    test = new_code_cell("", metadata={"nbgrader": metadata})
    book = new_notebook(cells=[test])
    book.metadata["labkit"] = {"tasks": [{"name": "f", "points": 2, "cells": ["test-f"]}]}
    (folder := tmp_path / "source" / "lab").mkdir(parents=True)
    nbformat.write(book, folder / "lab.ipynb")
    return tmp_path


@pytest.mark.parametrize(
    ("score", "graded", "right", "verdict"),
    [
        (2.0, True, True, "yes"),
        (1.5, True, False, "ada: expected test-f 2"),
        (2.0, False, False, "ada: expected"),
    ],
)
def test_the_table_compares_marks(root, monkeypatch, capsys, score, graded, right, verdict):
    monkeypatch.setattr(demonstration, "automatic_scores", lambda *_: {"test-f": score})
    if graded:
        report.append(root, report.Entry("lab", "ada"))
    ada = Student("ada", "{}", {"test-f": 2.0})
    assert (
        demonstration._report(Folders.of(root), Folders.of(root), "lab", [ada], Console(width=100))
        is right
    )
    assert verdict in capsys.readouterr().out


def test_an_unreadable_submission_must_not_have_been_graded(root, monkeypatch):
    monkeypatch.setattr(demonstration, "automatic_scores", lambda *_: {"test-f": 0.0})
    cut = Student("cut", "{", {"test-f": 0.0}, unreadable=True)
    report.append(root, report.Entry("lab", "cut", status="rejected"))
    assert demonstration._report(Folders.of(root), Folders.of(root), "lab", [cut], Console())
    report.append(root, report.Entry("lab", "cut"))
    assert not demonstration._report(Folders.of(root), Folders.of(root), "lab", [cut], Console())


@pytest.mark.parametrize("outputs", [[], [new_output("error", ename="E", evalue="e")]])
def test_the_reference_must_pass_tests_of_0_points_too(root, monkeypatch, outputs):
    monkeypatch.setattr(demonstration, "automatic_scores", lambda *_: {"test-f": 0.0})
    book = nbformat.read(root / "source" / "lab" / "lab.ipynb", as_version=4)
    book.cells[0].outputs = outputs
    (folder := root / "autograded" / "reference" / "lab").mkdir(parents=True)
    nbformat.write(book, folder / "lab.ipynb")
    report.append(root, report.Entry("lab", "reference"))
    reference = Student("reference", "{}", {"test-f": 0.0})
    folders = Folders.of(root)
    right = demonstration._report(folders, folders, "lab", [reference], Console())
    assert right is (outputs == [])


@pytest.mark.slow
def test_the_readme_command(tmp_path):
    command = [sys.executable, "-m", "labkit", "course", "--out", str(tmp_path / "class")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ": expected" not in done.stdout
    assert (tmp_path / "class" / "feedback" / "half-done" / "lab1_cam" / "lab1_cam.html").is_file()
