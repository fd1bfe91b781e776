"""What a run of `labkit train` depends on, from the command line or from an earlier run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from labkit import presets, runs
from labkit.errors import InputError
from labkit.plain import misfits
from labkit.segmentation import SegObjective
from labkit.training import Objective, classification
from labkit.training.state import check_numbers
from labkit.transforms import by_name, valid_region

NETWORKS = ("cam", "seg")
LAB = "lab1_cam"  # whose presets hold for lab 2's network too: it is the same one
SMALLEST = 16  # pixels, which give maps of 2x2; a map of 1x1 shows no place
SEG_DEFAULTS = {"transform": "scale", "loss": "handout"}

S = TypeVar("S")


@dataclass(frozen=True)
class Settings:
    """Everything that a run depends on, as its `config.json` holds it.

    `transform` and `loss` are those of the network "seg", and empty for "cam".

    Raises:
        InputError: a number is out of its range, or there is no such transform or loss.
    """

    network: str
    data: str
    preset: str
    size: int
    train_images: int
    test_images: int
    epochs: int
    batch_size: int
    lr: float
    seed: int
    folds: int
    fold_images: int
    fold_epochs: int
    weights: str
    transform: str
    loss: str

    def __post_init__(self) -> None:
        check_numbers(epochs=self.epochs, batch_size=self.batch_size, lr=self.lr, seed=self.seed)
        if self.size < SMALLEST:
            raise InputError(f"size is {self.size}, expected at least {SMALLEST} pixels")
        if self.folds < 0 or self.folds == 1:
            raise InputError(f"folds is {self.folds}, expected 0 for none, or at least 2")
        if self.network == "cam" and (self.transform or self.loss):
            raise InputError("--transform and --loss are for `labkit train seg`: leave them out")
        if self.network == "seg":
            self._check_transform()

    def _check_transform(self) -> None:
        side = -(-self.size // 8)
        transform = SegObjective(by_name(self.transform), self.loss).transform
        if not valid_region(transform, (side, side)).any():
            raise InputError(
                f"{self.transform} leaves no position of maps {side}x{side} in view: take a "
                "larger --size or a smaller angle"
            )

    @property
    def objective(self) -> Objective:
        """What is minimised."""
        if self.network == "cam":
            return classification
        return SegObjective(by_name(self.transform), self.loss)


def new_settings(network: str, given: Mapping[str, Any]) -> Settings:
    """The settings of a new run: what was given, the rest from the preset.

    Epochs that were given hold for the folds as well.
    """
    name = given.get("preset")
    preset = presets.preset(LAB, name) if name else presets.current(LAB)
    known = {field.name for field in fields(Settings)}
    values = {field: value for field, value in asdict(preset).items() if field in known}
    values |= {"preset": preset.name, "folds": 0, "seed": 0, "weights": "none", "data": "builtin"}
    values |= SEG_DEFAULTS if network == "seg" else dict.fromkeys(SEG_DEFAULTS, "")
    values |= {"network": network} | full_path(given)
    if "epochs" in given:
        values["fold_epochs"] = given["epochs"]
    return Settings(**values)


def settings_of(run: Path, given: Mapping[str, Any] | None = None) -> Settings:
    """The settings of an earlier run; what is given must agree, but for the number of epochs."""
    given = full_path(given or {})
    config = runs.read_config(run)
    if config.get("network", "cam") not in NETWORKS:
        raise InputError(
            f"{run} holds a training of {config['network']}, expected one of "
            f"{' or '.join(NETWORKS)}"
        )
    settings = read_settings(Settings, run)
    return replace(settings, epochs=epochs_to_go_on(run, config, given))


def read_settings(kind: type[S], run: Path) -> S:
    """The settings of an earlier run, of any network.

    Raises:
        InputError: its `config.json` cannot be read, or a setting is missing or nothing that it
            can be.
    """
    config = runs.read_config(run)
    if wrong := misfits(config, kind):
        raise InputError(
            f"{run / 'config.json'} does not hold the settings of such a training ({wrong[0]} is "
            f"{config.get(wrong[0], 'missing')!r}): expected the file as `labkit train` wrote it"
        )
    try:
        return kind(**{name: config[name] for name in get_type_hints(kind)})
    except InputError as error:
        raise InputError(f"{run / 'config.json'}: {error}") from error


def epochs_to_go_on(run: Path, config: Mapping[str, Any], given: Mapping[str, Any]) -> int:
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
