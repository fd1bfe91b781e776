"""Pages and notebooks: links lead somewhere, pictures are there and described, names exist."""

import json
import re
from importlib import import_module
from itertools import count
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "tests" / "hostile" / "README.md"]
PAGES += [ROOT / "labkit" / "bundle_guide.md", *sorted((ROOT / "docs").glob("*.md"))]
NOTEBOOKS = sorted([*ROOT.glob("source/*/*.ipynb"), *ROOT.glob("notebooks/*.ipynb")])
RESULTS = ROOT / "docs" / "results.md"
FENCES = re.compile(r"^(`{3,}|~{3,}).*?^\1\s*$", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`[^`\n]*`")
LINKS = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")
HEADINGS = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@pytest.fixture(params=PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def page(request) -> Path:
    return request.param


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def notebook(request) -> Path:
    return request.param


def prose(page: Path) -> str:
    """A page, or the text cells of a notebook, without blocks of code."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells)
    return FENCES.sub("", text)


def links(page: Path) -> list[tuple[bool, str, str]]:
    """Every link and picture: is it a picture, its text, where it leads."""
    found = LINKS.findall(INLINE_CODE.sub("`code`", prose(page)))
    return [(mark == "!", text, target) for mark, text, target in found]


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives the headings of a page."""
    names: set[str] = set()
    for heading in HEADINGS.findall(prose(page)):
        text = LINKS.sub(r"\2", heading).replace("`", "").strip().lower()
        name = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        tries = (name if n == 0 else f"{name}-{n}" for n in count())
        names.add(next(one for one in tries if one not in names))
    return names


def test_there_are_links_and_pictures_to_check():
    every = [link for page in PAGES for link in links(page)]
    assert len(every) > 50
    assert sum(is_picture for is_picture, _, _ in every) >= 8


def check_links(page: Path) -> None:
    """Every link within the repository leads to a file, or to a heading of it."""
    for _, text, target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        assert to.exists(), f"[{text}]({target})"
        assert to.is_relative_to(ROOT), f"[{text}]({target}) leads out of the repository"
        if anchor:
            assert anchor in anchors(to), f"[{text}]({target}): {to.name} has no such heading"


def check_pictures(page: Path) -> None:
    assert [target for is_picture, text, target in links(page) if is_picture and not text] == []
    assert "<img" not in prose(page)


def test_every_relative_link_leads_to_a_file_of_the_repository(page):
    check_links(page)


def test_every_picture_has_a_text_alternative(page):
    check_pictures(page)


def test_links_and_pictures_of_notebooks(notebook):
    check_links(notebook)
    check_pictures(notebook)


def test_every_walkthrough_has_described_its_picture_for_the_gallery_or_the_results_have_one():
    results = {
        number
        for number, rest in re.findall(
            r"^## Lab (\d)(.*?)(?=^## |\Z)", RESULTS.read_text(), re.MULTILINE | re.DOTALL
        )
        if "](pictures/" in rest
    }
    for path in ROOT.glob("notebooks/*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        described = [c for c in cells if "image" in c["metadata"].get("mystnb", {})]
        assert described or path.name[1] in results, path.name
        for cell in described:
            assert len(cell["metadata"]["mystnb"]["image"]["alt"]) > 20
            assert any("image/png" in output.get("data", {}) for output in cell["outputs"])


def test_every_picture_of_the_docs_is_shown_somewhere():
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for image, _, target in links(page)
        if image
    }
    assert {*(ROOT / "docs" / "pictures").iterdir()} <= shown


def test_names_of_labkit_in_the_method_notes_exist():
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`(labkit(?:\.\w+)+)`", text))
    assert len(names) > 25
    for name in names:
        module, _, attribute = name.rpartition(".")
        try:
            import_module(name)
        except ModuleNotFoundError:
            assert hasattr(import_module(module), attribute), name


def test_anchors_are_those_of_github(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# What, and `why`?\n## Twice\n```\n# no heading\n```\n## Twice\n## [a](b) - c\n"
    )
    assert anchors(page) == {"what-and-why", "twice", "twice-1", "a---c"}
