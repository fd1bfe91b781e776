"""A course's own names and orders of folders hold for every command."""

import sys
from pathlib import Path

import nbformat
import pytest
from grading import tiny_course
from typer.testing import CliRunner

from labkit.cli import app
from labkit.errors import InputError
from labkit.grading.course import CONFIG, Folders, stand_in

STRUCTURES = [
    "{nbgrader_step}/{student_id}/{assignment_id}",
    "{assignment_id}/{nbgrader_step}/{student_id}",
    "class/{nbgrader_step}/{assignment_id}/{student_id}",
]


def write(course: Path, settings: dict[str, str]) -> None:
    lines = [f"c.CourseDirectory.{name} = {value!r}\n" for name, value in settings.items()]
    (course / CONFIG).write_text(f"c = get_config()\n{''.join(lines)}")


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("root", ["", "[all] the: files"])
def test_names_and_order_of_folders(tmp_path, structure, root):
    settings = {
        "directory_structure": structure,
        "source_directory": "teacher",
        "release_directory": "out",
        "submitted_directory": "in",
        "autograded_directory": "done",
        "feedback_directory": "back",
    }
    write(tmp_path, settings | {"root": str(tmp_path / root)})
    folders = Folders.of(tmp_path)

    def named(step: str, student: str) -> Path:
        names = {"nbgrader_step": step, "student_id": student, "assignment_id": "lab"}
        return tmp_path / root / structure.format(**names)

    assert folders.source("lab") == named("teacher", ".")
    assert folders.release("lab") == named("out", ".")
    assert folders.submitted("ada", "lab") == named("in", "ada")
    assert folders.autograded("ada", "lab") == named("done", "ada")
    assert folders.feedback("ada", "lab") == named("back", "ada")
    assert folders.gradebook() == tmp_path / root / "gradebook.db"
    assert folders.labs() == []
    assert folders.handed_in("lab") == {}
    named("teacher", ".").mkdir(parents=True)
    nbformat.write(tiny_course.source(), named("teacher", ".") / "lab.ipynb")
    named("in", "ad[a] é").mkdir(parents=True)
    assert folders.labs() == ["lab"]
    assert folders.existing_source("lab") == named("teacher", ".")
    assert folders.handed_in("lab") == {"ad[a] é": named("in", "ad[a] é")}


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("sqlite:///marks.db", "marks.db"),
        ("sqlite:////srv/marks.db", "/srv/marks.db"),
        ("postgresql+psycopg://ada:secret@db/course", None),
    ],
)
def test_the_gradebooks_file(tmp_path, address, file):
    write(tmp_path, {"db_url": address})
    assert Folders.of(tmp_path).gradebook() == (file and tmp_path / file)


@pytest.mark.parametrize("name", ["a%20b", "what?"])
def test_folders_whose_name_leads_the_gradebook_elsewhere(tmp_path, name):
    (course := tmp_path / name).mkdir()
    with pytest.raises(InputError, match=r"can keep no gradebook in .*: rename that folder"):
        Folders.of(course).gradebook()
    (fine := tmp_path / "50% k u'r\"s é:#").mkdir()
    assert Folders.of(fine).gradebook() == fine / "gradebook.db"


def test_an_address_that_is_none(tmp_path):
    write(tmp_path, {"db_url": "marks.db"})
    with pytest.raises(InputError, match=r"db_url is no address of a database"):
        Folders.of(tmp_path).gradebook()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("c = get_config()\nc.X = nosuch\n", r"nbgrader_config\.py, line 2: NameError: .*nosuch"),
        ("c = get_config(\n", r"nbgrader_config\.py, line 1: SyntaxError: '\(' was never closed"),
        ("c = get_config()\nc.CourseDirectory.root = 3\n", "refuses the configuration"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_no_reason_to_take_another_course(
    tmp_path, text, sentence
):
    (tmp_path / CONFIG).write_text(text)
    with pytest.raises(InputError, match=sentence):
        Folders.of(tmp_path)


def test_what_python_finds_stays_as_it_was(tmp_path):
    before = sys.path[:]
    Folders.of(tmp_path)
    assert sys.path == before


@pytest.mark.parametrize("source", ["teacher", "/elsewhere/source", "../source"])
def test_nothing_of_a_stand_in_leads_out_of_it(tmp_path, source):
    (course := tmp_path / "course").mkdir()
    (copy := tmp_path / "copy").mkdir()
    outside = {f"{step}_directory": f"/elsewhere/{step}" for step in ("release", "submitted")}
    write(course, outside | {"root": "/elsewhere", "source_directory": source, "course_id": "one"})
    folders = stand_in(course, copy)
    moved = copy.rename(tmp_path / "moved")
    for found, root in ((folders, copy), (Folders.of(moved), moved)):
        name = "teacher" if source == "teacher" else "source"
        assert found.source("lab") == root / name / "lab"
        assert found.release("lab") == root / "release" / "lab"
        assert found.submitted("ada", "lab") == root / "submitted" / "ada" / "lab"
        assert found.gradebook() == root / "gradebook.db"
        assert found.directory.course_id == "one"


def test_lint_looks_where_the_course_has_its_labs(tmp_path):
    write(tmp_path, {"source_directory": "teacher", "release_directory": "out"})
    for step in ("teacher", "out"):
        (tmp_path / step / "tiny").mkdir(parents=True)
        nbformat.write(tiny_course.source(), tmp_path / step / "tiny" / "tiny.ipynb")
    done = CliRunner().invoke(app, ["lint", "tiny", "--course", str(tmp_path)])
    assert done.exit_code == 1, done.output
    assert "a hidden line is released" in done.output or "delimiter is released" in done.output
