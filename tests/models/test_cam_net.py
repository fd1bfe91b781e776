"""The CAM network: its size, shapes, parts, and what happens without weights."""

from urllib.error import URLError

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from labkit.errors import InputError
from labkit.models import CamNet, weights


def test_the_whole_of_layer2_and_a_linear_layer():
    net = CamNet(n_classes=10)
    assert sum(p.numel() for p in net.backbone.parameters()) == 683_072
    assert sum(p.numel() for p in net.classifier.parameters()) == 1_290


@pytest.mark.parametrize(
    ("batch", "image", "maps"),
    [
        (2, (224, 224), (28, 28)),
        (1, (112, 112), (14, 14)),
        (3, (96, 65), (12, 9)),
        (1, (8, 8), (1, 1)),
    ],
)
def test_shapes_on_the_meta_device(batch, image, maps):
    with torch.device("meta"):
        output = CamNet(n_classes=7).eval()(torch.empty(batch, 3, *image))
    assert output.scores.shape == (batch, 7)
    assert output.features.shape == (batch, 128, *maps)
    assert output.pooled.shape == (batch, 128)


def test_computes_what_resnet18_computes_up_to_layer2():
    torch.manual_seed(0)
    net, resnet = CamNet().eval(), resnet18().eval()
    net.backbone.load_state_dict(
        {
            name: value
            for name, value in resnet.state_dict().items()
            if name in net.backbone.state_dict()
        }
    )
    taken = {}
    resnet.layer2.register_forward_hook(lambda *call: taken.update(features=call[2]))
    images = torch.randn(2, 3, 40, 56)
    with torch.no_grad():
        resnet(images)
        output = net(images)
    torch.testing.assert_close(output.features, taken["features"])
    pooled = taken["features"].double().mean((2, 3))
    torch.testing.assert_close(output.pooled.double(), pooled, atol=1e-6, rtol=1e-5)
    by_hand = pooled @ net.classifier.weight.double().T + net.classifier.bias.double()
    torch.testing.assert_close(output.scores.double(), by_hand, atol=1e-5, rtol=1e-5)


def test_the_segmentation_branches_of_the_handout():
    with torch.device("meta"):
        large, small = CamNet().eval()(torch.empty(2, 3, 224, 224), torch.empty(2, 3, 112, 112))
    assert large.features.shape == (2, 128, 28, 28)
    assert small.features.shape == (2, 128, 14, 14)
    assert large.scores.shape == small.scores.shape == (2, 10)
    assert large.pooled.shape == small.pooled.shape == (2, 128)


@pytest.mark.parametrize("batch", [1, 3])
def test_both_branches_go_through_one_network(batch):
    torch.manual_seed(3)
    net = CamNet(4).eval()
    images, small = torch.randn(batch, 3, 41, 64), torch.randn(batch, 3, 21, 32)
    large_output, small_output = net(images, small)
    for output, alone in ((large_output, net(images)), (small_output, net(small))):
        for value, expected in zip(output, alone, strict=True):
            torch.testing.assert_close(value, expected)
    first = net.backbone.conv1.weight
    for output in (large_output, small_output):
        (gradient,) = torch.autograd.grad(output.features.sum(), first, retain_graph=True)
        assert gradient.abs().sum() > 0


def test_each_branch_has_its_own_batch_statistics():
    torch.manual_seed(3)
    net = CamNet(4).train()
    images, small = torch.randn(4, 3, 32, 32), 5 + torch.randn(4, 3, 16, 16)
    large_output, small_output = net(images, small)
    torch.testing.assert_close(large_output.features, net(images).features)
    torch.testing.assert_close(small_output.features, net(small).features)


def test_starts_from_imagenet_weights_when_they_can_be_had(monkeypatch):
    torch.manual_seed(1)
    given = resnet18().state_dict()
    monkeypatch.setattr("labkit.models.parts.resnet18_weights", lambda: given)
    net = CamNet(weights="DEFAULT")
    torch.testing.assert_close(net.backbone.conv1.weight.data, given["conv1.weight"])
    nn.init.zeros_(net.backbone.conv1.weight)
    assert given["conv1.weight"].abs().sum() > 0, "the network shares storage with the weights"


def test_without_a_network_the_sentence_names_file_and_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def no_network(*_args, **_kwargs):
        raise URLError("no route to host")

    monkeypatch.setattr("torch.hub.urlopen", no_network)
    with pytest.raises(InputError) as error:
        weights.resnet18_weights()
    assert "resnet18-f37072fd.pth" in str(error.value)
    assert str(tmp_path / "hub" / "checkpoints") in str(error.value)
    assert list(tmp_path.rglob("*.pth")) == []
