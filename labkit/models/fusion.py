"""Features of several stages become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from labkit.errors import InputError


def fuse_features(branches: Sequence[Tensor], how: Literal["add", "mul"]) -> Tensor:
    """Features of several stages, enlarged to the largest and added or multiplied.

    Averaged over positions they are document 004's F_add = mean(X + Y + Z) and
    F_mul = mean(X Y Z). The gradient of F_mul with respect to X carries Y Z: where one stage is
    silent, the others learn nothing.

    Args:
        branches: [B,C,h,w] each; h and w may differ, C may not.
        how: "add" or "mul".

    Returns:
        [B,C,h,w], h and w of the branch with the most positions.

    Raises:
        InputError: there are no branches, their channels differ, or `how` is neither.
    """
    if how not in ("add", "mul"):
        raise InputError(f"how={how!r}, expected 'add' or 'mul'")
    if not branches or len({branch.shape[:2] for branch in branches}) != 1:
        raise InputError(
            f"branches are {[list(branch.shape) for branch in branches]}, expected [B,C,h,w] each, "
            "with one B and one C"
        )
    size = max((branch.shape[2:] for branch in branches), key=lambda side: side[0] * side[1])
    enlarged = [
        F.interpolate(branch, size=size, mode="bilinear", align_corners=False)
        for branch in branches
    ]
    stack = torch.stack(enlarged)
    return stack.sum(dim=0) if how == "add" else stack.prod(dim=0)
