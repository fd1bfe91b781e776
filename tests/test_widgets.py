"""Widgets: what they show follows their controls."""

import base64

import cv2
import numpy as np
import pytest
import torch

from labkit import widgets
from labkit.errors import InputError
from labkit.maps import normalize

PICTURE = np.full((24, 36, 3), 90, np.uint8)


def shown(box) -> np.ndarray:
    """The picture on the screen of a widget, as pixels."""
    return cv2.imdecode(np.frombuffer(box.screen.value, np.uint8), cv2.IMREAD_COLOR)


def control(box, description):
    return next(c for c in box.children[0].children if c.description == description)


@pytest.fixture
def explorer():
    ramp = torch.linspace(0, 1, 36).expand(24, 36)
    mask = np.zeros((24, 36), bool)
    mask[:, 18:] = True
    return widgets.threshold_explorer([PICTURE, PICTURE], [ramp, 1 - ramp], [mask, mask], "ab")


def test_the_slider_moves_cut_and_iou(explorer):
    caption, before = explorer.caption.value, shown(explorer)
    assert "IoU <b>1.000</b>" in caption  # the upper half of the ramp is the mask
    control(explorer, "threshold").value = 0.0
    assert "IoU <b>0.500</b>" in explorer.caption.value
    assert "covers 100% of the picture, the true mask (light blue) 50%" in explorer.caption.value
    assert (shown(explorer) != before).any()


def test_another_picture_has_another_map(explorer):
    control(explorer, "picture").value = 1
    assert "IoU <b>0.000</b>" in explorer.caption.value


def test_the_picker_begins_with_the_likeliest_class_and_changes_the_map():
    maps = torch.stack([torch.zeros(24, 36), torch.ones(24, 36)])
    box = widgets.class_picker(PICTURE, maps, torch.tensor([0.2, 0.7]), ["cat", "dog"])
    choice = control(box, "class")
    assert [label for label, _ in choice.options] == ["dog (70.0%)", "cat (20.0%)"]
    bright = shown(box)[:, -30:].mean()
    choice.value = 0
    assert "<b>cat</b>, probability 20.0%" in box.caption.value
    assert shown(box)[:, -30:].mean() < bright - 20
    control(box, "map").value = 0.0
    assert (shown(box)[:, -30:] == 90).all()


def test_the_overlap_may_be_the_reader_s_own():
    ramp, mask = torch.linspace(0, 1, 36).expand(24, 36), np.ones((24, 36), bool)
    seen = []

    def own(a: torch.Tensor, b: torch.Tensor) -> float:
        seen.append((a.dtype, b.dtype, a.shape))
        return 0.25

    box = widgets.threshold_explorer([PICTURE], [ramp], [mask], "a", own)
    assert "IoU <b>0.250</b>" in box.caption.value
    assert seen == [(torch.bool, torch.bool, (24, 36))]


class TestEquivarianceExplorer:
    @pytest.fixture
    def box(self):
        images = torch.zeros(2, 3, 16, 16)
        images[0, :, :4, :4] = 2.0
        transforms = {
            "nothing": lambda x: x,
            "flip": lambda x: x.flip(-1),
            "half": lambda x: x[..., ::2, ::2],
        }

        def left_half(images: torch.Tensor) -> torch.Tensor:  # not equivariant to flips
            maps = images[:, 0, ::4, ::4].clone()
            maps[:, :, 2:] = 0
            return maps

        return widgets.equivariance_explorer(left_half, images, transforms, ["corner", "empty"])

    def test_equal_orders_have_no_difference(self, box):
        assert "<b>0.000</b>" in box.caption.value
        four = shown(box)
        assert four.shape == (192, 4 * 192 + 3 * 8, 3)
        assert (four[:, -192:] == four[0, -1]).all()  # nothing in the last one

    def test_a_transform_shows_the_difference(self, box):
        before = shown(box)
        control(box, "transform").value = "flip"
        assert "<b>1.000</b>" in box.caption.value
        after = shown(box)
        assert (after[:, -192:] != before[:, -192:]).any()
        assert (after[:, :192] == before[:, 191::-1]).all()  # the image itself is mirrored

    def test_maps_may_get_smaller_and_be_empty(self, box):
        control(box, "transform").value = "half"
        control(box, "picture").value = 1
        assert "<b>0.000</b>" in box.caption.value

    def test_lists_that_do_not_belong_together(self):
        with pytest.raises(InputError, match="1 images, 2 titles and 1 transforms"):
            widgets.equivariance_explorer(
                torch.mean, torch.zeros(1, 3, 8, 8), {"a": torch.sin}, "ab"
            )
        with pytest.raises(InputError, match="0 transforms"):
            widgets.equivariance_explorer(torch.mean, torch.zeros(1, 3, 8, 8), {}, "a")


def test_without_a_kernel_it_is_a_picture(explorer):
    bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert base64.b64decode(bundle["image/png"]) == explorer.screen.value


def test_large_photographs_are_made_to_fit_the_screen():
    photograph = np.full((500, 741, 3), 90, np.uint8)
    box = widgets.class_picker(photograph, torch.zeros(1, 500, 741), [0.5], ["cat"])
    assert shown(box).shape == (194, 2 * 288 + 8, 3)


def test_lists_that_do_not_belong_together():
    with pytest.raises(InputError, match="2 pictures, 1 maps"):
        widgets.threshold_explorer([PICTURE, PICTURE], [PICTURE[..., 0]], [], "ab")
    with pytest.raises(InputError, match="1 maps, 2 probabilities and 1 names"):
        widgets.class_picker(PICTURE, torch.zeros(1, 24, 36), [0.1, 0.2], ["cat"])


