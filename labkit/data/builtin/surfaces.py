"""The built-in surfaces: six textures, each with a defect of its own, made the way DAGM's were.

DAGM 2007 was drawn by a program, too: a statistical texture, a defect that changes it somewhere,
and an ellipse around the defect as the truth, generously drawn. Each problem has 1,150 surfaces, of
which 150 are defective, in the proportions and with the splits of DAGM's public set.

All arithmetic is on integers and all chance comes from the raw PCG64 stream, so the set is the
same on every machine, byte for byte. The 1,150 of a problem take about a second, once a
process.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labkit.data.builtin.chance import Chance

Split = Literal["train", "validation", "test"]
Grid = NDArray[np.int64]

SIZE = 64  # pixels, the side of every surface
COUNT: dict[Split, int] = {"train": 805, "validation": 172, "test": 173}
DEFECTIVE, ALL = 150, 1150  # of a problem, as in DAGM's public set
PROBLEMS = ("waves", "strokes", "clouds", "creases", "grain", "speckle")

_SEED: dict[Split, int] = {"train": 21, "validation": 22, "test": 23}
_TURNS = 1024
_ONE = 1 << 14  # fixed point: 1.0
_ANGLES = 2 * np.pi * np.arange(_TURNS) / _TURNS
# Rounded, so the last bits in which mathematics libraries differ do not matter.
_COS = np.rint(np.cos(_ANGLES) * _ONE).astype(np.int64)
_SIN = np.rint(np.sin(_ANGLES) * _ONE).astype(np.int64)
_Y, _X = np.mgrid[:SIZE, :SIZE].astype(np.int64)
_FINE = 256  # parts of a pixel in which places within an ellipse are counted


class Scenes(NamedTuple):
    """One split of a problem: pictures uint8 [n,64,64], masks bool [n,64,64], labels int64 [n]."""

    pictures: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    labels: NDArray[np.int64]


class Ellipse(NamedTuple):
    """Where a defect is; half axes and centre in pixels, the turn in 1/1024 of a circle."""

    along: int
    across: int
    turn: int
    x: int
    y: int


def is_defective(i: int) -> bool:
    """Whether surface i of a split has a defect: 150 of 1,150 do, evenly spread."""
    counted = [(n * DEFECTIVE + ALL // 2) // ALL for n in (i, i + 1)]
    return counted[1] > counted[0]


@cache
def scenes(problem: int, split: Split, count: int | None = None) -> Scenes:
    """The first `count` surfaces of a problem from 1 to 6; None for all. Read-only, as shared."""
    n = COUNT[split] if count is None else min(count, COUNT[split])
    drawn = [_surface(problem, Chance(_SEED[split], problem, i), is_defective(i)) for i in range(n)]
    made = Scenes(
        np.stack([picture for picture, _ in drawn]),
        np.stack([mask for _, mask in drawn]),
        np.array([int(is_defective(i)) for i in range(n)]),
    )
    for array in made:
        array.setflags(write=False)
    return made


def _surface(
    problem: int, chance: Chance, defective: bool
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    texture, defect, sides = _MAKERS[problem - 1]
    values = texture(chance)
    mask = np.zeros((SIZE, SIZE), bool)
    if defective:
        ellipse = _place(chance, *sides)
        along, across = _inside(ellipse)
        reach = _reach(ellipse, along, across)
        mask = reach >= 0
        values = defect(values, ellipse, along, across, np.clip(2 * reach, 0, 256), chance)
    return np.clip(values, 0, 255).astype(np.uint8), mask


def _place(chance: Chance, along: tuple[int, int], across: tuple[int, int]) -> Ellipse:
    margin = 9
    return Ellipse(
        chance.between(*along),
        chance.between(*across),
        chance.between(0, _TURNS - 1),
        chance.between(margin, SIZE - 1 - margin),
        chance.between(margin, SIZE - 1 - margin),
    )


def _inside(ellipse: Ellipse) -> tuple[Grid, Grid]:
    """Every pixel's place along and across the long axis, in 1/256 pixel from the centre."""
    dx, dy = _X - ellipse.x, _Y - ellipse.y
    cos, sin = _COS[ellipse.turn], _SIN[ellipse.turn]
    return (dx * cos + dy * sin) * _FINE // _ONE, (dy * cos - dx * sin) * _FINE // _ONE


