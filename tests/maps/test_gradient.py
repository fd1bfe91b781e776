"""Grad-CAM, Grad-CAM++ and LayerCAM against arithmetic by hand, float64 loops and their peers."""

import numpy as np
import pytest
import torch
from torch import nn

from labkit.errors import InputError
from labkit.maps import class_activation_map, grad_cam, grad_cam_plus_plus, layer_cam

METHODS = [grad_cam, grad_cam_plus_plus, layer_cam]


def relu(value):
    return max(value, 0.0)


def grad_cam_by_loops(a: np.ndarray, g: np.ndarray) -> np.ndarray:
    channels, height, width = a.shape
    weights = [g[k].sum() / (height * width) for k in range(channels)]
    return weighted_by_loops(a, weights)


def plus_plus_by_loops(a: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The paper's alpha with its second and third powers, as it is printed."""
    weights = np.zeros(len(a))
    for k, y, x in np.ndindex(a.shape):
        denominator = 2 * g[k, y, x] ** 2 + a[k].sum() * g[k, y, x] ** 3
        alpha = 0.0 if denominator == 0 else g[k, y, x] ** 2 / denominator
        weights[k] += alpha * relu(g[k, y, x])
    return weighted_by_loops(a, weights)


def layer_cam_by_loops(a: np.ndarray, g: np.ndarray) -> np.ndarray:
    maps = np.zeros(a.shape[1:])
    for k, y, x in np.ndindex(a.shape):
        maps[y, x] += relu(g[k, y, x]) * a[k, y, x]
    return np.maximum(maps, 0)


def weighted_by_loops(a: np.ndarray, weights) -> np.ndarray:
    maps = np.zeros(a.shape[1:])
    for k, y, x in np.ndindex(a.shape):
        maps[y, x] += weights[k] * a[k, y, x]
    return np.maximum(maps, 0)


LOOPS = [grad_cam_by_loops, plus_plus_by_loops, layer_cam_by_loops]

# Two channels of one row. Channel means of g: 1 and -1/2. Sums of A: 3 and 4.
A = torch.tensor([[[[1.0, 2.0]], [[4.0, 0.0]]]])
G = torch.tensor([[[[2.0, 0.0]], [[-2.0, 1.0]]]])


def test_grad_cam_by_hand():
    # 1 * (1, 2) - 1/2 * (4, 0) = (-1, 2)
    assert grad_cam(A, G).tolist() == [[[0.0, 2.0]]]


def test_grad_cam_plus_plus_by_hand():
    # w_0 = 2^2 / (2 * 2^2 + 3 * 2^3) * 2 = 1/4;  w_1 = 1 / (2 + 4) * 1 = 1/6, nothing from -2
    # 1/4 * (1, 2) + 1/6 * (4, 0) = (11/12, 1/2)
    maps = grad_cam_plus_plus(A.double(), G.double())
    assert maps.flatten().tolist() == pytest.approx([11 / 12, 1 / 2], abs=1e-15)


def test_layer_cam_by_hand():
    # (2, 0) * (1, 2) + (0, 1) * (4, 0) = (2, 0)
    assert layer_cam(A, G).tolist() == [[[2.0, 0.0]]]


@pytest.mark.parametrize(("method", "loops"), list(zip(METHODS, LOOPS, strict=True)))
@pytest.mark.parametrize("shape", [(3, 5, 4, 7), (1, 8, 3, 3), (2, 6, 1, 1), (1, 1, 5, 2)])
@pytest.mark.parametrize("signs", ["activations after a ReLU", "activations of both signs"])
def test_agrees_with_loops_in_float64(method, loops, shape, signs):
    random = np.random.default_rng(0)
    a, g = random.normal(size=shape), random.normal(size=shape)
    if signs == "activations after a ReLU":
        a = np.maximum(a, 0)
    expected = np.stack([loops(*pair) for pair in zip(a, g, strict=True)])
    found = method(torch.tensor(a), torch.tensor(g))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-12)
    in_floats = method(torch.tensor(a).float(), torch.tensor(g).float())
    np.testing.assert_allclose(in_floats.numpy(), expected, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_dtype_follows_the_input(method, dtype):
    a, g = torch.rand(2, 3, 4, 5, dtype=dtype), torch.rand(2, 3, 4, 5, dtype=dtype)
    maps = method(a, g)
    assert (maps.dtype, maps.shape) == (dtype, (2, 4, 5))
    expected = method(a.double(), g.double())
    torch.testing.assert_close(maps.double(), expected, rtol=3e-2, atol=3e-2)


@pytest.mark.parametrize("method", METHODS)
def test_images_of_a_batch_do_not_touch_each_other(method):
    a, g = torch.rand(4, 3, 5, 2), torch.randn(4, 3, 5, 2)
    alone = torch.cat([method(a[i : i + 1], g[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(method(a, g), alone)


@pytest.mark.parametrize("method", METHODS)
def test_no_gradient_gives_zeros(method):
    a = torch.rand(2, 3, 4, 4)
    assert method(a, torch.zeros_like(a)).abs().max() == 0


def test_plus_plus_where_the_denominator_is_zero():
    # S = -2 and g = 1: 2 g^2 + S g^3 = 0, so that position has weight 0 and the other 1 / (2 - 4).
    a = torch.tensor([[[[-3.0, 1.0]]]])
    assert grad_cam_plus_plus(a, torch.tensor([[[[1.0, 0.0]]]])).tolist() == [[[0.0, 0.0]]]
    maps = grad_cam_plus_plus(a, torch.tensor([[[[1.0, 2.0]]]]))
    # weight 2 / (2 - 4) = -1: -1 * (-3, 1) = (3, -1)
    assert maps.tolist() == [[[3.0, 0.0]]]


def test_plus_plus_of_tiny_gradients_does_not_underflow():
    # In float32, g^3 of 1e-20 is 0 and so is g^2: the formula as printed gives 0 / 0.
    random = np.random.default_rng(0)
    a, g = random.random((5, 4, 3)), 1e-20 * random.random((5, 4, 3))
    maps = grad_cam_plus_plus(torch.tensor(a[None]).float(), torch.tensor(g[None]).float())
    np.testing.assert_allclose(1e20 * maps[0], 1e20 * plus_plus_by_loops(a, g), rtol=1e-5)


def test_on_averaged_features_grad_cam_is_the_positive_part_of_cam():
    torch.manual_seed(0)
    features, linear = torch.randn(3, 6, 5, 4, requires_grad=True), nn.Linear(6, 7)
    classes = torch.tensor([2, 0, 6])
    scores = linear(features.mean((2, 3))).gather(1, classes[:, None])
    (gradients,) = torch.autograd.grad(scores.sum(), features)
    expected = class_activation_map(features, linear.weight[classes]).relu() / (5 * 4)
    torch.testing.assert_close(grad_cam(features, gradients), expected)


def test_on_averaged_features_layer_cam_is_cam_with_the_positive_weights():
    features, row = torch.rand(2, 6, 5, 4), torch.randn(6)
    gradients = (row / 20)[None, :, None, None].expand_as(features)
    expected = class_activation_map(features, row.relu()) / 20
    torch.testing.assert_close(layer_cam(features, gradients), expected)


@pytest.mark.parametrize("method", [grad_cam, layer_cam])
def test_maps_grow_with_the_gradients(method):
    a, g = torch.rand(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(method(a, 5 * g), 5 * method(a, g))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shapes", [((2, 3, 4, 5), (2, 3, 5, 4)), ((3, 4, 5), (3, 4, 5))])
def test_shapes_that_do_not_belong_together(method, shapes):
    with pytest.raises(InputError, match=r"expected \[B,C,h,w\] both"):
        method(*map(torch.zeros, shapes))
