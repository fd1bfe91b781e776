"""Each kind of broken file: repaired with a sentence, or rejected with one."""

import copy
import importlib.util
import json
import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import compute_checksum

from labkit.grading.triage import MAX_CELLS, examine

spec = importlib.util.spec_from_file_location(
    "tiny_course", Path(__file__).with_name("tiny_course.py")
)
tiny = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny)

NAMES = ["about-f", "f", "test-f", "about-g", "g", "test-g", "why"]
MASTER = tiny.handed_in("pass", "pass", "*Your answer*")
INDEX = {each.id: i for i, each in enumerate(MASTER.cells)}


@pytest.fixture
def look(tmp_path):
    """Examine a notebook, a text or bytes; the file must stay as it is."""

    def look(content):
        text = json.dumps(content) if isinstance(content, nbformat.NotebookNode) else content
        raw = text if isinstance(text, bytes) else text.encode()
        (path := tmp_path / "lab.ipynb").write_bytes(raw)
        found = examine(path, MASTER)
        assert path.read_bytes() == raw
        assert (found.notebook is None) is (found.reason is not None)
        if found.notebook is not None:
            nbformat.validate(found.notebook)
            MetadataValidator().validate_nb(found.notebook)
        return found

    return look


def names(notebook):
    return [
        each.metadata.nbgrader["grade_id"] for each in notebook.cells if "nbgrader" in each.metadata
    ]


def by_name(notebook):
    return {
        each.metadata.nbgrader["grade_id"]: each
        for each in notebook.cells
        if "nbgrader" in each.metadata
    }


def assert_whole(found, book=None):
    """Every cell of the lab once, in order, as the master has it; the answers as handed in."""
    assert names(found.notebook) == NAMES
    wanted = by_name(book or tiny.handed_in())
    for name, each in by_name(found.notebook).items():
        assert each.source == wanted[name].source
        assert each.metadata.nbgrader == by_name(MASTER)[name].metadata.nbgrader


def test_an_honest_notebook_passes_unchanged(look):
    book = tiny.handed_in()
    found = look(book)
    assert (found.repairs, found.flags) == ([], [])
    assert found.notebook.cells == book.cells


@pytest.mark.parametrize(
    ("encoding", "sentence"),
    [
        ("utf-8-sig", "byte order mark"),
        ("utf-16", "saved as UTF-16;"),
        ("utf-16-le", "saved as UTF-16-LE;"),
        ("utf-32", "saved as UTF-32"),
    ],
)
def test_encodings(look, encoding, sentence):
    book = tiny.handed_in(why="Ünïcödé ∩ 🎓")
    found = look(nbformat.writes(book).encode(encoding))
    assert_whole(found, book)
    assert [sentence in repair for repair in found.repairs] == [True]


def test_half_characters_are_replaced(look):
    found = look(nbformat.writes(tiny.handed_in(why="WHY")).replace("WHY", r"\ud83d!"))
    assert by_name(found.notebook)["why"].source == "?!"
    assert found.repairs == [
        "The file held characters that do not exist; each was replaced by '?'."
    ]


def test_cell_ids_missing_or_twice(look):
    book = tiny.handed_in()
    for each in book.cells:
        del each["id"]
    book.nbformat_minor = 4
    found = look(json.dumps(book))
    assert_whole(found)
    book = tiny.handed_in()
    for each in book.cells:
        each.id = "same"
    found = look(json.dumps(book))
    assert_whole(found)
    assert len({each.id for each in found.notebook.cells}) == len(book.cells)
    assert found.repairs == []  # it is nothing to the student


def test_ids_that_are_taken(look):
    book = tiny.handed_in()
    book.cells += [new_code_cell("x", id=f"cell-{n}") for n in range(300)]
    book.cells += [new_code_cell("x", id="same") for _ in range(300)]
    found = look(book)
    assert_whole(found)
    assert len({each.id for each in found.notebook.cells}) == len(book.cells)


def test_the_kernel_is_the_labs(look):
    book = tiny.handed_in()
    del book.metadata["kernelspec"]
    found = look(book)
    assert found.notebook.metadata.kernelspec == tiny.KERNEL
    assert "did not say which kernel" in found.repairs[0]
    book.metadata["kernelspec"] = {"name": "bash", "display_name": "Mine"}
    assert look(book).notebook.metadata.kernelspec == tiny.KERNEL


