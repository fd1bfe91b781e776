"""Maps from activations and gradients: Grad-CAM, Grad-CAM++ and LayerCAM.

All three take the activations A of a layer and the gradients g = dy_c / dA of one class score
before softmax, as `labkit.maps.Recorder` gives them. They differ in how they weight A by g: one
weight a channel, from the mean of g (Grad-CAM) or a weighted sum of its positive part
(Grad-CAM++); or one weight a position (LayerCAM).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from labkit.errors import InputError


def grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Grad-CAM: relu(sum_k w_k A_k), the weight w_k the mean of g_k over positions.

    On features that are averaged and classified by a linear layer it is relu(CAM) / (h w).

    Args:
        activations: A, [B,C,h,w].
        gradients: g, of one score for each image, [B,C,h,w].

    Returns:
        Maps [B,h,w], not negative, not scaled.

    Raises:
        InputError: the shapes are not [B,C,h,w], or differ.

    Source: Selvaraju et al., "Grad-CAM", ICCV 2017, eq. 1 and 2.
    """
    _check(activations, gradients)
    return _weighted_sum(activations, gradients.mean(dim=(2, 3)))


def grad_cam_plus_plus(activations: Tensor, gradients: Tensor) -> Tensor:
    """Grad-CAM++: relu(sum_k w_k A_k), w_k = sum_ij alpha_kij relu(g_kij).

    The paper's second and third derivatives are powers of the first, because it differentiates
    exp(y_c): alpha = g^2 / (2 g^2 + S g^3), S_k the sum of A_k over positions, and 0 where the
    denominator is 0. The factor exp(y_c), the same for all positions, is left out. With g^2
    cancelled this is 1 / (2 + S g), which cannot underflow; where g is 0, relu(g) is 0 as well.

    Args:
        activations: A, [B,C,h,w].
        gradients: g, of one score for each image, [B,C,h,w].

    Returns:
        Maps [B,h,w], not negative, not scaled.

    Raises:
        InputError: the shapes are not [B,C,h,w], or differ.

    Source: Chattopadhyay et al., "Grad-CAM++", WACV 2018, eq. 5, 10 and 19.
    """
    _check(activations, gradients)
    denominators = 2 + activations.sum(dim=(2, 3), keepdim=True) * gradients
    parts = torch.where(denominators == 0, 0, F.relu(gradients) / denominators)
    return _weighted_sum(activations, parts.sum(dim=(2, 3)))


def layer_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """LayerCAM: relu(sum_k relu(g_k) A_k), a weight for every position by itself.

    The outer ReLU changes nothing where the activations come out of a ReLU.

    Args:
        activations: A, [B,C,h,w].
        gradients: g, of one score for each image, [B,C,h,w].

    Returns:
        Maps [B,h,w], not negative, not scaled.

    Raises:
        InputError: the shapes are not [B,C,h,w], or differ.

    Source: Jiang et al., "LayerCAM", IEEE Transactions on Image Processing 30, 2021, eq. 5 to 7.
    """
    _check(activations, gradients)
    return F.relu((F.relu(gradients) * activations).sum(dim=1))


def _weighted_sum(activations: Tensor, weights: Tensor) -> Tensor:
    return F.relu(torch.einsum("bchw,bc->bhw", activations, weights))


def _check(activations: Tensor, gradients: Tensor) -> None:
    if activations.ndim != 4 or activations.shape != gradients.shape:
        raise InputError(
            f"activations is {list(activations.shape)} and gradients {list(gradients.shape)}, "
            "expected [B,C,h,w] both: what labkit.maps.Recorder gives for one layer"
        )
