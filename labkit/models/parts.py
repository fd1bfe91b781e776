"""The three parts of a CAM network; how images go through them is for the network to say."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

from torch import nn
from torchvision.models import resnet18

from labkit.models.weights import resnet18_weights


def cam_parts(
    n_classes: int = 10, weights: Literal["DEFAULT"] | None = None
) -> tuple[nn.Sequential, nn.AdaptiveAvgPool2d, nn.Linear]:
    """ResNet-18 up to the end of `layer2`, global average pooling, and a linear classifier.

    Args:
        n_classes: number of classes N.
        weights: "DEFAULT" starts from torchvision's ImageNet weights; None starts from scratch.

    Returns:
        backbone: images [B,3,H,W] to features [B,128,h,w], one value for every 8x8 pixels, rounded
            up.
        gap: features [B,C,h,w] to their means [B,C,1,1].
        classifier: pooled features [B,128] to scores [B,N].

    Raises:
        InputError: the ImageNet weights are neither on this machine nor to be downloaded.
    """
    resnet = resnet18()
    if weights is not None:
        resnet.load_state_dict(resnet18_weights())
    backbone = nn.Sequential(
        OrderedDict(
            (name, getattr(resnet, name))
            for name in ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2")
        )
    )
    return backbone, nn.AdaptiveAvgPool2d(1), nn.Linear(128, n_classes)
