"""Folds for cross validation; used as `labkit.metrics.k_folds`."""

from __future__ import annotations

import torch
from torch import Tensor

from labkit.errors import InputError


def k_folds(n: int, k: int, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Cut n samples into k shuffled folds, each of which is the validation set once.

    Args:
        n: number of samples.
        k: number of folds, in 2..n; their sizes differ by at most one.
        seed: decides the shuffle; the global random state is neither read nor changed.

    Returns:
        k pairs (train indices, validation indices), int64, each in ascending order.

    Raises:
        InputError: k is not in 2..n.
    """
    if not 2 <= k <= n:
        raise InputError(f"{k} folds of {n} samples, expected a number of folds from 2 to {n}")
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    folds = order.tensor_split(k)
    return [
        (torch.cat(folds[:i] + folds[i + 1 :]).sort().values, fold.sort().values)
        for i, fold in enumerate(folds)
    ]
