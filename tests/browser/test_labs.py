"""The labs as students get them, in JupyterLab."""

import shutil

import pytest
from browser.notebook import Notebook, move_slider
from browser.places import LABS, ROOT

from labkit.grading import notebooks

expect = pytest.importorskip("playwright.sync_api", reason="Playwright is missing").expect
pytestmark = pytest.mark.slow

RIGHT = "return CamOutput(net.classifier(pooled), features, pooled)"
WRONG = "return CamOutput(net.classifier(pooled), features, net.gap(features))"
SENTENCE = "the shape of pooled is [2,5,1,1], expected [2,5]: drop the two ones"


def answers(lab: str) -> dict[str, str]:
    return dict(notebooks.solutions(notebooks.read(ROOT / "source" / lab / f"{lab}.ipynb")))


# In the others the same cells are locked by the same metadata, which is looked at in all of them.
TYPED_INTO = ("lab1_cam", "lab5_layercam")


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_opens_whole(lab, student, page, picture):
    book = Notebook(page, student, f"release/{lab}/{lab}.ipynb")
    cells = book.cells()
    assert book.errors() == []
    shown = page.locator(".jp-Notebook").inner_text()
    assert "BEGIN SOLUTION" not in shown and "HIDDEN TESTS" not in shown
    # What is between dollars is set as a formula, and no formula is in error.
    formulas = page.locator(".jp-Notebook mjx-container")
    assert formulas.count() >= 5
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
    for text in page.locator(".jp-Notebook .jp-RenderedMarkdown").all_inner_texts():
        assert "$" not in text and "\\frac" not in text
    # Hints are folded, and open with a click.
    hints = page.locator(".jp-Notebook details")
    source = "".join(cell["source"] for cell in cells if cell["kind"] == "markdown")
    assert hints.count() == source.count("<details>") > 0
    assert not hints.evaluate_all("all => all.some(hint => hint.open)")
    hints.first.locator("summary").click()
    assert hints.first.locator("p").first.is_visible()
    picture(f"opened_{lab}")
    locked = {
        cell["name"]: page.locator(".jp-Notebook .jp-Cell").nth(index)
        for index, cell in enumerate(cells)
        if cell["metadata"].get("editable") is False
    }
    release = notebooks.read(book.path)
    wanted = {cell.metadata.nbgrader.grade_id for cell in release.cells if is_locked(cell)}
    assert set(locked) == wanted and len(locked) > 10
    if lab in TYPED_INTO:
        assert_locked(book, cells, locked)
    book.end()


def assert_locked(book: Notebook, cells: list, locked: dict) -> None:
    """Neither typing nor deleting changes a locked cell; one that is to be filled takes text."""
    page = book.page
    for cell in locked.values():
        cell.scroll_into_view_if_needed()
        if cell.locator(".jp-RenderedMarkdown").is_visible():
            cell.locator(".jp-RenderedMarkdown").dblclick()
        else:
            cell.locator(".cm-content").click()
        page.keyboard.insert_text("typed")
        page.keyboard.press("Backspace")
        page.keyboard.press("Escape")
        page.keyboard.press("d")
        page.keyboard.press("d")
    assert [(cell["id"], cell["source"]) for cell in book.cells()] == [
        (cell["id"], cell["source"]) for cell in cells
    ]
    open_cell = next(cell["name"] for cell in cells if cell["name"] in answers(book.path.stem))
    book.type_into(open_cell, "typed")
    assert book.source(open_cell) == "typed"
    # The same keys do delete a cell that may be deleted.
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.keyboard.press("d")
    assert len(book.cells()) == len(cells) - 1


def is_locked(cell) -> bool:
    return cell.metadata.get("nbgrader", {}).get("locked", False)


def test_a_student_fills_in_a_lab(student, page, picture):
    lab = "lab1_cam"
    folder = student.folder / "filled"
    shutil.copytree(ROOT / "release" / lab, folder)
    book = Notebook(page, student, f"filled/{lab}.ipynb")
    texts = answers(lab)
    right = texts.pop("forward")
    assert RIGHT in right
    book.fill(texts)

    book.type_into("forward", right.replace(RIGHT, WRONG))
    book.run_all()
    assert book.errors() == [f"CheckFailed: {SENTENCE}"]
    output = book.cell("test-forward").locator(".jp-OutputArea")
    output.scroll_into_view_if_needed()
    expect(output).to_have_text(f"Not yet: {SENTENCE}")
    end = output.bounding_box()
    picture("check", x=0, y=0, width=1280, height=end["y"] + end["height"] + 14)

    book.type_into("forward", right)
    book.run_all()
    assert book.errors() == []
    cells = {cell["name"]: cell for cell in book.cells() if cell["name"]}
    tests = [name for name in cells if name.startswith("test-")]
    assert len(tests) == 8
    assert all(cells[name]["count"] and not cells[name]["outputs"] for name in tests)
    for name in ("data", "maps", "run-cross-validation"):
        image = book.cell(name).locator(".jp-OutputArea img")
        image.scroll_into_view_if_needed()
        assert image.evaluate("image => image.naturalWidth") > 300
    book.cell("maps").scroll_into_view_if_needed()
    picture("maps")

    move_slider(book, "threshold")

    assert book.validate() == "Success! Your notebook passes all the tests."
    picture("validated")


def test_validate_on_a_blank_lab(student, page, picture):
    """It says of each check that something is to be written, and nothing that is hidden."""
    lab = "lab1_cam"
    folder = student.folder / "blank"
    shutil.copytree(ROOT / "release" / lab, folder)
    book = Notebook(page, student, f"blank/{lab}.ipynb")
    said = book.validate()
    assert said.count("The following cell failed:") == 10
    assert said.count("raise NotImplementedError()\n") == 8
    assert said.count("YOUR ANSWER HERE\nYou did not provide a response.") == 2
    assert "changed" not in said
    picture("validated_blank")
