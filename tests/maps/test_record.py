"""The recorder against autograd by hand, and on every awkward network we could think of."""

from collections import OrderedDict
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import resnet18

from labkit.errors import InputError
from labkit.maps import Recorder
from labkit.models import CamNet


def layers_of(**layers: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(OrderedDict(layers))


def small_net(inplace: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    return layers_of(
        conv1=nn.Conv2d(3, 4, 3, padding=1),
        bn=nn.BatchNorm2d(4),
        relu1=nn.ReLU(inplace),
        drop=nn.Dropout(0.5),
        conv2=nn.Conv2d(4, 6, 3, stride=2, padding=1),
        relu2=nn.ReLU(inplace),
        pool=nn.AdaptiveAvgPool2d(1),
        flat=nn.Flatten(),
        fc=nn.Linear(6, 5),
    )


def images(batch: int = 3, height: int = 7, width: int = 9) -> Tensor:
    return torch.randn(batch, 3, height, width, generator=torch.Generator().manual_seed(1))


def record(model: nn.Module, layers: list[str], batch: Tensor, target=None):
    with Recorder(model, layers) as recorder:
        return recorder.record(batch, target)


def test_literal_numbers():
    # One pixel, two channels: A = relu(2 x, -x) at x = 3 is (6, 0); the scores are A W^T.
    conv, fc = nn.Conv2d(1, 2, 1, bias=False), nn.Linear(2, 2, bias=False)
    conv.weight.data = torch.tensor([2.0, -1.0]).reshape(2, 1, 1, 1)
    fc.weight.data = torch.tensor([[1.0, 10.0], [0.5, 3.0]])
    model = layers_of(conv=conv, relu=nn.ReLU(), flat=nn.Flatten(), fc=fc)
    found = record(model, ["conv", "relu"], torch.full((1, 1, 1, 1), 3.0))
    assert found.scores.tolist() == [[6.0, 3.0]]
    assert found.activations["conv"].flatten().tolist() == [6.0, -3.0]
    assert found.activations["relu"].flatten().tolist() == [6.0, 0.0]
    assert found.gradients["relu"].flatten().tolist() == [1.0, 10.0]
    assert found.gradients["conv"].flatten().tolist() == [1.0, 0.0]
    other = record(model, ["relu"], torch.full((1, 1, 1, 1), 3.0), target=1)
    assert other.gradients["relu"].flatten().tolist() == [0.5, 3.0]


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("target", [None, 2, [4, 0, 1], torch.tensor([1, 1, 3])])
@pytest.mark.parametrize("batch", [1, 3])
def test_agrees_with_autograd_step_by_step(inplace, target, batch):
    if isinstance(target, list | Tensor):
        target = target[:batch]
    model = small_net(inplace)
    names = ["conv1", "bn", "relu1", "conv2", "relu2"]
    found = record(model, names, images(batch), target)
    value, outputs = images(batch), {}
    by_hand = small_net(inplace=False).eval()
    for name, module in by_hand.named_children():
        value = module(value)
        outputs[name] = value
    classes = value.argmax(1) if target is None else torch.as_tensor(target).expand(batch)
    chosen = value[torch.arange(batch), classes].sum()
    gradients = torch.autograd.grad(chosen, [outputs[name] for name in names])
    torch.testing.assert_close(found.scores, value.detach())
    assert list(found.activations) == list(found.gradients) == names
    for name, gradient in zip(names, gradients, strict=True):
        torch.testing.assert_close(found.activations[name], outputs[name].detach())
        torch.testing.assert_close(found.gradients[name], gradient)
        assert not found.activations[name].requires_grad
        assert not found.gradients[name].requires_grad


def test_layers_around_each_other_and_sums_in_place():
    # In a ResNet the sum `out += identity` overwrites bn2, and layer1 holds layer1.1.
    torch.manual_seed(0)
    model = resnet18(num_classes=7).eval()
    names = ["layer1.1.bn2", "layer1.1", "layer1", "layer4"]
    found = record(model, names, images(2, 40, 33))
    features = model.maxpool(model.relu(model.bn1(model.conv1(images(2, 40, 33)))))
    inner = model.layer1[0](features)
    block = model.layer1[1]
    before = block.bn2(block.conv2(block.relu(block.bn1(block.conv1(inner)))))
    after = torch.relu(before + inner)
    top = model.layer4(model.layer3(model.layer2(after)))
    scores = model.fc(top.mean((2, 3)))
    wanted = [before, after, after, top]
    gradients = torch.autograd.grad(scores.amax(1).sum(), wanted)
    for name, output, gradient in zip(names, wanted, gradients, strict=True):
        torch.testing.assert_close(found.activations[name], output.detach())
        torch.testing.assert_close(found.gradients[name], gradient)


def test_an_image_has_the_same_gradients_alone_and_in_a_batch():
    model, batch = small_net(), images(4)
    together = record(model, ["relu2"], batch)
    for i in range(4):
        alone = record(model, ["relu2"], batch[i : i + 1])
        torch.testing.assert_close(together.gradients["relu2"][i], alone.gradients["relu2"][0])


def state(model: nn.Module) -> list:
    return [
        [(name, module.training, len(module._forward_hooks)) for name, module in parts]
        for parts in [list(model.named_modules())]
    ] + [
        [(name, value.clone(), value.requires_grad) for name, value in model.named_parameters()],
        [(name, value.clone()) for name, value in model.named_buffers()],
        [value.grad for value in model.parameters()],
        torch.get_rng_state(),
    ]


def assert_same(found, expected):
    if isinstance(found, Tensor):
        assert torch.equal(found, expected)
    elif isinstance(found, list | tuple):
        assert len(found) == len(expected)
        for pair in zip(found, expected, strict=True):
            assert_same(*pair)
    else:
        assert found == expected


class Breaks(nn.Module):
    def forward(self, value: Tensor) -> Tensor:
        raise RuntimeError("broken")


@pytest.mark.parametrize("breaks", [False, True])
def test_the_model_is_left_as_it_was(breaks):
    model = small_net()
    model.train()
    model.bn.eval()  # not all in one mode
    model.conv1.weight.requires_grad_(False)
    model.conv2.weight.grad = torch.ones_like(model.conv2.weight)
    if breaks:
        model.fc = nn.Sequential(model.fc, Breaks())
    before = state(model)
    if breaks:
        with pytest.raises(RuntimeError, match="broken"):
            record(model, ["relu1", "relu2"], images())
    else:
        record(model, ["relu1", "relu2"], images())
    assert_same(state(model), before)


def test_random_numbers_that_a_model_draws_are_given_back():
    class Noise(nn.Module):
        def forward(self, value: Tensor) -> Tensor:
            return value + torch.randn_like(value)

    model = nn.Sequential(Noise(), *small_net())
    before = torch.get_rng_state()
    record(model, ["5"], images())
    assert torch.equal(torch.get_rng_state(), before)


def test_between_forward_and_backward_of_a_training_step():
    def gradients(look: bool) -> list[Tensor]:
        model = small_net().eval()
        loss = model(images()).square().sum()
        if look:
            record(model, ["relu1", "relu2"], images())
        loss.backward()
        return [parameter.grad for parameter in model.parameters()]

    for with_look, without in zip(gradients(True), gradients(False), strict=True):
        torch.testing.assert_close(with_look, without)


def test_evaluation_mode_while_recording():
    model = small_net().train()
    twice = [record(model, ["relu2"], images()).scores for _ in range(2)]
    torch.testing.assert_close(*twice, rtol=0, atol=0)
    torch.testing.assert_close(twice[0], model.eval()(images()))


def test_frozen_parameters():
    model = small_net()
    expected = record(model, ["conv1", "relu2"], images())
    model.requires_grad_(False)
    found = record(model, ["conv1", "relu2"], images())
    for name in ("conv1", "relu2"):
        torch.testing.assert_close(found.gradients[name], expected.gradients[name])
    assert not any(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_caller_s_mode_does_no_harm(mode):
    model = small_net()
    expected = record(model, ["relu1"], images())
    with mode():
        found = record(model, ["relu1"], images())  # images of that mode, too
        assert not torch.is_grad_enabled()
        assert torch.is_inference_mode_enabled() is (mode is torch.inference_mode)
    torch.testing.assert_close(found.gradients["relu1"], expected.gradients["relu1"])


def test_images_that_want_gradients_keep_none():
    batch = images().requires_grad_()
    record(small_net(), ["relu1"], batch)
    assert batch.grad is None and batch.requires_grad


def test_a_backbone_under_no_grad_inside_the_model():
    class Frozen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = small_net()

        def forward(self, batch: Tensor) -> Tensor:
            with torch.no_grad():
                features = self.net[:6](batch)
            return self.net[6:](features)

    model = Frozen()
    found = record(model, ["net.relu2"], images())
    expected = record(model.net, ["relu2"], images())
    torch.testing.assert_close(found.gradients["net.relu2"], expected.gradients["relu2"])
    with pytest.raises(InputError, match=r"no gradient flows from the scores back to net\.relu1"):
        record(model, ["net.relu1"], images())


def test_the_backward_pass_ends_at_the_earliest_layer():
    class Watched(torch.autograd.Function):
        @staticmethod
        def forward(ctx, value):
            return value.clone()

        @staticmethod
        def backward(ctx, gradient):
            raise AssertionError("went too far back")

    class Watch(nn.Module):
        def forward(self, value: Tensor) -> Tensor:
            return Watched.apply(value)

    model = nn.Sequential(nn.Conv2d(3, 3, 1), Watch(), *small_net())
    record(model, ["2", "6"], images())
    with pytest.raises(AssertionError, match="too far back"):
        record(model, ["0"], images())


def test_bfloat16():
    found = record(small_net().bfloat16(), ["relu1", "relu2"], images().bfloat16())
    expected = record(small_net(), ["relu1", "relu2"], images(), found.scores.argmax(1))
    for name in ("relu1", "relu2"):
        assert found.gradients[name].dtype == torch.bfloat16
        torch.testing.assert_close(
            found.gradients[name].float(), expected.gradients[name], rtol=0.1, atol=0.02
        )


def test_maps_of_one_position():
    found = record(small_net(), ["relu2"], images(2, 1, 2))
    assert found.activations["relu2"].shape == (2, 6, 1, 1)


class Answer(NamedTuple):
    features: Tensor
    scores: Tensor


@pytest.mark.parametrize(
    "wrap",
    [
        lambda scores, features: {"logits": scores, "pooled": features.mean((2, 3))},
        lambda scores, features: {"out": scores, "features": features},
        lambda scores, features: (scores, features),
        lambda scores, features: [features, scores],
        lambda scores, features: Answer(features.mean((2, 3)), scores),
    ],
)
def test_scores_are_found_in_what_a_model_gives(wrap):
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = small_net()

        def forward(self, batch: Tensor):
            features = self.net[:6](batch)
            return wrap(self.net[6:](features), features)

    found = record(Wrapped(), ["net.relu2"], images())
    expected = record(small_net(), ["relu2"], images())
    torch.testing.assert_close(found.scores, expected.scores)
    torch.testing.assert_close(found.gradients["net.relu2"], expected.gradients["relu2"])


def test_the_networks_of_the_course():
    model = CamNet(4).eval()
    found = record(model, list(model.stages), images(2, 40, 32))
    torch.testing.assert_close(found.scores, model(images(2, 40, 32)).scores)
    assert [tuple(found.activations[name].shape) for name in model.stages] == [
        (2, 64, 10, 8),
        (2, 128, 5, 4),
    ]
    # Averaged features: the gradient is the classifier's row over the number of positions.
    rows = model.classifier.weight[found.scores.argmax(1)] / 20
    expected = rows[:, :, None, None].expand(2, 128, 5, 4)
    torch.testing.assert_close(found.gradients["backbone.layer2"], expected)


class Gives(nn.Module):
    """A model whose answer is made from its features by a function."""

    def __init__(self, make) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.side = nn.Conv2d(4, 4, 1)
        self.make = make

    def forward(self, batch: Tensor):
        features = self.conv(batch)
        return self.make(self, features)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda m, f: f, r"output: \[3, 4, 5, 7\] of float32; expected class scores \[3,N\]"),
        (lambda m, f: {"a": f.mean((2, 3)), "b": f.mean((2, 3))}, r"a: \[3, 4\].*b: \[3, 4\]"),
        (lambda m, f: 4, "output: a int;"),
        (lambda m, f: f.mean(), r"output: \[\] of float32"),
        (lambda m, f: f.mean((2, 3)).detach(), "no gradient flows from the scores back to conv"),
    ],
)
def test_models_without_usable_scores(make, sentence):
    with pytest.raises(InputError, match=sentence):
        record(Gives(make), ["conv"], images())


