"""The CAM/SEG lab's layout on disk: read with every check beforehand, written in one step.

    train/ test/                 the pictures
    train_cls.txt test_cls.txt   lines "name label", the label counted from 0
    test_seg_source/CLASS.png    one test picture a class (optional)
    test_seg/CLASS.png           its mask: above 127 is foreground (optional)
    classes.txt                  lines "label CLASS", more words are ignored (optional)

A class name of several words has underscores in files ("ringed_disc") and blanks elsewhere.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from labkit.data.photos import load_picture
from labkit.data.reading import check_folder, read_lines
from labkit.errors import InputError

Split = Literal["train", "test"]
Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Sources = OrderedDict[str, tuple[Picture, Mask]]

CLASSES = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_FILE_NAME = re.compile(r"[\w-][\w.-]{0,59}")  # not every disk takes much longer ones
_LABELS = frozenset(str(label) for label in range(len(CLASSES)))


class LabelledPictures(NamedTuple):
    """Pictures, each uint8 [H,W,3], and their labels, counted from 0."""

    pictures: Sequence[Picture]
    labels: Sequence[int]


def read_classes(folder: Path) -> tuple[str, ...]:
    """The ten class names of `classes.txt`, or the documents' own where there is no such file.

    Raises:
        InputError: a line is not "label CLASS" with the labels 0 to 9 in order.
    """
    path = folder / "classes.txt"
    if not path.is_file():
        return CLASSES
    lines = [line.split() for line in read_lines(path)]
    for number, fields in enumerate(lines):
        if len(fields) < 2 or fields[0] != str(number):
            raise InputError(
                f"{path}, line {number + 1}: {' '.join(fields)!r}, expected '{number} CLASS'"
            )
        if not _FILE_NAME.fullmatch(fields[1]):
            raise InputError(
                f"{path}, line {number + 1}: {fields[1]!r}, expected the name of a class in "
                "at most 60 letters, digits and . _ -, since files are named after it"
            )
    names = tuple(fields[1].replace("_", " ") for fields in lines)
    if len(set(names)) != len(CLASSES):
        raise InputError(f"{path} names {len(set(names))} classes, expected {len(CLASSES)}")
    if len(names) != len(CLASSES):
        raise InputError(f"{path} has {len(names)} lines, expected one for each class")
    return names


def read_split(folder: Path, split: Split, count: int | None = None) -> LabelledPictures:
    """The first `count` pictures of a split in the order of its index; None for all of them.

    Every one is read, so none fails later.

    Raises:
        InputError: the folder or its index is missing, a line of the index is wrong, or a picture
            is missing or unreadable; the message names the file and the line.
    """
    pictures_folder, index = folder / split, folder / f"{split}_cls.txt"
    check_folder(folder)
    for path, found in ((pictures_folder, pictures_folder.is_dir()), (index, index.is_file())):
        if not found:
            raise InputError(
                f"{path} is missing: the folder must hold {split}/ and {split}_cls.txt"
            )
    entries = _read_index(index, pictures_folder)[:count]

    def read(number_and_name: tuple[int, str]) -> Picture:
        number, name = number_and_name
        try:
            return load_picture(pictures_folder / name)
        except InputError as error:
            raise InputError(f"{index}, line {number}: {error}") from error

    with ThreadPoolExecutor() as pool:  # decoding lets go of Python's lock
        pictures = list(pool.map(read, [(number, name) for number, name, _ in entries]))
    return LabelledPictures(pictures, [label for _, _, label in entries])


def _read_index(index: Path, pictures_folder: Path) -> list[tuple[int, str, int]]:
    """Line number, picture name and label of each line that is not blank."""
    present = {path.name for path in pictures_folder.iterdir()}  # one look, not one a picture
    entries: list[tuple[int, str, int]] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(read_lines(index), 1):
        fields = line.split()
        if not fields:
            continue
        where = f"{index}, line {number}"
        if len(fields) != 2:
            raise InputError(f"{where}: {line!r} has {len(fields)} fields, expected 'name label'")
        name, label = fields
        if label not in _LABELS:
            raise InputError(f"{where}: label {label!r}, expected a whole number from 0 to 9")
        if name in seen:
            raise InputError(f"{where}: {name} is listed before, in line {seen[name]}")
        if name not in present:
            raise InputError(f"{where}: {name} is not in {pictures_folder}")
        seen[name] = number
        entries.append((number, name, int(label)))
    if not entries:
        raise InputError(f"{index} is empty, expected lines 'name label'")
    return entries


def read_sources(folder: Path, classes: Sequence[str]) -> Sources:
    """The chosen test picture of each class with its mask.

    Raises:
        InputError: a picture or mask is missing or unreadable, or the sizes of the two differ.
    """
    sources: Sources = OrderedDict()
    for name in classes:
        file = f"{name.replace(' ', '_')}.png"
        for path in (folder / "test_seg_source" / file, folder / "test_seg" / file):
            if not path.is_file():
                raise InputError(
                    f"{path} is missing: put one test picture a class into test_seg_source/ and "
                    "its mask into test_seg/, or use root='builtin', which has masks"
                )
        picture = load_picture(folder / "test_seg_source" / file)
        mask = load_picture(folder / "test_seg" / file).max(axis=2) > 127
        if picture.shape[:2] != mask.shape:
            raise InputError(
                f"{folder / 'test_seg' / file} is {mask.shape}, expected {picture.shape[:2]} "
                "(height, width), the size of its picture in test_seg_source/"
            )
        sources[name] = picture, mask
    return sources


def write_folder(
    to: str | Path,
    classes: Sequence[str],
    splits: Mapping[Split, LabelledPictures],
    sources: Sources | None = None,
) -> None:
    """Write a set in this layout. Either the whole folder appears or nothing does.

    Args:
        to: the folder to make; its parent must exist.
        classes: ten class names.
        splits: the pictures and labels of "train" and "test".
        sources: one picture and mask a class, by name.

    Raises:
        InputError: `to` exists already or its parent does not.
    """
    with _appearing(Path(to)) as folder:
        names = [name.replace(" ", "_") for name in classes]
        index = "".join(f"{label} {name}\n" for label, name in enumerate(names))
        (folder / "classes.txt").write_text(index, encoding="utf-8")
        for split, (pictures, labels) in splits.items():
            (folder / split).mkdir()
            files = [f"{number:05d}.png" for number in range(len(pictures))]
            for file, picture in zip(files, pictures, strict=True):
                _write_png(folder / split / file, picture)
            index = "".join(f"{f} {label}\n" for f, label in zip(files, labels, strict=True))
            (folder / f"{split}_cls.txt").write_text(index, encoding="utf-8")
        if sources is not None:
            for part in ("test_seg_source", "test_seg"):
                (folder / part).mkdir()
            for name, (picture, mask) in sources.items():
                file = f"{name.replace(' ', '_')}.png"
                _write_png(folder / "test_seg_source" / file, picture)
                _write_png(folder / "test_seg" / file, mask.astype(np.uint8) * 255)


def check_absent(to: Path) -> None:
    """Refuse a target that is there already, or whose parent is not.

    Raises:
        InputError: one of the two holds.
    """
    if to.exists():
        raise InputError(f"{to} exists already and is left as it is: choose another folder")
    if not to.absolute().parent.is_dir():
        raise InputError(f"there is no folder {to.absolute().parent} to make {to.name} in")


@contextmanager
def _appearing(to: Path) -> Iterator[Path]:
    """A folder beside `to` that is renamed to it at the end, or removed after an error."""
    check_absent(to)
    made = Path(tempfile.mkdtemp(prefix=f".{to.name}-", dir=to.absolute().parent))
    try:
        made.chmod(0o755)  # a temporary folder is the user's alone; data may be shared
        yield made
        made.rename(to)
    except BaseException:
        shutil.rmtree(made)
        raise


def _write_png(path: Path, array: NDArray[np.uint8]) -> None:
    # Level 1 is many times quicker than the default and costs a tenth in size.
    Image.fromarray(array).save(path, compress_level=1)
