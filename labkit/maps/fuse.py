"""Maps of several layers become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from labkit.errors import InputError
from labkit.maps.normalize import enlarge


def fuse(
    maps: Sequence[Tensor],
    size: tuple[int, int],
    how: Literal["max", "mean"] | Sequence[float] = "max",
) -> Tensor:
    """Enlarge the maps of several layers to one size and combine them position by position.

    Layers differ in scale, so bring the maps to one before. LayerCAM's fusion is
    `fuse([scale_tanh(m) for m in maps], size)`. One course report weights VGG-16's stages 3 to 5
    instead, each divided by its maximum, and applies the tanh last:
    `scale_tanh(fuse([normalize(m, "relu") for m in maps], size, [0.4, 0.4, 0.2]))`.

    Args:
        maps: one [B,h,w] a layer; h and w may differ.
        size: (height, width) of the result.
        how: "max", the highest value; "mean"; or one weight a map for their sum, taken as they
            are.

    Returns:
        Maps [B,height,width].

    Raises:
        InputError: there are no maps, their batches differ, or `how` is none of the three.

    Source: Jiang et al., "LayerCAM", IEEE Transactions on Image Processing 30, 2021, section IV-A
    (the maximum).
    """
    if not maps or len({len(layer) for layer in maps}) != 1:
        raise InputError(
            f"maps are {[list(layer.shape) for layer in maps]}, expected one [B,h,w] a layer, "
            "for the same images"
        )
    weights = None if isinstance(how, str) else torch.tensor([*how]).to(maps[0])
    if how not in ("max", "mean") if weights is None else weights.shape != (len(maps),):
        raise InputError(
            f"how={how!r}, expected 'max', 'mean' or {len(maps)} weights, one for each map"
        )
    stack = torch.stack([enlarge(layer, size) for layer in maps])
    if weights is not None:
        return torch.einsum("l,lbhw->bhw", weights, stack)
    return stack.amax(dim=0) if how == "max" else stack.mean(dim=0)
