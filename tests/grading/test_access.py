"""Who else on the machine can read or write a course: said, mended by one command, or refused."""

import grp
import os
import pwd
import shlex
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from grading import tiny_course
from nbgrader.apps import NbGraderApp
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from typer.testing import CliRunner

from labkit.cli import app
from labkit.grading import access, commands
from labkit.grading.access import (
    Access,
    ClosedCollect,
    close,
    close_what_is_open,
    examine,
    strangers,
)
from labkit.grading.course import CONFIG, Folders
from labkit.grading.plugins import configure
from labkit.grading.report import REPORT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no such permissions")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
LAB = tiny_course.LAB
SOMEBODY = 4711  # the id of an account that there is not


@pytest.fixture
def above():
    """A folder that everybody can get into, which a test's own is not."""
    with tempfile.TemporaryDirectory(prefix="labkit-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def course(above):
    """A course in such a folder, closed in all its parts."""
    course = above / "a course"
    course.mkdir()
    tiny_course.make(course)
    for step in ("release", "autograded/ada", "feedback/ada"):
        (course / step / LAB).mkdir(parents=True)
        (course / step / LAB / "tiny.ipynb").touch()
    tiny_course.hand_in(course, "ada", tiny_course.handed_in())
    for name in ("gradebook.db", REPORT):
        (course / name).touch()
    for path in course.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    course.chmod(0o755)
    return course


def look(course: Path, lab: str = LAB) -> Access:
    return examine(Folders.of(course), lab)


def open_up(course: Path, name: str, mode: int) -> None:
    """Give a file or folder this mode, and let everybody as far as there."""
    path = course / name
    path.chmod(mode)
    for folder in path.parents:
        if course in folder.parents:
            folder.chmod(folder.stat().st_mode | 0o011)


def test_a_closed_course_has_nothing_to_say_whatever_is_open_inside(course):
    assert look(course) == Access()
    for path in course.rglob("*"):
        path.chmod(0o777)
    course.chmod(0o700)
    assert look(course) == Access()
    course.chmod(0o755)
    course.parent.chmod(0o700)
    assert look(course) == Access()


@pytest.mark.parametrize(
    ("name", "called"),
    [
        (f"source/{LAB}/{LAB}.ipynb", "source/"),
        (f"submitted/ada/{LAB}/{LAB}.ipynb", "submitted/"),
        (f"autograded/ada/{LAB}/{LAB}.ipynb", "autograded/"),
        (f"feedback/ada/{LAB}/{LAB}.ipynb", "feedback/"),
        ("gradebook.db", "gradebook.db"),
        (REPORT, REPORT),
    ],
)
def test_what_others_can_read_is_said_and_what_they_can_write_is_refused(course, name, called):
    open_up(course, name, 0o604)
    found = look(course)
    assert found.refused == []
    assert found.said == [f"others on this machine can read {called}"]
    open_up(course, name, 0o602)
    found = look(course)
    assert found.refused == [f"others on this machine can write to {called}"]
    assert shlex.split(found.mend) == ["chmod", "o-rwx", str(course)]
    subprocess.run(found.mend, shell=True, check=True)
    assert look(course) == Access()
    assert (course / name).stat().st_mode & 0o777 == 0o602


@pytest.mark.parametrize(
    ("name", "called"),
    [
        (f"source/{LAB}", "source/"),
        ("release", "release/"),
        ("submitted", "submitted/"),
        ("submitted/ada", "submitted/"),
        ("autograded", "autograded/"),
        ("", "the course folder"),
        (CONFIG, CONFIG),
    ],
)
@pytest.mark.parametrize("mode", [0o773, 0o1773])  # in a sticky folder, others can make files
def test_folders_in_which_others_can_make_files_are_refused(course, name, called, mode):
    open_up(course, name, mode if name != CONFIG else 0o602)
    assert look(course).refused == [f"others on this machine can write to {called}"]


def test_what_everybody_gets_anyway_may_be_read(course):
    open_up(course, f"release/{LAB}/{LAB}.ipynb", 0o644)
    assert look(course) == Access()


def test_another_labs_work_is_looked_at_when_it_is_asked_for(course):
    (other := course / "source" / "other").mkdir()
    (other / "other.ipynb").touch()
    open_up(course, "source/other/other.ipynb", 0o602)
    (other / "other.ipynb").chmod(0o602)
    assert look(course) == Access()
    assert look(course, "*").refused == ["others on this machine can write to source/"]


@pytest.mark.parametrize(("mode", "safe"), [(0o777, False), (0o1777, True), (0o770, True)])
def test_folders_above_in_which_the_course_could_be_exchanged(course, mode, safe):
    course.chmod(0o700)
    course.parent.chmod(mode)
    found = look(course)
    if safe:
        assert found == Access()
    else:
        above = course.parent
        assert found.refused == [f"others on this machine can write to {above} (above the course)"]
        assert found.mend == f"chmod o-w {above}"


def test_a_part_behind_a_link(course, above):
    course.chmod(0o700)
    (elsewhere := above / "elsewhere").mkdir()
    (course / "submitted").rename(elsewhere / "submitted")
    (course / "submitted").symlink_to(elsewhere / "submitted")
    assert look(course) == Access()
    elsewhere.chmod(0o777)
    assert look(course).refused == [
        f"others on this machine can write to {elsewhere} (above the course)"
    ]


def test_parts_that_the_configuration_puts_elsewhere(course, above):
    (outside := above / "work").mkdir()
    (outside / "ada" / LAB).mkdir(parents=True)
    outside.chmod(0o703)
    (marks := above / "marks.db").touch()
    marks.chmod(0o606)
    (course / CONFIG).write_text(
        "c = get_config()\n"
        f"c.CourseDirectory.submitted_directory = {str(outside)!r}\n"
        f"c.CourseDirectory.db_url = 'sqlite:///{marks}'\n"
    )
    course.chmod(0o700)
    found = look(course)
    assert found.refused == ["others on this machine can write to marks.db and work/"]
    assert found.mend == f"chmod o-rwx {marks} && chmod o-rwx {outside}"
    subprocess.run(found.mend, shell=True, check=True)
    assert look(course) == Access()


# -- groups, lists and owners ----------------------------------------------------------------------


def accounts(monkeypatch, group: str, *, primary: int, members=(), others: int = 0) -> None:
    """This machine has these accounts, and files belong to the group."""
    mine = SimpleNamespace(pw_name="me", pw_uid=os.geteuid(), pw_gid=os.getegid())
    more = [
        SimpleNamespace(pw_name=f"s{n}", pw_uid=2000 + n, pw_gid=os.getegid())
        for n in range(primary)
    ]
    rest = [
        SimpleNamespace(pw_name=f"o{n}", pw_uid=3000 + n, pw_gid=3000 + n) for n in range(others)
    ]
    monkeypatch.setattr(pwd, "getpwall", lambda: [mine, *more, *rest])
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: {os.geteuid(): mine}[uid])
    known = SimpleNamespace(gr_name=group, gr_mem=list(members))
    monkeypatch.setattr(grp, "getgrgid", lambda gid: known)


