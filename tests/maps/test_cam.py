"""Class activation maps against arithmetic, float64 loops and torch-cam."""

import numpy as np
import pytest
import torch
from torch import nn
from torchcam.methods import CAM as TorchCam

from labkit.errors import InputError
from labkit.maps import all_class_maps, class_activation_map


def by_loops(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """M[b,y,x] = sum_k w[b,k] f[b,k,y,x], one number at a time."""
    batch, channels, height, width = features.shape
    maps = np.zeros((batch, height, width))
    for b, k, y, x in np.ndindex(batch, channels, height, width):
        maps[b, y, x] += weights[b, k] * features[b, k, y, x]
    return maps


def test_the_sum_by_hand():
    features = torch.tensor([[[[1.0, 2.0], [0.0, -1.0]], [[0.0, 3.0], [-1.0, 4.0]]]])
    maps = class_activation_map(features, torch.tensor([[2.0, -1.0]]))
    assert maps.tolist() == [[[2.0, 1.0], [1.0, -6.0]]]


@pytest.mark.parametrize("shape", [(3, 5, 4, 7), (1, 8, 3, 3), (2, 1, 1, 1), (1, 4, 1, 6)])
def test_agrees_with_loops_in_float64(shape):
    generator = np.random.default_rng(0)
    features, weights = generator.normal(size=shape), generator.normal(size=shape[:2])
    maps = class_activation_map(torch.tensor(features).float(), torch.tensor(weights).float())
    np.testing.assert_allclose(maps.numpy(), by_loops(features, weights), atol=1e-5)


def test_one_row_serves_every_image():
    features, row = torch.randn(3, 5, 4, 6), torch.randn(5)
    torch.testing.assert_close(
        class_activation_map(features, row), class_activation_map(features, row.expand(3, 5))
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_dtype_follows_the_input(dtype):
    maps = class_activation_map(torch.ones(2, 3, 4, 5, dtype=dtype), torch.ones(3, dtype=dtype))
    assert maps.dtype == dtype
    assert maps.flatten().tolist() == [3.0] * 40


def test_every_class_in_one_pass_equals_each_class_by_itself():
    features, weights = torch.randn(3, 5, 4, 6), torch.randn(7, 5)
    maps = all_class_maps(features, weights)
    assert maps.shape == (3, 7, 4, 6)
    for c in range(7):
        torch.testing.assert_close(maps[:, c], class_activation_map(features, weights[c]))


def test_the_mean_of_a_map_and_the_bias_make_the_score():
    features, linear = torch.randn(4, 6, 5, 3), nn.Linear(6, 9)
    scores = linear(features.mean((2, 3)))
    maps = all_class_maps(features, linear.weight)
    torch.testing.assert_close(maps.mean((2, 3)) + linear.bias, scores)


def test_agrees_with_torchcam():
    # torch-cam's documentation puts a ReLU around the sum, its code has none, like ours.
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)
    ).eval()
    images = torch.randn(2, 3, 9, 12)
    with TorchCam(model, target_layer="1", fc_layer="4", input_shape=(3, 9, 12)) as extractor:
        (theirs,) = extractor([2, 0], model(images), normalized=False)
    features, rows = model[:2](images).detach(), model[4].weight[[2, 0]].detach()
    ours = class_activation_map(features, rows)
    assert ours.min() < 0
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("features", "weights", "sentence"),
    [
        ((5, 4, 6), (5,), r"features is \[5, 4, 6\], expected \[B,C,h,w\]"),
        ((2, 5, 4, 6), (4,), r"class_weights is \[4\], expected \[5\] or \[2,5\]"),
        ((2, 5, 4, 6), (3, 5), r"class_weights is \[3, 5\], expected \[5\] or \[2,5\]"),
    ],
)
def test_shapes_that_do_not_belong_together(features, weights, sentence):
    with pytest.raises(InputError, match=sentence):
        class_activation_map(torch.zeros(features), torch.zeros(weights))


def test_all_classes_want_the_whole_weight():
    with pytest.raises(InputError, match=r"expected \[N,5\]"):
        all_class_maps(torch.zeros(2, 5, 4, 6), torch.zeros(5))
