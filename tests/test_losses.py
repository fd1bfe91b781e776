"""The losses against arithmetic by hand and against NumPy in float64."""

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax, softmax

from labkit.errors import InputError
from labkit.losses import (
    LossParts,
    equivariant_loss,
    handout_maps,
    map_difference,
    normalized_equivariant_loss,
    scale_equivariant_loss,
    ssenet_loss,
)
from labkit.models import CamNet, CamOutput
from labkit.transforms import Compose, HFlip, Rot90, Rotate, Scale, VFlip, valid_region


def output(generator, batch, channels, height, width, classes=4) -> CamOutput:
    """Features drawn from N(0, 1), and what a CAM network makes of them."""
    features = torch.tensor(generator.normal(size=(batch, channels, height, width)))
    return CamOutput(
        torch.tensor(generator.normal(size=(batch, classes))), features, features.mean((2, 3))
    )


def cross_entropy(scores, labels) -> float:
    return -log_softmax(scores.numpy(), axis=1)[range(len(labels)), labels.numpy()].mean()


def maps_of(out: CamOutput) -> np.ndarray:
    weights = softmax(out.pooled.numpy(), axis=1)
    return (weights[:, :, None, None] * out.features.numpy()).sum(1)


def halved(maps: np.ndarray) -> np.ndarray:
    batch, height, width = maps.shape
    return maps.reshape(batch, height // 2, 2, width // 2, 2).mean((2, 4))


def same(found: LossParts, cls_large: float, cls_small: float, seg: float) -> None:
    expected = ((cls_large + cls_small) / 2 + seg, cls_large, cls_small, seg)
    np.testing.assert_allclose([float(part) for part in found], expected, rtol=1e-9)


def test_by_hand():
    """One image, one channel (its softmax is 1), scores that make the true class certain of 1/2."""
    large = CamOutput(
        torch.zeros(1, 2), torch.tensor([[[[0.0, 4.0], [8.0, 4.0]]]]), torch.tensor([[4.0]])
    )
    small = CamOutput(torch.tensor([[0.0, np.log(3)]]), torch.tensor([[[[7.0]]]]), torch.ones(1, 1))
    parts = scale_equivariant_loss(large, small, torch.tensor([0]))
    # Halving gives the mean 4, and (4 - 7)^2 = 9; classification ln 2 and ln 4.
    expected = [9 + 1.5 * np.log(2), np.log(2), 2 * np.log(2), 9]
    np.testing.assert_allclose([float(part) for part in parts], expected, rtol=1e-6)
    assert parts._fields == ("total", "cls_large", "cls_small", "seg")


@pytest.mark.parametrize(
    ("batch", "height", "width"), [(3, 28, 28), (1, 4, 6), (2, 2, 2), (2, 6, 14)]
)
def test_the_handout_s_loss_agrees_with_numpy(batch, height, width):
    generator = np.random.default_rng(1)
    large = output(generator, batch, 5, height, width)
    small = output(generator, batch, 5, height // 2, width // 2)
    labels = torch.tensor(generator.integers(0, 4, batch))
    seg = ((halved(maps_of(large)) - maps_of(small)) ** 2).mean()
    same(
        scale_equivariant_loss(large, small, labels),
        cross_entropy(large.scores, labels),
        cross_entropy(small.scores, labels),
        seg,
    )


def test_downscaling_the_features_or_the_map_is_the_same():
    """The handout downscales features, here the map is: both are linear."""
    generator = np.random.default_rng(2)
    large, small = output(generator, 2, 5, 9, 7), output(generator, 2, 5, 5, 4)
    labels = torch.tensor([0, 1])
    features = torch.nn.functional.interpolate(large.features, (5, 4), mode="bilinear")
    before = handout_maps(large._replace(features=features))
    expected = ((before - handout_maps(small)) ** 2).mean()
    torch.testing.assert_close(scale_equivariant_loss(large, small, labels).seg, expected)


@pytest.mark.parametrize(
    ("transform", "by_numpy", "size"),
    [
        (HFlip(), lambda maps: maps[:, :, ::-1], (5, 8)),
        (VFlip(), lambda maps: maps[:, ::-1], (5, 8)),
        (Rot90(), lambda maps: np.rot90(maps, axes=(1, 2)), (8, 5)),
        (Compose([HFlip(), Rot90()]), lambda maps: maps.swapaxes(1, 2), (8, 5)),
    ],
)
def test_any_transform_agrees_with_numpy(transform, by_numpy, size):
    generator = np.random.default_rng(3)
    one, other = output(generator, 3, 4, 5, 8), output(generator, 3, 4, *size)
    labels = torch.tensor([0, 3, 1])
    seg = ((by_numpy(maps_of(one)) - maps_of(other)) ** 2).mean()
    same(
        equivariant_loss(one, other, labels, transform),
        cross_entropy(one.scores, labels),
        cross_entropy(other.scores, labels),
        seg,
    )


def test_scale_is_one_of_the_transforms():
    generator = np.random.default_rng(4)
    large, small = output(generator, 2, 3, 7, 10), output(generator, 2, 3, 4, 5)
    labels = torch.tensor([1, 0])
    for part, expected in zip(
        equivariant_loss(large, small, labels, Scale(0.5)),
        scale_equivariant_loss(large, small, labels),
        strict=True,
    ):
        torch.testing.assert_close(part, expected)


def test_the_loss_is_zero_for_an_equivariant_map_and_not_for_another():
    generator = np.random.default_rng(5)
    one = output(generator, 2, 3, 6, 6)
    turned = one._replace(features=Rot90()(one.features))
    labels = torch.tensor([0, 1])
    assert equivariant_loss(one, turned, labels, Rot90()).seg == 0
    for wrong in (Compose([]), Rot90(2), Rot90(-1), HFlip()):
        assert equivariant_loss(one, turned, labels, wrong).seg > 0.01


def test_a_turn_is_compared_where_it_is_valid():
    generator = np.random.default_rng(6)
    turn = Rotate(25)
    one = output(generator, 2, 3, 9, 9)
    valid = valid_region(turn, (9, 9)).numpy()
    other = output(generator, 2, 3, 9, 9)
    expected = ((turn(torch.tensor(maps_of(one))).numpy() - maps_of(other)) ** 2)[:, valid].mean()
    found = equivariant_loss(one, other, torch.tensor([0, 1]), turn).seg
    np.testing.assert_allclose(float(found), expected, rtol=1e-9)
    spoilt = other._replace(features=other.features + 100.0 * torch.tensor(~valid))
    again = equivariant_loss(one, spoilt, torch.tensor([0, 1]), turn).seg
    torch.testing.assert_close(again, found)  # pooled is as it was: corners do not count


class TestNormalized:
    def test_agrees_with_numpy(self):
        generator = np.random.default_rng(7)
        large, small = output(generator, 3, 4, 8, 6), output(generator, 3, 4, 4, 3)
        labels = torch.tensor([0, 1, 2])
        a, b = (
            np.maximum(maps, 0) / maps.max((1, 2), keepdims=True)
            for maps in (halved(maps_of(large)), maps_of(small))
        )
        same(
            normalized_equivariant_loss(large, small, labels, Scale()),
            cross_entropy(large.scores, labels),
            cross_entropy(small.scores, labels),
            ((a - b) ** 2).mean(),
        )

    def test_shrinking_gains_nothing_but_does_so_without_normalising(self):
        generator = np.random.default_rng(8)
        large, small = output(generator, 2, 4, 6, 6), output(generator, 2, 4, 3, 3)
        labels = torch.tensor([0, 1])
        shrunk = [out._replace(features=out.features / 10) for out in (large, small)]
        torch.testing.assert_close(
            normalized_equivariant_loss(*shrunk, labels, Scale()).seg,
            normalized_equivariant_loss(large, small, labels, Scale()).seg,
        )
        torch.testing.assert_close(
            scale_equivariant_loss(*shrunk, labels).seg,
            scale_equivariant_loss(large, small, labels).seg / 100,
        )

    def test_a_dead_map_gives_zero_and_finite_gradients(self):
        features = torch.zeros(1, 2, 4, 4, requires_grad=True)
        dead = CamOutput(torch.zeros(1, 2), features, features.mean((2, 3)))
        parts = normalized_equivariant_loss(dead, dead, torch.tensor([0]), HFlip())
        parts.total.backward()
        assert parts.seg == 0
        assert features.grad is not None and features.grad.isfinite().all()


class TestSsenet:
    def test_agrees_with_numpy(self):
        generator = np.random.default_rng(9)
        large, small = output(generator, 3, 4, 6, 8), output(generator, 3, 4, 3, 4)
        labels, weights = torch.tensor([3, 0, 0]), generator.normal(size=(4, 4))
        onehot = np.eye(4)[labels]
        cls = [
            -(onehot * np.log(expit(s)) + (1 - onehot) * np.log(expit(-s))).mean()
            for s in (large.scores.numpy(), small.scores.numpy())
        ]
        maps = [np.einsum("bchw,nc->bnhw", o.features.numpy(), weights) for o in (large, small)]
        maps[0] = maps[0].reshape(3, 4, 3, 2, 4, 2).mean((3, 5))
        maps = [np.maximum(m, 0) for m in maps]
        maps = [m / np.maximum(m.max((2, 3), keepdims=True), 1e-30) for m in maps]
        seg = ((maps[0] - maps[1]) ** 2 * onehot[:, :, None, None]).mean()
        found = ssenet_loss(large, small, labels, torch.tensor(weights), Scale())
        same(found, cls[0], cls[1], seg)

    def test_classification_is_a_yes_or_no_for_each_class(self):
        one = CamOutput(torch.zeros(2, 5), torch.zeros(2, 3, 2, 2), torch.zeros(2, 3))
        parts = ssenet_loss(one, one, torch.tensor([0, 4]), torch.ones(5, 3), HFlip())
        np.testing.assert_allclose([float(part) for part in parts[:3]], [np.log(2)] * 3, rtol=1e-6)


def test_gradients_reach_the_network_through_both_branches():
    torch.manual_seed(0)
    net = CamNet(3)
    images, labels = torch.randn(2, 3, 32, 32), torch.tensor([0, 2])
    large, small = net(images, Scale()(images))
    first = net.backbone.conv1.weight
    for branch in (large, small):
        (gradient,) = torch.autograd.grad(
            scale_equivariant_loss(large, small, labels).seg, branch.features, retain_graph=True
        )
        assert gradient.abs().sum() > 0
    (gradient,) = torch.autograd.grad(scale_equivariant_loss(large, small, labels).total, first)
    assert gradient.isfinite().all() and gradient.abs().sum() > 0


def test_another_transform_than_the_images_had():
    with pytest.raises(InputError, match="must have had this very transform"):
        map_difference(torch.zeros(2, 4, 6), torch.zeros(2, 4, 6), Rot90())
    with pytest.raises(InputError, match=r"\[3, 4, 6\], and transforming the maps gives \[2, 4"):
        map_difference(torch.zeros(2, 4, 6), torch.zeros(3, 4, 6), HFlip())


def test_no_position_left_in_view():
    with pytest.raises(InputError, match="larger images or a smaller angle"):
        map_difference(torch.zeros(1, 2, 2), torch.zeros(1, 2, 2), Rotate(45))
