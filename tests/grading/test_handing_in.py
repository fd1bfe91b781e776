"""The ways of docs/instructors.md by which a lab is handed out, in and back, each command tried."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from grading import tiny_course
from nbgrader.api import Gradebook
from nbgrader.utils import get_username

from labkit.grading import commands

GUIDE = (Path(__file__).parents[2] / "docs" / "instructors.md").read_text(encoding="utf-8")
LAB = tiny_course.LAB
RIGHT = tiny_course.handed_in()
WRONG = tiny_course.handed_in(g="def g(x):\n    return 3 * x")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.sandbox,
]


def nbgrader(*arguments: object, at: Path, **environment: str) -> str:
    """Run one of nbgrader's commands in a folder; what it logs."""
    return run("nbgrader", *arguments, at=at, **environment)


def run(module: str, *arguments: object, at: Path, **environment: str) -> str:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=at, env=commands.environment() | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def block(after: str, language: str = "python") -> str:
    """The guide's first block of code in a language behind some words of it."""
    text = GUIDE[GUIDE.index(after) :]
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found, f"no block behind {after!r}"
    return found.group(1)


def points(course: Path) -> dict[str, float]:
    """What the tests of each student who has handed in came to."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        return {s.student.id: s.score for s in gradebook.assignment_submissions(LAB)}


@pytest.fixture
def course(tmp_path) -> Path:
    """A course with its lab generated."""
    (folder := tmp_path / "course").mkdir()
    tiny_course.make(folder)
    nbgrader("generate_assignment", LAB, at=folder)
    return folder


def test_an_exchange_from_release_to_fetched_feedback(course, tmp_path):
    exchange, student = tmp_path / "exchange", tmp_path / "student"
    exchange.mkdir()
    exchange.chmod(0o777)
    student.mkdir()
    config = block("### JupyterHub").replace("/srv/nbgrader/exchange", str(exchange))
    with (course / "nbgrader_config.py").open("a") as opened:
        opened.write(config)
    (student / "nbgrader_config.py").write_text(config)
    home = {"JUPYTER_DATA_DIR": str(tmp_path / "jupyter")}  # where submit keeps what it sent

    nbgrader("release_assignment", LAB, at=course)
    nbgrader("fetch_assignment", LAB, at=student, **home)
    fetched = student / LAB / f"{LAB}.ipynb"
    assert "HIDDEN" not in fetched.read_text()
    nbformat.write(WRONG, fetched)
    nbgrader("submit", LAB, at=student, **home)
    nbformat.write(RIGHT, fetched)
    nbgrader("collect", LAB, at=course)
    collected = list((course / "submitted").rglob("*"))
    assert collected and not any(path.stat().st_mode & 0o007 for path in collected)
    tiny_course.hand_in(course, "by-mail", RIGHT)  # which must not stop `release_feedback`
    run("labkit", "grade", LAB, at=course)
    assert points(course) == {get_username(): 2.0, "by-mail": 4.0}

    nbgrader("generate_feedback", LAB, at=course)
    nbgrader("release_feedback", LAB, at=course)
    nbgrader("fetch_feedback", LAB, at=student, **home)
    (page,) = (student / LAB / "feedback").rglob("*.html")
    text = BeautifulSoup(page.read_text(), "html.parser").get_text()
    assert "return 3 * x" in text and "HIDDEN" not in text

    # Handed in again: collected with --update, graded, and the new page is there.
    nbgrader("submit", LAB, at=student, **home)
    nbgrader("collect", LAB, "--update", at=course)
    run("labkit", "grade", LAB, at=course)
    assert points(course) == {get_username(): 4.0, "by-mail": 4.0}
    nbgrader("generate_feedback", LAB, at=course)
    nbgrader("release_feedback", LAB, at=course)
    nbgrader("fetch_feedback", LAB, at=student, **home)
    assert len([*(student / LAB / "feedback").rglob("*.html")]) == 2


def download(course: Path, **files: nbformat.NotebookNode) -> None:
    """A zip file where `nbgrader zip_collect` looks for it."""
    (folder := course / "downloaded" / LAB / "archive").mkdir(parents=True)
    with zipfile.ZipFile(folder / "submissions.zip", "w") as archive:
        for name, book in files.items():
            archive.writestr(name, nbformat.writes(book))


def collect(course: Path, lms: str) -> None:
    expression = block(f"**{lms}**")
    with (course / "nbgrader_config.py").open("a") as opened:
        opened.write("\n" + expression)
    nbgrader("zip_collect", LAB, at=course)


def collected(course: Path) -> dict[str, nbformat.NotebookNode]:
    paths = (course / "submitted").glob(f"*/{LAB}/{LAB}.ipynb")
    return {path.parents[1].name: nbformat.read(path, as_version=4) for path in paths}


def test_a_zip_file_of_canvas(course):
    """Late, and handed in twice: Canvas adds a mark and a number."""
    files = {
        f"lovelaceada_501_90001_{LAB}.ipynb": RIGHT,
        f"babbagebob_LATE_502_90002_{LAB}-1.ipynb": WRONG,
        f"o'neil-smitheve_503_90003_{LAB}(1).ipynb": RIGHT,
    }
    download(course, **files)
    collect(course, "Canvas")
    assert collected(course) == {"501": RIGHT, "502": WRONG, "503": RIGHT}


def moodle(between: str) -> dict[str, nbformat.NotebookNode]:
    return {
        f"Ada Lovelace_7001_assignsubmission_file_{between}{LAB}.ipynb": RIGHT,
        f"Bob van der Berg_7002_assignsubmission_file_{between}{LAB} (2).ipynb": WRONG,
    }


def test_a_zip_file_of_moodle_without_folders(course):
    download(course, **moodle(""))
    collect(course, "Moodle")
    assert collected(course) == {"7001": RIGHT, "7002": WRONG}


def test_a_zip_file_of_moodle_and_back(course):
    download(course, **moodle("/"))
    collect(course, "Moodle")
    (course / "worksheet.csv").write_text(
        "Identifier,Full name,Email address,Status\n"
        "Participant 7001,Ada Lovelace,ada@example.org,Submitted\n"
        "Participant 7002,Bob van der Berg,bob@example.org,Submitted\n"
    )
    subprocess.run([sys.executable, "-c", block("grading worksheet")], cwd=course, check=True)
    nbgrader("db", "student", "import", "students.csv", at=course)
    run("labkit", "grade", LAB, at=course)
    assert points(course) == {"7001": 4.0, "7002": 2.0}

    roster = course / "moodle-grades.csv"
    roster.write_text("First name,Email address\nAda,ada@example.org\nBob,bob@example.org\n")
    options = ["--lab", LAB, "--roster", roster, "--to", "moodle.csv", "--unfinished", "as-is"]
    run("labkit", "export", "moodle", *options, at=course)
    marks = pd.read_csv(course / "moodle.csv").set_index("Email address")[LAB]
    assert marks.to_dict() == {"ada@example.org": 4.0, "bob@example.org": 2.0}
