"""The split grammar of the built-in facades: each rule cuts its box and hands on the parts.

A scene is cut into sky, house and street; the house into floors; a floor into bays; a bay into a
window with what belongs to it. A style, drawn once a house, decides colours, ornaments and rhythm.
Colours hardly tell the classes apart: cornices, mouldings, sills, pillars and ornaments are cut
from the same stone, shop windows and windows have the same glass. Form and place do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labkit.data.builtin.chance import Chance
from labkit.data.builtin.facade_parts import (
    BACKGROUND,
    BALCONY,
    BLIND,
    CORNICE,
    DECO,
    DOOR,
    FACADE,
    MOLDING,
    PILLAR,
    SHOP,
    SILL,
    SIZE,
    WINDOW,
    Box,
    Canvas,
    Colour,
    Style,
    inside,
    shade,
)


def draw(chance: Chance) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One facade: picture uint8 [192,192,3] and labels uint8 [192,192]."""
    canvas = Canvas(chance, _style(chance))
    house = Box(
        chance.between(8, 34),
        SIZE - chance.between(5, 18),
        chance.one_of([0, chance.between(4, 26)]),
        SIZE - chance.one_of([0, chance.between(4, 26)]),
    )
    _surroundings(canvas, house)
    _house(canvas, house)
    _street(canvas, house)
    return _lit(canvas), canvas.labels


def _style(chance: Chance) -> Style:
    wall = _paint(chance)
    lighter = chance.between(14, 70) * (1 if sum(wall) < 480 or chance.often(30) else -1)
    stone = shade(wall if chance.often(55) else (190, 180, 165), lighter)
    dark = chance.between(25, 95)
    glass = (dark, dark + chance.between(0, 18), dark + chance.between(5, 35))
    paint = chance.one_of(
        [(70, 45, 30), (40, 70, 50), (110, 110, 112), (60, 70, 95), (120, 60, 45)]
    )
    return Style(
        wall=wall,
        stone=stone,
        glass=glass,
        frame=chance.one_of([(225, 222, 214), (90, 62, 42), (60, 60, 64), (240, 240, 238)]),
        wood=shade(paint, chance.between(-20, 40)),
        iron=chance.one_of([(45, 45, 48), (70, 72, 70), (150, 150, 146), stone]),
        bricks=chance.often(25),
        stone_base=chance.often(45),
        courses=chance.often(50),
        pillars=chance.one_of(["none", "none", "all", "edges", "pairs"]),
        molding=chance.one_of(["none", "flat", "flat", "gable", "arch", "frame"]),
        sills=chance.often(75),
        blinds=chance.one_of(["none", "shutters", "shutters", "rollers"]),
        balconies=chance.one_of(["none", "middle", "row", "scattered", "scattered"]),
        ornaments=chance.one_of(["none", "panels", "panels", "medallions", "keystones"]),
        panes=chance.one_of(["cross", "halves", "plain", "grid"]),
        window_wide=chance.between(36, 58),
        window_high=chance.between(46, 66),
        slender=chance.between(55, 105),
        arched=chance.often(25),
        shops=chance.often(60),
    )


def _paint(chance: Chance) -> Colour:
    """The colour of a wall: plaster, brick or stone."""
    base = chance.one_of(
        [
            (205, 190, 150),
            (214, 204, 186),
            (178, 96, 72),
            (150, 84, 66),
            (172, 168, 160),
            (222, 196, 120),
            (196, 160, 140),
            (150, 168, 150),
            (170, 182, 196),
            (228, 224, 216),
        ]
    )
    return (
        base[0] + chance.between(-16, 16),
        base[1] + chance.between(-16, 16),
        base[2] + chance.between(-16, 16),
    )


