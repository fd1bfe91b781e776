"""Starts of a network: bilinear kernels, He's weights, zeros, and what gradients say of them."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from labkit.errors import InputError
from labkit.models import FCN8s, FCN32s
from labkit.models.initialization import bilinear_kernel, gradient_norms, proper_init, zero_init


class TestBilinearKernel:
    def test_by_hand(self):
        line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
        torch.testing.assert_close(bilinear_kernel(4), line[:, None] * line)
        line = torch.tensor([1.0, 2.0, 1.0]) / 2
        torch.testing.assert_close(bilinear_kernel(3), line[:, None] * line)
        assert bilinear_kernel(1).tolist() == [[1.0]]

    @pytest.mark.parametrize("stride", [2, 8, 32])
    def test_a_transposed_convolution_interpolates(self, stride):
        """As torch's bilinear interpolation with half-pixel centres, away from the border."""
        maps = torch.randn(1, 1, 7, 9, dtype=torch.float64)
        kernel = bilinear_kernel(2 * stride).double()[None, None]
        found = F.conv_transpose2d(maps, kernel, stride=stride)
        half = stride // 2
        found = found[:, :, half:-half, half:-half]
        expected = F.interpolate(maps, scale_factor=stride, mode="bilinear")
        inner = slice(half, -half)
        torch.testing.assert_close(found[..., inner, inner], expected[..., inner, inner])

    def test_refuses_no_size(self):
        with pytest.raises(InputError, match="size 0"):
            bilinear_kernel(0)


@pytest.mark.parametrize("network", [FCN32s, FCN8s])
class TestStarts:
    def test_proper_weights_have_hes_spread(self, network):
        torch.manual_seed(0)
        net = network(12, 1 / 4)
        for name, parameter in net.named_parameters():
            p = parameter.detach()
            if name.startswith("upscore"):
                kernel = bilinear_kernel(p.shape[2])
                torch.testing.assert_close(p[3, 3], kernel)
                assert p.sum() == pytest.approx(12 * float(kernel.sum()), rel=1e-5)
            elif name.endswith("bias"):
                assert not p.any()
            elif p.numel() > 10_000:
                expected = math.sqrt(2 / p[0].numel())
                assert float(p.std()) == pytest.approx(expected, rel=0.05), name

    def test_a_signal_neither_dies_nor_explodes(self, network):
        torch.manual_seed(0)
        net = network(12, 1 / 4).eval()
        assert 0.02 < float(net(torch.randn(1, 3, 96, 96)).detach().std()) < 20

    def test_zeros_leave_the_bias_of_the_scores_alone_to_learn(self, network):
        torch.manual_seed(0)
        net = network(5, 1 / 16).eval()
        zero_init(net)
        images, labels = torch.randn(1, 3, 64, 64), torch.randint(5, (1, 64, 64))
        norms = gradient_norms(net, images, labels)
        learning = {name for name, norm in norms.items() if norm > 0}
        skips = {"score_pool3.bias", "score_pool4.bias"} if network is FCN8s else set()
        assert learning == {"score.bias"} | skips

    def test_zeros_keep_every_convolution_at_zero_for_ever(self, network):
        torch.manual_seed(0)
        net = network(5, 1 / 16).eval()
        zero_init(net)
        optimizer = torch.optim.Adam(net.parameters(), lr=0.1, weight_decay=2e-5)
        images, labels = torch.randn(1, 3, 64, 64), torch.randint(5, (1, 64, 64))
        for _ in range(4):
            optimizer.zero_grad()
            F.cross_entropy(net(images), labels).backward()
            optimizer.step()
        weights = {n: p for n, p in net.named_parameters() if p.ndim == 4 and "up" not in n}
        assert not any(p.any() for p in weights.values())
        assert net.score.bias.any()

    def test_every_parameter_learns_from_a_proper_start(self, network):
        torch.manual_seed(0)
        net = network(5, 1 / 16).eval()
        norms = gradient_norms(net, torch.randn(1, 3, 64, 64), torch.randint(5, (1, 64, 64)))
        assert set(norms) == {name for name, _ in net.named_parameters()}
        assert min(norms.values()) > 0


class TestGradientNorms:
    def test_by_hand(self):
        net = nn.Conv2d(3, 2, 1)
        nn.init.zeros_(net.weight)
        nn.init.zeros_(net.bias)
        images = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1).repeat(1, 1, 1, 2)
        norms = gradient_norms(net, images, torch.tensor([[[1, -1]]]))
        assert norms["bias"] == pytest.approx(math.sqrt(0.5))
        assert norms["weight"] == pytest.approx(math.sqrt(0.5 * 14))

    def test_leaves_the_model_as_it_was_and_skips_what_is_frozen(self):
        net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1))
        net[0].requires_grad_(False)
        net[1].weight.grad = torch.ones_like(net[1].weight)
        norms = gradient_norms(net, torch.randn(1, 3, 4, 4), torch.zeros(1, 4, 4).long())
        assert set(norms) == {"1.weight", "1.bias"}
        assert (net[1].weight.grad == 1).all() and net[1].bias.grad is None and net.training

    def test_what_takes_no_part_has_no_gradient(self):
        net = nn.Conv2d(3, 2, 1)
        net.spare = nn.Linear(1, 1)
        norms = gradient_norms(net, torch.randn(1, 3, 4, 4), torch.zeros(1, 4, 4).long())
        assert norms["spare.weight"] == 0.0


def test_starts_leave_other_layers():
    net = nn.Sequential(nn.Linear(2, 2), nn.Conv2d(3, 3, 1, bias=False))
    before = net[0].weight.clone()
    proper_init(net)
    zero_init(net)
    assert torch.equal(net[0].weight, before) and not net[1].weight.any()
