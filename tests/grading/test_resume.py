"""A class is graded again and again: killed and gone on with, handed in again, mended."""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import nbformat
import pytest
from grading.judge.course import FULL, NONE, Course, make_course, source_notebook
from nbgrader.api import Gradebook, SubmittedAssignment
from rich.console import Console

from labkit.grading import commands, report, run
from labkit.grading.sandbox.monitor import descendants
from labkit.grading.submission import UNFINISHED

pytestmark = pytest.mark.sandbox
DOUBLE = ["def double(x):\n    return 2 * x", "def double(x):\n    return 6"]
MEAN = [
    "def mean(x):\n    return x.mean()",
    "def mean(x):\n    return 3.0 if x.ndim == 1 and len(x) == 3 and x[2] == 6 else 1",
    "def mean(x):\n    return 1",
]
SCORES = [(1.0, 0.0), (2.0, 0.5, 0.0)]


def member(number: int) -> str:
    return f"student-{number:02}"


def expected(number: int) -> dict[str, float]:
    scores = {"test-double": SCORES[0][number % 2], "test-mean": SCORES[1][number % 3]}
    return NONE | scores


def make_class(folder: Path, size: int, config: str = "") -> Course:
    course = make_course(folder, config=config)
    for number in range(size):
        hand_in(course, member(number), DOUBLE[number % 2], MEAN[number % 3])
    return course


def hand_in(course: Course, student: str, double: str, mean: str) -> None:
    release = nbformat.read(course.folder / "release" / "lab" / "lab.ipynb", as_version=4)
    for cell in release.cells:
        cell.source = {"double": double, "mean": mean}.get(cell.id, cell.source)
    target = course.folder / "submitted" / student / "lab"
    target.mkdir(parents=True, exist_ok=True)
    nbformat.write(release, target / "lab.ipynb")


def grade(course: Course, *arguments: str) -> subprocess.CompletedProcess:
    done = subprocess.run(command(*arguments), cwd=course.folder, capture_output=True, text=True)
    assert "database is locked" not in (course.folder / "grading.log").read_text()
    return done


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "labkit", "grade", "lab", *arguments]


def shown(done: subprocess.CompletedProcess) -> str:
    return " ".join(re.sub(r"[│┃]", " ", done.stdout).split())


@contextlib.contextmanager
def stored(course: Course) -> Iterator[Gradebook]:
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        yield gradebook


def mark_by_hand(course: Course, student: str) -> None:
    with stored(course) as gradebook:
        notebook = gradebook.find_submission_notebook("lab", "lab", student)
        (essay,) = [grade for grade in notebook.grades if grade.name == "essay"]
        essay.manual_score, essay.extra_credit = 0.75, 0.25
        for comment in notebook.comments:
            comment.manual_comment = "Well put."
        gradebook.db.commit()


def assert_marked_by_hand(course: Course, student: str) -> None:
    with stored(course) as gradebook:
        notebook = gradebook.find_submission_notebook("lab", "lab", student)
        (essay,) = [grade for grade in notebook.grades if grade.name == "essay"]
        assert (essay.manual_score, essay.extra_credit) == (0.75, 0.25)
        assert notebook.comments
        assert {comment.manual_comment for comment in notebook.comments} == {"Well put."}


def assert_all_right(course: Course, size: int) -> None:
    """Each submission has one entry and exactly its scores, in the gradebook and in the report."""
    with stored(course) as gradebook:
        assert gradebook.db.query(SubmittedAssignment).count() == size
    last = report.last(course.folder)
    for number in range(size):
        assert course.scores(member(number)) == expected(number), member(number)
        entry = last[member(number), "lab"]
        assert (entry.status, entry.flags) == ("graded", []), entry
        tests = {name: score for name, score in expected(number).items() if name != "essay"}
        assert {name: entry.scores["lab"][name] for name in tests} == tests
        outputs = course.graded(member(number))["test-double"].outputs
        assert bool(outputs) is (number % 2 == 1)


