"""What `labkit train defects` and `labkit evaluate` do with networks that find defects."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from labkit import plots, runs
from labkit.commands.folder import training_in
from labkit.commands.settings import new_settings, settings_of
from labkit.data import Dagm
from labkit.defects import (
    CRITERION,
    DEFECT,
    Found,
    balanced,
    balanced_accuracy,
    defective,
    find,
    inference_time,
    threshold_table,
)
from labkit.experiments.defects import cam, check_size, load
from labkit.maps import explain
from labkit.models import DefectNet
from labkit.training import build, fit
from labkit.training.state import best_row, check_numbers

LAB = "lab7_defects"
NETWORKS = ("defects",)
SHOWN = 5  # defective test surfaces in maps.png
NAMES = {
    "accuracy": "accuracy",
    "roc_auc": "ROC-AUC, from scores",
    "precision": "precision of defects",
    "recall": "recall of defects",
}


@dataclass(frozen=True)
class Settings:
    """Everything that a run depends on, as its `config.json` holds it.

    Raises:
        InputError: a setting is out of its range.
    """

    network: str
    data: str
    preset: str
    problem: int
    fusion: str
    size: int
    channels: int
    train_images: int
    validation_images: int
    test_images: int
    epochs: int
    batch_size: int
    lr: float
    seed: int

    def __post_init__(self) -> None:
        check_numbers(epochs=self.epochs, batch_size=self.batch_size, lr=self.lr, seed=self.seed)
        check_size(self.size)


def train(
    network: str, given: Mapping[str, Any], run: Path | None, resume: bool, console: Console
) -> None:
    """Train, choose the epoch by the mean of both recalls, test once, and draw.

    Args:
        network: "defects".
        given: the settings that were named on the command line.
        run: run folder; None for the next free number.
        resume: go on with `run`: its settings hold, and only `epochs` may be another number.
        console: where the report goes.
    """
    given = {**given, "network": network}
    settings = settings_of(Settings, NETWORKS, run, given) if resume and run else _new(given)
    train_part, validation, test = (
        _part(settings, "train"),
        _part(settings, "validation"),
        _part(settings, "test"),
    )
    model = _model(settings)
    with training_in(asdict(settings), run, resume, console) as folder:
        history = fit(
            model,
            train_part,
            validation,
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            lr=settings.lr,
            criterion=CRITERION,
            seed=settings.seed,
            run=folder,
            resume=True,
            progress=sys.stderr.isatty(),
            objective=balanced(train_part.labels),
            measure=balanced_accuracy(validation),
        )
    plots.save_figure(plots.curves(history, CRITERION), folder / "curves.png")
    found, figures = _report(model, test, console)
    best = int(best_row(history, CRITERION)["epoch"])
    confusion = found.confusion.tolist()
    runs.write_json({"epoch": best, **figures, "confusion": confusion}, folder / "test.json")
    plots.save_figure(plots.confusion(found.confusion, Dagm.classes), folder / "confusion.png")
    plots.save_figure(_maps(model, test), folder / "maps.png")


def evaluate(run: Path, data: str | None, console: Console) -> None:
    """Report on the best weights of a run, on its own test surfaces or those of other data."""
    settings = settings_of(Settings, NETWORKS, run)
    test = _part(replace(settings, data=data or settings.data), "test")
    model = _model(settings)
    runs.load_weights(model, run / "best.pt")
    _report(model, test, console)


def _new(given: Mapping[str, Any]) -> Settings:
    return new_settings(Settings, LAB, given, problem=1, fusion="none")


def _part(settings: Settings, split: Literal["train", "validation", "test"]) -> Dagm:
    count = getattr(settings, f"{split}_images")
    return load(settings.data, split, settings.problem, settings.size, count)


def _model(settings: Settings) -> DefectNet:
    fusion: Any = settings.fusion
    return build(lambda: DefectNet(2, settings.channels, fusion), settings.seed)


def _report(model: DefectNet, test: Dagm, console: Console) -> tuple[Found, dict[str, Any]]:
    """Print the figures; give them for `test.json`, null where there is no number."""
    found = find(model, test)
    figures: dict[str, Any] = dict(found.figures())
    table = Table(title=f"{len(test)} test surfaces, {int(test.labels.sum())} of them defective")
    table.add_column("figure")
    table.add_column("", justify="right")
    for name, title in NAMES.items():
        table.add_row(title, f"{figures[name]:.3f}")
    timing = inference_time(model, test[0][0][None])
    table.add_row("a surface takes", f"{1000 * timing.mean:.2f} ± {1000 * timing.std:.2f} ms")
    ious = _ious(model, test)
    for name, value in ious.items():
        table.add_row(f"mean IoU at its best threshold: {name}", f"{value:.3f}")
    console.print(table)
    figures |= {"iou": ious, "milliseconds": 1000 * timing.mean}
    figures["milliseconds_std"] = 1000 * timing.std
    return found, {k: None if v != v else v for k, v in figures.items()}


def _ious(model: DefectNet, test: Dagm) -> dict[str, float]:
    """Mean IoU of each kind of map with the masks of the defective surfaces."""
    chosen = defective(test)
    images = torch.stack([test[i][0] for i in chosen])
    maps = {"CAM": cam(model, images)}
    for layer in model.stages[1:]:
        maps[f"LayerCAM, {layer}"] = explain(model, images, "layer_cam", (layer,), DEFECT)
    masks = [test.mask(i) for i in chosen]
    return {name: float(threshold_table(list(m), masks).max()) for name, m in maps.items()}


def _maps(model: DefectNet, test: Dagm) -> Figure:
    shown = defective(test)[:SHOWN]
    images = torch.stack([test[i][0] for i in shown])
    maps = explain(model, images, "layer_cam", ("stage2",), DEFECT)
    return plots.show_maps(
        [test.picture(i) for i in shown], list(maps), [test.mask(i) for i in shown]
    )
