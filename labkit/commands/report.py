"""What is said about a trained network: test figures, and how its maps fit the true masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from labkit import plots
from labkit.data import CamSeg
from labkit.errors import InputError
from labkit.localization import class_maps, iou_table
from labkit.training import Evaluation, evaluate
from labkit.training.state import pick_device

Sources = Mapping[str, tuple[NDArray[np.uint8], NDArray[np.bool_]]]

SHOWN = 125  # the threshold under which the pictures of the maps give their IoU


@dataclass(frozen=True)
class Report:
    """Figures on the test images, and IoU by threshold, a column each.

    `sources` has a row for each class, `test` one for each test image; each is None where the data
    set has no such masks, and so is the picture `cams` without sources.
    """

    evaluation: Evaluation
    sources: pd.DataFrame | None
    test: pd.DataFrame | None
    cams: Figure | None

    def figures(self) -> dict[str, Any]:
        """The numbers, for `test.json`."""
        return {
            "images": int(self.evaluation.confusion.sum()),
            "accuracy": self.evaluation.accuracy,
            "loss": self.evaluation.loss,
            "iou": {
                "sources": None if self.sources is None else self.sources.mean().to_dict(),
                "classes": None if self.sources is None else self.sources.T.to_dict(),
                "test": None if self.test is None else self.test.mean().to_dict(),
            },
            "confusion": self.evaluation.confusion.tolist(),
        }

    def print(self, console: Console) -> None:
        """The same for readers."""
        n = int(self.evaluation.confusion.sum())
        console.print(
            f"test accuracy {self.evaluation.accuracy:.3f} of {n} images", highlight=False
        )
        if self.sources is not None:
            console.print(_iou_table(self.sources, self.test))


def find_sources(data: CamSeg, console: Console) -> Sources:
    """The pictures with true masks; none, and a sentence why, where they cannot be read."""
    try:
        return data.sources()
    except InputError as error:
        console.print(f"no IoU without masks: {error}", highlight=False, soft_wrap=True)
        return {}


def make_report(model: nn.Module, data: CamSeg, images: list[int], sources: Sources) -> Report:
    """Test a network on some images of a test set, and its maps on the sources of true masks."""
    evaluation = evaluate(model, Subset(data, images))
    table, cams = _on_sources(model, data, sources) if sources else (None, None)
    return Report(evaluation, table, _on_test_images(model, data, images), cams)


def _on_sources(model: nn.Module, data: CamSeg, sources: Sources) -> tuple[pd.DataFrame, Figure]:
    pictures, masks = zip(*sources.values(), strict=True)
    maps = [
        class_maps(
            model,
            data.prepare(picture)[None],
            torch.tensor([data.classes.index(name)]),
            mask.shape,
        )[0]
        for name, (picture, mask) in sources.items()
    ]
    table = iou_table(maps, masks).set_axis(list(sources))
    titles = [f"{name}\nIoU {value:.2f}" for name, value in table[SHOWN].items()]
    return table, plots.show_maps(pictures, maps, masks, titles)


def _on_test_images(model: nn.Module, data: CamSeg, images: list[int]) -> pd.DataFrame | None:
    masks = [data.mask(i) for i in images]
    known = [mask for mask in masks if mask is not None]
    if len(known) < len(masks):
        return None
    device = pick_device()
    maps: list[Tensor] = []
    for batch, labels in DataLoader(Subset(data, images), 64):
        maps += class_maps(model, batch.to(device), labels, known[0].shape).cpu()
    return iou_table(maps, known)


def _iou_table(sources: pd.DataFrame, test: pd.DataFrame | None) -> Table:
    table = Table(title="IoU of maps with true masks, by threshold of 255")
    table.add_column("images")
    for threshold in sources.columns:
        table.add_column(str(threshold), justify="right")
    for name, row in sources.iterrows():
        table.add_row(str(name), *(f"{value:.3f}" for value in row))
    table.add_section()
    table.add_row("mean of these", *(f"{value:.3f}" for value in sources.mean()))
    if test is not None:
        table.add_row(f"mean of {len(test)} test images", *(f"{v:.3f}" for v in test.mean()))
    return table
