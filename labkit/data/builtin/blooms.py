"""Blooms drawn once at high resolution: petals of some form and pattern around a centre.

A stencil says for every point which tone it has (OUTSIDE, FIRST, SECOND or CENTRE) and how bright
it is. Integers throughout, so that every machine draws the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 320
UNIT = 1000  # the length of a petal, from the centre to its tip
RADIUS = 155  # UNIT in stencil pixels
OUTSIDE, FIRST, SECOND, CENTRE = 0, 1, 2, 3
FULL = 256  # brightness without shade
_TURNS = 720
_ONE = 1 << 14  # fixed point: 1.0
_ANGLES = 2 * np.pi * np.arange(_TURNS) / _TURNS
# Rounded to 14 bits, so the last bits in which mathematics libraries differ do not matter.
COS = np.rint(np.cos(_ANGLES) * _ONE).astype(np.int64)
SIN = np.rint(np.sin(_ANGLES) * _ONE).astype(np.int64)

Grid = NDArray[np.int64]
Region = NDArray[np.bool_]


class Kind(NamedTuple):
    """A kind of flower: form and pattern of its petals, and how many there are."""

    pattern: str
    form: str
    petals: int

    @property
    def name(self) -> str:
        """As the class is called."""
        return f"{self.pattern} {self.form}"


class Stencil(NamedTuple):
    """A bloom: tones uint8 [SIDE,SIDE] and brightness uint16 [SIDE,SIDE], of FULL."""

    tones: NDArray[np.uint8]
    brightness: NDArray[np.uint16]


# How wide a petal may be at the distance u from the centre; 0 where it has ended. The widest is
# `half`, which follows from the number of petals.


def _root(values: Grid) -> Grid:
    """Rounded down; exact, since IEEE square roots are. Negative values give 0."""
    return np.sqrt(np.maximum(values, 0).astype(np.float64)).astype(np.int64)


def _oval(u: Grid, half: int) -> Grid:
    return half * _root(500**2 - (u - 500) ** 2) // 500


def _lance(u: Grid, half: int) -> Grid:
    return np.maximum(half * 4 * u * (UNIT - u) // UNIT**2, 0)


def _spoon(u: Grid, half: int) -> Grid:
    handle = np.where(u > 0, half * (25 + 75 * np.clip(u - 250, 0, 400) // 400) // 100, 0)
    cap = half * _root(300**2 - np.maximum(u - 700, 0) ** 2) // 300
    return np.minimum(handle, cap)


def _strap(u: Grid, half: int) -> Grid:
    return np.where((u > 0) & (u <= UNIT), half * 70 // 100, 0)


_WIDTHS: dict[str, Callable[[Grid, int], Grid]] = {
    "oval": _oval,
    "lance": _lance,
    "heart": _oval,
    "spoon": _spoon,
    "strap": _strap,
    "fringe": _spoon,
}


def _cut(form: str, u: Grid, v: Grid, half: int) -> Region:
    """What is missing from a petal's tip."""
    if form == "heart":
        return u > 720 + abs(v) * 560 // half
    if form == "fringe":
        tooth = max(half * 2 // 5, 40)
        return u > UNIT - 4 * abs(v % tooth - tooth // 2)
    return np.zeros_like(u, bool)


def _second(pattern: str, u: Grid, v: Grid, width: Grid) -> Region:
    """Where a petal has its second tone."""
    if pattern == "ribbed":
        return abs(v) * 100 <= width * 38
    if pattern == "tipped":
        return u >= 660
    if pattern == "banded":
        return u // 130 % 2 == 0
    if pattern == "rimmed":
        return (abs(v) * 100 >= width * 62) | (u >= 900)
    return ((u - 300) % 220 - 110) ** 2 + ((v + 110) % 220 - 110) ** 2 <= 72**2  # spotted


def _half_width(kind: Kind) -> int:
    """Half of a petal's width: many petals are narrow, and neighbours overlap a little."""
    return {3: 480, 4: 460, 5: 400, 6: 330, 8: 250, 12: 180}[kind.petals]


@cache
def stencil(kind: Kind) -> Stencil:
    """A kind of flower, seen from straight above, its first petal pointing to the right."""
    axis = (2 * np.arange(SIDE, dtype=np.int64) - (SIDE - 1)) * UNIT // (2 * RADIUS)
    x, y = np.meshgrid(axis, axis)
    tones = np.zeros((SIDE, SIDE), np.uint8)
    brightness = np.zeros((SIDE, SIDE), np.uint16)
    half = _half_width(kind)
    for petal in range(kind.petals):
        turn = petal * _TURNS // kind.petals
        u = (x * COS[turn] + y * SIN[turn]) // _ONE
        v = (y * COS[turn] - x * SIN[turn]) // _ONE
        width = _WIDTHS[kind.form](u, half)
        inside = (u > 0) & (abs(v) <= width) & (width > 0) & ~_cut(kind.form, u, v, half)
        second = _second(kind.pattern, u, v, width)
        # Darker towards the edges and, by turns, on every other petal: petals can be told apart.
        edge = 70 * abs(v) // np.maximum(width, 1)
        shade = FULL - edge - 26 * (petal % 2)
        tones[inside] = np.where(second, SECOND, FIRST)[inside]
        brightness[inside] = shade[inside]
    distance = _root(x * x + y * y)
    centre = distance <= 190
    tones[centre] = CENTRE
    brightness[centre] = (FULL - 90 * distance // 190)[centre]
    for array in (tones, brightness):
        array.setflags(write=False)
    return Stencil(tones, brightness)
