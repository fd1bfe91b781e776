"""What handing in late costs, in literal numbers."""

import re
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from grading.judge.course import make_course
from nbgrader.api import Gradebook
from traitlets import TraitError
from traitlets.config import Config, Configurable

from labkit.grading import commands, late, report
from labkit.grading.exports.marks import read
from labkit.grading.late import AssignLatePenalties, LatePenalty

# nbgrader's own gradebook makes SQLAlchemy warn.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
MINUTE, HOUR, DAY = 60, 3600, 86400
DUE = datetime(2026, 3, 2, 12)


@pytest.mark.parametrize(
    "seconds, share",
    [(0, 0), (1, 0.1), (DAY, 0.1), (DAY + 1, 0.2), (9 * DAY + 1, 1), (400 * DAY, 1)],
)
def test_a_tenth_for_each_started_day(seconds, share):
    assert LatePenalty(percent=10).share(seconds) == pytest.approx(share)


def test_hours_grace_most_and_zero():
    rule = LatePenalty(percent=2.5, per="hour", grace_minutes=90, at_most=40, zero_after_days=1.5)
    assert rule.share(90 * MINUTE) == 0
    assert rule.share(90 * MINUTE + 1) == 0.05  # two hours have begun since it was due
    assert rule.share(16 * HOUR) == 0.4
    assert rule.share(36 * HOUR) == 0.4
    assert rule.share(36 * HOUR + 1) == 1


def test_no_rule_costs_nothing():
    assert not LatePenalty().active
    assert LatePenalty().share(400 * DAY) == 0
    rule = LatePenalty(zero_after_days=0)
    assert rule.active
    assert (rule.share(0), rule.share(1)) == (0, 1)


@pytest.mark.parametrize(
    "options", [{"percent": -1}, {"percent": 101}, {"per": "week"}, {"at_most": float("nan")}]
)
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(TraitError, match=next(iter(options))):
        LatePenalty(**options)


@pytest.mark.parametrize(
    "section, options, said",
    [
        ("LatePenalty", {"percnt": 10}, "no percnt: it has at_most, grace_minutes, per, percent"),
        ("LatePenalty", {"percent": "ten"}, "cannot be used: .*percent.*'ten'"),
        ("LatePenalty", {"percent": 200}, "percent.* not be greater than 100"),
        ("LatePenalty", {"grace_minutes": 90, "zero_after_days": 0.05}, "90, longer than 0.05 d"),
        ("LateSubmissionPlugin", {"penalty_method": "zero"}, "there are two rules"),
    ],
)
def test_the_configuration_is_checked_before_anything_is_graded(section, options, said):
    config = Config(LatePenalty={"percent": 10})
    assert late.problem(Configurable(config=config)) is None
    config[section].update(options)
    assert re.search(said, late.problem(Configurable(config=config)))


@pytest.fixture
def _alembic(monkeypatch):
    monkeypatch.setenv("PATH", commands.environment()["PATH"])  # nbgrader calls it by its name


def stored(tmp_path, hours, **cells):
    """A gradebook in which ada is so late, with a notebook of 4 points and one of 2."""
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    with Gradebook(url) as gradebook:
        gradebook.add_assignment("lab", duedate=DUE)
        for name, points in (("one", 4), ("two", 2)):
            gradebook.add_notebook(name, "lab")
            gradebook.add_grade_cell(
                f"test-{name}", name, "lab", max_score=points, cell_type="code"
            )
        gradebook.add_student("ada")
        submission = gradebook.add_submission("lab", "ada")
        submission.timestamp = DUE + timedelta(hours=hours)
        for notebook in submission.notebooks:
            (grade,) = notebook.grades
            grade.auto_score = cells.get(notebook.name)
        gradebook.db.commit()
    return url


def penalties(url, **rule):
    """What each notebook then loses, and the mark of the lab."""
    for name in ("one", "two"):
        about = {"notebook": name, "assignment": "lab", "student": "ada", "db_url": url}
        step = AssignLatePenalties(config=Config(LatePenalty=rule))
        step.preprocess(None, {"nbgrader": about})
    with Gradebook(url) as gradebook:
        found = read(gradebook).submissions["ada", "lab"]
        return found.penalties, found.score


