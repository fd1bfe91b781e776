"""What all exporters share: their options, what they refuse, and how they match students."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin
from traitlets import Dict, Enum, Unicode

from labkit.errors import InputError
from labkit.grading import storage
from labkit.grading.course import Folders
from labkit.grading.exports.marks import Lab, Marks, Student, read
from labkit.grading.exports.roster import Matched, Person, Roster, match
from labkit.grading.exports.roster import read as read_roster
from labkit.grading.exports.sheet import create, names


def whose(unfinished: Mapping[tuple[str, str], str]) -> str:
    """How many submissions wait, and which, for a sentence."""
    every = (f"{student} ({lab}: {why})" for (student, lab), why in unfinished.items())
    return f"({len(unfinished)}): {names(every)}"


class Export(ExportPlugin):
    """Writes marks into a new file, and says what an instructor should know.

    `nbgrader export` shows the sentences in its log, `labkit export` prints them.
    """

    default_name = ""

    missing = Enum(
        ["empty", "zero"],
        default_value="empty",
        help="what a student has for a lab that was not handed in: no mark, or 0",
    ).tag(config=True)

    def export(self, gradebook: Gradebook) -> None:
        """Write the file; end with exit code 2 and a sentence if that cannot be."""
        try:
            with storage.noticing(Folders(self.parent.coursedir, Path()), InputError):
                for sentence in self.write(gradebook):
                    self.log.warning(sentence)
        except InputError as error:
            self.log.error(str(error))
            raise SystemExit(2) from error

    def write(self, gradebook: Gradebook) -> list[str]:
        """Write the file.

        Returns:
            What an instructor should know, a sentence each.

        Raises:
            InputError: it cannot be written as it should be; nothing was written then.
        """
        to = Path(self.to or self.default_name)
        if to.exists():
            create(to, b"")  # raises, before the work
        marks = read(
            gradebook,
            labs=[str(lab) for lab in self.assignment],
            students=[str(student) for student in self.student],
            course=getattr(self.parent, "coursedir", None),
        )
        content, sentences = self.content(marks)
        create(to, content)
        return [*sentences, f"Written: {to}"]

    def content(self, marks: Marks) -> tuple[bytes, list[str]]:
        """The file's bytes, and sentences about them."""
        raise NotImplementedError


class MarksExport(Export):
    """An export of one mark for each student and lab, which students will see."""

    roster = Unicode("", help="the CSV file that the LMS gives out of its students").tag(
        config=True
    )
    unfinished = Enum(
        ["refuse", "empty", "as-is"],
        default_value="refuse",
        help="labs with cells that wait for a person: no file, no mark, or the points so far",
    ).tag(config=True)
    columns = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="what a lab is called in the LMS, if not by its own name",
    ).tag(config=True)

    def check_unfinished(self, marks: Marks) -> list[str]:
        """Name the students whose work is not marked to its end.

        Raises:
            InputError: there are some, and `unfinished` is "refuse".
        """
        found = marks.unfinished()
        if not found:
            return []
        listed = whose(found)
        if self.unfinished == "refuse":
            raise InputError(
                f"some work is not marked to the end {listed}. Mark it, or write the file with "
                "unfinished=empty (without a mark for these) or unfinished=as-is (with the points "
                "they have so far)"
            )
        told = {"empty": "They have no mark in the file", "as-is": "Their marks will still change"}
        return [f"Not marked to the end {listed}. {told[self.unfinished]}."]

    def mark(self, marks: Marks, student: Student | None, lab: Lab) -> float | None:
        """The mark to be written; None for none.

        Args:
            marks: the gradebook.
            student: None for somebody who is in the roster only.
            lab: one of the gradebook's.
        """
        both = (student.id, lab.name) if student else None
        submission = marks.submissions.get(both) if both else None
        if both in marks.ungraded:
            return None  # work was handed in: a 0 would be wrong, whatever was asked for
        if submission is None:
            return 0.0 if self.missing == "zero" else None
        if self.unfinished == "empty" and submission.waiting():
            return None
        return submission.score

    def title(self, lab: Lab) -> str:
        """What the lab's column is called."""
        return self.columns.get(lab.name, lab.name)

    def check_columns(self, marks: Marks) -> None:
        """Raise InputError if a column is given for no lab, or one for two."""
        labs = {lab.name for lab in marks.labs}
        if unknown := sorted(set(self.columns) - labs):
            raise InputError(
                f"a column is given for {', '.join(map(repr, unknown))}, which is not exported: "
                f"the labs are {', '.join(sorted(labs))}"
            )
        titles = [self.title(lab) for lab in marks.labs]
        if twice := sorted({title for title in titles if titles.count(title) > 1}):
            raise InputError(f"two labs cannot go into the column {twice[0]!r}")

    def read_roster(self) -> Roster:
        """The roster that was given.

        Raises:
            InputError: none was, or it cannot be read.
        """
        if not self.roster:
            raise InputError(
                "the students' ids in the LMS are needed: export its list of students as CSV, "
                "and give that file as the roster (docs/instructors.md says where it is)"
            )
        return read_roster(Path(self.roster))

    def match(self, marks: Marks, people: Sequence[Person]) -> tuple[Matched, list[str]]:
        """Find everybody in the roster, and say who is on one side only.

        Raises:
            InputError: nobody of the gradebook is in it.
        """
        found = match(people, marks.students)
        if all(student is None for _, student in found.rows):
            raise InputError(
                f"nobody of the gradebook is in {self.roster}: their ids or e-mails must be "
                f"those of the LMS. In the gradebook: {names((s.id for s in marks.students), 3)}"
            )
        sentences = []
        if found.only_gradebook:
            missing = names(student.id for student in found.only_gradebook)
            sentences.append(
                f"Not in the roster, and so not in the file ({len(found.only_gradebook)}): "
                f"{missing}."
            )
        if self.student:  # nobody else was asked for
            found.rows = [(person, student) for person, student in found.rows if student]
        only_roster = [person.name for person, student in found.rows if student is None]
        if only_roster:
            sentences.append(
                f"In the roster, but not in the gradebook ({len(only_roster)}): "
                f"{names(only_roster)}."
            )
        return found, sentences

    def left_out(self, people: Sequence[str], of: Matched) -> list[str]:
        """Say whose rows are left out because there is no mark to write.

        Raises:
            InputError: that is everybody.
        """
        if len(people) == len(of.rows):
            raise InputError("there is no mark to write: nobody in the roster has one")
        if not people:
            return []
        return [
            f"Without any mark, and so left out; what the LMS has for them stays ({len(people)}): "
            f"{names(people)}."
        ]
