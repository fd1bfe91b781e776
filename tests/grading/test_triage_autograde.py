"""Broken submissions beside honest ones, through nbgrader's command and the formgrader's API."""

import hashlib
import html
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import pytest
from nbgrader.api import Gradebook

from labkit.grading import commands
from labkit.grading.autograde import REPORT, TriagedAutograde
from labkit.grading.gradebook import automatic_scores
from labkit.grading.plugins import configure
from labkit.grading.sandbox import bubblewrap

spec = importlib.util.spec_from_file_location(
    "tiny_course", Path(__file__).with_name("tiny_course.py")
)
tiny = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny)

FULL = {"test-f": 2.0, "test-g": 2.0, "why": 0.0}
NONE = dict.fromkeys(FULL, 0.0)
ONLY_G = FULL | {"test-f": 0.0}
WRONG_F = "def f(x):\n    return 2"  # passes the visible check, fails the hidden one

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs links, pipes and chmod")


@pytest.fixture(scope="module")
def blank_course(tmp_path_factory):
    """A course whose lab has been generated, ready to be copied."""
    course = tmp_path_factory.mktemp("blank")
    tiny.make(course)
    log = course / "nbgrader.log"
    assert commands.nbgrader(course, "generate_assignment", tiny.LAB, log=log) == 0, log.read_text()
    return course


@pytest.fixture
def course(blank_course, tmp_path):
    return shutil.copytree(blank_course, tmp_path / "course")


def autograde(course, *options):
    options = (*bubblewrap.options(), *options)
    return commands.nbgrader(course, "autograde", tiny.LAB, *options, log=course / "nbgrader.log")


def report(course):
    """The last line of each student, by name."""
    lines = (course / REPORT).read_text().splitlines()
    return {entry["student"]: entry for entry in map(json.loads, lines)}


