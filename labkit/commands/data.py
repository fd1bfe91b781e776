"""`labkit data`: data sets as folders."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Source(StrEnum):
    """What can be made into a folder in the layout of the CAM and SEG labs."""

    BUILTIN = "builtin"
    CIFAR10 = "cifar10"


def data(
    source: Annotated[Source, typer.Argument(help="builtin is drawn, cifar10 is downloaded.")],
    to: Annotated[Path, typer.Option(help="The folder to make; it must not be there yet.")],
) -> None:
    """Write a data set as a folder of pictures, to look at or to train on with --data.

    The download of CIFAR-10 (170 MB) is verified, and goes on where it was cut.
    """
    if source is Source.CIFAR10:
        from labkit.data.fetch import cam_seg_from_cifar10

        cam_seg_from_cifar10(to)
    else:
        from labkit.data.cam_seg import write_builtin

        write_builtin(to)
    typer.echo(f"{source.value} is in {to}: labkit train cam --data {to}")
