"""Class activation maps: the classifier's weights applied at every position.

Source: Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016, eq. 2:
M_c(x, y) = sum_k w[c, k] f_k(x, y), the features f before pooling and the weights w of the linear
layer after it. The mean of M_c over positions is the score of class c without its bias.
"""

from __future__ import annotations

import torch
from torch import Tensor

from labkit.errors import InputError


def class_activation_map(features: Tensor, class_weights: Tensor) -> Tensor:
    """One class activation map for each image: M = sum_k w_k f_k, without a ReLU.

    Args:
        features: feature maps before pooling, [B,C,h,w].
        class_weights: the classifier's row for the class of each image, [B,C]; or one row [C] for
            all of them.

    Returns:
        Maps [B,h,w] in the units of the class scores.

    Raises:
        InputError: the shapes do not belong together.
    """
    _check_features(features)
    batch, channels = features.shape[:2]
    if class_weights.shape not in [(channels,), (batch, channels)]:
        raise InputError(
            f"class_weights is {list(class_weights.shape)}, expected [{channels}] or "
            f"[{batch},{channels}] for features {list(features.shape)}: take rows of the "
            "classifier's weight, one for each image"
        )
    return torch.einsum("bchw,bc->bhw", features, class_weights.expand(batch, channels))


def all_class_maps(features: Tensor, weights: Tensor) -> Tensor:
    """The class activation maps of every class in one pass.

    Args:
        features: feature maps before pooling, [B,C,h,w].
        weights: the classifier's weight, [N,C].

    Returns:
        Maps [B,N,h,w] in the units of the class scores.

    Raises:
        InputError: the shapes do not belong together.
    """
    _check_features(features)
    channels = features.shape[1]
    if weights.ndim != 2 or weights.shape[1] != channels:
        raise InputError(
            f"weights is {list(weights.shape)}, expected [N,{channels}] for features "
            f"{list(features.shape)}: pass the classifier's whole weight"
        )
    return torch.einsum("bchw,nc->bnhw", features, weights)


def _check_features(features: Tensor) -> None:
    if features.ndim != 4:
        raise InputError(
            f"features is {list(features.shape)}, expected [B,C,h,w]: for one image, add the "
            "batch dimension with features.unsqueeze(0)"
        )
