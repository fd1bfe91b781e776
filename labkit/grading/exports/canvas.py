"""Marks for Canvas's gradebook.

The format is Canvas's own export and import, "How do I import grades in the Gradebook?" in the
Canvas Instructor Guide:
https://community.canvaslms.com/t5/Instructor-Guide/How-do-I-import-grades-in-the-Gradebook/ta-p/807
and, where that page is silent, `lib/gradebook_importer.rb` in Canvas's published source.

- Columns stand in this order: Student, ID, SIS User ID, SIS Login ID, Section, then assignments.
  The file may have no others; what it does not have stays as it is in Canvas.
- A student is found by the ID. Names are not read.
- An assignment's column is `Title (number)`. Without that number, Canvas asks whether to make a
  new assignment.
- A row "Points Possible" holds the points of each assignment; "(read only)" marks a column that
  cannot be imported. Titles with "Final Score" and the like are ignored.
- Numbers may have one decimal mark and no separator of thousands. EX excuses a student.
- An empty cell takes a mark away that Canvas has.
- UTF-8; no byte order mark is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from labkit.errors import InputError
from labkit.grading.exports.base import MarksExport
from labkit.grading.exports.marks import Lab, Marks
from labkit.grading.exports.roster import Person, Roster
from labkit.grading.exports.sheet import names, number, table, text

IDENTITY = (
    "Student",
    "LastName",
    "FirstName",
    "ID",
    "SIS User ID",
    "SIS Login ID",
    "Integration ID",
    "Root Account",
    "Section",
)
IGNORED = re.compile(r"(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)")
POINTS = "Points Possible"
_STAYS = ("EX", "N/A")  # excused, and not assigned to this student
_KEPT = re.compile(r"-?[\d.,]*%?|EX|N/A", re.IGNORECASE)


@dataclass(frozen=True)
class _Column:
    """Where a lab's marks go: a column of Canvas's, or a new one if it has no index."""

    lab: Lab
    header: str
    index: int | None


class CanvasExport(MarksExport):
    """CSV for Canvas: Grades, Import.

    The roster is Canvas's own export (Grades, Export, Export Entire Gradebook), made just before:
    where there is no mark to write, and where a student is excused, its value is kept.
    """

    default_name = "canvas.csv"

    def content(self, marks: Marks) -> tuple[bytes, list[str]]:
        """The roster's id columns, and a column for each lab."""
        self.check_columns(marks)
        roster = self.read_roster()
        width = _identity_width(roster)
        columns = self._columns(marks, roster, width)
        found, sentences = self.match(marks, list(_people(roster, width)))
        sentences += self.check_unfinished(marks)
        if new := [column.header for column in columns if column.index is None]:
            sentences.append(
                f"Canvas has no column for {', '.join(new)}, and will ask whether to make a new "
                "assignment. If it has one under another name, give that as the lab's column."
            )
        rows = [
            [*roster.header[:width], *(text(column.header) for column in columns)],
            [f"    {POINTS}", *[""] * (width - 1), *(number(c.lab.max_score) for c in columns)],
        ]
        left, excused = [], []
        for person, student in found.rows:
            values = [self.mark(marks, student, column.lab) for column in columns]
            there = ["" if c.index is None else person.row[c.index].strip() for c in columns]
            if all(value is None for value in values):
                left.append(person.name)
                continue
            if any(v is not None and _stays(t) for v, t in zip(values, there, strict=True)):
                excused.append(person.name)
            cells = [_cell(v, t) for v, t in zip(values, there, strict=True)]
            rows.append([*(_identity(cell) for cell in person.row[:width]), *cells])
        if excused:
            sentences.append(
                "Excused in Canvas, or not assigned the lab there, and left so "
                f"({len(excused)}): {names(excused)}."
            )
        return table(rows), [*sentences, *self.left_out(left, found)]

    def _columns(self, marks: Marks, roster: Roster, width: int) -> list[_Column]:
        """The column of each lab.

        Raises:
            InputError: a name fits none or several, or Canvas could not import the column.
        """
        points = next((row for row in roster.rows if _has_points(roster, row)), None)
        columns = []
        for lab in marks.labs:
            title = self.title(lab)
            fits = [
                index
                for index, header in enumerate(roster.header)
                if index >= width and title.casefold() in (header.casefold(), _title(header))
            ]
            if len(fits) > 1 or (not fits and lab.name in self.columns):
                raise InputError(
                    f"{len(fits)} columns of {roster.path} are called {title!r}. It has: "
                    f"{', '.join(map(repr, roster.header[width:]))}"
                )
            if ignored := IGNORED.search(title):
                raise InputError(
                    f"Canvas ignores a column with {ignored[0]!r} in its name: give {lab.name} "
                    "another"
                )
            if fits and points is not None:
                _check_points(lab, roster.header[fits[0]], points[fits[0]])
            columns.append(
                _Column(lab, roster.header[fits[0]], fits[0]) if fits else _Column(lab, title, None)
            )
        return columns


