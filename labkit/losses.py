"""Losses that ask a network for the same map whether an image or its map is transformed.

L = (L_cls + L_cls') / 2 + L_seg, where L_cls and L_cls' are the classification losses of the images
and of their transformed copies, and L_seg = mean (T(M(x)) - M(T(x)))^2 compares the maps M.

Sources: the handout of the segmentation lab, which follows Wang et al., "Self-supervised Scale
Equivariant Network for Weakly Supervised Semantic Segmentation", arXiv:1909.03714, section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from labkit.errors import InputError
from labkit.maps import all_class_maps, normalize, softmax_weighted_map
from labkit.models.output import CamOutput
from labkit.transforms import Transform, resize, valid_region


class LossParts(NamedTuple):
    """A loss and what it is made of, each a scalar tensor.

    `cls_large` is the classification loss of the images, `cls_small` that of their transformed
    copies, `seg` the difference of the maps; `total` = (cls_large + cls_small) / 2 + seg.
    """

    total: Tensor
    cls_large: Tensor
    cls_small: Tensor
    seg: Tensor


def handout_maps(output: CamOutput) -> Tensor:
    """The maps that the handout compares, [B,h,w], in the units of the features."""
    return softmax_weighted_map(output.features, output.pooled)


def scale_equivariant_loss(large: CamOutput, small: CamOutput, labels: Tensor) -> LossParts:
    """The handout's loss: maps of images, made smaller, against maps of smaller images.

    Args:
        large: output for the images.
        small: output of the same network for their downscaled copies.
        labels: class of each image, [B].

    Raises:
        InputError: the outputs are of different batches.
    """
    size = (small.features.shape[-2], small.features.shape[-1])
    return equivariant_loss(large, small, labels, lambda maps: resize(maps, size))


def equivariant_loss(
    output: CamOutput,
    transformed: CamOutput,
    labels: Tensor,
    transform: Transform,
    maps: Callable[[CamOutput], Tensor] = handout_maps,
) -> LossParts:
    """The same loss for any spatial transform.

    Args:
        output: of the network for images.
        transformed: of the same network for `transform(images)`.
        labels: class of each image, [B].
        transform: acts on maps [B,h,w] as it did on the images; positions outside its
            `valid_region` are not compared.
        maps: what is compared, [B,h,w] of an output.

    Raises:
        InputError: the maps do not fit: another batch, or another transform than the images had.
    """
    return _parts(
        F.cross_entropy(output.scores, labels),
        F.cross_entropy(transformed.scores, labels),
        map_difference(maps(output), maps(transformed), transform),
    )


def normalized_equivariant_loss(
    output: CamOutput, transformed: CamOutput, labels: Tensor, transform: Transform
) -> LossParts:
    """The handout's loss on maps that are each divided by their highest value before comparing.

    Shrinking both maps then gains nothing. Arguments and errors as for `equivariant_loss`.
    """
    return _parts(
        F.cross_entropy(output.scores, labels),
        F.cross_entropy(transformed.scores, labels),
        _normalized_difference(handout_maps(output), handout_maps(transformed), transform),
    )


def ssenet_loss(
    output: CamOutput,
    transformed: CamOutput,
    labels: Tensor,
    weights: Tensor,
    transform: Transform,
) -> LossParts:
    """SSENet's own loss: class maps, ReLU, divided by their maximum, of the true classes alone.

    The classification losses are multi-label soft margins, one yes or no a class. The difference
    is averaged over all N classes, of which one an image is not masked.

    Args:
        output, transformed, labels, transform: as for `equivariant_loss`.
        weights: the classifier's weight, [N,C].

    Raises:
        InputError: the maps do not fit.
    """
    truth = F.one_hot(labels, len(weights)).to(output.scores)
    rows = torch.arange(len(labels), device=labels.device)
    own = [all_class_maps(o.features, weights)[rows, labels] for o in (output, transformed)]
    return _parts(
        F.multilabel_soft_margin_loss(output.scores, truth),
        F.multilabel_soft_margin_loss(transformed.scores, truth),
        _normalized_difference(own[0], own[1], transform) / len(weights),
    )


def map_difference(maps: Tensor, transformed: Tensor, transform: Transform) -> Tensor:
    """Mean squared difference between T(M(x)) and M(T(x)), over the valid region of T.

    Args:
        maps: of images, [B,h,w].
        transformed: of transformed images, [B,h',w'].
        transform: what was done to the images.

    Raises:
        InputError: the transformed maps have another shape than the maps of transformed images, or
            no position is valid.
    """
    expected = transform(maps)
    _check_same_shape(expected, transformed)
    valid = _valid(transform, maps)
    return F.mse_loss(transformed[:, valid], expected[:, valid])


def _normalized_difference(maps: Tensor, transformed: Tensor, transform: Transform) -> Tensor:
    """The same of maps in [0, 1]; they are transformed first, as SSENet does."""
    expected = transform(maps)
    _check_same_shape(expected, transformed)
    valid = _valid(transform, maps)
    return F.mse_loss(
        normalize(transformed * valid, "relu")[:, valid],
        normalize(expected * valid, "relu")[:, valid],
    )


def _parts(cls_large: Tensor, cls_small: Tensor, seg: Tensor) -> LossParts:
    return LossParts((cls_large + cls_small) / 2 + seg, cls_large, cls_small, seg)


def _valid(transform: Transform, maps: Tensor) -> Tensor:
    valid = valid_region(transform, (maps.shape[-2], maps.shape[-1])).to(maps.device)
    if not valid.any():
        raise InputError(
            f"no position of maps {list(maps.shape[1:])} stays in view: take larger images or a "
            "smaller angle"
        )
    return valid


def _check_same_shape(expected: Tensor, transformed: Tensor) -> None:
    if expected.shape != transformed.shape:
        raise InputError(
            f"the maps of the transformed images are {list(transformed.shape)}, and transforming "
            f"the maps gives {list(expected.shape)}, expected one shape: both outputs must be of "
            "the same batch, and the images must have had this very transform"
        )
