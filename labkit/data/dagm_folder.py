"""Surfaces with defects on disk, in three layouts: found, checked and split.

DAGM's public set: 1,000 good surfaces and 150 defective ones a problem, one ellipse a defect.

    Class1/1.png                 good
    Class1_def/1.png             defective
    Class1_def/labels.txt        a line each: name, half axes, turn, centre x, centre y

DAGM's competition set: ten problems, split by its authors, with masks.

    Class1/Train/0576.PNG        good, unless it has a mask
    Class1/Train/Label/0576_label.PNG
    Class1/Test/…                the same

Magnetic tiles (Huang et al., 2020): five kinds of defect and tiles free of any, with masks.

    MT_Crack/Imgs/NAME.jpg       a tile
    MT_Crack/Imgs/NAME.png       its mask, empty where there is no defect
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from labkit.data.reading import check_folder, opened_picture, read_lines
from labkit.errors import InputError

FREE = "MT_Free"
SHARES = {"train": (0.0, 0.7), "validation": (0.7, 0.85), "test": (0.85, 1.0)}
SHARES_OF_TRAIN = {"train": (0.0, 0.85), "validation": (0.85, 1.0)}  # the test set is apart


class Ellipse(NamedTuple):
    """The truth of DAGM's public set, in pixels; `turn` in radians from the x axis to the y axis,
    which points down."""

    along: float
    across: float
    turn: float
    x: float
    y: float


class Surface(NamedTuple):
    """A picture, whether it is defective, and where that is written: in a mask or an ellipse."""

    picture: Path
    defective: bool
    truth: Path | Ellipse | None


def read_index(root: Path, problem: int | None, split: str, seed: int) -> list[Surface]:
    """The surfaces of a split, in a seeded order, good and defective ones mixed.

    The competition set has a test split of its own; what it gives to train on is split 85 to 15.
    The others are split 70, 15 and 15 percent. Good and defective surfaces are split apart, so that
    all parts have the same share of defects.

    Args:
        root: a folder in one of the three layouts.
        problem: 1 and up; of the tiles, the kinds of defect in order of their names. None for all.
        split: "train", "validation" or "test".
        seed: of the split and of the order.

    Raises:
        InputError: the folder has none of the layouts, or not this problem; or a file is missing or
            a line wrong, which the message names.
    """
    chosen = []
    for number in problems(root) if problem is None else [problem]:
        surfaces, shares = _read_problem(root, number, split)
        chosen += _part(surfaces, shares[split], seed)
    if not chosen:
        raise InputError(f"{root} leaves no surface for {split}, expected some more pictures")
    return _shuffled(chosen, seed)


def read_sample(surface: Surface) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A picture in grey, uint8 [H,W], and where its defect is, bool [H,W].

    Raises:
        InputError: a file cannot be read, or the mask is of another size.
    """
    picture = _open(surface.picture)
    if surface.truth is None:
        return picture, np.zeros(picture.shape, bool)
    if isinstance(surface.truth, Ellipse):
        return picture, inside(surface.truth, picture.shape)
    mask = _open(surface.truth)
    if mask.shape != picture.shape:
        raise InputError(
            f"{surface.truth} is {mask.shape[0]}x{mask.shape[1]} pixels and the picture "
            f"{picture.shape[0]}x{picture.shape[1]}, expected the same size"
        )
    return picture, mask > 127


