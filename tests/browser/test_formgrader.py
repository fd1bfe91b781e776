"""An instructor grades, marks and writes feedback in the formgrader, and a student reads it.

What was handed in tries to run scripts in both of their browsers.
"""

import re
from pathlib import Path

import pytest
from browser import mathjax
from browser.hostile import LAB, hostile_member
from browser.notebook import menu
from browser.places import ROOT
from nbgrader.api import Gradebook

from labkit.grading import gradebook, notebooks, report

expect = pytest.importorskip("playwright.sync_api", reason="Playwright is missing").expect
pytestmark = pytest.mark.slow

COMMENT = "Right. *How many* seeds would you take?"


def hidden() -> list[str]:
    """The lines of hidden tests and marking schemes, those that stand nowhere else."""
    source = notebooks.read(ROOT / "source" / LAB / f"{LAB}.ipynb")
    release = (ROOT / "release" / LAB / f"{LAB}.ipynb").read_text("utf-8")
    found = []
    for cell in source.cells:
        for part in re.findall(
            r"### BEGIN (?:HIDDEN TESTS|MARK SCHEME)\n(.*?)\n### END", cell.source, re.DOTALL
        ):
            found += [line.strip() for line in part.splitlines() if len(line.strip()) > 20]
    return [line for line in found if line not in release]


def assert_not_owned(page) -> None:
    for frame in page.frames:
        assert frame.evaluate("window.owned") is None, frame.url
        assert frame.title() != "owned"


@pytest.fixture
def formgrader(instructor, page):
    """The formgrader in its tab of JupyterLab."""
    asked = mathjax.provide(page) if mathjax.WHY_NOT is None else []
    page.set_viewport_size({"width": 1500, "height": 950})
    page.goto(f"{instructor.address}/lab?token={instructor.token}&reset")
    menu(page, "Nbgrader", "Formgrader")
    yield page.frame_locator("iframe")
    assert asked == []


def test_a_class_is_graded_and_handed_back(instructor, formgrader, page, picture):
    student, course = hostile_member(), instructor.folder
    # The course is listed, with its lab and who handed in.
    row = formgrader.locator("#main-table tr", has_text=LAB)
    expect(row.locator(".num-submissions")).to_have_text("1")
    picture("formgrader")

    row.locator(".num-submissions a").click()
    row = formgrader.locator("tr", has_text=student.name)
    expect(row.locator(".status")).to_have_text("needs autograding")
    row.locator(".autograde a").click()
    said = formgrader.locator(".modal.in")
    expect(said).to_contain_text(f"Successfully autograded '{LAB}' for student '{student.name}'.")
    picture("autograded")
    said.get_by_role("button", name="OK").click()
    expect(row.locator(".status")).to_have_text("needs manual grading")
    # Our engine has graded: its report has the line, and the marks are right.
    (entry,) = report.read(course)
    assert (entry["student"], entry["status"]) == (student.name, "graded")
    assert entry["sandbox"] == "bubblewrap"
    assert gradebook.automatic_scores(course, LAB, student.name) == dict(student.expected)
    total = sum(student.expected.values())
    assert entry["score"] == total
    assert row.locator(".score").inner_text() == f"{total:g} / 6"

    formgrader.get_by_role("link", name="Manual Grading").click()
    formgrader.get_by_role("link", name=LAB).click()
    formgrader.locator("tbody").get_by_role("link", name=LAB).click()
    formgrader.get_by_role("link", name="Submission #1").click()
    points = formgrader.locator("input#answer-2")
    points.wait_for()
    body = formgrader.locator("#notebook-container").first  # nbgrader has two, one in the other
    if mathjax.WHY_NOT is None:  # formulas are set, and the one of the student links nowhere
        body.locator(".mjx-chtml").first.wait_for()
    assert body.locator("a[href], [href*=phone]").count() == 0
    text = body.inner_text()
    assert not [line for line in hidden() if "checks." in line and line not in text]
    assert "BEGIN MARK SCHEME" not in text
    expect(body.locator("blockquote", has_text="Marking scheme.")).to_have_count(2)
    mark(formgrader, "answer-1", 0.1)
    mark(formgrader, "answer-2", 0.25)
    comment = formgrader.locator("textarea#answer-2-comment")
    with page.expect_response(lambda answer: "/api/comment/" in answer.url and answer.ok):
        comment.fill(COMMENT)
        comment.blur()
    question = formgrader.locator(".text_cell", has_text="Question 2").last
    question.evaluate("cell => cell.scrollIntoView()")
    page.mouse.move(0, 0)
    frame, end = page.locator("iframe").bounding_box(), comment.bounding_box()
    picture("marking", **frame | {"height": end["y"] + end["height"] + 20 - frame["y"]})
    assert_not_owned(page)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as stored:
        work = stored.find_submission_notebook(LAB, LAB, student.name)
        marks = {grade.name: grade.manual_score for grade in work.grades}
        assert (marks["answer-1"], marks["answer-2"]) == (0.1, 0.25)
        assert not work.needs_manual_grade
        assert COMMENT in [each.manual_comment for each in work.comments]
        assert work.score == pytest.approx(total + 0.35)

    formgrader.get_by_role("link", name="Manual Grading").click()
    formgrader.get_by_role("link", name="Manage Assignments").click()
    formgrader.locator("#main-table .num-submissions a").click()
    row = formgrader.locator("tr", has_text=student.name)
    expect(row.locator(".status")).to_have_text("graded")
    row.locator(".generate-feedback a").click()
    expect(formgrader.locator(".modal.in")).to_contain_text("Successfully generated feedback")
    read_feedback(course / "feedback" / student.name / LAB / f"{LAB}.html", total, page, picture)


def mark(formgrader, name: str, points: float) -> None:
    """Type points, and wait until they are saved."""
    field = formgrader.locator(f"input#{name}")
    with field.page.expect_response(lambda answer: "/api/grade/" in answer.url and answer.ok):
        field.fill(f"{points:g}")
        field.blur()


def read_feedback(path: Path, total: float, page, picture) -> None:
    """A student opens the page: what is there, what is not, and what does not run."""
    page.goto(path.as_uri())
    text = page.locator("body").inner_text()
    assert f"{LAB} (Score: {total + 0.35:g} / 6.0)" in text
    assert "Right. How many seeds would you take?" in text  # the comment's Markdown is set
    assert "A note." in text
    assert [line for line in hidden() if line in text] == []
    for word in ("BEGIN", "Marking scheme", "HIDDEN TESTS"):
        assert word not in text
    assert page.locator("iframe, svg, [onerror], [onload], [ontoggle]").count() == 0
    sizes = page.eval_on_selector_all("img", "all => all.map(each => each.naturalWidth)")
    assert len(sizes) > 3 and min(sizes) > 0
    assert_not_owned(page)
    sentence = page.get_by_text("that is the maximum of each map, not its mean")
    page.set_viewport_size({"width": 1100, "height": 640})
    sentence.evaluate("line => line.scrollIntoView({block: 'end'})")
    picture("feedback")
