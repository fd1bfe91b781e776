"""What a CAM network answers: scores, and what they were computed from."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class CamOutput(NamedTuple):
    """What a CAM network says about a batch.

    `scores` [B,N] are logits, `features` [B,C,h,w] the maps of the last convolution, and
    `pooled` [B,C] their means over positions, from which the scores are computed.
    """

    scores: Tensor
    features: Tensor
    pooled: Tensor
