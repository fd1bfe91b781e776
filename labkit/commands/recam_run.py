"""What `labkit train vgg-cam|recam` and `labkit evaluate` do with heads on a frozen extractor.

Besides what every run holds: `epochs/epoch_01.pt` and so on, a head each, `extractor.pt` where the
extractor was trained on the spot, and `evaluation.json` from `labkit evaluate`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.utils.data import TensorDataset

from labkit import plots, runs
from labkit.commands.folder import training_in
from labkit.commands.settings import new_settings, settings_of
from labkit.data import Augmented, Flowers17
from labkit.data.augmentation import COPIES
from labkit.data.flowers17_folder import is_stored
from labkit.errors import InputError
from labkit.maps import emphasize
from labkit.maps.normalize import Normalization
from labkit.models.extractors import channels_of, imagenet_extractor
from labkit.models.vgg import CamHead
from labkit.training import build, fit
from labkit.training.extractor import Extracted, extract, kept_extractor, load_extractor
from labkit.training.heads import (
    CrossEntropies,
    K,
    KeepEpochs,
    class_maps,
    count_hits,
    make_head,
    objective_of,
)
from labkit.training.state import best_row, check_numbers, epochs_so_far

LAB = "lab6_recam"
NETWORKS = ("vgg-cam", "recam")
SMALLEST = 32  # pixels, which give maps of 2x2
SHOWN = 12  # pictures in the grids, as document 001 has them
EXTRACTORS = {"none": "drawn", "imagenet": "vgg16", "efficientnet": "efficientnet"}


@dataclass(frozen=True)
class Settings:
    """Everything that a run depends on, as its `config.json` holds it.

    `head` is "cam", "recam" or "naive"; `normalization` makes weights of its maps, or is empty.

    Raises:
        InputError: a setting is out of its range.
    """

    network: str
    head: str
    normalization: str
    data: str
    partition: int
    augment: bool
    preset: str
    size: int
    width: float
    extractor: str
    extractor_images: int
    extractor_epochs: int
    train_images: int
    validation_images: int
    test_images: int
    epochs: int
    batch_size: int
    lr: float
    seed: int

    def __post_init__(self) -> None:
        check_numbers(epochs=self.epochs, batch_size=self.batch_size, lr=self.lr, seed=self.seed)
        if self.size < SMALLEST:
            raise InputError(f"size is {self.size}, expected at least {SMALLEST} pixels")
        if not 0 < self.width <= 1:
            raise InputError(
                f"width is {self.width:g}, expected a share of VGG-16's channels in (0, 1]"
            )
        if self.extractor == "drawn" and not (self.extractor_images and self.extractor_epochs):
            raise InputError(
                f"the preset {self.preset} wants an extractor with ImageNet weights: add "
                "--weights imagenet or --weights efficientnet, or take --preset laptop"
            )


def train(
    network: str, given: Mapping[str, Any], run: Path | None, resume: bool, console: Console
) -> None:
    """Train a head, choose the epoch by validation accuracy, test once, and draw.

    Args:
        network: "vgg-cam" or "recam".
        given: the settings that were named on the command line.
        run: run folder; None for the next free number.
        resume: go on with `run`: its settings hold, and only `epochs` may be another number.
        console: where the report goes.
    """
    given = {**given, "network": network}
    settings = _earlier(run, given) if resume and run else _new(given)
    parts = _parts(settings)
    extractor = None if settings.extractor == "drawn" else imagenet_extractor(settings.extractor)
    progress = sys.stderr.isatty()
    with training_in(asdict(settings), run, resume, console) as folder:
        extractor = extractor or _drawn(settings, folder, progress)
        head, history = _fit(settings, extractor, parts, folder, progress)
    best = best_row(history)
    plots.save_figure(plots.curves(history), folder / "curves.png")
    if len(history) < settings.epochs:
        console.print(
            f"ended before epoch {len(history) + 1}: the validation loss passed twice the "
            "training loss",
            highlight=False,
        )
    _print_epochs(history, int(best["epoch"]), console)
    tested = extract(parts["test"], extractor, progress=progress)
    hits, n = count_hits(head, tested)
    console.print(_sentence("test", int(best["epoch"]), hits, n), highlight=False)
    figures = {"epoch": int(best["epoch"]), "images": n, **{f"top{k}": hits[k] for k in K}}
    runs.write_json(figures, folder / "test.json")
    draw(head, tested, parts["test"], folder)


def evaluate(run: Path, data: str | None, console: Console) -> None:
    """Count top-1, 3 and 5 of every epoch on the validation images; into `evaluation.json`.

    Args:
        run: its folder.
        data: another data set than the run's own, or None; then nothing is written.
        console: where the table goes.
    """
    settings, extractor, head = load(run)
    settings = replace(settings, data=data or settings.data)
    validation = extract(_parts(settings)["validation"], extractor)
    rows = []
    for file in sorted((run / "epochs").glob("epoch_*.pt")):
        if not file.stem.removeprefix("epoch_").isdecimal():
            continue
        runs.load_weights(head, file)
        hits, n = count_hits(head, validation)
        row = {"epoch": int(file.stem.removeprefix("epoch_")), "images": n}
        rows.append({**row, **{f"top{k}": hits[k] for k in K}})
    if not rows:
        raise InputError(f"{run / 'epochs'} holds no weights: did an epoch end?")
    table = Table(title=f"{run}: how many validation images have their class among the k best")
    for name in rows[0]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table)
    if data is None:
        runs.write_json({f"epoch_{row['epoch']}": row for row in rows}, run / "evaluation.json")
        console.print(f"the same is in {run / 'evaluation.json'}", highlight=False, soft_wrap=True)


def explain(
    run: Path, data: str | None, how: Normalization | None, out: Path | None, console: Console
) -> None:
    """Draw the maps of twelve test pictures anew: labelled grid, compact grid and strip.

    Args:
        run: its folder.
        data: another data set than the run's own, or None.
        how: what brings maps to [0, 1]; None for relu.
        out: folder for the pictures; None for `explain-HOW` in the run folder.
        console: where the folder is named.
    """
    settings, extractor, head = load(run)
    test = _parts(replace(settings, data=data or settings.data, test_images=SHOWN))["test"]
    how = how or "relu"
    out = out or run / f"explain-{how}"
    out.mkdir(parents=True, exist_ok=True)
    draw(head, extract(test, extractor), test, out, how)
    console.print(f"3 pictures are in {out}", soft_wrap=True, highlight=False)


def load(run: Path) -> tuple[Settings, nn.Module, CamHead]:
    """The settings of a run, its extractor, and its head with the best weights.

    Raises:
        InputError: the folder is no such run, or weights are missing.
    """
    settings = settings_of(Settings, NETWORKS, run)
    if settings.extractor == "drawn":
        extractor = load_extractor(run / "extractor.pt", settings.width)
    else:
        extractor = imagenet_extractor(settings.extractor)
    head = _head(settings, extractor)
    runs.load_weights(head, run / "best.pt")
    return settings, extractor, head


def draw(
    head: CamHead,
    tested: TensorDataset,
    test: Flowers17,
    folder: Path,
    how: Normalization = "relu",
) -> None:
    """Twelve test pictures with the map of the predicted class: grid, compact grid and strip."""
    shown = range(min(SHOWN, len(test)))
    features, labels = (tensor[: len(shown)] for tensor in tested.tensors)
    with torch.no_grad():
        shares = head(features).scores.softmax(1)
    pictures = [test.picture(i) for i in shown]
    height, width = pictures[0].shape[:2]
    maps = emphasize(class_maps(head, features, shares.argmax(1), (height, width), how))
    laid = [plots.overlay(p, m) for p, m in zip(pictures, maps, strict=True)]
    three = shares.topk(3)
    titles = [
        "\n".join(
            [f"true: {test.classes[label]}"]
            + [f"{test.classes[c]} {s:.0%}" for s, c in zip(*best, strict=True)]
        )
        for label, *best in zip(
            labels.tolist(), three.values.tolist(), three.indices.tolist(), strict=True
        )
    ]
    plots.save_figure(plots.labelled_grid(laid, titles), folder / "maps.png")
    plots.save_picture(plots.mosaic(laid, 4), folder / "maps_compact.png")
    plots.save_picture(plots.mosaic(laid, 1), folder / "maps_strip.png")


def _new(given: Mapping[str, Any]) -> Settings:
    return new_settings(Settings, LAB, _choices(given), partition=1, augment=True)


def _earlier(run: Path, given: Mapping[str, Any]) -> Settings:
    """The settings of an earlier run, held against what is given and not what follows from it."""
    chosen = _choices(given)
    asked = {"weights": "extractor", "variant": "head"}
    names = [asked.get(name, name) for name in given]
    return settings_of(Settings, NETWORKS, run, {name: chosen[name] for name in names})


def _choices(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, in the words of `Settings`."""
    values = dict(given)
    weights = values.pop("weights", "none")
    if weights != "none" and "width" in given:
        raise InputError(f"--width is for --weights none, not for {weights}: leave it out")
    variant = values.pop("variant", "paper")
    head = "cam" if given["network"] == "vgg-cam" else {"paper": "recam", "naive": "naive"}[variant]
    default = {"cam": "", "recam": "relu", "naive": "minmax"}[head]
    return {"extractor": EXTRACTORS[weights], "head": head, "normalization": default, **values}


