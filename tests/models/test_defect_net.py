"""The networks of lab 7: their maps, their fusion by hand, and that the decoder alone learns."""

import copy
import random

import pytest
import torch

from labkit.errors import InputError
from labkit.maps import Recorder
from labkit.models import DefectNet, FCam, SegNet, fuse_features
from labkit.training import build


class TestFusion:
    def test_by_hand(self):
        x, y, z = (torch.full((1, 1, 2, 2), value) for value in (2.0, 3.0, 0.5))
        torch.testing.assert_close(fuse_features([x, y, z], "add"), torch.full((1, 1, 2, 2), 5.5))
        torch.testing.assert_close(fuse_features([x, y, z], "mul"), torch.full((1, 1, 2, 2), 3.0))

    def test_the_gradient_of_a_branch_is_the_product_of_the_others(self):
        generator = torch.Generator().manual_seed(0)
        x, y, z = (torch.randn(2, 3, 4, 5, generator=generator, dtype=torch.float64) for _ in "xyz")
        x.requires_grad_()
        size = 4 * 5
        (by_x,) = torch.autograd.grad(fuse_features([x, y, z], "mul").mean((2, 3)).sum(), x)
        torch.testing.assert_close(by_x, y * z / size)
        (by_x,) = torch.autograd.grad(fuse_features([x, y, z], "add").mean((2, 3)).sum(), x)
        torch.testing.assert_close(by_x, torch.full_like(x, 1 / size))

    def test_the_largest_gives_the_size_wherever_it_stands(self):
        branches = [torch.ones(1, 2, 3, 4), torch.ones(1, 2, 9, 8), torch.ones(1, 2, 1, 1)]
        assert fuse_features(branches, "mul").shape == (1, 2, 9, 8)
        expected = torch.nn.functional.interpolate(
            torch.arange(4.0).view(1, 1, 2, 2), size=(4, 4), mode="bilinear", align_corners=False
        )
        found = fuse_features([torch.arange(4.0).view(1, 1, 2, 2), torch.ones(1, 1, 4, 4)], "mul")
        torch.testing.assert_close(found, expected)

    @pytest.mark.parametrize(
        ("branches", "how"),
        [([], "add"), ([torch.ones(1, 2, 3, 3), torch.ones(1, 3, 3, 3)], "mul"), ([], "max")],
    )
    def test_refused(self, branches, how):
        with pytest.raises(InputError):
            fuse_features(branches, how)


@pytest.mark.parametrize("fusion", ["none", "add", "mul"])
class TestDefectNet:
    @pytest.mark.parametrize("shape", [(2, 3, 64, 64), (1, 3, 37, 50)])
    def test_shapes_and_scores(self, fusion, shape):
        net = DefectNet(2, 4, fusion).eval()
        output = net(torch.randn(shape))
        assert output.scores.shape == (shape[0], 2)
        assert output.features.shape[1] == (32 if fusion == "none" else 16)
        side = -(-shape[2] // (8 if fusion == "none" else 4))
        assert output.features.shape[2] == side
        torch.testing.assert_close(output.pooled, output.features.mean((2, 3)))
        torch.testing.assert_close(output.scores, net.classifier(output.pooled))

    def test_every_stage_can_be_recorded(self, fusion):
        net = DefectNet(2, 4, fusion)
        with Recorder(net, net.stages) as recorder:
            record = recorder.record(torch.randn(1, 3, 64, 64), 1)
        sides = [record.activations[name].shape[-1] for name in net.stages]
        assert sides == [32, 16, 8, 8]
        assert all(gradient.abs().sum() > 0 for gradient in record.gradients.values())

    def test_the_fused_features_are_those_of_the_branches(self, fusion):
        net = DefectNet(2, 4, fusion).eval()
        images = torch.randn(2, 3, 32, 32)
        stages = net.stage_features(images)
        if fusion == "none":
            torch.testing.assert_close(net(images).features, stages[-1])
            return
        branches = [unit(stage) for unit, stage in zip(net.branches, stages[1:], strict=True)]
        torch.testing.assert_close(net(images).features, fuse_features(branches, fusion))


def test_both_fusions_have_the_same_parameters_and_start():
    one, other = (build(lambda how=how: DefectNet(2, 8, how), 3) for how in ("add", "mul"))
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_an_unknown_fusion():
    with pytest.raises(InputError, match="fusion='max'"):
        DefectNet(fusion="max")


class TestFCam:
    @pytest.mark.parametrize("fusion", ["none", "mul"])
    def test_scores_every_pixel(self, fusion):
        model = FCam(DefectNet(2, 4, fusion))
        assert model(torch.randn(1, 3, 45, 62)).shape == (1, 2, 45, 62)

    def test_the_classifier_stays_as_it_was(self):
        classifier = DefectNet(2, 4)
        before = copy.deepcopy(classifier.state_dict())
        model = FCam(classifier).train()
        assert not any(module.training for module in classifier.modules())
        optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad])
        model(torch.randn(2, 3, 32, 32)).square().mean().backward()
        optimizer.step()
        for name, value in classifier.state_dict().items():
            assert torch.equal(value, before[name]), name
        assert model.up3.training


class TestSegNet:
    @pytest.mark.parametrize("side", [(32, 32), (37, 50)])
    def test_scores_every_pixel(self, side):
        assert SegNet(3, 4)(torch.randn(2, 3, *side)).shape == (2, 3, *side)

    def test_unpooling_puts_values_where_the_maxima_were(self):
        """With identity layers an image comes back as its own maxima, the rest zero."""
        net = SegNet(1, 2)
        net.down = torch.nn.ModuleList([torch.nn.Identity()] * 3)
        net.up = torch.nn.ModuleList([torch.nn.Identity()] * 3)
        net.score = torch.nn.Identity()
        generator = random.Random(0)
        values = torch.tensor([generator.random() for _ in range(64)]).view(1, 1, 8, 8)
        found = net(values)
        assert int((found != 0).sum()) == 1
        assert found.max() == values.max() and found.argmax() == values.argmax()
