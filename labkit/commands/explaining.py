"""`labkit explain` and `labkit iou`: maps of trained networks, and how well they fit."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from labkit.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console
    from torch import Tensor, nn

    from labkit.data import CamSeg


class Map(StrEnum):
    """Which map of a network is meant."""

    CLASS = "class"
    HANDOUT = "handout"


def spread(args: list[str], option: str, belongs: Callable[[str], bool]) -> list[str]:
    """Repeat an option before each further word that belongs to it: `-x 1 2` is `-x 1 -x 2`."""
    words: list[str] = []
    inside = False
    for i, word in enumerate(args):
        first = i > 0 and args[i - 1] == option
        inside = first or (inside and belongs(word))
        if inside and not first:
            words.append(option)
        words.append(word)
    return words


class SeveralThresholds(TyperCommand):
    """Understands `--threshold 75 100 125`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before each further number."""
        return super().parse_args(ctx, spread(args, "--threshold", str.isdecimal))


class SeveralPictures(TyperCommand):
    """Understands `--images a.jpg b.jpg` and `--layers layer3 layer4`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before each further word that is no option."""
        for option in ("--images", "--layers"):
            args = spread(args, option, lambda word: not word.startswith("-"))
        return super().parse_args(ctx, args)


class Normalization(StrEnum):
    """How a map comes to [0, 1]."""

    MINMAX = "minmax"
    SIGMOID = "sigmoid"
    RELU = "relu"


Maps = Annotated[
    Map,
    typer.Option(
        help="class: weighted by the classifier, for the true class. handout: weighted by the "
        "softmax of the pooled features, whatever the class."
    ),
]
Data = Annotated[
    str | None,
    typer.Option(help="Another data set with masks than the run's own.", metavar="DIR"),
]


def explain(
    run: Annotated[
        Path | None, typer.Argument(help="A folder that `labkit train` made, for its own pictures.")
    ] = None,
    threshold: Annotated[
        int | None, typer.Option(help="Where the maps of RUN are cut, 0 to 255; by default 125.")
    ] = None,
    maps: Annotated[
        Map | None, typer.Option(help="The maps of RUN, by default class. See `labkit iou --help`.")
    ] = None,
    data: Data = None,
    normalization: Annotated[
        Normalization | None,
        typer.Option(help="For runs of vgg-cam and recam: relu (the default), minmax or sigmoid."),
    ] = None,
    images: Annotated[
        list[Path] | None,
        typer.Option(help="Picture files of any size; several may follow.", metavar="FILE…"),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="What explains --images: resnet18 or efficientnet_lite0 with ImageNet weights, "
            "or a folder that `labkit train cam` or `seg` made.",
            metavar="NAME|RUN",
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(help="cam, grad_cam, grad_cam_plus_plus or layer_cam (the default)."),
    ] = None,
    layers: Annotated[
        list[str] | None,
        typer.Option(
            help="Layers of the model, such as layer3 layer4; several are fused. By default its "
            "four stages for layer_cam, the last one for the others.",
            metavar="NAME…",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(help="Name or number of the class to explain; by default each one's best."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the pictures, by default RUN/explain-MAPS, or explained."),
    ] = None,
) -> None:
    """Draw maps: of a run's ten chosen pictures, or with --images of any pictures.

    `labkit explain RUN` writes for each class CLASS.png, the picture with its map; CLASS_seg.png,
    the map cut at the threshold (white above it); and maps.png, all ten with the outlines of the
    true masks. Of a run of vgg-cam or recam it draws twelve test pictures with the map of the
    predicted class, as a labelled grid, a compact grid and a strip.

    `labkit explain --model resnet18 --images a.jpg b.jpg` writes a.png and b.png, each picture with
    the map of its class; and maps.png, all of them (the first twenty).
    """
    from rich.console import Console

    from labkit.commands import recam_run
    from labkit.commands.networks import module_of

    console = Console(soft_wrap=True, highlight=False)
    how: Any = None if normalization is None else normalization.value
    ours = {
        "--threshold": threshold,
        "--maps": maps,
        "--data": data,
        "--normalization": how,
    }
    theirs = {"--model": model, "--method": method, "--layers": layers, "--target": target}
    if (run is None) == (not images):
        raise InputError(
            "expected either RUN, for the pictures that it was tested with, or --images with "
            "--model, for any pictures"
        )
    for option, value in (ours if images else theirs).items():
        if value is not None:
            raise InputError(f"{option} goes with {'RUN' if images else '--images'} only")
    if run is not None and module_of(run) is recam_run:
        if threshold is not None or maps is not None:
            raise InputError("--threshold and --maps are not for runs of vgg-cam and recam")
        recam_run.explain(run, data, how, out, console)
    elif run is not None:
        if how is not None:
            raise InputError("--normalization is for runs of vgg-cam and recam: leave it out")
        cut = 125 if threshold is None else threshold
        _explain_run(run, cut, maps or Map.CLASS, data, out, console)
    elif images:
        from labkit.commands.explain_pictures import explain_pictures

        if model is None:
            raise InputError("--images needs --model: resnet18, efficientnet_lite0 or a run folder")
        folder = out or Path("explained")
        chosen: Any = method or "layer_cam"
        explain_pictures(model, images, chosen, layers or (), target, folder, console)


def _explain_run(
    run: Path, threshold: int, maps: Map, data: str | None, out: Path | None, console: Console
) -> None:
    import cv2

    from labkit import plots, runs
    from labkit.commands.cam_run import load

    _check_thresholds([threshold])
    _, model, test = load(run, data)
    sources = test.sources()
    heat = _heat(model, test, maps)
    out = out or run / f"explain-{maps.value}"
    out.mkdir(parents=True, exist_ok=True)
    for name, (picture, _) in sources.items():
        overlay = plots.overlay(picture, heat[name])
        mask = (heat[name] > threshold / 255).numpy()
        for path, pixels in (
            (out / f"{name}.png", cv2.cvtColor(overlay, cv2.COLOR_RGB2BGR)),
            (out / f"{name}_seg.png", 255 * mask.astype("uint8")),
        ):
            with runs.replacing(path) as draft:
                draft.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    pictures, masks = zip(*sources.values(), strict=True)
    figure = plots.show_maps(pictures, list(heat.values()), masks, list(sources))
    plots.save_figure(figure, out / "maps.png")
    console.print(f"{2 * len(sources) + 1} pictures are in {out}")


def iou(
    run: Annotated[
        list[Path], typer.Argument(help="Folders that `labkit train` made, a table each.")
    ],
    threshold: Annotated[
        list[int], typer.Option(help="Where maps are cut, 0 to 255; several may follow.")
    ] = [75, 100, 125, 150, 175],  # noqa: B006 (typer reads it and changes nothing)
    maps: Maps = Map.CLASS,
    data: Data = None,
) -> None:
    """Measure how the maps of the ten chosen pictures, cut at thresholds, fit the true masks."""
    from rich.console import Console
    from rich.table import Table

    from labkit.commands.cam_run import load
    from labkit.localization import iou_table

    _check_thresholds(threshold)
    loaded = [load(folder, data) for folder in run]
    for folder, (settings, model, test) in zip(run, loaded, strict=True):
        sources = test.sources()
        heat = list(_heat(model, test, maps).values())
        ious = iou_table(heat, [mask for _, mask in sources.values()], threshold)
        what = " ".join(filter(None, (settings.network, settings.transform, settings.loss)))
        table = Table(title=f"{folder} ({what}): IoU of the {maps.value} map, by threshold of 255")
        table.add_column("class")
        for cut in threshold:
            table.add_column(str(cut), justify="right")
        for name, row in zip(sources, ious.itertuples(index=False), strict=True):
            table.add_row(name, *(f"{value:.3f}" for value in row))
        table.add_section()
        table.add_row("mean", *(f"{value:.3f}" for value in ious.mean()))
        Console().print(table)


def _heat(model: nn.Module, test: CamSeg, maps: Map) -> dict[str, Tensor]:
    """For each source its map in [0, 1], at the size of its mask."""
    import torch

    from labkit.localization import class_maps, seg_maps

    heat = {}
    for name, (picture, mask) in test.sources().items():
        image = test.prepare(picture)[None]
        size = (mask.shape[0], mask.shape[1])
        if maps is Map.CLASS:
            label = torch.tensor([test.classes.index(name)])
            heat[name] = class_maps(model, image, label, size)[0]
        else:
            heat[name] = seg_maps(model, image, size)[0]
    return heat


def _check_thresholds(thresholds: list[int]) -> None:
    for threshold in thresholds:
        if not 0 <= threshold <= 255:
            raise InputError(f"the threshold is {threshold}, expected a number from 0 to 255")
