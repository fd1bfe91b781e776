"""The confusion matrix beside a bare `torch.bincount` and torchmetrics, in one run.

    python benchmarks/confusion_matrix.py

Label maps of 512x512 with twelve classes, one and eight at once, on one thread: with every pixel
labelled, and with a tenth of them ignored. A bare bincount cannot ignore, so it counts them all.
The three take turns, so what else the machine does befalls them alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torchmetrics.functional.classification import multiclass_confusion_matrix

from labkit.metrics import confusion_matrix

N_CLASSES, IGNORED, ROUNDS = 12, -1, 60


def bare(truth: Tensor, prediction: Tensor) -> Tensor:
    """What the matrix costs at the least: no check, nothing ignored."""
    cells = N_CLASSES * truth + prediction
    return torch.bincount(cells.ravel(), minlength=N_CLASSES**2).reshape(N_CLASSES, N_CLASSES)


def medians(functions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Milliseconds of each function, called in turn."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: sorted(found)[ROUNDS // 2] for name, found in times.items()}


def main() -> None:
    """Print a line for each case: medians, and their ratios to the bare bincount."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    for maps in (1, 8):
        shape = (maps, 512, 512)
        truth, guess = (torch.randint(N_CLASSES, shape, generator=generator) for _ in range(2))
        some = truth.where(torch.rand(shape, generator=generator) > 0.1, IGNORED)
        for case, labels in (("all counted", truth), ("a tenth ignored", some)):
            referee = partial(multiclass_confusion_matrix, ignore_index=IGNORED)
            found = medians(
                {
                    "bare": partial(bare, truth, guess),
                    "labkit": partial(confusion_matrix, labels, guess, N_CLASSES),
                    "torchmetrics": partial(referee, guess, labels, N_CLASSES),
                }
            )
            ratios = ", ".join(
                f"{name} {t:.2f} ms = {t / found['bare']:.2f}" for name, t in found.items()
            )
            print(f"{maps} x 512x512, {case}: {ratios}")


if __name__ == "__main__":
    main()
