"""Training of networks that score pixels, on labels that may be few and change at every step."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam

from labkit.training.state import as_found, check_numbers, home_of, random_numbers, trainable

IGNORED = -1  # the label of a pixel that has none

# (indices [B] of a batch, generator) -> labels [B,H,W]
Targets = Callable[[Tensor, torch.Generator], Tensor]


def fit_pixels(
    model: nn.Module,
    images: Tensor,
    targets: Targets,
    *,
    epochs: int,
    batch_size: int = 16,
    lr: float = 1e-3,
    seed: int = 0,
    weight: Tensor | None = None,
) -> pd.DataFrame:
    """Train a network that scores every pixel, on labels that may change; the last weights stay.

    Args:
        model: images [B,3,H,W] to scores [B,N,H,W].
        images: [n,3,H,W].
        targets: called at every step with the indices [B] of a batch and a generator; gives
            labels [B,H,W], -1 where there is none.
        epochs: passes over the images.
        batch_size: images of a step.
        lr: Adam's learning rate.
        seed: decides the order and what `targets` draws.
        weight: of each class in the cross entropy, [N]; None weighs all alike.

    Returns:
        One row an epoch: epoch, loss (the mean over the images).

    Raises:
        InputError: an argument cannot be used.
    """
    check_numbers(epochs=epochs, batch_size=batch_size, lr=lr, seed=seed)
    optimizer = Adam(trainable(model), lr=lr)
    rows = []
    with as_found(model, home_of(model)):
        for epoch in range(1, epochs + 1):
            model.train()
            total = 0.0
            with random_numbers(seed, epoch) as generator:
                for batch in torch.randperm(len(images), generator=generator).split(batch_size):
                    truth = targets(batch, generator)
                    loss = F.cross_entropy(
                        model(images[batch]), truth, weight=weight, ignore_index=IGNORED
                    )
                    optimizer.zero_grad(set_to_none=True)
                    loss.backward()
                    optimizer.step()
                    total += loss.item() * len(batch)
            rows.append({"epoch": epoch, "loss": total / len(images)})
    model.zero_grad(set_to_none=True)
    return pd.DataFrame(rows)
