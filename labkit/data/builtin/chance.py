"""Whole numbers from the raw PCG64 stream, which numpy keeps the same for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class Chance:
    """Draws for one picture; the same on every machine.

    Args:
        seed: whole numbers that name the stream, for instance of the split and the picture.
    """

    def __init__(self, *seed: int) -> None:
        self._stream = np.random.PCG64(list(seed))

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self._stream.random_raw()) % (high - low + 1)

    def often(self, percent: int) -> bool:
        """True so many times in a hundred."""
        return self.between(1, 100) <= percent

    def one_of(self, choices: Sequence[T]) -> T:
        """One of a few, all equally likely."""
        return choices[self.between(0, len(choices) - 1)]

    def noise(self, shape: tuple[int, ...], spread: int) -> NDArray[np.int16]:
        """Independent whole numbers from -spread to spread, in an array."""
        count = int(np.prod(shape))
        raw = self._stream.random_raw((count + 7) // 8).view(np.uint8)[:count]
        return (raw.astype(np.int16) % (2 * spread + 1) - spread).reshape(shape)
