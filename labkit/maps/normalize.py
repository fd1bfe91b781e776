"""From maps in score units to maps in [0, 1]."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from labkit.errors import InputError

Normalization = Literal["minmax", "sigmoid", "relu"]


def normalize(maps: Tensor, how: Normalization = "minmax") -> Tensor:
    """Bring each map to [0, 1] by itself; a constant map becomes zeros, never NaN.

    Args:
        maps: maps [...,h,w] of a floating dtype.
        how: "minmax" takes the lowest value to 0 and the highest to 1; "relu" cuts negative values
            and divides by the highest; "sigmoid" squashes each value, 0 to one half, and knows no
            lowest or highest (so a constant map keeps its constant).

    Returns:
        Maps [...,h,w] in [0, 1].

    Raises:
        InputError: `how` is none of the three, or the maps are not of a floating dtype.
    """
    _require_floats(maps, "normalise first, turn into 8 bits last")
    if how == "sigmoid":
        return torch.sigmoid(maps)
    if how == "minmax":
        return _divide(maps - maps.amin(dim=(-2, -1), keepdim=True))
    if how == "relu":
        return _divide(F.relu(maps))
    raise InputError(f"how={how!r}, expected 'minmax', 'sigmoid' or 'relu'")


def _divide(maps: Tensor) -> Tensor:
    """Divide non-negative maps by their highest value, zeros where that is 0."""
    highest = maps.amax(dim=(-2, -1), keepdim=True)
    return torch.where(highest > 0, maps / highest.clamp_min(torch.finfo(maps.dtype).tiny), 0)


def emphasize(maps: Tensor, threshold: float = 0.3, gain: float = 1.5) -> Tensor:
    """For pictures: values below the threshold become 0, the rest is multiplied and cut at 1.

    Threshold and gain are document 001's. What is multiplied is no measurement any more: cut and
    compare maps before.

    Args:
        maps: maps [...,h,w] in [0, 1]; they stay as they are.
        threshold: values below it become 0.
        gain: what the others are multiplied by.

    Returns:
        New maps [...,h,w] in [0, 1].
    """
    return torch.where(maps < threshold, 0, maps * gain).clamp(max=1)


def scale_tanh(maps: Tensor, gamma: float = 2.0) -> Tensor:
    """LayerCAM's scaling of each map by itself, which lifts middling values: tanh(gamma M / max M).

    Negative values are cut first; a map without positive values becomes zeros. The highest value
    becomes tanh(gamma), 0.964 for gamma 2, not 1: a threshold that suits other maps cuts here at
    another place.

    Args:
        maps: maps [...,h,w] of a floating dtype.
        gamma: how much is lifted; positive.

    Returns:
        Maps [...,h,w] in [0, tanh(gamma)].

    Raises:
        InputError: gamma is not positive, or the maps are not of a floating dtype.

    Source: Jiang et al., "LayerCAM", IEEE Transactions on Image Processing 30, 2021, eq. 8.
    """
    if not gamma > 0:
        raise InputError(f"gamma={gamma}, expected a positive number such as 2")
    return torch.tanh(gamma * normalize(maps, "relu"))


def enlarge(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Enlarge maps [B,h,w] to (height, width) by bilinear interpolation, still in floats.

    Enlarge before turning a map into 8 bits: the other order leaves visible steps.

    Raises:
        InputError: the maps are not [B,h,w], or not of a floating dtype.
    """
    _require_floats(maps, "enlarge first, cut or turn into 8 bits last")
    if maps.ndim != 3:
        raise InputError(f"maps is {list(maps.shape)}, expected [B,h,w]")
    resized = F.interpolate(maps.unsqueeze(1), size=size, mode="bilinear", align_corners=False)
    return resized.squeeze(1)


def _require_floats(maps: Tensor, advice: str) -> None:
    if not isinstance(maps, Tensor):
        raise InputError(f"maps is {type(maps).__name__}, expected a tensor")
    if not maps.is_floating_point():
        raise InputError(f"maps are {maps.dtype}, expected a floating dtype: {advice}")