@pytest.mark.parametrize(
    ("group", "who", "refused", "said"),
    [
        ("me", {"primary": 0}, None, None),  # a group of one's own
        ("users", {"primary": 0}, None, None),  # nobody else is in it, as in a container
        ("teachers", {"primary": 0, "members": ["bob", "me"]}, None, "the group teachers (bob)"),
        ("teachers", {"primary": 2, "others": 9}, None, "the group teachers (s0, s1)"),
        ("users", {"primary": 1, "others": 9}, "everybody in the group users", None),
        ("Students", {"primary": 0, "members": ["s"]}, "everybody in the group Students", None),
        ("cs", {"primary": 9, "others": 3}, "everybody in the group cs", None),  # most of them
    ],
)
def test_groups(course, monkeypatch, group, who, refused, said):
    accounts(monkeypatch, group, **who)
    (course / "gradebook.db").chmod(0o620)
    course.chmod(0o710)
    found = look(course)
    assert found.refused == ([f"{refused} can write to gradebook.db"] if refused else [])
    assert found.said == ([f"{said} can write to gradebook.db"] if said else [])
    assert shlex.split(found.mend) == (["chmod", "go-rwx", str(course)] if refused else [])


def test_where_accounts_are_not_listed_a_groups_name_decides(course, monkeypatch):
    (course / "gradebook.db").chmod(0o620)
    accounts(monkeypatch, "users", primary=0)
    monkeypatch.setattr(pwd, "getpwall", lambda: [])
    assert look(course).refused == ["everybody in the group users can write to gradebook.db"]
    accounts(monkeypatch, "me", primary=0)
    monkeypatch.setattr(pwd, "getpwall", lambda: [])
    assert look(course) == Access()


