"""Transforms act on images and maps alike; what is said to be exact is exact."""

import cv2
import numpy as np
import pytest
import torch

from labkit.errors import InputError
from labkit.transforms import (
    NAMED,
    Compose,
    HFlip,
    Rot90,
    Rotate,
    Scale,
    VFlip,
    by_name,
    resize,
    valid_region,
)

GRID = torch.arange(6.0).reshape(2, 3)  # [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        (HFlip(), [[2, 1, 0], [5, 4, 3]]),
        (VFlip(), [[3, 4, 5], [0, 1, 2]]),
        (Rot90(), [[2, 5], [1, 4], [0, 3]]),
        (Rot90(2), [[5, 4, 3], [2, 1, 0]]),
        (Rot90(-1), [[3, 0], [4, 1], [5, 2]]),
        (Compose([]), [[0, 1, 2], [3, 4, 5]]),
        (Compose([HFlip(), Rot90()]), [[0, 3], [1, 4], [2, 5]]),
        (Compose([Rot90(), HFlip()]), [[5, 2], [4, 1], [3, 0]]),
        (Compose([VFlip(), HFlip()]), [[5, 4, 3], [2, 1, 0]]),  # a half turn, no mirroring
    ],
)
def test_exact_on_the_grid_by_hand(transform, expected):
    expected = torch.tensor(expected, dtype=torch.float32)
    assert torch.equal(transform(GRID), expected)
    images = GRID.expand(2, 3, 2, 3)
    assert torch.equal(transform(images), expected.expand(2, 3, *expected.shape))
    assert torch.equal(transform(GRID.bool()), expected.bool())


def test_halving_averages_squares():
    values = torch.rand(2, 3, 6, 10, dtype=torch.float64)
    expected = values.reshape(2, 3, 3, 2, 5, 2).mean((3, 5))
    torch.testing.assert_close(Scale(0.5)(values), expected)
    torch.testing.assert_close(Scale(0.5)(values[:, 0]), expected[:, 0])


@pytest.mark.parametrize(("factor", "size"), [(0.5, (7, 4)), (0.4, (6, 4)), (1.5, (20, 12))])
def test_scaling_agrees_with_opencv(factor, size):
    values = torch.rand(13, 8, dtype=torch.float64)
    expected = cv2.resize(values.numpy(), size[::-1], interpolation=cv2.INTER_LINEAR)
    assert Scale(factor)(values).shape == size
    np.testing.assert_allclose(Scale(factor)(values), expected, atol=1e-12)


@pytest.mark.parametrize("side", range(8, 80))
def test_maps_of_halved_images_have_the_size_of_halved_maps(side):
    """ResNet's convolutions round up, and so does Scale."""
    halve, maps = Scale(0.5), -(-side // 8)
    halved = halve(torch.empty(1, side, side, device="meta")).shape[-1]
    assert -(-halved // 8) == halve(torch.empty(1, maps, maps, device="meta")).shape[-1]


@pytest.mark.parametrize("shape", [(9, 9), (8, 13)])
@pytest.mark.parametrize("degrees", [15, -40, 180])
def test_turning_agrees_with_opencv(shape, degrees):
    values = torch.rand(shape, dtype=torch.float64)
    height, width = shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    fine = cv2.warpAffine(  # OpenCV interpolates in steps of 1/32 pixel
        values.numpy(), matrix, (width, height), flags=cv2.INTER_LINEAR
    )
    np.testing.assert_allclose(Rotate(degrees)(values), fine, atol=0.05)
    assert Rotate(degrees)(values.expand(2, 3, *shape)).shape == (2, 3, *shape)


def test_a_turn_by_a_right_angle_is_a_quarter_turn():
    values = torch.rand(7, 7, dtype=torch.float64)
    torch.testing.assert_close(Rotate(90)(values), Rot90()(values), atol=1e-6, rtol=1e-6)


class TestValidRegion:
    @pytest.mark.parametrize("name", NAMED)
    def test_is_everywhere_for_what_is_exact(self, name):
        assert valid_region(NAMED[name], (7, 10)).all()

    def test_of_an_eighth_turn_is_where_the_square_still_is(self):
        valid = valid_region(Rotate(45), (41, 41))
        y, x = torch.meshgrid(torch.arange(41) - 20, torch.arange(41) - 20, indexing="ij")
        distance = y.abs() + x.abs()  # the turned square: |x| + |y| <= 20 sqrt(2)
        assert valid[distance <= 26].all()
        assert not valid[distance >= 30].any()

    def test_what_left_the_picture_does_not_come_back(self):
        there_and_back = Compose([Rotate(45), Rotate(-45)])
        valid = valid_region(there_and_back, (21, 21))
        assert not valid[0, 0] and valid[10, 10]

    def test_what_is_valid_does_not_depend_on_what_lies_outside(self):
        """A picture within a larger one: turning either gives the same where it is valid."""
        turn, large = Rotate(20), torch.rand(31, 31, dtype=torch.float64)
        inner = large[5:26, 5:26]
        valid = valid_region(turn, (21, 21))
        torch.testing.assert_close(turn(inner)[valid], turn(large)[5:26, 5:26][valid])
        assert not torch.allclose(turn(inner), turn(large)[5:26, 5:26])


class TestByName:
    def test_one(self):
        assert by_name("vflip") == VFlip()
        assert by_name("scale") == Scale(0.5)
        assert by_name("rotate-12.5") == Rotate(-12.5)

    def test_several_act_from_left_to_right(self):
        both = by_name("hflip+rot90")
        assert torch.equal(both(GRID), Rot90()(HFlip()(GRID)))

    @pytest.mark.parametrize("name", ["", "flip", "hflip+", "hflip,vflip", "rotate", "rotatenan"])
    def test_what_is_none(self, name):
        with pytest.raises(InputError, match="expected scale, hflip, vflip"):
            by_name(name)


@pytest.mark.parametrize("factor", [0, -1, float("nan"), float("inf")])
def test_a_factor_must_be_positive(factor):
    with pytest.raises(InputError, match="expected a positive number"):
        Scale(factor)


def test_gradients_flow_through():
    values = torch.rand(1, 4, 4, requires_grad=True)
    for transform in (*NAMED.values(), Rotate(30)):
        transform(values).sum().backward()
    assert values.grad is not None and values.grad.abs().sum() > 0


def test_dtype_stays():
    assert resize(torch.zeros(2, 4, 4, dtype=torch.float64), (2, 3)).dtype == torch.float64
