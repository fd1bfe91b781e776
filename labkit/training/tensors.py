"""The plainest training there is, for notebooks in which students write the steps that matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import torch
from torch import Tensor, nn

from labkit.errors import InputError


def order_of(n: int, epoch: int) -> Tensor:
    """The order of n images in an epoch: shuffled, and always the same for the same epoch."""
    return torch.randperm(n, generator=torch.Generator().manual_seed(epoch))


def fit_tensors(
    net: nn.Module,
    images: Tensor,
    labels: Tensor,
    objective: Callable[[nn.Module, Tensor, Tensor], Mapping[str, Tensor]],
    *,
    epochs: int,
    batch_size: int,
    lr: float,
) -> pd.DataFrame:
    """Train with Adam on tensors in memory; nothing is held out, the last weights stay.

    Args:
        net: any network; it is left in training mode.
        images: [n,3,H,W].
        labels: [n].
        objective: (net, images [B,...], labels [B]) to the parts of a loss by name; "total" is
            minimised.
        epochs: passes over the images, each in the order of `order_of`.
        batch_size: images of a step.
        lr: Adam's learning rate.

    Returns:
        One row a step, one column a part of the loss.

    Raises:
        InputError: the objective gives no "total".
    """
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    net.train()
    rows = []
    for epoch in range(epochs):
        for batch in order_of(len(images), epoch).split(batch_size):
            parts = objective(net, images[batch], labels[batch])
            if "total" not in parts:
                raise InputError(f"the objective gives {', '.join(parts)}, expected a total too")
            optimizer.zero_grad()
            parts["total"].backward()
            optimizer.step()
            rows.append({name: part.item() for name, part in parts.items()})
    return pd.DataFrame(rows)
