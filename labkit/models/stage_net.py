"""The network of lab 5: four stages whose maps can all be looked at, then a CAM classifier."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from labkit.models.output import CamOutput

_CHANNELS = (3, 16, 32, 64, 128)


class StageNet(nn.Module):
    """Four stages of two 3x3 convolutions each, global average pooling and a linear classifier.

    `stage1` keeps the size of the image; `stage2`, `stage3` and `stage4` each begin by averaging
    2x2 positions. A 64x64 image gives 16 maps of 64x64, 32 of 32x32, 64 of 16x16, 128 of 8x8. As in
    VGG, each convolution is followed by a ReLU that overwrites its input.

    Averages, and not maxima or strides, make the maps smaller: a gradient then reaches every
    position of the stage before, and value k of a map is centred on what it was computed from.

    Args:
        n_classes: number of classes N.
    """

    stages = ("stage1", "stage2", "stage3", "stage4")

    def __init__(self, n_classes: int = 10) -> None:
        super().__init__()
        stages = [_stage(i > 0, *channels) for i, channels in enumerate(pairwise(_CHANNELS))]
        self.stage1, self.stage2, self.stage3, self.stage4 = stages
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(_CHANNELS[-1], n_classes)

    def forward(self, images: Tensor) -> CamOutput:
        """Classify images [B,3,H,W]; gives scores [B,N], features [B,128,h,w], pooled [B,128]."""
        features = self.stage4(self.stage3(self.stage2(self.stage1(images))))
        pooled = torch.flatten(self.gap(features), 1)
        return CamOutput(self.classifier(pooled), features, pooled)


def _stage(halve: bool, before: int, after: int) -> nn.Sequential:
    """Averages of 2x2 positions if asked for, then two convolutions, each with norm and ReLU."""
    layers: list[nn.Module] = [nn.AvgPool2d(2)] if halve else []
    for channels in (before, after):
        layers += [
            nn.Conv2d(channels, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)
