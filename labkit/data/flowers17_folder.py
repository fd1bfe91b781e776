"""The 17 Category Flower Dataset on disk: found, checked and split; and its augmented copy.

jpg/image_0001.jpg      and so on without a gap, equally many a class, the classes in order
datasplits.mat          trn1 val1 tst1, and the same for 2 and 3: numbers of images, from 1

auged/image_0001_0.jpg  instead of jpg/ in a stored augmented set: the image itself is copy 0,
                        copies 1 to 9 are turned, shifted and mirrored
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.io import loadmat, savemat

from labkit.data.reading import check_folder, opened_picture
from labkit.errors import InputError

CLASSES = (
    "daffodil",
    "snowdrop",
    "lily of the valley",
    "bluebell",
    "crocus",
    "iris",
    "tiger lily",
    "tulip",
    "fritillary",
    "sunflower",
    "daisy",
    "coltsfoot",
    "dandelion",
    "cowslip",
    "buttercup",
    "windflower",
    "pansy",
)
SPLITS: Mapping[str, str] = {"train": "trn", "validation": "val", "test": "tst"}
PARTITIONS = (1, 2, 3)
_ORIGINAL = re.compile(r"image_([0-9]{4})\.jpg")
_COPY = re.compile(r"image_([0-9]{4})_([0-9])\.jpg")


class Entry(NamedTuple):
    """One picture: its file and its label."""

    file: Path
    label: int


def read_split(root: Path, split: str, partition: int) -> list[Entry]:
    """The pictures of one split, the classes in turn; of a stored set all copies to train on.

    Validation and test use the pictures themselves, never an augmented copy.

    Raises:
        InputError: the folder, a picture or the splits are missing or do not belong together.
    """
    check_folder(root)
    copies = _files(root)
    numbers = read_numbers(root, partition, len(copies))[split]
    per_class = len(copies) // len(CLASSES)
    chosen = [
        (copy, Entry(file, (number - 1) // per_class))
        for number in numbers
        for copy, file in enumerate(copies[number - 1])
        if split == "train" or copy == 0
    ]
    return _in_turn([entry for _, entry in sorted(chosen, key=lambda pair: pair[0])])


def _in_turn(entries: Sequence[Entry]) -> list[Entry]:
    """One of each class, then the next of each: a list that is cut short still has them all."""
    seen = dict.fromkeys(range(len(CLASSES)), 0)
    ranks = []
    for entry in entries:
        ranks.append(seen[entry.label])
        seen[entry.label] += 1
    order = sorted(range(len(entries)), key=lambda i: (ranks[i], entries[i].label))
    return [entries[i] for i in order]


def is_stored(root: Path) -> bool:
    """Whether a folder is an augmented copy of the data set."""
    return (root / "auged").is_dir()


def _files(root: Path) -> list[list[Path]]:
    """For each image, from the first on, its file; or its copies, in order."""
    folder, pattern = root / "jpg", _ORIGINAL
    if is_stored(root):
        folder, pattern = root / "auged", _COPY
    found: dict[int, dict[int, Path]] = {}
    for file in sorted(folder.glob("*.jpg")):
        if match := pattern.fullmatch(file.name):
            number, *copy = map(int, match.groups())
            found.setdefault(number, {})[copy[0] if copy else 0] = file
    if not found:
        raise InputError(
            f"{root} holds no pictures jpg/image_0001.jpg and so on: expected the 17 Category "
            "Flower Dataset, or take root='builtin'"
        )
    n, copies = max(found), max(len(of_image) for of_image in found.values())
    for number in range(1, n + 1):
        missing = set(range(copies)) - set(found.get(number, {}))
        if missing:
            suffix = f"_{min(missing)}" if is_stored(root) else ""
            raise InputError(f"there is no {folder / f'image_{number:04d}{suffix}.jpg'}")
    if n % len(CLASSES):
        raise InputError(
            f"{folder} holds {n} pictures, expected equally many of {len(CLASSES)} classes "
            "(1,360 in the data set): is the folder complete?"
        )
    return [[found[number][copy] for copy in range(copies)] for number in range(1, n + 1)]


def read_numbers(root: Path, partition: int, n: int) -> dict[str, list[int]]:
    """The numbers of the images of each split, from 1.

    Args:
        root: the folder with `datasplits.mat`.
        partition: 1, 2 or 3.
        n: how many images there are.

    Raises:
        InputError: there is no such partition, or the file is missing, is damaged, names images
            that are not there, or one in two splits.
    """
    if partition not in PARTITIONS:
        raise InputError(f"partition={partition!r}, expected 1, 2 or 3")
    path = root / "datasplits.mat"
    names = {split: f"{prefix}{partition}" for split, prefix in SPLITS.items()}
    if not path.is_file():
        raise InputError(f"there is no {path}: fetch it beside the pictures")
    try:
        content = loadmat(path, variable_names=list(names.values()))
    except Exception as error:  # SciPy's reader of damaged files fails in every possible way
        raise InputError(f"{path} cannot be read as a MATLAB file: {error}") from error
    numbers = {}
    taken: dict[int, str] = {}
    for split, name in names.items():
        if name not in content:
            raise InputError(f"{path} has no list {name}")
        listed = np.ravel(content[name])
        numeric = listed.size and listed.dtype.kind in "iuf" and np.isfinite(listed).all()
        if not numeric or (listed % 1).any():
            raise InputError(f"{path}, {name}: expected a list of whole numbers, of images")
        numbers[split] = [int(number) for number in listed]
        for number in numbers[split]:
            if not 1 <= number <= n:
                raise InputError(f"{path}, {name}: image {number}, expected 1 to {n}")
            if number in taken:
                raise InputError(f"{path}: image {number} is in {taken[number]} and in {name}")
            taken[number] = name
    return numbers


def read_picture(file: Path) -> NDArray[np.uint8]:
    """A picture uint8 [H,W,3].

    Raises:
        InputError: the file cannot be read.
    """
    with opened_picture(file) as picture:
        return np.asarray(picture.convert("RGB"))


def write_picture(picture: NDArray[np.uint8], file: Path) -> None:
    """Write uint8 [H,W,3] as a JPEG of high quality."""
    Image.fromarray(picture).save(file, quality=95, subsampling=0)


def write_numbers(root: Path, numbers: Mapping[str, Sequence[int]]) -> None:
    """Write `datasplits.mat`, with the same split for all three partitions."""
    lists = {
        f"{prefix}{partition}": np.array([numbers[split]])
        for split, prefix in SPLITS.items()
        for partition in PARTITIONS
    }
    savemat(root / "datasplits.mat", lists)
