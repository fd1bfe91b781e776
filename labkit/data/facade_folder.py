"""The CMP Facade Database on disk: found, checked and split.

base/cmp_b0001.jpg      the photograph
base/cmp_b0001.png      its labels: a palette picture whose indices are 1 to 12
extended/cmp_x0001.jpg  and so on; this folder may be missing
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from labkit.data.builtin.facade_parts import CLASSES
from labkit.data.reading import check_folder, opened_picture
from labkit.errors import InputError

FOLDERS = ("base", "extended")
SORTED = {"train": (0, 500), "validation": (500, 530), "test": (530, None)}  # document 003's


def read_index(root: Path) -> list[Path]:
    """The photographs of both folders, `base` first, each in order of the names.

    Every one has labels of its size, so that none is found missing later.

    Raises:
        InputError: there is no such folder or no photograph in it, or one has no labels, labels of
            another size, or labels that are no palette picture.
    """
    check_folder(root)
    files = [file for folder in FOLDERS for file in sorted((root / folder).glob("*.jpg"))]
    if not files:
        raise InputError(
            f"{root} holds no photographs base/*.jpg: expected the CMP Facade Database, or take "
            "root='builtin'"
        )
    for file in files:
        _check(file)
    return files


def _check(photograph: Path) -> None:
    labels = photograph.with_suffix(".png")
    if not labels.is_file():
        raise InputError(f"{photograph} has no labels {labels.name} beside it")
    with opened_picture(photograph) as picture, opened_picture(labels) as indices:
        if indices.mode not in ("P", "L"):
            raise InputError(
                f"{labels} is {indices.mode}, expected a palette picture whose indices are the "
                "labels: a copy in colours does not hold them any more"
            )
        if picture.size != indices.size:
            raise InputError(
                f"{photograph} is {picture.size[1]}x{picture.size[0]} pixels and {labels.name} "
                f"{indices.size[1]}x{indices.size[0]}, expected the same size"
            )


def part(
    files: Sequence[Path], split: str, partition: Literal["fair", "sorted"], seed: int
) -> list[Path]:
    """The files of one split, in order of the names.

    Args:
        files: all of them, `base` before `extended`.
        split: "train", "validation" or "test".
        partition: "fair", 70, 10 and 20 percent by a seeded draw, or "sorted", document 003's.
        seed: of the fair draw.

    Raises:
        InputError: there are too few files.
    """
    if partition == "sorted":
        if len(files) <= SORTED["test"][0]:
            raise InputError(
                f"{len(files)} photographs cannot be split by 003's positions, which take more "
                f"than {SORTED['test'][0]}: fetch the extended set too, or take partition='fair'"
            )
        start, end = SORTED[split]
        return list(files[start:end])
    n = len(files)
    cuts = {"train": (0, n * 7 // 10), "validation": (n * 7 // 10, n * 8 // 10)}
    start, end = cuts.get(split, (n * 8 // 10, n))
    if start == end:
        raise InputError(f"{n} photographs leave none for {split}, expected at least 10")
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    return [files[i] for i in sorted(order[start:end])]


def read_sample(photograph: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """A photograph uint8 [H,W,3] and its labels int64 [H,W], counted from 0.

    Raises:
        InputError: a file cannot be read, or an index is none of 1 to 12.
    """
    path = photograph.with_suffix(".png")
    with opened_picture(photograph) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    with opened_picture(path) as indices:
        labels = np.asarray(indices)
    if labels.min() < 1 or labels.max() > len(CLASSES):
        wrong = labels.min() if labels.min() < 1 else labels.max()
        raise InputError(f"{path} holds the index {wrong}, expected 1 to {len(CLASSES)}")
    return pixels, labels.astype(np.int64) - 1
