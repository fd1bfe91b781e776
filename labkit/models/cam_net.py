"""The network of labs 1 and 2: convolutions, global average pooling, one linear layer."""

from __future__ import annotations

from typing import Literal, overload

import torch
from torch import Tensor, nn

from labkit.models.output import CamOutput
from labkit.models.parts import cam_parts


class CamNet(nn.Module):
    """ResNet-18 up to the end of `layer2`, global average pooling and a linear classifier.

    A 224x224 image gives 128 feature maps of 28x28: one value for every 8x8 pixels, rounded up.

    The handout's "Layer 2 BasicBlock 1" is read as the block that printing the model shows as
    `(1): BasicBlock`, so the backbone holds the whole of `layer2` (683,072 parameters). Stopping
    after `layer2[0]` (387,648) gives maps of the same size and is just as right.

    `stages` names the layers that end its stages, from fine maps to coarse ones.

    Args:
        n_classes: number of classes N.
        weights: "DEFAULT" starts from torchvision's ImageNet weights; None starts from scratch.

    Raises:
        InputError: the ImageNet weights are neither on this machine nor to be downloaded.

    Source: Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016.
    """

    stages = ("backbone.layer1", "backbone.layer2")

    def __init__(self, n_classes: int = 10, weights: Literal["DEFAULT"] | None = None) -> None:
        super().__init__()
        self.backbone, self.gap, self.classifier = cam_parts(n_classes, weights)

    @overload
    def forward(self, images: Tensor, small: None = None) -> CamOutput: ...

    @overload
    def forward(self, images: Tensor, small: Tensor) -> tuple[CamOutput, CamOutput]: ...

    def forward(
        self, images: Tensor, small: Tensor | None = None
    ) -> CamOutput | tuple[CamOutput, CamOutput]:
        """Classify images [B,3,H,W], and copies of them [B,3,H',W'] with the same weights.

        Each output is scores [B,N], features [B,128,h,w], pooled [B,128]. In training mode each
        branch is normalised by its own batch statistics, first `images`, then `small`.
        """
        if small is None:
            return self._branch(images)
        return self._branch(images), self._branch(small)

    def _branch(self, images: Tensor) -> CamOutput:
        features = self.backbone(images)
        pooled = torch.flatten(self.gap(features), 1)
        return CamOutput(self.classifier(pooled), features, pooled)
