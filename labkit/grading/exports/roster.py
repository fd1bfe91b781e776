"""The list of students that an LMS gives out, and who of the gradebook is who in it."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from labkit.errors import InputError
from labkit.grading.exports.marks import Student


@dataclass(frozen=True)
class Roster:
    """A CSV file: its header, and its rows, each as long as the header."""

    path: Path
    header: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Person:
    """A student in a roster.

    Args:
        name: for sentences.
        row: of the roster.
        keys: ids and addresses, of which a student's id or e-mail must be one.
        lms_ids: the system's own numbers, which nbgrader may hold as `lms_user_id`.
    """

    name: str
    row: list[str]
    keys: tuple[str, ...]
    lms_ids: tuple[str, ...] = ()


@dataclass
class Matched:
    """Who is who.

    Args:
        rows: everybody in the roster, in its order, and who that is in the gradebook.
        only_gradebook: students who are not in the roster.
    """

    rows: list[tuple[Person, Student | None]] = field(default_factory=list)
    only_gradebook: list[Student] = field(default_factory=list)


def read(path: Path) -> Roster:
    """Read a roster; commas, semicolons or tabs may stand between its columns.

    Raises:
        InputError: the file is not there, or is no table in UTF-8.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read the roster {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"the roster {path} is not in UTF-8: export it from the LMS again, as CSV"
        ) from error
    first = content.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise InputError(f"the roster {path} is no CSV file: {error}") from error
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if len(lines) < 2:
        raise InputError(f"the roster {path} has no rows: expected a header and a row a student")
    header = [cell.strip() for cell in lines[0]]
    for line in lines[1:]:
        if len(line) > len(header):
            raise InputError(
                f"the roster {path} has more cells than columns in the row that begins with "
                f"{', '.join(map(repr, line[:2]))}: export it again"
            )
        line += [""] * (len(header) - len(line))
    return Roster(path, header, lines[1:])


def match(people: Iterable[Person], students: Sequence[Student]) -> Matched:
    """Find each student in a roster: by LMS id, else by nbgrader's id, else by e-mail.

    Case does not matter, as it does not in Canvas's logins and in e-mail.

    Raises:
        InputError: a student fits two rows, or two students fit one row.
    """
    by_key: dict[str, list[Person]] = defaultdict(list)
    by_lms_id: dict[str, list[Person]] = defaultdict(list)
    found: dict[int, tuple[Person, list[Student]]] = {}
    for person in people:
        found[id(person)] = person, []
        for index, keys in ((by_key, person.keys), (by_lms_id, person.lms_ids)):
            for key in {_folded(key) for key in keys} - {""}:
                index[key].append(person)
    result = Matched()
    for student in students:
        fits = (
            by_lms_id.get(_folded(student.lms_user_id))
            or by_key.get(_folded(student.id))
            or by_key.get(_folded(student.email))
        )
        if not fits:
            result.only_gradebook.append(student)
        elif len(fits) > 1:
            raise InputError(
                f"the student {student.id!r} fits several rows of the roster: "
                f"{', '.join(repr(person.name) for person in fits)}"
            )
        else:
            found[id(fits[0])][1].append(student)
    for person, fitting in found.values():
        if len(fitting) > 1:
            raise InputError(
                f"the row of {person.name!r} in the roster fits several students of the "
                f"gradebook: {', '.join(repr(student.id) for student in fitting)}"
            )
        result.rows.append((person, fitting[0] if fitting else None))
    return result


def _folded(key: str) -> str:
    return key.strip().casefold()
