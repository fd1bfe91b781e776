"""A submission comes through triage whole, or with the reason why it does not."""

import importlib.util
import json
import os
from pathlib import Path

import nbformat
import pytest
from fuzz.inputs import ODD_TEXT, altered, assert_sentence, damaged, folder, json_files, within
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import is_grade, is_locked, is_solution

from labkit.grading.files import Refused, copy_extras, read_regular
from labkit.grading.notebooks import grade_id, read
from labkit.grading.triage import examine

# Damaged input may make other libraries warn; what counts is what comes of it.
pytestmark = pytest.mark.filterwarnings("ignore")

TESTS = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("tiny_course", TESTS / "grading" / "tiny_course.py")
tiny = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny)

TINY = tiny.handed_in("pass", "pass", "*Your answer*")
REAL = read(TESTS.parent / "release" / "lab3_fcn" / "lab3_fcn.ipynb")
FIXED = {
    id(master): {grade_id(c) for c in master.cells if grade_id(c) and not is_solution(c)}
    for master in (TINY, REAL)
}


def look(content, master):
    """Triage of a file: its form is right, whatever the file holds."""
    with folder() as place:
        (path := place / "lab.ipynb").write_bytes(content)
        with within(30):
            found = examine(path, master)
        assert path.read_bytes() == content
    for sentence in [*found.repairs, *found.flags, *filter(None, [found.reason])]:
        assert_sentence(sentence)
    assert (found.notebook is None) is (found.reason is not None)
    if found.notebook is not None:
        assert_lab(found.notebook, master)
    return found


def assert_lab(notebook, master):
    """nbgrader can read it, and each fixed cell is there once with the master's text."""
    text = nbformat.writes(notebook).encode()
    again = nbformat.reads(text.decode(), as_version=4)
    nbformat.validate(again)
    MetadataValidator().validate_nb(again)
    of_master = {grade_id(cell): cell for cell in master.cells if grade_id(cell)}
    names = [grade_id(cell) for cell in again.cells if grade_id(cell)]
    assert len(names) == len(set(names)) and set(names) <= of_master.keys()
    assert_order(names, master)
    for cell in filter(grade_id, again.cells):
        wanted = of_master[grade_id(cell)]
        assert cell.metadata.nbgrader == wanted.metadata.nbgrader
        if is_locked(wanted):
            assert cell.source == wanted.source


def assert_order(names, master):
    """As the lab has it, unless answers are in another; never a test before its answer."""
    place = {name: number for number, name in enumerate(names)}
    fixed = [grade_id(c) for c in master.cells if grade_id(c) in FIXED[id(master)]]
    assert set(fixed) <= place.keys()
    given = [place[grade_id(c)] for c in master.cells if is_solution(c) and grade_id(c) in place]
    if given == sorted(given):
        assert [name for name in names if name in fixed] == fixed
    answer = None
    for cell in master.cells:
        if is_solution(cell):
            answer = grade_id(cell) if cell.cell_type == "code" else answer
        elif is_grade(cell) and answer in place:
            assert place[answer] < place[grade_id(cell)]


def answers(content, master):
    """What a student wrote into cells that do not claim to be fixed ones of the lab."""
    fixed_ids = {cell.id for cell in master.cells if grade_id(cell) in FIXED[id(master)]}
    for cell in json.loads(content)["cells"]:
        source = cell.get("source", "")
        name = cell["metadata"] if isinstance(cell.get("metadata"), dict) else {}
        name = name["nbgrader"] if isinstance(name.get("nbgrader"), dict) else {}
        name = name.get("grade_id")
        known = isinstance(name, str) and name in FIXED[id(master)]
        here = cell.get("id")
        if not known and not (isinstance(here, str) and here in fixed_ids):
            text = source if isinstance(source, str) else "".join(source)
            yield text.encode("utf-8", "replace").decode()


def assert_nothing_lost(found, content, master):
    there = [cell.source.strip() for cell in found.notebook.cells]
    for text in answers(content, master):
        assert text.strip() in there


@given(st.data())
def test_a_small_notebook(data):
    tree = data.draw(altered(json.loads(json.dumps(tiny.handed_in())), 6))
    content = json.dumps(tree).encode()
    found = look(content, TINY)
    if found.notebook is not None and tree["nbformat"] >= 4:
        assert_nothing_lost(found, content, TINY)


@given(st.data())
def test_cells_in_any_order_any_number(data):
    book = json.loads(json.dumps(tiny.handed_in()))
    book["cells"] = data.draw(st.lists(st.sampled_from(book["cells"]), max_size=12))
    book = data.draw(altered(book, 2)) if data.draw(st.booleans()) else book
    content = json.dumps(book).encode()
    found = look(content, TINY)
    if found.notebook is not None and book["nbformat"] >= 4:
        assert_nothing_lost(found, content, TINY)


@given(json_files(json.loads(json.dumps(REAL))))
def test_a_real_lab(content):
    look(content, REAL)


@given(st.sampled_from([1, 2, 3, "4"]), st.data())
def test_an_old_format(version, data):
    book = json.loads(json.dumps(tiny.handed_in()))
    cells = [{**cell, "input": cell["source"], "language": "python"} for cell in book["cells"]]
    old = {"nbformat": version, "nbformat_minor": 0, "metadata": {}}
    old |= {"worksheets": [{"cells": cells}], "cells": cells}
    look(json.dumps(data.draw(altered(old))).encode(), TINY)


@given(
    st.binary(max_size=200)
    | damaged(json.dumps(tiny.handed_in()).encode())
    | st.sampled_from(
        [json.dumps(tiny.handed_in()).encode(e) for e in ("utf-16", "utf-32")]
    ).flatmap(damaged)
    | st.sampled_from([text.encode("utf-8", "replace") for text in ODD_TEXT])
)
def test_any_bytes(content):
    look(content, TINY)


NAMES = st.binary(min_size=1, max_size=40).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


@given(
    st.dictionaries(NAMES | st.just(b"lab.ipynb"), st.binary(max_size=50), max_size=6),
    st.sets(NAMES, max_size=3),
    st.integers(0, 40),
)
def test_files_beside_the_notebook(files, links, limit):
    with folder() as place:
        (source := place / "in").mkdir()
        (target := place / "out").mkdir()
        for number, (name, content) in enumerate(files.items()):
            below = source / f"d{number}" if number % 3 == 1 else source
            below.mkdir(exist_ok=True)
            (below / os.fsdecode(name)).write_bytes(content)
        for name in links:
            if not os.path.lexists(path := source / os.fsdecode(name)):
                path.symlink_to("/etc/passwd")
        with within():
            copied = copy_extras(source, target, limit)
        left = [p for p in source.rglob("*") if p.is_symlink() or p.is_file()]
        left = [p for p in left if not p.name.lower().endswith((".ipynb", ".ipynb_checkpoints"))]
        there = [path for path in target.rglob("*") if path.is_file()]
        assert len(there) + len(copied.left_out) == len(left)  # each is copied, or said to be not
        for path in there:
            assert not path.is_symlink()
            assert path.read_bytes() == (source / path.relative_to(target)).read_bytes()
            assert path.stat().st_size <= limit
        for sentence in copied.left_out:
            assert_sentence(sentence)


@given(st.binary(max_size=60), st.integers(0, 60))
def test_a_file_is_read_whole_or_refused(content, limit):
    with folder() as place:
        (path := place / "x").write_bytes(content)
        try:
            assert read_regular(path, limit) == content and len(content) <= limit
        except Refused as refusal:
            assert_sentence(str(refusal))
            assert len(content) > limit