def test_a_lab_without_a_kernel(tmp_path):
    """Nobody chooses then, and nobody is told anything."""
    master = copy.deepcopy(MASTER)
    del master.metadata["kernelspec"]
    (path := tmp_path / "lab.ipynb").write_text(nbformat.writes(tiny.handed_in()))
    found = examine(path, master)
    assert (found.repairs, "kernelspec" in found.notebook.metadata) == ([], False)
    (path := tmp_path / "lab.ipynb").write_text(nbformat.writes(master))
    assert examine(path, master).repairs == []


def test_the_old_format_is_upgraded(look):
    old = nbformat.convert(copy.deepcopy(tiny.handed_in()), 3)
    found = look(json.dumps(old))
    assert_whole(found)
    assert "The notebook had the old format 3; it was upgraded." in found.repairs


@pytest.mark.parametrize("version", [5, 999])
def test_a_format_of_the_future_that_is_ours_in_truth(look, version):
    found = look(json.dumps(tiny.handed_in() | {"nbformat": version}))
    assert_whole(found)
    assert f"said that it has format {version}" in found.repairs[0]


def edit(name, **metadata):
    def change(book):
        by_name(book)[name].metadata["nbgrader"].update(metadata)

    return change


def strip_all(book):
    for each in book.cells:
        each.metadata.pop("nbgrader", None)


def strip_locked_and_ids(book):
    for each in book.cells:
        if each.id.startswith(("test", "about")):
            del each.metadata["nbgrader"]
            each.id = f"x{each.id}"


def nonsense(book):
    by_name(book)["test-f"].metadata["nbgrader"] = "?"


def delete(name):
    def change(book):
        book.cells = [each for each in book.cells if each.id != name]

    return change


def move(name, to):
    def change(book):
        book.cells.insert(to, book.cells.pop(INDEX[name]))

    return change


def with_tests_on_top(book):
    book.cells.sort(key=lambda each: not each.id.startswith("test"))


def twice(name, at):
    def change(book):
        book.cells.insert(at, copy.deepcopy(book.cells[INDEX[name]]))

    return change


def rewrite(name, text):
    def change(book):
        by_name(book)[name].source = text

    return change


def raw(book):
    each = book.cells[INDEX["test-f"]]
    each.cell_type = "raw"
    del each["outputs"], each["execution_count"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (edit("test-f", points=100), "metadata of the cell 'test-f' had been changed"),
        (edit("test-f", schema_version=4), "metadata of the cell 'test-f' had been changed"),
        (edit("test-f", schema_version="3"), "metadata of the cell 'test-f' had been changed"),
        (edit("test-f", grade_id="mine"), "metadata of the cell 'test-f' had been changed"),
        (edit("test-f", solution=True), "metadata of the cell 'test-f' had been changed"),
        (edit("test-f", points="NaN", extra=1), "metadata of the cell 'test-f' had been changed"),
        (edit("g", solution=False), "metadata of the cell 'g' had been changed"),
        (edit("g", grade_id="test-f"), "metadata of the cell 'g' had been changed"),
        (nonsense, "metadata of the cell 'test-f' had been changed"),
        (strip_all, "metadata of the cell 'f' had been changed"),
        (strip_locked_and_ids, "metadata of the cell 'about-g' had been changed"),
        (delete("test-f"), "The cell 'test-f' was not in the notebook; it was put in."),
        (delete("about-f"), "The cell 'about-f' was not in the notebook; it was put in."),
        (delete("test-g"), "The cell 'test-g' was not in the notebook; it was put in."),
        (move("test-f", 1), "The cell 'test-f' had been moved; it was put back."),
        (move("test-f", 9), "The cell 'test-f' had been moved; it was put back."),
        (move("test-g", 0), "The cell 'test-g' had been moved; it was put back."),
        (move("f", 5), "The cell 'test-f' had been moved; it was put back."),
        (with_tests_on_top, "The cell 'test-g' had been moved; it was put back."),
        (twice("test-f", 0), "The cell 'test-f' was there twice; the copy was dropped."),
        (twice("test-f", 5), "The cell 'test-f' was there twice; the copy was dropped."),
        (twice("test-f", 10), "The cell 'test-f' was there twice; the copy was dropped."),
        (rewrite("test-f", "pass"), "The cell 'test-f' is not for editing"),
        (rewrite("about-f", ""), "The cell 'about-f' is not for editing"),
        (raw, "The cell 'test-f' is a code cell again."),
    ],
)
def test_cells_of_the_lab_are_put_right(look, change, sentence):
    book = tiny.handed_in()
    change(book)
    found = look(book)
    assert_whole(found)
    assert found.flags == []
    assert any(sentence in repair for repair in found.repairs), found.repairs


