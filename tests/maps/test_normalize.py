"""Maps to [0, 1] and to the size of the image, against arithmetic and OpenCV."""

import cv2
import numpy as np
import pytest
import torch

from labkit.errors import InputError
from labkit.maps import emphasize, enlarge, normalize


def test_minmax_by_hand():
    maps = torch.tensor([[[-1.0, 0.0, 3.0]], [[10.0, 20.0, 12.0]]])
    assert normalize(maps).tolist() == [[[0.0, 0.25, 1.0]], [[0.0, 1.0, pytest.approx(0.2)]]]


def test_relu_by_hand():
    maps = torch.tensor([[[-1.0, 0.0, 4.0, 1.0]]])
    assert normalize(maps, "relu").tolist() == [[[0.0, 0.0, 1.0, 0.25]]]


def test_sigmoid_by_hand():
    maps = torch.tensor([[[0.0, 100.0, -100.0]]], dtype=torch.float64)
    assert normalize(maps, "sigmoid").flatten().tolist() == pytest.approx([0.5, 1.0, 0.0])


@pytest.mark.parametrize("how", ["minmax", "relu"])
@pytest.mark.parametrize("value", [0.0, -2.0])
def test_a_constant_map_becomes_zeros(how, value):
    maps = torch.full((2, 3, 5), value)
    maps[1, 2, 4] = 1.0  # the other map keeps its values
    scaled = normalize(maps, how)
    assert scaled[0].tolist() == torch.zeros(3, 5).tolist()
    assert scaled[1, 2, 4] == 1


def test_a_constant_positive_map_under_minmax_is_zeros_and_under_relu_ones():
    maps = torch.full((1, 2, 2), 2.5)
    assert normalize(maps).tolist() == [[[0.0, 0.0], [0.0, 0.0]]]
    assert normalize(maps, "relu").tolist() == [[[1.0, 1.0], [1.0, 1.0]]]


def test_tiny_and_huge_maps_keep_their_shape():
    maps = torch.tensor([[[0.0, 1.0, 2.0]]])
    for scale in (1e-30, 1e30):
        torch.testing.assert_close(normalize(maps * scale), maps / 2)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_dtype_follows_the_input(dtype):
    scaled = normalize(torch.arange(8, dtype=dtype).reshape(2, 2, 2))
    assert scaled.dtype == dtype
    assert scaled[1, 1, 1] == 1


def test_eight_bits_and_unknown_names_are_refused():
    with pytest.raises(InputError, match="floating dtype"):
        normalize(torch.zeros(1, 2, 2, dtype=torch.uint8))
    with pytest.raises(InputError, match="'softmax', expected 'minmax'"):
        normalize(torch.zeros(1, 2, 2), "softmax")


@pytest.mark.parametrize(
    ("small", "large"), [((3, 5), (12, 20)), ((4, 4), (7, 9)), ((1, 1), (3, 2))]
)
def test_enlarging_agrees_with_opencv(small, large):
    maps = np.random.default_rng(1).normal(size=(2, *small)).astype(np.float32)
    theirs = [cv2.resize(one, large[::-1], interpolation=cv2.INTER_LINEAR) for one in maps]
    np.testing.assert_allclose(enlarge(torch.tensor(maps), large), np.stack(theirs), atol=1e-5)


def test_enlarging_wants_a_batch_of_maps():
    with pytest.raises(InputError, match=r"\[3, 5\], expected \[B,h,w\]"):
        enlarge(torch.zeros(3, 5), (6, 10))
    with pytest.raises(InputError, match="cut or turn into 8 bits last"):
        enlarge(torch.zeros(1, 3, 5, dtype=torch.bool), (6, 10))
    with pytest.raises(InputError, match="maps is ndarray, expected a tensor"):
        normalize(np.zeros((1, 3, 5)))


def test_a_constant_map_stays_zeros_when_it_is_normalised_before_it_is_enlarged():
    # The other order fails: rounding in the interpolation leaves differences of 1e-7, which
    # min-max blows up to the whole range.
    maps = torch.full((1, 5, 4), 2.5)
    assert enlarge(normalize(maps), (15, 10)).abs().max() == 0


class TestEmphasize:
    def test_literal_values_and_the_edges(self):
        maps = torch.tensor([[[0.0, 0.25, 0.375], [0.5, 0.75, 1.0]]])
        before = maps.clone()
        expected = torch.tensor([[[0.0, 0.0, 0.5625], [0.75, 1.0, 1.0]]])
        torch.testing.assert_close(emphasize(maps), expected)
        assert torch.equal(maps, before)
        # What is exactly at the threshold is not below it.
        torch.testing.assert_close(emphasize(torch.tensor([0.25]), 0.25), torch.tensor([0.375]))

    def test_dtype_and_order_stay(self):
        maps = torch.rand(3, 5, 4, dtype=torch.float64)
        made = emphasize(maps, 0.2, 3.0)
        assert made.dtype == torch.float64 and 0 <= made.min() <= made.max() <= 1
        assert ((made == 0) == (maps < 0.2)).all()
