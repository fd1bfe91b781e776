"""Marks for Moodle's gradebook.

The format is Moodle's "Grade import", CSV file: https://docs.moodle.org/en/Grade_import
and, where that page is silent, `grade/import/csv/classes/load_data.php` in Moodle's source.

- A header, then one row a student. While importing, one column is chosen to find the student by
  (ID number, username or e-mail), and each other column is mapped to a grade item or ignored.
- One student who is not found stops the whole import. E-mail addresses are case-sensitive.
- A row with an empty id goes to the student of the row before.
- `-` is no grade, as in Moodle's own export, and takes a grade away that is there.
- Numbers have a decimal point or the language's own mark. Above 100 they are refused, unless the
  site has `unlimitedgrades`.
- UTF-8 by default.
"""

from __future__ import annotations

from collections.abc import Sequence

from labkit.errors import InputError
from labkit.grading.exports.base import MarksExport
from labkit.grading.exports.marks import Marks
from labkit.grading.exports.roster import Person, Roster
from labkit.grading.exports.sheet import is_formula, names, number, table, text

IDS = (  # in the order in which they are chosen: an address may change
    ("ID number", ("id number", "idnumber", "useridnumber")),
    ("Username", ("username", "user name")),
    ("Email address", ("email address", "email", "useremail", "e-mail")),
)
_NAMES = (("first name", "firstname"), ("last name", "lastname", "surname"))
NO_GRADE = "-"
MOST = 100  # points that Moodle takes unless its site says otherwise


class MoodleExport(MarksExport):
    """CSV for Moodle: Grades, Import, CSV file.

    The roster is Moodle's own list of students: Grades, Export, Plain text file.
    """

    default_name = "moodle.csv"

    def content(self, marks: Marks) -> tuple[bytes, list[str]]:
        """One id column, the names for reading, and a column for each lab."""
        self.check_columns(marks)
        roster = self.read_roster()
        ids = _columns_of_ids(roster)
        shown = [index for names_ in _NAMES if (index := _find(roster, names_)) is not None]
        found, sentences = self.match(marks, _people(roster, list(ids.values()), shown))
        sentences += self.check_unfinished(marks)
        rows, left = [], []
        for person, student in found.rows:
            values = [self.mark(marks, student, lab) for lab in marks.labs]
            if all(value is None for value in values):
                left.append(person.name)
            else:
                rows.append((person, values))
        sentences += self.left_out(left, found)
        id_name = _usable(roster, ids, [person for person, _ in rows])
        header = [id_name, *(roster.header[index] for index in shown)]
        lines = [[*header, *(text(self.title(lab)) for lab in marks.labs)]]
        for person, values in rows:
            lines.append(
                [
                    person.row[ids[id_name]].strip(),
                    *(text(person.row[index]) for index in shown),
                    *(NO_GRADE if value is None else number(value) for value in values),
                ]
            )
        sentences += self._about(marks, id_name, [values for _, values in rows])
        return table(lines), sentences

    def _about(
        self, marks: Marks, id_name: str, rows: Sequence[Sequence[float | None]]
    ) -> list[str]:
        """What to do and to mind in Moodle."""
        points = ", ".join(f"{self.title(lab)} {number(lab.max_score)}" for lab in marks.labs)
        sentences = [
            f"In Moodle, identify users by {id_name}. A grade item needs the lab's points as its "
            f"maximum grade: {points}."
        ]
        values = [value for row in rows for value in row]
        if None in values:
            sentences.append(
                f"'{NO_GRADE}' takes a grade away that Moodle already has: to leave such grades "
                "alone, export one lab at a time."
            )
        if any(value is not None and value > MOST for value in values):
            sentences.append(
                f"There are marks above {MOST}, which Moodle refuses unless its site has "
                "unlimitedgrades."
            )
        return sentences


def _find(roster: Roster, names_: Sequence[str]) -> int | None:
    """The first column that has one of these names."""
    headers = [header.casefold() for header in roster.header]
    return next((headers.index(name) for name in names_ if name in headers), None)


def _columns_of_ids(roster: Roster) -> dict[str, int]:
    """The columns of a roster by which Moodle can find a student."""
    found = {name: index for name, names_ in IDS if (index := _find(roster, names_)) is not None}
    if not found:
        raise InputError(
            f"{roster.path} has none of the columns {', '.join(name for name, _ in IDS)}, but "
            f"{', '.join(map(repr, roster.header))}: export it in English, or rename the column"
        )
    return found


def _people(roster: Roster, ids: Sequence[int], shown: Sequence[int]) -> list[Person]:
    return [
        Person(
            name=" ".join(row[index] for index in shown).strip() or next(filter(None, row)),
            row=row,
            keys=tuple(row[index] for index in ids),
        )
        for row in roster.rows
    ]


def _usable(roster: Roster, ids: dict[str, int], people: Sequence[Person]) -> str:
    """The id that everybody has, each another, and that can be written as it is.

    Changed, even by the apostrophe that keeps a spreadsheet from running it, it would not be found.
    """
    for name, index in ids.items():
        values = [person.row[index].strip() for person in people]
        if all(values) and len(set(values)) == len(values) and not any(map(is_formula, values)):
            return name
    lacking = [
        person.name
        for person in people
        if not all(person.row[i].strip() and not is_formula(person.row[i]) for i in ids.values())
    ]
    raise InputError(
        f"no column of {roster.path} tells everybody apart: {', '.join(ids)} are empty, doubled, "
        f"or begin like a formula for some" + (f" ({names(lacking)})" if lacking else "")
    )