def test_a_test_that_is_put_back_stands_behind_the_students_helpers(look):
    book = tiny.handed_in()
    book.cells[INDEX["test-f"]] = new_code_cell("def helper(): ...", id="helper")
    ids = [each.id for each in look(book).notebook.cells]
    assert ids[3:7] == ["f", "helper", "test-f", "title-g"]


def test_an_answer_that_was_copied_stays_twice(look):
    book = tiny.handed_in()
    again = copy.deepcopy(book.cells[INDEX["f"]])
    again.source = "def f(x):\n    return 7"
    again.id = "again"
    book.cells.insert(INDEX["f"] + 1, again)
    found = look(book)
    assert_whole(found)
    assert [each.source for each in found.notebook.cells[3:5]] == [tiny.ANSWERS["f"], again.source]
    assert "The cell 'f' was there twice; the other one counts as a cell of your own." in (
        found.repairs
    )


def test_two_written_answers_are_shown_to_the_instructor(look):
    book = tiny.handed_in()
    twice("why", 10)(book)
    assert look(book).flags == ["There are two answers to 'why': please look at both."]


def test_an_edited_copy_of_a_test_stays_as_the_students_own(look):
    book = tiny.handed_in()
    again = copy.deepcopy(book.cells[INDEX["test-f"]])
    again.source, again.id = "print(f(1))", "again"
    book.cells.append(again)
    found = look(book)
    assert_whole(found)
    assert found.notebook.cells[-1].source == "print(f(1))"


def test_an_answer_cell_that_is_gone_is_not_made_up(look):
    book = tiny.handed_in()
    delete("g")(book)
    delete("why")(book)
    book.cells.append(new_code_cell("def g(x): return 2 * x", id="own"))
    found = look(book)
    assert "g" not in names(found.notebook)
    assert "No cell with the answer" in by_name(found.notebook)["why"].source
    assert [flag.split(" was")[0] for flag in found.flags] == [
        "The answer cell 'g'",
        "The answer cell 'why'",
    ]


def test_an_answer_is_never_taken_for_a_test(look):
    """Whatever its names say: the text of a test cell is replaced."""
    book = tiny.handed_in()
    book.cells[INDEX["f"]].id, book.cells[INDEX["test-f"]].id = "test-f", "f"
    found = look(book)
    assert tiny.ANSWERS["f"] in [each.source for each in found.notebook.cells]
    assert names(found.notebook) == NAMES
    assert by_name(found.notebook)["test-f"].source == "assert f(1) == 2"


def test_a_graded_cell_of_the_students_own_is_not_graded(look):
    book = tiny.handed_in()
    book.cells.append(tiny.cell("bonus", "1", grade=True, locked=True, points=100))
    found = look(book)
    assert_whole(found)
    assert "marked as graded that is no part of this lab" in found.repairs[0]


def test_outputs_are_dropped_without_a_word(look):
    book = tiny.handed_in()
    printed = {"output_type": "stream", "name": "stdout", "text": "{}[]" * 600_000}
    for outputs in ([{"output_type": "stream", "name": 3}], 7, [printed]):
        book.cells[0].outputs = outputs
        found = look(json.dumps(book))
        assert_whole(found)
        assert (found.repairs, found.notebook.cells[0].outputs) == ([], [])


