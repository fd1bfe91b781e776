"""Training a CAM network to give the same maps for transformed images.

A step sees every image twice, as it is and transformed, through one network.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from labkit import losses
from labkit.errors import InputError
from labkit.losses import LossParts, handout_maps
from labkit.models.output import CamOutput
from labkit.transforms import Transform

LOSSES: Mapping[str, str] = {
    "handout": "the handout's: maps compared as they are",
    "normalized": "the handout's, but each map is divided by its highest value first",
    "ssenet": "SSENet's: normalised maps of the true class, soft-margin classification",
    "none": "both classification losses, and maps are not compared",
}


@dataclass(frozen=True)
class SegObjective:
    """An objective for `labkit.training.fit`: classify both copies and compare their maps.

    Args:
        transform: of images and maps, see `labkit.transforms`.
        loss: one of `LOSSES`.

    Raises:
        InputError: there is no such loss.
    """

    transform: Transform
    loss: str = "handout"

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise InputError(f"there is no loss {self.loss!r}, expected one of {', '.join(LOSSES)}")

    def __call__(self, model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of a batch, and the scores of the images as they are."""
        parts, scores = self.parts(model, images, labels)
        return parts.total, scores

    def parts(self, model: nn.Module, images: Tensor, labels: Tensor) -> tuple[LossParts, Tensor]:
        """Every part of the loss of images [B,3,H,W] with labels [B], and their scores [B,N]."""
        output, transformed = model(images, self.transform(images))
        args = (output, transformed, labels)
        if self.loss == "ssenet":
            weight: Any = model.classifier
            parts = losses.ssenet_loss(*args, weight.weight, self.transform)
        elif self.loss == "normalized":
            parts = losses.normalized_equivariant_loss(*args, self.transform)
        else:
            parts = losses.equivariant_loss(*args, self.transform)
            if self.loss == "none":
                total = (parts.cls_large + parts.cls_small) / 2
                parts = parts._replace(total=total)
        return parts, output.scores


def map_figures(large: CamOutput, small: CamOutput, transform: Transform) -> dict[str, float]:
    """How large the handout's maps are, and how far they change under a transform.

    Args:
        large: output of a network for images.
        small: its output for the transformed images.
        transform: of images and maps.

    Returns:
        map_size: root mean square of the maps, in units of the features;
        seg: the mean squared difference that the handout's loss takes;
        relative: seg as a share of the maps' mean square, which shrinking does not lower.
    """
    maps = handout_maps(large)
    seg = float(losses.map_difference(maps, handout_maps(small), transform))
    square = float(maps.square().mean())
    return {
        "map_size": math.sqrt(square),
        "seg": seg,
        "relative": seg / square if square else 0.0,
    }
