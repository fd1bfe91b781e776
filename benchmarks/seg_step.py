"""The cost of a training step of lab 2, as a ratio to two plain steps of the same network.

    python benchmarks/seg_step.py

A plain step is forward and backward of the classification loss on images of whole size. Two of
them are what two branches of whole size must cost; the small branch has a quarter of the pixels.
Steps of all kinds are taken in turn, so that other load on the machine hits them alike; what is
printed is the median over the rounds of each ratio.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from tqdm import tqdm

from labkit.models import CamNet
from labkit.segmentation import LOSSES, SegObjective
from labkit.training import Objective, classification
from labkit.transforms import HFlip, Scale

ROUNDS, BATCH, SIDE = 15, 16, 112


def step(net: nn.Module, images: Tensor, labels: Tensor, objective: Objective) -> None:
    """Forward and backward, without the optimizer."""
    net.zero_grad()
    objective(net, images, labels)[0].backward()


def seconds(function: Callable[[], None]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    """Print the ratios."""
    torch.manual_seed(0)
    net = CamNet(10)
    images, labels = torch.randn(BATCH, 3, SIDE, SIDE), torch.randint(10, (BATCH,))
    objectives: dict[str, Objective] = {
        f"{name}, {loss}": SegObjective(transform, loss)
        for name, transform in {"scale": Scale(), "hflip": HFlip()}.items()
        for loss in LOSSES
    }
    for objective in (classification, *objectives.values()):  # warm up
        step(net, images, labels, objective)
    ratios: dict[str, list[float]] = {name: [] for name in objectives}
    for _ in tqdm(range(ROUNDS), "rounds", leave=False):
        two_plain = sum(
            seconds(lambda: step(net, images, labels, classification)) for _ in range(2)
        )
        for name, objective in objectives.items():
            taken = seconds(lambda o=objective: step(net, images, labels, o))
            ratios[name].append(taken / two_plain)
    print(f"a step on {BATCH} images of {SIDE} pixels, as a share of two plain steps:")
    for name, values in ratios.items():
        low, *_, high = statistics.quantiles(values, n=4)
        print(f"  {name:20} {statistics.median(values):.2f} (middle half {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
