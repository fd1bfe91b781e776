"""Scaling by tanh, and the fusion of layers, by hand and against OpenCV."""

import math

import cv2
import numpy as np
import pytest
import torch

from labkit.errors import InputError
from labkit.maps import fuse, normalize, scale_tanh


def test_tanh_by_hand():
    maps = torch.tensor([[[0.0, 1.0, 4.0]], [[0.0, 0.0, 0.0]]], dtype=torch.float64)
    expected = [0.0, math.tanh(0.5), math.tanh(2), 0.0, 0.0, 0.0]
    assert scale_tanh(maps).flatten().tolist() == pytest.approx(expected, abs=1e-15)
    assert scale_tanh(maps, gamma=3).max().item() == pytest.approx(math.tanh(3))


def test_tanh_peaks_below_one_and_cuts_negative_values():
    maps = torch.randn(5, 4, 6, generator=torch.Generator().manual_seed(0))
    scaled = scale_tanh(maps)
    assert scaled.amax((1, 2)).tolist() == pytest.approx([math.tanh(2)] * 5)
    assert scaled[maps <= 0].abs().max() == 0
    assert scale_tanh(-maps.abs()).abs().max() == 0


def test_tanh_of_a_constant_map():
    assert scale_tanh(torch.full((1, 3, 2), 7.0)).flatten().tolist() == pytest.approx(
        [math.tanh(2)] * 6
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_dtype_follows_the_input(dtype):
    maps = torch.rand(2, 3, 4, dtype=dtype)
    assert scale_tanh(maps).dtype == dtype
    assert fuse([maps, maps], (6, 8), [1, 2]).dtype == dtype


def test_gamma_must_be_positive():
    for gamma in (0, -2, math.nan):
        with pytest.raises(InputError, match="expected a positive number"):
            scale_tanh(torch.rand(1, 2, 2), gamma)


def draw(*sizes: tuple[int, int]) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.random((2, *size), dtype=np.float32) for size in sizes]


def resized(maps: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.stack([cv2.resize(one, (width, height)) for one in maps])


@pytest.mark.parametrize(
    ("how", "combine"),
    [
        ("max", lambda layers: layers.max(0)),
        ("mean", lambda layers: layers.mean(0)),
        ([0.4, 0.4, 0.2], lambda layers: 0.4 * layers[0] + 0.4 * layers[1] + 0.2 * layers[2]),
        ((1, 0, 2), lambda layers: layers[0] + 2 * layers[2]),
        (np.array([0.5, 0.5, 0]), lambda layers: layers[:2].mean(0)),
    ],
)
def test_fusion_agrees_with_opencv(how, combine):
    maps = draw((12, 9), (6, 5), (3, 2))
    found = fuse([torch.tensor(layer) for layer in maps], (24, 18), how)
    expected = combine(np.stack([resized(layer, 24, 18) for layer in maps]))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


def test_one_layer_is_enlarged():
    (maps,) = draw((4, 3))
    np.testing.assert_allclose(fuse([torch.tensor(maps)], (8, 9)), resized(maps, 8, 9), atol=1e-6)


def test_the_report_s_weights_by_composition():
    maps = draw((8, 8), (4, 4), (2, 2))
    scaled = [torch.tensor(layer) for layer in maps]
    found = scale_tanh(fuse([normalize(m, "relu") for m in scaled], (16, 16), [0.4, 0.4, 0.2]))
    total = sum(
        weight * resized(layer / layer.max((1, 2), keepdims=True), 16, 16)
        for weight, layer in zip([0.4, 0.4, 0.2], maps, strict=True)
    )
    expected = np.tanh(2 * total / total.max((1, 2), keepdims=True))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("maps", "how", "sentence"),
    [
        ([], "max", r"maps are \[\], expected one"),
        ([(2, 3, 3), (1, 3, 3)], "max", "for the same images"),
        ([(2, 3, 3), (2, 4, 4)], "sum", "how='sum', expected 'max', 'mean' or 2 weights"),
        ([(2, 3, 3), (2, 4, 4)], [0.4, 0.4, 0.2], "expected 'max', 'mean' or 2 weights"),
        ([(3, 3)], "max", r"\[3, 3\], expected \[B,h,w\]"),
    ],
)
def test_what_cannot_be_fused(maps, how, sentence):
    with pytest.raises(InputError, match=sentence):
        fuse([torch.zeros(shape) for shape in maps], (6, 6), how)