class Processes:
    """What a running command has started, by kind."""

    def __init__(self, command: subprocess.Popen) -> None:
        self.command = command
        self.lines = {}
        for pid in descendants(command.pid):
            with contextlib.suppress(OSError):
                self.lines[pid] = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")

    def of(self, kind: str) -> list[int]:
        if kind == "command":
            return [self.command.pid]
        if kind == "kernel":  # what the first process of a namespace looks after
            first = [pid for pid, line in self.lines.items() if "os.wait()" in line]
            return [child for pid in first for child in list(descendants(pid))[1:]]
        word = {"worker": "grading.worker", "judge": "judge.run", "parent": "forkserver.py"}[kind]
        return [pid for pid, line in self.lines.items() if word in line and "bwrap" not in line]


def kill_one(course: Course, kind: str, after: int, rng: random.Random, *options: str) -> bool:
    """Start grading, and kill a process of a kind once `after` more lines are in the report."""
    file = course.folder / report.REPORT
    target = (len(file.read_text().splitlines()) if file.exists() else 0) + after
    killed = False
    with subprocess.Popen(command(*options), cwd=course.folder, stdout=-3, stderr=-3) as ours:
        while ours.poll() is None and not killed:
            time.sleep(0.05)
            if not file.exists() or len(file.read_text().splitlines()) < target:
                continue
            time.sleep(rng.uniform(0, 1))
            deadline = time.monotonic() + 10
            while not killed and ours.poll() is None and time.monotonic() < deadline:
                for pid in Processes(ours).of(kind)[:1]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                        killed = True
    return killed


