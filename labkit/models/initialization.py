"""How a fully convolutional network starts: with zeros, as one document has it, or properly."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labkit.errors import InputError


def bilinear_kernel(size: int) -> Tensor:
    """The weights with which a transposed convolution interpolates bilinearly, [size,size].

    With stride s and a kernel of 2s (or 2s - 1) every output is a weighted mean of its nearest
    inputs: k(i) = 1 - |i - c| / s in either direction, c the middle of the kernel.

    Raises:
        InputError: the size is less than 1.

    Source: Long, Shelhamer, Darrell, CVPR 2015, section 3.3.
    """
    if size < 1:
        raise InputError(f"a kernel of size {size}, expected at least 1")
    stride = (size + 1) // 2
    line = 1 - (torch.arange(size) - (size - 1) / 2).abs() / stride
    return line[:, None] * line[None, :]


def proper_init(model: nn.Module) -> None:
    """He's initialisation for convolutions, zero biases, bilinear transposed convolutions.

    Source: He et al., "Delving Deep into Rectifiers", ICCV 2015, eq. 10: weights from
    N(0, 2 / inputs of a unit), so that ReLU layers neither shrink nor swell what they pass on.
    """
    for module in model.modules():
        if isinstance(module, nn.ConvTranspose2d):
            _bilinear(module)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            _zero_bias(module)


def zero_init(model: nn.Module) -> None:
    """Every convolution zero, transposed ones bilinear: document 003's start "from scratch".

    Nothing but the bias of the scores can learn at first, and the convolutions never do: where
    weights and inputs are zero, so are their gradients.
    """
    for module in model.modules():
        if isinstance(module, nn.ConvTranspose2d):
            _bilinear(module)
        elif isinstance(module, nn.Conv2d):
            nn.init.zeros_(module.weight)
            _zero_bias(module)


def gradient_norms(model: nn.Module, images: Tensor, labels: Tensor) -> dict[str, float]:
    """The length of the gradient of the loss in each parameter, by its name.

    The loss is the mean cross entropy over pixels whose label is not negative. The model's
    `.grad`, mode and weights stay as they are.

    Args:
        model: gives scores [B,N,H,W].
        images: [B,3,H,W].
        labels: true classes [B,H,W]; negative ones are ignored.
    """
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    loss = F.cross_entropy(model(images), labels.clamp_min(-1), ignore_index=-1)
    gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return {
        name: 0.0 if gradient is None else float(gradient.norm())
        for name, gradient in zip(named, gradients, strict=True)
    }


def _bilinear(layer: nn.ConvTranspose2d) -> None:
    """Each channel is enlarged by itself."""
    kernel = bilinear_kernel(layer.kernel_size[0])
    with torch.no_grad():
        layer.weight.zero_()
        for channel in range(min(layer.weight.shape[:2])):
            layer.weight[channel, channel] = kernel.to(layer.weight)


def _zero_bias(layer: nn.Conv2d) -> None:
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
