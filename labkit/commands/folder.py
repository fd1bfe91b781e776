"""The run folder of a training, whatever it trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from labkit import __version__, runs


@contextmanager
def training_in(
    settings: Mapping[str, Any], run: Path | None, resume: bool, console: Console
) -> Iterator[Path]:
    """The folder in which a training goes on; if it is interrupted, says how to continue.

    Args:
        settings: everything that it depends on, for `config.json`; "network" is what it trains.
        run: the folder; None for the next free number.
        resume: whether `run` is there and goes on, with the number of epochs that is wanted now.
        console: where it is named.

    Raises:
        InputError: a new run's folder is there already, or cannot be made.
    """
    network = settings["network"]
    config = {**settings, "labkit": __version__, "torch": torch.__version__}
    if run is None or not resume:
        run = runs.create_run(run, config, network)
    else:
        runs.write_json(config, run / "config.json")
    console.print(f"run folder: {run}", highlight=False, soft_wrap=True)
    try:
        yield run
    except KeyboardInterrupt:
        command = f"labkit train {network} --run {run} --resume"
        console.print(f"stopped; to go on: {command}", highlight=False, soft_wrap=True)
        raise