def test_access_lists(course):
    entries = [(0x01, 6, -1), (0x02, 6, SOMEBODY), (0x04, 0, -1), (0x10, 6, -1), (0x20, 0, -1)]
    packed = b"".join(struct.pack("<HHi", *entry) for entry in entries)
    try:
        os.setxattr(
            course / "gradebook.db", "system.posix_acl_access", struct.pack("<I", 2) + packed
        )
    except (AttributeError, OSError):
        pytest.skip("this file system keeps no access lists")
    found = look(course)
    assert (found.refused, found.said) == ([], [f"user {SOMEBODY} can write to gradebook.db"])


@as_root
def test_what_belongs_to_somebody_else_is_said(course):
    os.chown(course / "source" / LAB / f"{LAB}.ipynb", SOMEBODY, -1)
    assert look(course) == Access()  # who does not get there
    open_up(course, f"source/{LAB}/{LAB}.ipynb", 0o600)
    assert look(course).said == [f"user {SOMEBODY} can write to source/"]
    os.chown(course, SOMEBODY, -1)  # whose course it is
    assert look(course) == Access()


@as_root
def test_a_folder_above_that_belongs_to_somebody_else_is_said(course):
    course.chmod(0o700)
    os.chown(course.parent, SOMEBODY, -1)
    assert look(course).said == [f"user {SOMEBODY} can write to {course.parent} (above the course)"]


# -- what was collected ----------------------------------------------------------------------------


def modes(folder: Path) -> set[str]:
    return {oct(path.stat().st_mode & 0o7777) for path in folder.rglob("*")}


@pytest.mark.parametrize(
    "structure",
    [
        "{nbgrader_step}/{student_id}/{assignment_id}",
        "{nbgrader_step}/{assignment_id}/{student_id}",
        "{assignment_id}/{nbgrader_step}/{student_id}",
        "{assignment_id}/{student_id}/{nbgrader_step}",
    ],
)
def test_closing_changes_submissions_and_nothing_else(course, above, structure):
    (course / CONFIG).write_text(
        f"c = get_config()\nc.CourseDirectory.directory_structure = {structure!r}\n"
    )
    folders = Folders.of(course)
    submission = folders.submitted("bob", LAB)
    (submission / "data").mkdir(parents=True)
    (submission / "data" / "more.csv").touch()
    os.mkfifo(submission / "pipe")
    (secret := above / "mine.txt").touch()
    (submission / "link.txt").symlink_to(secret)
    (submission / "linked").symlink_to(above)
    for path in [secret, submission, *submission.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o777)
    for folder in submission.parents:
        if course in folder.parents:
            folder.chmod(0o755)
    others = {path for path in above.rglob("*") if submission not in [path, *path.parents]}
    outside = {path: path.stat().st_mode for path in others - {*submission.parents}}
    assert close_what_is_open(folders, LAB) == ["bob"]
    assert close_what_is_open(folders, LAB) == []
    assert oct(submission.stat().st_mode & 0o777) == "0o770"
    assert oct((submission / "data" / "more.csv").stat().st_mode & 0o777) == "0o770"
    assert oct(secret.stat().st_mode & 0o777) == "0o777"
    assert outside == {path: path.stat().st_mode for path in outside}
    assert oct(course.stat().st_mode & 0o777) == "0o755"


def test_a_submission_that_others_can_read_is_closed_and_one_in_a_closed_course_stays(course):
    folders = Folders.of(course)
    open_up(course, f"submitted/ada/{LAB}/{LAB}.ipynb", 0o644)
    course.chmod(0o700)
    before = modes(course)
    assert close_what_is_open(folders, LAB) == []
    assert modes(course) == before
    course.chmod(0o755)
    assert close_what_is_open(folders, LAB) == []
    assert look(course) == Access()
    assert (folders.submitted("ada", LAB) / f"{LAB}.ipynb").stat().st_mode & 0o777 == 0o640


@as_root
def test_a_file_of_somebody_else_is_flagged(course, above):
    folders = Folders.of(course)
    submission = folders.submitted("ada", LAB)
    (exchange := above / "exchange").mkdir()
    assert strangers(folders, submission, "ada", exchange) == []
    os.chown(submission / f"{LAB}.ipynb", SOMEBODY, -1)
    (flag,) = strangers(folders, submission, "ada", exchange)
    assert flag.startswith(f"'{LAB}/{LAB}.ipynb' belongs to user {SOMEBODY} and not to you")
    os.chown(exchange, SOMEBODY, -1)  # who collects
    assert strangers(folders, submission, "ada", exchange) == []
    os.chown(exchange, 0, -1)
    os.chown(course, SOMEBODY, -1)  # whose course it is
    assert strangers(folders, submission, "ada", exchange) == []