def test_layers_off_the_way_to_the_scores():
    def beside(model, features):
        model.side(features)
        return features.mean((2, 3))

    with pytest.raises(InputError, match="the scores do not depend on layer 'side'"):
        record(Gives(beside), ["conv", "side"], images())
    unused = Gives(lambda model, features: features.mean((2, 3)))
    with pytest.raises(InputError, match="layer 'side' was not used in the forward pass"):
        record(unused, ["side"], images())


def test_a_layer_used_twice():
    model = Gives(lambda model, features: model.side(model.side(features)).mean((2, 3)))
    with pytest.raises(InputError, match="layer 'side' is used more than once"):
        record(model, ["side"], images())
    assert not model.side._forward_hooks
    with pytest.raises(InputError, match=r"layer 'layer1\.0\.relu' is used more than once"):
        record(resnet18(), ["layer1.0.relu"], images(1, 32, 32))


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        (["fc"], r"layer 'fc' gives \[3, 5\] of float32, expected \[B,C,h,w\]"),
        (["conv3"], r"no layer 'conv3'; names that it has: conv\d, conv\d"),
        (["nothing like it"], "names that it has: conv1, bn, relu1"),
        ([""], "no layer ''"),
        ("conv1", "layers='conv1', expected a list"),
        ([], r"layers=\[\], expected a list of one or more names.*conv1, bn"),
    ],
)
def test_layers_that_cannot_be_recorded(layers, sentence):
    with pytest.raises(InputError, match=sentence):
        record(small_net(), layers, images())


