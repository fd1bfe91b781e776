"""A bad folder is refused before any work, with the file and the line."""

import re

import numpy as np
import pytest
from PIL import Image

from labkit.data import CamSeg, cam_seg_folder
from labkit.data.cam_seg_folder import LabelledPictures, write_folder
from labkit.errors import InputError

PICTURE = np.full((4, 4, 3), 50, np.uint8)
MASK = np.eye(4, dtype=bool)


@pytest.fixture
def folder(tmp_path):
    ten = LabelledPictures([PICTURE] * 10, range(10))
    classes = cam_seg_folder.CLASSES
    sources = dict.fromkeys(classes, (PICTURE, MASK))
    write_folder(tmp_path / "set", classes, {"train": ten, "test": ten}, sources)
    return tmp_path / "set"


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("00000.png 1\n00001.png\n", r"train_cls.txt, line 2: '00001.png' has 1 fields"),
        ("00000.png 1 2\n", r"train_cls.txt, line 1: .* has 3 fields, expected 'name label'"),
        ("00000.png cat\n", r"line 1: label 'cat', expected a whole number from 0 to 9"),
        ("00000.png 1.0\n", r"line 1: label '1.0', expected"),
        ("00000.png 10\n", r"line 1: label '10', expected"),
        ("00000.png -1\n", r"line 1: label '-1', expected"),
        ("\n00000.png 1\n00000.png 1\n", r"line 3: 00000.png is listed before, in line 2"),
        ("00000.png 1\nlost.png 1\n", r"line 2: lost.png is not in .*train"),
        ("", r"train_cls.txt is empty"),
        (" \n\n", r"train_cls.txt is empty"),
    ],
)
def test_a_bad_index_names_its_line(folder, index, message):
    (folder / "train_cls.txt").write_text(index)
    with pytest.raises(InputError, match=message):
        CamSeg(folder)


def test_an_index_that_is_no_text(folder):
    (folder / "train_cls.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"train_cls\.txt is not UTF-8 text"):
        CamSeg(folder)


def test_missing_parts_are_named(folder):
    with pytest.raises(InputError, match=r"there is no folder .*nowhere"):
        CamSeg(folder / "nowhere")
    (folder / "test_cls.txt").unlink()
    with pytest.raises(InputError, match=r"test_cls\.txt is missing"):
        CamSeg(folder, "test")
    (folder / "train").rename(folder / "training")
    with pytest.raises(InputError, match=r"train is missing: the folder must hold train/ and"):
        CamSeg(folder)


def test_an_unreadable_picture_is_found_at_once_with_its_line(folder):
    (folder / "train" / "00004.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"train_cls\.txt, line 5: .*00004\.png is no picture"):
        CamSeg(folder)


def test_names_of_classes_come_from_their_file(folder):
    path = folder / "classes.txt"
    path.write_text(path.read_text().replace("3 cat", "3 lap_cat domestic"))
    assert CamSeg(folder).classes[3] == "lap cat"
    path.unlink()
    assert CamSeg(folder).classes == cam_seg_folder.CLASSES


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("3 cat", "cat", r"classes.txt, line 4: 'cat', expected '3 CLASS'"),
        ("3 cat", "4 cat", r"line 4: '4 cat', expected '3 CLASS'"),
        ("9 truck\n", "", r"names 9 classes, expected 10"),
        ("9 truck", "9 car", r"names 9 classes, expected 10"),
        ("9 truck\n", "9 truck\n10 car\n", r"has 11 lines, expected one for each class"),
        ("3 cat", "3 ../../cat", r"line 4: '\.\./\.\./cat', expected the name of a class in at"),
        ("3 cat", f"3 {'cat' * 100}", r"expected the name of a class in at most 60 letters"),
    ],
)
def test_bad_names_of_classes(folder, old, new, message):
    path = folder / "classes.txt"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=message):
        CamSeg(folder)


def test_masks_may_be_absent_until_they_are_asked_for(folder):
    (folder / "test_seg" / "frog.png").unlink()
    data = CamSeg(folder, "test")
    with pytest.raises(InputError, match=r"test_seg.frog\.png is missing: put one test picture"):
        data.sources()


def test_a_mask_has_the_size_of_its_picture(folder):
    Image.new("L", (5, 4)).save(folder / "test_seg" / "car.png")
    with pytest.raises(InputError, match=r"car\.png is \(4, 5\), expected \(4, 4\)"):
        CamSeg(folder, "test").sources()


def test_writing_leaves_what_exists_alone(folder):
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(InputError, match=r"exists already and is left as it is"):
        write_folder(folder, cam_seg_folder.CLASSES, {})
    with pytest.raises(InputError, match=re.escape(f"no folder {folder / 'a'} to make b in")):
        write_folder(folder / "a" / "b", cam_seg_folder.CLASSES, {})
    assert sorted(folder.parent.rglob("*")) == before


def test_writing_that_fails_leaves_nothing(tmp_path):
    bad = LabelledPictures([PICTURE, "no picture"], [0, 1])
    with pytest.raises(AttributeError):
        write_folder(tmp_path / "set", cam_seg_folder.CLASSES, {"train": bad})
    assert list(tmp_path.iterdir()) == []


def test_a_byte_order_mark_is_no_part_of_a_name(folder):
    for name in ("train_cls.txt", "classes.txt"):
        (folder / name).write_text((folder / name).read_text(), encoding="utf-8-sig")
    assert len(CamSeg(folder)) and CamSeg(folder).classes[0] == "plane"


def test_a_line_without_end_is_not_quoted_whole(folder):
    (folder / "train_cls.txt").write_text("x" * 10**6)
    with pytest.raises(InputError, match="line 1") as refusal:
        CamSeg(folder)
    assert len(str(refusal.value)) < 1500


def test_a_root_that_no_folder_can_be(folder):
    with pytest.raises(InputError, match="there is no folder"):
        CamSeg("x" * 5000)
