"""From class activation maps to masks, and how well the masks fit.

Following the lab: the map of one class, brought to [0, 1] by its lowest and highest value,
enlarged, and cut at a threshold that is given in 255ths. The segmentation lab's own map, which
knows no class, can take the place of the class map.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from labkit.errors import InputError
from labkit.maps import class_activation_map, enlarge, normalize, softmax_weighted_map
from labkit.metrics import iou
from labkit.training.state import as_found

THRESHOLDS = (75, 100, 125, 150, 175)


def class_maps(model: nn.Module, images: Tensor, labels: Tensor, size: tuple[int, int]) -> Tensor:
    """The normalised class activation map of one class for each image.

    Args:
        model: gives `.features` and has a linear `classifier`, such as `labkit.models.CamNet`. It
            is used in evaluation mode and left as it was.
        images: [B,3,H,W], normalised as for training.
        labels: the class of each image, [B].
        size: (height, width) of the maps.

    Returns:
        Maps [B,height,width] in [0, 1].

    Raises:
        InputError: the model has no linear `classifier`.
    """
    classifier = _linear_classifier(model)
    with as_found(model, images.device), torch.no_grad():
        features = model.eval()(images).features
        rows = classifier.weight[labels.to(images.device)]
        return enlarge(normalize(class_activation_map(features, rows)), size)


def seg_maps(model: nn.Module, images: Tensor, size: tuple[int, int]) -> Tensor:
    """The normalised map of the segmentation handout for each image, the same for every class.

    Args:
        model: gives `.features` and `.pooled`. It is used in evaluation mode and left as it was.
        images: [B,3,H,W], normalised as for training.
        size: (height, width) of the maps.

    Returns:
        Maps [B,height,width] in [0, 1].
    """
    with as_found(model, images.device), torch.no_grad():
        output = model.eval()(images)
        return enlarge(normalize(softmax_weighted_map(output.features, output.pooled)), size)


def _linear_classifier(model: nn.Module) -> nn.Linear:
    classifier = getattr(model, "classifier", None)
    if not isinstance(classifier, nn.Linear):
        raise InputError(
            "the model has no linear `classifier`, whose weights a class activation map takes: "
            "expected one such as labkit.models.CamNet"
        )
    return classifier


def iou_table(
    maps: Sequence[Tensor], masks: Sequence[NDArray], thresholds: Sequence[int] = THRESHOLDS
) -> pd.DataFrame:
    """IoU of each map, cut at each threshold, with its true mask.

    Args:
        maps: values in [0, 1], [H,W] each.
        masks: true masks, [H,W] each.
        thresholds: a pixel belongs to the mask where the map exceeds threshold / 255.

    Returns:
        One row a map, one column a threshold; `.mean()` is the mean IoU by threshold.
    """
    return pd.DataFrame(
        [
            [iou(map > threshold / 255, mask) for threshold in thresholds]
            for map, mask in zip(maps, masks, strict=True)
        ],
        columns=list(thresholds),
    )
