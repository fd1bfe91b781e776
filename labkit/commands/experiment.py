"""`labkit experiment`: a document's tables, or a question of the course, from one command."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from labkit.experiments.seg import Sizes
    from labkit.presets import Preset


class Experiment(StrEnum):
    """What can be run."""

    SEG_TABLES = "seg-tables"
    SEG_SHRINKING = "seg-shrinking"
    FCN_TABLES = "fcn-tables"
    LAYERCAM_TABLE = "layercam-table"
    RECAM_TABLE = "recam-table"
    DEFECTS_TABLE = "defects-table"


def experiment(
    name: Annotated[Experiment, typer.Argument(help="Which experiment.")],
    data: Annotated[
        str, typer.Option(help="builtin, or a folder with the experiment's data.", metavar="DIR")
    ] = "builtin",
    preset: Annotated[
        str, typer.Option(help="grade (seconds), laptop (tens of minutes) or paper (for a GPU).")
    ] = "laptop",
    seeds: Annotated[
        int | None,
        typer.Option(
            help="Trainings of each kind: 5 for seg-shrinking and defects-table, 3 for fcn-tables "
            "and layercam-table, 1 for the others."
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training images, if not the preset's.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Side of the images, if not the preset's.")
    ] = None,
    extractor: Annotated[
        str,
        typer.Option(
            help="For recam-table: the frozen features. drawn trains them on drawn flowers of "
            "other kinds; vgg16 and efficientnet have ImageNet weights."
        ),
    ] = "drawn",
    out: Annotated[
        Path | None, typer.Option(help="Folder for trainings and tables, by default runs/NAME.")
    ] = None,
) -> None:
    """Train what an experiment needs and put the figures beside the published ones.

    seg-tables: tables 1, 2, 5, 6 and 7 of document 000. seg-shrinking: does the handout's loss
    shrink the maps, and does normalising mend it? fcn-tables: FCN-32s and FCN-8s from zeros, from a
    proper start and, where they can be had, from ImageNet weights, as document 003. layercam-table:
    which method, stage and fusion finds objects, and answers for its class? recam-table: table 2 of
    document 001, CAM against its ReCAM and the paper's. defects-table: document 004's figures on
    every problem of surfaces, and whether its two proposals help.

    Started again with the same folder, an experiment goes on where it was stopped.
    """
    from rich.console import Console

    folder = out or Path("runs") / name.value
    data = data if data == "builtin" else str(Path(data).resolve())
    console = Console()
    if seeds is not None and seeds < 1:
        raise InputError(f"seeds is {seeds}, expected a whole number of at least 1")
    if name is Experiment.SEG_TABLES:
        _seg_tables(data, _seg_sizes(preset, epochs, size), folder, console)
    elif name is Experiment.FCN_TABLES:
        _fcn_tables(data, preset, epochs, size, folder, 3 if seeds is None else seeds, console)
    elif name is Experiment.LAYERCAM_TABLE:
        _layercam_table(data, preset, epochs, size, folder, 3 if seeds is None else seeds, console)
    elif name is Experiment.RECAM_TABLE:
        _recam_table(data, preset, epochs, size, extractor, folder, seeds or 1, console)
    elif name is Experiment.DEFECTS_TABLE:
        _defects_table(data, preset, epochs, size, folder, 5 if seeds is None else seeds, console)
    else:
        _seg_shrinking(data, _seg_sizes(preset, epochs, size), folder, seeds or 5, console)
    console.print(f"tables are in {folder}", soft_wrap=True, highlight=False)


def _preset(lab: str, name: str, epochs: int | None, size: int | None) -> Preset:
    from dataclasses import replace

    from labkit import presets

    preset = presets.preset(lab, name)
    return replace(preset, epochs=epochs or preset.epochs, size=size or preset.size)


def _check_spread(seeds: int) -> None:
    if seeds < 2:
        raise InputError(f"seeds is {seeds}, expected at least 2: one has no spread")


def _seg_sizes(preset: str, epochs: int | None, size: int | None) -> Sizes:
    from dataclasses import replace

    from labkit.experiments.seg import SIZES

    if preset not in SIZES:
        raise InputError(f"there is no preset {preset!r}, expected {', '.join(SIZES)}")
    sizes = SIZES[preset]
    return replace(sizes, epochs=epochs or sizes.epochs, size=size or sizes.size)


def _seg_tables(data: str, sizes: Sizes, folder: Path, console: Console) -> None:
    import sys

    from labkit.experiments.seg import seg_tables

    for name, table in seg_tables(data, sizes, folder, progress=sys.stderr.isatty()).items():
        if name == "accuracy":
            _show(console, "tables 1 and 2: test accuracy", table.astype({"lr": str}))
        else:  # no wider than a terminal
            for i in range(0, table.shape[1], 4):
                _show(console, f"IoU, {name}", table.iloc[:, i : i + 4].reset_index(names="class"))
        _write(table, folder / f"{name.replace(' ', '-')}.csv", index=name != "accuracy")


def _seg_shrinking(data: str, sizes: Sizes, folder: Path, seeds: int, console: Console) -> None:
    import sys

    import pandas as pd

    from labkit import plots
    from labkit.experiments.seg import mean_and_spread, seg_shrinking, untrained

    _check_spread(seeds)
    figures = seg_shrinking(data, sizes, folder, range(seeds), sys.stderr.isatty())
    before = untrained(data, sizes, range(seeds))
    _write(figures, folder / "epochs.csv", index=False)
    _write(before, folder / "untrained.csv", index=False)
    before = before.assign(arm="untrained", epoch=figures["epoch"].max())
    for columns in (
        ("test_accuracy", "own_accuracy", "map_size", "relative"),
        ("class_iou", "class_best", "handout_iou", "handout_best"),
    ):
        table = mean_and_spread(pd.concat([before, figures]), columns).reset_index()
        _show(console, f"last three epochs, mean ± standard deviation of {seeds} seeds", table)
    plots.save_figure(plots.arms(figures), folder / "epochs.png")


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

    from labkit.experiments.fcn import PUBLISHED, fcn_tables
    from labkit.fcn_shapes import nearest_that_work, works

    preset = _preset("lab3_fcn", name, epochs, size)
    if not works(preset.size):
        near = " or ".join(map(str, nearest_that_work(preset.size)))
        raise InputError(f"size is {preset.size}, which FCN-32s does not take: expected {near}")
    figures, majority = fcn_tables(data, preset, folder, range(seeds), sys.stderr.isatty())
    _show(console, "here, on the test images", figures, digits=4)
    console.print(
        f"the commonest class everywhere: accuracy {majority['accuracy']:.3f}, "
        f"mean IoU {majority['mean_iou']:.3f}",
        highlight=False,
    )
    _show(console, "document 003, its last line", PUBLISHED, digits=4)


def _layercam_table(
    data: str,
    name: str,
    epochs: int | None,
    size: int | None,
    folder: Path,
    seeds: int,
    console: Console,
) -> None:
    import sys

    from labkit import plots
    from labkit.experiments.layercam import by_stage, layercam_table, mean_and_spread, untrained

    if data != "builtin":
        raise InputError(
            f"data is {data}, expected builtin: no other set has a mask for every test picture"
        )
    _check_spread(seeds)
    preset = _preset("lab5_layercam", name, epochs, size)
    table = layercam_table(preset, folder, range(seeds), sys.stderr.isatty())
    before = untrained(preset, range(seeds))
    _write(before, folder / "untrained.csv", index=False)
    of_seeds = f"mean ± standard deviation of {seeds} seeds"
    for columns in (
        ("share", "iou", "own_object"),
        ("small", "middle", "large"),
        ("at 0.1", "at 0.3", "at 0.5"),
    ):
        _show(console, of_seeds, mean_and_spread(table, columns))
    found = mean_and_spread(before, ("share", "iou", "own_object"))
    _show(console, f"networks that have learnt nothing, {of_seeds}", found)
    titles = {
        "iou": "IoU with the object",
        "small": "IoU, the smallest third",
        "own_object": "share on the object of its class",
    }
    plots.save_figure(plots.arms(by_stage(table), titles, "stage"), folder / "stages.png")


def _recam_table(
    data: str,
    name: str,
    epochs: int | None,
    size: int | None,
    extractor: str,
    folder: Path,
    seeds: int,
    console: Console,
) -> None:
    import sys

    from labkit.experiments.recam import PUBLISHED, recam_table

    preset = _preset("lab6_recam", name, epochs, size)
    figures = recam_table(
        data, preset, folder, range(seeds), extractor, progress=sys.stderr.isatty()
    )
    _show(console, "here, validation images", figures.astype({"lr": str}), digits=4)
    _show(console, "document 001, table 2", PUBLISHED.astype({"lr": str}), digits=4)


def _defects_table(
    data: str,
    name: str,
    epochs: int | None,
    size: int | None,
    folder: Path,
    seeds: int,
    console: Console,
) -> None:
    import sys

    from labkit import presets
    from labkit.data.dagm import problems
    from labkit.experiments import defects

    _check_spread(seeds)
    preset = defects.sizes(presets.preset("lab7_defects", name), epochs, size)
    figures = defects.defects_table(
        data,
        preset,
        folder,
        problems=problems(data),
        seeds=range(seeds),
        progress=sys.stderr.isatty(),
    )
    tables = {
        "classifiers": defects.classifiers(figures),
        "maps": defects.maps(figures),
        "proposals": defects.proposals(figures),
    }
    _write(figures, folder / "figures.csv", index=False)
    for title, table in tables.items():
        _show(console, f"{title}, mean ± standard deviation of {seeds} seeds", table)
        _write(table, folder / f"{title}.csv", index=False)
    _show(console, "document 004, one training each", defects.PUBLISHED)
    published = defects.PUBLISHED_IOU.rename_axis("method").reset_index(name="mean IoU")
    _show(console, "document 004, mean IoU", published)


def _show(console: Console, title: str, rows: pd.DataFrame, digits: int = 3) -> None:
    from rich.table import Table

    table = Table(title=title)
    for column in rows.columns:
        table.add_column(str(column).replace("_", " "), justify="right")
    for row in rows.itertuples(index=False):
        table.add_row(*(_cell(value, digits) for value in row))
    console.print(table)


def _cell(value: object, digits: int) -> str:
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.{digits}f}"
    return str(value)


def _write(table: pd.DataFrame, path: Path, index: bool) -> None:
    from labkit import runs

    with runs.replacing(path) as draft:
        table.to_csv(draft, index=index)
