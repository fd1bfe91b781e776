"""What facades are made of: their classes, boxes that can be cut, a style, and a canvas."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labkit.data.builtin.chance import Chance

Colour = tuple[int, int, int]

CLASSES = (
    "background",
    "facade",
    "window",
    "door",
    "cornice",
    "sill",
    "balcony",
    "blind",
    "deco",
    "molding",
    "pillar",
    "shop",
)
(BACKGROUND, FACADE, WINDOW, DOOR, CORNICE, SILL, BALCONY, BLIND, DECO, MOLDING, PILLAR, SHOP) = (
    range(len(CLASSES))
)

SIZE = 192  # pixels, the side of every picture


class Box(NamedTuple):
    """Rows `top` to `bottom` and columns `left` to `right`, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.right - self.left

    def rows(self, *weights: int) -> list[Box]:
        """Cut into boxes one below the other, with heights in these proportions."""
        cuts = _cuts(self.top, self.height, weights)
        return [Box(a, b, self.left, self.right) for a, b in pairwise(cuts)]

    def columns(self, *weights: int) -> list[Box]:
        """Cut into boxes side by side, with widths in these proportions."""
        cuts = _cuts(self.left, self.width, weights)
        return [Box(self.top, self.bottom, a, b) for a, b in pairwise(cuts)]

    def middle(self, percent_high: int, percent_wide: int) -> Box:
        """The box of these shares in the middle."""
        down = self.height * (100 - percent_high) // 200
        side = self.width * (100 - percent_wide) // 200
        return Box(self.top + down, self.bottom - down, self.left + side, self.right - side)

    def grown(self, top: int = 0, bottom: int = 0, side: int = 0) -> Box:
        """Larger by so many pixels; negative numbers shrink."""
        return Box(self.top - top, self.bottom + bottom, self.left - side, self.right + side)


def _cuts(start: int, length: int, weights: tuple[int, ...]) -> list[int]:
    total, sums = sum(weights), [0]
    for weight in weights:
        sums.append(sums[-1] + weight)
    return [start + length * s // total for s in sums]


@dataclass(frozen=True)
class Style:
    """What all parts of a house have in common."""

    wall: Colour
    stone: Colour  # cornices, mouldings, sills, pillars, ornaments
    glass: Colour
    frame: Colour
    wood: Colour  # door and shutters, of one paint
    iron: Colour
    bricks: bool
    stone_base: bool  # a ground floor with joints
    courses: bool  # a cornice over every floor, not only at the eaves
    pillars: str  # "none", "all", "edges", "pairs"
    molding: str  # "none", "flat", "gable", "arch", "frame"
    sills: bool
    blinds: str  # "none", "shutters", "rollers"
    balconies: str  # "none", "middle", "row", "scattered"
    ornaments: str  # "none", "panels", "medallions", "keystones"
    panes: str  # "cross", "halves", "plain", "grid"
    window_wide: int  # percent of a bay
    window_high: int  # percent of a floor
    slender: int  # the most that a window is wide, percent of its height
    arched: bool
    shops: bool


def shade(colour: Colour, by: int) -> Colour:
    """The colour made brighter, or darker by a negative number."""
    return (
        min(max(colour[0] + by, 0), 255),
        min(max(colour[1] + by, 0), 255),
        min(max(colour[2] + by, 0), 255),
    )


class Canvas:
    """A picture and its labels, painted together."""

    def __init__(self, chance: Chance, style: Style) -> None:
        self.chance = chance
        self.style = style
        self.picture = np.zeros((SIZE, SIZE, 3), np.int16)
        self.labels = np.full((SIZE, SIZE), BACKGROUND, np.uint8)

    def fill(self, box: Box, colour: Colour, label: int | None = None) -> None:
        """Paint a box; its label stays where none is given."""
        where = inside(box)
        self.picture[where] = colour
        if label is not None:
            self.labels[where] = label

    def paint(self, box: Box, mask: NDArray[np.bool_], colour: Colour, label: int) -> None:
        """Paint the pixels of a box where the mask [height,width] holds."""
        where = inside(box)
        part = mask[: self.picture[where].shape[0], : self.picture[where].shape[1]]
        self.picture[where][part] = colour
        self.labels[where][part] = label

    def darken(self, box: Box, percent: int) -> None:
        """A shadow, which changes no label."""
        where = inside(box)
        self.picture[where] = self.picture[where] * (100 - percent) // 100

    def stone(self, box: Box, label: int, shadow: int = 1) -> None:
        """A block of stone: bright above, dark below, and its shadow on what is beneath."""
        self.fill(box, self.style.stone, label)
        self.fill(box._replace(bottom=box.top + 1), shade(self.style.stone, 26))
        self.fill(box._replace(top=box.bottom - 1), shade(self.style.stone, -30))
        self.darken(Box(box.bottom, box.bottom + shadow, box.left, box.right), 28)


def inside(box: Box) -> tuple[slice, slice]:
    """The part of a box that lies on the picture."""
    top, bottom, left, right = (min(max(edge, 0), SIZE) for edge in box)
    return slice(top, max(top, bottom)), slice(left, max(left, right))
