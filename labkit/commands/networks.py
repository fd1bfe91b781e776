"""Which module trains, tests and shows which network; all of them import torch."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from labkit.commands import cam_run, defects_run, fcn_run, recam_run
from labkit.commands.settings import network_of

MODULES = {
    network: module
    for module in (cam_run, fcn_run, recam_run, defects_run)
    for network in module.NETWORKS
}


def module_of(run: Path) -> ModuleType:
    """The module of the network that an earlier run has trained.

    Raises:
        InputError: the folder is no run, or one of a network that is not known.
    """
    return MODULES[network_of(run, MODULES)]
