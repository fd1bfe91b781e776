"""Whoever follows docs/authoring.md has a lab: its blocks, assembled, released and graded."""

import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from grading.test_labs import assert_marks, packed
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labkit import checks
from labkit.grading import commands, mutants, notebooks, sample_class
from labkit.grading.lint import lint
from labkit.grading.sample_class import Student
from labkit.grading.sandbox import bubblewrap

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")
LAB = "lab8_pointing"
METADATA, MUTANTS = "metadata of the notebook", f"tests/mutants/{LAB}.py"
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
BLOCKS = re.compile(r"^\*\*`([^`\n]+)`\*\*\n\n(`{3,})(\w+)\n(.*?)\n\2$", re.MULTILINE | re.DOTALL)
CELLS = re.compile(r"^\| `([\w-]+)` \| ([\w -]+) \| ([\d.]*) ?\|$", re.MULTILINE)
TYPES = {  # what JupyterLab's "Create Assignment" writes: solution, grade, locked
    "Autograded answer": (True, False, False),
    "Autograded tests": (False, True, True),
    "Manually graded answer": (True, True, False),
    "Read-only": (False, False, True),
}


def blocks() -> dict[str, tuple[str, str]]:
    """The guide's blocks by name: language and text."""
    return {name: (language, text) for name, _, language, text in BLOCKS.findall(GUIDE)}


def assembled() -> nbformat.NotebookNode:
    """The lab as somebody would make it in JupyterLab, with the guide's table beside them."""
    named = blocks()
    cells = []
    for name, kind, points in CELLS.findall(GUIDE):
        language, text = named[name]
        make = new_code_cell if language == "python" else new_markdown_cell
        cell = make(text, id=name)
        if kind != "none":
            solution, grade, locked = TYPES[kind]
            cell.metadata["nbgrader"] = {"grade_id": name, "schema_version": 3, "task": False}
            cell.metadata["nbgrader"] |= {"solution": solution, "grade": grade, "locked": locked}
            if points:
                cell.metadata["nbgrader"]["points"] = float(points)
        if name == "look":
            cell.metadata["tags"] = ["experiment"]
        cells.append(cell)
    metadata = {"kernelspec": KERNEL, **json.loads(named[METADATA][1])}
    return new_notebook(cells=cells, metadata=metadata)


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A course folder with the guide's lab, released."""
    course = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", course)
    for path in (course / "source" / LAB, course / "tests" / "mutants"):
        path.mkdir(parents=True)
    nbformat.write(assembled(), course / "source" / LAB / f"{LAB}.ipynb")
    (course / MUTANTS).write_text(blocks()[MUTANTS][1] + "\n")
    log = course / "log.txt"
    assert commands.nbgrader(course, "generate_assignment", LAB, log=log) == 0, log.read_text()
    return course


@pytest.fixture(scope="module")
def source(course):
    return notebooks.read(course / "source" / LAB / f"{LAB}.ipynb")


@pytest.fixture(scope="module")
def release(course):
    return notebooks.read(course / "release" / LAB / f"{LAB}.ipynb")


@pytest.fixture(scope="module")
def known(course):
    return mutants.load(course, LAB)


def test_every_block_is_a_part_of_the_lab():
    cells = [name for name, _, _ in CELLS.findall(GUIDE)]
    assert sorted(blocks()) == sorted([*cells, METADATA, MUTANTS])
    assert len(set(cells)) == len(cells)


def test_lint_finds_nothing_to_mend(course):
    assert lint(course, LAB) == []


def test_the_guide_has_the_sentences_of_the_lint():
    text = (ROOT / "labkit" / "grading" / "lint.py").read_text(encoding="utf-8")
    table = GUIDE.partition("| what it says | why |")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \*? ?\| .+ \|$", table, re.MULTILINE)
    pieces = [piece.strip(" ,") for row in rows for piece in re.split("[…;]", row)]
    assert len([piece for piece in pieces if piece]) > 20
    assert [piece for piece in pieces if piece not in text] == []


def test_students_see_nothing_that_is_hidden(release):
    text = "\n".join(cell.source for cell in release.cells)
    assert "raise NotImplementedError()" in text
    assert "YOUR ANSWER HERE" in text
    assert not [word for word in ("argmax(dim", "default_rng", "Marking scheme") if word in text]


def test_every_test_cell_has_a_mutant_that_fails_it(source, known):
    killed = {cell for mutant in known.mutants.values() for cell in mutant.loses}
    assert killed == {cell.metadata.nbgrader["grade_id"] for cell in notebooks.tests(source)}


def test_the_guide_counts_its_mutants_right(known):
    invisible = sum(not mutant.visible for mutant in known.mutants.values())
    assert (len(known.mutants), invisible) == (7, 6)
    assert "(Lab 8 has seven and six," in GUIDE


def test_what_students_see_fails_where_the_guide_says_so(source, release, known):
    answers = notebooks.solutions(source)
    for mutant in (known.mutants | known.alternatives).values():
        seen = sentences(notebooks.submission(release, mutant.apply(answers)))
        assert bool(seen) is mutant.visible, f"{mutant.name}: {seen}"
    swapped = known.mutants["column-before-row"].apply(answers)
    (sentence,) = sentences(notebooks.submission(release, swapped))
    assert sentence == "the values of places are wrong: the row comes first, then the column"


def sentences(book: nbformat.NotebookNode) -> list[str]:
    """What the checks say to a student who runs the notebook."""
    names: dict[str, object] = {}
    found = []
    for cell in book.cells:
        if cell.cell_type == "code" and "experiment" not in cell.metadata.get("tags", []):
            try:
                exec(cell.source, names)
            except checks.CheckFailed as failed:
                found.append(str(failed))
    return found


@pytest.mark.slow
def test_grading_gives_each_submission_exactly_its_marks(course, source, release, known):
    """The sample class, every mutant and every alternative, with judge and sandbox."""
    answers = notebooks.solutions(source)
    members = [m for m in sample_class.students(course, LAB) if m.name not in known.mutants]
    by_name = {student.name: student for student in members}
    full = by_name["reference"].expected
    assert sum(full.values()) == notebooks.automatic_points(source) == 3
    assert sum(by_name["blank"].expected.values()) == 0
    assert sum(by_name["half-done"].expected.values()) == 1.5
    for number, together in enumerate(packed(known)):
        changed, expected = answers, dict(full)
        for mutant in together:
            changed = mutant.apply(changed)
            expected |= {cell: full[cell] - lost for cell, lost in mutant.loses.items()}
        book = notebooks.submission(release, changed)
        members.append(Student(f"pack-{number}", nbformat.writes(book), expected))
    for student in members:
        folder = course / "submitted" / student.name / LAB
        folder.mkdir(parents=True)
        (folder / f"{LAB}.ipynb").write_text(student.text, encoding="utf-8")
    commands.nbgrader(course, "autograde", LAB, *bubblewrap.options(), log=course / "log.txt")
    assert_marks(course, LAB, members)
    graded = notebooks.read(course / "autograded" / "reference" / LAB / f"{LAB}.ipynb")
    errors = [
        output
        for cell in graded.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert errors == []
