"""The map of the segmentation handout: feature maps weighted by a softmax of their own means.

The handout calls the pooled features "weighting coefficients", but they are not the classifier's
weights: they know no class, and their softmax is nearly flat while they are small. The map is then
nearly the mean of all feature maps. SSENet, which the handout follows, takes class maps instead.
"""

from __future__ import annotations

import torch
from torch import Tensor

from labkit.errors import InputError


def softmax_weighted_map(features: Tensor, pooled: Tensor) -> Tensor:
    """One map for each image: M = sum_k softmax(w)_k f_k, the softmax over channels.

    Args:
        features: feature maps f before pooling, [B,C,h,w].
        pooled: their means over positions w, [B,C].

    Returns:
        Maps [B,h,w] in the units of the features.

    Raises:
        InputError: the shapes do not belong together.
    """
    if features.ndim != 4 or pooled.shape != features.shape[:2]:
        raise InputError(
            f"features is {list(features.shape)} and pooled {list(pooled.shape)}, expected "
            "[B,C,h,w] and [B,C]: the features before and after pooling"
        )
    return torch.einsum("bchw,bc->bhw", features, pooled.softmax(dim=1))
