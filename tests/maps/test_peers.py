"""Maps of whole networks against torch-cam, captum and pytorch-grad-cam.

Grad-CAM and LayerCAM agree with all of them. Of Grad-CAM++ torch-cam and pytorch-grad-cam compute
something else; what it is, and that ours is the paper's, is stated here.

pytorch-grad-cam wants a second OpenCV beside ours, so it comes without its dependencies:
`pip install --no-deps grad-cam==1.5.7 ttach==0.0.3`. Without it its tests are skipped.
"""

import numpy as np
import pytest
import torch
import torchcam.methods
from captum.attr import LayerGradCam, LayerGradientXActivation
from maps.test_gradient import plus_plus_by_loops
from maps.test_record import images, layers_of, small_net
from torch import Tensor, nn
from torchvision.models import resnet18

from labkit.maps import Recorder, grad_cam, grad_cam_plus_plus, layer_cam

CLASSES = [4, 0, 2]


def resnet() -> nn.Module:
    torch.manual_seed(0)
    return resnet18(num_classes=6).eval()


NETWORKS = {
    "small": (small_net, ["relu1", "relu2"]),
    "resnet18": (resnet, ["layer1", "layer2", "layer3", "layer4"]),
}


def prepared(network: str) -> tuple[nn.Module, list[str], Tensor]:
    make, layers = NETWORKS[network]
    return make().eval(), layers, images(3, 70, 45)


def ours(method, model: nn.Module, layers: list[str], batch: Tensor) -> list[Tensor]:
    with Recorder(model, layers) as recorder:
        record = recorder.record(batch, CLASSES)
    return [method(record.activations[name], record.gradients[name]) for name in layers]


def by_torchcam(method: str, model: nn.Module, layers: list[str], batch: Tensor) -> list[Tensor]:
    extractor = getattr(torchcam.methods, method)(model, layers, input_shape=(3, 70, 45))
    with extractor as cam:
        return cam(CLASSES, model(batch), normalized=False)


def by_grad_cam(method: str, model: nn.Module, layer: str, batch: Tensor) -> np.ndarray:
    """pytorch-grad-cam's map before it is scaled; its ReLU comes after that."""
    peer = pytest.importorskip("pytorch_grad_cam", reason="see the top of this file")
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    targets = [ClassifierOutputTarget(c) for c in CLASSES]
    with getattr(peer, method)(model, [model.get_submodule(layer)]) as cam:
        cam(batch, targets)
        activations, gradients = (
            [value.numpy() for value in values]
            for values in (
                cam.activations_and_grads.activations,
                cam.activations_and_grads.gradients,
            )
        )
        maps = cam.get_cam_image(batch, None, targets, activations[0], gradients[0], False)
    return np.maximum(maps, 0)


def assert_close(found: Tensor, expected: Tensor | np.ndarray) -> None:
    """To a part in 10,000 of the highest value, which must not be 0."""
    expected = np.asarray(expected)
    assert expected.max() > 0
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-4 * expected.max())


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("method", "peer"), [(grad_cam, "GradCAM"), (layer_cam, "LayerCAM")])
def test_torchcam(network, method, peer):
    model, layers, batch = prepared(network)
    found = ours(method, model, layers, batch)
    for maps, expected in zip(found, by_torchcam(peer, model, layers, batch), strict=True):
        assert_close(maps, expected)


@pytest.mark.parametrize("network", NETWORKS)
def test_captum(network):
    model, layers, batch = prepared(network)
    for name, maps in zip(layers, ours(grad_cam, model, layers, batch), strict=True):
        attribution = LayerGradCam(model, model.get_submodule(name))
        expected = attribution.attribute(batch, CLASSES, relu_attributions=True)
        assert_close(maps, expected[:, 0].detach())
    for name, maps in zip(layers, ours(layer_cam, model, layers, batch), strict=True):
        # Activations after a ReLU: relu(g) A = relu(g A).
        products = LayerGradientXActivation(model, model.get_submodule(name))
        assert_close(maps, products.attribute(batch, CLASSES).relu().sum(1).detach())


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("method", "peer"), [(grad_cam, "GradCAM"), (layer_cam, "LayerCAM")])
def test_pytorch_grad_cam(network, method, peer):
    model, layers, batch = prepared(network)
    for name, maps in zip(layers, ours(method, model, layers, batch), strict=True):
        assert_close(maps, by_grad_cam(peer, model, name, batch))


def plus_plus(model: nn.Module, layer: str, batch: Tensor) -> tuple[np.ndarray, Tensor, Tensor]:
    """The paper's maps in float64, and what they are made of."""
    with Recorder(model, [layer]) as recorder:
        record = recorder.record(batch, CLASSES)
    a, g = record.activations[layer].double(), record.gradients[layer].double()
    pairs = zip(a.numpy(), g.numpy(), strict=True)
    return np.stack([plus_plus_by_loops(*pair) for pair in pairs]), a, g


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest one between maps that are divided by their maxima."""
    highest = [maps.max((1, 2), keepdims=True) for maps in (found, expected)]
    return float(np.abs(found / highest[0] - expected / highest[1]).max())


@pytest.mark.parametrize("layer", ["relu1", "relu2"])
def test_plus_plus_is_the_paper_s(layer):
    model, _, batch = prepared("small")
    expected, *_ = plus_plus(model, layer, batch)
    (found,) = ours(grad_cam_plus_plus, model, [layer], batch)
    assert_close(found, expected)


def test_torchcam_s_plus_plus_has_no_denominator():
    # Its division works on a copy, so alpha stays g^2 and a channel weighs sum g^2 relu(g).
    model, _, batch = prepared("small")
    expected, a, g = plus_plus(model, "relu1", batch)
    (theirs,) = by_torchcam("GradCAMpp", model, ["relu1"], batch)
    weights = (g**2 * g.relu()).sum((2, 3))
    assert_close(theirs, torch.einsum("bchw,bc->bhw", a, weights).relu())
    assert difference(theirs.numpy(), expected) > 0.03


def test_pytorch_grad_cam_s_plus_plus_adds_a_millionth_to_the_denominator():
    # Squared gradients of a real network are often smaller than a millionth.
    model, _, batch = prepared("small")
    expected, a, g = plus_plus(model, "relu1", batch)
    theirs = by_grad_cam("GradCAMPlusPlus", model, "relu1", batch)
    sums = a.sum((2, 3), keepdim=True)
    alpha = g**2 / (2 * g**2 + sums * g**3 + 1e-6)
    weights = (alpha * g.relu()).sum((2, 3))
    assert_close(torch.tensor(theirs), torch.einsum("bchw,bc->bhw", a, weights).relu())
    assert g.abs().max() < 1e-3
    assert difference(theirs, expected) > 0.03


def test_a_network_with_larger_gradients_brings_pytorch_grad_cam_back():
    pytest.importorskip("pytorch_grad_cam", reason="see the top of this file")
    torch.manual_seed(0)
    model = layers_of(
        conv=nn.Conv2d(3, 4, 3), relu=nn.ReLU(), flat=nn.Flatten(), fc=nn.Linear(4 * 4, 5)
    )
    batch = images(3, 4, 4)
    expected, *_ = plus_plus(model, "relu", batch)
    theirs = by_grad_cam("GradCAMPlusPlus", model, "relu", batch)
    np.testing.assert_allclose(theirs, expected, rtol=1e-2, atol=1e-2 * expected.max())
