"""Facades with a label for every pixel: built in, or the CMP Facade Database in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from labkit.data import facade_folder
from labkit.data.builtin import facade as builtin
from labkit.data.builtin.facade_parts import CLASSES
from labkit.data.cam_seg import normalize
from labkit.errors import InputError
from labkit.fcn_shapes import next_that_works

IGNORED = -1  # the label of pixels that take no part: what padding added

Sample = tuple[NDArray[np.uint8], NDArray[np.int64]]


class Facade(Dataset[tuple[Tensor, Tensor]]):
    """House fronts with labels of twelve classes, for training on every pixel.

    An item is `(image, labels)`: float32 [3,H,W], normalised by ImageNet's means and standard
    deviations, and int64 [H,W] with 0 to 11, or -1 where padding was added.

    Args:
        root: "builtin" draws 280 + 40 + 80 facades of 192x192 on the spot; any other value is a
            folder in the layout of the CMP Facade Database (`labkit.data.facade_folder`).
        split: "train", "validation" or "test".
        size: side of the square images in pixels, or (height, width); None keeps each picture's
            own size, so that only batches of one can be made of them.
        fit: how a picture comes to its size. "resize" stretches it (bilinear; labels nearest);
            "pad" keeps its pixels and adds black ones, labelled -1, at the right and below, up to
            `size`, or without one up to the next sides that FCN-32s takes.
        partition: how a folder is split. "fair" draws 70, 10 and 20 percent by `seed`; "sorted"
            is document 003's, 500, 30 and the rest in order of the names, which leaves nothing but
            "extended" pictures for validation and test. The built-in set has splits of its own.
        seed: of the fair partition.
        count: how many pictures, the first ones; None for all.

    Raises:
        InputError: an argument, or anything in the folder, cannot be used; names the file.

    Attributes:
        classes: the twelve class names in the order of the labels.
        names: of the pictures.

    Source: Tyleček and Šára, "Spatial Pattern Templates for Recognition of Objects with Regular
    Structure", GCPR 2013.
    """

    classes: tuple[str, ...] = CLASSES
    names: tuple[str, ...]

    def __init__(
        self,
        root: str | Path = "builtin",
        split: Literal["train", "validation", "test"] = "train",
        size: int | tuple[int, int] | None = None,
        *,
        fit: Literal["resize", "pad"] = "resize",
        partition: Literal["fair", "sorted"] = "fair",
        seed: int = 0,
        count: int | None = None,
    ) -> None:
        _check(split, size, fit, partition, count)
        self._size = (size, size) if isinstance(size, int) else size
        self._fit = fit
        self._kept: dict[int, Sample] = {}
        self._scenes: builtin.Scenes | None = None
        self._files: list[Path] = []
        if root == "builtin":
            if partition != "fair":
                raise InputError(
                    "the built-in set has splits of its own, expected partition='fair'"
                )
            self._scenes = builtin.scenes(split, count)
            self.names = tuple(f"{split}-{i:03d}" for i in range(len(self._scenes.pictures)))
        else:
            files = facade_folder.read_index(Path(root))
            self._files = facade_folder.part(files, split, partition, seed)[:count]
            self.names = tuple(file.stem for file in self._files)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        picture, labels = self._sample(i)
        return normalize(picture), torch.from_numpy(labels.copy())

    def picture(self, i: int) -> NDArray[np.uint8]:
        """Picture i for display, uint8 [H,W,3], as large as its item."""
        return self._sample(i)[0].copy()

    def labels(self, i: int) -> NDArray[np.int64]:
        """The labels of picture i, int64 [H,W], as large as its item."""
        return self._sample(i)[1].copy()

    def _sample(self, i: int) -> Sample:
        """Picture and labels at their size; kept, unless they are large and on disk anyway."""
        if i not in self._kept:
            sample = self._fitted(*self._read(range(len(self))[i]))
            if self._files and self._size is None:
                return sample
            self._kept[i] = sample
        return self._kept[i]

    def _read(self, i: int) -> Sample:
        if self._scenes is None:
            return facade_folder.read_sample(self._files[i])
        return self._scenes.pictures[i], self._scenes.labels[i].astype(np.int64)

    def _fitted(self, picture: NDArray[np.uint8], labels: NDArray[np.int64]) -> Sample:
        height, width = picture.shape[:2]
        if self._fit == "pad":
            wanted = self._size or (next_that_works(height), next_that_works(width))
            return _padded(picture, labels, wanted)
        if self._size is None or self._size == (height, width):
            return picture, labels
        across = self._size[::-1]  # Pillow takes (width, height)
        smaller = Image.fromarray(picture).resize(across, Image.Resampling.BILINEAR)
        nearest = Image.fromarray(labels.astype(np.uint8)).resize(across, Image.Resampling.NEAREST)
        return np.asarray(smaller), np.asarray(nearest).astype(np.int64)


def _padded(picture: NDArray[np.uint8], labels: NDArray[np.int64], size: tuple[int, int]) -> Sample:
    height, width = picture.shape[:2]
    below, right = size[0] - height, size[1] - width
    if below < 0 or right < 0:
        raise InputError(
            f"a picture of {height}x{width} pixels cannot be padded to {size[0]}x{size[1]}: give a "
            "larger size, or fit='resize'"
        )
    return (
        np.pad(picture, ((0, below), (0, right), (0, 0))),
        np.pad(labels, ((0, below), (0, right)), constant_values=IGNORED),
    )


def _check(
    split: str, size: int | tuple[int, int] | None, fit: str, partition: str, count: int | None
) -> None:
    for name, value, choices in (
        ("split", split, ("train", "validation", "test")),
        ("fit", fit, ("resize", "pad")),
        ("partition", partition, ("fair", "sorted")),
    ):
        if value not in choices:
            raise InputError(f"{name}={value!r}, expected one of {', '.join(choices)}")
    sides = size if isinstance(size, tuple) else (1 if size is None else size,)
    for name, given, numbers in (("size", size, sides), ("count", count, (count or 1,))):
        if not all(isinstance(n, int) and n >= 1 for n in numbers) or given == 0:
            raise InputError(f"{name}={given!r}, expected whole numbers from 1, or None")
