"""A full disk and a gradebook that cannot be used: one sentence, and what was graded stays."""

import errno
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from grading import tiny_course
from nbconvert.writers.files import FilesWriter
from nbgrader.api import Gradebook
from rich.console import Console
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from labkit import cli
from labkit.errors import InputError
from labkit.grading import commands, report, run, storage
from labkit.grading.autograde import TriagedAutograde
from labkit.grading.course import CONFIG, Folders
from labkit.grading.storage import Stuck, check, noticing, trouble

LAB = tiny_course.LAB


@pytest.fixture(scope="module")
def unused(tmp_path_factory) -> Path:
    """A gradebook that nobody has used yet."""
    path = tmp_path_factory.mktemp("unused") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", commands.environment()["PATH"])  # for nbgrader, to make one
        Gradebook(f"sqlite:///{path}", "").close()
    return path


@pytest.fixture
def folders(tmp_path, unused):
    """Of a course with such a gradebook."""
    shutil.copy(unused, tmp_path)
    return Folders.of(tmp_path)


def statement(folders: Folders, *statements: str) -> None:
    with sqlite3.connect(folders.gradebook()) as database:
        for each in statements:
            database.execute(each)
    database.close()


def test_a_gradebook_that_can_be_used(folders):
    before = folders.gradebook().read_bytes()
    check(folders, write=True)
    check(folders, write=False)
    assert folders.gradebook().read_bytes() == before
    folders.gradebook().unlink()
    check(folders, write=True)
    assert not folders.gradebook().exists()


OLD = "UPDATE alembic_version SET version_num = '167914646830'"


@pytest.mark.parametrize(
    ("statements", "sentence"),
    [
        ([OLD, "ALTER TABLE student DROP COLUMN lms_user_id"], "is of an older nbgrader: make a"),
        (
            ["DROP TABLE base_cell"],
            "is of an older nbgrader: make a copy, run `nbgrader db upgrade`",
        ),
        (
            ["DROP TABLE assignment"],
            "is a database of something else: see c.CourseDirectory.db_url",
        ),
    ],
)
def test_a_gradebook_of_another_nbgrader(folders, statements, sentence):
    statement(folders, *statements)
    for write in (True, False):
        with pytest.raises(InputError, match=re.escape(f"{folders.gradebook()} {sentence}")):
            check(folders, write=write)


def test_an_old_gradebook_can_be_used_once_it_is_upgraded(folders):
    statement(folders, OLD, "ALTER TABLE student DROP COLUMN lms_user_id")
    statement(folders, "ALTER TABLE assignment RENAME TO a", "DROP TABLE course")
    statement(
        folders,
        "CREATE TABLE assignment (id VARCHAR(32) PRIMARY KEY, name VARCHAR(128), duedate DATETIME)",
        "DROP TABLE a",
    )
    log = folders.root / "log"
    assert commands.nbgrader(folders.root, "db", "upgrade", log=log) == 0, log.read_text()
    check(folders, write=True)


def test_a_file_that_is_no_gradebook(folders):
    folders.gradebook().write_text("marks " * 1000)
    with pytest.raises(InputError, match="is no database of SQLite's: put your copy in its place"):
        check(folders, write=True)


def test_a_gradebook_in_use(folders, monkeypatch):
    held = sqlite3.connect(folders.gradebook(), isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    (folders.root / CONFIG).write_text(
        f"get_config().CourseDirectory.db_url = 'sqlite:///{folders.gradebook()}?timeout=0.1'\n"
    )
    with pytest.raises(InputError, match="is being written by another program: close that one"):
        check(Folders.of(folders.root), write=True)
    held.close()
    check(folders, write=True)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("db_url = 'postgresql+psycopg://ada:pw@/x?host=/nowhere'", "needs the name of a course"),
        ("db_url = 'nosuch://db/x'", "needs a driver that is missing"),
        ("db_url = 'mysql+nosuch://db/x'", "needs a driver that is missing"),
    ],
)
def test_a_server_as_nbgrader_leaves_it(tmp_path, settings, sentence):
    course_id = "" if "name of" in sentence else "c.CourseDirectory.course_id = 'one'\n"
    (tmp_path / CONFIG).write_text(f"c = get_config()\nc.CourseDirectory.{settings}\n{course_id}")
    with pytest.raises(InputError, match=sentence) as refusal:
        check(Folders.of(tmp_path), write=True)
    assert "pw" not in str(refusal.value)


def test_a_server_that_does_not_answer(tmp_path):
    pytest.importorskip("psycopg")
    (tmp_path / CONFIG).write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'one'\n"
        "c.CourseDirectory.db_url = 'postgresql+psycopg://ada:pw@/x?host=/nowhere'\n"
    )
    with pytest.raises(InputError, match=r"does not answer \(.*No such file.*\): see to it"):
        check(Folders.of(tmp_path), write=False)


