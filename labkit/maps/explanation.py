"""From images to maps at their size, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.errors import InputError
from labkit.maps.cam import class_activation_map
from labkit.maps.fuse import fuse
from labkit.maps.gradient import grad_cam, grad_cam_plus_plus, layer_cam
from labkit.maps.normalize import enlarge, normalize, scale_tanh
from labkit.maps.record import Record, Recorder, find_classes

Method = Literal["cam", "grad_cam", "grad_cam_plus_plus", "layer_cam"]

_FROM_GRADIENTS = {
    "grad_cam": grad_cam,
    "grad_cam_plus_plus": grad_cam_plus_plus,
    "layer_cam": layer_cam,
}
METHODS: tuple[str, ...] = ("cam", *_FROM_GRADIENTS)


def explain(
    model: nn.Module,
    images: Tensor,
    method: Method = "layer_cam",
    layers: Sequence[str] = (),
    target: int | Sequence[int] | Tensor | None = None,
) -> Tensor:
    """Show for each image where the score of a class comes from.

    CAM is brought to [0, 1] by its lowest and highest value, the maps from gradients by their
    highest. Maps of several layers are scaled by tanh, enlarged and fused by their maximum, as
    LayerCAM does, and then divided by the highest value, so that every method reaches 1.

    Args:
        model: gives scores [B,N]; see `Recorder`. It is left as it was.
        images: [B,3,H,W], on the model's device and normalised as for training.
        method: "cam" wants a network that averages the features of its last layer over positions
            and classifies the means by one linear layer; the others take any network.
        layers: their names, as in `model.named_modules()`; one of them for "cam". By default those
            that the model lists as `stages` (the networks of `labkit.models` do): all for
            LayerCAM, the last for the others, which the paper of LayerCAM finds unfit for more.
        target: the class of each image, [B]; or one class for all; None takes each image's
            highest score.

    Returns:
        Maps [B,H,W] in [0, 1].

    Raises:
        InputError: an unknown method; "cam" on another network or on several layers; or what
            `Recorder` raises.
    """
    if method not in METHODS:
        raise InputError(f"method={method!r}, expected one of {', '.join(METHODS)}")
    layers = layers or getattr(model, "stages", ())[None if method == "layer_cam" else -1 :]
    if method == "cam" and len(layers) > 1:
        raise InputError(
            f"layers={layers!r}, expected one for 'cam': the last before the average over positions"
        )
    with Recorder(model, layers) as recorder:
        record = recorder.record(images, target)
    size = (images.shape[2], images.shape[3])
    if method == "cam":
        rows = _linear_head(model, record).weight[find_classes(target, record.scores)]
        (features,) = record.activations.values()
        return enlarge(normalize(class_activation_map(features, rows.detach())), size)
    maps = [
        _FROM_GRADIENTS[method](record.activations[name], record.gradients[name])
        for name in record.activations
    ]
    if len(maps) == 1:
        return enlarge(normalize(maps[0], "relu"), size)
    return normalize(fuse([scale_tanh(layer) for layer in maps], size), "relu")


def _linear_head(model: nn.Module, record: Record) -> nn.Linear:
    """The linear layer that makes the scores from the means of the recorded features.

    That it does is seen from the numbers, so that a name or a place in the model misleads nobody.
    """
    ((name, features),) = record.activations.items()
    pooled = features.mean(dim=(2, 3))
    tolerance = torch.finfo(pooled.dtype).eps ** 0.5 * float(record.scores.abs().max())
    for module in model.modules():
        if isinstance(module, nn.Linear) and module.in_features == pooled.shape[1]:
            scores = F.linear(pooled, module.weight, module.bias)
            if scores.shape == record.scores.shape and torch.allclose(
                scores, record.scores, rtol=0, atol=tolerance
            ):
                return module
    raise InputError(
        f"the scores are no linear layer of the means of {name!r} over positions, which a class "
        "activation map needs: choose the last layer before the average, or another method, such "
        "as grad_cam"
    )
