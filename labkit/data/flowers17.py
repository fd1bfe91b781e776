"""Seventeen kinds of flowers: built in, or the 17 Category Flower Dataset in a folder."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from labkit.data import flowers17_folder
from labkit.data.builtin import flowers17 as builtin
from labkit.data.cam_seg import normalize
from labkit.data.cam_seg_folder import check_absent
from labkit.errors import InputError

_KEPT = 512 * 1024**2  # bytes of pictures that are kept in memory rather than read again


class Flowers17(Dataset[tuple[Tensor, int]]):
    """Pictures of seventeen kinds of flowers for training on labels alone.

    An item is `(image, label)`: float32 [3,H,W], normalised by ImageNet's means and standard
    deviations, and an int from 0 to 16. The classes come in turn.

    Args:
        root: "builtin" draws 680 + 340 + 340 flowers of 96x96 on the spot, with masks; any other
            value is a folder in the layout that `labkit.data.flowers17_folder` describes. In one
            that `labkit.data.store_augmented` made, "train" holds all copies of its pictures.
        split: "train", "validation" or "test".
        size: side of the square images in pixels, to which pictures are stretched as document 001
            does; None keeps each picture's own size.
        partition: which of the data set's three splits; the built-in set has one.
        count: how many pictures, the first ones; None for all.

    Raises:
        InputError: an argument, or anything in the folder, cannot be used; names the file.

    Attributes:
        classes: the seventeen names in the order of the labels.
        labels: int64 [n].

    Source: Nilsback and Zisserman, "A Visual Vocabulary for Flower Classification", CVPR 2006.
    """

    classes: tuple[str, ...]
    labels: Tensor

    def __init__(
        self,
        root: str | Path = "builtin",
        split: Literal["train", "validation", "test"] = "train",
        size: int | None = None,
        *,
        partition: int = 1,
        count: int | None = None,
    ) -> None:
        if split not in flowers17_folder.SPLITS:
            known = ", ".join(flowers17_folder.SPLITS)
            raise InputError(f"split={split!r}, expected one of {known}")
        for name, value in (("size", size), ("count", count)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise InputError(f"{name}={value!r}, expected a whole number from 1, or None")
        self._size = size
        self._kept: dict[int, NDArray[np.uint8]] = {}
        self._files: list[Path] = []
        self._scenes: builtin.Scenes | None = None
        # Weak supervision: training pictures have labels and nothing else.
        self._has_masks = root == "builtin" and split != "train"
        if root == "builtin":
            self._scenes = builtin.scenes(split, count)
            self.classes = builtin.CLASSES
            self.labels = torch.tensor(self._scenes.labels)
        else:
            entries = flowers17_folder.read_split(Path(root), split, partition)[:count]
            self.classes = flowers17_folder.CLASSES
            self._files = [entry.file for entry in entries]
            self.labels = torch.tensor([entry.label for entry in entries], dtype=torch.long)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        return normalize(self._picture(i)), int(self.labels[i])

    def prepare(self, picture: NDArray[np.uint8]) -> Tensor:
        """Any picture uint8 [H,W,3] as an image for the network, as the items are: [3,H,W]."""
        return normalize(resized(picture, self._size))

    def picture(self, i: int) -> NDArray[np.uint8]:
        """Picture i for display, uint8 [H,W,3], as large as its item."""
        return self._picture(i).copy()

    def mask(self, i: int) -> NDArray[np.bool_] | None:
        """Where the flower of picture i is, bool [H,W], as large as its item; None if not known.

        Known for built-in pictures of validation and test.
        """
        if not self._has_masks or self._scenes is None:
            return None
        mask = 255 * self._scenes.masks[range(len(self))[i]].astype(np.uint8)
        return resized(mask, self._size) > 127

    def _picture(self, i: int) -> NDArray[np.uint8]:
        i = range(len(self))[i]
        if i in self._kept:
            return self._kept[i]
        if self._scenes is None:
            whole = flowers17_folder.read_picture(self._files[i])
        else:
            whole = self._scenes.pictures[i]
        picture = resized(whole, self._size)
        if self._size is not None and 3 * self._size**2 * len(self) <= _KEPT:
            self._kept[i] = picture
        return picture


def resized(pixels: NDArray[np.uint8], size: int | None) -> NDArray[np.uint8]:
    """A picture or mask stretched to a square, bilinearly, antialiased; unchanged for None."""
    if size is None or pixels.shape[:2] == (size, size):
        return pixels
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))


def other_flowers(count: int, size: int | None = None) -> tuple[Tensor, Tensor]:
    """Drawn flowers of thirteen other kinds, to train a feature extractor on: not the task's own.

    Returns:
        Images [count,3,H,W], normalised as those of `Flowers17`, and labels int64 [count].
    """
    scenes = builtin.other_kinds(count)
    images = [normalize(resized(picture, size)) for picture in scenes.pictures]
    return torch.stack(images), torch.tensor(scenes.labels)


def write_builtin(to: str | Path) -> None:
    """Write the built-in set as a folder in the data set's layout, 80 JPEG pictures a class.

    Raises:
        InputError: `to` exists already or its parent does not.
    """
    to = Path(to)
    check_absent(to)
    numbers: dict[str, list[int]] = {split: [] for split in builtin.COUNT}
    number = 0
    with tempfile.TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent) as scratch:
        draft = Path(scratch) / "flowers17"
        (draft / "jpg").mkdir(parents=True)
        for label in range(len(builtin.CLASSES)):
            for split in builtin.COUNT:
                scenes = builtin.scenes(split)
                for picture in scenes.pictures[scenes.labels == label]:
                    number += 1
                    numbers[split].append(number)
                    file = draft / "jpg" / f"image_{number:04d}.jpg"
                    flowers17_folder.write_picture(picture, file)
        flowers17_folder.write_numbers(draft, numbers)
        shutil.move(draft, to)
