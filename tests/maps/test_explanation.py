"""`explain` from images to maps in one call."""

import numpy as np
import pytest
import torch
from maps.test_record import images, small_net
from torch import nn

from labkit.errors import InputError
from labkit.localization import class_maps
from labkit.maps import (
    Recorder,
    enlarge,
    explain,
    fuse,
    grad_cam,
    grad_cam_plus_plus,
    layer_cam,
    normalize,
    scale_tanh,
)
from labkit.models import CamNet

FROM_GRADIENTS = {
    "grad_cam": grad_cam,
    "grad_cam_plus_plus": grad_cam_plus_plus,
    "layer_cam": layer_cam,
}


@pytest.mark.parametrize("method", FROM_GRADIENTS)
def test_it_is_what_its_parts_make(method):
    model, names = small_net(), ["relu1", "relu2"]
    with Recorder(model, names) as recorder:
        record = recorder.record(images(), [1, 0, 4])
    raw = [FROM_GRADIENTS[method](record.activations[n], record.gradients[n]) for n in names]
    one = explain(model, images(), method, ["relu2"], [1, 0, 4])
    torch.testing.assert_close(one, enlarge(normalize(raw[1], "relu"), (7, 9)))
    both = explain(model, images(), method, names, [1, 0, 4])
    fused = fuse([scale_tanh(maps) for maps in raw], (7, 9))
    torch.testing.assert_close(both, normalize(fused, "relu"))


def test_cam_is_that_of_lab_1():
    model = CamNet(5).train()
    batch, labels = images(2, 40, 32), torch.tensor([3, 1])
    expected = class_maps(model, batch, labels, (40, 32))
    torch.testing.assert_close(explain(model, batch, "cam", target=labels), expected)
    named = explain(model, batch, "cam", ["backbone.layer2"], labels)
    torch.testing.assert_close(named, expected)
    assert model.training


@pytest.mark.parametrize("method", ["cam", *FROM_GRADIENTS])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_range_size_and_dtype(method, dtype):
    maps = explain(small_net().to(dtype), images(2, 9, 14).to(dtype), method, ["relu2"])
    assert (maps.shape, maps.dtype) == ((2, 9, 14), dtype)
    assert maps.min() >= 0 and maps.max() <= 1
    assert not maps.requires_grad


@pytest.mark.parametrize("method", ["cam", *FROM_GRADIENTS])
def test_no_target_is_the_highest_score(method):
    model = small_net().eval()
    best = model(images()).argmax(1)
    torch.testing.assert_close(
        explain(model, images(), method, ["relu2"]),
        explain(model, images(), method, ["relu2"], best),
    )


@pytest.mark.parametrize("method", FROM_GRADIENTS)
def test_a_map_of_zeros_stays_zeros(method):
    model = small_net()
    model.fc.weight.data.zero_()
    for layers in (["relu2"], ["relu1", "relu2"]):
        assert explain(model, images(), method, layers).abs().max() == 0


def test_it_finds_the_square_that_makes_the_score():
    # The score of class 1 is the mean of the red channel, that of class 2 of the green one.
    model = nn.Sequential(
        nn.Conv2d(3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)
    )
    model[0].weight.data = torch.eye(2, 3).reshape(2, 3, 1, 1)
    model[4].weight.data = torch.tensor([[0.0, 0], [1, 0], [0, 1]])
    for layer in (0, 4):
        model[layer].bias.data.zero_()
    picture = torch.zeros(1, 3, 12, 10)
    picture[0, 0, 2:5, 1:4] = 1  # red
    picture[0, 1, 8:11, 5:9] = 1  # green
    for method in ("cam", *FROM_GRADIENTS):
        for target, colour in ((1, 0), (2, 1)):
            maps = explain(model, picture, method, ["1"], target)
            assert np.array_equal(maps[0] > 0.5, picture[0, colour] > 0)


def test_cam_wants_averaged_features_and_a_linear_layer():
    model = small_net()
    with pytest.raises(InputError, match="no linear layer of the means of 'relu1'"):
        explain(model, images(), "cam", ["relu1"])
    model.fc = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 5))
    with pytest.raises(InputError, match="another method, such as grad_cam"):
        explain(model, images(), "cam", ["relu2"])
    with pytest.raises(InputError, match="expected one for 'cam'"):
        explain(model, images(), "cam", ["relu1", "relu2"])


def test_cam_is_not_misled_by_another_linear_layer_of_the_same_size():
    model = small_net()
    expected = explain(model, images(), "cam", ["relu2"])
    model.classifier = nn.Identity()
    model.classifier.unused = nn.Linear(6, 5)
    model = nn.Sequential(model.classifier, *model[:-1])
    torch.testing.assert_close(explain(model, images(), "cam", ["6"]), expected)


def test_methods_and_layers_that_there_are_not():
    with pytest.raises(InputError, match="method='score_cam', expected one of cam, grad_cam"):
        explain(small_net(), images(), "score_cam", ["relu1"])
    with pytest.raises(InputError, match=r"layers=\(\), expected a list of one or more names"):
        explain(small_net(), images())
