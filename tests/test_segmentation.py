"""Training on equivariant losses: which parts, of which images, and what is measured."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from labkit import losses
from labkit.errors import InputError
from labkit.models import CamNet, CamOutput
from labkit.segmentation import LOSSES, SegObjective, map_figures
from labkit.training import build, fit
from labkit.transforms import Compose, HFlip, Rot90, Scale, VFlip


@pytest.fixture
def net() -> CamNet:
    return build(lambda: CamNet(3), 0)


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(6, 3, 32, 32, generator=generator), torch.tensor([0, 1, 2, 0, 1, 2])


TRANSFORMS = [Scale(), HFlip(), Compose([VFlip(), Rot90()])]


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_is_that_of_both_copies(net, batch, transform, loss):
    images, labels = batch
    twin = copy.deepcopy(net)
    total, scores = SegObjective(transform, loss)(net.train(), images, labels)
    one, other = twin.train()(images), twin(transform(images))
    expected = {
        "handout": lambda: losses.equivariant_loss(one, other, labels, transform).total,
        "normalized": lambda: (
            losses.normalized_equivariant_loss(one, other, labels, transform).total
        ),
        "ssenet": lambda: (
            losses.ssenet_loss(one, other, labels, twin.classifier.weight, transform).total
        ),
        "none": lambda: nn.functional.cross_entropy(
            torch.cat([one.scores, other.scores]), labels.repeat(2)
        ),
    }[loss]()
    torch.testing.assert_close(total, expected)
    torch.testing.assert_close(scores, one.scores)


def test_the_parts_add_up(net, batch):
    for loss in LOSSES:
        parts, _ = SegObjective(HFlip(), loss).parts(net, *batch)
        seg = 0 if loss == "none" else parts.seg
        torch.testing.assert_close(parts.total, (parts.cls_large + parts.cls_small) / 2 + seg)


def test_fit_takes_the_step_of_the_objective(batch):
    model = build(lambda: CamNet(3), 0).double()  # Adam's first step magnifies rounding
    images, labels = batch[0].double(), batch[1]
    twin, data = copy.deepcopy(model), TensorDataset(images, labels)
    objective = SegObjective(Scale())
    history = fit(
        model, data, data, epochs=1, batch_size=6, lr=0.01, progress=False, objective=objective
    )
    optimizer = torch.optim.Adam(twin.parameters(), lr=0.01)
    large, small = twin.train()(images), twin(Scale()(images))
    loss = losses.scale_equivariant_loss(large, small, labels).total
    loss.backward()
    optimizer.step()
    assert history["train_loss"][0] == pytest.approx(loss.item())
    for ours, expected in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, expected)


def test_a_classifier_that_is_frozen_stays(net, batch):
    net.classifier.requires_grad_(False)
    before = net.classifier.weight.clone()
    data = TensorDataset(*batch)
    fit(net, data, data, epochs=1, progress=False, objective=SegObjective(HFlip(), "ssenet"))
    assert torch.equal(net.classifier.weight, before)


def test_there_is_no_such_loss():
    with pytest.raises(InputError, match="'seam', expected one of handout, normalized, ssenet"):
        SegObjective(HFlip(), "seam")


class TestMapFigures:
    def output(self, values) -> CamOutput:
        features = torch.tensor(values, dtype=torch.float32)[None, None]  # one channel: softmax 1
        return CamOutput(torch.zeros(1, 2), features, features.mean((2, 3)))

    def test_by_hand(self):
        large, flipped = self.output([[3.0, 4.0]]), self.output([[4.0, 5.0]])
        figures = map_figures(large, flipped, HFlip())
        np.testing.assert_allclose(
            [figures["map_size"], figures["seg"], figures["relative"]],
            [np.sqrt(12.5), 2.0, 2 / 12.5],
        )

    def test_a_dead_map(self):
        dead = self.output([[0.0, 0.0]])
        assert map_figures(dead, dead, HFlip()) == {"map_size": 0, "seg": 0, "relative": 0}
