import pytest
import torch

from labkit.models import StageNet


@pytest.fixture
def net() -> StageNet:
    torch.manual_seed(0)
    return StageNet(7).eval()


def stages(net: StageNet, images: torch.Tensor) -> list[torch.Tensor]:
    outputs = [images]
    for stage in (net.stage1, net.stage2, net.stage3, net.stage4):
        outputs.append(stage(outputs[-1]))
    return outputs[1:]


def test_the_sizes_of_the_stages(net):
    shapes = [tuple(maps.shape) for maps in stages(net, torch.zeros(2, 3, 64, 40))]
    assert shapes == [(2, 16, 64, 40), (2, 32, 32, 20), (2, 64, 16, 10), (2, 128, 8, 5)]


def test_it_answers_with_what_the_scores_are_computed_from(net):
    output = net(torch.randn(1, 3, 33, 50))  # a batch of one, an odd side
    assert output.features.shape == (1, 128, 4, 6)
    means = output.features.mean((2, 3))
    torch.testing.assert_close(output.pooled, means)
    expected = means @ net.classifier.weight.T + net.classifier.bias
    torch.testing.assert_close(output.scores, expected)


def test_every_position_of_every_stage_gets_a_gradient(net):
    images = torch.randn(1, 3, 16, 16, requires_grad=True)
    outputs = stages(net, images)
    scores = net.classifier(outputs[-1].mean((2, 3)))
    for maps, gradient in zip(
        outputs, torch.autograd.grad(scores[0, 0], outputs, retain_graph=True), strict=True
    ):
        assert gradient.shape == maps.shape
        assert bool((gradient[0].abs().sum(0) > 0).all())


def test_a_picture_moved_by_a_cell_moves_its_map_by_one(net):
    picture = torch.zeros(1, 3, 64, 64)
    picture[:, :, 16:32, 24:40] = 1.0
    with torch.no_grad():
        here = net(picture).features
        there = net(picture.roll(8, 3)).features
    torch.testing.assert_close(there[..., 2:-1], here[..., 1:-2])  # beside the border


def test_the_stages_are_in_place_as_those_of_vgg(net):
    relus = [module for module in net.modules() if isinstance(module, torch.nn.ReLU)]
    assert len(relus) == 8
    assert all(relu.inplace for relu in relus)
