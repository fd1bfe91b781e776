import copy

import numpy as np
import pytest
import torch
from torch import nn

from labkit.errors import InputError
from labkit.localization import THRESHOLDS, class_maps, iou_table, seg_maps
from labkit.models import CamNet, CamOutput


class Shown(nn.Module):
    """Takes its images for feature maps."""

    def __init__(self, weights: list[list[float]]) -> None:
        super().__init__()
        self.classifier = nn.Linear(len(weights[0]), len(weights), bias=False)
        self.classifier.weight.data = torch.tensor(weights)

    def forward(self, images: torch.Tensor) -> CamOutput:
        pooled = images.mean(dim=(2, 3))
        return CamOutput(self.classifier(pooled), images, pooled)


class TestClassMaps:
    def test_by_hand(self):
        images = torch.tensor([[[[1.0, 2.0]], [[0.0, 4.0]]]]).repeat(2, 1, 1, 1)
        model = Shown([[1.0, 1.0], [2.0, -1.0]])
        maps = class_maps(model, images, torch.tensor([0, 1]), (1, 2))
        # Class 0: 1 and 6; class 1: 2 and 0.
        torch.testing.assert_close(maps, torch.tensor([[[0.0, 1.0]], [[1.0, 0.0]]]))

    def test_has_the_size_that_was_asked_for(self):
        images = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))
        maps = class_maps(CamNet(10), images, torch.tensor([3, 9]), (20, 30))
        assert maps.shape == (2, 20, 30)
        assert maps.min() >= 0 and maps.max() <= 1

    def test_leaves_the_model(self):
        model = CamNet(10).train()
        before = copy.deepcopy(model.state_dict())
        class_maps(model, torch.rand(2, 3, 32, 32), torch.tensor([0, 1]), (32, 32))
        assert all(module.training for module in model.modules())
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())

    def test_refuses_a_model_without_a_classifier(self):
        with pytest.raises(InputError, match="no linear `classifier`"):
            class_maps(nn.Identity(), torch.rand(1, 3, 8, 8), torch.tensor([0]), (8, 8))


class TestSegMaps:
    def test_by_hand(self):
        images = torch.tensor([[[[1.0, 2.0]], [[0.0, 4.0]]], [[[9.0, 9.0]], [[9.0, 9.0]]]])
        maps = seg_maps(Shown([[1.0, 1.0]]), images, (1, 2))
        # The second channel has the higher mean and weighs more; a constant map becomes zeros.
        torch.testing.assert_close(maps, torch.tensor([[[0.0, 1.0]], [[0.0, 0.0]]]))

    def test_knows_no_class(self):
        images = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))
        model = CamNet(10).train()
        before = seg_maps(model, images, (20, 30))
        assert before.shape == (2, 20, 30)
        assert model.training and all(module.training for module in model.modules())
        model.classifier.weight.data.zero_()
        assert torch.equal(seg_maps(model, images, (20, 30)), before)


class TestIouTable:
    def test_by_hand(self):
        ramp = torch.tensor([[0.2, 0.4, 0.6, 0.8]])
        mask = np.array([[False, False, True, True]])
        table = iou_table([ramp, ramp], [mask, ~mask], thresholds=(25, 128, 230))
        assert table.columns.tolist() == [25, 128, 230]
        np.testing.assert_allclose(table, [[2 / 4, 1, 0], [2 / 4, 0, 0]])
        np.testing.assert_allclose(table.mean(), [0.5, 0.5, 0])

    def test_a_pixel_at_the_threshold_is_outside(self):
        table = iou_table([torch.tensor([[100 / 255]])], [np.array([[True]])], thresholds=(99, 100))
        assert table.iloc[0].tolist() == [1, 0]

    def test_thresholds_of_the_lab(self):
        table = iou_table([torch.ones(2, 2)], [np.ones((2, 2), dtype=bool)])
        assert table.columns.tolist() == list(THRESHOLDS) == [75, 100, 125, 150, 175]