def _surroundings(canvas: Canvas, house: Box) -> None:
    """Sky, the neighbours' walls and the roof: all of it background."""
    chance = canvas.chance
    sky = chance.one_of([(150, 185, 225), (205, 210, 216), (120, 160, 210), (225, 226, 228)])
    for row in range(SIZE):
        canvas.picture[row] = shade(sky, row * 40 // SIZE - 10)
    for side in (Box(0, SIZE, 0, house.left), Box(0, SIZE, house.right, SIZE)):
        if side.width > 0 and chance.often(75):
            wall = side._replace(top=chance.between(4, 80))
            canvas.fill(wall, _paint(chance))
            for row in range(wall.top + 12, SIZE - 20, 34):
                pane = Box(row, row + 16, side.left + side.width // 3, side.right - side.width // 4)
                canvas.fill(pane, canvas.style.glass)
    if chance.often(55):
        _roof(canvas, house)


def _roof(canvas: Canvas, house: Box) -> None:
    """Tiles above the eaves, sloping in from both ends, perhaps with chimneys."""
    chance = canvas.chance
    tiles = chance.one_of([(120, 66, 52), (84, 78, 76), (140, 82, 60)])
    height = min(house.top - 2, chance.between(8, 22))
    for i in range(height):
        row = house.top - 1 - i
        slope = Box(row, row + 1, house.left + i, house.right - i)
        canvas.fill(slope, shade(tiles, -14 if i % 3 == 0 else 0))
    for _ in range(chance.between(0, 3)):
        at = chance.between(house.left + 20, house.right - 26)
        canvas.fill(
            Box(house.top - height - 6, house.top - height + 3, at, at + 6), shade(tiles, 20)
        )


def _house(canvas: Canvas, house: Box) -> None:
    """The wall, cut into an eaves cornice, upper floors and a ground floor."""
    chance, style = canvas.chance, canvas.style
    canvas.fill(house, style.wall, FACADE)
    if style.bricks:
        _bricks(canvas, house)
    eaves = chance.between(5, 11)
    body = house._replace(top=house.top + eaves)
    floors = body.rows(*[10] * chance.one_of([1, 2, 2, 3, 3, 4]), chance.between(11, 15))
    rhythm = _rhythm(chance, body.width)
    for number, floor in enumerate(floors[:-1]):
        _floor(canvas, floor, rhythm, number, len(floors) - 1)
    _ground_floor(canvas, floors[-1], rhythm)
    _pillars(canvas, floors, rhythm)
    for floor in floors[1:-1] if style.courses else []:
        height = chance.between(3, 5)
        canvas.stone(Box(floor.top - 1, floor.top - 1 + height, house.left, house.right), CORNICE)
    _eaves(canvas, Box(house.top, house.top + eaves, house.left, house.right))
    if style.shops or chance.often(60):
        line = floors[-1].top
        canvas.stone(Box(line - 3, line + 2, house.left, house.right), CORNICE, shadow=2)


def _rhythm(chance: Chance, width: int) -> tuple[int, ...]:
    """Widths of the bays, the same from either end."""
    n = max(2, min(6, width // chance.between(30, 52)))
    outer, inner = chance.between(8, 12), chance.between(8, 12)
    weights = [outer if i in (0, n - 1) else inner for i in range(n)]
    if n % 2:
        weights[n // 2] = chance.between(10, 15)
    return tuple(weights)


def _bricks(canvas: Canvas, wall: Box) -> None:
    joint = shade(canvas.style.wall, canvas.chance.between(14, 34))
    for i, row in enumerate(range(wall.top, wall.bottom, 4)):
        canvas.fill(Box(row, row + 1, wall.left, wall.right), joint)
        for column in range(wall.left + 4 * (i % 2), wall.right, 8):
            canvas.fill(Box(row, row + 4, column, column + 1), joint)


def _eaves(canvas: Canvas, box: Box) -> None:
    """The cornice at the top, often on brackets."""
    canvas.stone(box.grown(side=1), CORNICE, shadow=3)
    canvas.fill(box.rows(1, 1)[1]._replace(bottom=box.bottom - 1), shade(canvas.style.stone, -12))
    if canvas.chance.often(45):
        for left in range(box.left + 3, box.right - 3, canvas.chance.between(6, 11)):
            bracket = Box(box.top + box.height // 2, box.bottom, left, left + 2)
            canvas.fill(bracket, shade(canvas.style.stone, -34))


def _floor(canvas: Canvas, floor: Box, rhythm: tuple[int, ...], number: int, n_floors: int) -> None:
    """An upper floor: a window in every bay, balconies where the style wants them."""
    chance, style = canvas.chance, canvas.style
    bays = floor.columns(*rhythm)
    middle = {len(bays) // 2, (len(bays) - 1) // 2}
    main = number == n_floors - 1
    whole_row = style.balconies == "row" and main
    for i, bay in enumerate(bays):
        balcony = (
            whole_row
            or (style.balconies == "middle" and i in middle)
            or (style.balconies == "scattered" and chance.often(22))
        )
        _bay(canvas, bay, balcony=balcony, joined=whole_row)
    if whole_row:
        _railing(canvas, Box(floor.bottom - floor.height // 3, floor.bottom - 2, *floor[2:]))


def _bay(canvas: Canvas, bay: Box, *, balcony: bool, joined: bool) -> None:
    """A window in its wall, and round it what the style has: order is from back to front."""
    chance, style = canvas.chance, canvas.style
    high = bay.height * style.window_high // 100
    wide = min(style.window_wide, style.slender * high // bay.width)
    window = bay.middle(style.window_high, wide)
    if balcony:
        window = window._replace(bottom=bay.bottom - 4)
    if style.molding != "none":
        _molding(canvas, window)
    _window(canvas, window)
    if style.blinds == "rollers" and chance.often(55):
        _roller(canvas, window)
    if style.blinds == "shutters":
        _shutters(canvas, window, bay)
    if style.sills and not balcony:
        canvas.stone(
            Box(window.bottom, window.bottom + 3, window.left, window.right).grown(side=2), SILL
        )
    if style.ornaments != "none":
        _ornament(canvas, bay, window, balcony=balcony)
    if balcony and not joined:
        reach = min(chance.between(3, 7), (bay.width - window.width) // 2)
        railing = Box(bay.bottom - bay.height // 3, bay.bottom - 2, window.left, window.right)
        _railing(canvas, railing.grown(side=reach))


def _window(canvas: Canvas, box: Box, label: int = WINDOW) -> None:
    """Glass that mirrors a little sky, a frame, and bars."""
    style = canvas.style
    canvas.fill(box, style.glass, label)
    mirrored = box.rows(2, 3)[0]
    canvas.fill(mirrored, shade(style.glass, canvas.chance.between(4, 45)))
    bars = [box._replace(bottom=box.top + 1), box._replace(top=box.bottom - 1)]
    bars += [box._replace(right=box.left + 1), box._replace(left=box.right - 1)]
    centre, third = (box.left + box.right) // 2, box.top + box.height // 3
    if style.panes in ("cross", "halves", "grid"):
        bars.append(box._replace(left=centre, right=centre + 1))
    if style.panes in ("cross", "grid"):
        bars.append(box._replace(top=third, bottom=third + 1))
    if style.panes == "grid":
        low = box.top + 2 * box.height // 3
        bars.append(box._replace(top=low, bottom=low + 1))
    for bar in bars:
        canvas.fill(bar, style.frame)
    canvas.darken(box._replace(bottom=box.top + 2), 30)
    if style.arched and label == WINDOW and style.blinds == "none" and style.molding == "none":
        top = box._replace(bottom=box.top + box.width // 2)
        corners = ~_arch(top.height, top.width)
        canvas.paint(top, corners, style.wall, FACADE)


def _molding(canvas: Canvas, window: Box) -> None:
    """Stone over the window, or all round it."""
    style = canvas.style
    height = 4 + window.height // 12
    above = Box(window.top - height - 1, window.top - 1, window.left - 3, window.right + 3)
    if style.molding == "frame":
        canvas.fill(window.grown(3, 2, 3), style.stone, MOLDING)
        canvas.fill(window.grown(1, 1, 1), shade(style.stone, -28))
    elif style.molding == "flat":
        canvas.stone(above, MOLDING)
    else:
        curve = _gable if style.molding == "gable" else _arch
        above = above._replace(top=above.top - 3)
        canvas.paint(above, curve(above.height, above.width), style.stone, MOLDING)
        canvas.fill(above._replace(top=above.bottom - 1), shade(style.stone, -30))


def _gable(height: int, width: int) -> NDArray[np.bool_]:
    """A triangle that fills a box, [height,width]."""
    rows, columns = np.mgrid[:height, :width]
    return np.abs(2 * columns + 1 - width) * height <= (rows + 1) * width


def _arch(height: int, width: int) -> NDArray[np.bool_]:
    """The upper half of an ellipse that fills a box, [height,width]."""
    rows, columns = np.mgrid[:height, :width]
    across, up = 2 * columns + 1 - width, 2 * (height - rows) - 1
    return 4 * across**2 * height**2 + up**2 * width**2 <= 4 * width**2 * height**2


def _oval(height: int, width: int) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:height, :width]
    across, down = 2 * columns + 1 - width, 2 * rows + 1 - height
    return across**2 * height**2 + down**2 * width**2 <= width**2 * height**2


def _roller(canvas: Canvas, window: Box) -> None:
    """A blind let down over part of the glass."""
    colour = shade(canvas.style.wood, canvas.chance.between(40, 110))
    length = window.height * canvas.chance.between(30, 85) // 100
    blind = Box(window.top + 1, window.top + 1 + length, window.left + 1, window.right - 1)
    canvas.fill(blind, colour, BLIND)
    for row in range(blind.top, blind.bottom, 2):
        canvas.fill(blind._replace(top=row, bottom=row + 1), shade(colour, -18))


def _shutters(canvas: Canvas, window: Box, bay: Box) -> None:
    """A pair of slatted wings beside the window; now and then one is closed over it."""
    free = (bay.width - window.width) // 2 - 1
    wide = min(window.width // 2, free)
    if wide < 3:
        return
    left = Box(window.top, window.bottom, window.left - wide, window.left)
    right = left._replace(left=window.right, right=window.right + wide)
    if canvas.chance.often(12):
        left, right = window.columns(1, 1)
    for wing in (left, right):
        canvas.fill(wing, canvas.style.wood, BLIND)
        for row in range(wing.top + 1, wing.bottom - 1, 2):
            slat = Box(row, row + 1, wing.left + 1, wing.right - 1)
            canvas.fill(slat, shade(canvas.style.wood, -22))


def _ornament(canvas: Canvas, bay: Box, window: Box, *, balcony: bool) -> None:
    """Panels under windows, medallions between them, or keystones above."""
    style = canvas.style
    centre = (window.left + window.right) // 2
    if style.ornaments == "keystones" and window.top - bay.top > 8:
        box = Box(window.top - 7, window.top + 1, centre - 3, centre + 3)
        canvas.stone(box, DECO)
        canvas.fill(box.middle(50, 40), shade(style.stone, -40))
    elif style.ornaments == "panels" and not balcony and bay.bottom - window.bottom > 9:
        box = Box(window.bottom + 4, bay.bottom - 2, window.left + 1, window.right - 1)
        canvas.fill(box, shade(style.stone, -10), DECO)
        canvas.fill(box.middle(45, 70), shade(style.stone, -38))
    elif style.ornaments == "medallions":
        across = min(11, 2 * (window.left - bay.left) - 3)
        if across > 5 and style.blinds != "shutters":
            row = (window.top + window.bottom) // 2
            box = Box(row - 7, row + 7, bay.left - across // 2, bay.left + across // 2 + 1)
            canvas.paint(box, _oval(box.height, box.width), shade(style.stone, 8), DECO)
            inner = box.grown(-3, -3, -2)
            canvas.paint(inner, _oval(inner.height, inner.width), shade(style.stone, -36), DECO)


def _railing(canvas: Canvas, box: Box) -> None:
    """A balcony: rail, bars with what is behind them showing through, and a slab."""
    style = canvas.style
    where = inside(box)
    canvas.labels[where] = BALCONY
    canvas.picture[where] = canvas.picture[where] * 7 // 10 + np.array(style.iron) * 3 // 10
    for column in range(box.left, box.right, 3):
        canvas.fill(Box(box.top, box.bottom, column, column + 1), style.iron)
    canvas.fill(box._replace(bottom=box.top + 2), style.iron)
    canvas.fill(box._replace(top=box.bottom - 3), shade(style.stone, -12))
    canvas.darken(Box(box.bottom, box.bottom + 4, box.left, box.right), 30)


def _pillars(canvas: Canvas, floors: list[Box], rhythm: tuple[int, ...]) -> None:
    """Flat columns between bays, with base and capital, over the upper floors or all."""
    chance, style = canvas.chance, canvas.style
    if style.pillars == "none":
        return
    last = floors[-1] if chance.often(25) and not style.shops else floors[-2]
    shaft = Box(floors[0].top, last.bottom, floors[0].left, floors[0].right)
    bays = shaft.columns(*rhythm)
    edges = [shaft.left + 3, *(bay.right for bay in bays[:-1]), shaft.right - 3]
    chosen = {
        "all": edges,
        "edges": [edges[0], edges[-1]],
        "pairs": edges[1:-1:2] + edges[-2:0:-2],
    }[style.pillars]
    half = chance.between(2, 3)
    for middle in sorted(set(chosen)):
        column = Box(shaft.top, shaft.bottom, middle - half, middle + half)
        canvas.fill(column, style.stone, PILLAR)
        canvas.fill(column._replace(right=column.left + 1), shade(style.stone, 24))
        canvas.fill(column._replace(left=column.right - 1), shade(style.stone, -30))
        for top, bottom in ((column.top, column.top + 4), (column.bottom - 5, column.bottom)):
            canvas.stone(Box(top, bottom, column.left - 1, column.right + 1), PILLAR)


def _ground_floor(canvas: Canvas, floor: Box, rhythm: tuple[int, ...]) -> None:
    """A door in one bay; shops or windows in the others; often joints in the stone."""
    chance, style = canvas.chance, canvas.style
    if style.stone_base:
        canvas.fill(floor, shade(style.wall, -24))
        for row in range(floor.top + 5, floor.bottom, 6):
            canvas.fill(Box(row, row + 1, floor.left, floor.right), shade(style.wall, -52))
    bays = floor.columns(*rhythm)
    entrance = chance.one_of([0, len(bays) // 2, len(bays) - 1])
    awning = chance.one_of([(150, 40, 40), (40, 80, 60), (50, 60, 110), style.stone, style.wood])
    for i, bay in enumerate(bays):
        if i == entrance:
            _entrance(canvas, bay)
        elif style.shops and chance.often(80):
            _shop(canvas, bay, awning)
        else:
            _bay(canvas, bay.rows(1, 12)[1], balcony=False, joined=False)


def _entrance(canvas: Canvas, bay: Box) -> None:
    """A door of two wings, often with ornament above and pillars beside it."""
    chance, style = canvas.chance, canvas.style
    door = bay.middle(100, chance.between(42, 66))._replace(top=bay.top + bay.height * 30 // 100)
    if chance.often(50):
        for column in (
            Box(door.top - 3, bay.bottom, door.left - 5, door.left),
            Box(door.top - 3, bay.bottom, door.right, door.right + 5),
        ):
            canvas.fill(column, style.stone, PILLAR)
            canvas.fill(column._replace(left=column.right - 1), shade(style.stone, -30))
        canvas.stone(Box(door.top - 6, door.top, door.left - 7, door.right + 7), MOLDING)
    elif chance.often(60):
        box = Box(door.top - 11, door.top, door.left - 2, door.right + 2)
        canvas.paint(box, _arch(box.height, box.width), shade(style.stone, -8), DECO)
        inner = box.grown(-3, 0, -5)
        canvas.paint(inner, _arch(inner.height, inner.width), shade(style.stone, -38), DECO)
    canvas.fill(door, style.wood, DOOR)
    canvas.fill(door.rows(1, 4)[0].middle(60, 80), style.glass)
    for wing in door.columns(1, 1):
        canvas.fill(wing.rows(1, 4)[1].middle(84, 60), shade(style.wood, -24))
    canvas.fill(
        door._replace(left=(door.left + door.right) // 2, right=(door.left + door.right) // 2 + 1),
        shade(style.wood, -45),
    )


def _shop(canvas: Canvas, bay: Box, awning: Colour) -> None:
    """A large pane to near the ground under a sign or an awning; all of it is shop."""
    chance, style = canvas.chance, canvas.style
    front = bay.middle(100, 86)._replace(top=bay.top + bay.height * 14 // 100)
    sign, pane = front.rows(chance.between(2, 4), 10)
    _window(canvas, pane, SHOP)
    goods = pane.rows(3, 2)[1].grown(side=-2)
    for piece in goods.columns(*[1] * max(2, goods.width // 7)):
        colour = shade(_paint(chance), -60)
        canvas.fill(piece.middle(chance.between(30, 90), 60), colour)
    canvas.fill(sign, awning, SHOP)
    if chance.often(50):
        for column in range(sign.left + 3, sign.right - 3, 4):
            letter = Box(sign.top + sign.height // 3, sign.bottom - 2, column, column + 2)
            canvas.fill(letter, shade(awning, 90))
    elif chance.often(60):
        for column in range(sign.left, sign.right, 6):
            canvas.fill(Box(sign.top, sign.bottom, column, column + 3), shade(awning, 80))
    canvas.fill(front._replace(top=front.bottom - 3), shade(style.stone, -40))


def _stains(chance: Chance) -> NDArray[np.int32]:
    """Slow changes of brightness over the picture, [192,192]: a coarse grid, interpolated."""
    step = 32
    size = (SIZE // step + 1, SIZE // step + 1)
    grid = chance.noise(size, chance.between(2, 20)).astype(np.int32)
    near = np.arange(SIZE) // step
    share = (np.arange(SIZE, dtype=np.int32) % step)[:, None]
    rows = grid[near] * (step - share) + grid[near + 1] * share
    columns = rows[:, near] * (step - share.T) + rows[:, near + 1] * share.T
    return np.floor_divide(columns, step**2, dtype=np.int32)


def _street(canvas: Canvas, house: Box) -> None:
    """Pavement, and now and then a tree or a lamp post before the house: background."""
    chance = canvas.chance
    grey = chance.between(95, 150)
    canvas.fill(Box(house.bottom, SIZE, 0, SIZE), (grey, grey, grey - 4), BACKGROUND)
    canvas.fill(Box(house.bottom, house.bottom + 2, 0, SIZE), (grey - 40,) * 3)
    if chance.often(18):
        at = chance.between(20, SIZE - 20)
        canvas.fill(Box(70, SIZE - 2, at, at + 2), (50, 52, 50), BACKGROUND)
        canvas.fill(Box(64, 70, at - 3, at + 5), (215, 210, 190), BACKGROUND)
    if chance.often(15):
        _tree(canvas, chance.between(10, SIZE - 10), chance.between(120, 150))


def _tree(canvas: Canvas, column: int, row: int) -> None:
    """A trunk, and a crown of leaves with gaps."""
    chance = canvas.chance
    canvas.fill(Box(row, SIZE - 3, column, column + 3), (70, 58, 46), BACKGROUND)
    radius = chance.between(12, 20)
    crown = Box(row - radius, row + radius, column - radius, column + radius)
    if crown.left < 0 or crown.right > SIZE:
        return
    shape = _oval(crown.height, crown.width)
    green = chance.between(50, 100)
    canvas.paint(crown, shape, (green - 20, green, green - 40), BACKGROUND)
    sunny = shape & (chance.noise(shape.shape, 10) > 3)
    canvas.paint(crown, sunny, (green + 15, green + 40, green - 10), BACKGROUND)


def _lit(canvas: Canvas) -> NDArray[np.uint8]:
    """The picture under light of some colour, falling off to one side, with grain and haze."""
    chance = canvas.chance
    brightness = chance.between(205, 285)
    light = np.array([brightness + chance.between(-14, 14) for _ in range(3)], np.int32)
    slope = chance.between(-50, 50)
    across = 256 + slope * (np.arange(SIZE, dtype=np.int32) - SIZE // 2) // SIZE
    lit = canvas.picture.astype(np.int32) * light // 256 * across[None, :, None] // 256
    lit += chance.noise((SIZE, SIZE, 1), chance.between(3, 12))
    lit += chance.noise((SIZE, SIZE, 3), 4)
    lit += _stains(chance)[:, :, None]
    if chance.often(50):  # a soft lens: each pixel mixes with its neighbours
        beside = [np.roll(lit, by, axis) for axis in (0, 1) for by in (1, -1)]
        lit = (4 * lit + sum(beside)) // 8
    return np.clip(lit, 0, 255).astype(np.uint8)