def test_what_editors_add_or_damage_beside_the_cells_text_does_not_matter(look):
    book = tiny.handed_in()
    book["editor"] = book.cells[0]["language"] = "mine"
    book.cells[0]["execution_count"] = "7"
    book.metadata["widgets"] = [[{"state": {}}]] * 30_000
    book.cells[2].metadata["tags"] = ["mine"]
    assert look(book).repairs == []
    book.cells[0].metadata["tags"] = [1, 1]
    book.metadata["authors"] = "me"
    found = look(book)
    assert_whole(found)
    assert found.repairs == [
        "Metadata that grading does not need were damaged or endless; they were dropped."
    ]
    assert "tags" not in found.notebook.cells[0].metadata
    assert found.notebook.cells[2].metadata.tags == ["mine"]  # only what is damaged goes


PICTURE = {"me.png": {"image/png": "AAAA"}}


def test_an_answers_picture_is_kept_whatever_is_repaired(look):
    book = tiny.handed_in()
    why = by_name(book)["why"]
    why.source, why["attachments"] = "![me](attachment:me.png)", PICTURE
    for change in (
        lambda: None,
        lambda: why.update(cell_type="raw"),
        lambda: why.update(cell_type="code", outputs=[], execution_count=None),
        lambda: why.metadata.pop("nbgrader"),
        lambda: book.cells[0].metadata.update(tags=[1, 1]),
        lambda: book.cells[0].update(attachments={"x.png": 3}),  # a code cell can have none
        lambda: book.cells[1].update(attachments={"x.png": 3, "y.png": {"image/png": 3}}),
        lambda: why.update(attachments=PICTURE | {"x.png": None}),
        lambda: why.update(attachments={"me.png": {"image/png": ["AA", "AA"]}}),
        lambda: book.cells.insert(1, book.cells.pop(INDEX["why"])),
    ):
        change()
        found = look(json.dumps(book))
        assert by_name(found.notebook)["why"].attachments == PICTURE
        assert by_name(found.notebook)["why"].source == why.source
        assert names(found.notebook) in (NAMES, ["why", *NAMES[:-1]])


def test_a_task_that_was_moved_keeps_what_was_written_in_it(tmp_path):
    master, book = copy.deepcopy(MASTER), copy.deepcopy(tiny.handed_in())
    for lab in (master, book):
        task = {"grade_id": "draw", "grade": False, "solution": False, "locked": False}
        task |= {"task": True, "points": 2, "schema_version": 3}
        lab.cells.insert(1, new_markdown_cell("Draw it.", id="draw", metadata={"nbgrader": task}))
    moved = book.cells.pop(1)
    moved.source, moved["attachments"] = "Drawn: ![me](attachment:me.png)", PICTURE
    book.cells.append(moved)
    (path := tmp_path / "lab.ipynb").write_text(json.dumps(book))
    found = examine(path, master)
    assert found.repairs == ["The cell 'draw' had been moved; it was put back."]
    assert found.notebook.cells[1] == moved


def test_an_answer_in_a_cell_that_is_not_for_editing_is_kept_below_it(look):
    book = tiny.handed_in()
    by_name(book)["about-g"].source += "\n\nMy answer: because."
    found = look(book)
    assert_whole(found)
    assert [each.source for each in found.notebook.cells[6:8]] == [
        "Write `g`.",
        "Write `g`.\n\nMy answer: because.",
    ]
    assert found.repairs == [
        "The cell 'about-g' is not for editing; its own text was restored, and yours stands below "
        "it."
    ]


def released(book):
    """With nbgrader's checksums, as generate_assignment writes them."""
    for each in book.cells:
        if "nbgrader" in each.metadata:
            each.metadata.nbgrader["checksum"] = compute_checksum(each)
    return book


def test_what_the_instructor_has_changed_is_no_word_to_the_student(look):
    book = tiny.handed_in("pass", "pass", "*Your answer*")
    cells = by_name(book)
    cells["test-f"].source, cells["about-f"].source = "assert f(1)", "Write `f`"
    cells["test-g"].metadata.nbgrader["points"] = 1
    for each in cells.values():  # released by an older nbgrader, too
        each.metadata.nbgrader["schema_version"] = 2
        del each.metadata.nbgrader["task"]
    released(book)
    cells["g"].source = cells["why"].source = "mine"
    found = look(book)
    assert_whole(found, tiny.handed_in("pass", "mine", "mine"))
    assert (found.repairs, found.flags) == ([], [])
    cells["test-f"].source += "\nprint('mine')"
    (sentence,) = look(book).repairs
    assert sentence == "The cell 'test-f' is not for editing; its own text was restored."


