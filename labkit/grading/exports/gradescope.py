"""Marks for Gradescope, by way of an autograder.

Gradescope's guides know of no import of marks. What its documentation does support is an
autograder that writes a submission's result:
https://gradescope-autograders.readthedocs.io/en/latest/specs/ (the zip file and results.json) and
https://gradescope-autograders.readthedocs.io/en/latest/submission_metadata/ (who submitted).
The one made here runs nothing of a student's: it looks up the mark that nbgrader gave.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from labkit.errors import InputError
from labkit.grading.exports.base import MarksExport
from labkit.grading.exports.marks import Lab, Marks, Student, Submission
from labkit.grading.exports.sheet import names, number

SCRIPT = Path(__file__).with_name("run_autograder.py")
SETUP = "#!/usr/bin/env bash\ncommand -v python3 || apt-get install -y python3\n"


class GradescopeExport(MarksExport):
    """A zip file for a Programming Assignment of Gradescope: Configure Autograder.

    One lab at a time. A submission there is found by its student's e-mail address, which is that
    of the gradebook, or nbgrader's id if that is an address.
    """

    default_name = "gradescope.zip"

    def content(self, marks: Marks) -> tuple[bytes, list[str]]:
        """The zip file: setup.sh, run_autograder and the marks by e-mail address."""
        if self.roster or self.columns:
            raise InputError("Gradescope's file needs no roster and no columns")
        if len(marks.labs) != 1:
            raise InputError(
                f"an assignment of Gradescope is one lab; choose one of "
                f"{', '.join(lab.name for lab in marks.labs)}"
            )
        sentences = self.check_unfinished(marks)
        results: dict[str, dict[str, Any]] = {}
        nobody, left = [], []
        for student in marks.students:
            address = _address(student)
            mark = self.mark(marks, student, marks.labs[0])
            if mark is None:
                left.append(student.id)
            elif not address:
                nobody.append(student.id)
            elif address in results:
                raise InputError(f"two students of the gradebook have the address {address}")
            else:
                submission = marks.submissions.get((student.id, marks.labs[0].name))
                results[address] = _result(mark, marks.labs[0], submission)
        if nobody:
            sentences.append(
                f"Without an e-mail address in the gradebook, and so not in the file "
                f"({len(nobody)}): {names(nobody)}."
            )
        if left:
            sentences.append(
                f"Without a mark, and so not in the file ({len(left)}): {names(left)}."
            )
        if not results:
            raise InputError("there is no mark to write: " + " ".join(sentences))
        points = number(marks.labs[0].max_score)
        return _archive(results), [
            *sentences,
            f"In Gradescope, the autograder has {points} points.",
        ]


def _address(student: Student) -> str:
    """The e-mail address by which Gradescope knows a student; empty if there is none."""
    found = student.email or student.id
    return found.strip().casefold() if "@" in found else ""


def _result(mark: float, lab: Lab, submission: Submission | None) -> dict[str, Any]:
    """What Gradescope shows of a submission, once the instructor publishes the marks."""
    result: dict[str, Any] = {
        "score": float(number(mark)),
        "visibility": "after_published",
        "stdout_visibility": "hidden",
    }
    if submission is None:
        return result | {"output": "No work was handed in."}
    several = len({notebook for notebook, _ in lab.points}) > 1
    result["tests"] = [
        {
            "name": f"{notebook}: {cell}" if several else cell,
            "score": float(number(submission.grades[notebook, cell].score)),
            "max_score": points,
        }
        for (notebook, cell), points in lab.points.items()
        if (notebook, cell) in submission.grades
    ]
    if penalty := sum(submission.penalties.values()):
        result["output"] = f"Handed in late: {number(penalty)} points less."
    return result


def _archive(results: dict[str, dict[str, Any]]) -> bytes:
    """A zip file whose members stand at its root, as Gradescope wants them."""
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for name, text in (
            ("setup.sh", SETUP),
            ("run_autograder", SCRIPT.read_text(encoding="utf-8")),
            ("marks.json", json.dumps(results, indent=1)),
        ):
            member = ZipInfo(name)
            member.compress_type = ZIP_DEFLATED
            member.external_attr = (0o755 if name != "marks.json" else 0o644) << 16
            archive.writestr(member, text)
    return content.getvalue()
