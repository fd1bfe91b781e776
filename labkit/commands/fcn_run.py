"""What `labkit train fcn32s|fcn8s` and `labkit evaluate` do with networks that label pixels."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from labkit import plots, runs
from labkit.commands.folder import training_in
from labkit.commands.settings import new_settings, settings_of
from labkit.data import Facade
from labkit.errors import InputError
from labkit.experiments.fcn import make_network
from labkit.fcn_shapes import nearest_that_work, works
from labkit.training import fcn
from labkit.training.state import best_row, check_numbers

LAB = "lab3_fcn"
NETWORKS = ("fcn32s", "fcn8s")
SHOWN = 6  # test pictures in predictions.png
STARTS = {"none": "proper", "zeros": "zeros", "imagenet": "imagenet"}


@dataclass(frozen=True)
class Settings:
    """Everything that a run depends on, as its `config.json` holds it.

    Raises:
        InputError: a setting is out of its range.
    """

    network: str
    data: str
    preset: str
    size: int
    width: float
    weights: str
    train_images: int
    validation_images: int
    test_images: int
    epochs: int
    batch_size: int
    lr: float
    weight_decay: float
    seed: int

    def __post_init__(self) -> None:
        check_numbers(epochs=self.epochs, batch_size=self.batch_size, lr=self.lr, seed=self.seed)
        if not works(self.size, "fcn8s" if self.network == "fcn8s" else "fcn32s"):
            near = " or ".join(map(str, nearest_that_work(self.size)))
            raise InputError(f"size is {self.size}, which {self.network} does not take: try {near}")


def train(
    network: str, given: Mapping[str, Any], run: Path | None, resume: bool, console: Console
) -> None:
    """Train, choose the epoch by mean IoU on the validation set, test once, and draw.

    Args:
        network: "fcn32s" or "fcn8s".
        given: the settings that were named on the command line.
        run: run folder; None for the next free number.
        resume: go on with `run`: its settings hold, and only `epochs` may be another number.
        console: where the report goes.
    """
    given = {**given, "network": network}
    settings = settings_of(Settings, NETWORKS, run, given) if resume and run else _new(given)
    parts = _parts(settings)
    model = make_network(network, STARTS[settings.weights], settings.width, settings.seed)
    with training_in(asdict(settings), run, resume, console) as folder:
        history = fcn.fit(
            model,
            parts["train"],
            parts["validation"],
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            lr=settings.lr,
            weight_decay=settings.weight_decay,
            seed=settings.seed,
            run=folder,
            resume=True,
            progress=sys.stderr.isatty(),
        )
    plots.save_figure(plots.curves(history, "validation_mean_iou"), folder / "curves.png")
    best = int(best_row(history, fcn.CRITERION)["epoch"])
    tested = _report(model, parts["test"], best, console)
    runs.write_json({"epoch": best, **_figures(tested)}, folder / "test.json")
    plots.save_figure(plots.confusion(tested.confusion, Facade.classes), folder / "confusion.png")
    plots.save_figure(_predictions(model, parts["test"]), folder / "predictions.png")


def evaluate(run: Path, data: str | None, console: Console) -> None:
    """Report on the best weights of a run, on its own test images or those of another data set."""
    settings = settings_of(Settings, NETWORKS, run)
    test = _parts(replace(settings, data=data or settings.data))["test"]
    start = "proper"  # the weights are replaced below, so ImageNet's need not be at hand
    model = make_network(settings.network, start, settings.width, settings.seed)
    runs.load_weights(model, run / "best.pt")
    _report(model, test, None, console)


def _new(given: Mapping[str, Any]) -> Settings:
    return new_settings(Settings, LAB, given, weights="none", weight_decay=fcn.WEIGHT_DECAY)


def _parts(settings: Settings) -> dict[str, Facade]:
    return {
        "train": Facade(settings.data, "train", settings.size, count=settings.train_images),
        "validation": Facade(
            settings.data, "validation", settings.size, count=settings.validation_images
        ),
        "test": Facade(settings.data, "test", settings.size, count=settings.test_images),
    }


def _report(
    model: torch.nn.Module, test: Facade, epoch: int | None, console: Console
) -> fcn.Evaluation:
    tested = fcn.evaluate(model, test)
    chosen = "" if epoch is None else f" (epoch {epoch})"
    console.print(
        f"on {len(test)} test images{chosen}: accuracy {tested.accuracy:.3f}, "
        f"mean IoU {tested.mean_iou:.3f}",
        highlight=False,
    )
    table = Table(title="IoU of each class")
    table.add_column("class")
    table.add_column("IoU", justify="right")
    for name, value in zip(Facade.classes, tested.class_iou.tolist(), strict=True):
        table.add_row(name, "does not occur" if math.isnan(value) else f"{value:.3f}")
    console.print(table)
    return tested


def _figures(tested: fcn.Evaluation) -> dict[str, Any]:
    """The numbers, for `test.json`; null for a class that does not occur."""
    ious = dict(zip(Facade.classes, tested.class_iou.tolist(), strict=True))
    return {
        "accuracy": tested.accuracy,
        "mean_iou": tested.mean_iou,
        "loss": tested.loss,
        "class_iou": {name: None if math.isnan(v) else v for name, v in ious.items()},
        "confusion": tested.confusion.tolist(),
    }


def _predictions(model: torch.nn.Module, test: Facade) -> Figure:
    shown = range(min(SHOWN, len(test)))
    found = fcn.predict(model, [test[i][0] for i in shown])
    return plots.show_labels(
        [test.picture(i) for i in shown],
        {"truth": [test.labels(i) for i in shown], "prediction": found},
        test.classes,
    )