def test_a_large_notebook_of_copies_takes_no_long_time(look):
    book = tiny.handed_in()
    book.cells += [copy.deepcopy(each) for each in book.cells * 100][: MAX_CELLS - len(book.cells)]
    assert_whole(look(book))


GOOD = nbformat.writes(tiny.handed_in())
CONFLICT = GOOD.replace("\n", "\n<<<<<<< HEAD\n", 1) + "\n=======\n>>>>>>> theirs\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "The file is empty"),
        (GOOD[: len(GOOD) // 2], "or only a part of one. It ends or breaks in line"),
        (CONFLICT, "conflict markers of git"),
        ("PK\x03\x04...", "zip archive"),
        (b"\x89PNG\r\n\x1a\n\xff\xff", "not text"),
        ("<html>not found</html>", "no notebook"),
        ("[1, 2]", "no notebook"),
        ("null", "no notebook"),
        ("{}", "no notebook"),
        ('{"nbformat": "4", "cells": []}', "no notebook"),
        ('{"nbformat": true, "cells": []}', "no notebook"),
        ('{"nbformat": 4}', "has no cells"),
        ('{"nbformat": 4, "cells": {}}', "has no cells"),
        ('{"nbformat": 5, "worksheets": []}', "has no cells"),
        ('{"nbformat": 4, "cells": [null]}', "Cell 1 is neither code nor text"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code", "source": 7}]}', "something else"),
        ('{"nbformat": 3, "worksheets": 7}', "old format 3 and could not be upgraded"),
        ('{"nbformat": 2}', "old format 2 and could not be upgraded"),
        ("[" * 100_000, "nested too deeply"),
        ('{"nbformat": 4, "cells": ' + "[" * 100_000, "nested too deeply"),
        ('{"nbformat": ' + "9" * 5000 + "}", "no notebook"),
        (json.dumps({"nbformat": 4, "cells": [{}] * (MAX_CELLS + 1)}), "more than 1000"),
        ('{"nbformat": 4, "cells": [' + "[]," * 1_100_000, "too large to be read"),
    ],
)
def test_what_is_no_notebook_is_rejected(look, content, sentence):
    found = look(content)
    assert found.notebook is None
    assert sentence in found.reason
    assert found.flags == ["Rejected: it counts 0 points."]


def secret(path):
    (target := path.with_name("secret.ipynb")).write_text(GOOD)
    path.symlink_to(target)


def sparse(path):
    with path.open("wb") as file:
        file.truncate(1 << 40)


def unreadable(path):
    path.write_text(GOOD)
    path.chmod(0)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (secret, "is a link to another file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a link to another file"),
        (lambda path: path.symlink_to("nowhere"), "is a link to another file"),
        (os.mkfifo, "is a device or a pipe"),
        (Path.mkdir, "is a folder"),
        (sparse, "is larger than 50 MB"),
        (unreadable, "cannot be read (Permission denied)"),
        (lambda path: None, "cannot be read (No such file or directory)"),
    ],
)
def test_what_is_no_file_is_never_opened(tmp_path, make, sentence):
    if make is unreadable and os.geteuid() == 0:
        pytest.skip("root may read everything")
    make(tmp_path / "lab.ipynb")
    found = examine(tmp_path / "lab.ipynb", MASTER)
    assert found.notebook is None
    assert sentence in found.reason


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no such device")
def test_a_device_is_never_read():
    assert "is a device or a pipe" in examine(Path("/dev/zero"), MASTER).reason


def test_the_limit_of_size_is_a_setting(tmp_path):
    (path := tmp_path / "lab.ipynb").write_text(GOOD)
    assert examine(path, MASTER, max_bytes=len(GOOD)).notebook is not None
    assert "is larger than" in examine(path, MASTER, max_bytes=len(GOOD) - 1).reason
