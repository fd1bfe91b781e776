"""ImageNet weights through torchvision's catalogue, with a sentence when they cannot be had."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor
from torchvision.models import ResNet18_Weights, VGG16_Weights

from labkit.errors import InputError


def resnet18_weights() -> Mapping[str, Tensor]:
    """ResNet-18's ImageNet weights, from torch's cache (`TORCH_HOME`) or downloaded and checked.

    Raises:
        InputError: they are not in the cache and the download fails; names the file, its address
            and the folder it belongs into.
    """
    return _state("ResNet-18", ResNet18_Weights.DEFAULT)


def vgg16_weights() -> Mapping[str, Tensor]:
    """VGG-16's ImageNet weights (528 MB), otherwise as `resnet18_weights`."""
    return _state("VGG-16", VGG16_Weights.DEFAULT)


def _state(name: str, weights: ResNet18_Weights | VGG16_Weights) -> Mapping[str, Tensor]:
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    try:
        # torch announces a download on standard output, which belongs to results.
        with contextlib.redirect_stdout(sys.stderr):
            return weights.get_state_dict(progress=True, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise InputError(
            f"the ImageNet weights of {name} cannot be downloaded ({error}): fetch "
            f"{weights.url} on a machine with a network and put the file into {folder}, "
            "or train from scratch (weights=None)"
        ) from error
