"""Turned, shifted and mirrored pictures: drawn anew in every epoch, or stored once.

As document 001 has it: a turn of up to 20 degrees, a shift of up to 20 % of either side, then a
mirror image in half of the cases. What comes in at a border is black.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as TF
from tqdm.auto import tqdm

from labkit.data import flowers17_folder
from labkit.data.cam_seg_folder import check_absent
from labkit.data.flowers17 import Flowers17, resized, write_builtin
from labkit.errors import InputError

DEGREES, SHIFT, FLIPPED = 20.0, 0.2, 0.5
COPIES = 10  # of each picture in a stored set, the picture itself among them
STORED_SIZE = 256  # pixels, document 001's


@dataclass(frozen=True)
class Augmentation:
    """One turn, one shift, one mirror image, in this order.

    Attributes:
        angle: degrees clockwise about the middle.
        right: pixels to the right, negative to the left.
        down: pixels down, negative up.
        flip: left and right change places, at the end.
    """

    angle: float
    right: int
    down: int
    flip: bool


def draw_augmentation(
    height: int, width: int, generator: torch.Generator | None = None
) -> Augmentation:
    """Draw one, every angle and every shift of whole pixels within the limits equally likely.

    Args:
        height, width: of the picture, in pixels; the shift follows each side by itself.
        generator: where chance comes from; None takes torch's global one.
    """

    def up_to(limit: float) -> float:
        return limit * (2 * float(torch.rand((), generator=generator)) - 1)

    angle = up_to(DEGREES)
    right, down = round(up_to(SHIFT * width)), round(up_to(SHIFT * height))
    return Augmentation(angle, right, down, float(torch.rand((), generator=generator)) < FLIPPED)


def augment(images: Tensor, augmentation: Augmentation) -> Tensor:
    """Turn, shift and mirror images [...,H,W], all alike; zeros come in at the borders."""
    moved = TF.affine(
        images,
        augmentation.angle,
        [augmentation.right, augmentation.down],
        scale=1.0,
        shear=[0.0],
        interpolation=InterpolationMode.BILINEAR,
    )
    return TF.hflip(moved) if augmentation.flip else moved


class Augmented(Dataset[tuple[Tensor, int]]):
    """A data set of flowers whose pictures differ every time they are asked for.

    The augmentation is drawn from torch's global generator, which `labkit.training.fit` seeds for
    each epoch, so that a training stays repeatable.

    Args:
        data: the flowers.
    """

    def __init__(self, data: Flowers17) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        picture = torch.tensor(self.data.picture(i)).permute(2, 0, 1)
        drawn = draw_augmentation(picture.shape[1], picture.shape[2])
        return self.data.prepare(augment(picture, drawn).permute(1, 2, 0).numpy()), int(
            self.data.labels[i]
        )


def store_augmented(
    root: str | Path,
    to: str | Path,
    *,
    copies: int = COPIES,
    seed: int = 0,
    size: int = STORED_SIZE,
    progress: bool = True,
) -> None:
    """Write each picture of a data set and nine augmented copies of it; `Flowers17` reads them.

    The folder appears when it is whole; a run that is stopped leaves nothing.

    Args:
        root: "builtin", or a folder in the layout of `labkit.data.flowers17_folder`.
        to: the folder to make.
        copies: of each picture, itself among them, 1 to 10.
        seed: decides all augmentations; those of an image do not depend on other images.
        size: side of the square pictures in pixels.
        progress: show a bar.

    Raises:
        InputError: `to` is there already, its parent is not, an argument is out of its range, or
            the data set cannot be read.
    """
    to = Path(to)
    check_absent(to)
    if not 1 <= copies <= COPIES:
        raise InputError(f"copies is {copies}, expected 1 to {COPIES}")
    if size < 1 or seed < 0:
        raise InputError(f"size is {size} and seed {seed}, expected at least 1 and 0")
    with tempfile.TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent) as scratch:
        if root == "builtin":
            root = Path(scratch) / "builtin"
            write_builtin(root)
        root = Path(root)
        files = _originals(root)
        draft = Path(scratch) / "stored"
        (draft / "auged").mkdir(parents=True)
        shutil.copy(root / "datasplits.mat", draft)
        for number, file in enumerate(
            tqdm(files, "augmenting", unit="image", disable=not progress), start=1
        ):
            picture = resized(flowers17_folder.read_picture(file), size)
            for copy, pixels in enumerate(_copies(picture, copies, seed, number)):
                name = f"image_{number:04d}_{copy}.jpg"
                flowers17_folder.write_picture(pixels, draft / "auged" / name)
        shutil.move(draft, to)


def _originals(root: Path) -> list[Path]:
    if flowers17_folder.is_stored(root):
        raise InputError(f"{root} is augmented already: name the folder that it was made from")
    splits = [flowers17_folder.read_split(root, split, 1) for split in flowers17_folder.SPLITS]
    return sorted(entry.file for entries in splits for entry in entries)


def _copies(
    picture: NDArray[np.uint8], copies: int, seed: int, number: int
) -> list[NDArray[np.uint8]]:
    words = np.random.SeedSequence((seed, number)).generate_state(2)
    generator = torch.Generator().manual_seed(int(words[0]) << 31 ^ int(words[1]))
    image = torch.tensor(picture).permute(2, 0, 1)
    made = [picture]
    for _ in range(copies - 1):
        height, width = picture.shape[:2]
        drawn = draw_augmentation(height, width, generator)
        made.append(augment(image, drawn).permute(1, 2, 0).numpy())
    return made