@pytest.mark.usefixtures("_alembic")
def test_a_share_of_each_notebooks_points_whatever_was_scored(tmp_path):
    url = stored(tmp_path, 30, one=4, two=0)
    assert penalties(url, percent=10) == ({"one": 0.8, "two": 0.4}, 2.8)
    assert penalties(url, percent=10, grace_minutes=31 * 60) == ({"one": 0, "two": 0}, 4)
    assert penalties(url, zero_after_days=1) == ({"one": 4, "two": 2}, 0)
    with Gradebook(url) as gradebook:
        gradebook.find_grade("test-two", "two", "lab", "ada").manual_score = 2
        gradebook.db.commit()
        assert read(gradebook).submissions["ada", "lab"].score == 0  # as before
        gradebook.grant_extension("lab", "ada", hours=29)
    assert penalties(url, percent=5, per="hour") == ({"one": 0.2, "two": 0.1}, 5.7)


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_class_with_a_rule_that_changes(tmp_path):
    course = make_course(tmp_path)
    config = tmp_path / "nbgrader_config.py"
    plain = config.read_text()
    right = {
        "double": "def double(x):\n    return 2 * x",
        "mean": "def mean(x):\n    return x.mean()",
    }

    def fill(notebook, cells):
        for name, text in right.items():
            cells[name].source = text

    for student, time in {
        "ada": "2026-03-02 11:59:59 UTC",
        "bob": "2026-03-02 14:00:00 Europe/Berlin",  # 13:00 UTC, an hour late
        "cem": "2026-03-05T12:00:01+00:00",  # three days and a second
        "dia": "2026-03-05 12:00:01 UTC",  # has an extension
    }.items():
        course.submit(student, fill, {"timestamp.txt": time})
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    with Gradebook(url) as gradebook:
        gradebook.update_or_create_assignment("lab", duedate=DUE)
        gradebook.add_student("dia")
        gradebook.add_submission("lab", "dia")
        gradebook.grant_extension("lab", "dia", days=3)

    def grade(rule):
        config.write_text(plain + rule)
        done = subprocess.run(
            [sys.executable, "-m", "labkit", "grade", "lab", "--jobs", "2"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        last = {student: e for (student, _), e in report.last(tmp_path).items()}
        with Gradebook(url) as gradebook:
            marks = {s: m.score for (s, _), m in read(gradebook).submissions.items()}
        return done, {s: (e.because, e.penalty) for s, e in last.items()}, marks

    done, _, _ = grade("c.LatePenalty.percent = 120\n")
    assert done.returncode == 2
    assert "should not be greater than 100" in done.stderr.replace("\n", " ")
    done, seen, marks = grade("c.LatePenalty.percent = 10\n")
    assert done.returncode == 0, done.stderr
    assert seen == {
        "ada": ("first", 0),
        "bob": ("first", 0.4),
        "cem": ("first", 1.6),
        "dia": ("first", 0.4),
    }
    assert marks == pytest.approx({"ada": 3, "bob": 2.6, "cem": 1.4, "dia": 2.6})
    # Only those are graded again whom another rule costs something else.
    done, seen, marks = grade("c.LatePenalty.percent = 10\nc.LatePenalty.at_most = 25\n")
    assert "3 more are graded already, and have not changed." in done.stdout
    assert seen["cem"] == ("another late penalty", 1.0)
    assert marks == pytest.approx({"ada": 3, "bob": 2.6, "cem": 2, "dia": 2.6})
    assert "late: -1" in done.stdout
    _, _, marks = grade("c.LatePenalty.zero_after_days = 1\n")
    assert marks == {"ada": 3, "bob": 3, "cem": 0, "dia": 3}
    feedback = [sys.executable, "-m", "nbgrader", "generate_feedback", "lab"]
    subprocess.run(feedback, cwd=tmp_path, check=True, capture_output=True)
    page = (tmp_path / "feedback" / "cem" / "lab" / "lab.html").read_text()
    assert "Late submission penalty (Score: -4.0)" in page
    assert "(Score: 0.0 / 4.0)" in page
