"""The ten patterned shapes of the built-in CAM/SEG set, drawn once at high resolution.

A stencil is an array [SIDE,SIDE] of OUTSIDE, FIRST or SECOND: where the shape is, and which of its
two tones. Integers throughout, so that every machine draws the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

SIDE = 384
UNIT = 1000  # a shape's nominal radius; no corner lies further out than REACH
REACH = 1200
RADIUS = 106  # UNIT in stencil pixels: a square turned by any angle still fits into the stencil
OUTSIDE, FIRST, SECOND = 0, 1, 2

Grid = NDArray[np.int64]
Region = NDArray[np.bool_]

# Directions of unit length 1000, clockwise from "up" (y grows downwards).
_TRIANGLE = [(0, 1000), (-866, -500), (866, -500)]
_PENTAGON = [(0, 1000), (-951, 309), (-588, -809), (588, -809), (951, 309)]
_HEXAGON = [(0, 1000), (866, 500), (866, -500), (0, -1000), (-866, -500), (-866, 500)]


def _length(x: Grid, y: Grid) -> Grid:
    """The length of (x, y), rounded down; exact, since IEEE square roots are."""
    return np.sqrt((x * x + y * y).astype(np.float64)).astype(np.int64)


def _sides_kept(x: Grid, y: Grid, normals: list[tuple[int, int]], distance: int) -> Grid:
    """For each point, how many of the polygon's sides it lies on the inner side of."""
    kept = [(a * x + b * y <= 1000 * distance).astype(np.int64) for a, b in normals]
    return np.sum(kept, axis=0)


def _disc(x: Grid, y: Grid) -> Region:
    return _length(x, y) <= 980


def _square(x: Grid, y: Grid) -> Region:
    return (abs(x) <= 840) & (abs(y) <= 840)


def _triangle(x: Grid, y: Grid) -> Region:
    return _sides_kept(x, y, _TRIANGLE, 600) == 3


def _star(x: Grid, y: Grid) -> Region:
    """Five points: a point of a star fails at most one side of the pentagon within it."""
    return _sides_kept(x, y, _PENTAGON, 371) >= 4


def _cross(x: Grid, y: Grid) -> Region:
    return (np.minimum(abs(x), abs(y)) <= 400) & (np.maximum(abs(x), abs(y)) <= 1080)


def _hexagon(x: Grid, y: Grid) -> Region:
    return _sides_kept(x, y, _HEXAGON, 900) == 6


def _bar(x: Grid, y: Grid) -> Region:
    return (abs(x) <= 1080) & (abs(y) <= 500)


def _ring(x: Grid, y: Grid) -> Region:
    return (_length(x, y) <= 1050) & (_length(x, y) >= 430)


def _heart(x: Grid, y: Grid) -> Region:
    """A square on its corner with a disc on each upper side."""
    half, shift = 620, 220
    left, right = _length(x + 438, y + 438 - shift), _length(x - 438, y + 438 - shift)
    square = abs(x) + abs(y - shift) <= half * 1414 // 1000
    return square | (left <= half) | (right <= half)


def _crescent(x: Grid, y: Grid, rim: int = 0) -> Region:
    """A disc less a smaller one to its right, drawn in by `rim` from all its edges."""
    return (_length(x + 100, y) <= 1080 - rim) & (_length(x - 530, y) >= 720 + rim)


def _rings(x: Grid, y: Grid) -> Region:
    return _length(x, y) // 200 % 2 == 0


def _checks(x: Grid, y: Grid) -> Region:
    return (x // 420 + y // 420) % 2 == 0


def _stripes(x: Grid, y: Grid) -> Region:
    return x // 180 % 2 == 0


def _spokes(x: Grid, y: Grid) -> Region:
    """Sectors between five lines through the centre, one along each point of the star."""
    lines = [(a * y - b * x > 0).astype(np.int64) for a, b in _PENTAGON]
    sides: Grid = np.sum(lines, axis=0)
    return sides % 2 == 0


def _dots(x: Grid, y: Grid) -> Region:
    return _length((x + 180) % 360 - 180, (y + 180) % 360 - 180) <= 115


def _bricks(x: Grid, y: Grid) -> Region:
    row = y // 300
    return (y % 300 < 70) | ((x + row % 2 * 300) % 600 < 70)


def _zigzag(x: Grid, y: Grid) -> Region:
    return (y + abs(x % 480 - 240)) // 170 % 2 == 0


def _net(x: Grid, y: Grid) -> Region:
    return ((x + y) % 360 < 100) | ((x - y) % 360 < 100)


def _spiral(x: Grid, y: Grid) -> Region:
    """Half rings about two centres, one band apart, which join into a spiral."""
    band = 190
    upper, lower = _length(x, y) // band % 2, (_length(x - band, y) // band + 1) % 2
    return np.where(y < 0, upper, lower) == 0


def _rim(x: Grid, y: Grid) -> Region:
    return ~_crescent(x, y, rim=170)


_Part = Callable[[Grid, Grid], Region]
_SHAPES: dict[str, tuple[_Part, _Part]] = {
    "ringed disc": (_disc, _rings),
    "checked square": (_square, _checks),
    "striped triangle": (_triangle, _stripes),
    "rayed star": (_star, _spokes),
    "dotted cross": (_cross, _dots),
    "bricked hexagon": (_hexagon, _bricks),
    "zigzag bar": (_bar, _zigzag),
    "netted ring": (_ring, _net),
    "spiral heart": (_heart, _spiral),
    "rimmed crescent": (_crescent, _rim),
}
CLASSES = tuple(_SHAPES)


@cache
def stencils() -> NDArray[np.uint8]:
    """The ten stencils in the order of CLASSES, uint8 [10,SIDE,SIDE] of OUTSIDE, FIRST, SECOND."""
    # Twice the distance from the centre is a whole number of pixels for an even side.
    axis = (2 * np.arange(SIDE, dtype=np.int64) - (SIDE - 1)) * UNIT // (2 * RADIUS)
    x, y = np.meshgrid(axis, axis)
    drawn = [
        np.where(outline(x, y), np.where(pattern(x, y), SECOND, FIRST), OUTSIDE)
        for outline, pattern in _SHAPES.values()
    ]
    return np.stack(drawn).astype(np.uint8)
