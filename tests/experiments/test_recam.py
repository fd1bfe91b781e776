"""Document 001's trainings on drawn flowers, and how their maps are measured."""

from dataclasses import replace

import pandas as pd
import pytest
import torch
from torch.utils.data import TensorDataset

from labkit.data import Flowers17
from labkit.experiments import recam
from labkit.models import CamHead
from labkit.presets import preset


def head_that_gives(sign: float) -> CamHead:
    """One feature map in; the map of every class is that one, times `sign`."""
    head = CamHead(17, 1, maps=1)
    with torch.no_grad():
        head.maps[0].weight.fill_(1)
        head.maps[0].bias.zero_()
        head.classifier.weight.fill_(sign)
    return head


def test_iou_of_maps_that_are_the_masks():
    pictures = Flowers17("builtin", "test", 32, count=17)
    masks = torch.stack([torch.tensor(pictures.mask(i)) for i in range(17)])[:, None].float()
    known = TensorDataset(masks, pictures.labels)
    assert recam.best_iou(head_that_gives(1), known, pictures) == 1
    assert recam.best_iou(head_that_gives(-1), known, pictures) == 0
    rest = TensorDataset(1 - masks, pictures.labels)
    assert recam.best_iou(head_that_gives(1), rest, pictures) == 0
    # Half of every picture, whatever is in it: one threshold serves all, the mean is over pictures.
    halves = torch.zeros_like(masks)
    halves[..., :16] = 1
    both = (halves * masks).sum((1, 2, 3))
    expected = (both / (halves.sum((1, 2, 3)) + masks.sum((1, 2, 3)) - both)).mean()
    found = recam.best_iou(head_that_gives(1), TensorDataset(halves, pictures.labels), pictures)
    assert found == pytest.approx(float(expected), abs=1e-6)


def test_without_masks_there_is_no_iou():
    pictures = Flowers17("builtin", "train", 32, count=3)
    known = TensorDataset(torch.ones(3, 1, 2, 2), pictures.labels)
    assert recam.best_iou(head_that_gives(1), known, pictures) is None


def test_a_table_of_drawn_flowers_that_goes_on(tmp_path):
    tiny = replace(preset("lab6_recam", "grade"), epochs=1)
    table = recam.recam_table("builtin", tiny, tmp_path, lrs=(1e-3,), copies=1, progress=False)
    assert table["class_iou"].between(0, 1).all()
    assert list(table["network"]) == ["cam", "naive", "naive", "naive", "recam"]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/best.pt")}
    again = recam.recam_table("builtin", tiny, tmp_path, lrs=(1e-3, 2e-3), copies=1, progress=False)
    assert len(again) == 10 and len(before) == 5
    pd.testing.assert_frame_equal(again[:5], table)
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
