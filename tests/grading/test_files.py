"""What is copied of the files beside a notebook."""

import os
import shutil
from pathlib import PurePath

import pytest

from labkit.grading import files
from labkit.grading.files import MAX_DEPTH, Refused, copy_extras, put, read_regular


def test_regular_files_are_copied_and_links_are_not(tmp_path):
    (source := tmp_path / "in").mkdir()
    (target := tmp_path / "out").mkdir()
    (source / "data").mkdir()
    (source / "data" / "mine.txt").write_text("42")
    (source / "lab.ipynb").write_text("examined elsewhere")
    (source / "large.bin").write_bytes(b"x" * 2000)
    (source / "link.txt").symlink_to("/etc/passwd")
    (source / "folder").symlink_to("/etc")
    copied = copy_extras(source, target, limit=1000)
    assert [p.relative_to(target).as_posix() for p in sorted(target.rglob("*"))] == [
        "data",
        "data/mine.txt",
    ]
    assert copied.left_out == [
        "The file 'folder' was left out: it is a link to another file, not a file.",
        "The file 'large.bin' was left out: it is larger than 0.001 MB.",
        "The file 'link.txt' was left out: it is a link to another file, not a file.",
    ]


def test_the_digest_tells_contents_and_names_apart(tmp_path):
    digests = set()
    for name, text in [("a", "1"), ("a", "2"), ("b", "1"), ("a", "1")]:
        shutil.rmtree(tmp_path / "in", ignore_errors=True)
        (tmp_path / "in").mkdir()
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text(text)
        digests.add(copy_extras(tmp_path / "in", tmp_path / "out", 1000).digest)
    assert len(digests) == 3


def test_folders_without_end_are_not_walked(tmp_path):
    (target := tmp_path / "out").mkdir()
    (source := tmp_path / "in").mkdir()
    (source / "mine.txt").write_text("42")
    here = os.open(source, os.O_RDONLY)
    for _ in range(1500):  # longer than any path may be
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    (why,) = copy_extras(source, target, limit=1000).left_out
    assert why.endswith("was left out: it is a folder, not a file.")
    assert [p.name for p in target.iterdir()] == ["mine.txt"]
    assert why.count("d/") >= MAX_DEPTH
    os.system(f"rm -rf {source}/d")  # shutil.rmtree would recurse too deeply


def test_a_file_that_cannot_be_read_is_refused_in_words(tmp_path):
    with pytest.raises(Refused, match="cannot be read"):
        read_regular(tmp_path / "nowhere", 10)
    with pytest.raises(Refused, match="is a folder"):
        read_regular(tmp_path, 10)


def test_a_folder_that_cannot_be_opened_is_named(tmp_path, monkeypatch):
    (target := tmp_path / "out").mkdir()
    (source := tmp_path / "in").mkdir()
    (source / "closed").mkdir()
    (source / "mine.txt").write_text("42")
    look = os.scandir

    def closed(path):  # as for anybody but root
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", closed)
    copied = copy_extras(source, target, limit=1000)
    assert copied.left_out == ["The file 'closed' was left out: it is a folder, not a file."]
    assert [path.name for path in target.iterdir()] == ["mine.txt"]


def test_names_that_the_labs_own_files_need(tmp_path):
    """nbgrader puts them into the same folder, and would stop where one is in the way."""
    (target := tmp_path / "out").mkdir()
    (source := tmp_path / "in").mkdir()
    taken = frozenset(map(PurePath, ("data/a.csv", "helper.py", "timestamp.txt", "notes.txt")))
    for folder in ("helper.py", "timestamp.txt", "mine"):
        (source / folder).mkdir()
        (source / folder / "x").write_text("in a folder")
    for name in ("data", "notes.txt"):
        (source / name).write_text("a file")
    left_out = copy_extras(source, target, 1000, taken=taken).left_out
    assert left_out == [
        f"The file '{name}' was left out: it has a name that the lab's own files need."
        for name in ("data", "helper.py/x", "timestamp.txt/x")
    ]
    assert [p.relative_to(target).as_posix() for p in sorted(target.rglob("*"))] == [
        "mine",
        "mine/x",
        "notes.txt",  # in whose place the lab's will lie, as with nbgrader alone
    ]


def test_what_nbgrader_ignores_is_passed_over(tmp_path):
    (target := tmp_path / "out").mkdir()
    for folder in ("__pycache__", ".ipynb_checkpoints", "feedback", "mine"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        (tmp_path / "in" / folder / "x").write_text("x")
    (tmp_path / "in" / ".hidden").write_text("x")
    ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*dden", ""]
    assert copy_extras(tmp_path / "in", target, 1000, ignore).left_out == []
    assert sorted(path.name for path in target.iterdir()) == [".hidden", "mine"]


def test_files_are_put_in_the_place_of_what_lies_there(tmp_path):
    for name in ("in/a/b", "in/c", "out/a", "out/c/d", "out/e"):
        (path := tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        path.chmod(0o444)
    put(tmp_path / "in", tmp_path / "out")
    there = {
        str(p.relative_to(tmp_path)): p.read_text() for p in tmp_path.rglob("*") if p.is_file()
    }
    assert there == {
        "in/a/b": "in/a/b",
        "in/c": "in/c",
        "out/a/b": "in/a/b",
        "out/c": "in/c",
        "out/e": "out/e",
    }


@pytest.mark.parametrize("make", [lambda path: path.write_text(""), lambda path: path.mkdir()])
def test_names_without_end(tmp_path, monkeypatch, make):
    monkeypatch.setattr(files, "MAX_NAMES", 100)
    (target := tmp_path / "out").mkdir()
    (tmp_path / "in" / "many").mkdir(parents=True)
    (tmp_path / "in" / "first").write_text("42")
    for number in range(100):
        make(tmp_path / "in" / "many" / f"{number}")
    copied = copy_extras(tmp_path / "in", target, 1000)
    assert copied.left_out == ["There are more than 100 names beside the notebook: please look."]
    assert [path.name for path in target.iterdir()] == ["first"]
    assert len(files.names(tmp_path / "in" / "many")) == 100
