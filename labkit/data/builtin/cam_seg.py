"""The built-in CAM/SEG set: ten patterned shapes in real photographs, with exact masks.

Outline and pattern make the class; colours, size, place, turn and background are drawn without
regard to it. All arithmetic is on integers and all chance comes from the raw PCG64 stream, which
numpy keeps the same for ever, so the set is the same on every machine, byte for byte.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labkit.data.builtin.photographs import views
from labkit.data.builtin.stencils import (
    CLASSES,
    OUTSIDE,
    RADIUS,
    REACH,
    SECOND,
    SIDE,
    UNIT,
    stencils,
)

Split = Literal["train", "test"]

SIZE = 96  # pixels, the side of every picture
COUNT: dict[Split, int] = {"train": 4000, "test": 1000}
RADII = (18, 33)  # pixels, the nominal radius of a shape, both ends included
# No photograph serves both splits: a network cannot know a test picture by its background.
PHOTOGRAPHS: dict[Split, tuple[str, ...]] = {
    "train": ("astronaut", "brick", "camera", "coins", "grass", "ihc", "motorcycle_left"),
    "test": ("chelsea", "coffee", "gravel", "moon"),
}
_SEED = {
    ("train", "background"): 1,
    ("train", "shape"): 2,
    ("test", "background"): 3,
    ("test", "shape"): 4,
}

_DRAWS = 12  # raw numbers set aside for a background or a shape, more than either takes
_TURNS = 256
_ONE = 1 << 14  # fixed point: 1.0
_ANGLES = 2 * np.pi * np.arange(_TURNS) / _TURNS
# Rounded to 14 bits, so the last bits in which mathematics libraries differ do not matter.
_COS = np.rint(np.cos(_ANGLES) * _ONE).astype(np.int64)
_SIN = np.rint(np.sin(_ANGLES) * _ONE).astype(np.int64)


class Scenes(NamedTuple):
    """One split: pictures uint8 [n,96,96,3], masks bool [n,96,96] and labels int64 [n]."""

    pictures: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    labels: NDArray[np.int64]


class _Chance:
    """Whole numbers for one scene, each from the next raw 64 bits of its row."""

    def __init__(self, row: NDArray[np.uint64]) -> None:
        self._bits = iter(row.tolist())

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(next(self._bits)) % (high - low + 1)


@cache
def scenes(split: Split, count: int | None = None) -> Scenes:
    """The first `count` scenes of a split, the classes in turn; None for all that it has.

    A split holds 400 (train) or 100 (test) scenes of each class. All are made in a few seconds,
    once a process; the arrays are read-only since all share them.
    """
    pictures = backgrounds(split, count)
    masks = np.zeros(pictures.shape[:3], np.bool_)
    labels = np.arange(len(pictures), dtype=np.int64) % len(CLASSES)
    for picture, mask, label, chance in zip(
        pictures, masks, labels, _chances(split, "shape", count), strict=True
    ):
        _place_shape(picture, mask, stencils()[label], chance)
    made = Scenes(pictures, masks, labels)
    for array in made:
        array.setflags(write=False)
    return made


def backgrounds(split: Split, count: int | None = None) -> NDArray[np.uint8]:
    """What the pictures of a split show before any shape is set in, uint8 [n,96,96,3]."""
    photographs = views(PHOTOGRAPHS[split], SIZE)
    return np.stack([_background(photographs, c) for c in _chances(split, "background", count)])


def _chances(
    split: Split, part: Literal["background", "shape"], count: int | None
) -> Iterator[_Chance]:
    """Chance for one part of each of the first scenes, from a stream of its own."""
    stream = np.random.PCG64(_SEED[split, part])
    scenes = COUNT[split] if count is None else min(count, COUNT[split])
    for row in stream.random_raw(scenes * _DRAWS).reshape(-1, _DRAWS):
        yield _Chance(row)


def sources() -> OrderedDict[str, tuple[NDArray[np.uint8], NDArray[np.bool_]]]:
    """The first test scene of each class: class -> (picture [96,96,3], mask [96,96])."""
    test = scenes("test", len(CLASSES))
    return OrderedDict(
        (name, (test.pictures[i].copy(), test.masks[i].copy())) for i, name in enumerate(CLASSES)
    )


def _background(photographs: list[NDArray[np.uint8]], chance: _Chance) -> NDArray[np.uint8]:
    """A square piece of a photograph, perhaps mirrored, under light of a random colour."""
    view = photographs[chance.between(0, len(photographs) - 1)]
    top = chance.between(0, view.shape[0] - SIZE)
    left = chance.between(0, view.shape[1] - SIZE)
    piece = view[top : top + SIZE, left : left + SIZE]
    if chance.between(0, 1):
        piece = piece[:, ::-1]
    light = np.array([chance.between(192, 304) for _ in range(3)], np.uint32)
    return np.minimum(piece * light >> 8, 255).astype(np.uint8)


def _place_shape(
    picture: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    stencil: NDArray[np.uint8],
    chance: _Chance,
) -> None:
    """Set a shape of random size, turn, place and colours into a picture and its mask."""
    radius = chance.between(*RADII)
    turn = chance.between(0, _TURNS - 1)
    reach = radius * REACH // UNIT + 1
    row = chance.between(reach, SIZE - reach)
    column = chance.between(reach, SIZE - reach)
    tones = _two_tones(chance)

    samples = _turned(stencil, radius, turn, reach)
    within = (samples != OUTSIDE).sum(axis=2)
    second = (samples == SECOND).sum(axis=2)
    # The tones mix where they meet, so the pattern is smooth; the outline stays sharp, so that
    # every pixel is wholly shape or wholly background and the mask is exact.
    inside = within >= 2
    weights = np.stack([within - second, second], axis=2)[inside]
    place = slice(row - reach, row + reach), slice(column - reach, column + reach)
    mask[place] = inside
    picture[place][inside] = (weights @ tones) // within[inside, None]


def _two_tones(chance: _Chance) -> NDArray[np.int64]:
    """Two colours [2,3] that differ by 96 to 160 levels in every channel."""
    first = np.array([chance.between(0, 255) for _ in range(3)])
    step = np.array([chance.between(96, 160) for _ in range(3)])
    return np.stack([first, (first + step) % 256])


def _turned(stencil: NDArray[np.uint8], radius: int, turn: int, reach: int) -> NDArray[np.uint8]:
    """A stencil at `radius` pixels, turned: codes [2*reach,2*reach,4], four samples a pixel."""
    cos, sin = int(_COS[turn]), int(_SIN[turn])
    # Quarter pixels from the centre: each pixel is sampled at 1/4 and 3/4 of its height and width.
    steps = 4 * np.arange(-reach, reach, dtype=np.int64)[:, None] + np.array([1, 3])
    y, x = steps[:, None, :, None], steps[None, :, None, :]
    scale = 4 * _ONE * radius
    rows = (y * cos - x * sin) * RADIUS // scale + SIDE // 2
    columns = (x * cos + y * sin) * RADIUS // scale + SIDE // 2
    return stencil[rows, columns].reshape(2 * reach, 2 * reach, 4)