def fingerprint(folder):
    """Names, kinds, modes and contents of all that is in a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and status.st_size < 1e6 else b""
        target = path.readlink() if path.is_symlink() else ""
        found[str(path.relative_to(folder))] = (
            hashlib.sha256(content).hexdigest(),
            str(target),
            status.st_mode,
            status.st_size,
            status.st_mtime_ns,
        )
    return found


def changed(change, **answers):
    book = tiny.handed_in(**answers)
    change({each.id: each for each in book.cells}, book)
    return book


def repaired():
    """Submissions that come out whole, and the sentence that each student gets."""
    text = nbformat.writes(tiny.handed_in())

    def newer(cells, _):
        for each in cells.values():
            if "nbgrader" in each.metadata:
                each.metadata.nbgrader["schema_version"] = 4

    def points(cells, _):
        cells["test-f"].metadata.nbgrader["points"] = 100

    def twice(cells, book):
        book.cells.insert(0, nbformat.from_dict(dict(cells["test-f"])))
        book.cells[0].id = "copy"

    def deleted(cells, book):
        book.cells = [each for each in book.cells if not each.id.startswith("test")]

    def stripped(cells, _):
        for each in cells.values():
            each.metadata.pop("nbgrader", None)

    return {
        "bom": (text.encode("utf-8-sig"), "byte order mark"),
        "utf16": (text.encode("utf-16"), "saved as UTF-16"),
        "newer-schema": (changed(newer), "metadata of the cell 'f'"),
        "more-points": (changed(points), "metadata of the cell 'test-f'"),
        "test-twice": (changed(twice), "was there twice"),
        "tests-deleted": (changed(deleted), "was not in the notebook; it was put in"),
        "stripped": (changed(stripped), "metadata of the cell 'test-g'"),
        "nbformat3": (json.dumps(nbformat.convert(tiny.handed_in(), 3)), "old format 3"),
    }


REJECTED = {
    "cut": ('{"cells": [', "only a part of one"),
    "empty": ("", "is empty"),
    "conflict": ("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n", "conflict markers"),
    "list": ("[]", "no notebook"),
    "picture": (b"\x89PNG\r\n\xff\xfe", "not text"),
}


def write_odd_files(course):
    """Submissions that are no files; the reason for each."""

    def folder(student):
        (made := course / "submitted" / student / tiny.LAB).mkdir(parents=True)
        return made

    (secret := course.parent / "secret.ipynb").write_text(nbformat.writes(tiny.handed_in()))
    (folder("link") / "tiny.ipynb").symlink_to(secret)
    os.mkfifo(folder("pipe") / "tiny.ipynb")
    (folder("directory") / "tiny.ipynb").mkdir()
    with (folder("sparse") / "tiny.ipynb").open("wb") as file:
        file.truncate(1 << 40)
    (folder("nothing") / "essay.pdf").write_text("%PDF")
    (elsewhere := course.parent / "elsewhere").mkdir()
    shutil.copy(secret, elsewhere / "tiny.ipynb")
    (course / "submitted" / "link-to-folder").mkdir()
    (course / "submitted" / "link-to-folder" / tiny.LAB).symlink_to(elsewhere)
    return {
        "link": "is a link to another file",
        "pipe": "is a device or a pipe",
        "directory": "is a folder",
        "sparse": "is larger than 50 MB",
        "nothing": "There is no 'tiny.ipynb' in the submission, but no notebook",
        "link-to-folder": "is a link to another folder",
    }


@posix
def test_a_class_of_broken_submissions_beside_honest_ones(course):
    fixed, reasons = repaired(), {name: why for name, (_, why) in REJECTED.items()}
    honest = {
        "ada": FULL,
        'Zoë "Z" O\'Neill-Żuk 李': FULL,
        "wrong [f]": ONLY_G,
        "zz-last": FULL,
    }
    for student, marks in honest.items():
        answers = {} if marks is FULL else {"f": WRONG_F}
        tiny.hand_in(course, student, tiny.handed_in(**answers))
    for student, (book, _) in {**fixed, **REJECTED}.items():
        tiny.hand_in(course, student, book)
    reasons |= write_odd_files(course)
    renamed = tiny.hand_in(course, "renamed", tiny.handed_in())
    renamed.rename(renamed.with_name("tiny (1).ipynb"))
    with_files = tiny.hand_in(course, "with-files", tiny.handed_in()).parent
    (with_files / "notes.txt").write_text("mine")
    (with_files / "passwd").symlink_to("/etc/passwd")
    (with_files / "timestamp.txt").write_text("tea time")
    tiny.hand_in(course, "exits", tiny.handed_in(f="import os\nos._exit(0)"))
    before = fingerprint(course / "submitted")

    assert autograde(course) == 1
    assert fingerprint(course / "submitted") == before

    found = report(course)
    everyone = {path.name for path in (course / "submitted").iterdir()}
    assert set(found) == everyone
    full = dict.fromkeys([*fixed, "renamed", "with-files"], FULL)
    wanted = dict.fromkeys(everyone, NONE) | honest | full
    assert {name: automatic_scores(course, tiny.LAB, name) for name in everyone} == wanted
    for student in honest:
        assert (found[student]["repairs"], found[student]["flags"]) == ([], []), found[student]
    for student, (_, sentence) in fixed.items():
        assert any(sentence in repair for repair in found[student]["repairs"]), found[student]
        assert found[student]["status"] == "graded"
    for student, sentence in reasons.items():
        assert sentence in found[student]["reason"], found[student]
        assert found[student]["status"] == "rejected"
        assert waiting(course, student) == set()  # 0 is recorded, not nothing
        (stand_in,) = (course / "autograded" / student / tiny.LAB).glob("*.ipynb")
        assert sentence in html.unescape(nbformat.read(stand_in, 4).cells[0].source)
    assert "was named 'tiny (1).ipynb'" in found["renamed"]["repairs"][0]
    copied = course / "autograded" / "with-files" / tiny.LAB
    assert sorted(path.name for path in copied.iterdir()) == ["notes.txt", "tiny.ipynb"]
    assert any("timestamp.txt holds no time" in flag for flag in found["with-files"]["flags"])
    assert found["exits"]["status"] == "graded"  # the judge gives 0 where the kernel has gone
    log = (course / "nbgrader.log").read_text(encoding="utf-8")
    assert "WARNING] 'bom': The file began with a byte order mark" in log


@posix
def test_no_old_score_stands_and_nothing_by_hand_is_lost(course):
    for student in ("cuts", "dies", "mends", "stays"):
        tiny.hand_in(course, student, tiny.handed_in())
    assert autograde(course) == 0
    by_hand(course, ("cuts", "dies", "mends", "stays"))

    tiny.hand_in(course, "cuts", "{")
    tiny.hand_in(course, "mends", tiny.handed_in(f=WRONG_F))
    killed = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    tiny.hand_in(course, "dies", tiny.handed_in(f=killed))
    lines = len((course / REPORT).read_text().splitlines())
    # No --force and no timestamps: a new submission is noticed by what is in it.
    assert autograde(course) == 1
    assert len((course / REPORT).read_text().splitlines()) == lines + 3

    scores = {name: automatic_scores(course, tiny.LAB, name) for name in report(course)}
    assert scores == {"cuts": NONE, "dies": NONE, "mends": ONLY_G, "stays": FULL}
    for student in scores:
        assert kept_by_hand(course, student) == [(1.5, None, None), (None, 0.5, "See me.")]
    assert waiting(course, "dies") == {"why"}
    assert waiting(course, "cuts") == {"why"}  # marked by hand, and to be looked at again
    assert penalties(course) == {None}

    # A worker that is killed leaves no old score either, and the next run grades what it left.
    honest = course / "submitted" / "stays" / tiny.LAB / "tiny.ipynb"
    text = honest.read_bytes()
    kills = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)"
    tiny.hand_in(course, "stays", tiny.handed_in(f=kills))
    assert autograde(course, "--student", "stays", "--Execute.sandbox=none") == 1
    assert automatic_scores(course, tiny.LAB, "stays") == NONE
    honest.write_bytes(text)
    assert autograde(course, "--student", "stays") == 0
    assert automatic_scores(course, tiny.LAB, "stays") == FULL
    assert kept_by_hand(course, "stays") == [(1.5, None, None), (None, 0.5, "See me.")]


def by_hand(course, students):
    """A grader marks an answer, grants a bonus on a test and writes a comment."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        for student in students:
            notebook = gradebook.find_submission_notebook(tiny.LAB, tiny.LAB, student)
            grades = {grade.name: grade for grade in notebook.grades}
            grades["why"].manual_score = 1.5
            grades["test-g"].extra_credit = 0.5
            notebook.late_submission_penalty = 1.0 if student != "stays" else None
            for comment in notebook.comments:
                if comment.name == "g":
                    comment.manual_comment = "See me."
        gradebook.db.commit()


