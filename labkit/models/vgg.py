"""VGG-16's convolutions, frozen, under a small head whose maps explain its scores.

Document 001's network: a 1x1 convolution makes one map a class of the 512 that VGG-16 gives, their
means go through a linear layer without bias. Unlike the document, VGG-16 ends before its last
pooling here, so that maps are twice as fine, and their means are taken whatever the size of the
image.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from labkit.errors import InputError
from labkit.maps.cam import class_activation_map
from labkit.models.extractors import channels_of, freeze, vgg_features
from labkit.models.output import CamOutput


class CamHead(nn.Module):
    """Feature maps [B,C,h,w] to maps, their means and class scores: all that is trained.

    Args:
        n_classes: number of classes N.
        channels: number of feature maps C.
        maps: how many maps K are made of them; None for one a class, as document 001.
    """

    def __init__(self, n_classes: int = 17, channels: int = 512, maps: int | None = None) -> None:
        super().__init__()
        if n_classes < 1 or channels < 1:
            raise InputError(
                f"n_classes is {n_classes} and channels {channels}, expected at least 1 each"
            )
        maps = n_classes if maps is None else maps
        self.maps = nn.Sequential(nn.Conv2d(channels, maps, 1), nn.ReLU())
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(maps, n_classes, bias=False)

    def forward(self, features: Tensor) -> CamOutput:
        """Scores [B,N], maps [B,K,h,w] and their means [B,K] for features [B,C,h,w]."""
        maps = self.maps(features)
        pooled = torch.flatten(self.gap(maps), 1)
        return CamOutput(self.classifier(pooled), maps, pooled)

    def class_map(self, output: CamOutput, labels: Tensor) -> Tensor:
        """The map [B,h,w] of one class [B] for each image, in units of the scores."""
        return class_activation_map(output.features, self.classifier.weight[labels])


class VggCam(nn.Module):
    """VGG-16's convolutions and a `CamHead`: images [B,3,H,W] to a `CamOutput`.

    With ImageNet weights the convolutions are frozen and the head learns alone: 9,010 numbers for
    17 classes, 36 kB, are all that need be saved (`net.head.state_dict()`).

    Args:
        n_classes: number of classes N.
        width: share of VGG-16's channels, in (0, 1]; 1/8 makes a network for two cores.
        weights: "DEFAULT" takes torchvision's ImageNet weights and freezes them; None draws
            weights, all of which learn.
        batch_norm: as for `vgg_features`.

    Raises:
        InputError: an argument is out of its range, or the weights cannot be had.

    Source: Zhou et al., CVPR 2016; Simonyan and Zisserman, ICLR 2015, configuration D.
    """

    head: CamHead

    def __init__(
        self,
        n_classes: int = 17,
        width: float = 1.0,
        weights: Literal["DEFAULT"] | None = None,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.features = vgg_features(width, weights, batch_norm)
        if weights is not None:
            freeze(self.features)
        self.head = self._make_head(n_classes, channels_of(self.features))

    def _make_head(self, n_classes: int, channels: int) -> CamHead:
        return CamHead(n_classes, channels)

    @property
    def classifier(self) -> nn.Linear:
        """The linear layer whose weights make the class activation maps."""
        return self.head.classifier

    def forward(self, images: Tensor) -> CamOutput:
        """Scores [B,N], maps [B,K,H/16,W/16] and their means [B,K]."""
        return self.head(self.features(images))
