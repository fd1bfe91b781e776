"""Spatial transforms of images and of maps: the same call turns both in the same way.

Flips and quarter turns move values and change none. Halving averages squares of 2x2 values, which
is exact on the grid too. A turn by any other angle interpolates, and brings corners into view that
the image never showed; `valid_region` says which positions can be trusted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import rotate

from labkit.errors import InputError

Transform = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class HFlip:
    """Mirror left and right: [...,H,W] to the same shape."""

    def __call__(self, values: Tensor) -> Tensor:
        """Transform [...,H,W], images or maps."""
        return values.flip(-1)


@dataclass(frozen=True)
class VFlip:
    """Mirror top and bottom: [...,H,W] to the same shape. After an HFlip it is a half turn."""

    def __call__(self, values: Tensor) -> Tensor:
        """Transform [...,H,W], images or maps."""
        return values.flip(-2)


@dataclass(frozen=True)
class Rot90:
    """Quarter turns anticlockwise: [...,H,W] to [...,W,H], or to [...,H,W] for an even number.

    Args:
        turns: how many; negative numbers turn clockwise.
    """

    turns: int = 1

    def __call__(self, values: Tensor) -> Tensor:
        """Transform [...,H,W], images or maps."""
        return torch.rot90(values, self.turns, dims=(-2, -1))


@dataclass(frozen=True)
class Scale:
    """Resize by a factor, bilinearly: [...,H,W] to [...,ceil(f H),ceil(f W)].

    Rounding up agrees with the strided convolutions of ResNet, so that the maps of a halved image
    have the size of the halved maps, whatever the size of the image.

    Args:
        factor: above 0; 0.5 halves both sides.

    Raises:
        InputError: the factor is not a positive number.
    """

    factor: float = 0.5

    def __post_init__(self) -> None:
        if not (math.isfinite(self.factor) and self.factor > 0):
            raise InputError(f"the factor is {self.factor}, expected a positive number such as 0.5")

    def __call__(self, values: Tensor) -> Tensor:
        """Transform [...,H,W], images or maps."""
        height, width = (math.ceil(self.factor * side) for side in values.shape[-2:])
        return resize(values, (height, width))


@dataclass(frozen=True)
class Rotate:
    """Turn by an angle about the centre, bilinearly, zeros where nothing was: the shape stays.

    Args:
        degrees: anticlockwise.
    """

    degrees: float

    def __call__(self, values: Tensor) -> Tensor:
        """Transform [...,H,W], images or maps."""
        planes = values.reshape(-1, 1, *values.shape[-2:])
        turned = rotate(planes, self.degrees, InterpolationMode.BILINEAR)
        return turned.reshape(values.shape)


@dataclass(frozen=True)
class Compose:
    """Several transforms, the first one first. None at all leaves everything as it is.

    Args:
        transforms: the parts, in the order in which they act.
    """

    transforms: Sequence[Transform]

    def __call__(self, values: Tensor) -> Tensor:
        """Transform [...,H,W], images or maps."""
        for transform in self.transforms:
            values = transform(values)
        return values


def resize(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize [...,H,W] to (height, width) bilinearly, with half-pixel centres."""
    planes = values.reshape(-1, 1, *values.shape[-2:])
    resized = F.interpolate(planes, size=size, mode="bilinear", align_corners=False)
    return resized.reshape(*values.shape[:-2], *size)


def valid_region(transform: Transform, size: tuple[int, int]) -> Tensor:
    """Where a transformed map of (height, width) holds values of the map alone: bool [h',w'].

    All True for flips, quarter turns and scales.
    """
    seen: Tensor = transform(torch.ones(1, *size, dtype=torch.float64))
    return seen[0] > 1 - 1e-6


NAMED: dict[str, Transform] = {
    "scale": Scale(0.5),
    "hflip": HFlip(),
    "vflip": VFlip(),
    "rot90": Rot90(),
    "rot180": Rot90(2),
    "rot270": Rot90(3),
}


def by_name(name: str) -> Transform:
    """A transform by its name on the command line.

    Args:
        name: one of `NAMED`, or `rotateDEGREES`; several joined by "+" act one after the other.

    Raises:
        InputError: a part of the name is none of these.
    """
    parts = [_single(part) for part in name.split("+")]
    return parts[0] if len(parts) == 1 else Compose(parts)


def _single(name: str) -> Transform:
    if name in NAMED:
        return NAMED[name]
    if name.startswith("rotate"):
        try:
            degrees = float(name.removeprefix("rotate"))
        except ValueError:
            degrees = math.nan
        if math.isfinite(degrees):
            return Rotate(degrees)
    raise InputError(
        f"there is no transform {name!r}, expected {', '.join(NAMED)}, or rotate with an angle "
        "such as rotate15; join several with a plus, for instance vflip+hflip"
    )
