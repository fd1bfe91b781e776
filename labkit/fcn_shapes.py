"""How long a side is at every stage of an FCN, and where the crop falls: whole numbers only.

An FCN on VGG-16 pads its input by 100 pixels, halves it five times, takes a 7x7 window off, and
enlarges what is left; then it cuts the size of the input out of the middle. Height and width go
through the same arithmetic, each by itself.

Source: Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR
2015, and its public code, from which padding and crops are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labkit.errors import InputError

Network = Literal["fcn32s", "fcn8s"]
NETWORKS: tuple[Network, ...] = ("fcn32s", "fcn8s")

PADDING = 100  # of conv1_1
CROP = {"upscore": 19, "score_pool4": 5, "score_pool3": 9, "upscore3": 31}


@dataclass(frozen=True)
class Stage:
    """One side of a map after a layer, in positions; less than 1 where nothing is left."""

    name: str
    size: int


@dataclass(frozen=True)
class Cut:
    """A crop: positions `start` to `start + wanted` out of `size`."""

    name: str
    start: int
    wanted: int
    size: int

    @property
    def missing(self) -> int:
        """By how much the map is too short; 0 if the crop lies inside."""
        return max(0, self.start + self.wanted - self.size)


@dataclass(frozen=True)
class Trace:
    """One side of an image on its way through a network: its stages, and its crops."""

    stages: tuple[Stage, ...]
    cuts: tuple[Cut, ...]

    @property
    def works(self) -> bool:
        """Whether a map of the size of the input comes out."""
        return all(stage.size > 0 for stage in self.stages) and not any(
            cut.missing for cut in self.cuts
        )


def trace(
    side: int, network: Network = "fcn32s", *, padding: int = PADDING, ceil_mode: bool = False
) -> Trace:
    """Follow one side of an image, in pixels, through FCN-32s or FCN-8s.

    Args:
        side: height or width of the image, at least 1.
        network: "fcn32s" or "fcn8s".
        padding: of `conv1_1`, at either end.
        ceil_mode: whether the pooling layers round up, as in the original code; torch's round down.

    Raises:
        InputError: the side is less than 1, or there is no such network.
    """
    if side < 1:
        raise InputError(f"a side of {side} pixels, expected at least 1")
    if network not in NETWORKS:
        raise InputError(f"network={network!r}, expected one of {', '.join(NETWORKS)}")
    stages = [Stage("input", side), Stage("conv1_1", side + 2 * padding - 2)]
    for i in range(1, 6):
        stages.append(Stage(f"pool{i}", (stages[-1].size + ceil_mode) // 2))
    stages.append(Stage("fc6", stages[-1].size - 6))
    tail = _tail_32s if network == "fcn32s" else _tail_8s
    more, cuts = tail({stage.name: stage.size for stage in stages})
    return Trace((*stages, *more), cuts)


def _tail_32s(sizes: dict[str, int]) -> tuple[tuple[Stage, ...], tuple[Cut, ...]]:
    up = Stage("upscore", _enlarged(sizes["fc6"], 64, 32))
    return (up,), (Cut("upscore", CROP["upscore"], sizes["input"], up.size),)


def _tail_8s(sizes: dict[str, int]) -> tuple[tuple[Stage, ...], tuple[Cut, ...]]:
    ups = [Stage("upscore1", _enlarged(sizes["fc6"], 4, 2))]
    ups.append(Stage("upscore2", _enlarged(ups[0].size, 4, 2)))
    ups.append(Stage("upscore3", _enlarged(ups[1].size, 16, 8)))
    cuts = (
        Cut("score_pool4", CROP["score_pool4"], ups[0].size, sizes["pool4"]),
        Cut("score_pool3", CROP["score_pool3"], ups[1].size, sizes["pool3"]),
        Cut("upscore3", CROP["upscore3"], sizes["input"], ups[2].size),
    )
    return tuple(ups), cuts


def _enlarged(size: int, kernel: int, stride: int) -> int:
    """One side after a transposed convolution."""
    return (size - 1) * stride + kernel


def works(side: int, network: Network = "fcn32s", *, ceil_mode: bool = False) -> bool:
    """Whether a network gives a map of the size of the image for this height or width."""
    return trace(side, network, ceil_mode=ceil_mode).works


def nearest_that_work(
    side: int, network: Network = "fcn32s", *, ceil_mode: bool = False
) -> tuple[int, ...]:
    """The next smaller and the next larger side that work, or only the larger one."""
    smaller = (s for s in range(side, 0, -1) if works(s, network, ceil_mode=ceil_mode))
    found = {next(smaller, None), next_that_works(side, network, ceil_mode=ceil_mode)}
    return tuple(sorted(s for s in found if s is not None))


def next_that_works(side: int, network: Network = "fcn32s", *, ceil_mode: bool = False) -> int:
    """The smallest side that works and is no shorter than this one."""
    while not works(side, network, ceil_mode=ceil_mode):
        side += 1
    return side
