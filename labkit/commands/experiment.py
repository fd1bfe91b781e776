"""`labkit experiment`: a document's tables, or a question of the course, from one command."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console


class Experiment(StrEnum):
    """What can be run."""

    FCN_TABLES = "fcn-tables"


def experiment(
    name: Annotated[Experiment, typer.Argument(help="Which experiment.")],
    data: Annotated[
        str, typer.Option(help="builtin, or a folder with the experiment's data.", metavar="DIR")
    ] = "builtin",
    preset: Annotated[
        str, typer.Option(help="grade (seconds), laptop (tens of minutes) or paper (for a GPU).")
    ] = "laptop",
    seeds: Annotated[int, typer.Option(help="Trainings of each kind.")] = 3,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training images, if not the preset's.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Side of the images, if not the preset's.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for trainings and tables, by default runs/NAME.")
    ] = None,
) -> None:
    """Train what an experiment needs and put the figures beside the published ones.

    fcn-tables: FCN-32s and FCN-8s from zeros, from a proper start and, where they can be had, from
    ImageNet weights, as document 003. Started again with the same folder, an experiment goes on
    where it was stopped.
    """
    from rich.console import Console

    if seeds < 1:
        raise InputError(f"seeds is {seeds}, expected at least 1")
    folder = out or Path("runs") / name.value
    data = data if data == "builtin" else str(Path(data).resolve())
    console = Console()
    _fcn_tables(data, preset, epochs, size, folder, seeds, console)
    console.print(f"tables are in {folder}", soft_wrap=True, highlight=False)


def _fcn_tables(
    data: str,
    name: str,
    epochs: int | None,
    size: int | None,
    folder: Path,
    seeds: int,
    console: Console,
) -> None:
    import sys
    from dataclasses import replace

    from labkit import presets
    from labkit.fcn_shapes import nearest_that_work, works
    from labkit.fcn_tables import PUBLISHED, fcn_tables

    preset = presets.preset("lab3_fcn", name)
    preset = replace(preset, epochs=epochs or preset.epochs, size=size or preset.size)
    if not works(preset.size):
        near = " or ".join(map(str, nearest_that_work(preset.size)))
        raise InputError(f"size is {preset.size}, which FCN-32s does not take: expected {near}")
    figures, majority = fcn_tables(data, preset, folder, range(seeds), sys.stderr.isatty())
    _show(console, "here, on the test images", figures)
    console.print(
        f"the commonest class everywhere: accuracy {majority['accuracy']:.3f}, "
        f"mean IoU {majority['mean_iou']:.3f}",
        highlight=False,
    )
    _show(console, "document 003, its last line", PUBLISHED)


def _show(console: Console, title: str, rows: pd.DataFrame) -> None:
    from rich.table import Table

    table = Table(title=title)
    for column in rows.columns:
        table.add_column(str(column).replace("_", " "), justify="right")
    for row in rows.itertuples(index=False):
        table.add_row(*(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row))
    console.print(table)
