"""What `labkit train cam`, `labkit train seg` and `labkit evaluate` do."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.data import Subset

from labkit import plots, runs, training
from labkit.commands.folder import training_in
from labkit.commands.report import Sources, find_sources, make_report
from labkit.commands.settings import new_settings, settings_of
from labkit.data import CamSeg
from labkit.errors import InputError
from labkit.metrics import k_folds
from labkit.models import CamNet
from labkit.segmentation import SegObjective
from labkit.training.state import best_row, check_numbers
from labkit.transforms import by_name, valid_region

LAB = "lab1_cam"  # whose presets hold for lab 2's network too: it is the same one
NETWORKS = ("cam", "seg")
SMALLEST = 16  # pixels, which give maps of 2x2; a map of 1x1 shows no place
SEG_DEFAULTS = {"transform": "scale", "loss": "handout"}


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
    def objective(self) -> training.Objective:
        """What is minimised."""
        if self.network == "cam":
            return training.classification
        return SegObjective(by_name(self.transform), self.loss)


def train(
    network: str, given: Mapping[str, Any], run: Path | None, resume: bool, console: Console
) -> None:
    """Train, test and draw. What was given is checked before anything is written.

    Args:
        network: "cam", or "seg" for the same network with an equivariant loss.
        given: the settings that were named on the command line.
        run: run folder; None for the next free number.
        resume: go on with `run`: its settings hold, and only `epochs` may be another number.
        console: where the report goes.
    """
    given = {**given, "network": network}
    settings = settings_of(Settings, NETWORKS, run, given) if resume and run else _new(given)
    images = CamSeg(settings.data, "train", settings.size)
    test = CamSeg(settings.data, "test", settings.size)
    chosen = _draw(settings.train_images, len(images), settings.seed)
    _check_enough(len(chosen), settings)
    sources = find_sources(test, console)
    model = training.build(lambda: _network(settings, images), settings.seed)
    with training_in(asdict(settings), run, resume, console) as folder:
        if settings.folds:
            _cross_validate(settings, images, chosen, folder, console)
        history = _fit(settings, model, images, chosen, folder)
    best = int(best_row(history)["epoch"])
    console.print(_table(f"history, epoch {best} is the best", history, bold=best - 1))
    plots.save_figure(plots.curves(history), folder / "curves.png")
    _test(settings, model, best, test, sources, folder, console)


def evaluate(run: Path, data: str | None, console: Console) -> None:
    """Report on the best weights of a run, on its own test images or those of another data set."""
    settings, model, test = load(run, data)
    drawn = _draw(settings.test_images, len(test), settings.seed)
    sources = find_sources(test, console)
    make_report(model, test, drawn, sources).print(console)


def load(run: Path, data: str | None) -> tuple[Settings, CamNet, CamSeg]:
    """The settings of a run, its network with the best weights, and the test images.

    Args:
        run: a folder that `labkit train` made.
        data: another data set than the run's own, or None.

    Raises:
        InputError: the folder is no run, or the data set has other classes.
    """
    settings = settings_of(Settings, NETWORKS, run)
    test = CamSeg(data or settings.data, "test", settings.size)
    model = CamNet(len(test.classes))
    weights = runs.load_checkpoint(run / "best.pt")
    biases = weights.get("classifier.bias")
    if isinstance(biases, Tensor) and biases.shape != model.classifier.bias.shape:
        raise InputError(
            f"{run} knows {biases.numel()} classes and the data set has "
            f"{len(test.classes)}: expected a data set with the same classes"
        )
    runs.put_weights(model, weights, run / "best.pt")
    return settings, model, test


def _new(given: Mapping[str, Any]) -> Settings:
    """The settings of a new run. Epochs that were given hold for the folds as well."""
    usual = SEG_DEFAULTS if given["network"] == "seg" else dict.fromkeys(SEG_DEFAULTS, "")
    if "epochs" in given:
        given = {**given, "fold_epochs": given["epochs"]}
    return new_settings(Settings, LAB, {"folds": 0, **given}, weights="none", **usual)


def _check_enough(n: int, settings: Settings) -> None:
    n_fold = min(n, settings.fold_images) if settings.folds else n
    least = max(2, settings.folds)
    if n_fold < least:
        raise InputError(
            f"{n_fold} training images, expected at least {least}: "
            f"with folds {settings.folds}, each fold needs one"
        )


def _network(settings: Settings, images: CamSeg) -> CamNet:
    return CamNet(
        len(images.classes), weights="DEFAULT" if settings.weights == "imagenet" else None
    )


def _draw(at_most: int, n: int, seed: int) -> list[int]:
    """Numbers of images in ascending order, all or a seeded draw (lists may be sorted by class)."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return order[:at_most].sort().values.tolist()


def _fit(
    settings: Settings, model: CamNet, images: CamSeg, chosen: list[int], folder: Path
) -> pd.DataFrame:
    """Train on nine tenths; the tenth that is held out chooses the epoch."""
    learnt, held_out = k_folds(len(chosen), min(10, len(chosen)), settings.seed)[0]
    part = Subset(images, chosen)
    return training.fit(
        model,
        Subset(part, learnt.tolist()),
        Subset(part, held_out.tolist()),
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        lr=settings.lr,
        seed=settings.seed,
        run=folder,
        resume=True,
        progress=sys.stderr.isatty(),
        objective=settings.objective,
    )


def _cross_validate(
    settings: Settings, images: CamSeg, chosen: list[int], folder: Path, console: Console
) -> None:
    drawn = _draw(settings.fold_images, len(chosen), settings.seed)
    result = training.cross_validate(
        lambda: _network(settings, images),
        Subset(images, [chosen[i] for i in drawn]),
        k=settings.folds,
        epochs=settings.fold_epochs,
        batch_size=settings.batch_size,
        lr=settings.lr,
        seed=settings.seed,
        run=folder,
        resume=True,
        progress=sys.stderr.isatty(),
        objective=settings.objective,
    )
    with runs.replacing(folder / "folds.csv") as draft:
        result.table.to_csv(draft, index=False)
    console.print(_table("cross validation", result.table))
    console.print(f"validation accuracy {result.mean:.3f} ± {result.std:.3f}", highlight=False)


def _test(
    settings: Settings,
    model: CamNet,
    epoch: int,
    test: CamSeg,
    sources: Sources,
    folder: Path,
    console: Console,
) -> None:
    """The one look at the test images."""
    drawn = _draw(settings.test_images, len(test), settings.seed)
    report = make_report(model, test, drawn, sources)
    runs.write_json({"epoch": epoch, **report.figures()}, folder / "test.json")
    plots.save_figure(
        plots.confusion(report.evaluation.confusion, test.classes), folder / "confusion.png"
    )
    if report.cams is not None:
        plots.save_figure(report.cams, folder / "cams.png")
    report.print(console)


def _table(title: str, rows: pd.DataFrame, bold: int | None = None) -> Table:
    """A table for the terminal; the row of number `bold` stands out."""
    table = Table(title=title)
    for name in rows.columns:
        table.add_column(name.replace("_", " "), justify="right")
    for i, row in enumerate(rows.itertuples(index=False)):
        cells = (f"{value:.3f}" if isinstance(value, float) else str(value) for value in row)
        table.add_row(*cells, style="bold" if i == bold else "")
    return table
