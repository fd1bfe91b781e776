"""The handout's map: softmax over channels of the pooled features, then a weighted sum."""

import math

import numpy as np
import pytest
import torch
from scipy.special import softmax

from labkit.errors import InputError
from labkit.maps import softmax_weighted_map


def test_two_channels_by_hand():
    features = torch.tensor([[[[1.0, 2.0, 0.0]], [[0.0, 3.0, -1.0]]]])
    pooled = torch.tensor([[0.0, math.log(3)]])  # softmax: 1/4 and 3/4
    expected = torch.tensor([[[0.25, 2.75, -0.75]]])
    torch.testing.assert_close(softmax_weighted_map(features, pooled), expected)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 5, 4, 7), (3, 128, 14, 14)])
def test_agrees_with_loops_in_float64(shape):
    generator = np.random.default_rng(0)
    features, pooled = generator.normal(size=shape), 3 * generator.normal(size=shape[:2])
    weights = softmax(pooled, axis=1)
    expected = np.stack([np.tensordot(w, f, 1) for w, f in zip(weights, features, strict=True)])
    found = softmax_weighted_map(torch.tensor(features), torch.tensor(pooled))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_equal_means_give_the_mean_of_the_maps():
    features = torch.rand(2, 6, 3, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        softmax_weighted_map(features, torch.full((2, 6), 7.0)), features.mean(1)
    )


def test_huge_features_stay_finite_and_constant_maps_constant():
    features = torch.full((1, 3, 2, 2), 1e4)
    assert torch.equal(softmax_weighted_map(features, features.mean((2, 3))), features[:, 0])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_dtype_follows_the_input(dtype):
    features = torch.ones(2, 3, 4, 4, dtype=dtype)
    assert softmax_weighted_map(features, torch.ones(2, 3, dtype=dtype)).dtype == dtype


@pytest.mark.parametrize("pooled", [(2, 4), (3, 3), (3,), (2, 3, 1, 1)])
def test_shapes_that_do_not_belong_together(pooled):
    with pytest.raises(InputError, match="before and after pooling"):
        softmax_weighted_map(torch.zeros(2, 3, 4, 4), torch.zeros(pooled))
