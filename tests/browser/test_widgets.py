"""Each widget in JupyterLab: a slider moves, and the picture follows."""

import pytest
from browser.notebook import Notebook, move_slider
from browser.sliders import WIDGETS

expect = pytest.importorskip("playwright.sync_api", reason="Playwright is missing").expect
pytestmark = pytest.mark.slow


def test_pictures_follow_their_sliders(student, page, picture):
    book = Notebook(page, student, "sliders.ipynb")
    book.run_all()
    assert book.errors() == []
    for name in WIDGETS:
        caption = book.cell(name).locator(".widget-html").last
        before = caption.inner_text()
        move_slider(book, name)
        if name != "class":  # whose slider is how strongly the map is laid over
            expect(caption).not_to_have_text(before)
        picture(f"slider_{name}")
    assert book.errors() == []
    page.keyboard.press("Control+s")
    assert "Traceback" not in student.log.read_text()
    book.end()
