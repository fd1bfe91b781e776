"""What maps cost beside the passes through the network that they cannot do without.

    pip install --no-deps grad-cam==1.5.7 ttach==0.0.3
    python benchmarks/maps.py

The floor of a map from gradients is one forward pass and the gradient of one class score with
respect to the wanted activations; that of CAM is one forward pass. labkit, torch-cam,
pytorch-grad-cam and captum go from images to maps at the size of the images with it: labkit and
its peers with LayerCAM and with Grad-CAM, captum (which has no LayerCAM and fuses nothing) with
Grad-CAM, one layer after the other, each enlarged. With four layers labkit and the peers fuse.
pytorch-grad-cam and torch-cam are given their hooks beforehand, labkit sets and removes them.

All are taken in turn in one process with one thread, and what is measured is processor time, so
that other load on the machine matters little. Printed is the median over the rounds of each ratio
to the floor of the same round.
"""

from __future__ import annotations

import copy
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported

import statistics
import sys
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torchvision.models import resnet18, vgg16
from tqdm import tqdm

from labkit.maps import all_class_maps, explain

LAYERS = {
    "resnet18": ["layer1", "layer2", "layer3", "layer4"],
    "vgg16": ["features.8", "features.15", "features.22", "features.29"],
}
NETWORKS = {"resnet18": resnet18, "vgg16": vgg16}
ROUNDS = {("resnet18", 1): 31, ("resnet18", 8): 9, ("vgg16", 1): 11, ("vgg16", 8): 5}


def floor(model: nn.Module, images: Tensor, layers: Sequence[str]) -> Callable[[], None]:
    """One forward pass, and the gradients of the highest scores at the layers."""
    kept: list[Tensor] = []
    for name in layers:
        model.get_submodule(name).register_forward_hook(lambda m, i, output: kept.append(output))

    def run() -> None:
        kept.clear()
        torch.autograd.grad(model(images).amax(1).sum(), kept)

    return run


def ours(method: str, model: nn.Module, images: Tensor, layers: Sequence[str]) -> Callable:
    """One call of labkit."""
    return lambda: explain(model, images, method, layers)


def by_torchcam(method: str, model: nn.Module, images: Tensor, layers: Sequence[str]) -> Callable:
    """torch-cam: maps, which its fusion enlarges to the images, also a single one."""
    from torchcam import methods

    extractor = getattr(methods, method)(model, list(layers))

    def run() -> None:
        scores = model(images)
        maps = extractor(scores.argmax(1).tolist(), scores)
        extractor.fuse_cams(maps, tuple(images.shape[2:]))

    return run


def by_grad_cam(method: str, model: nn.Module, images: Tensor, layers: Sequence[str]) -> Callable:
    """pytorch-grad-cam, which averages the maps of several layers and enlarges by itself."""
    import pytorch_grad_cam

    wanted = [model.get_submodule(name) for name in layers]
    extractor = getattr(pytorch_grad_cam, method)(model, wanted)
    return lambda: extractor(images, None)


def by_captum(model: nn.Module, images: Tensor, layers: Sequence[str]) -> Callable:
    """captum's Grad-CAM, for one layer at a time: it takes the class, so another pass finds it."""
    from captum.attr import LayerAttribution, LayerGradCam

    methods = [LayerGradCam(model, model.get_submodule(name)) for name in layers]

    def run() -> None:
        with torch.no_grad():
            classes = model(images).argmax(1)
        for method in methods:
            maps = method.attribute(images, classes, relu_attributions=True)
            LayerAttribution.interpolate(maps, tuple(images.shape[2:]), "bilinear")

    return run


PEERS: dict[str, Callable] = {
    "labkit LayerCAM": lambda *given: ours("layer_cam", *given),
    "labkit Grad-CAM": lambda *given: ours("grad_cam", *given),
    "torch-cam LayerCAM": lambda *given: by_torchcam("LayerCAM", *given),
    "torch-cam Grad-CAM": lambda *given: by_torchcam("GradCAM", *given),
    "pytorch-grad-cam LayerCAM": lambda *given: by_grad_cam("LayerCAM", *given),
    "pytorch-grad-cam Grad-CAM": lambda *given: by_grad_cam("GradCAM", *given),
    "captum Grad-CAM": by_captum,
}


def seconds(function: Callable[[], object]) -> float:
    """Processor time of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def ratios(
    base: Callable[[], object], others: dict[str, Callable[[], object]], rounds: int
) -> dict[str, list[float]]:
    """For each of the others its times, each divided by that of the base in the same round."""
    for function in (base, *others.values()):  # warm up
        function()
    found: dict[str, list[float]] = {name: [] for name in others}
    for _ in tqdm(range(rounds), "rounds", leave=False):
        least = seconds(base)
        for name, function in others.items():
            found[name].append(seconds(function) / least)
    return found


def show(found: dict[str, list[float]]) -> None:
    """Print medians and middle halves."""
    for name, values in found.items():
        low, *_, high = statistics.quantiles(values, n=4)
        print(f"  {name:26} {statistics.median(values):.2f} ({low:.2f} to {high:.2f})", flush=True)


def copy_of(model: nn.Module) -> nn.Module:
    """Another network with the same parameters, so that nobody's hooks slow down another."""
    return copy.deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})


def class_maps(model: nn.Module, batch: int, rounds: int) -> None:
    """All 1000 class maps of ResNet-18 beside one forward pass."""
    images = torch.randn(batch, 3, 224, 224)
    features: list[Tensor] = []
    model.layer4.register_forward_hook(lambda m, i, output: features.append(output))

    def forward() -> None:
        features.clear()
        with torch.no_grad():
            model(images)

    def all_maps() -> None:
        forward()
        with torch.no_grad():
            all_class_maps(features[0], model.fc.weight)

    print(f"resnet18, batch {batch}: all 1000 class maps beside one forward pass")
    show(ratios(forward, {"labkit all_class_maps": all_maps}, rounds))


def main(wanted: Sequence[str]) -> None:
    """Print the ratios of the networks that are named, by default both."""
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s)")
    for (name, batch), rounds in ROUNDS.items():
        if wanted and name not in wanted:
            continue
        torch.manual_seed(0)
        model, images = NETWORKS[name](weights=None).eval(), torch.randn(batch, 3, 224, 224)
        for layers in (LAYERS[name][-1:], LAYERS[name]):
            print(f"{name}, batch {batch}, {len(layers)} layer(s), beside its floor")
            contenders = {
                peer: make(copy_of(model), images, layers) for peer, make in PEERS.items()
            }
            show(ratios(floor(copy_of(model), images, layers), contenders, rounds))
            del contenders
        if name == "resnet18":
            class_maps(copy_of(model), batch, rounds)


if __name__ == "__main__":
    main(sys.argv[1:])
