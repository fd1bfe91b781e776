"""A small class that hands in: right, blank, half done, mistaken and broken submissions."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from labkit.errors import InputError
from labkit.grading import mutants, notebooks
from labkit.grading.course import Folders, stand_in

REFERENCE = "reference"
_MARKER = ".labkit-sample-course"
_BROKEN = '{"cells": [{"cell_type": "code", "source": ["print(1)"'


@dataclass(frozen=True)
class Student:
    """One submission of the sample class.

    `expected` are the automatic points of each graded cell by grade_id; a submission that cannot
    be read at all is marked `unreadable` and scores nothing.
    """

    name: str
    text: str
    expected: Mapping[str, float]
    unreadable: bool = False


def students(root: Path, lab: str) -> list[Student]:
    """The sample class of a lab, from its source, its release and its mutants.

    Args:
        root: the course repository.
        lab: name of the lab.

    Raises:
        InputError: the source, the release or the list of mutants is missing, or the list
            names what there is not.
    """
    folders = Folders.of(root)
    source = notebooks.read(folders.source(lab) / f"{lab}.ipynb")
    release = notebooks.read(folders.release(lab) / f"{lab}.ipynb")
    known = mutants.load(root, lab)
    answers = notebooks.solutions(source)
    automatic = {cell.metadata.nbgrader["grade_id"] for cell in notebooks.tests(source)}
    full = {
        name: points if name in automatic else 0.0
        for name, points in notebooks.points(source).items()
    }
    half = known.sample_class.half_done
    for names, there in ((half, answers), (known.sample_class.mistakes, known.mutants)):
        if lost := [name for name in names if name not in there]:
            raise InputError(f"the sample class of {lab} names {lost[0]!r}, which there is not")

    def hands_in(name: str, filled: dict[str, str], expected: Mapping[str, float]) -> Student:
        text = nbformat.writes(notebooks.submission(release, filled))
        return Student(name, text, expected)

    return [
        hands_in(REFERENCE, answers, full),
        hands_in("blank", {}, dict.fromkeys(full, 0.0)),
        hands_in(
            "half-done",
            {name: answers[name] for name in half},
            {name: full[name] * (name in _tests_of(source, half)) for name in full},
        ),
        *(
            hands_in(
                name,
                known.mutants[name].apply(answers),
                {cell: full[cell] - known.mutants[name].loses.get(cell, 0.0) for cell in full},
            )
            for name in known.sample_class.mistakes
        ),
        Student("broken-file", _BROKEN, dict.fromkeys(full, 0.0), True),
    ]


def _tests_of(source: nbformat.NotebookNode, solved: Sequence[str]) -> set[str]:
    """The test cells that follow one of these solution cells, before the next one."""
    found, last = set(), None
    answers = notebooks.solutions(source)
    for cell in source.cells:
        name = notebooks.grade_id(cell)
        if name in answers:
            last = name
        elif last in solved and name in notebooks.points(source):
            found.add(name)
    return found


def write_course(root: Path, course: Path, classes: Mapping[str, list[Student]]) -> Folders:
    """Make a course folder of its own, with the labs' sources and the classes' submissions.

    Args:
        root: the course repository.
        course: the folder to make; an earlier sample course there is replaced.
        classes: the students of each lab.

    Returns:
        Where the new course keeps what.

    Raises:
        InputError: `course` is there already and is no sample course.
    """
    if course.exists() and not (course / _MARKER).is_file():
        raise InputError(
            f"{course} is there already and was not made by labkit: name another folder, or move it"
        )
    shutil.rmtree(course, ignore_errors=True)
    course.mkdir(parents=True)
    (course / _MARKER).write_text("Made by labkit; made anew each time.\n", encoding="utf-8")
    folders = stand_in(root, course)
    for lab, members in classes.items():
        shutil.copytree(Folders.of(root).source(lab), folders.source(lab))
        hand_in(folders, lab, members)
    return folders


def hand_in(folders: Folders, lab: str, members: Iterable[Student]) -> None:
    """Put what students hand in where nbgrader looks for it."""
    for student in members:
        folder = folders.submitted(student.name, lab)
        folder.mkdir(parents=True)
        (folder / f"{lab}.ipynb").write_text(student.text, encoding="utf-8")
