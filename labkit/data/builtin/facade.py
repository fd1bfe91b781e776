"""The built-in facades: house fronts with all twelve classes, drawn by a split grammar.

All arithmetic is on integers and all chance comes from the raw PCG64 stream, so the set is the
same on every machine, byte for byte. All 400 take a few seconds, once a process.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labkit.data.builtin.chance import Chance
from labkit.data.builtin.facade_grammar import draw
from labkit.data.builtin.facade_parts import CLASSES, SIZE

__all__ = ["CLASSES", "COUNT", "SIZE", "Scenes", "Split", "scenes"]

Split = Literal["train", "validation", "test"]

COUNT: dict[Split, int] = {"train": 280, "validation": 40, "test": 80}
_SEED: dict[Split, int] = {"train": 11, "validation": 12, "test": 13}


class Scenes(NamedTuple):
    """One split: pictures uint8 [n,192,192,3] and labels uint8 [n,192,192], 0 to 11."""

    pictures: NDArray[np.uint8]
    labels: NDArray[np.uint8]


@cache
def scenes(split: Split, count: int | None = None) -> Scenes:
    """The first `count` facades of a split; None for all. Read-only, since all share them."""
    n = COUNT[split] if count is None else min(count, COUNT[split])
    drawn = [draw(Chance(_SEED[split], i)) for i in range(n)]
    made = Scenes(np.stack([p for p, _ in drawn]), np.stack([labels for _, labels in drawn]))
    for array in made:
        array.setflags(write=False)
    return made
