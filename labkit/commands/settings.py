"""What a run of `labkit train` depends on: from the command line, or from an earlier run.

Each `*_run` module has a dataclass `Settings` of its own; what they have in common is here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from labkit import presets, runs
from labkit.errors import InputError
from labkit.plain import misfits

S = TypeVar("S")


def new_settings(kind: type[S], lab: str, given: Mapping[str, Any], **usual: Any) -> S:
    """The settings of a new run.

    Args:
        kind: the network's dataclass.
        lab: whose preset gives the sizes.
        given: on the command line, by name; "preset" is the preset's.
        usual: what holds where neither says anything.
    """
    name = given.get("preset")
    preset = presets.preset(lab, name) if name else presets.current(lab)
    values = {"data": "builtin", "seed": 0, **usual, **asdict(preset), **full_path(given)}
    values["preset"] = preset.name
    return kind(**{field: values[field] for field in get_type_hints(kind)})


def settings_of(
    kind: type[S], networks: Collection[str], run: Path, given: Mapping[str, Any] | None = None
) -> S:
    """The settings of an earlier run; what is given must agree, but for the number of epochs.

    Args:
        kind: the networks' dataclass.
        networks: one of which the run has trained.
        run: its folder.
        given: what is asked for now, by name.

    Raises:
        InputError: the run is one of another network, does not agree, or its `config.json` cannot
            be read, or lacks a setting or holds one that cannot be.
    """
    config = runs.read_config(run)
    _network(run, config, networks)
    if wrong := misfits(config, kind):
        raise _no_settings(run, config, wrong[0])
    try:
        settings = kind(**{name: config[name] for name in get_type_hints(kind)})
    except InputError as error:
        raise InputError(f"{run / 'config.json'}: {error}") from error
    epochs = _epochs_to_go_on(run, config, full_path(given or {}))
    return replace(settings, epochs=epochs)  # type: ignore[type-var]  # all have epochs


def network_of(run: Path, known: Collection[str]) -> str:
    """Which network an earlier run has trained.

    Raises:
        InputError: the folder is no run, or the network is not among those that are known.
    """
    return _network(run, runs.read_config(run), known)


def _network(run: Path, config: Mapping[str, Any], known: Collection[str]) -> str:
    network = config.get("network")
    if network is None:
        raise _no_settings(run, config, "network")
    if not isinstance(network, str) or network not in known:
        raise InputError(
            f"{run} holds a training of {network}, expected one of {' or '.join(known)}"
        )
    return network


def _no_settings(run: Path, config: Mapping[str, Any], name: str) -> InputError:
    given = repr(config[name]) if name in config else "missing"
    return InputError(
        f"{run / 'config.json'} does not hold the settings of such a training ({name} is {given}): "
        "expected the file as `labkit train` wrote it"
    )


def _epochs_to_go_on(run: Path, config: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    """The epochs of a run that goes on, perhaps for more than before.

    Args:
        run: its folder.
        config: what it was started with, as it was written down.
        given: what is asked for now, by name; all but `epochs` must be as before.

    Raises:
        InputError: something else is asked for, or fewer epochs.
    """
    for name, value in given.items():
        if name != "epochs" and value != config.get(name):
            raise InputError(
                f"{run} was started with {name} {config.get(name)}, not {value}: leave the option "
                "out, or start another run"
            )
    epochs = given.get("epochs", config["epochs"])
    if epochs < config["epochs"]:
        raise InputError(
            f"{run} was started for {config['epochs']} epochs, more than the {epochs} asked for: "
            "an earlier run may be made longer, not shorter"
        )
    return int(epochs)


def full_path(given: Mapping[str, Any]) -> dict[str, Any]:
    """With the data's full path, so that a run can be resumed from any folder."""
    if given.get("data", "builtin") == "builtin":
        return dict(given)
    return {**given, "data": str(Path(given["data"]).resolve())}
