"""`labkit train` and `labkit evaluate`: options in, sentences and a run folder out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from labkit.commands.explaining import Normalization
from labkit.errors import InputError


class Network(StrEnum):
    """What can be trained."""

    CAM = "cam"
    SEG = "seg"
    FCN32S = "fcn32s"
    FCN8S = "fcn8s"
    VGG_CAM = "vgg-cam"
    RECAM = "recam"
    DEFECTS = "defects"


class Loss(StrEnum):
    """What `labkit train seg` minimises; see `labkit.segmentation.LOSSES`."""

    HANDOUT = "handout"
    NORMALIZED = "normalized"
    SSENET = "ssenet"
    NONE = "none"


class FusionOfStages(StrEnum):
    """How `labkit train defects` fuses stages; see `labkit.models.fuse_features`."""

    NONE = "none"
    ADD = "add"
    MUL = "mul"


class Weights(StrEnum):
    """Where a training starts."""

    NONE = "none"
    IMAGENET = "imagenet"
    EFFICIENTNET = "efficientnet"
    ZEROS = "zeros"


class Variant(StrEnum):
    """Which ReCAM is meant."""

    PAPER = "paper"
    NAIVE = "naive"


CAMS = (Network.CAM, Network.SEG)
FCNS = (Network.FCN32S, Network.FCN8S)
HEADS = (Network.VGG_CAM, Network.RECAM)
# Options, and values of options, that only some networks have.
FOR_SOME: dict[str, tuple[Network, ...]] = {
    "folds": CAMS,
    "transform": (Network.SEG,),
    "loss": (Network.SEG,),
    "width": (*FCNS, *HEADS),
    "weights": (*CAMS, *FCNS, *HEADS),
    "weights zeros": FCNS,
    "weights efficientnet": HEADS,
    "variant": (Network.RECAM,),
    "normalization": (Network.RECAM,),
    "augment": HEADS,
    "problem": (Network.DEFECTS,),
    "fusion": (Network.DEFECTS,),
}


Data = Annotated[
    str | None,
    typer.Option(help="builtin (the default), or a folder with the network's data.", metavar="DIR"),
]


def train(
    network: Annotated[Network, typer.Argument(help="What to train.")],
    data: Data = None,
    preset: Annotated[
        str | None,
        typer.Option(help="grade (seconds), laptop (minutes) or paper: fills what is not given."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training images.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="The most images of a step.")] = None,
    lr: Annotated[float | None, typer.Option(help="Adam's learning rate.")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides every random number.")] = None,
    size: Annotated[int | None, typer.Option(help="Side of the images in pixels.")] = None,
    folds: Annotated[int | None, typer.Option(help="Cross-validate before; 0 does not.")] = None,
    width: Annotated[
        float | None,
        typer.Option(help="For fcn32s, fcn8s, vgg-cam, recam: share of VGG-16's channels."),
    ] = None,
    weights: Annotated[
        Weights | None,
        typer.Option(
            help="Where the training starts; zeros is for fcn32s and fcn8s. For vgg-cam and recam, "
            "which features are frozen: none trains some on drawn flowers of other kinds, imagenet "
            "takes VGG-16's, efficientnet those of a smaller network from an extra."
        ),
    ] = None,
    transform: Annotated[
        str | None,
        typer.Option(
            help="For seg: scale (the default), hflip, vflip, rot90, rot180, rot270, an angle such "
            "as rotate15, or several joined by a plus, as vflip+hflip."
        ),
    ] = None,
    loss: Annotated[
        Loss | None,
        typer.Option(
            help="For seg: the handout's (the default), the same on normalized maps, SSENet's, or "
            "none, which classifies both copies and compares no maps."
        ),
    ] = None,
    variant: Annotated[
        Variant | None,
        typer.Option(help="For recam: the paper's (the default), or naive, document 001's."),
    ] = None,
    normalization: Annotated[
        Normalization | None,
        typer.Option(
            help="For recam: what makes weights of maps, by default relu, for naive minmax."
        ),
    ] = None,
    augment: Annotated[
        bool | None,
        typer.Option(
            "--augment/--no-augment",
            help="For vgg-cam and recam: turn, shift and mirror pictures (the default).",
        ),
    ] = None,
    problem: Annotated[
        int | None, typer.Option(help="For defects: which texture with its defect, 1 to 6.")
    ] = None,
    fusion: Annotated[
        FusionOfStages | None,
        typer.Option(help="For defects: add or multiply the features of stages, or none."),
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="Run folder, by default the next runs/NETWORK-001.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run of --run.")] = False,
) -> None:
    """Train a network, choose its epoch on held-out images, and test it once.

    cam is trained on the names of pictures alone. seg is the same network, which sees each image a
    second time, transformed, and learns to give the transformed map. For both, a tenth of the
    training images is held out and chooses the epoch. fcn32s and fcn8s label every pixel of
    facades; the validation split chooses the epoch, by mean IoU. vgg-cam and recam train a small
    head on frozen features of flowers; the training ends when the validation loss has passed twice
    the training loss, and the head of every epoch is kept. defects tells good surfaces from
    defective ones; the validation split chooses the epoch, by the mean of both recalls.

    The run folder then holds the settings, the history, the best weights, the test figures and
    pictures. A run is never overwritten; with --resume it goes on as if it had not been stopped.
    """
    from rich.console import Console

    from labkit.commands.networks import MODULES

    given = {
        "data": data,
        "preset": preset,
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "seed": seed,
        "size": size,
        "folds": folds,
        "width": width,
        "weights": weights,
        "transform": transform,
        "loss": loss,
        "variant": variant,
        "normalization": normalization,
        "augment": augment,
        "problem": problem,
        "fusion": fusion,
    }
    given = {
        name: value.value if isinstance(value, StrEnum) else value
        for name, value in given.items()
        if value is not None
    }
    if resume and run is None:
        raise InputError("--resume without --run: name the run folder to go on with")
    for option, value in given.items():
        for known in (option, f"{option} {value}"):
            _check_is_for(known, network)
    MODULES[network].train(network.value, given, run, resume, Console())


def _check_is_for(option: str, network: Network) -> None:
    networks = FOR_SOME.get(option, (network,))
    if network not in networks:
        *others, last = networks
        names = f"{', '.join(others)} and {last}" if others else last
        raise InputError(f"--{option} is for {names}, not for {network}: leave it out")


def evaluate(
    run: Annotated[Path, typer.Argument(help="A folder that `labkit train` made.")],
    data: Data = None,
) -> None:
    """Test the best weights of a run: accuracy, and IoU where there are masks.

    Nothing is written, but for a run of vgg-cam or recam: every epoch is counted on the validation
    images, top-1, top-3 and top-5, and evaluation.json in the run folder holds the counts.
    """
    from rich.console import Console

    from labkit.commands.networks import module_of

    module_of(run).evaluate(run, data, Console())