def test_a_layer_that_gives_no_tensor():
    class Pair(nn.Module):
        def forward(self, value: Tensor):
            return value, value

    class Net(Gives):
        def __init__(self) -> None:
            super().__init__(lambda model, features: model.pair(features)[0].mean((2, 3)))
            self.pair = Pair()

    with pytest.raises(InputError, match="layer 'pair' gives a tuple"):
        record(Net(), ["pair"], images())


@pytest.mark.parametrize(
    "target", [5, -1, [0, 1], [0, 1, 2, 3], [0, 1, 5], [0.0, 1.0, 2.0], torch.zeros(3, 1).long()]
)
def test_classes_that_do_not_fit(target):
    with pytest.raises(InputError, match=r"expected one class of 0\.\.4, or 3 of them"):
        record(small_net(), ["relu1"], images(), target)


@pytest.mark.parametrize(
    "batch", [torch.zeros(3, 7, 9), torch.zeros(0, 3, 7, 9), torch.zeros(1, 3, 7, 9).byte()]
)
def test_images_that_do_not_fit(batch):
    with pytest.raises(InputError, match=r"expected \[B,3,H,W\] of a floating dtype"):
        record(small_net(), ["relu1"], batch)


def test_a_closed_recorder_and_other_calls_of_the_model():
    model = small_net().eval()
    recorder = Recorder(model, ["relu1"])
    with pytest.raises(InputError, match="the recorder is closed"):
        recorder.record(images())
    with recorder:
        expected = model(images())  # not recorded, and not disturbed
        torch.testing.assert_close(recorder.record(images()).scores, expected)
        assert expected.requires_grad
    assert not model.relu1._forward_hooks
    with pytest.raises(InputError, match="the recorder is closed"):
        recorder.record(images())


def test_a_model_made_in_inference_mode():
    with torch.inference_mode():
        model = small_net()
    with pytest.raises(InputError, match=r"made under torch\.inference_mode"):
        record(model, ["relu1"], images())
