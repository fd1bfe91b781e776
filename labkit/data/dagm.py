"""Textured surfaces, some with a defect: built in, or DAGM 2007 or magnetic tiles in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from labkit.data import dagm_folder
from labkit.data.builtin import surfaces as builtin
from labkit.data.cam_seg import normalize
from labkit.errors import InputError

Sample = tuple[NDArray[np.uint8], NDArray[np.bool_]]


class Dagm(Dataset[tuple[Tensor, int]]):
    """Surfaces for training on "has a defect" or "has none"; masks only to judge the maps.

    An item is `(image, label)`: float32 [3,H,W], the grey picture three times, normalised by
    ImageNet's means and standard deviations, and 0 for a good surface or 1 for a defective one.

    Args:
        root: "builtin" draws 1,150 surfaces of 64x64 a problem on the spot; any other value is a
            folder with DAGM's public set, DAGM's competition set or magnetic tiles, in the layouts
            of `labkit.data.dagm_folder`.
        split: "train", "validation" or "test": 805, 172 and 173 of the 1,150.
        problem: 1 to 6 (in the competition set to 10, of the tiles to 5), each a texture with a
            kind of defect; None for all together.
        size: side of the square images in pixels, resized with antialiasing; None keeps the
            pictures as they are. A pixel of the mask is set where half of it is covered; a defect
            too thin for that keeps the pixels it covers most.
        count: how many surfaces, the first ones; None for all.
        seed: of the split of a folder; the built-in set has splits of its own.

    Raises:
        InputError: an argument, or anything in the folder, cannot be used; names file and line.

    Attributes:
        classes: ("good", "defect"), in the order of the labels.
        labels: int64 [n].

    Sources: Wieler and Hahn, "Weakly Supervised Learning for Industrial Optical Inspection", DAGM
    2007; Huang, Qiu and Yuan, "Surface Defect Saliency of Magnetic Tile", The Visual Computer 2020.
    """

    classes: tuple[str, ...] = ("good", "defect")
    labels: Tensor

    def __init__(
        self,
        root: str | Path = "builtin",
        split: Literal["train", "validation", "test"] = "train",
        problem: int | None = 1,
        size: int | None = None,
        *,
        count: int | None = None,
        seed: int = 0,
    ) -> None:
        _check(split, problem, size, count)
        self._size = size
        self._samples: list[Sample] = []
        self._kept: dict[int, Sample] = {}
        self._files: list[dagm_folder.Surface] = []
        if root == "builtin":
            self._samples, labels = _built_in(problem, split, count)
        else:
            self._files = dagm_folder.read_index(Path(root), problem, split, seed)[:count]
            labels = [int(surface.defective) for surface in self._files]
        self.labels = torch.tensor(labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        return normalize(self.picture(i)), int(self.labels[i])

    def picture(self, i: int) -> NDArray[np.uint8]:
        """Surface i for display, uint8 [H,W,3], as large as its item."""
        return np.repeat(self._sample(i)[0][..., None], 3, axis=2)

    def mask(self, i: int) -> NDArray[np.bool_]:
        """Where the defect of surface i is, bool [H,W], as large as its item; empty for none."""
        return self._sample(i)[1].copy()

    def _sample(self, i: int) -> Sample:
        """Picture and mask at their size; kept, unless they are large and on disk anyway."""
        i = range(len(self))[i]
        if i not in self._kept:
            sample = self._samples[i] if self._samples else dagm_folder.read_sample(self._files[i])
            if self._size is None:
                return sample
            self._kept[i] = _resized(sample, self._size)
        return self._kept[i]


def problems(root: str | Path) -> list[int]:
    """The problems of the built-in set, or of a folder.

    Raises:
        InputError: the folder has none of the layouts.
    """
    if root == "builtin":
        return list(range(1, len(builtin.PROBLEMS) + 1))
    return dagm_folder.problems(Path(root))


def _built_in(
    problem: int | None, split: builtin.Split, count: int | None
) -> tuple[list[Sample], list[int]]:
    """Surfaces of one problem, or of all six in turn."""
    numbers = range(1, len(builtin.PROBLEMS) + 1) if problem is None else (problem,)
    if not set(numbers) <= set(range(1, len(builtin.PROBLEMS) + 1)):
        raise InputError(f"problem={problem}, but the built-in set has the problems 1 to 6")
    each = None if count is None else -(-count // len(numbers))
    made = [builtin.scenes(number, split, each) for number in numbers]
    order = [(scenes, i) for i in range(len(made[0].labels)) for scenes in made][:count]
    samples = [(scenes.pictures[i], scenes.masks[i]) for scenes, i in order]
    return samples, [int(scenes.labels[i]) for scenes, i in order]


def _resized(sample: Sample, size: int) -> Sample:
    picture, mask = sample
    if picture.shape == (size, size):
        return sample
    smaller = Image.fromarray(picture).resize((size, size), Image.Resampling.BILINEAR)
    cover = Image.fromarray(mask.astype(np.float32)).resize((size, size), Image.Resampling.BOX)
    share = np.asarray(cover)
    return np.asarray(smaller), (share > 0) & (share >= min(0.5, float(share.max())))


def _check(split: str, problem: int | None, size: int | None, count: int | None) -> None:
    if split not in builtin.COUNT:
        raise InputError(f"split={split!r}, expected one of {', '.join(builtin.COUNT)}")
    for name, value in (("problem", problem), ("size", size), ("count", count)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise InputError(f"{name}={value!r}, expected a whole number from 1, or None")
