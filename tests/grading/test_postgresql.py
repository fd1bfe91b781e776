"""A whole run with the gradebook in PostgreSQL, in a server of the test's own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from grading.test_resume import command, expected, make_class, member
from nbgrader.api import Gradebook

from labkit.grading.sandbox import bubblewrap

SIZE = 4


def program(name: str) -> Path | None:
    """Debian keeps the server's programs out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    on_path = shutil.which(name)
    return Path(on_path) if on_path else found[-1] if found else None


def why_not() -> str | None:
    if program("initdb") is None or program("pg_ctl") is None:
        return "PostgreSQL is missing: sudo apt-get install postgresql"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "PostgreSQL does not run as root, and there is no runuser"
    return bubblewrap.why_not()


@pytest.fixture
def database(tmp_path_factory) -> Iterator[str]:
    """The address of an empty database; its server listens to a socket in a folder only."""
    pytest.importorskip("psycopg", reason="psycopg is in the extra `test`")
    folder = Path(
        subprocess.check_output(["mktemp", "-d", "/tmp/labkit-pg-XXXXXX"], text=True)[:-1]
    )
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    data = str(folder / "data")

    def call(name: str, *arguments: str) -> None:
        subprocess.run(
            [*as_user, str(program(name)), *arguments],
            check=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    try:
        call("initdb", "-D", data, "-A", "trust", "-U", "grader")
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        call("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://grader@/postgres?host={folder}"
        finally:
            call("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        subprocess.run(["rm", "-rf", folder], check=False)


@pytest.mark.slow
@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_a_class_with_its_gradebook_in_postgresql(tmp_path, database):
    course = make_class(tmp_path, SIZE, f"c.CourseDirectory.db_url = {database!r}\n")
    for returncode, says in ((0, "first"), (0, "Nothing to grade")):
        done = subprocess.run(
            command("--jobs", "2"), cwd=course.folder, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (returncode, "")
        assert says in done.stdout
    with Gradebook(database, "made-up") as gradebook:
        for number in range(SIZE):
            notebook = gradebook.find_submission_notebook("lab", "lab", member(number))
            found = {grade.name: grade.auto_score or 0.0 for grade in notebook.grades}
            assert found == expected(number)
    assert not (course.folder / "gradebook.db").exists()