def kept_by_hand(course, student):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        notebook = gradebook.find_submission_notebook(tiny.LAB, tiny.LAB, student)
        grades = {grade.name: grade for grade in notebook.grades}
        comments = {comment.name: comment.manual_comment for comment in notebook.comments}
        why, test = grades["why"], grades["test-g"]
        return [
            (why.manual_score, why.extra_credit, comments["why"]),
            (test.manual_score, test.extra_credit, comments["g"]),
        ]


def penalties(course):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        submissions = gradebook.assignment_submissions(tiny.LAB)
        return {
            notebook.late_submission_penalty
            for submission in submissions
            for notebook in submission.notebooks
        }


def waiting(course, student):
    """The cells that a person is asked to look at."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        notebook = gradebook.find_submission_notebook(tiny.LAB, tiny.LAB, student)
        return {grade.name for grade in notebook.grades if grade.needs_manual_grade}


FORMGRADER = """
import json, sys
from nbgrader.apps.api import NbGraderAPI
from nbgrader.apps.baseapp import NbGrader

app = NbGrader()
app.initialize([])
api = NbGraderAPI(app.coursedir, parent=app)
print(json.dumps([api.autograde("tiny", student) for student in sys.argv[1:]]))
"""


def test_the_formgraders_button(course):
    tiny.hand_in(course, "ada", tiny.handed_in(f=WRONG_F))
    text = nbformat.writes(tiny.handed_in()).replace('"schema_version": 3', '"schema_version": 9')
    tiny.hand_in(course, "future [1]", text)
    tiny.hand_in(course, "cut", "{")
    done = subprocess.run(
        [sys.executable, "-c", FORMGRADER, "ada", "cut", "future [1]"],
        cwd=course,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout.splitlines()[-1])
    assert [answer["success"] for answer in answers] == [True, False, True], done.stderr
    assert "only a part of one" in answers[1]["log"]
    assert automatic_scores(course, tiny.LAB, "ada") == ONLY_G
    assert automatic_scores(course, tiny.LAB, "cut") == NONE
    assert automatic_scores(course, tiny.LAB, "future [1]") == FULL
    assert set(report(course)) == {"ada", "cut", "future [1]"}


def test_binding_twice_is_binding_once(monkeypatch):
    from traitlets.config import Config

    for module in (nbgrader.apps.api, nbgrader.apps.autogradeapp):
        monkeypatch.setattr(module, "Autograde", module.Autograde)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    configure(Config())
    configure(Config())
    assert nbgrader.apps.autogradeapp.Autograde is TriagedAutograde
    assert nbgrader.apps.api.Autograde is TriagedAutograde


def test_a_lab_that_was_never_generated(course):
    tiny.hand_in(course, "ada", tiny.handed_in())
    shutil.move(course / "submitted" / "ada" / tiny.LAB, course / "submitted" / "ada" / "other")
    log = course / "nbgrader.log"
    assert commands.nbgrader(course, "autograde", "other", log=log) == 1
    assert "did you run 'nbgrader generate_assignment other'?" in log.read_text()


def test_of_two_notebooks_the_good_one_is_graded(course):
    second = course / "source" / tiny.LAB / "second.ipynb"
    nbformat.write(tiny.source(), second)
    log = course / "nbgrader.log"
    assert commands.nbgrader(course, "generate_assignment", tiny.LAB, "--force", log=log) == 0
    folder = tiny.hand_in(course, "half", tiny.handed_in()).parent
    (folder / "second.ipynb").write_text("{")
    assert autograde(course) == 1
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        submission = gradebook.find_submission(tiny.LAB, "half")
        scores = {
            notebook.name: [grade.auto_score for grade in notebook.grades]
            for notebook in submission.notebooks
        }
    assert sorted(scores["tiny"], key=str) == [2.0, 2.0, None]
    assert scores["second"] == [0.0, 0.0, 0.0]
    assert report(course)["half"]["status"] == "rejected"
    graded = course / "autograded" / "half" / tiny.LAB
    assert {path.name for path in graded.iterdir()} == {"second.ipynb", "tiny.ipynb"}
    assert "only a part of one" in nbformat.read(graded / "second.ipynb", 4).cells[0].source