def _parts(settings: Settings) -> dict[str, Flowers17]:
    stored = settings.data != "builtin" and is_stored(Path(settings.data))
    counts = {
        "train": settings.train_images * (COPIES if stored else 1),
        "validation": settings.validation_images,
        "test": settings.test_images,
    }
    return {
        split: Flowers17(
            settings.data,
            split,  # type: ignore[arg-type]  # the keys above
            settings.size,
            partition=settings.partition,
            count=count,
        )
        for split, count in counts.items()
    }


def _drawn(settings: Settings, folder: Path, progress: bool) -> nn.Module:
    """The extractor that a run trains first, once."""
    return kept_extractor(
        folder / "extractor.pt",
        settings.width,
        settings.size,
        settings.extractor_images,
        settings.extractor_epochs,
        settings.seed,
        progress,
    )


def _head(settings: Settings, extractor: nn.Module) -> CamHead:
    how: Any = settings.normalization or None
    return make_head(settings.head, 17, channels_of(extractor), how)


def _fit(
    settings: Settings,
    extractor: nn.Module,
    parts: Mapping[str, Flowers17],
    folder: Path,
    progress: bool,
) -> tuple[CamHead, pd.DataFrame]:
    head = build(lambda: _head(settings, extractor), settings.seed)
    plain = extract(parts["train"], extractor, progress=progress)
    validation = extract(parts["validation"], extractor, progress=progress)
    before = 0
    if (folder / "last.pt").exists():
        before = epochs_so_far(folder)
    history = fit(
        head,
        Extracted(Augmented(parts["train"]), extractor) if settings.augment else plain,
        validation,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        lr=settings.lr,
        seed=settings.seed,
        run=folder,
        resume=True,
        progress=progress,
        objective=objective_of(head),
        measure=KeepEpochs(validation, folder / "epochs", before),
        stop=CrossEntropies(head, plain),
    )
    return head, history


def _print_epochs(history: pd.DataFrame, best: int, console: Console) -> None:
    table = Table(title=f"history, epoch {best} is the best")
    shown = ["epoch", "train_loss", "validation_loss", *(f"validation_top{k}" for k in K)]
    for name in shown:
        table.add_column(name.replace("_", " "), justify="right")
    for row in history[shown].itertuples(index=False):
        cells = (f"{value:.3f}" if isinstance(value, float) else str(value) for value in row)
        table.add_row(*cells, style="bold" if row.epoch == best else "")
    console.print(table)


def _sentence(split: str, epoch: int, hits: Mapping[int, int], n: int) -> str:
    counts = ", ".join(f"top-{k} {hits[k]} ({hits[k] / n:.1%})" for k in K)
    return f"of {n} {split} images (epoch {epoch}): {counts}"