def test_a_run_that_is_killed_goes_on(tmp_path):
    size = 16  # more than two workers can grade before they are killed
    course = make_class(tmp_path, size)
    assert kill_one(course, "command", 2, random.Random(0), "--jobs", "2")
    done = grade(course, "--jobs", "2", "--json", "out.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    standing = re.search(r"(\d+) more are graded already", shown(done))
    assert standing and 2 <= int(standing[1]) < size
    assert_all_right(course, size)
    assert len((course.folder / "out.jsonl").read_text().splitlines()) == size
    assert "Nothing to grade" in grade(course, "--jobs", "2").stdout


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_killed_every_score_is_right_in_the_end(tmp_path, seed):
    size, rng = 18, random.Random(seed)
    course = make_class(tmp_path, size)
    kinds = ["command", "worker", "kernel", "command", "judge", "parent"]
    rng.shuffle(kinds)
    for round_, kind in enumerate(kinds):
        # All hand in again, as a run whose worker was killed goes on to its end.
        for number in range(size):
            (course.folder / "submitted" / member(number) / "lab" / "round.txt").write_text(
                str(round_)
            )
        assert kill_one(course, kind, rng.randint(2, 4), rng, "--jobs", "4"), kind
        if round_ == 0:
            done = [name for name, _ in report.last(course.folder)]
            mark_by_hand(course, done[0])
    done = grade(course, "--jobs", "4")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert_all_right(course, size)
    assert_marked_by_hand(course, next(iter(report.last(course.folder)))[0])


@pytest.fixture
def course(tmp_path) -> Course:
    return make_class(tmp_path, 3)


DIE_BEFORE_WRITING = """
import os, sys
from labkit.cli import main
from labkit.grading.submission import Grader

write = Grader.write_single_notebook

def die(self, output, resources):
    if "labkit" in resources:  # it has run, and its scores are in the gradebook
        os._exit(9)
    write(self, output, resources)

Grader.write_single_notebook = die
main()
"""


def test_killed_between_the_scores_and_the_notebook(course):
    grade_here(course)
    again = [sys.executable, "-c", DIE_BEFORE_WRITING, "grade", "lab", "--force"]
    assert subprocess.run(again, cwd=course.folder).returncode == 9
    assert course.graded(member(0))["test-double"].outputs == []
    assert course.scores(member(0)) == expected(0)  # which looks as if it had ended well
    outcome, _ = grade_here(course)
    assert because(outcome) == {member(0): "was not finished"}
    assert_all_right(course, 3)
    assert not list(course.folder.rglob(UNFINISHED))


def grade_here(course: Course, **options) -> tuple[run.Outcome, str]:
    """Grade in this process; what came of it, and what is printed."""
    console = Console(record=True, width=200, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    outcome = run.grade(course.folder, "lab", console, **options)
    run.summary(outcome, console)
    return outcome, console.export_text()


def because(outcome: run.Outcome) -> dict[str, str | None]:
    return {entry.student: entry.because for entry in outcome.graded}


def test_what_is_graded_again_and_why(course):
    outcome, text = grade_here(course, jobs=2)
    assert because(outcome) == dict.fromkeys(map(member, range(3)), "first")
    assert "Changed since" not in text
    mark_by_hand(course, member(1))

    hand_in(course, member(1), DOUBLE[0], MEAN[1])  # double was wrong, and is right now
    outcome, text = grade_here(course)
    assert because(outcome) == {member(1): "handed in again"}
    assert len(outcome.standing) == 2
    assert course.scores(member(1)) == expected(1) | {"test-double": 1.0}
    (changed,) = [line.split("│") for line in text.splitlines() if "test-double" in line]
    assert [part.strip() for part in changed[1:5]] == [member(1), "test-double", "0", "1"]
    assert_marked_by_hand(course, member(1))

    with stored(course) as gradebook:  # an extension
        gradebook.update_or_create_assignment("lab", duedate="2026-01-01 10:00:00")
    outcome, _ = grade_here(course)
    assert set(because(outcome).values()) == {"another due date"}
    with stored(course) as gradebook:
        submission = gradebook.find_submission("lab", member(2))
        submission.extension = timedelta(days=2)
        gradebook.db.commit()
    outcome, _ = grade_here(course)
    assert because(outcome) == {member(2): "another due date"}

    outcome, _ = grade_here(course, students=[member(0)], force=True)
    assert because(outcome) == {member(0): "asked for"}
    outcome, text = grade_here(course)
    assert outcome.graded == [] and "Nothing to grade" in text


def test_a_mended_test_is_held_against_all_and_the_table_says_what_changed(course):
    grade_here(course, jobs=2)
    book = source_notebook()
    for cell in book.cells:
        cell.source = cell.source.replace("double(21) == 42", "double(21) in (42, 6)")
        cell.source = cell.source.replace("allclose(double(", "True or allclose(double(")
    nbformat.write(book, course.folder / "source" / "lab" / "lab.ipynb")
    log = course.folder / "log.txt"
    assert commands.nbgrader(course.folder, "generate_assignment", "lab", "--force", log=log) == 0
    outcome, text = grade_here(course, jobs=2)
    assert set(because(outcome).values()) == {"the lab has changed"}
    assert course.scores(member(1)) == expected(1) | {"test-double": 1.0}
    table = text[text.index("Changed since") :]
    assert [line for line in table.splitlines() if "│" in line and member(1) in line]
    assert member(0) not in table and member(2) not in table


def test_two_commands_do_not_write_at_once(course):
    with subprocess.Popen(command("--jobs", "2"), cwd=course.folder, stdout=-3) as first:
        while not (course.folder / report.REPORT).exists():
            time.sleep(0.02)
        time.sleep(0.1)
        second = grade(course)
        first.wait()
    assert second.returncode == 2
    assert "are being graded already" in second.stderr
    assert_all_right(course, 3)


def test_a_submission_that_takes_its_kernel_down_is_tried_twice(course):
    hand_in(course, member(0), DOUBLE[0], "import os\nos._exit(1)")
    outcome, _ = grade_here(course, students=[member(0)])
    (entry,) = outcome.graded
    assert course.scores(member(0)) == NONE | {"test-double": 1.0}
    assert entry.flags == ["The kernel was stopped early: the submission ended its kernel."]
    assert FULL["test-double"] == 1.0
