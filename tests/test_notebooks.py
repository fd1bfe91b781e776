"""Walkthroughs: executed, small, linked with their lab, and without its answers."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from labkit.grading import notebooks

ROOT = Path(__file__).parents[1]
WALKTHROUGHS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=WALKTHROUGHS, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


def lab_of(path: Path) -> str:
    """01_cam belongs to lab1_cam."""
    number, name = path.stem.split("_", 1)
    return f"lab{int(number)}_{name}"


def test_every_lab_has_a_walkthrough():
    labs = {folder.name for folder in (ROOT / "source").iterdir()}
    assert {lab_of(path) for path in WALKTHROUGHS} == labs


def test_it_is_committed_executed_and_small(path):
    cells = [c for c in notebooks.read(path).cells if c.cell_type == "code"]
    assert [c.execution_count for c in cells] == list(range(1, len(cells) + 1))
    assert not [o for c in cells for o in c.outputs if o.output_type == "error"]
    assert path.stat().st_size < 2_000_000


def test_it_begins_with_a_link_to_its_lab(path):
    lab = f"release/{lab_of(path)}/{lab_of(path)}.ipynb"
    assert f"](../{lab})" in notebooks.read(path).cells[0].source
    assert (ROOT / lab).is_file()


def test_it_contains_no_answer_of_its_lab(path):
    lab = lab_of(path)
    source = notebooks.read(ROOT / "source" / lab / f"{lab}.ipynb")
    release = notebooks.read(ROOT / "release" / lab / f"{lab}.ipynb")
    shown = {line.strip() for cell in release.cells for line in cell.source.split("\n")}
    answers = {
        line.strip()
        for text in notebooks.solutions(source).values()
        for line in text.split("\n")
        if len(line.strip()) >= 20
    } - shown
    assert answers
    text = {line.strip() for cell in notebooks.read(path).cells for line in cell.source.split("\n")}
    assert not answers & text


@pytest.mark.slow
def test_it_runs_from_top_to_bottom(path, monkeypatch):
    monkeypatch.setenv("LABKIT_PRESET", "grade")
    book = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(book, timeout=300, kernel_name="python3", resources=resources).execute()
