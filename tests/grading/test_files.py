"""What is copied of the files beside a notebook."""

import os
import shutil
import time

import pytest

from labkit.grading.files import MAX_DEPTH, Refused, copy_extras, read_regular
from labkit.grading.submission import holds_time


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


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        *[("2024-01-31 23:59:59 UTC", True), ("2024-01-31T12:00:00+02:00", True), ("", True)],
        *[("tea time", False), ("1" * 10**8, False), ("2024-01-31 10:00 +99999999999", False)],
        ("2024-01-31 10:00 \u00fc", False),
    ],
)
def test_a_time_that_nbgrader_can_read(tmp_path, text, holds):
    (path := tmp_path / "timestamp.txt").write_text(text, encoding="utf-8")
    began = time.monotonic()
    assert holds_time(path) is holds
    assert time.monotonic() - began < 5


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
