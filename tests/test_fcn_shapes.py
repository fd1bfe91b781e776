"""The arithmetic of sizes, against the networks themselves and against what is known of them."""

import pytest
import torch

from labkit.errors import InputError
from labkit.fcn_shapes import NETWORKS, nearest_that_work, next_that_works, trace, works
from labkit.models import FCN8s, FCN32s

CLASSES = {"fcn32s": FCN32s, "fcn8s": FCN8s}
HOOKED = ("conv1_1", "pool1", "pool2", "pool3", "pool4", "pool5", "fc6")


def measured(net, side: int) -> dict[str, int]:
    """The height of every stage of a network on the meta device, for an image `side` x 64."""
    found = {}
    for name, module in net.named_modules():
        short = name.split(".")[-1]
        if short in HOOKED or short.startswith("upscore"):
            module.register_forward_hook(
                lambda _m, _i, out, short=short: found.update({short: out.shape[2]})
            )
    net(torch.empty(1, 3, side, 64, device="meta"))
    return found


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("side", [26, 45, 58, 77, 224, 493])
def test_every_stage_is_as_the_network_has_it(network, ceil_mode, side):
    with torch.device("meta"):
        net = CLASSES[network](3, 1 / 64, ceil_mode=ceil_mode)
    found = measured(net, side)
    traced = {s.name: s.size for s in trace(side, network, ceil_mode=ceil_mode).stages}
    assert traced == {"input": side, **found}


def test_fcn32s_fails_where_the_remainder_by_32_is_14_to_25():
    assert {side % 32 for side in range(26, 900) if not works(side)} == set(range(14, 26))


def test_fcn8s_takes_every_side_from_26_on():
    assert [side for side in range(1, 900) if not works(side, "fcn8s")] == list(range(1, 26))


@pytest.mark.parametrize("network", NETWORKS)
def test_rounding_up_takes_every_side(network):
    assert all(works(side, network, ceil_mode=True) for side in range(1, 300))


def test_by_how_much_it_falls_short():
    cut = trace(46).cuts[0]
    assert (cut.name, cut.start, cut.wanted, cut.size, cut.missing) == ("upscore", 19, 46, 64, 1)


def test_the_nearest_that_work():
    assert nearest_that_work(50) == (45, 58)
    assert nearest_that_work(10) == (26,)
    assert nearest_that_work(224) == (224,)
    assert [next_that_works(side) for side in (1, 26, 46, 224)] == [26, 26, 58, 224]


def test_refuses_what_is_no_size_or_network():
    with pytest.raises(InputError, match="a side of 0 pixels"):
        trace(0)
    with pytest.raises(InputError, match="'fcn16s', expected one of fcn32s, fcn8s"):
        trace(224, "fcn16s")


@pytest.mark.parametrize("network", NETWORKS)
def test_the_crop_begins_where_the_image_does(network):
    """What a score was computed from, and where it comes to lie, are the same place."""
    cut = trace(224, network).cuts[-1]
    assert cut.span == (0, 224, 0)
    assert trace(224, padding=150).cuts[0].span[0] == -50  # 003's padding with the crop for 100


def test_where_maps_meet_they_stand_for_the_same_pixels():
    traced = trace(224, "fcn8s")
    starts = {stage.name: (stage.start, stage.step) for stage in traced.stages}
    for cut, up in zip(traced.cuts, ("upscore1", "upscore2"), strict=False):
        assert (cut.origin, cut.step) == starts[up]


def test_a_short_crop_ends_with_its_map():
    cut = trace(50).cuts[0]
    assert cut.span == (0, 45, 5) and cut.missing == 5
