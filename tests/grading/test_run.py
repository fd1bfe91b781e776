"""`labkit grade` in a course that knows nothing of labkit."""

import io
import json
import subprocess
import sys

import pytest
from grading import tiny_course
from grading.judge.course import FULL, NONE, make_course
from rich.console import Console

from labkit.errors import InputError
from labkit.grading import commands, report, run

RIGHT = {"double": "def double(x):\n    return 2 * x", "mean": "def mean(x):\n    return x.mean()"}


def answers(**texts):
    def change(notebook, cells):
        for name, text in texts.items():
            cells[name].source = text

    return change


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A stock course after `labkit grade`: honest work, a dead kernel, and a file that is none."""
    course = make_course(tmp_path_factory.mktemp("foreign"), stock=True)
    course.submit("ada", answers(**RIGHT))
    course.submit("bob", answers(double=RIGHT["double"], mean="import os\nos._exit(1)"))
    course.submit("eve", answers(**RIGHT))
    (course.folder / "submitted" / "eve" / "lab" / "lab.ipynb").write_text("<<<<<<< HEAD\n{")
    course.done = labkit(
        "grade", "lab", "--course", course.folder, "--json", "out.jsonl", at=course
    )
    return course


def labkit(*arguments, at):
    command = [sys.executable, "-m", "labkit", *map(str, arguments)]
    return subprocess.run(command, cwd=at.folder, capture_output=True, text=True, check=False)


@pytest.mark.sandbox
class TestForeignCourse:
    def test_marks(self, foreign):
        assert foreign.scores("ada") == FULL
        assert foreign.scores("bob") == NONE | {"test-double": 1.0}
        assert foreign.scores("eve") == NONE

    def test_what_is_flagged_makes_the_exit_code_1(self, foreign):
        assert foreign.done.returncode == 1, foreign.done.stderr
        assert "bob: The kernel was stopped early: the submission ended its kernel." in (
            foreign.done.stdout.replace("\n", " ").replace("  ", " ")
        )
        assert "conflict markers" in foreign.done.stdout

    def test_a_line_for_each(self, foreign):
        ada, bob, eve = map(json.loads, (foreign.folder / "out.jsonl").read_text().splitlines())
        assert [entry["student"] for entry in (ada, bob, eve)] == ["ada", "bob", "eve"]
        assert ada["status"] == "graded"
        assert (ada["score"], ada["max_score"]) == (3.0, 4.0)
        assert ada["scores"] == {"lab": FULL}
        assert (ada["flags"], ada["repairs"], ada["reason"]) == ([], [], None)
        assert ada["sandbox"] == "bubblewrap"
        assert 20e6 < ada["peak_memory"] < 1e9
        assert 0 < ada["cells_seconds"] + ada["tests_seconds"] < ada["seconds"] < 120
        assert len(bob["flags"]) == 1
        assert (eve["status"], eve["score"], eve["sandbox"]) == ("rejected", 0.0, None)
        assert [ada, bob, eve] == list(report.read(foreign.folder))[:3]

    def test_what_is_graded_is_not_graded_again(self, foreign):
        done = labkit("grade", "lab", "--student", "ada", at=foreign)
        assert (done.returncode, done.stderr) == (0, "")
        assert "Nothing to grade" in done.stdout

    def test_by_force_and_for_one_student(self, foreign):
        done = labkit(
            "grade", "lab", "--student", "ada", "--force", "--json", "one.jsonl", at=foreign
        )
        assert (done.returncode, done.stderr) == (0, "")
        (entry,) = map(json.loads, (foreign.folder / "one.jsonl").read_text().splitlines())
        assert (entry["student"], entry["score"]) == ("ada", 3.0)

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["lab", "--student", "zoe"], "there is no submission"),
            (["nowhere"], "nowhere"),
            (["lab", "--course", "elsewhere"], "there is no folder elsewhere"),
            (["lab", "--json", "no/such/out.jsonl"], "there is no folder no/such"),
        ],
    )
    def test_what_cannot_be_done_is_said_in_a_sentence(self, foreign, arguments, sentence):
        before = (foreign.folder / report.REPORT).read_text()
        done = labkit("grade", *arguments, at=foreign)
        assert done.returncode == 2
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
        assert (foreign.folder / report.REPORT).read_text() == before

    def test_a_lab_whose_source_cannot_be_read_is_not_graded(self, foreign):
        before = (foreign.folder / report.REPORT).read_text()
        source = foreign.folder / "source" / "lab" / "lab.ipynb"
        text = source.read_text()
        source.write_text(text[:-20])
        done = labkit("grade", "lab", "--force", at=foreign)
        source.write_text(text)
        assert done.returncode == 2
        assert "lab.ipynb is not a notebook" in " ".join(done.stderr.split())
        assert (foreign.folder / report.REPORT).read_text() == before

    def test_outputs_of_students_are_not_taken_for_marks(self, foreign):
        log = foreign.grade("--no-execute", "--force")  # stock, as the course is configured
        assert "without running" not in log
        with (foreign.folder / "nbgrader_config.py").open("a") as config:
            config.write("\nfrom labkit.grading.plugins import configure\nconfigure(c)\n")
        log = foreign.grade("--no-execute", "--force")
        assert "leave out --no-execute" in log


def test_without_a_sandbox_it_refuses_and_with_none_it_says_what_that_means(tmp_path, monkeypatch):
    tiny_course.make(tmp_path)
    assert commands.nbgrader(tmp_path, "generate_assignment", "tiny", log=tmp_path / "log") == 0
    tiny_course.hand_in(tmp_path, "ada", tiny_course.handed_in())
    monkeypatch.setattr(run, "why_not", lambda: "no sandbox in this test")
    with pytest.raises(InputError, match=r"no sandbox in this test.*--sandbox=none"):
        run.grade(tmp_path, "tiny", Console(quiet=True))
    assert not (tmp_path / report.REPORT).exists()

    console = Console(record=True, width=200)
    outcome = run.grade(tmp_path, "tiny", console, sandbox="none")
    (entry,) = outcome.graded
    assert (entry.sandbox, entry.score, entry.flags) == ("none", 4.0, [])
    assert "No sandbox: submissions run as you." in console.export_text()
    assert outcome.exit_code() == 0


def test_names_do_nothing_to_the_terminal():
    cell = "[/bold]\x1b[2J"
    entry = report.Entry("lab", "ada\x1b[31m", before={"n": {cell: 0.0}}, scores={"n": {cell: 1.0}})
    entry.flags.append("look at \x1b]0;title\x07")
    console = Console(record=True, width=200, file=io.StringIO())
    run.summary(run.Outcome([entry]), console)
    text = console.export_text()
    assert "\x1b" not in text and "\x07" not in text
    assert "[/bold]\\x1b[2J" in text and "ada\\x1b[31m" in text and "\\x1b]0;title" in text
