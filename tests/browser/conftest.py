"""A browser and JupyterLab servers for these tests, and pictures of what they see.

`pytest tests/browser --screenshots DIR` keeps the pictures; the documentation has three of them:
check.png, marking.png and feedback.png.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from browser.hostile import LAB, hostile_member
from browser.places import ROOT
from browser.serving import Server, jupyterlab
from browser.sliders import sliders

from labkit.grading import commands, sample_class
from labkit.grading.sandbox import bubblewrap

TIMEOUT = 120_000  # milliseconds; what is waited for takes some seconds on a free machine
# nbgrader's pages set formulas with MathJax, which they take from the network, or go without.
EXPECTED = (
    "asked for https://cdnjs.cloudflare.com/ajax/libs/mathjax/",
    "error: MathJax is not defined",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", type=Path, help="a folder for pictures of what tests see")


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium, driven by Playwright."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is in the extra `test`"
    )
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is missing: sudo apt-get install chromium")
    sync_api.expect.set_options(timeout=TIMEOUT)
    with sync_api.sync_playwright() as play:
        try:
            made = play.chromium.launch(
                executable_path=path, args=["--no-sandbox", "--disable-gpu"]
            )
        except sync_api.Error as error:  # Ubuntu's program asks for a snap package
            pytest.skip(f"{path} does not start: {error.message.splitlines()[0]}")
        yield made
        made.close()


@pytest.fixture(scope="session")
def student(chromium, tmp_path_factory) -> Iterator[Server]:
    """JupyterLab in a student's folder: the labs, and a notebook with every widget."""
    home = tmp_path_factory.mktemp("student")
    folder = home / "course"
    shutil.copytree(ROOT / "release", folder / "release")
    nbformat.write(sliders(), folder / "sliders.ipynb")
    with jupyterlab(folder, home / "jupyter") as server:
        yield server


@pytest.fixture(scope="session")
def instructor(chromium, tmp_path_factory) -> Iterator[Server]:
    """JupyterLab in a course folder: lab 1 is released, and one student has handed it in."""
    if reason := bubblewrap.why_not():
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("instructor")
    course = home / "course"
    sample_class.write_course(ROOT, course, {LAB: [hostile_member()]})
    log = home / "nbgrader.log"
    assert commands.nbgrader(course, "generate_assignment", LAB, log=log) == 0, log.read_text()
    with jupyterlab(course, home / "jupyter") as server:
        yield server


@pytest.fixture
def page(chromium):
    """An empty page without a network; nothing in it may fail, or ask for what is not here."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(TIMEOUT)
    problems: list[str] = []

    def elsewhere(route) -> None:
        problems.append(f"asked for {route.request.url}")
        route.abort()

    here = ("http://127.0.0.1:", "file:", "data:", "blob:")
    context.route(lambda url: not url.startswith(here), elsewhere)
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    yield page
    context.close()
    assert [problem for problem in problems if not problem.startswith(EXPECTED)] == []


@pytest.fixture
def picture(page, request, tmp_path) -> Callable[..., Path]:
    """`picture(name)` keeps what the page shows; `clip` says which part of it."""
    folder = request.config.getoption("--screenshots", default=None)

    def take(name: str, **clip: float) -> Path:
        path = tmp_path / f"{name}.png"
        page.screenshot(path=path, animations="disabled", clip=clip or None)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder)
        return path

    return take
