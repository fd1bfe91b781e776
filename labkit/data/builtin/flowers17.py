"""The built-in flowers: seventeen kinds, drawn into real photographs, with exact masks.

Form and pattern of the petals make the class; colours, size, place, turn, tilt, leaves and
background are drawn without regard to it. All arithmetic is on integers and all chance comes from
the raw PCG64 stream, so the set is the same on every machine, byte for byte.

There are thirteen more kinds, of the same forms and patterns otherwise combined. They stand in for
the large data set on which a feature extractor is trained before it is frozen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labkit.data.builtin.blooms import (
    CENTRE,
    COS,
    FIRST,
    FULL,
    OUTSIDE,
    RADIUS,
    SECOND,
    SIDE,
    SIN,
    Kind,
    stencil,
)
from labkit.data.builtin.chance import Chance
from labkit.data.builtin.photographs import views

SIZE = 96  # pixels, the side of every picture
_ONE = 1 << 14

KINDS = (
    Kind("ribbed", "oval", 5),
    Kind("tipped", "oval", 8),
    Kind("banded", "oval", 6),
    Kind("ribbed", "lance", 6),
    Kind("rimmed", "lance", 8),
    Kind("spotted", "lance", 5),
    Kind("tipped", "heart", 4),
    Kind("rimmed", "heart", 5),
    Kind("spotted", "heart", 3),
    Kind("banded", "spoon", 5),
    Kind("ribbed", "spoon", 8),
    Kind("rimmed", "spoon", 6),
    Kind("tipped", "strap", 12),
    Kind("banded", "strap", 8),
    Kind("spotted", "strap", 6),
    Kind("ribbed", "fringe", 12),
    Kind("banded", "fringe", 5),
)
OTHER_KINDS = (
    Kind("rimmed", "oval", 5),
    Kind("spotted", "oval", 4),
    Kind("tipped", "lance", 6),
    Kind("banded", "lance", 8),
    Kind("ribbed", "heart", 5),
    Kind("banded", "heart", 4),
    Kind("tipped", "spoon", 8),
    Kind("spotted", "spoon", 5),
    Kind("ribbed", "strap", 8),
    Kind("rimmed", "strap", 6),
    Kind("tipped", "fringe", 6),
    Kind("rimmed", "fringe", 5),
    Kind("spotted", "fringe", 8),
)
CLASSES = tuple(kind.name for kind in KINDS)

COUNT: Mapping[str, int] = {"train": 680, "validation": 340, "test": 340}  # Flower-17's own
_SEED = {"train": 1, "validation": 2, "test": 3, "other": 4}
# No photograph serves two splits: a network cannot know a picture by its background.
_PHOTOGRAPHS = {
    "train": ("astronaut", "brick", "grass", "motorcycle_left"),
    "validation": ("chelsea", "gravel"),
    "test": ("coffee", "moon"),
    "other": ("camera", "coins", "ihc"),
}


class Scenes(NamedTuple):
    """Pictures uint8 [n,96,96,3], masks bool [n,96,96] and labels int64 [n]."""

    pictures: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    labels: NDArray[np.int64]


@cache
def scenes(split: str, count: int | None = None) -> Scenes:
    """The first pictures of "train", "validation" or "test", the classes in turn; read-only."""
    n = COUNT[split] if count is None else min(count, COUNT[split])
    return _draw(split, KINDS, n)


@cache
def other_kinds(count: int) -> Scenes:
    """So many pictures of the thirteen other kinds, labelled 0 to 12, in turn; read-only."""
    return _draw("other", OTHER_KINDS, count)


def _draw(split: str, kinds: Sequence[Kind], count: int) -> Scenes:
    photographs = views(_PHOTOGRAPHS[split], SIZE)
    pictures = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    masks = np.zeros((count, SIZE, SIZE), np.bool_)
    labels = np.arange(count, dtype=np.int64) % len(kinds)
    for i, (picture, mask) in enumerate(zip(pictures, masks, strict=True)):
        # Background and flowers have streams of their own: neither says anything of the other.
        picture[:] = _background(photographs, Chance(17, _SEED[split], i, 0))
        _plant(picture, mask, kinds[labels[i]], Chance(17, _SEED[split], i, 1))
    made = Scenes(pictures, masks, labels)
    for array in made:
        array.setflags(write=False)
    return made


def _background(photographs: Sequence[NDArray[np.uint8]], chance: Chance) -> NDArray[np.uint8]:
    """A square piece of a photograph in random light, with leaves across it."""
    view = chance.one_of(photographs)
    top = chance.between(0, view.shape[0] - SIZE)
    left = chance.between(0, view.shape[1] - SIZE)
    light = np.array([chance.between(150, 290) for _ in range(3)], np.uint32)
    picture = np.minimum(view[top : top + SIZE, left : left + SIZE] * light >> 8, 255)
    picture = picture.astype(np.uint8)
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.int64)
    for _ in range(chance.between(0, 5)):
        turn = chance.between(0, len(COS) - 1)
        y = rows - chance.between(0, SIZE - 1)
        x = columns - chance.between(0, SIZE - 1)
        length, width = chance.between(14, 40), chance.between(3, 9)
        u, v = (x * COS[turn] + y * SIN[turn]) // _ONE, (y * COS[turn] - x * SIN[turn]) // _ONE
        leaf = u * u * width * width + v * v * length * length <= length**2 * width**2
        picture[leaf] = _colour(chance)
    return picture


def _colour(chance: Chance) -> NDArray[np.int64]:
    return np.array([chance.between(20, 255) for _ in range(3)])


def _plant(picture: NDArray[np.uint8], mask: NDArray[np.bool_], kind: Kind, chance: Chance) -> None:
    """One large bloom, and now and then a small one of the same kind beside it."""
    tones = _three_tones(chance)
    if chance.often(30):
        _set_in(picture, mask, kind, tones, chance.between(13, 18), chance)
    _set_in(picture, mask, kind, tones, chance.between(24, 40), chance)


def _three_tones(chance: Chance) -> NDArray[np.int64]:
    """Colours [4,3] by tone. The two of the petals differ by 80 to 150 levels in every channel."""
    first = _colour(chance)
    step = np.array([chance.between(80, 150) for _ in range(3)])
    return np.stack([np.zeros(3, np.int64), first, (first + step) % 256, _colour(chance)])


def _set_in(
    picture: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    kind: Kind,
    colours: NDArray[np.int64],
    radius: int,
    chance: Chance,
) -> None:
    """Set a bloom of random turn, tilt and place into a picture and its mask."""
    reach = radius + 1
    row, column = chance.between(reach, SIZE - reach), chance.between(reach, SIZE - reach)
    tones, brightness = _seen(
        kind, radius, chance.between(0, 719), chance.between(0, 719), chance.between(72, 100)
    )
    inside = (tones != OUTSIDE).sum(axis=2) >= 2
    place = slice(row - reach, row + reach), slice(column - reach, column + reach)
    mixed = sum(
        ((tones == tone) * brightness).sum(axis=2)[..., None] * colours[tone]
        for tone in (FIRST, SECOND, CENTRE)
    )
    covered = np.maximum((tones != OUTSIDE).sum(axis=2), 1)[..., None]
    drawn = mixed // (FULL * covered)
    mask[place] |= inside
    picture[place][inside] = drawn[inside]


def _seen(
    kind: Kind, radius: int, turn: int, tilt_axis: int, tilt: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Tones and brightness [2*reach,2*reach,4], four samples a pixel.

    The bloom is turned, then narrowed to `tilt` percent along `tilt_axis`, as if seen from aside.
    """
    reach = radius + 1
    steps = 4 * np.arange(-reach, reach, dtype=np.int64)[:, None] + np.array([1, 3])
    y, x = np.broadcast_arrays(steps[:, None, :, None], steps[None, :, None, :])
    x, y = _rotated(x * 16, y * 16, tilt_axis)
    x, y = _rotated(x * 100 // tilt, y, -tilt_axis)
    x, y = _rotated(x, y, turn)
    rows = y * RADIUS // (64 * radius) + SIDE // 2
    columns = x * RADIUS // (64 * radius) + SIDE // 2
    within = (rows >= 0) & (rows < SIDE) & (columns >= 0) & (columns < SIDE)
    rows, columns = rows.clip(0, SIDE - 1), columns.clip(0, SIDE - 1)
    drawn = stencil(kind)
    tones = np.where(within, drawn.tones[rows, columns], OUTSIDE).astype(np.uint8)
    brightness = drawn.brightness[rows, columns].astype(np.int64)
    shape = (2 * reach, 2 * reach, 4)
    return tones.reshape(shape), brightness.reshape(shape)


def _rotated(
    x: NDArray[np.int64], y: NDArray[np.int64], turn: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    cos, sin = int(COS[turn % len(COS)]), int(SIN[turn % len(SIN)])
    return (x * cos + y * sin) // _ONE, (y * cos - x * sin) // _ONE