def _identity_width(roster: Roster) -> int:
    """How many columns say who a student is; they end with Section."""
    header = roster.header
    width = header.index("Section") + 1 if "Section" in header else 0
    if "ID" not in header[:width] or set(header[:width]) - set(IDENTITY):
        raise InputError(
            f"{roster.path} is no export of Canvas's gradebook: its columns begin with "
            f"{', '.join(map(repr, header[:5]))}, expected Student, ID, SIS Login ID, Section"
        )
    return width


def _has_points(roster: Roster, row: list[str]) -> bool:
    """Whether a row is the one of points; a student who is called so has an ID."""
    return POINTS in row[0] and not row[roster.header.index("ID")].strip()


def _people(roster: Roster, width: int) -> Iterator[Person]:
    """The rows of students; the others hold points, or how marks are posted."""
    identity = roster.header[:width]
    for row in roster.rows:
        if _has_points(roster, row) or all(
            re.match(r"\s*(Muted|Manual Posting|$)", c) for c in row
        ):
            continue
        cells = dict(zip(identity, row, strict=False))
        name = cells.get("Student") or f"{cells.get('LastName')}, {cells.get('FirstName')}"
        if not cells["ID"].strip().isdecimal():
            raise InputError(
                f"the row of {name!r} in {roster.path} has no Canvas ID, but {cells['ID']!r}: "
                "export the gradebook again"
            )
        keys = tuple(cells.get(key, "") for key in ("SIS User ID", "SIS Login ID"))
        yield Person(name, row, keys, lms_ids=(cells["ID"],))


def _title(header: str) -> str:
    """An assignment's title, without its number, for comparing."""
    return re.sub(r"\s*\(\d+\)$", "", header).casefold()


def _check_points(lab: Lab, header: str, points: str) -> None:
    """Raise InputError if Canvas's column is read-only, or of another number of points."""
    if not points.strip():
        return
    try:
        there = float(points.replace(",", "."))
    except ValueError:
        raise InputError(
            f"Canvas's column {header!r} cannot be written: {points.strip()}"
        ) from None
    if abs(there - lab.max_score) > 0.005:  # Canvas writes two decimals
        raise InputError(
            f"{header!r} has {number(there)} points in Canvas, {lab.name} has "
            f"{number(lab.max_score)}: give the assignment that many in Canvas, and export its "
            "gradebook again"
        )


def _identity(cell: str) -> str:
    """A name or an id. A student called "Points Possible" would set everybody's points."""
    return text(cell).replace(POINTS, POINTS.lower())


def _stays(there: str) -> bool:
    return there.upper() in _STAYS


def _cell(value: float | None, there: str) -> str:
    """The mark, or what Canvas has where that is to stay."""
    if value is not None and not _stays(there):
        return number(value)
    return there if _KEPT.fullmatch(there) else text(there)
