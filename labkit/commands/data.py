"""`labkit data`: data sets as folders."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Source(StrEnum):
    """What can be made into a folder: the first two for the CAM and SEG labs, the last for FCNs."""

    BUILTIN = "builtin"
    CIFAR10 = "cifar10"
    CMP_FACADE = "cmp-facade"


def data(
    source: Annotated[Source, typer.Argument(help="builtin is drawn, the others are downloaded.")],
    to: Annotated[Path, typer.Option(help="The folder to make; it must not be there yet.")],
) -> None:
    """Write a data set as a folder of pictures, to look at or to train on with --data.

    Downloads are verified, and go on where they were cut: CIFAR-10 (170 MB), the CMP Facade
    Database (both sets).
    """
    network = "cam"
    if source is Source.CIFAR10:
        from labkit.data.fetch import cam_seg_from_cifar10

        cam_seg_from_cifar10(to)
    elif source is Source.CMP_FACADE:
        from labkit.data.fetch import cmp_facade

        cmp_facade(to)
        network = "fcn8s"
    else:
        from labkit.data.cam_seg import write_builtin

        write_builtin(to)
    typer.echo(f"{source.value} is in {to}: labkit train {network} --data {to}")