# -- errors while work is done ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "no space is left on the disk of /some/file: make room, then run the same"),
        (errno.EDQUOT, "your share of the disk of /some/file is used up"),
        (errno.EROFS, "the disk of /some/file can only be read"),
        (errno.EIO, "the disk of /some/file fails"),
    ],
)
def test_what_a_disk_says(folders, number, sentence):
    error = OSError(number, os.strerror(number), "/some/file")
    assert trouble(error, folders).startswith(sentence)
    with pytest.raises(Stuck, match=sentence), noticing(folders):
        try:
            raise error
        except OSError as cause:
            raise RuntimeError("nbgrader says something else") from cause


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(errno.EACCES, "Permission denied", "/one/submission"),
        ValueError("no space is left"),
        IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed")),
    ],
)
def test_what_one_submission_may_have_done_stops_nobody_else(folders, error):
    assert trouble(error, folders) is None
    with pytest.raises(type(error)), noticing(folders):
        raise error


def test_any_error_while_nothing_can_be_written_is_the_disks(folders, monkeypatch):
    monkeypatch.setattr(storage, "_is_full", lambda place: place == folders.root)
    assert trouble(ValueError(), folders).startswith(
        f"no space is left on the disk of {folders.root}"
    )


def test_a_command_ends_with_what_the_disk_says(monkeypatch, capsys):
    def full():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/some/file")

    monkeypatch.setattr(cli, "app", full)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert capsys.readouterr().err == "labkit: No space left on device: /some/file\n"


@pytest.fixture
def course(tmp_path):
    tiny_course.make(tmp_path)
    log = tmp_path / "log"
    assert commands.nbgrader(tmp_path, "generate_assignment", LAB, log=log) == 0, log.read_text()
    for student in ("ada", "bob", "cem"):
        tiny_course.hand_in(tmp_path, student, tiny_course.handed_in())
    return tmp_path


def grade(course: Path) -> tuple[run.Outcome, str]:
    console = Console(record=True, width=200, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    outcome = run.grade(course, LAB, console, sandbox="none")
    run.summary(outcome, console)
    return outcome, console.export_text()


def test_a_run_stops_where_nothing_can_be_stored_and_the_same_command_goes_on(course, monkeypatch):
    write = FilesWriter.write

    def full(writer, output, resources, notebook_name=None, **kwargs):
        if "bob" in writer.build_directory and "outputs" in output and "execution" in output:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/the/disk")
        return write(writer, output, resources, notebook_name, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(FilesWriter, "write", full)
        outcome, text = grade(course)
    assert [entry.student for entry in outcome.graded] == ["ada"]
    assert outcome.exit_code() == 1
    assert text.count("no space is left on the disk of /the/disk: make room") == 1
    assert "2 answers wait" in text  # ada's, and bob's, as far as it is known
    assert [line["student"] for line in report.read(course)] == ["ada"]
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        notebook = gradebook.find_submission_notebook(LAB, LAB, "bob")
        assert {grade.auto_score for grade in notebook.grades} == {None}
    assert "Traceback" not in (course / "grading.log").read_text()

    outcome, text = grade(course)
    assert [(e.student, e.because, e.score) for e in outcome.graded] == [
        ("bob", "first", 4.0),
        ("cem", "first", 4.0),
    ]
    assert (outcome.exit_code(), outcome.stopped) == (0, None)
    # Whoever was graded now or before.
    assert "3 answers wait to be marked by hand" in text


def test_nothing_graded_is_exit_code_2_and_ctrl_c_130(course, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TriagedAutograde, "_grade_all", interrupted)
        outcome, text = grade(course)
    assert outcome.exit_code() == 130
    assert "Interrupted. What was graded stays; the same command goes on where" in text

    (course / "gradebook.db").write_text("marks " * 1000)
    monkeypatch.setattr(
        sys, "argv", ["labkit", "grade", LAB, "--course", str(course), "--sandbox=none"]
    )
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    for system in ("csv",):
        done = CliRunner().invoke(cli.app, ["export", system, "--course", str(course), "--to", "x"])
        assert "is no database of SQLite's" in str(done.exception)


@pytest.mark.slow
@pytest.mark.sandbox
def test_ctrl_c_twice_leaves_no_process_and_no_traceback(course):
    (course / "submitted" / "ada" / LAB / f"{LAB}.ipynb").unlink()
    slow = tiny_course.handed_in(f="import time\ntime.sleep(60)")
    tiny_course.hand_in(course, "ada", slow)
    process = subprocess.Popen(
        [sys.executable, "-m", "labkit", "grade", LAB],
        cwd=course,
        env=commands.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    began = time.monotonic()
    while not list(course.glob("autograded/ada/*/*.ipynb")) and time.monotonic() < began + 60:
        time.sleep(0.1)
    time.sleep(3)  # the kernel is there
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.3)
    said, _ = process.communicate(timeout=60)
    # The second one may come when Python itself is ending: a shell says 130 for both.
    assert process.returncode in (130, -signal.SIGINT), said
    assert said.count("the same command goes on") == 1
    assert "Traceback" not in said
    began = time.monotonic()
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < began + 10:  # what was killed takes a moment
            os.killpg(process.pid, 0)
