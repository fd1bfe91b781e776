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
    """One side of a map after a layer, in positions; less than 1 where nothing is left.

    In the image, position i stands for the `step` pixels from `start + step * i` on.
    """

    name: str
    size: int
    start: float = 0
    step: int = 1

    @property
    def span(self) -> tuple[float, float]:
        """Where the map begins and ends in the image, in pixels; it may reach beyond it."""
        return self.start, self.start + self.step * max(self.size, 0)


@dataclass(frozen=True)
class Cut:
    """A crop: positions `start` to `start + wanted` out of `size`.

    `origin` is the pixel of the image where it begins, and `step` the pixels of a position.
    """

    name: str
    start: int
    wanted: int
    size: int
    origin: float = 0
    step: int = 1

    @property
    def missing(self) -> int:
        """By how much the map is too short; 0 if the crop lies inside."""
        return max(0, self.start + self.wanted - self.size)

    @property
    def span(self) -> tuple[float, float, float]:
        """In pixels of the image: where the crop begins, where its map ends it, and the rest."""
        end = self.origin + self.step * max(0, self.wanted - self.missing)
        return self.origin, end, float(self.step * self.missing)


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
    first = 1 - padding  # the pixel of the image under position 0 of conv1_1
    stages = [Stage("input", side), Stage("conv1_1", side + 2 * padding - 2, first)]
    for i in range(1, 6):
        stages.append(Stage(f"pool{i}", (stages[-1].size + ceil_mode) // 2, first, 2**i))
    stages.append(Stage("fc6", stages[-1].size - 6, first + 3 * 32, 32))
    tail = _tail_32s if network == "fcn32s" else _tail_8s
    more, cuts = tail({stage.name: stage for stage in stages})
    return Trace((*stages, *more), cuts)


def _tail_32s(stages: dict[str, Stage]) -> tuple[tuple[Stage, ...], tuple[Cut, ...]]:
    up = _enlarged("upscore", stages["fc6"], 64, 32)
    return (up,), (_cut("upscore", stages["input"].size, up),)


def _tail_8s(stages: dict[str, Stage]) -> tuple[tuple[Stage, ...], tuple[Cut, ...]]:
    up1 = _enlarged("upscore1", stages["fc6"], 4, 2)
    up2 = _enlarged("upscore2", up1, 4, 2)
    up3 = _enlarged("upscore3", up2, 16, 8)
    cuts = (
        _cut("score_pool4", up1.size, stages["pool4"]),
        _cut("score_pool3", up2.size, stages["pool3"]),
        _cut("upscore3", stages["input"].size, up3),
    )
    return (up1, up2, up3), cuts


def _cut(name: str, wanted: int, of: Stage) -> Cut:
    start = CROP[name]
    return Cut(name, start, max(wanted, 0), of.size, of.start + of.step * start, of.step)


def _enlarged(name: str, before: Stage, kernel: int, stride: int) -> Stage:
    """One side after a transposed convolution, whose first outputs lie before its first input."""
    step = before.step // stride
    start = before.start - step * (kernel - stride) / 2
    return Stage(name, (before.size - 1) * stride + kernel, start, step)


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