def _reach(ellipse: Ellipse, along: Grid, across: Grid) -> Grid:
    """256 at the centre of the ellipse, 0 on its border, negative outside."""
    a, b = (ellipse.along * _FINE) ** 2, (ellipse.across * _FINE) ** 2
    return 256 - 256 * (along**2 * b + across**2 * a) // (a * b)


def _noise(chance: Chance, spread: int, shape: tuple[int, ...] = (SIZE, SIZE)) -> Grid:
    return chance.noise(shape, spread).astype(np.int64)


def _blur(values: Grid, *sides: int) -> Grid:
    """Means of boxes of these sides, one an axis, around every position; borders are joined."""
    for axis, side in enumerate(sides):
        if side > 1:
            before = np.take(values, range(-(side // 2), 0), axis)
            after = np.take(values, range((side - 1) // 2), axis)
            sums = np.cumsum(np.concatenate([before, values, after], axis), axis)
            first = np.take(sums, range(side - 1, sums.shape[axis]), axis)
            second = np.take(sums, range(sums.shape[axis] - side), axis)
            second = np.concatenate([np.zeros_like(np.take(sums, [0], axis)), second], axis)
            values = (first - second) // side
    return values


def _waves(chance: Chance) -> Grid:
    """Two systems of rings whose spacing shrinks outward until the grid no longer resolves it."""
    values = np.full((SIZE, SIZE), 90, np.int64)
    for _ in range(2):
        x, y = chance.between(-14, SIZE + 14), chance.between(-14, SIZE + 14)
        flat = chance.between(70, 130)
        rings = ((_X - x) ** 2 + (_Y - y) ** 2 * flat // 100) * chance.between(12, 20) // 2
        values += 24 * _COS[rings % _TURNS] // _ONE
    return values + _noise(chance, 6)


def _smoothed(
    values: Grid, ellipse: Ellipse, along: Grid, across: Grid, weight: Grid, chance: Chance
) -> Grid:
    """The texture is blurred where the defect is."""
    return values + (_blur(_blur(values, 5, 5), 3, 3) - values) * weight // 256


def _strokes(chance: Chance) -> Grid:
    """Brush strokes, nearly upright."""
    values = _blur(_noise(chance, 127), 11, 1)
    slant = chance.between(-40, 40)
    columns = (_X + (_Y * slant) // 256) % SIZE
    return chance.between(95, 125) + values[_Y, columns] * chance.between(150, 190) // 100


def _line(
    values: Grid, ellipse: Ellipse, along: Grid, across: Grid, chance: Chance, grey: int, share: int
) -> Grid:
    """A thin bent line from one end of the ellipse to the other, `share` of 256 of it grey."""
    bend = chance.between(-ellipse.across, ellipse.across) * _FINE * 7 // 10
    length = ellipse.along * _FINE
    curve = bend - 2 * bend * along**2 // length**2
    distance = np.abs(across - curve)
    weight = np.clip(2 * _FINE - distance, 0, _FINE) * share // 256
    weight[np.abs(along) > length] = 0
    return values + (grey - values) * weight // _FINE


def _scratched(
    values: Grid, ellipse: Ellipse, along: Grid, across: Grid, weight: Grid, chance: Chance
) -> Grid:
    """A thin dark bent line."""
    return _line(values, ellipse, along, across, chance, 15, 220)


def _clouds(chance: Chance) -> Grid:
    """Cloudy bands, lying, with a soft shade across."""
    fine = _blur(_noise(chance, 127), 2, 6)
    coarse = _blur(_blur(_noise(chance, 127), 7, 13), 5, 7)
    shade = _blur(_noise(chance, 127, (1, SIZE)), 1, 13) // 2
    return 120 + fine * 120 // 100 + 4 * coarse + shade


def _spotted(
    values: Grid, ellipse: Ellipse, along: Grid, across: Grid, weight: Grid, chance: Chance
) -> Grid:
    """A few bright flecks near the long axis."""
    values = values.copy()
    reach = ellipse.along * _FINE * 6 // 10
    for _ in range(5):
        u = chance.between(-reach, reach)
        v = chance.between(-_FINE, _FINE)
        near = (along - u) ** 2 + (across - v) ** 2
        share = np.clip(256 - 256 * near // (2 * _FINE) ** 2, 0, 256)
        values += (235 - values) * share // 256
    return values


def _creases(chance: Chance) -> Grid:
    """Folds that run together in the middle, lit from one side."""
    dx, dy = _X - SIZE // 2 - chance.between(-3, 3), _Y - SIZE // 2 - chance.between(-3, 3)
    turn = np.rint(np.arctan2(dy, dx) * (_TURNS / (2 * np.pi))).astype(np.int64) % _TURNS
    far = dx**2 + dy**2
    folds = np.zeros(_TURNS, np.int64)
    ends = np.zeros(_TURNS, np.int64)
    for _ in range(48):
        at, width = chance.between(0, _TURNS - 1), chance.between(5, 11)
        spots = np.arange(at - width, at + width + 1) % _TURNS
        folds[spots] = chance.between(15, 45) * np.arange(-width, width + 1) // width
        ends[spots] = chance.between(8, 46) ** 2
    values = chance.between(160, 190) + np.where(far < ends[turn], folds[turn], 0)
    centre = np.clip(256 - 8 * far, 0, 256)
    return _blur(values + (70 - values) * centre // 256 + _noise(chance, 12), 2, 2)


def _cracked(
    values: Grid, ellipse: Ellipse, along: Grid, across: Grid, weight: Grid, chance: Chance
) -> Grid:
    """A thin line, somewhat darker."""
    return _line(values, ellipse, along, across, chance, 105, 200)


def _grain(chance: Chance) -> Grid:
    """Fine grain over soft clouds."""
    return _clouded(chance) + _blur(_noise(chance, 100), 2, 2)


def _clouded(chance: Chance) -> Grid:
    return 118 + 3 * _blur(_blur(_noise(chance, 127), 11, 11), 7, 7)


def _regrown(
    values: Grid, ellipse: Ellipse, along: Grid, across: Grid, weight: Grid, chance: Chance
) -> Grid:
    """The grain runs in another way, no brighter and no darker."""
    other = _blur(_noise(chance, 127), 1, 5)[_Y, (_X + _Y) % SIZE]  # drawn out, then sheared
    flat = _blur(_blur(values, 5, 5), 5, 5)
    return values + (flat + other - values) * weight // 256


def _speckle(chance: Chance) -> Grid:
    """Coarse speckle, nearly black and white."""
    return 105 + _blur(_noise(chance, 127), 3, 2) * chance.between(300, 380) // 100


def _darkened(
    values: Grid, ellipse: Ellipse, along: Grid, across: Grid, weight: Grid, chance: Chance
) -> Grid:
    """A long band in which most of the white is gone."""
    return values - chance.between(55, 85) * weight // 256


# Of each problem: the texture, the defect, and the range of both half axes of its ellipse.
_MAKERS = (
    (_waves, _smoothed, ((7, 11), (5, 9))),
    (_strokes, _scratched, ((8, 12), (4, 7))),
    (_clouds, _spotted, ((5, 10), (4, 5))),
    (_creases, _cracked, ((8, 12), (3, 5))),
    (_grain, _regrown, ((6, 10), (5, 8))),
    (_speckle, _darkened, ((14, 28), (4, 6))),
)
