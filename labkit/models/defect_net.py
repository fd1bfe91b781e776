"""A narrow ResNet for surfaces, with or without its stages fused before the classifier."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from labkit.errors import InputError
from labkit.models.fusion import fuse_features
from labkit.models.output import CamOutput

Fusion = Literal["none", "add", "mul"]
FUSIONS: tuple[str, ...] = ("none", "add", "mul")


class DefectNet(nn.Module):
    """ResNet of one block a stage, global average pooling and a linear classifier.

    The stages have `width`, 2, 4 and 8 times `width` channels at a half, a quarter and twice an
    eighth of the image's sides: unlike a ResNet-18, the last stage does not halve them once more,
    since defects are small.

    With a fusion, stages 2, 3 and 4 are brought to 4 times `width` channels by a 1x1 convolution
    with norm and ReLU each, fused by `fuse_features` at the size of stage 2, and these features are
    pooled and classified. Both fusions have the same parameters.

    Args:
        n_classes: number of classes N.
        width: channels of the first stage.
        fusion: "none" classifies the features of stage 4; "add" and "mul" fuse.

    Raises:
        InputError: there is no such fusion.

    Sources: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; the fusion is
    proposed in document 004.
    """

    stages: tuple[str, ...] = ("stage1", "stage2", "stage3", "stage4")

    def __init__(self, n_classes: int = 2, width: int = 16, fusion: Fusion = "none") -> None:
        super().__init__()
        if fusion not in FUSIONS:
            raise InputError(f"fusion={fusion!r}, expected one of {', '.join(FUSIONS)}")
        self.fusion = fusion
        self.stem = _unit(3, width, 3, stride=2)
        self.stage1 = _stage(width, width, 1)
        self.stage2 = _stage(width, 2 * width, 2)
        self.stage3 = _stage(2 * width, 4 * width, 2)
        self.stage4 = _stage(4 * width, 8 * width, 1)
        self.branches = nn.ModuleList()
        if fusion != "none":
            self.branches.extend(_unit(n * width, 4 * width, 1) for n in (2, 4, 8))
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear((8 if fusion == "none" else 4) * width, n_classes)

    def stage_features(self, images: Tensor) -> list[Tensor]:
        """What the four stages make of images [B,3,H,W]."""
        features = [self.stage1(self.stem(images))]
        for stage in (self.stage2, self.stage3, self.stage4):
            features.append(stage(features[-1]))
        return features

    def forward(self, images: Tensor) -> CamOutput:
        """Classify images [B,3,H,W]; gives scores [B,N], features [B,C,h,w], pooled [B,C]."""
        stages = self.stage_features(images)
        features = stages[-1]
        if self.fusion != "none":
            units = zip(self.branches, stages[1:], strict=True)
            how: Literal["add", "mul"] = "add" if self.fusion == "add" else "mul"
            features = fuse_features([unit(stage) for unit, stage in units], how)
        pooled = torch.flatten(self.gap(features), 1)
        return CamOutput(self.classifier(pooled), features, pooled)


def _unit(before: int, after: int, side: int, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the size but for its stride, norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(before, after, side, stride=stride, padding=side // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


def _stage(before: int, after: int, stride: int) -> BasicBlock:
    """One residual block; its shortcut is a 1x1 convolution where the shape changes."""
    shortcut = None
    if before != after:
        shortcut = nn.Sequential(
            nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after)
        )
    return BasicBlock(before, after, stride, shortcut)