def inside(ellipse: Ellipse, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels [H,W] whose centres lie in an ellipse or on its border."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    dx, dy = x - ellipse.x, y - ellipse.y
    cos, sin = math.cos(ellipse.turn), math.sin(ellipse.turn)
    along, across = dx * cos + dy * sin, dy * cos - dx * sin
    return (along / ellipse.along) ** 2 + (across / ellipse.across) ** 2 <= 1


def problems(root: Path) -> list[int]:
    """Which problems a folder holds, from 1 up.

    Raises:
        InputError: there is no such folder, or it has none of the layouts.
    """
    check_folder(root)
    kinds = _tile_kinds(root)
    if kinds:
        return list(range(1, len(kinds) + 1))
    found = [
        int(folder.name.removeprefix("Class"))
        for folder in root.glob("Class*")
        if folder.name.removeprefix("Class").isdecimal()
    ]
    if not found:
        raise InputError(
            f"{root} holds none of Class1, Class1_def and MT_*: expected DAGM's public set, DAGM's "
            "competition set, or magnetic tiles, or take root='builtin'"
        )
    return sorted(found)


def _read_problem(
    root: Path, problem: int, split: str
) -> tuple[list[Surface], dict[str, tuple[float, float]]]:
    known = problems(root)
    if problem not in known:
        raise InputError(
            f"problem={problem}, but {root} holds the problems {', '.join(map(str, known))}"
        )
    if kinds := _tile_kinds(root):
        # Good tiles belong to no kind: dealt out in turn, none serves two problems.
        free = _pictures(root / FREE / "Imgs", ".jpg")[problem - 1 :: len(kinds)]
        tiles = _pictures(kinds[problem - 1] / "Imgs", ".jpg")
        return [_read_tile(tile) for tile in [*free, *tiles]], SHARES
    folder = root / f"Class{problem}"
    if (folder / "Train").is_dir():
        if split == "test":
            return _read_competition(folder / "Test"), {"test": (0.0, 1.0)}
        return _read_competition(folder / "Train"), SHARES_OF_TRAIN
    return _read_public(root, problem), SHARES


def _tile_kinds(root: Path) -> list[Path]:
    return [kind for kind in sorted(root.glob("MT_*")) if kind.name != FREE and kind.is_dir()]


def _read_tile(picture: Path) -> Surface:
    mask = picture.with_suffix(".png")
    if not mask.is_file():
        raise InputError(f"{picture} has no mask {mask.name} beside it")
    return Surface(picture, bool((_open(mask) > 127).any()), mask)


def _read_competition(folder: Path) -> list[Surface]:
    surfaces = []
    pictures = _pictures(folder, ".png")
    for picture in pictures:
        mask = folder / "Label" / f"{picture.stem}_label{picture.suffix}"
        truth = mask if mask.is_file() else None
        surfaces.append(Surface(picture, truth is not None, truth))
    masks = {path.stem.removesuffix("_label") for path in _files(folder / "Label", ".png")}
    if lost := sorted(masks - {picture.stem for picture in pictures}):
        raise InputError(f"{folder}/Label has a mask of {lost[0]}, which {folder} does not hold")
    return surfaces


def _read_public(root: Path, problem: int) -> list[Surface]:
    good, bad = root / f"Class{problem}", root / f"Class{problem}_def"
    ellipses = read_ellipses(bad / "labels.txt")
    pictures = {picture.stem: picture for picture in _pictures(bad, ".png")}
    if lost := sorted(ellipses.keys() ^ pictures.keys()):
        raise InputError(
            f"{bad}: {lost[0]} is in labels.txt or among the pictures, but not in both"
        )
    surfaces = [Surface(picture, False, None) for picture in _pictures(good, ".png")]
    return surfaces + [Surface(pictures[name], True, ellipses[name]) for name in pictures]


def read_ellipses(path: Path) -> dict[str, Ellipse]:
    """The ellipses of a `labels.txt` by the name of the picture, without its ending.

    A line holds the picture's name or number, the half axes, the turn, and x and y of the centre,
    separated by blanks or tabs. Copies of the set differ in the unit of the turn: where any number
    of the file is beyond a full turn in radians, all are taken for degrees.

    Raises:
        InputError: the file is missing, or a line does not hold these; names file and line.
    """
    if not path.is_file():
        raise InputError(f"there is no {path}: expected one ellipse a line for each picture there")
    found: dict[str, Ellipse] = {}
    for number, line in enumerate(read_lines(path), start=1):
        words = line.split()
        if not words:
            continue
        name = words[0].lower().removesuffix(".png").removesuffix(".")
        try:
            ellipse = Ellipse(*map(float, words[1:]))
        except (TypeError, ValueError):
            ellipse = Ellipse(*[math.nan] * 5)
        if not (all(map(math.isfinite, ellipse)) and min(ellipse[:2]) > 0):
            raise InputError(
                f"{path}, line {number}: {line.strip()!r}, expected a name and five numbers: two "
                "positive half axes, the turn, x and y"
            )
        if name in found:
            raise InputError(f"{path}, line {number}: {words[0]} has a line already")
        found[name] = ellipse
    if any(abs(ellipse.turn) > 2 * math.pi for ellipse in found.values()):
        return {n: e._replace(turn=math.radians(e.turn)) for n, e in found.items()}
    return found


def _pictures(folder: Path, ending: str) -> list[Path]:
    """The pictures of a folder, in order of their numbers where they have any.

    Raises:
        InputError: there is no such folder, or no picture in it.
    """
    found = _files(folder, ending)
    if not found:
        raise InputError(f"{folder} holds no pictures *{ending}, expected some")
    return found


def _files(folder: Path, ending: str) -> list[Path]:
    files = [path for path in folder.glob("*") if path.suffix.lower() == ending]
    return sorted(files, key=lambda p: (int(p.stem) if p.stem.isdecimal() else 0, p.name))


def _part(surfaces: Sequence[Surface], share: tuple[float, float], seed: int) -> list[Surface]:
    """A share of the good surfaces, and of the defective ones, by a seeded draw."""
    chosen = []
    for kind in (False, True):
        some = _shuffled([s for s in surfaces if s.defective is kind], seed)
        start, end = (round(len(some) * end) for end in share)
        chosen += some[start:end]
    return chosen


def _shuffled(surfaces: Sequence[Surface], seed: int) -> list[Surface]:
    generator = torch.Generator().manual_seed(seed)
    return [surfaces[i] for i in torch.randperm(len(surfaces), generator=generator).tolist()]


def _open(path: Path) -> NDArray[np.uint8]:
    with opened_picture(path) as picture:
        return np.asarray(picture.convert("L"))
