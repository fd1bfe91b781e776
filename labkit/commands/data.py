"""`labkit data`: data sets as folders."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Source(StrEnum):
    """What can be made into a folder, for the labs on CAM and SEG, on FCNs, and on ReCAM."""

    BUILTIN = "builtin"
    CIFAR10 = "cifar10"
    CMP_FACADE = "cmp-facade"
    FLOWERS17 = "flowers17"
    DRAWN_FLOWERS = "drawn-flowers"
    AUGMENTED_FLOWERS = "augmented-flowers"


def data(
    source: Annotated[
        Source,
        typer.Argument(
            help="builtin and drawn-flowers are drawn, augmented-flowers is made of --data, the "
            "others are downloaded."
        ),
    ],
    to: Annotated[Path, typer.Option(help="The folder to make; it must not be there yet.")],
    data: Annotated[
        str,
        typer.Option(help="For augmented-flowers: builtin, or a Flower-17 folder.", metavar="DIR"),
    ] = "builtin",
) -> None:
    """Write a data set as a folder of pictures, to look at or to train on with --data.

    Downloads are verified, and go on where they were cut: CIFAR-10 (170 MB), the CMP Facade
    Database (both sets), the 17 Category Flower Dataset (60 MB). augmented-flowers holds every
    flower ten times: itself, and turned, shifted and mirrored at random.
    """
    network = "cam"
    if source is Source.CIFAR10:
        from labkit.data.fetch import cam_seg_from_cifar10

        cam_seg_from_cifar10(to)
    elif source is Source.CMP_FACADE:
        from labkit.data.fetch import cmp_facade

        cmp_facade(to)
        network = "fcn8s"
    elif source is Source.FLOWERS17:
        from labkit.data.fetch import flowers17

        flowers17(to)
        network = "vgg-cam"
    elif source is Source.DRAWN_FLOWERS:
        from labkit.data.flowers17 import write_builtin as write_flowers

        write_flowers(to)
        network = "vgg-cam"
    elif source is Source.AUGMENTED_FLOWERS:
        from labkit.data import store_augmented

        store_augmented(data, to, progress=sys.stderr.isatty())
        network = "vgg-cam --no-augment"
    else:
        from labkit.data.cam_seg import write_builtin

        write_builtin(to)
    typer.echo(f"{source.value} is in {to}: labkit train {network} --data {to}")