@as_root
def test_a_students_own_file_is_flagged_unless_root_has_copied_it(course, above, monkeypatch):
    folders = Folders.of(course)
    submission = folders.submitted("ada", LAB)
    os.chown(submission, SOMEBODY, -1)
    account = SimpleNamespace(pw_name="ada", pw_uid=SOMEBODY, pw_gid=SOMEBODY)
    monkeypatch.setattr(pwd, "getpwnam", {"ada": account}.__getitem__)
    assert strangers(folders, submission, "ada", above) == []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert len(strangers(folders, submission, "ada", above)) == 1


@pytest.mark.parametrize("shared", [False, True])
def test_collecting_closes_what_the_exchange_had_open(course, above, shared):
    (inbound := above / "inbound" / "ada").mkdir(parents=True)
    (inbound / "more").mkdir()
    (inbound / f"{LAB}.ipynb").touch()
    for path in [inbound, *inbound.rglob("*")]:
        path.chmod(0o777)
    directory = CourseDirectory(root=str(course))
    config = Config({"CourseAccess": {"allow_shared": shared}})
    dest = course / "submitted" / "zoe" / LAB
    dest.parent.mkdir()
    dest.parent.chmod(0o755)
    ClosedCollect(coursedir=directory, config=config).do_copy(str(inbound), str(dest))
    assert modes(dest.parent) == ({"0o777"} if shared else {"0o770"})
    assert oct(dest.parent.stat().st_mode & 0o777) == ("0o755" if shared else "0o750")
    assert modes(inbound.parent) == {"0o777"}


def test_nbgrader_collects_so_with_our_configuration():
    config = Config()
    configure(config)
    assert NbGraderApp(config=config) and config.ExchangeFactory.collect is ClosedCollect
    mine = Config({"ExchangeFactory": {"collect": "my.own.Collect"}})
    configure(mine)
    assert mine.ExchangeFactory.collect == "my.own.Collect"


def test_a_tree_of_folders_without_end_stops_nothing(course):
    folders = Folders.of(course)
    submission = folders.submitted("ada", LAB)
    before = Path.cwd()
    try:
        os.chdir(submission)
        for _ in range(1500):
            Path("d").mkdir()
            os.chdir("d")
    finally:
        os.chdir(before)
    close(folders, [submission])
    assert close_what_is_open(folders, LAB) == []
    assert look(course) == Access()
    assert strangers(folders, submission, "ada", course) == []
    subprocess.run(["rm", "-rf", submission], check=True)


# -- the commands ----------------------------------------------------------------------------------


@pytest.fixture
def shared(course):
    """Others can put submissions into it."""
    (course / "gradebook.db").unlink()
    (course / "submitted").chmod(0o777)
    return course


def test_grading_refuses_and_an_option_allows(shared, monkeypatch):
    grade = ["grade", LAB, "--course", str(shared)]
    done = CliRunner().invoke(app, [*grade, "--sandbox=none"])
    said = " ".join(str(done.exception).split())
    assert "others on this machine can write to submitted/" in said
    assert f"(chmod o-rwx '{shared}'), or add --allow-shared-course" in said
    assert not (shared / "gradebook.db").exists()
    done = CliRunner().invoke(app, [*grade, "--sandbox=none", "--allow-shared-course"])
    assert "No notebook of 'tiny' is in the gradebook" in str(done.exception)  # so it had begun
    assert "Others on this machine can write to submitted/." in done.output


@pytest.mark.parametrize("option", [[], [access.ALLOWED]])
def test_generating_refuses_and_an_option_allows(shared, option):
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", LAB, "--force", *option],
        cwd=shared,
        capture_output=True,
        text=True,
        env=commands.environment(),
    )
    assert done.returncode == (0 if option else 1), done.stderr
    assert "others on this machine can write to submitted/" in done.stderr.lower()
    assert ("or add --CourseAccess.allow_shared=True" in done.stderr) is not bool(option)
    assert "Traceback" not in done.stderr
    assert bool((shared / "release" / LAB / f"{LAB}.ipynb").read_text()) is bool(option)
