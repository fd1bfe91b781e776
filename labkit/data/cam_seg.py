"""The data of the CAM and SEG labs: built in, or a folder in the documents' layout."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from labkit.data import cam_seg_folder
from labkit.data.builtin import cam_seg as builtin
from labkit.data.builtin.stencils import CLASSES
from labkit.errors import InputError

# Means and standard deviations of ImageNet's channels, red, green, blue, in [0, 1].
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


class CamSeg(Dataset[tuple[Tensor, int]]):
    """Pictures of ten classes for training on labels alone; masks only to judge the maps.

    An item is `(image, label)`: float32 [3,H,W], normalised by ImageNet's means and standard
    deviations, and an int from 0 to 9. The pictures are kept in memory as bytes, 3 a pixel.

    Args:
        root: "builtin" makes 4,000 training and 1,000 test pictures of 96x96 on the spot; any
            other value is a folder in the layout that `labkit.data.cam_seg_folder` describes.
        split: "train" or "test".
        size: side of the square images in pixels, resized bilinearly with antialiasing; None
            keeps the pictures as they are.
        count: how many pictures, the first ones; None for all.

    Raises:
        InputError: an argument, or anything in the folder, cannot be used; with file and line.

    Attributes:
        classes: the ten class names in the order of the labels.
        labels: int64 [n].
    """

    classes: tuple[str, ...]
    labels: Tensor

    def __init__(
        self,
        root: str | Path = "builtin",
        split: Literal["train", "test"] = "train",
        size: int | None = None,
        count: int | None = None,
    ) -> None:
        if split not in ("train", "test"):
            raise InputError(f"split={split!r}, expected 'train' or 'test'")
        for name, value in (("size", size), ("count", count)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise InputError(f"{name}={value!r}, expected a whole number from 1, or None")
        self._size = size
        self._folder = None if root == "builtin" else Path(root)
        self._masks: NDArray[np.bool_] | None = None
        if self._folder is None:
            scenes = builtin.scenes(split, count)
            self.classes = CLASSES
            self.labels = torch.tensor(scenes.labels)
            self._pictures = list(scenes.pictures)
            # Weak supervision: training pictures have labels and nothing else.
            self._masks = scenes.masks if split == "test" else None
        else:
            pictures, labels = cam_seg_folder.read_split(self._folder, split, count)
            self.classes = cam_seg_folder.read_classes(self._folder)
            self.labels = torch.tensor(labels)
            self._pictures = list(pictures)
            self._check_sizes(split)

    def _check_sizes(self, split: str) -> None:
        shapes = {picture.shape[:2] for picture in self._pictures}
        if self._size is None and len(shapes) > 1:
            (a, b), (c, d) = sorted(shapes)[:2]
            raise InputError(
                f"the pictures of {self._folder}/{split} differ in size ({a}x{b}, {c}x{d}, …) and "
                "cannot go into one batch: pass size=, the side of the square to resize them to"
            )

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        return self.prepare(self._pictures[i]), int(self.labels[i])

    def prepare(self, picture: NDArray[np.uint8]) -> Tensor:
        """Any picture uint8 [H,W,3] as an image for the network, as the items are: [3,H,W]."""
        image = torch.tensor(picture).permute(2, 0, 1).float()
        if self._size is not None and image.shape[1:] != (self._size, self._size):
            image = F.interpolate(
                image[None], size=(self._size, self._size), mode="bilinear", antialias=True
            )[0]
        return image.sub_(255 * MEAN).div_(255 * STD)

    def picture(self, i: int) -> NDArray[np.uint8]:
        """Picture i as it is, for display: uint8 [H,W,3] at its own size."""
        return self._pictures[i].copy()

    def mask(self, i: int) -> NDArray[np.bool_] | None:
        """Where the object of picture i is, bool [H,W] at its own size; None where not known.

        Known for every built-in test picture. A folder has masks for `sources` only.
        """
        return None if self._masks is None else self._masks[i].copy()

    def sources(self) -> OrderedDict[str, tuple[NDArray[np.uint8], NDArray[np.bool_]]]:
        """The ten test pictures chosen for judging maps: class -> (uint8 [H,W,3], bool [H,W]).

        Raises:
            InputError: the folder has no such pictures or masks.
        """
        if self._folder is not None:
            return cam_seg_folder.read_sources(self._folder, self.classes)
        return builtin.sources()


def write_builtin(to: str | Path) -> None:
    """Write the built-in set as a folder in the documents' layout, with its ten masks.

    Raises:
        InputError: `to` exists already or its parent does not.
    """
    scenes = {split: builtin.scenes(split) for split in builtin.COUNT}
    cam_seg_folder.write_folder(
        to,
        CLASSES,
        {
            split: cam_seg_folder.LabelledPictures(list(made.pictures), made.labels.tolist())
            for split, made in scenes.items()
        },
        builtin.sources(),
    )


def normalize(picture: NDArray[np.uint8]) -> Tensor:
    """A picture uint8 [H,W,3] as a network takes it: float32 [3,H,W], by ImageNet's statistics."""
    image = torch.tensor(picture).permute(2, 0, 1).float()
    return image.sub_(255 * MEAN).div_(255 * STD)


def unnormalize(images: Tensor) -> Tensor:
    """Undo the normalisation for display: images [B,3,H,W] (or [3,H,W]) to [0, 1]."""
    mean, std = (t.to(images.device, images.dtype) for t in (MEAN, STD))
    return (images * std + mean).clamp(0, 1)
