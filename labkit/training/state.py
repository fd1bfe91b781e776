"""What every training shares: where it stands, its batches, its modes and its random numbers."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from labkit.errors import InputError
from labkit.plain import misfits
from labkit.runs import load_checkpoint, put_weights, replacing, save_checkpoint

COLUMNS = (
    "epoch",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "seconds",
)


def best_row(history: pd.DataFrame, criterion: str = "validation_accuracy") -> pd.Series:
    """The row of the best epoch: the highest by the criterion, the earliest of equals."""
    return history.iloc[int(history[criterion].argmax())]


def check_numbers(*, epochs: int = 1, batch_size: int = 1, lr: float = 1.0, seed: int = 0) -> None:
    """Refuse settings that no training can have.

    Raises:
        InputError: one is out of its range; the message names it.
    """
    for name, value, least in (
        ("epochs", epochs, 1),
        ("batch size", batch_size, 1),
        ("seed", seed, 0),
    ):
        if value < least:
            raise InputError(f"{name} is {value}, expected a whole number of at least {least}")
    if seed >= 2**63:
        raise InputError(f"seed is {seed}, expected a whole number below 2 to the power of 63")
    if not (math.isfinite(lr) and lr > 0):
        raise InputError(f"the learning rate is {lr}, expected a positive number such as 0.001")


@dataclass
class _Last:
    """What `last.pt` holds."""

    settings: dict[str, Any]
    history: list[dict[str, float]]
    model: dict[str, Tensor]
    best: dict[str, Tensor]
    optimizer: dict[str, Any]


def epochs_so_far(run: Path) -> int:
    """How many epochs a training in a run folder has had.

    Raises:
        InputError: its `last.pt` is missing or damaged.
    """
    return len(_read_last(run / "last.pt", "cpu")["history"])


def _read_last(path: Path, device: torch.device | str) -> dict[str, Any]:
    last = load_checkpoint(path, device)
    if wrong := misfits(last, _Last):
        raise InputError(f"{path} holds no proper {wrong[0]}: expected the file as it was written")
    return last


class TrainingState:
    """Where a training stands, in memory and in its run folder."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        settings: Mapping[str, Any],
        criterion: str = "validation_accuracy",
    ) -> None:
        self.criterion = criterion  # the column whose highest value makes the best epoch
        self.model = model
        self.optimizer = optimizer
        self.settings = dict(settings)
        self.rows: list[dict[str, float]] = []
        self.best: dict[str, Any] | None = None
        self.run: Path | None = None

    @property
    def epoch(self) -> int:
        """The last epoch that ended, 0 before the first."""
        return len(self.rows)

    @property
    def table(self) -> pd.DataFrame:
        """The history so far."""
        return pd.DataFrame(self.rows, columns=list(self.rows[0] if self.rows else COLUMNS))

    def open(self, run: Path | None, resume: bool, epochs: int) -> None:
        """Take a run folder, and go where its training stands if it is to be resumed."""
        self.run = run
        if run is None:
            if resume:
                raise InputError("resume=True without a run: pass the folder to go on from")
            return
        if (run / "last.pt").exists():
            if not resume:
                raise InputError(
                    f"{run} holds a training already: pass resume=True to go on with it, or "
                    "another folder"
                )
            self._load(run, epochs)
        run.mkdir(parents=True, exist_ok=True)

    def _load(self, run: Path, epochs: int) -> None:
        device = home_of(self.model)
        path = run / "last.pt"
        last = _read_last(path, device)
        _check_same(run, last["settings"], self.settings)
        if len(last["history"]) > epochs:
            raise InputError(
                f"{run} has had {len(last['history'])} epochs already, more than the {epochs} "
                "asked for: ask for at least as many"
            )
        if not all(self.criterion in row for row in last["history"]):
            raise InputError(f"{path}: an epoch has no {self.criterion}, which chooses the best")
        try:
            self.optimizer.load_state_dict(last["optimizer"])
        except Exception as error:  # with anything else, it fails in every possible way
            raise InputError(f"{path} holds no state of this optimizer: {error!r}") from error
        for part in ("best", "model"):
            put_weights(self.model, last[part], path)
        self.best, self.rows = last["best"], last["history"]
        save_checkpoint(self.best, run / "best.pt")  # only now that all of it is right

    def add(self, row: dict[str, float]) -> None:
        """Take in an epoch that ended, and write it down."""
        before = [earlier[self.criterion] for earlier in self.rows]
        self.rows.append(row)
        is_best = all(row[self.criterion] > value for value in before)
        if is_best:
            self.best = copy.deepcopy(self.model.state_dict())
        if self.run is not None:
            self._save(self.run, is_best)

    def _save(self, run: Path, is_best: bool) -> None:
        """Write last.pt first: it holds the best weights too, so resuming mends best.pt."""
        last = {
            "settings": self.settings,
            "history": self.rows,
            "model": self.model.state_dict(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
        }
        save_checkpoint(last, run / "last.pt")
        if is_best:
            save_checkpoint(self.model.state_dict(), run / "best.pt")
        with replacing(run / "history.csv") as draft:
            self.table.to_csv(draft, index=False)

    def restore_best(self) -> None:
        """Put the best weights so far into the model."""
        if self.best is not None:
            self.model.load_state_dict(self.best)


def check_finite(loss: float, when: str, state: TrainingState) -> None:
    """Stop a training whose loss is infinite or no number.

    Raises:
        InputError: it is; the message names a lower learning rate.
    """
    if not math.isfinite(loss):
        kept = "; the best weights of the epochs before are kept" if state.rows else ""
        lr = state.settings["lr"]
        raise InputError(
            f"the loss became {loss} in {when}: the steps are too large, lower the learning rate "
            f"(it is {lr:g}, try {lr / 10:g}){kept}"
        )


def train_mode(model: nn.Module) -> None:
    """Training mode, except for frozen layers: a frozen batch norm keeps its statistics."""
    model.train()
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if own and not any(parameter.requires_grad for parameter in own):
            module.eval()


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """The parameters that are not frozen."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def settings_of(
    model: nn.Module,
    train: Dataset,
    validation: Dataset,
    batch_size: int,
    lr: float,
    seed: int,
) -> dict[str, Any]:
    """What must be the same for a training to be the same one."""
    if not trainable(model):
        raise InputError("every parameter of the model is frozen: there is nothing to train")
    return {
        "batch_size": batch_size,
        "lr": lr,
        "seed": seed,
        "training images": length_of(train),
        "validation images": length_of(validation),
        "shapes": {name: list(value.shape) for name, value in model.state_dict().items()},
        "trainable": [name for name, value in model.named_parameters() if value.requires_grad],
    }


def _check_same(run: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for name, value in before.items():
        if now.get(name) == value:
            continue
        if name == "shapes":
            difference = "other layers or shapes of the model"
        elif name == "trainable":
            difference = "other frozen parameters"
        else:
            difference = f"{name} {value}, not {now.get(name)}"
        raise InputError(
            f"{run} was trained with {difference}: resume with the same settings, or take another "
            "run folder"
        )


def batches_of(
    dataset: Dataset,
    batch_size: int,
    generator: torch.Generator | None = None,
    collate: Callable[[Any], Any] | None = None,
) -> DataLoader:
    """Batches of equal size, to within one image; shuffled where a generator is given.

    `collate` makes a batch of samples; by default torch's own does.
    """
    n = length_of(dataset)
    order = torch.arange(n) if generator is None else torch.randperm(n, generator=generator)
    batches = [batch.tolist() for batch in order.tensor_split(math.ceil(n / batch_size))]
    # A loader without a generator would draw a number from the global one.
    return DataLoader(
        dataset, batch_sampler=batches, generator=torch.Generator(), collate_fn=collate
    )


def length_of(dataset: Dataset) -> int:
    """How many samples there are.

    Raises:
        InputError: none.
    """
    n = len(dataset)  # type: ignore[arg-type]  # torch's Dataset leaves it to its children
    if not n:
        raise InputError("the data set is empty, expected at least one image")
    return n


def pick_device(device: torch.device | str | None = None) -> torch.device:
    """The device that was named, else a GPU if there is one, else the processor."""
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def home_of(model: nn.Module) -> torch.device:
    """The device of a model's parameters."""
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))


@contextmanager
def as_found(model: nn.Module, device: torch.device | str) -> Iterator[None]:
    """Lend a model to a device; afterwards it is where it was, each module in the mode it was."""
    home = home_of(model)
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.to(device)
        yield
    finally:
        model.to(home)
        for module, training in modes:
            module.training = training


@contextmanager
def random_numbers(*seed: int) -> Iterator[torch.Generator]:
    """Seed torch, and a generator, from a few numbers; the caller's random state comes back."""
    number = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(number)
        yield torch.Generator().manual_seed(number)
