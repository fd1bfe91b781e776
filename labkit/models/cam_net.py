"""The network of lab 1: convolutions, global average pooling, one linear layer."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

import torch
from torch import Tensor, nn
from torchvision.models import resnet18

from labkit.models.output import CamOutput
from labkit.models.weights import resnet18_weights


class CamNet(nn.Module):
    """ResNet-18 up to the end of `layer2`, global average pooling and a linear classifier.

    A 224x224 image gives 128 feature maps of 28x28: one value for every 8x8 pixels, rounded up.

    The handout's "Layer 2 BasicBlock 1" is read as the block that printing the model shows as
    `(1): BasicBlock`, so the backbone holds the whole of `layer2` (683,072 parameters). Stopping
    after `layer2[0]` (387,648) gives maps of the same size and is just as right.

    Args:
        n_classes: number of classes N.
        weights: "DEFAULT" starts from torchvision's ImageNet weights; None starts from scratch.

    Raises:
        InputError: the ImageNet weights are neither on this machine nor to be downloaded.

    Source: Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016.
    """

    def __init__(self, n_classes: int = 10, weights: Literal["DEFAULT"] | None = None) -> None:
        super().__init__()
        resnet = resnet18()
        if weights is not None:
            resnet.load_state_dict(resnet18_weights())
        self.backbone = nn.Sequential(
            OrderedDict(
                (name, getattr(resnet, name))
                for name in ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2")
            )
        )
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(128, n_classes)

    def forward(self, images: Tensor) -> CamOutput:
        """Classify images [B,3,H,W]; gives scores [B,N], features [B,128,h,w], pooled [B,128]."""
        features = self.backbone(images)
        pooled = torch.flatten(self.gap(features), 1)
        return CamOutput(self.classifier(pooled), features, pooled)
