"""Networks that give a map of the image's own size: F-CAM's decoder, and a small SegNet."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.models.defect_net import DefectNet


class FCam(nn.Module):
    """A decoder on a classifier's four stages; scores "background" and "defect" for every pixel.

    From the last stage up, features are enlarged to the next earlier stage's size, joined with its
    features, and mixed by a 3x3 convolution, as in a U-Net. The classifier is frozen and stays in
    evaluation mode; only the decoder learns, from seeds that are sampled from the classifier's own
    map (`labkit.defects.sample_seeds`). The paper adds a CRF loss and a constraint on the size,
    which are left out here.

    Args:
        classifier: a trained `DefectNet`; it is kept as a part and frozen.

    Source: Belharbi et al., "F-CAM: Full Resolution Class Activation Maps via Guided Parametric
    Upscaling", WACV 2022.
    """

    def __init__(self, classifier: DefectNet) -> None:
        super().__init__()
        self.classifier = classifier.requires_grad_(False)
        width = classifier.stage1.conv1.in_channels
        self.up3 = _mix(8 * width + 4 * width, 4 * width)
        self.up2 = _mix(4 * width + 2 * width, 2 * width)
        self.up1 = _mix(2 * width + width, width)
        self.head = _mix(width, width)
        self.score = nn.Conv2d(width, 2, 1)

    def train(self, mode: bool = True) -> FCam:
        """Training mode for the decoder alone."""
        super().train(mode)
        self.classifier.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Scores [B,2,H,W] of images [B,3,H,W]."""
        with torch.no_grad():
            stages = self.classifier.stage_features(images)
        features = stages[3]
        for mix, skip in ((self.up3, stages[2]), (self.up2, stages[1]), (self.up1, stages[0])):
            features = mix(torch.cat([_enlarged(features, skip), skip], dim=1))
        scores: Tensor = self.score(self.head(_enlarged(features, images)))
        return scores


class SegNet(nn.Module):
    """A small SegNet: what pooling discards, the places of the maxima, leads the way back up.

    Three steps of two 3x3 convolutions and a 2x2 maximum down, and as many up; the document's has
    five. Sides that 8 does not divide work, too.

    Args:
        n_classes: number of classes N.
        width: channels of the first step.

    Source: Badrinarayanan, Kendall and Cipolla, "SegNet", IEEE TPAMI 39, 2017.
    """

    def __init__(self, n_classes: int = 2, width: int = 8) -> None:
        super().__init__()
        channels = (3, width, 2 * width, 4 * width)
        self.down = nn.ModuleList(
            nn.Sequential(_mix(before, after), _mix(after, after))
            for before, after in pairwise(channels)
        )
        self.up = nn.ModuleList(
            nn.Sequential(_mix(after, after), _mix(after, before))
            for before, after in ((2 * width, 4 * width), (width, 2 * width), (width, width))
        )
        self.score = nn.Conv2d(width, n_classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Scores [B,N,H,W] of images [B,3,H,W]."""
        features, places = images, []
        for step in self.down:
            features = step(features)
            size = features.shape
            features, where = F.max_pool2d(features, 2, return_indices=True)
            places.append((where, size))
        for step, (where, size) in zip(self.up, reversed(places), strict=True):
            features = step(F.max_unpool2d(features, where, [2, 2], output_size=size))
        scores: Tensor = self.score(features)
        return scores


def _enlarged(features: Tensor, like: Tensor) -> Tensor:
    size = (like.shape[2], like.shape[3])
    return F.interpolate(features, size=size, mode="bilinear", align_corners=False)


def _mix(before: int, after: int) -> nn.Sequential:
    """A 3x3 convolution with norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()
    )