class TestFcnShapeTracer:
    def test_it_says_which_sizes_fail_and_what_would_do(self):
        box = widgets.fcn_shape_tracer()
        assert "<b>224 pixels work</b>" in box.caption.value
        before = shown(box)
        control(box, "pixels").value = 210
        assert "<b>210 pixels fail</b>" in box.caption.value
        assert "205 or 218 would do" in box.caption.value
        assert before.shape != shown(box).shape or (shown(box) != before).any()

    def test_other_networks_and_rounding(self):
        box = widgets.fcn_shape_tracer(210)
        control(box, "network").value = "fcn8s"
        assert "pixels work" in box.caption.value
        control(box, "network").value = "fcn32s"
        control(box, "pooling").value = True
        assert "pixels work" in box.caption.value

    @pytest.mark.parametrize("network", ["fcn32s", "fcn8s"])
    def test_every_size_can_be_drawn(self, network):
        box = widgets.fcn_shape_tracer(40)
        control(box, "network").value = network
        for side in (1, 25, 26, 46, 320):
            control(box, "pixels").value = side
            assert shown(box).size

    def test_refuses_a_size_off_the_slider(self):
        with pytest.raises(InputError, match="side is 500, expected 1 to 320"):
            widgets.fcn_shape_tracer(500)


class TestNormalizationExplorer:
    @pytest.fixture
    def box(self):
        ramp = torch.linspace(-1, 3, 36).expand(24, 36)
        mask = np.zeros((24, 36), bool)
        mask[:, 18:] = True
        maps = torch.stack([ramp, ramp.flip(1)])
        return widgets.normalization_explorer(
            [PICTURE, PICTURE], maps, [mask, mask], ["up", "down"], normalize
        )

    def test_three_maps_and_their_overlap(self, box):
        assert shown(box).shape == (192, 3 * 288 + 2 * 8, 3)
        assert "minmax <b>" in box.caption.value and "relu <b>" in box.caption.value
        control(box, "threshold").value = 0.5
        # Half of the range of minmax is half of the picture: the mask itself.
        assert "minmax <b>1.000</b>" in box.caption.value
        # Sigmoid passes one half where the map passes 0, a quarter of the way.
        assert "sigmoid <b>0.667</b>" in box.caption.value

    def test_pictures_differ(self, box):
        control(box, "threshold").value = 0.5
        before = shown(box)
        control(box, "picture").value = 1
        assert (shown(box) != before).any() and "minmax <b>0.000</b>" in box.caption.value

    def test_refuses_lists_that_do_not_fit(self):
        with pytest.raises(InputError, match="1 pictures, 2 maps, 1 masks and 1 titles"):
            widgets.normalization_explorer(
                [PICTURE], torch.zeros(2, 24, 36), [PICTURE[..., 0] > 0], ["a"], normalize
            )


class TestFusionExplorer:
    @pytest.fixture
    def box(self):
        left = torch.zeros(3, 4)
        left[:, :2] = 2.0
        right = torch.zeros(6, 8)
        right[:, 4:] = 1.0
        both = {"fine": right, "coarse": left}
        none = {"fine": torch.zeros(6, 8), "coarse": torch.zeros(3, 4)}
        maps = {name: {"cat": both, "dog": none} for name in ("Grad-CAM", "LayerCAM")}
        return widgets.fusion_explorer(PICTURE, maps)

    @staticmethod
    def halves(box) -> tuple[float, float]:
        """Mean brightness of the left and of the right half of the map, on the right."""
        map = shown(box)[:, -432:]
        return map[:, :150].mean(), map[:, -150:].mean()

    def test_it_begins_with_the_highest_of_all_layers(self, box):
        assert "<b>cat</b> by Grad-CAM: the highest of fine, coarse" in box.caption.value
        left, right = self.halves(box)
        assert left > right + 20  # 2 and 1

    def test_weights_count_in_a_sum(self, box):
        control(box, "fusion").value = "weighted sum"
        control(box, "coarse").value = 0.1
        assert "1 fine + 0.1 coarse" in box.caption.value
        left, right = self.halves(box)
        assert right > left + 20  # 0.2 and 1

    def test_a_layer_can_be_left_out(self, box):
        control(box, "coarse").value = 0.0
        assert "the highest of fine," in box.caption.value
        left, right = self.halves(box)
        assert right > left + 20
        control(box, "fine").value = 0.0
        assert "no layer counts" in box.caption.value
        assert len(set(self.halves(box))) == 1

    def test_another_class_and_method(self, box):
        control(box, "class").value = "dog"
        control(box, "method").value = "LayerCAM"
        assert "<b>dog</b> by LayerCAM" in box.caption.value
        assert len(set(self.halves(box))) == 1  # maps of zeros stay zeros

    def test_the_fusion_may_be_the_reader_s_own(self):
        seen = []

        def own(maps, size, *weights):
            seen.append(([tuple(map.shape) for map in maps], size, *weights))
            return torch.ones(1, *size)

        maps = {"LayerCAM": {"cat": {"fine": torch.ones(6, 8), "coarse": torch.ones(3, 4)}}}
        box = widgets.fusion_explorer(PICTURE, maps, own)
        control(box, "fusion").value = "weighted sum"
        shapes = [(1, 6, 8), (1, 3, 4)]
        assert seen == [(shapes, (24, 36)), (shapes, (24, 36), [1.0, 1.0])]

    def test_what_does_not_belong_together_is_refused(self):
        one, other = {"fine": torch.ones(2, 2)}, {"coarse": torch.ones(2, 2)}
        for maps in ({}, {"a": {"cat": one, "dog": other}}, {"a": {"cat": one}, "b": {"dog": one}}):
            with pytest.raises(InputError, match=r"expected \{method: \{class: \{layer: map\}\}\}"):
                widgets.fusion_explorer(PICTURE, maps)
