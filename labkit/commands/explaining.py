"""`labkit explain` and `labkit iou`: maps of trained networks, and how well they fit."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from labkit.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from labkit.data import CamSeg


class Map(StrEnum):
    """Which map of a network is meant."""

    CLASS = "class"
    HANDOUT = "handout"


class SeveralThresholds(TyperCommand):
    """Understands `--threshold 75 100 125` as `--threshold 75 --threshold 100 --threshold 125`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before each further number."""
        words: list[str] = []
        for i, word in enumerate(args):
            further = word.isdecimal() and i >= 2 and "--threshold" in args[:i]
            if further and args[i - 1].isdecimal():
                words.append("--threshold")
            words.append(word)
        return super().parse_args(ctx, words)


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
    run: Annotated[Path, typer.Argument(help="A folder that `labkit train` made.")],
    threshold: Annotated[int, typer.Option(help="Where the map is cut, 0 to 255.")] = 125,
    maps: Maps = Map.CLASS,
    data: Data = None,
    normalization: Annotated[
        Normalization | None,
        typer.Option(help="For runs of vgg-cam and recam: relu (the default), minmax or sigmoid."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the pictures, by default RUN/explain-MAPS.")
    ] = None,
) -> None:
    """Draw the maps of the ten chosen pictures, and the masks that they become.

    For each class CLASS.png, the picture with its map; CLASS_seg.png, the map cut at the threshold
    (white above it); and maps.png, all ten with the outlines of the true masks.

    Of a run of vgg-cam or recam: twelve test pictures with the map of the predicted class, as a
    labelled grid, a compact grid and a strip; --threshold and --maps do not concern it.
    """
    import cv2
    from rich.console import Console

    from labkit import plots, runs
    from labkit.commands import recam_run
    from labkit.commands.cam_run import load

    _check_thresholds([threshold])
    if recam_run.is_head_run(run):
        how: Any = None if normalization is None else normalization.value
        recam_run.explain(run, data, how, out, Console())
        return
    if normalization is not None:
        raise InputError("--normalization is for runs of vgg-cam and recam: leave it out")
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
    with runs.replacing(out / "maps.png") as draft:
        figure.savefig(draft, format="png", dpi=120)
    Console(soft_wrap=True, highlight=False).print(f"{2 * len(sources) + 1} pictures are in {out}")


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
