"""FCN-32s and FCN-8s: sizes, values against plain functions, refusals and transferred weights."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import vgg16

from labkit.errors import InputError
from labkit.models import FCN8s, FCN32s

NETWORKS = [FCN32s, FCN8s]
NARROW = 1 / 16


@pytest.fixture(params=NETWORKS)
def network(request):
    return request.param


def narrow(network, n_classes=5, **options):
    torch.manual_seed(0)
    net = network(n_classes, NARROW, **options).eval()
    for name, parameter in net.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter, std=0.1)
        if name.startswith("upscore"):  # no longer plain interpolation, so that channels mix
            nn.init.normal_(parameter, std=0.1)
    return net


def referee(net, images):
    """The same from the parameters alone, written down stage by stage."""
    p = dict(net.named_parameters())
    maps, pools = images, []
    for stage, n in enumerate([2, 2, 3, 3, 3]):
        for i in range(1, n + 1):
            name = f"stages.{stage}.conv{stage + 1}_{i}"
            padding = 100 if stage == 0 and i == 1 else 1
            maps = F.conv2d(maps, p[f"{name}.weight"], p[f"{name}.bias"], padding=padding).relu()
        maps = F.max_pool2d(maps, 2)
        pools.append(maps)
    for name in ("fc6", "fc7"):
        maps = F.conv2d(maps, p[f"{name}.weight"], p[f"{name}.bias"]).relu()
    scores = F.conv2d(maps, p["score.weight"], p["score.bias"])
    height, width = images.shape[2:]
    if isinstance(net, FCN32s):
        up = F.conv_transpose2d(scores, p["upscore.weight"], stride=32)
        return up[:, :, 19 : 19 + height, 19 : 19 + width]
    for step, (pool, start) in enumerate([(3, 5), (2, 9)], 1):
        up = F.conv_transpose2d(scores, p[f"upscore{step}.weight"], stride=2)
        name = f"score_pool{pool + 1}"
        skip = F.conv2d(pools[pool], p[f"{name}.weight"], p[f"{name}.bias"])
        scores = up + skip[:, :, start : start + up.shape[2], start : start + up.shape[3]]
    up = F.conv_transpose2d(scores, p["upscore3.weight"], stride=8)
    return up[:, :, 31 : 31 + height, 31 : 31 + width]


@pytest.mark.parametrize(("net", "count"), [(FCN32s, 134_899_532), (FCN8s, 134_360_420)])
def test_parameters_with_twelve_classes(net, count):
    with torch.device("meta"):
        assert sum(p.numel() for p in net(12).parameters()) == count


def test_shapes_at_full_width_on_the_meta_device(network):
    with torch.device("meta"):
        scores = network(12)(torch.empty(2, 3, 480, 333))
    assert scores.shape == (2, 12, 480, 333)


@pytest.mark.parametrize(("batch", "height", "width"), [(1, 64, 64), (2, 33, 59), (1, 26, 90)])
def test_values_and_gradients(network, batch, height, width):
    net = narrow(network)
    images = torch.randn(batch, 3, height, width, generator=torch.Generator().manual_seed(1))
    scores, expected = net(images), referee(net, images)
    torch.testing.assert_close(scores, expected)
    parameters = list(net.parameters())
    for found, right in zip(
        torch.autograd.grad(scores.square().mean(), parameters),
        torch.autograd.grad(expected.square().mean(), parameters),
        strict=True,
    ):
        torch.testing.assert_close(found, right)


def test_another_dtype(network):
    net = narrow(network).double()
    images = torch.randn(1, 3, 40, 40, dtype=torch.float64)
    torch.testing.assert_close(net(images), referee(net, images))
    assert net(images).dtype == torch.float64


@pytest.mark.parametrize("height", [46, 57, 500])
def test_fcn32s_refuses_what_would_come_out_short(height):
    with torch.device("meta"):
        net, images = FCN32s(12), torch.empty(1, 3, height, 64)
    with pytest.raises(InputError, match=f"the height is {height} pixels.*resize or pad it to"):
        net(images)


def test_names_the_nearest_sizes_that_work():
    net = narrow(FCN32s)
    with pytest.raises(InputError, match=r"the width is 50 pixels.*to 45 or 58"):
        net(torch.zeros(1, 3, 64, 50))
    with pytest.raises(InputError, match=r"to 26$"):
        narrow(FCN8s)(torch.zeros(1, 3, 25, 64))


def test_fcn8s_takes_what_fcn32s_refuses():
    assert narrow(FCN8s)(torch.zeros(1, 3, 50, 46)).shape == (1, 5, 50, 46)


def test_rounding_up_takes_what_rounding_down_refuses():
    net = narrow(FCN32s, ceil_mode=True)
    assert net(torch.zeros(1, 3, 50, 46)).shape == (1, 5, 50, 46)


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 1, 64, 64)])
def test_refuses_what_are_no_images(network, shape):
    with pytest.raises(InputError, match=r"expected \[B,3,H,W\]"):
        narrow(network)(torch.zeros(shape))


def test_refuses_impossible_sizes_of_a_network(network):
    with pytest.raises(InputError, match="n_classes is 0"):
        network(0)
    for width in (0, 1.5):
        with pytest.raises(InputError, match=f"width is {width}, expected a share"):
            network(12, width)


def test_whole_channels_are_dropped_in_training_mode_alone(network):
    net = narrow(network)
    seen = []
    net.fc7.register_forward_hook(lambda _m, inputs, _out: seen.append(inputs[0]))
    nn.init.zeros_(net.fc6.weight)
    nn.init.ones_(net.fc6.bias)
    images = torch.zeros(1, 3, 90, 90)
    net(images)
    net.train()(images)
    assert (seen[0] == 1).all()
    channels = seen[1][0].flatten(1)
    assert set(channels.unique().tolist()) == {0.0, 2.0}
    assert (channels == channels[:, :1]).all()
    assert 0.3 < (channels[:, 0] == 0).float().mean() < 0.7


@pytest.mark.parametrize("padding", [100, 150])
def test_the_crop_puts_each_score_over_what_it_was_computed_from(padding):
    """The middle of a score's window in the image, and where upscore's kernel has its middle.

    They differ by padding - 81: 19 for a padding of 100, but 69 for one of 150.
    """
    net = FCN32s(1, 1 / 64)
    for name, parameter in net.named_parameters():
        nn.init.constant_(parameter, 0.0 if name.endswith("bias") else 1.0)
    maps = images = torch.ones(1, 3, 480, 480, requires_grad=True)
    net.stages[0].conv1_1.padding = (padding, padding)
    for stage in net.stages:
        for layer in stage:  # means instead of maxima, so that the gradient shows the window
            maps = F.avg_pool2d(maps, 2) if isinstance(layer, nn.MaxPool2d) else layer(maps)
    scores = net.score(net.fc7(net.fc6(maps)))
    middle = scores.shape[2] // 2
    window = torch.autograd.grad(scores[0, 0, middle, middle], images)[0].sum((0, 1, 2)).double()
    centre = float((window * torch.arange(480)).sum() / window.sum())
    assert 32 * middle + 31.5 - centre == pytest.approx(padding - 81, abs=0.01)


class TestLoadVgg16:
    @pytest.fixture
    def source(self):
        """A VGG-16 with a sixteenth of the channels, in torchvision's order."""
        torch.manual_seed(3)
        features, before = [], 3
        for n, channels in ((2, 4), (2, 8), (3, 16), (3, 32), (3, 32)):
            for _ in range(n):
                features += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
                before = channels
            features.append(nn.MaxPool2d(2))
        drop = nn.Dropout()
        classifier = [nn.Linear(32 * 49, 256), nn.ReLU(), drop, nn.Linear(256, 256), nn.ReLU()]
        net = nn.Module()
        net.features = nn.Sequential(*features)
        net.classifier = nn.Sequential(*classifier, drop, nn.Linear(256, 1000))
        return net

    def test_scores_of_one_window_are_those_of_vgg(self, network, source):
        net = narrow(network)
        net.load_vgg16(source)
        images = torch.randn(1, 3, 224, 224)
        fc7 = []
        net.fc7.register_forward_hook(lambda *call: fc7.append(call[2]))
        net.stages[0].conv1_1.padding = (1, 1)  # no border, so that one window is left
        pooled = images
        for stage in net.stages:
            pooled = stage(pooled)
        found = net.fc7(net.fc6(pooled).relu())[:, :, 0, 0]
        hidden = source.features(images).flatten(1)
        torch.testing.assert_close(pooled.flatten(1), hidden)
        torch.testing.assert_close(found, source.classifier[:4].eval()(hidden))

    def test_nothing_is_shared(self, network, source):
        net = narrow(network)
        net.load_vgg16(source)
        before = {name: value.clone() for name, value in net.state_dict().items()}
        with torch.no_grad():
            for parameter in source.parameters():
                parameter.add_(1)
        for name, value in net.state_dict().items():
            torch.testing.assert_close(value, before[name])

    def test_the_rest_stays_as_it_was(self, network, source):
        net = narrow(network)
        before = {name: value.clone() for name, value in net.state_dict().items()}
        net.load_vgg16(source)
        changed = {n for n, v in net.state_dict().items() if not torch.equal(v, before[n])}
        assert changed == {n for n in before if n.startswith(("stages", "fc"))}

    def test_torchvisions_own_fits_at_full_width(self, network):
        with torch.device("meta"):
            network(12).load_vgg16(vgg16())

    def test_refuses_another_width_before_it_copies(self, network, source):
        torch.manual_seed(0)
        net = network(5, 1 / 32)
        before = net.fc6.weight.clone()
        with pytest.raises(InputError, match=r"conv1_1 has weights \[2, 3, 3, 3\].*\[4, 3, 3, 3\]"):
            net.load_vgg16(source)
        assert torch.equal(net.fc6.weight, before)

    def test_refuses_what_is_no_vgg(self, network):
        with pytest.raises(InputError, match="has 1 layers with weights"):
            narrow(network).load_vgg16(nn.Sequential(nn.Linear(2, 2)))
